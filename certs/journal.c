#include "certs/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <openssl/asn1.h>
#include <openssl/sha.h>
#include <sys/stat.h>
#include <time.h>

#include "base/buf.h"
#include "base/util.h"
#include "certs/cleanup.h"
#include "certs/x509_build.h"

enum { LINE_BYTES_MAX = 1024 };

enum err journal_open(struct journal *journal, const char *path)
{
	*journal = (struct journal){ .fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC,
						0600) };
	return journal->fd < 0 ? err_from_errno(errno) : OK;
}

void journal_close(struct journal *journal)
{
	util_closep(&journal->fd);
	journal->fd = -1;
}

static enum err format_line(struct buf *line, int64_t now_s, const char *profile, X509 *certificate,
			    const char *owner, const char *name)
{
	uint8_t serial[CERT_SERIAL_BYTES], hash[SHA256_DIGEST_LENGTH];
	char serial_hex[2 * sizeof(serial) + 1], hash_hex[2 * sizeof(hash) + 1];
	struct tm until;
	enum err err = x509_serial(certificate, serial);

	if (err)
		return err;
	if (X509_digest(certificate, EVP_sha256(), hash, NULL) != 1 ||
	    ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &until) != 1)
		return ERR_CRYPTO;
	util_hex(serial, sizeof(serial), serial_hex);
	util_hex(hash, sizeof(hash), hash_hex);
	return buf_printf(line, "%" PRId64 "\t%s\t%s\t%" PRId64 "\t%s\t%s\t%s\n", now_s, serial_hex,
			  profile, (int64_t)timegm(&until), hash_hex, owner, name);
}

static enum err write_line(int fd, const struct buf *line)
{
	ssize_t done;

	do
		done = write(fd, line->data, line->len);
	while (done < 0 && errno == EINTR);
	if (done < 0)
		return err_from_errno(errno);
	/* A short write to a file means that the disk is full. */
	if ((size_t)done < line->len)
		return ERR_FULL;
	return fsync(fd) < 0 ? err_from_errno(errno) : OK;
}

enum err journal_add(struct journal *journal, int64_t now_s, const char *profile, X509 *certificate,
		     const char *owner, const char *name)
{
	_cleanup_buf_ struct buf line;
	struct stat before;

	if (journal->broken || fstat(journal->fd, &before) < 0)
		return ERR_IO;
	buf_init(&line, LINE_BYTES_MAX);
	enum err err = format_line(&line, now_s, profile, certificate, owner, name);
	if (err)
		return err;
	err = write_line(journal->fd, &line);
	/* Half a line would swallow the next one. */
	if (err && ftruncate(journal->fd, before.st_size) < 0)
		journal->broken = true;
	return err;
}
