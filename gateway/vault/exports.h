/*
 * exports.h - records as an encrypted file for somebody outside: which ones, and the file, which is
 * kept in memory until it is fetched. What it says is nowhere in the clear: it is encrypted to the
 * recipient's certificate as it is made (record/envelope.h).
 */
#ifndef SEKISHO_VAULT_EXPORTS_H
#define SEKISHO_VAULT_EXPORTS_H

#include <openssl/x509.h>

#include "base/buf.h"
#include "record/envelope.h"
#include "vault/desk.h"

enum {
	EXPORTS_MAX = 8,
	EXPORTS_OF_ONE = 2,
	EXPORT_S = 15 * 60,
	EXPORT_ROWS = 20000,
	EXPORT_RECORDS = 1000, /* that are named one by one */
	EXPORT_BYTES = 64 * 1024 * 1024,
};

/* Which records are meant; 0: all. */
struct export_wish {
	uint64_t client, class, purpose;
	uint64_t records[EXPORT_RECORDS]; /* rising */
	size_t record_count;
	bool numbers;
};

struct export_rows {
	uint64_t *ids; /* in the order of lists */
	bool *numbers; /* whether that one's goes along */
	size_t count, number_count;
	size_t left_out; /* that may be seen, but not exported, or not for this purpose */
	uint64_t grants; /* records' grants_changes then */
};

/* A job (vault/jobs.h), as exports_make. ERR_TOO_BIG: more than EXPORT_ROWS; ERR_WRONG_STATE: what
 * people may has changed meanwhile. exports_rows_finish in every case. */
nodiscard enum err exports_choose(struct records *records, const struct desk_person *who,
				  const struct export_wish *wish, struct export_rows *ret);
void exports_rows_finish(struct export_rows *rows);
/* ERR_WRONG_STATE: what people may has changed since they were chosen. */
nodiscard enum err exports_still_may(const struct records *records, const struct export_rows *rows);

struct export_file {
	uint64_t id; /* 0: free */
	uint64_t by;
	int64_t until; /* s since 1970 */
	struct buf message;
	uint8_t sha256[ENVELOPE_SHA256];
};

struct exports {
	uint64_t last_id;
	struct export_file all[EXPORTS_MAX];
};

/* A CSV file of these rows to a certificate that passed recipient_check. ERR_FULL, ERR_TOO_BIG;
 * ERR_INVALID: what one of them says is damaged; ERR_WRONG_STATE: exports_still_may. */
nodiscard enum err exports_make(struct records *records, const struct desk_ask *ask,
				const struct export_rows *rows, bool numbers, X509 *recipient,
				struct export_file **ret);

/* His own, after those whose time is over are forgotten. ERR_NOT_FOUND. */
nodiscard enum err exports_find(struct records *records, const struct desk_ask *ask, uint64_t id,
				struct export_file **ret);
void exports_expire(struct records *records, int64_t now_s);
void exports_drop(struct export_file *file);
void exports_free(struct exports *exports); /* NULL is allowed */

#endif
