/*
 * invite.h - an invitation to enrol a device, as `device invite` answers it: on the terminal, and
 * as a sheet of paper for the person.
 */
#ifndef SEKISHO_CLI_INVITE_H
#define SEKISHO_CLI_INVITE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "base/buf.h"

enum { INVITE_SHEET_MAX = 128 * 1024 /* bytes */ };

/* Whether the broker's answer is one. */
bool invite_is(const json_t *body);

/* With the code as text and as a QR code. */
void invite_print(FILE *out, const json_t *body);

/*
 * Appends one page of HTML that needs nothing else, in Japanese and English, for A4. buf takes at
 * least INVITE_SHEET_MAX. ERR_PROTOCOL: the answer lacks something.
 */
nodiscard enum err invite_sheet(const json_t *body, struct buf *buf);

#endif
