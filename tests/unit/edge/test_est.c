#include "unit/unit.h"

#include <openssl/evp.h>
#include <string.h>

#include "base/util.h"
#include "edge/est.h"

static struct est_login login;

/* "Basic " and the base64 of len bytes. */
static const char *basic(const char *text, size_t len)
{
	static char field[1024];
	size_t scheme = (size_t)snprintf(field, sizeof(field), "Basic ");

	EVP_EncodeBlock((uint8_t *)field + scheme, (const uint8_t *)text, (int)len);
	return field;
}

static enum err parse(const char *text)
{
	return est_login_parse(basic(text, strlen(text)), &login);
}

static void a_login_is_read(void **state)
{
	(void)state;
	assert_ok(parse("tpm:ABCD-EFGH"));
	assert_string_equal(login.user, "tpm");
	assert_string_equal(login.code, "ABCD-EFGH");
	/* The first colon ends the user (RFC 7617 §2); a user may be missing. */
	assert_ok(parse(":a:b:"));
	assert_string_equal(login.user, "");
	assert_string_equal(login.code, "a:b:");
	assert_ok(parse("花子:c"));
	assert_string_equal(login.user, "花子");
	/* RFC 7617 §4 */
	assert_ok(est_login_parse("bAsIc QWxhZGRpbjpvcGVuIHNlc2FtZQ==", &login));
	assert_string_equal(login.code, "open sesame");
}

static void all_else_is_no_login(void **state)
{
	static const char *const bad[] = {
		"",
		"?", /* longer than anything allowed */
		"Basic",
		"Basic ",
		"BasicQTpi",
		"Basic  QTpi",
		"Basic QTpi ",
		" Basic QTpi",
		"Basic\tQTpi",
		"Bearer QTpi",
		"Digest username=\"a\"",
		"Basic QTpi,Basic QTpi",
		"Basic QTpi,",
		"Basic QTp",
		"Basic QTpiY",
		"Basic QTpi=",
		"Basic QTpi====",
		"Basic =TpiY2Rl",
		"Basic QTo=YmNk",
		"Basic QT\npi",
		"Basic QTpi\n",
		"Basic QTpi-_--",
		"Basic Q*pi",
		"Basic QTpiYx==", /* unused bits */
		"Basic QTpiY2R=",
		"Basic ====",
		"Basic A===",
		"Basic YWJj", /* no colon */
		"Basic YTo=", /* no code */
		"Basic Og==",
	};

	(void)state;
	memset(&login, 0x55, sizeof(login));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		if (est_login_parse(bad[i], &login) != ERR_CODE)
			fail_msg("taken: %s", bad[i]);
	assert_int_equal(login.user[0], 0x55);
	/* What some of them vary does work. */
	assert_ok(est_login_parse("Basic QTpi", &login));
	assert_ok(est_login_parse("Basic QTpiYw==", &login));
	assert_ok(est_login_parse("Basic QTpiY2Q=", &login));
}

static void strange_characters_are_refused(void **state)
{
	static const struct {
		const char *text;
		size_t len;
	} bad[] = {
		{ "a:b\0", 4 },
		{ "a\0:b", 4 },
		{ "\0:b", 3 },
		{ "a:\0", 3 },
		{ "a:b\0c", 5 },
		{ "a:b\n", 4 },
		{ "a\r\n:b", 5 },
		{ "a:\x7f", 3 },
		{ "a:\x1f"
		  "b",
		  4 },
		{ "a:\xff", 3 },
		{ "\xc3:b", 3 },
		{ "a:\xed\xa0\x80", 5 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_err(est_login_parse(basic(bad[i].text, bad[i].len), &login), ERR_CODE);
}

static void a_login_has_a_length(void **state)
{
	char text[200];

	(void)state;
	snprintf(text, sizeof(text), "%064d:%064d", 0, 0);
	assert_ok(parse(text));
	assert_int_equal(strlen(login.user), EST_USER_MAX);
	assert_int_equal(strlen(login.code), EST_CODE_MAX);
	snprintf(text, sizeof(text), "%065d:%063d", 0, 0);
	assert_err(parse(text), ERR_CODE);
	snprintf(text, sizeof(text), "%063d:%065d", 0, 0);
	assert_err(parse(text), ERR_CODE);
	snprintf(text, sizeof(text), "%064d:%065d", 0, 0);
	assert_err(parse(text), ERR_CODE);
	snprintf(text, sizeof(text), "a:%0190d", 0);
	assert_err(parse(text), ERR_CODE);
}

static void types_may_have_parameters(void **state)
{
	static const char type[] = "application/pkcs10";

	(void)state;
	assert_true(est_type_fits("application/pkcs10", type));
	assert_true(est_type_fits("Application/PKCS10", type));
	assert_true(est_type_fits("application/pkcs10; charset=us-ascii", type));
	assert_true(est_type_fits("application/pkcs10 ;x", type));
	assert_false(est_type_fits("", type));
	assert_false(est_type_fits("?", type));
	assert_false(est_type_fits("application/pkcs1", type));
	assert_false(est_type_fits("application/pkcs100", type));
	assert_false(est_type_fits("application/pkcs10,application/pkcs10", type));
	assert_false(est_type_fits("application/pkcs10 x", type));
	assert_false(est_type_fits("text/plain; application/pkcs10", type));
}

static void a_question_is_decoded(void **state)
{
	static const uint8_t der[] = { 0xfb, 0xef, 0xff, 0x00 }; /* ++//AA== */
	_cleanup_buf_ struct buf buf;

	(void)state;
	buf_init(&buf, 16384);
	assert_ok(est_question("++//AA==", &buf));
	assert_int_equal(buf.len, sizeof(der));
	assert_memory_equal(buf.data, der, sizeof(der));
	buf_clear(&buf);
	assert_ok(est_question("  //AA==", &buf));
	assert_memory_equal(buf.data, der, sizeof(der));
}

static void strange_questions_are_refused(void **state)
{
	static const char *const bad[] = {
		"",         "A",        "AAA",    "++/AA==",  "++//AA=",  "++//AA",  "%2B2B",
		"++//AB==", "AA==AAAA", "AAAA\n", "-_-_AAAA", "AAAA/../", "AAAA?x=1"
	};
	static char most[2733 + 4];
	_cleanup_buf_ struct buf buf;

	(void)state;
	buf_init(&buf, 16384);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_err(est_question(bad[i], &buf), ERR_INVALID);
	assert_int_equal(buf.len, 0);
	memset(most, 'A', 2732);
	most[2731] = '=';
	assert_ok(est_question(most, &buf));
	assert_int_equal(buf.len, EST_QUESTION_MAX);
	memset(most, 'A', sizeof(most) - 1);
	assert_err(est_question(most, &buf), ERR_TOO_BIG);
}

static void answers_have_types(void **state)
{
	(void)state;
	assert_string_equal(est_answer_type(BODY_JSON), "application/json");
	assert_string_equal(est_answer_type(BODY_PKCS7),
			    "application/pkcs7-mime; smime-type=certs-only");
	assert_string_equal(est_answer_type(BODY_CSRATTRS), "application/csrattrs");
	assert_string_equal(est_answer_type(BODY_OCSP), "application/ocsp-response");
	assert_null(est_answer_type(BODY_OCSP + 1));
	assert_true(est_answer_base64(BODY_PKCS7));
	assert_true(est_answer_base64(BODY_CSRATTRS));
	assert_false(est_answer_base64(BODY_JSON));
	assert_false(est_answer_base64(BODY_OCSP));
	assert_false(est_answer_base64(77));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_login_is_read),
		cmocka_unit_test(all_else_is_no_login),
		cmocka_unit_test(strange_characters_are_refused),
		cmocka_unit_test(a_login_has_a_length),
		cmocka_unit_test(types_may_have_parameters),
		cmocka_unit_test(a_question_is_decoded),
		cmocka_unit_test(strange_questions_are_refused),
		cmocka_unit_test(answers_have_types),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
