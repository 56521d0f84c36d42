/*
 * audit_verdict.h - what `sekisho audit verify` found, in words.
 */
#ifndef SEKISHO_CLI_AUDIT_VERDICT_H
#define SEKISHO_CLI_AUDIT_VERDICT_H

#include <jansson.h>
#include <stdio.h>

#include "audit/verify.h"

/* For programs: codes, numbers, and times in seconds since 1970. NULL: no memory. */
json_t *audit_verdict_json(const struct log_verdict *verdict, const struct note_key *key);

/* For people: the judgement in one sentence, what it rests on, and what to do. */
void audit_verdict_print(FILE *out, const struct log_verdict *verdict, const struct note_key *key);

#endif
