#include "unit/edge/stage.h"

#include "base/log.h"

/* ---- EST -------------------------------------------------------------------------------- */

static void a_program_enrols(void **state)
{
	static const uint8_t none[WIRE_DEVICE_ID];
	const struct msg_est_simpleenroll *msg = &question.est_simpleenroll;
	const char *answer;

	(void)state;
	reply.kind = BODY_PKCS7;
	reply.body = (struct bytes){ (const uint8_t *)"MIIB", 4 };
	answer = POST(EST "simpleenroll", "csr", PKCS10, BASIC);
	went_to(answer, MSG_est_simpleenroll);
	assert_string_equal(msg->user, "tpm");
	assert_string_equal(msg->code, CODE);
	assert_memory_equal(msg->csr.data, "csr", 3);
	assert_string_equal(msg->address, "192.0.2.1");
	assert_string_equal(msg->token, "");
	assert_memory_equal(msg->device, none, sizeof(none));
	has(answer, "\r\nContent-Type: application/pkcs7-mime; smime-type=certs-only\r\n");
	has(answer, "\r\nContent-Transfer-Encoding: base64\r\n");
	has(answer, "\r\n\r\nMIIB");
	assert_in_range(strlen(answer), 300, 1004);
	has_not(answer, "WWW-Authenticate");
	went_to(POST(EST "simpleenroll", "csr", PKCS10 "; charset=x", BASIC, OURS,
		     "Content-Transfer-Encoding: base64"),
		MSG_est_simpleenroll);
}

static void a_waiting_program_is_told_when(void **state)
{
	const char *answer;

	(void)state;
	reply.status = 202;
	reply.retry_s = 20;
	answer = POST(EST "simpleenroll", "csr", PKCS10, BASIC);
	status_is(answer, 202);
	has(answer, "HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n");
	has(answer, "\r\nRetry-After: 20\r\n");
	has_not(answer, "\r\nContent-Type");
	has_not(answer, "Content-Transfer-Encoding");
}

/* libest comes without at first; the connection stays, and nothing is asked. */
static void who_has_no_code_is_asked_for_it(void **state)
{
	static const char challenge[] = "\r\nWWW-Authenticate: Basic realm=\"";
	const char *answer;

	(void)state;
	answer = POST(EST "simpleenroll", "csr", PKCS10);
	refused(answer, 401, challenge);
	has(answer, "{\"error\":\"code\"}");
	has_not(answer, "Connection: close");
	refused(POST(EST "simpleenroll", "csr", PKCS10, "Authorization: Basic dHBtOg=="), 401,
		challenge);
	refused(POST(EST "simpleenroll", "csr", PKCS10, "Authorization: Bearer x"), 401, challenge);
	refused(POST(EST "simpleenroll", "csr", PKCS10, BASIC, BASIC), 401, challenge);
	refused(POST(EST "simpleenroll", "csr", PKCS10, "Authorization: Basic YToAYg=="), 401,
		challenge);
	went_to(POST(EST "simpleenroll", "csr", PKCS10, BASIC), MSG_est_simpleenroll);
}

static void a_wrong_code_is_asked_for_again(void **state)
{
	const char *answer;

	(void)state;
	reply.status = 401;
	reply.body = (struct bytes){ (const uint8_t *)"{}", 2 };
	answer = POST(EST "simpleenroll", "csr", PKCS10, BASIC);
	status_is(answer, 401);
	assert_int_equal(asked_id, MSG_est_simpleenroll);
	has(answer, "\r\nWWW-Authenticate: Basic ");
	has(answer, "\r\nContent-Type: application/json\r\n");
	has_not(answer, "Content-Transfer-Encoding");
	/* A browser would put up a window of its own. */
	answer = POST("/enrol/api/look", LOOK, OURS, JSON);
	status_is(answer, 401);
	has_not(answer, "WWW-Authenticate");
}

static void a_renewal_needs_a_certificate(void **state)
{
	(void)state;
	refused(POST(EST "simplereenroll", "csr", PKCS10), 403, "\"field\":\"certificate\"");
	refused(POST(EST "simplereenroll", "csr", PKCS10, BASIC), 403, "certificate");
	has_device = true;
	reply.kind = BODY_PKCS7;
	went_to(POST(EST "simplereenroll", "csr", PKCS10), MSG_est_simplereenroll);
	assert_int_equal(question.est_simplereenroll.device[0], 0xd5);
	assert_memory_equal(question.est_simplereenroll.csr.data, "csr", 3);
}

/* The certificate that a browser has must not work for another site's page. */
static void est_is_not_for_pages_of_others(void **state)
{
	static const char *const foreign[] = { GATEWAYS, "Origin: null",
					       "Origin: https://evil.example",
					       "Origin: https://office.example:8443.evil.example" };

	(void)state;
	has_device = true;
	for (size_t i = 0; i < ARRAY_SIZE(foreign); i++) {
		refused(POST(EST "simplereenroll", "csr", PKCS10, foreign[i]), 403, "\"origin\"");
		refused(POST(EST "simpleenroll", "csr", PKCS10, BASIC, foreign[i]), 403, "origin");
		refused(GET(EST "cacerts", foreign[i]), 403, "origin");
		refused(POST("/ocsp", "q", "Content-Type: application/ocsp-request", foreign[i]),
			403, "origin");
		refused(POST("/enrol/api/look", LOOK, JSON, foreign[i]), 403, "origin");
		refused(GET("/enrol/api/office", foreign[i]), 403, "origin");
	}
}

static void bodies_have_a_type(void **state)
{
	static const char *const wrong[] = { "Content-Type: text/plain", JSON,
					     "Content-Type: application/x-www-form-urlencoded",
					     "X: y" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		refused(POST(EST "simpleenroll", "csr", BASIC, wrong[i]), 403, "\"content-type\"");
	refused(POST(EST "simpleenroll", "csr", BASIC, PKCS10, JSON), 403, "content-type");
	refused(POST("/ocsp", "q", PKCS10), 403, "content-type");
	refused(POST("/enrol/api/look", LOOK, OURS, PKCS10), 403, "content-type");
	refused(POST("/enrol/api/look", LOOK, OURS), 403, "content-type");
	/* What a page sends says whose it is. */
	refused(POST("/enrol/api/look", LOOK, JSON), 403, "\"origin\"");
}

static void bodies_have_a_size(void **state)
{
	static char big[API_BODY_MAX + 1];
	const char *answer;

	(void)state;
	memset(big, 'A', sizeof(big));
	big[EST_CSR_MAX] = 0;
	went_to(POST(EST "simpleenroll", big, PKCS10, BASIC), MSG_est_simpleenroll);
	big[EST_CSR_MAX] = 'A';
	big[EST_CSR_MAX + 1] = 0;
	refused(POST(EST "simpleenroll", big, PKCS10, BASIC), 413, "too-big");
	big[EST_CSR_MAX + 1] = 'A';
	answer = request("POST", EST "simpleenroll", big, sizeof(big),
			 (const char *const[]){ HOST, PKCS10, BASIC, NULL });
	refused(answer, 413, "Connection: close");
	refused(POST(EST "simpleenroll", "", PKCS10, BASIC), 400, "\"csr\"");
	refused(POST("/ocsp", "", "Content-Type: application/ocsp-request"), 400, "\"question\"");
}

static void what_everybody_may_read(void **state)
{
	const char *answer;

	(void)state;
	reply.kind = BODY_CSRATTRS;
	reply.body = (struct bytes){ (const uint8_t *)"MAA=", 4 };
	answer = GET(EST "csrattrs");
	went_to(answer, MSG_est_csrattrs);
	has(answer,
	    "\r\nContent-Type: application/csrattrs\r\nContent-Transfer-Encoding: base64\r\n");
	reply.kind = BODY_PKCS7;
	went_to(GET(EST "cacerts"), MSG_est_cacerts);
	refused(POST(EST "cacerts", "x", PKCS10), 405, "\r\nAllow: GET\r\n");
	refused(GET(EST "simpleenroll", BASIC), 405, "\r\nAllow: POST\r\n");
}

/* ---- OCSP, lists, the CA ---------------------------------------------------------------- */

static void ocsp_comes_both_ways(void **state)
{
	const char *answer;

	(void)state;
	reply.kind = BODY_OCSP;
	reply.body = (struct bytes){ (const uint8_t *)"der", 3 };
	answer = request(
		"POST", "/ocsp", "0\0q", 3,
		(const char *const[]){ HOST, "Content-Type: application/ocsp-request", NULL });
	went_to(answer, MSG_ocsp);
	assert_int_equal(question.ocsp.question.len, 3);
	assert_memory_equal(question.ocsp.question.data, "0\0q", 3);
	has(answer, "\r\nContent-Type: application/ocsp-response\r\n");
	has_not(answer, "Content-Transfer-Encoding");
	went_to(GET("/ocsp/MAD//w=="), MSG_ocsp);
	assert_int_equal(question.ocsp.question.len, 4);
	assert_memory_equal(question.ocsp.question.data, "0\0\xff\xff", 4);
	refused(GET("/ocsp/MAD//w="), 400, "\"question\"");
	refused(GET("/ocsp/../../etc"), 400, "\"question\"");
	refused(GET("/ocsp/"), 404, "not-found");
}

static void lists_and_the_ca_are_public(void **state)
{
	const char *answer;

	(void)state;
	refused(GET("/ca.crt"), 404, "not-found");
	refused(GET("/crl.der"), 404, "not-found");
	ca = (struct bytes){ (const uint8_t *)"-----BEGIN", 10 };
	list = (struct bytes){ (const uint8_t *)"0list", 5 };
	answer = GET("/ca.crt");
	status_is(answer, 200);
	has(answer, "\r\nContent-Type: application/x-x509-ca-cert\r\n");
	has(answer, "\r\n\r\n-----BEGIN");
	answer = GET("/crl.der");
	status_is(answer, 200);
	assert_int_equal(list_asked, 0);
	has(answer, "\r\nContent-Type: application/pkix-crl\r\n");
	status_is(GET("/crl/7.der"), 200);
	assert_int_equal(list_asked, 7);
	/* Not the number that is left of it in 32 bits. */
	refused(GET("/crl/4294967303.der"), 404, "not-found");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		stage_test(a_program_enrols),
		stage_test(a_waiting_program_is_told_when),
		stage_test(who_has_no_code_is_asked_for_it),
		stage_test(a_wrong_code_is_asked_for_again),
		stage_test(a_renewal_needs_a_certificate),
		stage_test(est_is_not_for_pages_of_others),
		stage_test(bodies_have_a_type),
		stage_test(bodies_have_a_size),
		stage_test(what_everybody_may_read),
		stage_test(ocsp_comes_both_ways),
		stage_test(lists_and_the_ca_are_public),
	};

	api_init();
	log_init("edge", LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
