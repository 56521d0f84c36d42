/*
 * Who may be sealed to, who can open it, and that nothing but what was sealed comes out.
 */
#include "unit/record/recording.h"

static const uint8_t text[] = "what left the office\r\nas it left\n";

static const struct {
	const char *what;
	struct auditor_plan plan;
	enum err err;
} recipients[] = {
	{ "as the office makes it", { 0 }, OK },
	{ "P-384", { .group = "P-384" }, ERR_KEY },
	{ "a curve of the same size", { .group = "secp256k1" }, ERR_KEY },
	{ "RSA", { .rsa = true }, ERR_KEY },
	{ "a CA", { .constraints = "critical,CA:TRUE" }, ERR_INVALID },
	{ "may sign", { .usage = "critical,keyAgreement,digitalSignature" }, ERR_INVALID },
	{ "may only sign", { .usage = "critical,digitalSignature" }, ERR_INVALID },
	{ "a device's", { .purpose = "clientAuth" }, ERR_INVALID },
	{ "two purposes", { .purpose = "emailProtection,clientAuth" }, ERR_INVALID },
	{ "any purpose", { .purpose = "emailProtection,anyExtendedKeyUsage" }, ERR_INVALID },
	{ "no key identifier", { .no_key_id = true }, ERR_INVALID },
	{ "not yet valid", { .from_s = 60 }, ERR_EXPIRED },
	{ "no more valid", { .from_s = -600, .until_s = -60 }, ERR_EXPIRED },
};

static void only_auditors_are_sealed_to(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(recipients); i++) {
		struct auditor auditor = auditor_make_as(&recipients[i].plan);
		struct seal_recipients *made = NULL;
		struct buf der;
		buf_init(&der, SEAL_CERTIFICATES_MAX);
		auditor_add(&auditor, &der);
		if (seal_recipient_check(auditor.certificate, clock_wall_s()) !=
			    recipients[i].err ||
		    seal_recipients_new(der.data, der.len, clock_wall_s(), &made) !=
			    recipients[i].err)
			fail_msg("%s", recipients[i].what);
		seal_recipients_free(made);
		buf_finish(&der);
		auditor_free(&auditor);
	}
}

static void one_wrong_certificate_is_enough(void **state)
{
	struct auditor good = auditor_make();
	struct auditor bad = auditor_make_as(&(struct auditor_plan){ .purpose = "clientAuth" });
	struct seal_recipients *made = NULL;
	const int64_t now_s = clock_wall_s();
	struct buf der;

	(void)state;
	buf_init(&der, SEAL_CERTIFICATES_MAX);
	assert_err(seal_recipients_new(der.data, 0, now_s, &made), ERR_INVALID);
	auditor_add(&good, &der);
	const size_t one = der.len;
	auditor_add(&bad, &der);
	assert_err(seal_recipients_new(der.data, der.len, now_s, &made), ERR_INVALID);
	der.len = one;
	for (size_t cut = 1; cut < one; cut++)
		assert_err(seal_recipients_new(der.data, cut, now_s, &made), ERR_INVALID);
	assert_ok(buf_add(&der, "x", 1));
	assert_err(seal_recipients_new(der.data, der.len, now_s, &made), ERR_INVALID);
	assert_null(made);
	buf_finish(&der);
	auditor_free(&good);
	auditor_free(&bad);
}

static void recipients_are_bounded(void **state)
{
	struct auditor auditor = auditor_make();
	struct seal_recipients *made = NULL;
	const int64_t now_s = clock_wall_s();
	struct buf der;

	(void)state;
	buf_init(&der, 2 * SEAL_CERTIFICATES_MAX);
	for (size_t i = 0; i < SEAL_RECIPIENTS_MAX; i++)
		auditor_add(&auditor, &der);
	assert_ok(seal_recipients_new(der.data, der.len, now_s, &made));
	assert_int_equal(seal_recipients_count(made), SEAL_RECIPIENTS_MAX);
	seal_recipients_free(made);
	made = NULL;
	auditor_add(&auditor, &der);
	assert_err(seal_recipients_new(der.data, der.len, now_s, &made), ERR_INVALID);
	while (der.len <= SEAL_CERTIFICATES_MAX)
		auditor_add(&auditor, &der);
	assert_err(seal_recipients_new(der.data, der.len, now_s, &made), ERR_TOO_BIG);
	assert_null(made);
	buf_finish(&der);
	auditor_free(&auditor);
}

/* ---- sealing and opening ---------------------------------------------------------------- */

struct sealed {
	struct auditor auditors[3], stranger;
	struct seal_recipients *recipients;
	struct buf der, plain;
};

static void sealed_init(struct sealed *sealed, size_t count)
{
	for (size_t i = 0; i < ARRAY_SIZE(sealed->auditors); i++)
		sealed->auditors[i] = auditor_make();
	sealed->stranger = auditor_make();
	sealed->recipients = recipients_of(sealed->auditors, count);
	buf_init(&sealed->der, 2 * SEAL_DER_MAX);
	buf_init(&sealed->plain, SEAL_DER_MAX);
	assert_ok(seal_chunk(sealed->recipients, text, sizeof(text), &sealed->der));
}

static void sealed_finish(struct sealed *sealed)
{
	seal_recipients_free(sealed->recipients);
	for (size_t i = 0; i < ARRAY_SIZE(sealed->auditors); i++)
		auditor_free(&sealed->auditors[i]);
	auditor_free(&sealed->stranger);
	buf_finish(&sealed->der);
	buf_finish(&sealed->plain);
}

static enum err open_as(struct sealed *sealed, const struct auditor *auditor, bool certificate)
{
	buf_clear(&sealed->plain);
	return seal_open(auditor->key, certificate ? auditor->certificate : NULL, sealed->der.data,
			 sealed->der.len, &sealed->plain);
}

static void each_auditor_opens_it_and_nobody_else(void **state)
{
	struct sealed sealed;

	(void)state;
	sealed_init(&sealed, 3);
	for (size_t i = 0; i < 6; i++) {
		assert_ok(open_as(&sealed, &sealed.auditors[i / 2], i % 2));
		assert_int_equal(sealed.plain.len, sizeof(text));
		assert_memory_equal(sealed.plain.data, text, sizeof(text));
	}
	assert_err(open_as(&sealed, &sealed.stranger, true), ERR_DENIED);
	assert_err(open_as(&sealed, &sealed.stranger, false), ERR_DENIED);
	assert_int_equal(sealed.plain.len, 0);
	sealed_finish(&sealed);
}

/* The plaintext is nowhere in it, and no two are alike. */
static void what_is_sealed_cannot_be_read(void **state)
{
	struct sealed sealed;
	struct buf again;

	(void)state;
	sealed_init(&sealed, 1);
	assert_null(memmem(sealed.der.data, sealed.der.len, text, 8));
	buf_init(&again, SEAL_DER_MAX);
	assert_ok(seal_chunk(sealed.recipients, text, sizeof(text), &again));
	assert_int_equal(again.len, sealed.der.len);
	assert_memory_not_equal(again.data + again.len - 32, sealed.der.data + again.len - 32, 16);
	buf_finish(&again);
	sealed_finish(&sealed);
}

static void no_changed_byte_opens(void **state)
{
	struct sealed sealed;

	(void)state;
	sealed_init(&sealed, 1);
	for (size_t i = 0; i < sealed.der.len; i++) {
		sealed.der.data[i] ^= 1;
		if (open_as(&sealed, &sealed.auditors[0], true) == OK || sealed.plain.len)
			fail_msg("byte %zu of %zu", i, sealed.der.len);
		sealed.der.data[i] ^= 1;
	}
	/* What is meant for this key but does not open is no matter of the wrong key. */
	sealed.der.data[sealed.der.len - 1] ^= 0x80;
	assert_err(open_as(&sealed, &sealed.auditors[0], true), ERR_CRYPTO);
	assert_err(open_as(&sealed, &sealed.auditors[0], false), ERR_CRYPTO);
	sealed.der.data[sealed.der.len - 1] ^= 0x80;
	assert_ok(open_as(&sealed, &sealed.auditors[0], true));
	sealed_finish(&sealed);
}

static void chunks_are_bounded(void **state)
{
	uint8_t *plain = calloc(1, CHUNK_MAX + 1);
	struct sealed sealed;
	struct buf small;

	(void)state;
	assert_non_null(plain);
	sealed_init(&sealed, 3);
	const size_t len = sealed.der.len;
	assert_err(seal_chunk(sealed.recipients, plain, CHUNK_MAX + 1, &sealed.der), ERR_TOO_BIG);
	assert_int_equal(sealed.der.len, len);
	buf_clear(&sealed.der);
	assert_ok(seal_chunk(sealed.recipients, plain, CHUNK_MAX, &sealed.der));
	assert_true(sealed.der.len <= SEAL_DER_MAX);
	assert_ok(open_as(&sealed, &sealed.auditors[2], true));
	assert_int_equal(sealed.plain.len, CHUNK_MAX);
	buf_init(&small, 100);
	assert_err(seal_chunk(sealed.recipients, plain, 100, &small), ERR_TOO_BIG);
	assert_int_equal(small.len, 0);
	free(plain);
	buf_finish(&small);
	sealed_finish(&sealed);
}

static void the_running_hash_is_the_one_of_the_format(void **state)
{
	uint8_t running[CHUNK_HASH] = { 0 }, hash[CHUNK_HASH];
	char hex[2 * CHUNK_HASH + 1];

	(void)state;
	assert_ok(seal_hash((const uint8_t *)"a", 1, hash));
	assert_ok(seal_running(running, hash));
	assert_ok(seal_hash((const uint8_t *)"b", 1, hash));
	assert_ok(seal_running(running, hash));
	util_hex(running, sizeof(running), hex);
	/* python3: h = hashlib.sha256; h(h(bytes(32)+h(b"a").digest()).digest()+h(b"b").digest())
	 */
	assert_string_equal(hex,
			    "153d5381929b50792d3b22ae9596544af3b0e4805be1555a595e6d2a2734933f");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_auditors_are_sealed_to),
		cmocka_unit_test(one_wrong_certificate_is_enough),
		cmocka_unit_test(recipients_are_bounded),
		cmocka_unit_test(each_auditor_opens_it_and_nobody_else),
		cmocka_unit_test(what_is_sealed_cannot_be_read),
		cmocka_unit_test(no_changed_byte_opens),
		cmocka_unit_test(chunks_are_bounded),
		cmocka_unit_test(the_running_hash_is_the_one_of_the_format),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
