#include "worker/remote/rdp/rdp_library.h"

#include <stdbool.h>

#include <freerdp/primitives.h>
#include <openssl/evp.h>
#include <winpr/ssl.h>
#include <winpr/wlog.h>

#include "base/log.h"

/*
 * FreeRDP's messages carry names and bytes from the PC and could carry a login, so only the format
 * string, the function and the line are taken, never the arguments.
 */
static BOOL take_message(const wLogMessage *message)
{
	log_debug("freerdp", "level=%u function=%s line=%zu format=\"%s\"",
		  (unsigned)message->Level, message->FunctionName ? message->FunctionName : "",
		  message->LineNumber, message->FormatString ? message->FormatString : "");
	return TRUE;
}

static BOOL drop_message(const wLogMessage *message)
{
	(void)message;
	return TRUE;
}

/* Errors and warnings, at our debug level. */
static enum err take_log(void)
{
	wLogCallbacks callbacks = { .data = drop_message,
				    .image = drop_message,
				    .message = take_message,
				    .package = drop_message };
	wLog *root = WLog_GetRoot();

	if (!root || !WLog_SetLogAppenderType(root, WLOG_APPENDER_CALLBACK) ||
	    !WLog_ConfigureAppender(WLog_GetLogAppender(root), "callbacks", &callbacks) ||
	    !WLog_OpenAppender(root) || !WLog_SetLogLevel(root, WLOG_WARN))
		return ERR_NOMEM;
	return OK;
}

/* NTLM ([MS-NLMP]) is made of MD4 and RC4; OpenSSL 3 has them in a provider that must be loaded. */
static bool old_algorithms(void)
{
	EVP_MD *md4 = EVP_MD_fetch(NULL, "MD4", NULL);
	EVP_CIPHER *rc4 = EVP_CIPHER_fetch(NULL, "RC4", NULL);
	bool both = md4 && rc4;

	EVP_MD_free(md4);
	EVP_CIPHER_free(rc4);
	return both;
}

enum err rdp_library_init(void)
{
	static bool ready;
	enum err err;

	if (ready)
		return OK;
	err = take_log();
	if (err)
		return err;
	/* Else it measures for 0.3 s which routines are the fastest, before the first connection.
	 */
	primitives_set_hints(PRIMITIVES_ONLY_CPU);
	if (!winpr_InitializeSSL(WINPR_SSL_INIT_DEFAULT) || !old_algorithms())
		return ERR_CRYPTO;
	ready = true;
	return OK;
}
