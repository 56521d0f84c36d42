/*
 * What is made as it comes is one message that OpenSSL opens, for the recipient alone, and only as
 * it was made.
 */
#include "record/envelope.h"
#include "unit/record/recording.h"

#include <openssl/cms.h>
#include <string.h>
#include <sys/mman.h>

enum { CONTENT = 300 * 1000 };

static uint8_t content[CONTENT];

static enum err collect(void *ctx, const uint8_t *data, size_t len)
{
	return buf_add(ctx, data, len);
}

static enum err refuse(void *ctx, const uint8_t *data, size_t len)
{
	(void)ctx, (void)data, (void)len;
	return ERR_CLOSED;
}

/* In pieces of odd sizes. */
static void make(const struct auditor *to, struct buf *message, uint8_t hash[ENVELOPE_SHA256])
{
	struct envelope *envelope;
	size_t at = 0;

	buf_init(message, 2 * CONTENT);
	assert_ok(envelope_new(to->certificate, 0, collect, message, &envelope));
	for (size_t piece = 1; at < CONTENT; piece = piece * 3 + 1) {
		const size_t len = MIN(piece, CONTENT - at);
		assert_ok(envelope_add(envelope, content + at, len));
		at += len;
	}
	assert_ok(envelope_end(envelope));
	assert_int_equal(envelope_bytes(envelope), message->len);
	assert_ok(envelope_sha256(envelope, hash));
	envelope_free(envelope);
}

static bool opens(const struct auditor *by, const struct buf *message, size_t len)
{
	BIO *in = BIO_new_mem_buf(message->data, (int)len), *out = BIO_new(BIO_s_mem());
	CMS_ContentInfo *cms = d2i_CMS_bio(in, NULL);
	char *data = NULL;
	bool opened = cms && CMS_decrypt(cms, by->key, by->certificate, NULL, out, CMS_BINARY);

	opened = opened && BIO_get_mem_data(out, &data) == CONTENT &&
		 memcmp(data, content, CONTENT) == 0;
	CMS_ContentInfo_free(cms);
	BIO_free(in);
	BIO_free(out);
	return opened;
}

static void check(const struct auditor_plan *plan)
{
	struct auditor to = auditor_make_as(plan), other = auditor_make_as(plan);
	uint8_t hash[ENVELOPE_SHA256], wanted[ENVELOPE_SHA256];
	struct buf message;

	make(&to, &message, hash);
	assert_true(EVP_Digest(message.data, message.len, wanted, NULL, EVP_sha256(), NULL));
	assert_memory_equal(hash, wanted, sizeof(hash));
	assert_true(opens(&to, &message, message.len));
	assert_false(opens(&other, &message, message.len));
	assert_false(opens(&to, &message, message.len - 1));
	for (size_t at = 1; at < 8; at++) {
		uint8_t *byte = &message.data[message.len * at / 8];
		*byte ^= 4;
		assert_false(opens(&to, &message, message.len));
		*byte ^= 4;
	}
	assert_true(opens(&to, &message, message.len));
	buf_finish(&message);
	auditor_free(&to);
	auditor_free(&other);
}

static void the_recipient_alone_opens_it(void **state)
{
	(void)state;
	check(&(struct auditor_plan){ 0 });
	check(&(struct auditor_plan){ .rsa = true, .usage = "critical,keyEncipherment" });
}

/* Whoever reads it sees how it is sealed: no SHA-1, no PKCS #1 v1.5, nothing without a tag. */
static void it_is_of_the_right_kind(void **state)
{
	struct auditor to = auditor_make();
	uint8_t hash[ENVELOPE_SHA256];
	struct buf message;

	(void)state;
	make(&to, &message, hash);
	BIO *in = BIO_new_mem_buf(message.data, (int)message.len);
	CMS_ContentInfo *cms = d2i_CMS_bio(in, NULL);
	assert_non_null(cms);
	assert_int_equal(OBJ_obj2nid(CMS_get0_type(cms)), NID_id_smime_ct_authEnvelopedData);
	assert_non_null(memmem(message.data, 400, "\x2b\x81\x04\x01\x0b\x01", 6)); /* SHA-256 KDF */
	CMS_ContentInfo_free(cms);
	BIO_free(in);
	buf_finish(&message);
	auditor_free(&to);
}

static void the_sink_may_refuse(void **state)
{
	struct auditor to = auditor_make();
	struct envelope *envelope = NULL;

	(void)state;
	enum err err = envelope_new(to.certificate, 0, refuse, NULL, &envelope);
	if (!err)
		err = envelope_add(envelope, content, CONTENT);
	assert_err(err, ERR_CLOSED);
	envelope_free(envelope);
	auditor_free(&to);
}

static enum err forget(void *ctx, const uint8_t *data, size_t len)
{
	(void)ctx, (void)data, (void)len;
	return OK;
}

static void it_stays_small_enough_to_be_opened(void **state)
{
	struct auditor to = auditor_make();
	struct envelope *envelope = NULL;
	/* Address space that is never touched: the size alone is looked at. */
	uint8_t *large = mmap(NULL, ENVELOPE_MAX, PROT_READ,
			      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	(void)state;
	/* As OpenSSL 3 has it: crypto/buffer/buffer.c, LIMIT_BEFORE_EXPANSION. */
	assert_true(ENVELOPE_MAX <= 0x5ffffffc);
	assert_true(large != MAP_FAILED);
	assert_ok(envelope_new(to.certificate, 0, forget, NULL, &envelope));
	assert_err(envelope_add(envelope, large, ENVELOPE_MAX - 1000), ERR_TOO_BIG);
	assert_ok(envelope_add(envelope, content, CONTENT));
	envelope_free(envelope);
	munmap(large, ENVELOPE_MAX);
	auditor_free(&to);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_recipient_alone_opens_it),
		cmocka_unit_test(it_is_of_the_right_kind),
		cmocka_unit_test(the_sink_may_refuse),
		cmocka_unit_test(it_stays_small_enough_to_be_opened),
	};

	for (size_t i = 0; i < CONTENT; i++)
		content[i] = (uint8_t)(i * 7 + i / 251);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
