/*
 * handlers.h - the handlers of dispatch.c's table, one per request of the edge.
 */
#ifndef SEKISHO_BROKER_HANDLERS_H
#define SEKISHO_BROKER_HANDLERS_H

#include "broker/dispatch.h"
#include "store/sessions.h"

/* handle_login.c */
request_handler handle_login_password, handle_login_totp, handle_logout, handle_me;
/* handle_enrol.c */
request_handler handle_enrol_look, handle_enrol_request, handle_enrol_file, handle_device_renew;
/* handle_est.c */
request_handler handle_est_cacerts, handle_est_csrattrs, handle_est_simpleenroll;
request_handler handle_est_simplereenroll, handle_ocsp;
/* handle_host.c */
request_handler handle_host_list, handle_host_wake;
/* handle_unlock.c */
request_handler handle_unlock, handle_session_unlock;
/* handle_open.c, handle_session.c */
request_handler handle_session_open;
request_handler handle_session_list, handle_session_show, handle_session_end, handle_session_attach;
/* handle_audit.c */
request_handler handle_audit_checkpoint, handle_audit_alarm;
/* handle_console.c, handle_report.c */
request_handler handle_audit_sessions, handle_audit_live, handle_audit_entries,
	handle_audit_session;
request_handler handle_audit_choices, handle_audit_filter_save, handle_audit_filter_remove;
request_handler handle_audit_report;
/* As recording_denied, of what the console asks. */
bool console_denied(struct request *request, enum err why);
/* handle_recording.c */
request_handler handle_recording_list, handle_recording_open, handle_recording_attach;
/* handle_export.c */
request_handler handle_auditor_list, handle_recording_export, handle_recording_export_attach;
/* handle_note.c */
request_handler handle_note_list, handle_note_add, handle_note_withdraw;
/* Notes that the request's account may not make it. Whether that was too often, and is answered. */
bool recording_denied(struct request *request, uint16_t id, enum err why);
/* handle_live.c */
request_handler handle_live_list, handle_live_watch, handle_live_attach, handle_live_end;
/* As recording_denied, for the requests above. */
bool live_denied(struct request *request, uint16_t id, enum err why);
/* handle_record_attach.c */
request_handler handle_record_attach;
/* handle_record.c */
request_handler handle_record_ask;
/* handle_admin.c */
request_handler handle_admin_look, handle_admin_order;

/*
 * The request's person's session, although memory may have forgotten one that ended a while ago.
 * ERR_NOT_FOUND, also for somebody else's.
 */
nodiscard enum err session_mine(struct request *request, const uint8_t id[WIRE_SESSION_ID],
				struct session_row *ret);

#endif
