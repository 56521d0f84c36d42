/* Operations 87 to 90: records leave the vault, encrypted. */
#include <openssl/pem.h>
#include <string.h>

#include "base/secret.h"
#include "base/util.h"
#include "certs/cleanup.h"
#include "record/recipient.h"
#include "store/vault/rule_rows.h"
#include "vault/exports.h"
#include "vault/grants.h"

enum { PEM_MAX = 16384, PIECE = 45000, BASE64 = (PIECE + 2) / 3 * 4 + 1 };

/* ---- which -------------------------------------------------------------------------------------
 */

static enum err take_purpose(struct records *records, const struct desk_ask *ask,
			     struct desk_reply *reply, struct export_wish *wish)
{
	struct purpose_row purpose;
	enum err err = desk_id(ask, reply, "purpose", &wish->purpose);

	if (err)
		return err;
	err = purpose_by_id(records->db, wish->purpose, &purpose);
	if (err)
		reply->field = "purpose";
	return err;
}

static enum err take_wish(struct records *records, const struct desk_ask *ask,
			  struct desk_reply *reply, struct export_wish *wish)
{
	enum err err = take_purpose(records, ask, reply, wish);

	if (!err)
		err = desk_id_or(ask, reply, "client", &wish->client);
	if (!err && wish->client) {
		err = grants_need(records, &ask->who, wish->client, GRANT_VIEW);
		if (err)
			reply->field = "client";
	}
	reply->client = err ? 0 : wish->client;
	if (!err)
		err = desk_id_or(ask, reply, "class", &wish->class);
	if (!err && json_object_get(ask->body, "records"))
		err = desk_ids(ask, reply, "records", EXPORT_RECORDS, wish->records,
			       &wish->record_count);
	return err ? err : desk_flag(ask, reply, "numbers", &wish->numbers);
}

enum err op_export_count(struct records *records, const struct desk_ask *ask,
			 struct desk_reply *reply)
{
	_cleanup_(exports_rows_finish) struct export_rows rows = { 0 };
	struct export_wish wish = { 0 };
	enum err err =
		desk_members(ask, reply, "client", "class", "records", "purpose", "numbers", NULL);

	if (!err)
		err = take_wish(records, ask, reply, &wish);
	if (!err)
		err = exports_choose(records, &ask->who, &wish, &rows);
	return err ? err
		   : desk_give(reply, json_pack("{s:I, s:I, s:I}", "rows", (json_int_t)rows.count,
						"left_out", (json_int_t)rows.left_out, "numbers",
						(json_int_t)rows.number_count));
}

/* ---- to whom -----------------------------------------------------------------------------------
 */

/* Nobody is asked at the machine for the passphrase of what somebody sends. */
static int no_passphrase(char *text, int size, int writing, void *ctx)
{
	(void)text;
	(void)size;
	(void)writing;
	(void)ctx;
	return -1;
}

/* One certificate, with nothing but blanks around it. */
static enum err read_recipient(const char *text, int64_t now_s, X509 **ret)
{
	BIO *in = BIO_new_mem_buf(text, (int)strlen(text));
	X509 *certificate = in ? PEM_read_bio_X509(in, NULL, no_passphrase, NULL) : NULL;
	char *rest = NULL;
	long len = in ? BIO_get_mem_data(in, &rest) : 0;
	enum err err = in ? OK : ERR_NOMEM;

	while (len > 0 && strchr(" \t\r\n", rest[len - 1]))
		len--;
	if (!err && (!certificate || len > 0))
		err = ERR_INVALID;
	if (!err)
		err = recipient_check(certificate, now_s);
	BIO_free(in);
	if (err)
		X509_free(certificate);
	else
		*ret = certificate;
	return err;
}

static enum err take_recipient(const struct desk_ask *ask, struct desk_reply *reply, X509 **ret)
{
	const json_t *value = json_object_get(ask->body, "recipient");
	const char *text = json_string_value(value);
	const size_t len = json_string_length(value);
	enum err err;

	if (!text || len == 0 || len > PEM_MAX || strlen(text) != len)
		return desk_wrong(reply, "recipient");
	err = read_recipient(text, ask->now_s, ret);
	if (err)
		reply->field = "recipient";
	return err;
}

/* ---- made --------------------------------------------------------------------------------------
 */

static enum err describe(struct records *records, const struct export_wish *wish,
			 const struct export_rows *rows, X509 *recipient, json_t **ret)
{
	char fingerprint[2 * EVP_MAX_MD_SIZE + 1];
	uint8_t digest[EVP_MAX_MD_SIZE];
	struct purpose_row purpose;
	unsigned len = 0;
	enum err err = purpose_by_id(records->db, wish->purpose, &purpose);

	if (err)
		return err;
	if (!X509_digest(recipient, EVP_sha256(), digest, &len))
		return ERR_CRYPTO;
	util_hex(digest, len, fingerprint);
	*ret = json_pack("{s:I, s:s, s:I, s:I, s:I, s:I, s:s}", "purpose",
			 (json_int_t)wish->purpose, "purpose_name", purpose.name, "class",
			 (json_int_t)wish->class, "rows", (json_int_t)rows->count, "numbers",
			 (json_int_t)rows->number_count, "left_out", (json_int_t)rows->left_out,
			 "recipient", fingerprint);
	return *ret ? OK : ERR_NOMEM;
}

/* Others may have changed something since the entry was written: no more leaves than it says, and
 * the history of each record knows. */
static bool is_as_said(const struct desk_ask *ask, const json_t *detail,
		       const struct export_rows *rows)
{
	return json_equal(ask->said, detail) && rows->count == ask->about_count &&
	       !memcmp(rows->ids, ask->about, rows->count * sizeof(*rows->ids));
}

enum err op_export_make(struct records *records, const struct desk_ask *ask,
			struct desk_reply *reply)
{
	_cleanup_(exports_rows_finish) struct export_rows rows = { 0 };
	_cleanup_object_(x509) X509 *recipient = NULL;
	char sha256[2 * ENVELOPE_SHA256 + 1];
	struct export_wish wish = { 0 };
	struct export_file *file = NULL;
	json_t *detail = NULL;
	enum err err = desk_members(ask, reply, "client", "class", "records", "purpose", "numbers",
				    "recipient", NULL);

	if (!err)
		err = take_wish(records, ask, reply, &wish);
	if (!err)
		err = take_recipient(ask, reply, &recipient);
	if (!err)
		err = exports_choose(records, &ask->who, &wish, &rows);
	if (!err && rows.count == 0)
		err = rows.left_out ? ERR_DENIED : ERR_NOT_FOUND;
	if (!err)
		err = describe(records, &wish, &rows, recipient, &detail);
	if (!err && !ask->go) {
		reply->about = util_take_ptr(rows.ids);
		reply->about_count = rows.count;
		reply->detail = util_take_ptr(detail);
		return OK;
	}
	if (!err && !is_as_said(ask, detail, &rows))
		err = ERR_WRONG_STATE;
	json_decref(detail);
	if (!err)
		err = exports_make(records, ask, &rows, wish.numbers, recipient, &file);
	if (err)
		return err;
	util_hex(file->sha256, sizeof(file->sha256), sha256);
	return desk_give(reply, json_pack("{s:I, s:I, s:I, s:I, s:s, s:I}", "export",
					  (json_int_t)file->id, "rows", (json_int_t)rows.count,
					  "left_out", (json_int_t)rows.left_out, "bytes",
					  (json_int_t)file->message.len, "sha256", sha256, "until",
					  (json_int_t)file->until));
}

/* ---- fetched -----------------------------------------------------------------------------------
 */

static enum err find(struct records *records, const struct desk_ask *ask, struct desk_reply *reply,
		     struct export_file **ret)
{
	uint64_t id = 0;
	enum err err = desk_id(ask, reply, "export", &id);

	if (!err)
		err = exports_find(records, ask, id, ret);
	if (err == ERR_NOT_FOUND)
		reply->field = "export";
	return err;
}

enum err op_export_next(struct records *records, const struct desk_ask *ask,
			struct desk_reply *reply)
{
	char text[BASE64];
	struct export_file *file = NULL;
	int64_t offset = 0;
	enum err err = desk_members(ask, reply, "export", "offset", NULL);

	if (!err)
		err = find(records, ask, reply, &file);
	if (!err)
		err = desk_int(ask, reply, "offset", 0, EXPORT_BYTES, &offset);
	if (!err && (size_t)offset >= file->message.len)
		err = desk_wrong(reply, "offset");
	if (err)
		return err;
	const size_t len = MIN(file->message.len - (size_t)offset, (size_t)PIECE);
	const size_t next = (size_t)offset + len;
	EVP_EncodeBlock((uint8_t *)text, file->message.data + offset, (int)len);
	return desk_give(reply, json_pack("{s:s, s:I}", "data", text, "next",
					  (json_int_t)(next < file->message.len ? next : 0)));
}

enum err op_export_drop(struct records *records, const struct desk_ask *ask,
			struct desk_reply *reply)
{
	struct export_file *file = NULL;
	enum err err = desk_members(ask, reply, "export", NULL);

	if (!err)
		err = find(records, ask, reply, &file);
	if (err)
		return err;
	exports_drop(file);
	return desk_give(reply, json_object());
}
