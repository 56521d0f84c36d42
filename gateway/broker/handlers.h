/*
 * handlers.h - the handlers of dispatch.c's table, one per request of the edge.
 */
#ifndef SEKISHO_BROKER_HANDLERS_H
#define SEKISHO_BROKER_HANDLERS_H

#include "broker/dispatch.h"

/* handle_login.c */
request_handler handle_login_password, handle_login_totp, handle_logout, handle_me;
/* handle_host.c */
request_handler handle_host_list, handle_host_wake;
/* handle_open.c, handle_session.c */
request_handler handle_session_open;
request_handler handle_session_list, handle_session_show, handle_session_end, handle_session_unlock,
	handle_session_attach;

#endif
