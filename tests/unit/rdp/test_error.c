#include "unit/unit.h"

#include <freerdp/error.h>
#include <freerdp/freerdp.h>

#include "worker/remote/rdp/rdp_error.h"

static void test_login(void **state)
{
	static const uint32_t errors[] = {
		FREERDP_ERROR_AUTHENTICATION_FAILED,
		FREERDP_ERROR_CONNECT_LOGON_FAILURE,
		FREERDP_ERROR_CONNECT_WRONG_PASSWORD,
		FREERDP_ERROR_CONNECT_PASSWORD_EXPIRED,
		FREERDP_ERROR_CONNECT_PASSWORD_MUST_CHANGE,
		FREERDP_ERROR_CONNECT_ACCOUNT_LOCKED_OUT,
		FREERDP_ERROR_CONNECT_ACCOUNT_DISABLED,
		FREERDP_ERROR_CONNECT_ACCOUNT_EXPIRED,
		FREERDP_ERROR_CONNECT_ACCOUNT_RESTRICTION,
		FREERDP_ERROR_CONNECT_ACCESS_DENIED,
		FREERDP_ERROR_CONNECT_LOGON_TYPE_NOT_GRANTED,
		FREERDP_ERROR_INSUFFICIENT_PRIVILEGES,
		FREERDP_ERROR_SERVER_INSUFFICIENT_PRIVILEGES,
		FREERDP_ERROR_SERVER_DENIED_CONNECTION,
	};

	(void)state;
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
		assert_int_equal(rdp_error_reason(errors[i], false, true), END_PC_LOGIN);
}

static void test_network(void **state)
{
	(void)state;
	assert_int_equal(rdp_error_reason(FREERDP_ERROR_DNS_NAME_NOT_FOUND, false, false),
			 END_PC_UNREACHABLE);
	assert_int_equal(rdp_error_reason(FREERDP_ERROR_DNS_ERROR, false, false),
			 END_PC_UNREACHABLE);
	assert_int_equal(rdp_error_reason(FREERDP_ERROR_CONNECT_FAILED, false, false),
			 END_PC_UNREACHABLE);
	assert_int_equal(rdp_error_reason(FREERDP_ERROR_CONNECT_TRANSPORT_FAILED, false, false),
			 END_PC_PROTOCOL);
	assert_int_equal(rdp_error_reason(FREERDP_ERROR_CONNECT_TRANSPORT_FAILED, true, true),
			 END_PC_CLOSED);
	assert_int_equal(rdp_error_reason(FREERDP_ERROR_CONNECT_ACTIVATION_TIMEOUT, false, true),
			 END_PC_TIMEOUT);
}

/* A failed negotiation is a matter of security only with a peer that negotiates. */
static void test_security(void **state)
{
	(void)state;
	assert_int_equal(rdp_error_reason(FREERDP_ERROR_SECURITY_NEGO_CONNECT_FAILED, false, true),
			 END_PC_SECURITY);
	assert_int_equal(rdp_error_reason(FREERDP_ERROR_SECURITY_NEGO_CONNECT_FAILED, false, false),
			 END_PC_PROTOCOL);
	assert_int_equal(rdp_error_reason(FREERDP_ERROR_TLS_CONNECT_FAILED, false, true),
			 END_PC_SECURITY);
	assert_int_equal(rdp_error_reason(FREERDP_ERROR_MCS_CONNECT_INITIAL_ERROR, false, true),
			 END_PC_PROTOCOL);
}

static void test_pc_ends(void **state)
{
	(void)state;
	assert_int_equal(rdp_error_reason(FREERDP_ERROR_SUCCESS, true, true), END_PC_CLOSED);
	assert_int_equal(rdp_error_reason(FREERDP_ERROR_LOGOFF_BY_USER, true, true), END_PC_CLOSED);
	assert_int_equal(rdp_error_reason(FREERDP_ERROR_RPC_INITIATED_DISCONNECT, true, true),
			 END_PC_CLOSED);
	assert_int_equal(
		rdp_error_reason(FREERDP_ERROR_DISCONNECTED_BY_OTHER_CONNECTION, true, true),
		END_PC_CLOSED);
	assert_int_equal(rdp_error_reason(FREERDP_ERROR_IDLE_TIMEOUT, true, true), END_PC_CLOSED);
	assert_int_equal(
		rdp_error_reason(MAKE_FREERDP_ERROR(ERRINFO, ERRINFO_UNKNOWN_DATA_PDU_TYPE), true,
				 true),
		END_PC_PROTOCOL);
}

static void test_anything_else(void **state)
{
	(void)state;
	assert_int_equal(rdp_error_reason(0x7fffffff, false, true), END_PC_PROTOCOL);
	assert_int_equal(rdp_error_reason(1, true, true), END_PC_PROTOCOL);
	for (int reason = END_NONE; reason <= END_REPLACED; reason++)
		assert_int_not_equal(rdp_error_err((enum end_reason)reason), OK);
	assert_err(rdp_error_err(END_PC_LOGIN), ERR_LOGIN);
	assert_err(rdp_error_err(END_PC_TIMEOUT), ERR_TIMEOUT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_login),         cmocka_unit_test(test_network),
		cmocka_unit_test(test_security),      cmocka_unit_test(test_pc_ends),
		cmocka_unit_test(test_anything_else),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
