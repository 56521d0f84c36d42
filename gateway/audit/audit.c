#include "audit/audit.h"

#include <openssl/evp.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"

static enum err audit_put_u64(struct buf *buf, uint64_t value)
{
	uint8_t bytes[8];

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(value >> (8 * (sizeof(bytes) - 1 - i)));
	return buf_add(buf, bytes, sizeof(bytes));
}

static enum err audit_put_str(struct buf *buf, const char *text)
{
	size_t len = strlen(text);
	enum err err = audit_put_u64(buf, len);

	return err ? err : buf_add(buf, text, len);
}

/* Lengths go before strings, so that no two entries encode alike. */
static enum err audit_encode(struct buf *buf, const struct audit_row *row)
{
	const int64_t numbers[] = { row->seq, row->time_ms, row->device, row->host };
	const char *const strings[] = { row->event, row->account, row->address, row->session,
					row->detail };
	enum err err = audit_put_str(buf, "sekisho audit 1");

	for (size_t i = 0; i < ARRAY_SIZE(numbers) && !err; i++)
		err = audit_put_u64(buf, (uint64_t)numbers[i]);
	for (size_t i = 0; i < ARRAY_SIZE(strings) && !err; i++)
		err = audit_put_str(buf, strings[i]);
	return err ? err : buf_add(buf, row->prev, sizeof(row->prev));
}

static enum err audit_hash(const struct audit_row *row, uint8_t ret_hash[AUDIT_HASH])
{
	_cleanup_buf_ struct buf buf;
	enum err err;

	buf_init(&buf, sizeof(struct audit_row) + 256);
	err = audit_encode(&buf, row);
	if (err)
		return err;
	if (!EVP_Digest(buf.data, buf.len, ret_hash, NULL, EVP_sha256(), NULL))
		return ERR_CRYPTO;
	return OK;
}

static enum err audit_copy(char *ret, size_t size, const char *text)
{
	size_t len = text ? strlen(text) : 0;

	if (len >= size || (len && !util_utf8_valid(text, len)))
		return ERR_INVALID;
	memcpy(ret, text ? text : "", len);
	ret[len] = '\0';
	return OK;
}

/* A detail is worth less than the entry: one that is too long must not keep the entry from being
 * made. */
static enum err audit_detail(const json_t *detail, char *ret, size_t size)
{
	size_t len;

	if (!detail)
		return audit_copy(ret, size, "{}");
	len = json_dumpb(detail, ret, size - 1, JSON_COMPACT | JSON_SORT_KEYS);
	if (len == 0)
		return ERR_NOMEM;
	if (len >= size)
		return audit_copy(ret, size, "{\"cut\":true}");
	ret[len] = '\0';
	return OK;
}

static enum err audit_fill(struct audit_row *row, const struct audit_entry *entry)
{
	enum err err = audit_copy(row->event, sizeof(row->event), entry->event);

	if (!err)
		err = audit_copy(row->account, sizeof(row->account), entry->account);
	if (!err)
		err = audit_copy(row->address, sizeof(row->address), entry->address);
	if (!err)
		err = audit_copy(row->session, sizeof(row->session), entry->session);
	if (!err)
		err = audit_detail(entry->detail, row->detail, sizeof(row->detail));
	row->time_ms = clock_wall_ms();
	row->device = entry->device;
	row->host = entry->host;
	return err;
}

enum err audit_append(struct db *db, const struct audit_entry *entry)
{
	struct audit_row row = { 0 };
	int64_t last;
	enum err err = db_in_transaction(db) ? audit_fill(&row, entry) : ERR_WRONG_STATE;

	json_decref(entry->detail);
	if (err)
		return err;
	err = audit_row_last(db, &last, row.prev);
	if (err)
		return err;
	row.seq = last + 1;
	err = audit_hash(&row, row.hash);
	if (err)
		return err;
	return audit_row_add(db, &row);
}

enum err audit_verify(struct db *db, int64_t *ret_bad)
{
	_cleanup_query_ struct query query;
	struct audit_row row;
	uint8_t prev[AUDIT_HASH] = { 0 }, hash[AUDIT_HASH];
	int64_t expected = 1;
	bool more;
	enum err err;

	audit_row_list(&query, db, 0);
	while (!(err = audit_row_next(&query, &row, &more)) && more) {
		err = audit_hash(&row, hash);
		if (err)
			return err;
		if (row.seq != expected || memcmp(row.prev, prev, sizeof(prev)) != 0 ||
		    memcmp(row.hash, hash, sizeof(hash)) != 0) {
			*ret_bad = expected;
			return OK;
		}
		memcpy(prev, hash, sizeof(prev));
		expected++;
	}
	if (!err)
		*ret_bad = 0;
	return err;
}
