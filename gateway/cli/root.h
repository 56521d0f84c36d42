/*
 * root.h - the root's key from the gateway into a file: fetched, written and synced, read again,
 * and only with what was read removed there. Whatever ends in between, the key is on the gateway
 * still.
 */
#ifndef SEKISHO_CLI_ROOT_H
#define SEKISHO_CLI_ROOT_H

#include <jansson.h>

#include "cli/args.h"

/* The file that the command line names for it; NULL: none. */
const char *root_path(const struct args *args);

/* What is wrong with the options, before anything is done: in the user's language, and *ret_name
 * the option; NULL: nothing. */
const char *root_wrong(const struct args *args, const char **ret_name);

enum root_step { ROOT_FETCH, ROOT_WRITE, ROOT_REMOVE };

/* How far it came. */
struct root_end {
	enum root_step step;
	unsigned status; /* of the last answer */
	json_t *body;    /* the last answer, an error among them; the caller's. NULL: none */
};

/*
 * passphrase: of the CA's keys. ret_end is set in any case. Errors of admin_call; ERR_PROTOCOL: an
 * answer without a key; in ROOT_WRITE those of the file.
 */
nodiscard enum err root_take(const char *runtime_dir, const json_t *passphrase, const char *path,
			     struct root_end *ret_end);

/* What to do after it came so far and no further, in the user's language. */
const char *root_hint(enum root_step step);

#endif
