#include "unit/broker/recipients.h"

static enum err found(struct office *office, const char *text, struct addressee *ret)
{
	addressee_init(ret);
	return addressee_find(office->db, text, clock_wall_s(), ret);
}

static void expect(struct office *office, const char *text, enum err wanted)
{
	struct addressee recipient;

	assert_err(found(office, text, &recipient), wanted);
	addressee_finish(&recipient);
}

static void who_it_is(void **state)
{
	struct office *office = *state;
	_cleanup_object_(x509) X509 *certificate = NULL;
	char fingerprint[CERT_FINGERPRINT_TEXT];
	struct addressee recipient;

	assert_ok(found(office, good_pem(), &recipient));
	assert_int_equal(recipient.auditor, 0);
	assert_string_equal(recipient.subject, "CN=山田 太郎");
	assert_ok(
		cert_parse((struct bytes){ recipient.der.data, recipient.der.len }, &certificate));
	assert_ok(cert_fingerprint(certificate, fingerprint));
	assert_string_equal(recipient.fingerprint, fingerprint);
	addressee_finish(&recipient);
}

static void an_auditors_by_its_number(void **state)
{
	struct office *office = *state;
	const struct wanted good = { .group = "P-256" };
	struct addressee recipient;
	char number[32];
	int64_t id = recipient_register(office, &good, AUDITOR_PERSON);

	snprintf(number, sizeof(number), "%lld", (long long)id);
	assert_ok(found(office, number, &recipient));
	assert_int_equal(recipient.auditor, id);
	assert_true(recipient.der.len > 0);
	addressee_finish(&recipient);
	assert_ok(auditor_revoke(office->db, id, clock_wall_s()));
	expect(office, number, ERR_NOT_FOUND);
	/* Nobody could open what is encrypted to the house: it opens chunks alone. */
	id = recipient_register(office, &good, AUDITOR_HOUSE);
	snprintf(number, sizeof(number), "%lld", (long long)id);
	expect(office, number, ERR_NOT_FOUND);
	id = recipient_register(office, &(struct wanted){ "P-256", .from_s = -9, .until_s = -3 },
				AUDITOR_PERSON);
	snprintf(number, sizeof(number), "%lld", (long long)id);
	expect(office, number, ERR_EXPIRED);
	expect(office, "99", ERR_NOT_FOUND);
	expect(office, "0", ERR_NOT_FOUND);
	expect(office, "99999999999999999999", ERR_NOT_FOUND);
}

static void keys(void **state)
{
	static const struct {
		struct wanted wanted;
		enum err err;
	} cases[] = {
		{ { .bits = 1024 }, ERR_KEY },
		{ { .bits = 2048 }, OK },
		{ { .group = "P-384" }, ERR_KEY },
		{ { .group = "secp256k1" }, ERR_KEY },
		{ { .group = "P-256", .usage = "keyAgreement" }, OK },
		{ { .group = "P-256", .usage = "digitalSignature" }, ERR_INVALID },
		{ { .bits = 2048, .usage = "keyEncipherment,digitalSignature" }, OK },
		{ { .bits = 2048, .usage = "digitalSignature" }, ERR_INVALID },
		{ { .group = "P-256", .authority = true }, ERR_INVALID },
		{ { .group = "P-256", .from_s = -7200, .until_s = -3600 }, ERR_EXPIRED },
		{ { .group = "P-256", .from_s = 3600, .until_s = 7200 }, ERR_EXPIRED },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		expect(*state, recipient_pem(&cases[i].wanted), cases[i].err);
}

static void what_is_no_certificate(void **state)
{
	static const char key[] = "-----BEGIN PRIVATE KEY-----\nMAo=\n-----END PRIVATE KEY-----\n";
	static const char empty[] = "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n";
	static const char rubbish[] = "-----BEGIN CERTIFICATE-----\nAAECAwQ=\n"
				      "-----END CERTIFICATE-----\n";
	char text[2 * ADDRESSEE_TEXT_MAX];

	expect(*state, "", ERR_INVALID);
	expect(*state, "-1", ERR_INVALID);
	expect(*state, "not PEM", ERR_INVALID);
	expect(*state, empty, ERR_INVALID);
	expect(*state, rubbish, ERR_INVALID);
	expect(*state, key, ERR_INVALID);
	/* With a key, or of two, nothing is guessed; text around one does no harm. */
	snprintf(text, sizeof(text), "%s%s", good_pem(), key);
	expect(*state, text, ERR_INVALID);
	snprintf(text, sizeof(text), "%s%s", key, good_pem());
	expect(*state, text, ERR_INVALID);
	snprintf(text, sizeof(text), "%s", good_pem());
	snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s", good_pem());
	expect(*state, text, ERR_INVALID);
	snprintf(text, sizeof(text), "friendlyName: yamada\n%sthe end\n", good_pem());
	expect(*state, text, OK);
	/* Something after the certificate, and a piece of one. */
	snprintf(text, sizeof(text), "%s", good_pem());
	memmove(strchr(text, '\n') + 1, strchr(text, '\n') + 65,
		strlen(strchr(text, '\n') + 65) + 1);
	expect(*state, text, ERR_INVALID);
	memset(text, 'A', sizeof(text) - 1);
	text[sizeof(text) - 1] = 0;
	expect(*state, text, ERR_INVALID);
}

/* Whatever somebody wrote into it, the entry of the audit log has room for it. */
static void names(void **state)
{
	char name[200] = "";
	struct addressee recipient;

	while (strlen(name) < 60)
		strcat(name, "関");
	assert_ok(found(*state, recipient_pem(&(struct wanted){ "P-256", .name = name }),
			&recipient));
	assert_int_equal(strncmp(recipient.subject, "CN=関関", 9), 0);
	addressee_finish(&recipient);
	memset(name, '\\', 64);
	name[64] = 0;
	assert_ok(found(*state, recipient_pem(&(struct wanted){ "P-256", .name = name }),
			&recipient));
	assert_true(strlen(recipient.subject) <= ADDRESSEE_SUBJECT_BYTES);
	addressee_finish(&recipient);
	assert_ok(found(*state, recipient_pem(&(struct wanted){ "P-256", .name = "a\nb\x1b[2J" }),
			&recipient));
	assert_string_equal(recipient.subject, "CN=a\\0Ab\\1B[2J");
	addressee_finish(&recipient);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		office_test(who_it_is), office_test(an_auditors_by_its_number),
		office_test(keys),      office_test(what_is_no_certificate),
		office_test(names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
