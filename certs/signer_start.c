#include "certs/signer_start.h"

#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "base/util.h"
#include "certs/ca_store.h"
#include "certs/key_file.h"
#include "wire/child.h"
#include "wire/enums.h"

/* One more than allowed is read, to see that the file is longer. */
enum { READ_MAX = KEY_PASSPHRASE_MAX + 3 };

static enum err read_start(int fd, uint8_t text[READ_MAX], size_t *ret_len)
{
	size_t len = 0;

	/* From the start: the monitor gives the same file to each new signer. */
	while (len < READ_MAX) {
		ssize_t got = pread(fd, text + len, READ_MAX - len, (off_t)len);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return err_from_errno(errno);
		if (got == 0)
			break;
		len += (size_t)got;
	}
	*ret_len = len;
	return OK;
}

static size_t without_line_end(const uint8_t *text, size_t len)
{
	if (len && text[len - 1] == '\n')
		len--;
	if (len && text[len - 1] == '\r')
		len--;
	return len;
}

/* As a person could type it too: sekisho ca unlock must be able to say the same. */
static enum err check(const uint8_t *text, size_t len, bool is_pin)
{
	size_t least = is_pin ? 1 : CA_PASSPHRASE_MIN;

	if (len > KEY_PASSPHRASE_MAX)
		return ERR_TOO_BIG;
	if (len < least || memchr(text, '\n', len) || !util_utf8_valid((const char *)text, len))
		return ERR_INVALID;
	return OK;
}

enum err signer_passphrase_of(int fd, bool is_pin, struct secret **ret)
{
	uint8_t text[READ_MAX];
	size_t len = 0;
	enum err err = read_start(fd, text, &len);

	if (!err) {
		len = without_line_end(text, len);
		err = check(text, len, is_pin);
	}
	if (!err)
		err = secret_new(text, len, ret);
	secret_wipe(text, sizeof(text));
	return err;
}

enum err signer_passphrase(bool is_pin, struct secret **ret)
{
	_cleanup_close_ int fd = -1;
	enum err err = child_wait_file(FILE_CA_PASSPHRASE, &fd);

	if (!err)
		err = signer_passphrase_of(fd, is_pin, ret);
	if (err)
		log_error("ca-passphrase-file",
			  "error=%s allowed=\"one line of %d to %d bytes, UTF-8\"", err_code(err),
			  is_pin ? 1 : CA_PASSPHRASE_MIN, KEY_PASSPHRASE_MAX);
	return err;
}

enum err signer_base_url(const struct settings *settings, char url[SIGNER_URL_BYTES])
{
	const char *name = settings->gateway_name;
	unsigned port = settings->gateway_enrol_public_port
				? (unsigned)settings->gateway_enrol_public_port
				: settings->gateway_enrol_listen.port;
	int len = snprintf(url, SIGNER_URL_BYTES,
			   strchr(name, ':') ? "https://[%s]:%u" : "https://%s:%u", name, port);

	return len >= 0 && len < SIGNER_URL_BYTES ? OK : ERR_TOO_BIG;
}
