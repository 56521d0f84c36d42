#include "worker/remote/rdp/rdp_error.h"

#include <freerdp/error.h>
#include <freerdp/freerdp.h>

/* The PC or somebody on it ended the session; everything else of that class is a broken protocol.
 */
static bool error_info_closed(uint32_t code)
{
	/* [MS-RDPBCGR] 2.2.5.1.1: protocol-independent codes and those of licensing and brokers lie
	 * below 0x10c9. */
	return code < ERRINFO_UNKNOWN_DATA_PDU_TYPE;
}

static enum end_reason error_info_reason(uint32_t code)
{
	switch (code) {
	case ERRINFO_SERVER_DENIED_CONNECTION:
	case ERRINFO_SERVER_INSUFFICIENT_PRIVILEGES:
	case ERRINFO_SERVER_FRESH_CREDENTIALS_REQUIRED:
		return END_PC_LOGIN;
	default:
		return error_info_closed(code) ? END_PC_CLOSED : END_PC_PROTOCOL;
	}
}

static enum end_reason connect_reason(uint32_t code, bool connected, bool answered)
{
	switch (code) {
	case ERRCONNECT_DNS_ERROR:
	case ERRCONNECT_DNS_NAME_NOT_FOUND:
	case ERRCONNECT_CONNECT_FAILED:
		return connected ? END_PC_CLOSED : END_PC_UNREACHABLE;
	case ERRCONNECT_AUTHENTICATION_FAILED:
	case ERRCONNECT_INSUFFICIENT_PRIVILEGES:
	case ERRCONNECT_PASSWORD_EXPIRED:
	case ERRCONNECT_PASSWORD_CERTAINLY_EXPIRED:
	case ERRCONNECT_PASSWORD_MUST_CHANGE:
	case ERRCONNECT_CLIENT_REVOKED:
	case ERRCONNECT_KDC_UNREACHABLE:
	case ERRCONNECT_ACCOUNT_DISABLED:
	case ERRCONNECT_LOGON_FAILURE:
	case ERRCONNECT_WRONG_PASSWORD:
	case ERRCONNECT_ACCESS_DENIED:
	case ERRCONNECT_ACCOUNT_RESTRICTION:
	case ERRCONNECT_ACCOUNT_LOCKED_OUT:
	case ERRCONNECT_ACCOUNT_EXPIRED:
	case ERRCONNECT_LOGON_TYPE_NOT_GRANTED:
	case ERRCONNECT_NO_OR_MISSING_CREDENTIALS:
		return END_PC_LOGIN;
	case ERRCONNECT_ACTIVATION_TIMEOUT:
		return END_PC_TIMEOUT;
	case ERRCONNECT_TLS_CONNECT_FAILED:
	case ERRCONNECT_SECURITY_NEGO_CONNECT_FAILED:
		return answered ? END_PC_SECURITY : END_PC_PROTOCOL;
	case ERRCONNECT_CONNECT_TRANSPORT_FAILED:
	case ERRCONNECT_CONNECT_CANCELLED:
		return connected ? END_PC_CLOSED : END_PC_PROTOCOL;
	default:
		return END_PC_PROTOCOL;
	}
}

enum end_reason rdp_error_reason(uint32_t last_error, bool connected, bool answered)
{
	uint32_t code = last_error & 0xffff;

	if (last_error == FREERDP_ERROR_SUCCESS)
		return connected ? END_PC_CLOSED : END_PC_PROTOCOL;
	if (last_error >> 16 == FREERDP_ERROR_ERRINFO_CLASS)
		return error_info_reason(code);
	if (last_error >> 16 == FREERDP_ERROR_CONNECT_CLASS)
		return connect_reason(code, connected, answered);
	return END_PC_PROTOCOL;
}

enum err rdp_error_err(enum end_reason reason)
{
	switch ((int)reason) {
	case END_PC_UNREACHABLE:
		return ERR_UNAVAILABLE;
	case END_PC_TIMEOUT:
		return ERR_TIMEOUT;
	case END_PC_LOGIN:
		return ERR_LOGIN;
	case END_PC_CERTIFICATE:
		return ERR_DENIED;
	case END_PC_TOO_BIG:
		return ERR_TOO_BIG;
	case END_PC_CLOSED:
		return ERR_CLOSED;
	case END_GATEWAY:
		return ERR_INTERNAL;
	default:
		return ERR_PROTOCOL;
	}
}
