#include "vault/doom.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "store/vault/disposal_rows.h"
#include "vault/document_file.h"
#include "vault/records.h"

enum { PATH_BYTES = 400 };

static enum err add(struct doom *doom, const struct doomed *one)
{
	if (doom->count == doom->room) {
		size_t room = doom->room ? 2 * doom->room : 16;
		struct doomed *grown = reallocarray(doom->all, room, sizeof(*grown));

		if (!grown)
			return ERR_NOMEM;
		doom->all = grown;
		doom->room = room;
	}
	doom->all[doom->count++] = *one;
	return OK;
}

enum err doom_key(struct doom *doom, uint64_t key)
{
	return add(doom, &(struct doomed){ .id = key });
}

enum err doom_file(struct doom *doom, uint64_t document, int64_t version)
{
	return add(doom, &(struct doomed){ .id = document, .version = version });
}

static enum err remove_file(const struct records *records, const struct doomed *one)
{
	char folder[PATH_BYTES];
	int len = snprintf(folder, sizeof(folder), "%s/documents", records->folder);

	if (len < 0 || len >= (int)sizeof(folder))
		return ERR_TOO_BIG;
	return document_file_remove(
		&(struct document_place){ folder, one->id, (uint64_t)one->version });
}

void doom_do(struct doom *doom, struct records *records)
{
	bool keys = false;
	enum err err;

	for (size_t i = 0; i < doom->count; i++) {
		const struct doomed *one = &doom->all[i];

		err = one->version ? remove_file(records, one)
				   : keyring_destroy(&records->keyring, one->id);
		keys = keys || one->version == 0;
		if (err)
			log_error("vault-not-destroyed", "%s=%llu error=%s",
				  one->version ? "document" : "key", (unsigned long long)one->id,
				  err_code(err));
	}
	/* What was there before must not stay beside the files. */
	err = keys ? db_checkpoint(records->keyring.db) : OK;
	if (!err && (doom->count || doom->wiped))
		err = db_checkpoint(records->db);
	if (err)
		log_warn("vault-not-wiped", "error=%s", err_code(err));
	doom_clear(doom);
}

void doom_clear(struct doom *doom)
{
	free(doom->all);
	*doom = (struct doom){ 0 };
}

enum err doom_sweep(struct records *records)
{
	struct keyring *keyring = &records->keyring;
	struct doom doom = { 0 };
	struct group_key_row row;
	bool more = true, used = true;
	enum err err = OK;

	{
		_cleanup_query_ struct query query;

		group_key_select(&query, keyring->db, keyring->generation);
		while (!err && more) {
			err = group_key_next(&query, &row, &more);
			if (!err && more)
				err = disposal_key_used(records->db, row.id, &used);
			if (!err && more && !used)
				err = doom_key(&doom, row.id);
		}
	}
	if (!err)
		doom_do(&doom, records);
	doom_clear(&doom);
	return err;
}
