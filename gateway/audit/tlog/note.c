#include "audit/tlog/note.h"

#include <inttypes.h>
#include <string.h>

#include "base/util.h"

enum {
	ED25519 = 1, /* signature type of c2sp.org/signed-note */
	SIGNATURE = 64,
	BLOB_MAX = NOTE_ID + SIGNATURE,
	BASE64_MAX = (BLOB_MAX + 2) / 3 * 4 + 1,
	SIGNATURES_MAX = 16,
};

#define DASH "\xe2\x80\x94 " /* U+2014 and a space begin a signature */

/* ---- base64 ----------------------------------------------------------------------------- */

static void encode64(const uint8_t *data, size_t len, char *ret_text)
{
	EVP_EncodeBlock((uint8_t *)ret_text, data, (int)len);
}

/* Exactly size bytes, written in the one right way (RFC 4648 §3.5). */
static enum err decode64(const char *text, size_t len, uint8_t *ret_data, size_t size)
{
	uint8_t data[BASE64_MAX];
	char again[BASE64_MAX];

	if (size > BLOB_MAX || len != (size + 2) / 3 * 4 ||
	    EVP_DecodeBlock(data, (const uint8_t *)text, (int)len) < 0)
		return ERR_INVALID;
	encode64(data, size, again);
	if (memcmp(again, text, len) != 0)
		return ERR_INVALID;
	memcpy(ret_data, data, size);
	return OK;
}

enum err note_base64(const uint8_t hash[TREE_HASH], char ret_text[NOTE_BASE64])
{
	encode64(hash, TREE_HASH, ret_text);
	return OK;
}

enum err note_unbase64(const char *text, size_t len, uint8_t ret_hash[TREE_HASH])
{
	return decode64(text, len, ret_hash, TREE_HASH);
}

/* ---- keys ------------------------------------------------------------------------------- */

/* No blank, plus or control character; other spaces of Unicode are not made by us. */
static bool is_name(const char *name, size_t len)
{
	if (!len || len > NOTE_NAME_MAX || !util_utf8_valid(name, len))
		return false;
	for (size_t i = 0; i < len; i++)
		if ((uint8_t)name[i] <= ' ' || name[i] == '+' || name[i] == 0x7f)
			return false;
	return true;
}

static enum err set_id(struct note_key *key)
{
	uint8_t text[NOTE_NAME_MAX + 2 + NOTE_PUBLIC], hash[TREE_HASH];
	size_t len = strlen(key->name);

	memcpy(text, key->name, len);
	text[len++] = '\n';
	text[len++] = ED25519;
	memcpy(text + len, key->public, NOTE_PUBLIC);
	if (EVP_Digest(text, len + NOTE_PUBLIC, hash, NULL, EVP_sha256(), NULL) != 1)
		return ERR_CRYPTO;
	memcpy(key->id, hash, NOTE_ID);
	return OK;
}

enum err note_key_of(const char *name, EVP_PKEY *key, struct note_key *ret)
{
	struct note_key made = { .name = "" };
	size_t len = NOTE_PUBLIC;

	if (!is_name(name, strlen(name)) || EVP_PKEY_get_base_id(key) != EVP_PKEY_ED25519 ||
	    EVP_PKEY_get_raw_public_key(key, made.public, &len) != 1 || len != NOTE_PUBLIC)
		return ERR_INVALID;
	memcpy(made.name, name, strlen(name) + 1);
	enum err err = set_id(&made);
	if (!err)
		*ret = made;
	return err;
}

enum err note_key_parse(const char *text, struct note_key *ret)
{
	const char *plus = strchr(text, '+'), *second = plus ? strchr(plus + 1, '+') : NULL;
	struct note_key made = { .name = "" };
	uint8_t encoded[1 + NOTE_PUBLIC], id[NOTE_ID];
	char hex[2 * NOTE_ID + 1] = "";

	if (!second || !is_name(text, (size_t)(plus - text)) || second - plus - 1 != 2 * NOTE_ID)
		return ERR_INVALID;
	memcpy(made.name, text, (size_t)(plus - text));
	memcpy(hex, plus + 1, 2 * NOTE_ID);
	enum err err = util_unhex(hex, id, NOTE_ID);
	if (!err)
		err = decode64(second + 1, strcspn(second + 1, "\n"), encoded, sizeof(encoded));
	if (err || encoded[0] != ED25519 ||
	    second[1 + strcspn(second + 1, "\n") + strspn(strchrnul(second, '\n'), "\n")])
		return ERR_INVALID;
	memcpy(made.public, encoded + 1, NOTE_PUBLIC);
	err = set_id(&made);
	if (err)
		return err;
	if (memcmp(made.id, id, NOTE_ID) != 0)
		return ERR_INVALID;
	*ret = made;
	return OK;
}

enum err note_key_format(const struct note_key *key, char ret_text[NOTE_KEY_TEXT])
{
	uint8_t encoded[1 + NOTE_PUBLIC] = { ED25519 };
	char hex[2 * NOTE_ID + 1], base64[BASE64_MAX];

	memcpy(encoded + 1, key->public, NOTE_PUBLIC);
	util_hex(key->id, NOTE_ID, hex);
	encode64(encoded, sizeof(encoded), base64);
	int len = snprintf(ret_text, NOTE_KEY_TEXT, "%s+%s+%s", key->name, hex, base64);
	return len > 0 && len < NOTE_KEY_TEXT ? OK : ERR_TOO_BIG;
}

/* ---- signing ---------------------------------------------------------------------------- */

enum err note_sign(const struct note_key *key, EVP_PKEY *private, const char *text, struct buf *buf)
{
	uint8_t blob[BLOB_MAX];
	char base64[BASE64_MAX];
	size_t len = SIGNATURE, text_len = strlen(text);
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	bool done = context && EVP_DigestSignInit(context, NULL, NULL, NULL, private) == 1 &&
		    EVP_DigestSign(context, blob + NOTE_ID, &len, (const uint8_t *)text,
				   text_len) == 1 &&
		    len == SIGNATURE;

	EVP_MD_CTX_free(context);
	if (!done)
		return ERR_CRYPTO;
	memcpy(blob, key->id, NOTE_ID);
	encode64(blob, sizeof(blob), base64);
	return buf_printf(buf, "%s\n" DASH "%s %s\n", text, key->name, base64);
}

static bool is_signed(const struct note_key *key, const uint8_t signature[SIGNATURE],
		      const char *text, size_t len)
{
	EVP_PKEY *public =
		EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, key->public, NOTE_PUBLIC);
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	bool good =
		public && context && EVP_DigestVerifyInit(context, NULL, NULL, NULL, public) == 1 &&
		EVP_DigestVerify(context, signature, SIGNATURE, (const uint8_t *)text, len) == 1;

	EVP_MD_CTX_free(context);
	EVP_PKEY_free(public);
	return good;
}

/* UTF-8, and of the control characters line feeds alone. */
static bool is_text(const char *note, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if ((uint8_t)note[i] < ' ' && note[i] != '\n')
			return false;
	return util_utf8_valid(note, len);
}

/* Where the last empty line is, which the signatures follow. */
static const char *find_signatures(const char *note, size_t len)
{
	for (size_t i = len - 1; i-- > 1;)
		if (note[i] == '\n' && note[i - 1] == '\n')
			return note + i + 1;
	return NULL;
}

/* One signature line without its end. *ret_ours: it is by this key, and good. */
static enum err check_line(const struct note_key *key, const char *line, size_t len,
			   const char *text, size_t text_len, bool *ret_ours)
{
	const char *name = line + strlen(DASH), *end = line + len, *blank;
	uint8_t blob[BLOB_MAX];

	if (len <= strlen(DASH) || memcmp(line, DASH, strlen(DASH)) != 0)
		return ERR_INVALID;
	blank = memchr(name, ' ', (size_t)(end - name));
	if (!blank || !is_name(name, (size_t)(blank - name)))
		return ERR_INVALID;
	/* Of unknown keys nothing is known, not even the length of their signatures. */
	if ((size_t)(blank - name) != strlen(key->name) ||
	    memcmp(name, key->name, strlen(key->name)) != 0 ||
	    decode64(blank + 1, (size_t)(end - blank - 1), blob, sizeof(blob)) != OK ||
	    memcmp(blob, key->id, NOTE_ID) != 0)
		return OK;
	if (!is_signed(key, blob + NOTE_ID, text, text_len))
		return ERR_CRYPTO;
	*ret_ours = true;
	return OK;
}

enum err note_open(const char *note, size_t len, const struct note_key *key, size_t *ret_text_len)
{
	const char *line, *end = note + len;
	size_t count = 0, text_len;
	bool ours = false;

	if (len < 3 || len > NOTE_MAX || end[-1] != '\n' || !is_text(note, len))
		return ERR_INVALID;
	line = find_signatures(note, len);
	if (!line)
		return ERR_INVALID;
	text_len = (size_t)(line - note) - 1;
	while (line < end) {
		const char *stop = memchr(line, '\n', (size_t)(end - line));
		enum err err = ++count > SIGNATURES_MAX
				       ? ERR_INVALID
				       : check_line(key, line, (size_t)(stop - line), note,
						    text_len, &ours);
		if (err)
			return err;
		line = stop + 1;
	}
	if (!ours)
		return ERR_NOT_FOUND;
	*ret_text_len = text_len;
	return OK;
}

/* ---- checkpoints ------------------------------------------------------------------------ */

enum err checkpoint_sign(const struct checkpoint *checkpoint, const struct note_key *key,
			 EVP_PKEY *private, struct buf *buf)
{
	char text[NOTE_NAME_MAX + 128], root[NOTE_BASE64];
	enum err err = note_base64(checkpoint->root, root);
	int len = snprintf(text, sizeof(text), "%s\n%" PRIu64 "\n%s\n", key->name, checkpoint->size,
			   root);

	if (len < 0 || (size_t)len >= sizeof(text))
		return ERR_TOO_BIG;
	return err ? err : note_sign(key, private, text, buf);
}

/* The three lines that have to be there; text ends with a line feed. */
static enum err read_lines(const char *text, size_t len, const char *origin, struct checkpoint *ret)
{
	const char *end = text + len, *first = memchr(text, '\n', len), *second, *third;
	struct checkpoint read;
	char number[24];
	int64_t size;

	second = first ? memchr(first + 1, '\n', (size_t)(end - first - 1)) : NULL;
	third = second ? memchr(second + 1, '\n', (size_t)(end - second - 1)) : NULL;
	if (!third || first == text || (size_t)(second - first - 1) >= sizeof(number))
		return ERR_INVALID;
	if (origin &&
	    ((size_t)(first - text) != strlen(origin) || memcmp(text, origin, strlen(origin)) != 0))
		return ERR_INVALID;
	snprintf(number, sizeof(number), "%.*s", (int)(second - first - 1), first + 1);
	/* No sign, and no zero that leads. */
	if (util_parse_i64(number, 0, INT64_MAX, &size) || number[0] == '+' ||
	    (number[0] == '0' && number[1]) || number[0] == '-')
		return ERR_INVALID;
	read.size = (uint64_t)size;
	if (note_unbase64(second + 1, (size_t)(third - second - 1), read.root))
		return ERR_INVALID;
	*ret = read;
	return OK;
}

enum err checkpoint_open(const char *note, size_t len, const struct note_key *key,
			 struct checkpoint *ret)
{
	size_t text_len;
	enum err err = note_open(note, len, key, &text_len);

	return err ? err : read_lines(note, text_len, key->name, ret);
}

enum err checkpoint_read(const char *note, size_t len, struct checkpoint *ret)
{
	return read_lines(note, len, NULL, ret);
}
