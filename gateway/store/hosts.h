/*
 * hosts.h - the tables of office PCs, of who may use them, and of the logins kept for them. Errors
 * are those of db.h.
 */
#ifndef SEKISHO_STORE_HOSTS_H
#define SEKISHO_STORE_HOSTS_H

#include "store/db.h"

enum {
	HOST_NAME_MAX_BYTES = 128, /* and 64 characters */
	HOST_ADDRESS_MAX = 255,
	HOST_BROADCAST_MAX = 64,
	HOST_MAC = 6,
	HOST_PIN = 32,
	HOST_TLS_CA_MAX = 16384,
	HOST_SEALED_MAX = 320,
	RETENTION_NAME_MAX = 192, /* and 64 characters */
};

struct host_row {
	int64_t id;
	char name[HOST_NAME_MAX_BYTES + 1];
	int64_t protocol, security; /* enum protocol, enum security of wire/enums.h */
	char address[HOST_ADDRESS_MAX + 1];
	int64_t port;
	bool has_mac, has_pin;
	uint8_t mac[HOST_MAC];
	char broadcast[HOST_BROADCAST_MAX + 1];
	uint8_t pin[HOST_PIN];                  /* SHA-256 of the PC's certificate */
	bool audio;                             /* its sound may leave the office */
	bool video;                             /* it is asked for H.264 */
	char retention[RETENTION_NAME_MAX + 1]; /* the class of its recordings */
	/* With account given in the query, else as if there were none: */
	bool granted, view_only, has_credential;
};

/* account: whose grant and kept login to look at, 0 for nobody's. */
nodiscard enum err host_by_id(struct db *db, int64_t id, int64_t account, struct host_row *ret);
nodiscard enum err host_by_name(struct db *db, const char *name, struct host_row *ret);

/* All by name, or with account only those granted to it; then host_next until *ret_more is false.
 */
void host_list(struct query *query, struct db *db);
void host_list_granted(struct query *query, struct db *db, int64_t account);
nodiscard enum err host_next(struct query *query, struct host_row *ret, bool *ret_more);

/* tls_ca may be NULL. */
nodiscard enum err host_add(struct db *db, const struct host_row *host, const void *tls_ca,
			    size_t tls_ca_len, int64_t *ret_id);
/* With its grants and kept logins. */
nodiscard enum err host_remove(struct db *db, int64_t id);
/* ret_data: HOST_TLS_CA_MAX bytes; *ret_len is 0 when there is none. */
nodiscard enum err host_tls_ca(struct db *db, int64_t id, uint8_t *ret_data, size_t *ret_len);

/* The class, which exists, of recordings that begin from now on. */
nodiscard enum err host_set_retention(struct db *db, int64_t id, const char *name);
nodiscard enum err host_set_streams(struct db *db, int64_t id, bool audio, bool video);

/* ERR_NOT_FOUND when there is one already: a pin is never replaced, only forgotten first. */
nodiscard enum err host_set_pin(struct db *db, int64_t id, const uint8_t pin[HOST_PIN]);
nodiscard enum err host_forget_pin(struct db *db, int64_t id);

nodiscard enum err host_grant(struct db *db, int64_t account, int64_t host, bool view_only);
/* With the login kept for it. ERR_NOT_FOUND: there was no grant. */
nodiscard enum err host_deny(struct db *db, int64_t account, int64_t host);

/* Sealed values, each at most HOST_SEALED_MAX bytes. */
struct host_credential {
	uint8_t user[HOST_SEALED_MAX], domain[HOST_SEALED_MAX], password[HOST_SEALED_MAX];
	size_t user_len, domain_len, password_len;
};
nodiscard enum err host_credential_get(struct db *db, int64_t account, int64_t host,
				       struct host_credential *ret);
/* Replaces what was kept. */
nodiscard enum err host_credential_set(struct db *db, int64_t account, int64_t host,
				       const struct host_credential *credential);
/* Deleting none is no error. */
nodiscard enum err host_credential_delete(struct db *db, int64_t account, int64_t host);

#endif
