/*
 * Only what seal_chunk makes passes: other messages that OpenSSL would decrypt do not.
 */
#include "unit/record/recording.h"

#include <openssl/cms.h>

#include "record/shape.h"

static struct auditor auditor, rsa;

enum variant_flags { BY_ISSUER = 1, KDF_SHA1 = 2, STREAMED = 4, SMALL_WRAP = 8 };

static void put_der(CMS_ContentInfo *cms, unsigned flags, struct buf *der)
{
	BIO *in = BIO_new_mem_buf("hello", 5), *out = BIO_new(BIO_s_mem());
	const uint8_t *data = NULL;

	if (flags & STREAMED) {
		assert_true(i2d_CMS_bio_stream(out, cms, in, CMS_STREAM | CMS_BINARY));
	} else {
		assert_true(CMS_final(cms, in, NULL, CMS_BINARY));
		assert_true(i2d_CMS_bio(out, cms));
	}
	const long len = BIO_get_mem_data(out, &data);
	assert_ok(buf_add(der, data, (size_t)len));
	BIO_free(in);
	BIO_free(out);
}

/* A message that OpenSSL opens, as one's own program would make it. */
static void make(CMS_ContentInfo *cms, const struct auditor *recipient, unsigned flags,
		 struct buf *der)
{
	assert_non_null(cms);
	CMS_RecipientInfo *info =
		CMS_add1_recipient_cert(cms, recipient->certificate,
					CMS_KEY_PARAM | (flags & BY_ISSUER ? 0 : CMS_USE_KEYID));
	assert_non_null(info);
	if (CMS_RecipientInfo_type(info) == CMS_RECIPINFO_AGREE && !(flags & KDF_SHA1))
		assert_true(EVP_PKEY_CTX_set_ecdh_kdf_md(CMS_RecipientInfo_get0_pkey_ctx(info),
							 EVP_sha256()) > 0);
	if (flags & SMALL_WRAP) {
		EVP_CIPHER_CTX *wrap = CMS_RecipientInfo_kari_get0_ctx(info);
		assert_true(EVP_EncryptInit_ex(wrap, EVP_aes_128_wrap(), NULL, NULL, NULL));
	}
	assert_true(CMS_set_detached(cms, 0));
	put_der(cms, flags, der);
	CMS_ContentInfo_free(cms);
}

static bool openssl_opens(const struct auditor *recipient, const struct buf *der)
{
	const uint8_t *at = der->data;
	CMS_ContentInfo *cms = d2i_CMS_ContentInfo(NULL, &at, (long)der->len);
	BIO *out = BIO_new(BIO_s_mem());
	const uint8_t *data = NULL;

	assert_non_null(cms);
	const bool opened =
		CMS_decrypt(cms, recipient->key, recipient->certificate, NULL, out, CMS_BINARY) &&
		BIO_get_mem_data(out, &data) == 5 && memcmp(data, "hello", 5) == 0;
	CMS_ContentInfo_free(cms);
	BIO_free(out);
	return opened;
}

static void expect(const char *what, enum err wanted, CMS_ContentInfo *cms,
		   const struct auditor *recipient, unsigned flags)
{
	struct buf der, plain;
	size_t count = 0;

	buf_init(&der, 64 * 1024);
	buf_init(&plain, 64 * 1024);
	make(cms, recipient, flags, &der);
	if (!openssl_opens(recipient, &der))
		fail_msg("%s: the message is not well made", what);
	if (shape_check(der.data, der.len, &count) != wanted)
		fail_msg("%s", what);
	if (seal_open(recipient->key, recipient->certificate, der.data, der.len, &plain) != wanted)
		fail_msg("%s opens", what);
	assert_int_equal(count, wanted == OK);
	buf_finish(&der);
	buf_finish(&plain);
}

static void other_messages_are_refused(void **state)
{
	(void)state;
	expect("ours", OK, CMS_AuthEnvelopedData_create(EVP_aes_256_gcm()), &auditor, 0);
	expect("AES-128", ERR_PROTOCOL, CMS_AuthEnvelopedData_create(EVP_aes_128_gcm()), &auditor,
	       0);
	expect("no authentication", ERR_PROTOCOL, CMS_EnvelopedData_create(EVP_aes_256_cbc()),
	       &auditor, 0);
	expect("SHA-1", ERR_PROTOCOL, CMS_AuthEnvelopedData_create(EVP_aes_256_gcm()), &auditor,
	       KDF_SHA1);
	expect("issuer and serial number", ERR_PROTOCOL,
	       CMS_AuthEnvelopedData_create(EVP_aes_256_gcm()), &auditor, BY_ISSUER);
	expect("indefinite lengths", ERR_PROTOCOL, CMS_AuthEnvelopedData_create(EVP_aes_256_gcm()),
	       &auditor, STREAMED);
	expect("a wrap of 128 bits", ERR_PROTOCOL, CMS_AuthEnvelopedData_create(EVP_aes_256_gcm()),
	       &auditor, SMALL_WRAP);
	expect("RSA", ERR_PROTOCOL, CMS_AuthEnvelopedData_create(EVP_aes_256_gcm()), &rsa, 0);
}

/* ---- changes to one of ours ------------------------------------------------------------- */

static void seal_ours(struct buf *der)
{
	struct seal_recipients *recipients = recipients_of(&auditor, 1);
	static const uint8_t plain[1000];

	buf_init(der, 64 * 1024);
	assert_ok(seal_chunk(recipients, plain, sizeof(plain), der));
	seal_recipients_free(recipients);
}

/* All outer lengths of such a chunk have two octets. */
static void grow(struct buf *der, int by)
{
	static const size_t lengths[] = { 2, 19, 23 };

	for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
		uint8_t *at = der->data + lengths[i];
		assert_int_equal(at[-1], 0x82);
		const int len = (at[0] << 8 | at[1]) + by;
		at[0] = (uint8_t)(len >> 8);
		at[1] = (uint8_t)len;
	}
}

static void expect_refused(const char *what, const struct buf *der)
{
	size_t count;

	if (shape_check(der->data, der->len, &count) != ERR_PROTOCOL)
		fail_msg("%s", what);
}

/* One of four bytes could be guessed. */
static void a_short_tag_is_refused(void **state)
{
	struct buf der;

	(void)state;
	seal_ours(&der);
	assert_int_equal(der.data[der.len - 17], 16);
	der.data[der.len - 17] = 4;
	der.len -= 12;
	grow(&der, -12);
	expect_refused("a tag of 4 bytes", &der);
	buf_finish(&der);
}

/* Bytes that say another algorithm, of the same length. */
static void expect_exact(const char *what, const void *bytes, size_t len, size_t at, uint8_t value)
{
	struct buf der;

	seal_ours(&der);
	uint8_t *found = memmem(der.data, der.len, bytes, len);
	assert_non_null(found);
	found[at] = value;
	expect_refused(what, &der);
	buf_finish(&der);
}

static void algorithms_are_exact(void **state)
{
	(void)state;
	expect_exact("a shorter tag is stated", "\x02\x01\x10\x80", 3, 2, 12);
	expect_exact("AES-192-GCM", "\x60\x86\x48\x01\x65\x03\x04\x01\x2e", 9, 8, 0x1a);
	expect_exact("AES-192 wrap", "\x60\x86\x48\x01\x65\x03\x04\x01\x2d", 9, 8, 0x19);
	expect_exact("cofactor ECDH", "\x2b\x81\x04\x01\x0b\x01", 6, 4, 0x0e);
	expect_exact("another version", "\x02\x01\x03\xa0", 4, 2, 4);
	expect_exact("a compressed point", "\x03\x42\x00\x04", 4, 3, 3);
}

static void recipients_are_counted(void **state)
{
	(void)state;
	for (size_t count = SHAPE_RECIPIENTS_MAX; count <= SHAPE_RECIPIENTS_MAX + 1; count++) {
		CMS_ContentInfo *cms = CMS_AuthEnvelopedData_create(EVP_aes_256_gcm());
		struct buf der;
		size_t found = 0;
		buf_init(&der, 64 * 1024);
		for (size_t i = 0; i < count; i++) {
			CMS_RecipientInfo *info = CMS_add1_recipient_cert(
				cms, auditor.certificate, CMS_KEY_PARAM | CMS_USE_KEYID);
			assert_true(
				EVP_PKEY_CTX_set_ecdh_kdf_md(CMS_RecipientInfo_get0_pkey_ctx(info),
							     EVP_sha256()) > 0);
		}
		assert_true(CMS_set_detached(cms, 0));
		put_der(cms, 0, &der);
		CMS_ContentInfo_free(cms);
		assert_err(shape_check(der.data, der.len, &found),
			   count > SHAPE_RECIPIENTS_MAX ? ERR_PROTOCOL : OK);
		assert_int_equal(found, count > SHAPE_RECIPIENTS_MAX ? 0 : count);
		buf_finish(&der);
	}
}

static void attributes_are_refused(void **state)
{
	static const uint8_t attributes[] = { 0xa1, 0x00 };
	struct buf der;

	(void)state;
	seal_ours(&der);
	assert_ok(buf_add(&der, attributes, sizeof(attributes)));
	expect_refused("bytes after it", &der);
	grow(&der, sizeof(attributes));
	expect_refused("attributes", &der);
	buf_finish(&der);
}

/* DER has one order of recipients (X.690 §11.6); another would be another message of one meaning.
 */
static void recipients_stand_in_order(void **state)
{
	enum { RECIPIENT = 3 + 179 };
	const struct auditor two[] = { auditor, auditor };
	struct seal_recipients *recipients = recipients_of(two, 2);
	uint8_t both[2 * RECIPIENT];
	struct buf der;
	size_t count;

	(void)state;
	buf_init(&der, 64 * 1024);
	assert_ok(seal_chunk(recipients, (const uint8_t *)"hello", 5, &der));
	uint8_t *at = der.data;
	while (memcmp(at, "\xa1\x81\xb3", 3) != 0)
		at++;
	assert_ok(shape_check(der.data, der.len, &count));
	memcpy(both, at, sizeof(both));
	memcpy(at, both + RECIPIENT, RECIPIENT);
	memcpy(at + RECIPIENT, both, RECIPIENT);
	expect_refused("recipients in another order", &der);
	buf_finish(&der);
	seal_recipients_free(recipients);
}

static void a_part_of_one_is_refused(void **state)
{
	struct buf der;
	size_t count, size;

	(void)state;
	seal_ours(&der);
	for (size_t len = 0; len < der.len; len++) {
		assert_err(shape_check(der.data, len, &count), ERR_PROTOCOL);
		assert_int_equal(shape_head(der.data, len, &size),
				 len < 25 ? SHAPE_PARTIAL : SHAPE_CHUNK);
	}
	assert_int_equal(shape_head(der.data, der.len, &size), SHAPE_CHUNK);
	assert_int_equal(size, der.len);
	assert_true(25 <= SHAPE_HEAD);
	buf_finish(&der);
}

static const struct {
	const char *what;
	size_t at;
	uint8_t value;
} heads[] = {
	{ "another type of value", 0, 0x31 },
	{ "an indefinite length", 1, 0x80 },
	{ "a length of five octets", 1, 0x85 },
	{ "a length with a leading zero", 2, 0x00 },
	{ "another content type", 16, 0x16 },
	{ "no explicit tag", 17, 0xa1 },
	{ "an inner length that leaves something", 20, 0x01 },
	{ "an innermost length that leaves something", 24, 0x01 },
};

static void a_head_states_its_lengths_once(void **state)
{
	struct buf der;
	size_t size;

	(void)state;
	seal_ours(&der);
	for (size_t i = 0; i < ARRAY_SIZE(heads); i++) {
		const uint8_t was = der.data[heads[i].at];
		der.data[heads[i].at] = heads[i].value;
		if (shape_head(der.data, der.len, &size) != SHAPE_OTHER)
			fail_msg("%s", heads[i].what);
		der.data[heads[i].at] = was;
	}
	buf_finish(&der);
}

/* A chunk of so many bytes, its inner lengths in agreement. */
static enum shape_start head_of(size_t size)
{
	uint8_t head[] = { 0x30, 0x83, 0,    0,    0,    0x06, 0x0b, 0x2a, 0x86, 0x48,
			   0x86, 0xf7, 0x0d, 0x01, 0x09, 0x10, 0x01, 0x17, 0xa0, 0x83,
			   0,    0,    0,    0x30, 0x83, 0,    0,    0,    0x02, 0x01 };
	static const size_t ends[] = { 5, 23, 28 };
	size_t ret = 0;

	for (size_t i = 0; i < ARRAY_SIZE(ends); i++)
		for (size_t j = 0; j < 3; j++)
			head[ends[i] - 1 - j] = (uint8_t)((size - ends[i]) >> (8 * j));
	const enum shape_start start = shape_head(head, sizeof(head), &ret);
	if (start == SHAPE_CHUNK)
		assert_int_equal(ret, size);
	return start;
}

/* Lengths of one octet. */
static enum shape_start short_head_of(uint8_t outer, uint8_t explicit, uint8_t inner)
{
	const uint8_t head[] = { 0x30, outer, 0x06,     0x0b, 0x2a,  0x86, 0x48,
				 0x86, 0xf7,  0x0d,     0x01, 0x09,  0x10, 0x01,
				 0x17, 0xa0,  explicit, 0x30, inner, 0x02, 0x01 };
	size_t size;

	return shape_head(head, sizeof(head), &size);
}

static void a_head_has_the_shortest_lengths(void **state)
{
	(void)state;
	assert_int_equal(head_of(70000), SHAPE_CHUNK);
	assert_int_equal(head_of(60000), SHAPE_OTHER); /* a leading zero */
	assert_int_equal(short_head_of(100, 85, 83), SHAPE_CHUNK);
	assert_int_equal(short_head_of(100, 84, 82), SHAPE_OTHER);
	assert_int_equal(short_head_of(100, 85, 82), SHAPE_OTHER);
	assert_int_equal(short_head_of(0x80, 113, 111), SHAPE_OTHER); /* indefinite, not 128 */
}

static void a_head_is_bounded(void **state)
{
	(void)state;
	assert_int_equal(head_of(SHAPE_DER_MAX), SHAPE_CHUNK);
	assert_int_equal(head_of(SHAPE_DER_MAX + 1), SHAPE_OTHER);
}

static int make_people(void **state)
{
	(void)state;
	auditor = auditor_make();
	rsa = auditor_make_as(&(struct auditor_plan){ .rsa = true });
	return 0;
}

static int free_people(void **state)
{
	(void)state;
	auditor_free(&auditor);
	auditor_free(&rsa);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(other_messages_are_refused),
		cmocka_unit_test(a_short_tag_is_refused),
		cmocka_unit_test(attributes_are_refused),
		cmocka_unit_test(recipients_stand_in_order),
		cmocka_unit_test(a_part_of_one_is_refused),
		cmocka_unit_test(a_head_states_its_lengths_once),
		cmocka_unit_test(a_head_has_the_shortest_lengths),
		cmocka_unit_test(a_head_is_bounded),
		cmocka_unit_test(algorithms_are_exact),
		cmocka_unit_test(recipients_are_counted),
	};

	return cmocka_run_group_tests(tests, make_people, free_people);
}
