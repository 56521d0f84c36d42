/*
 * show.h - the broker's answers on a terminal: tables, TOTP secrets with a QR code, errors in the
 * user's language.
 */
#ifndef SEKISHO_CLI_SHOW_H
#define SEKISHO_CLI_SHOW_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "base/err.h"

/* {"columns", "rows"} as a table, {"totp_secret", "otpauth"} with a QR code, else one line per
 * member. */
void show_reply(FILE *out, const json_t *body);

/* One line for {"error", "field"?, "message"?}. */
void show_error(FILE *out, const json_t *body);

/* One line of JSON. Takes body over. */
void show_json(FILE *out, json_t *body);

/* What was found wrong here: one line of JSON on standard output, or show_error's on standard
 * error. field NULL: none; message NULL: the error's own text. */
void show_refusal(bool json, enum err err, const char *field, const char *message);

#endif
