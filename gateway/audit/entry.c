#include "audit/entry.h"

#include <inttypes.h>
#include <openssl/evp.h>
#include <string.h>

#include "base/buf.h"

static enum err put_u64(struct buf *buf, uint64_t value)
{
	uint8_t bytes[8];

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(value >> (8 * (sizeof(bytes) - 1 - i)));
	return buf_add(buf, bytes, sizeof(bytes));
}

static enum err put_str(struct buf *buf, const char *text)
{
	size_t len = strlen(text);
	enum err err = put_u64(buf, len);

	return err ? err : buf_add(buf, text, len);
}

static enum err put_all(struct buf *buf, const int64_t *numbers, size_t number_count,
			const char *const *strings, size_t string_count)
{
	enum err err = OK;

	for (size_t i = 0; i < number_count && !err; i++)
		err = put_u64(buf, (uint64_t)numbers[i]);
	/* Lengths go before strings, so that no two entries encode alike. */
	for (size_t i = 0; i < string_count && !err; i++)
		err = put_str(buf, strings[i]);
	return err;
}

/* The whole entry and the hash of the one before it. */
static enum err encode_chained(struct buf *buf, const struct audit_row *row,
			       const uint8_t prev[AUDIT_HASH])
{
	const int64_t numbers[] = { row->seq, row->time_ms, row->device, row->host };
	const char *const strings[] = { row->event, row->account, row->address, row->session,
					row->detail };
	enum err err = put_str(buf, "sekisho audit 1");

	if (!err)
		err = put_all(buf, numbers, ARRAY_SIZE(numbers), strings, ARRAY_SIZE(strings));
	return err ? err : buf_add(buf, prev, AUDIT_HASH);
}

/* What may be disposed of. */
static enum err encode_salted(struct buf *buf, const struct audit_row *row)
{
	const int64_t numbers[] = { row->device, row->host };
	const char *const strings[] = { row->account, row->address, row->session, row->detail };
	enum err err = buf_add(buf, row->salt, sizeof(row->salt));

	return err ? err : put_all(buf, numbers, ARRAY_SIZE(numbers), strings, ARRAY_SIZE(strings));
}

enum err entry_commitment(const struct audit_row *row, const uint8_t prev[AUDIT_HASH],
			  uint8_t ret_commitment[AUDIT_HASH])
{
	_cleanup_buf_ struct buf buf;
	enum err err = ERR_INVALID;

	buf_init(&buf, sizeof(struct audit_row) + 256);
	if (row->version == AUDIT_CHAINED)
		err = encode_chained(&buf, row, prev);
	else if (row->version == AUDIT_SALTED)
		err = encode_salted(&buf, row);
	if (err)
		return err;
	return EVP_Digest(buf.data, buf.len, ret_commitment, NULL, EVP_sha256(), NULL) == 1
		       ? OK
		       : ERR_CRYPTO;
}

enum err entry_leaf_text(const struct audit_row *row, char ret_text[ENTRY_LEAF_MAX])
{
	char commitment[2 * AUDIT_HASH + 1];
	int len;

	if (strchr(row->event, '\n'))
		return ERR_INVALID;
	util_hex(row->commitment, AUDIT_HASH, commitment);
	len = snprintf(ret_text, ENTRY_LEAF_MAX,
		       "sekisho audit %" PRId64 "\n%" PRId64 "\n%" PRId64 "\n%s\n%s\n",
		       row->version, row->seq, row->time_ms, row->event, commitment);
	return len > 0 && len < ENTRY_LEAF_MAX ? OK : ERR_TOO_BIG;
}

enum err entry_leaf(const struct audit_row *row, uint8_t ret_hash[TREE_HASH])
{
	char text[ENTRY_LEAF_MAX];
	enum err err = entry_leaf_text(row, text);

	return err ? err : tree_leaf(text, strlen(text), ret_hash);
}
