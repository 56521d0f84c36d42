/*
 * tls_folder.h - the gateway's certificate of another CA, in a folder where an ACME client renews
 * it: fullchain.pem and privkey.pem. Looked at again and again; what does not hold is refused, and
 * what was read before stays in use.
 */
#ifndef SEKISHO_EDGE_TLS_FOLDER_H
#define SEKISHO_EDGE_TLS_FOLDER_H

#include <openssl/x509.h>

#include "base/sandbox.h"

struct tls_folder;

struct tls_pair {
	X509 *leaf;
	STACK_OF(X509) * chain; /* above leaf, without a root */
	EVP_PKEY *key;
};

enum {
	TLS_FOLDER_LOOK_S = 2,
	/* The folder, and those that its files are symbolic links into. */
	TLS_FOLDER_PLACES = 3,
};

/*
 * Reads the pair if there is one; what is wrong with it is logged. name: the gateway's, which the
 * certificate must be for. now_s: seconds since 1970. The strings must live as long as the folder.
 */
nodiscard enum err tls_folder_new(const char *path, const char *name, int64_t now_s,
				  struct tls_folder **ret);
void tls_folder_free(struct tls_folder *folder);

/*
 * To be called every TLS_FOLDER_LOOK_S. Files that have changed are read once they have stayed the
 * same between two looks, so that the moment between writing the one and the other is not taken for
 * a mistake.
 */
void tls_folder_look(struct tls_folder *folder, int64_t now_s);

/* Borrowed until the next look; NULL while no good pair was ever read. */
const struct tls_pair *tls_folder_pair(const struct tls_folder *folder);

/* What a sandbox must allow to read; the texts live as long as the folder. */
size_t tls_folder_places(struct tls_folder *folder, struct sandbox_path ret[TLS_FOLDER_PLACES]);

#endif
