#include "record/shape.h"

#include <stdbool.h>
#include <string.h>

#include "base/util.h"

enum {
	DER_INTEGER = 0x02,
	DER_BITS = 0x03,
	DER_OCTETS = 0x04,
	DER_OBJECT = 0x06,
	DER_SEQUENCE = 0x30,
	DER_SET = 0x31,
	DER_TAG_0 = 0x80, /* context-specific, primitive */
	DER_IN_0 = 0xa0,
	DER_IN_1 = 0xa1, /* constructed */
	LENGTH_OCTETS_MAX = 4,
	POINT_BITS = 1 + 65,  /* no unused bits, an uncompressed point of P-256 */
	IDENTIFIER_MAX = 64,  /* bytes of a subject key identifier */
	WRAPPED_KEY = 32 + 8, /* RFC 3394 */
	NONCE = 12,
	TAG = 16,
};

struct part {
	const uint8_t *at;
	size_t left;
};

/* What has one value only, with its identifier and length. */
static const uint8_t type_bytes[] = { /* id-ct-authEnvelopedData, RFC 5083 */
				      0x06, 0x0b, 0x2a, 0x86, 0x48, 0x86, 0xf7,
				      0x0d, 0x01, 0x09, 0x10, 0x01, 0x17
};
static const uint8_t version_0[] = { 0x02, 0x01, 0x00 };
static const uint8_t version_3[] = { 0x02, 0x01, 0x03 };
static const uint8_t ec_public_key[] = { 0x30, 0x09, 0x06, 0x07, 0x2a, 0x86,
					 0x48, 0xce, 0x3d, 0x02, 0x01 };
static const uint8_t agreement[] = {
	/* dhSinglePass-stdDH-sha256kdf-scheme with id-aes256-wrap, RFC 5753 §7.1.4, RFC 3565 */
	0x30, 0x15, 0x06, 0x06, 0x2b, 0x81, 0x04, 0x01, 0x0b, 0x01, 0x30, 0x0b,
	0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x01, 0x2d
};
static const uint8_t id_data[] = {
	0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x01
};
static const uint8_t id_aes256_gcm[] = { 0x06, 0x09, 0x60, 0x86, 0x48, 0x01,
					 0x65, 0x03, 0x04, 0x01, 0x2e };
static const uint8_t tag_length[] = { 0x02, 0x01, TAG };

/*
 * An identifier octet and a definite length in its shortest form (X.690 §10.1). SHAPE_PARTIAL: they
 * are not all there. The content need not be.
 */
static enum shape_start take_head(struct part *part, uint8_t identifier, size_t *ret_len)
{
	const uint8_t *at = part->at;

	if (part->left && at[0] != identifier)
		return SHAPE_OTHER;
	if (part->left < 2)
		return SHAPE_PARTIAL;
	const size_t octets = at[1] & 0x80 ? at[1] & 0x7f : 0;
	size_t len = octets ? 0 : at[1];
	if (at[1] == 0x80 || octets > LENGTH_OCTETS_MAX)
		return SHAPE_OTHER;
	if (part->left < 2 + octets)
		return SHAPE_PARTIAL;
	for (size_t i = 0; i < octets; i++)
		len = len << 8 | at[2 + i];
	if (octets && (!at[2] || len < 0x80))
		return SHAPE_OTHER;
	part->at += 2 + octets;
	part->left -= 2 + octets;
	*ret_len = len;
	return SHAPE_CHUNK;
}

static bool take(struct part *part, uint8_t identifier, struct part *ret_content)
{
	size_t len;

	if (take_head(part, identifier, &len) != SHAPE_CHUNK || len > part->left)
		return false;
	*ret_content = (struct part){ part->at, len };
	part->at += len;
	part->left -= len;
	return true;
}

static bool take_sized(struct part *part, uint8_t identifier, size_t size)
{
	struct part content;

	return take(part, identifier, &content) && content.left == size;
}

static bool take_exactly(struct part *part, const uint8_t *wanted, size_t len)
{
	if (part->left < len || memcmp(part->at, wanted, len) != 0)
		return false;
	part->at += len;
	part->left -= len;
	return true;
}
#define TAKE_EXACTLY(part, wanted) take_exactly(part, wanted, sizeof(wanted))

/* ---- the beginning --------------------------------------------------------------------------- */

static enum shape_start take_type(struct part *part)
{
	const size_t len = MIN(part->left, sizeof(type_bytes));

	if (len && memcmp(part->at, type_bytes, len) != 0)
		return SHAPE_OTHER;
	if (len < sizeof(type_bytes))
		return SHAPE_PARTIAL;
	part->at += len;
	part->left -= len;
	return SHAPE_CHUNK;
}

/* Three lengths, each of which follows from the one before. */
enum shape_start shape_head(const uint8_t *data, size_t len, size_t *ret_size)
{
	struct part part = { data, len };
	size_t outer, explicit, inner;
	enum shape_start start = take_head(&part, DER_SEQUENCE, &outer);

	if (start != SHAPE_CHUNK)
		return start;
	const uint8_t *content = part.at;
	const size_t size = (size_t)(content - data) + outer;
	if (size > SHAPE_DER_MAX)
		return SHAPE_OTHER;
	start = take_type(&part);
	if (start == SHAPE_CHUNK)
		start = take_head(&part, DER_IN_0, &explicit);
	if (start != SHAPE_CHUNK)
		return start;
	if ((size_t)(part.at - content) + explicit != outer)
		return SHAPE_OTHER;
	const uint8_t *second = part.at;
	start = take_head(&part, DER_SEQUENCE, &inner);
	if (start != SHAPE_CHUNK)
		return start;
	if ((size_t)(part.at - second) + inner != explicit)
		return SHAPE_OTHER;
	*ret_size = size;
	return SHAPE_CHUNK;
}

const uint8_t *shape_type(size_t *ret_len)
{
	*ret_len = sizeof(type_bytes);
	return type_bytes;
}

/* ---- the whole ------------------------------------------------------------------------------- */

/* A BIT STRING without unused bits, of an uncompressed point. */
static bool take_point(struct part *part)
{
	struct part point;

	return take(part, DER_BITS, &point) && point.left == POINT_BITS && point.at[0] == 0 &&
	       point.at[1] == 4;
}

/* originator [0] EXPLICIT, in it originatorKey [1]: the ephemeral public key (RFC 5652 §6.2.2). */
static bool take_originator(struct part *part)
{
	struct part originator, key;

	return take(part, DER_IN_0, &originator) && take(&originator, DER_IN_1, &key) &&
	       !originator.left && TAKE_EXACTLY(&key, ec_public_key) && take_point(&key) &&
	       !key.left;
}

/* One recipientEncryptedKey, by its rKeyId [0] with a subject key identifier alone. */
static bool take_encrypted_key(struct part *part)
{
	struct part keys, key, id, identifier;

	return take(part, DER_SEQUENCE, &keys) && take(&keys, DER_SEQUENCE, &key) && !keys.left &&
	       take(&key, DER_IN_0, &id) && take(&id, DER_OCTETS, &identifier) && !id.left &&
	       identifier.left && identifier.left <= IDENTIFIER_MAX &&
	       take_sized(&key, DER_OCTETS, WRAPPED_KEY) && !key.left;
}

static bool take_recipient(struct part *part)
{
	struct part recipient;

	return take(part, DER_IN_1, &recipient) && TAKE_EXACTLY(&recipient, version_3) &&
	       take_originator(&recipient) && TAKE_EXACTLY(&recipient, agreement) &&
	       take_encrypted_key(&recipient) && !recipient.left;
}

/* The elements of a SET OF stand in the order of their bytes (X.690 §11.6). None begins another, as
 * each states its own length. */
static bool is_after(const struct part *before, const struct part *part)
{
	return !before->at || memcmp(before->at, part->at, MIN(before->left, part->left)) <= 0;
}

static bool take_recipients(struct part *part, size_t *ret_count)
{
	struct part recipients, before = { 0 };
	size_t count = 0;

	if (!take(part, DER_SET, &recipients))
		return false;
	for (; recipients.left; count++) {
		const struct part at = recipients;
		if (count == SHAPE_RECIPIENTS_MAX || !take_recipient(&recipients) ||
		    !is_after(&before, &at))
			return false;
		before = (struct part){ at.at, at.left - recipients.left };
	}
	*ret_count = count;
	return count > 0;
}

static bool take_content(struct part *part)
{
	struct part content, algorithm, parameters, encrypted;

	return take(part, DER_SEQUENCE, &content) && TAKE_EXACTLY(&content, id_data) &&
	       take(&content, DER_SEQUENCE, &algorithm) &&
	       TAKE_EXACTLY(&algorithm, id_aes256_gcm) &&
	       take(&algorithm, DER_SEQUENCE, &parameters) && !algorithm.left &&
	       take_sized(&parameters, DER_OCTETS, NONCE) &&
	       TAKE_EXACTLY(&parameters, tag_length) && !parameters.left &&
	       take(&content, DER_TAG_0, &encrypted) && !content.left;
}

/* No originator's certificates, no attributes: nothing but what is below. */
static bool take_enveloped(struct part *part, size_t *ret_recipients)
{
	struct part enveloped;

	return take(part, DER_SEQUENCE, &enveloped) && !part->left &&
	       TAKE_EXACTLY(&enveloped, version_0) && take_recipients(&enveloped, ret_recipients) &&
	       take_content(&enveloped) && take_sized(&enveloped, DER_OCTETS, TAG) &&
	       !enveloped.left;
}

enum err shape_check(const uint8_t *der, size_t len, size_t *ret_recipients)
{
	struct part whole = { der, len }, info, content;
	size_t count;

	if (len > SHAPE_DER_MAX)
		return ERR_TOO_BIG;
	if (!take(&whole, DER_SEQUENCE, &info) || whole.left || !TAKE_EXACTLY(&info, type_bytes) ||
	    !take(&info, DER_IN_0, &content) || info.left || !take_enveloped(&content, &count))
		return ERR_PROTOCOL;
	*ret_recipients = count;
	return OK;
}
