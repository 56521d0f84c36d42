/*
 * enrol.h - `device enrol`: the key is made here and never leaves this process but in the file it
 * ends in.
 */
#ifndef SEKISHO_CLI_ENROL_H
#define SEKISHO_CLI_ENROL_H

#include <jansson.h>

#include "base/secret.h"
#include "cli/args.h"

struct enrol;

/* Checks that the file can be written and makes the key. ERR_EXISTS: it is there already.
 * ERR_NOT_FOUND, ERR_DENIED: its folder. */
nodiscard enum err enrol_new(const struct args *args, struct enrol **ret);
void enrol_free(struct enrol *enrol);
void enrol_freep(struct enrol **enrol);

/* Whether the file is PEM, which has no password. */
bool enrol_is_pem(const struct enrol *enrol);

/* {"user", "name", "days"?, "csr", "place"} for the broker; NULL when out of memory. */
json_t *enrol_request(const struct enrol *enrol);

/*
 * Writes the file, mode 0600, from the broker's {"certificate", "ca"}. password: NULL for PEM.
 * ERR_PROTOCOL: what came back is not a certificate for our key.
 */
nodiscard enum err enrol_write(const struct enrol *enrol, const json_t *reply,
			       const struct secret *password);

#endif
