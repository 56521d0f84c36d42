/*
 * urls.h - the gateway's addresses as people type them.
 */
#ifndef SEKISHO_BROKER_URLS_H
#define SEKISHO_BROKER_URLS_H

#include "wire/settings.h"

enum { URLS_MAX = 400 };

/* https://name:port/ of the portal and of the enrolment. */
void urls_gateway(const struct settings *settings, char ret[URLS_MAX]);
void urls_enrol(const struct settings *settings, char ret[URLS_MAX]);

#endif
