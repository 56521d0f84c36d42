#include "certs/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <openssl/asn1.h>
#include <openssl/sha.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/util.h"
#include "certs/cleanup.h"
#include "wire/enums.h"

enum { LINE_BYTES_MAX = 1024, FIELDS = 8 };

/* ---- memory ----------------------------------------------------------------------------- */

static void learn(struct journal *journal, const struct journal_known *known, bool is_device)
{
	journal->known[journal->known_next] = *known;
	journal->known_next = (journal->known_next + 1) % JOURNAL_KNOWN_MAX;
	if (journal->known_count < JOURNAL_KNOWN_MAX)
		journal->known_count++;
	journal->lines++;
	journal->devices |= is_device;
}

bool journal_knows(const struct journal *journal, uint32_t issuer,
		   const uint8_t serial[CERT_SERIAL_BYTES])
{
	/* Under 2 MiB from end to end, and who asks is counted. */
	for (size_t i = 0; i < journal->known_count; i++)
		if (journal->known[i].issuer == issuer &&
		    memcmp(journal->known[i].serial, serial, CERT_SERIAL_BYTES) == 0)
			return true;
	return false;
}

/* ---- reading ---------------------------------------------------------------------------- */

static bool is_device_profile(const char *code)
{
	return util_streq(code, cert_profile_code(CERT_DEVICE));
}

/* line: without its end; taken apart in place. */
static enum err learn_line(struct journal *journal, char *line)
{
	char *fields[FIELDS];
	struct journal_known known;
	int64_t number;
	size_t count = 0;

	for (char *rest = line, *field; (field = strsep(&rest, "\t"));) {
		if (count == FIELDS)
			return ERR_INVALID;
		fields[count++] = field;
	}
	if (count != FIELDS || util_parse_i64(fields[0], INT64_MIN, INT64_MAX, &number) ||
	    util_parse_i64(fields[1], 1, UINT32_MAX, &number) ||
	    util_unhex(fields[2], known.serial, sizeof(known.serial)))
		return ERR_INVALID;
	known.issuer = (uint32_t)number;
	learn(journal, &known, is_device_profile(fields[3]));
	return OK;
}

/* *ret_good: bytes of whole lines. */
static enum err read_lines(struct journal *journal, FILE *file, off_t *ret_good)
{
	char line[LINE_BYTES_MAX + 1];

	*ret_good = 0;
	while (fgets(line, sizeof(line), file)) {
		size_t len = strlen(line);
		if (len == 0 || line[len - 1] != '\n') {
			/* The end: half a line. Elsewhere: too long, or a NUL. */
			if (fgetc(file) == EOF && len < LINE_BYTES_MAX)
				return OK;
			return ERR_INVALID;
		}
		line[len - 1] = '\0';
		enum err err = learn_line(journal, line);
		if (err)
			return err;
		*ret_good += (off_t)len;
	}
	return ferror(file) ? ERR_IO : OK;
}

static enum err read_file(struct journal *journal)
{
	int fd = fcntl(journal->fd, F_DUPFD_CLOEXEC, 0);
	_cleanup_fclose_ FILE *file = fd < 0 ? NULL : fdopen(fd, "r");
	off_t good;

	if (!file) {
		util_closep(&fd);
		return err_from_errno(errno);
	}
	enum err err = read_lines(journal, file, &good);
	if (err) {
		log_error("journal-damaged", "after_lines=%" PRIu64 " error=%s", journal->lines,
			  err_code(err));
		return err;
	}
	struct stat status;
	if (fstat(journal->fd, &status) < 0)
		return err_from_errno(errno);
	if (!S_ISREG(status.st_mode) || status.st_size == good)
		return OK;
	log_warn("journal-cut", "bytes=%" PRId64, (int64_t)(status.st_size - good));
	return ftruncate(journal->fd, good) < 0 ? err_from_errno(errno) : OK;
}

enum err journal_open(struct journal *journal, const char *path)
{
	*journal =
		(struct journal){ .fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600) };
	if (journal->fd < 0)
		return err_from_errno(errno);
	journal->known = malloc(sizeof(*journal->known) * JOURNAL_KNOWN_MAX);
	enum err err = journal->known ? read_file(journal) : ERR_NOMEM;
	if (err)
		journal_close(journal);
	return err;
}

void journal_close(struct journal *journal)
{
	util_closep(&journal->fd);
	free(journal->known);
	*journal = (struct journal){ .fd = -1 };
}

/* ---- writing ---------------------------------------------------------------------------- */

static enum err format_line(struct buf *line, const struct journal_entry *entry,
			    const uint8_t serial[CERT_SERIAL_BYTES])
{
	uint8_t hash[SHA256_DIGEST_LENGTH];
	char serial_hex[2 * CERT_SERIAL_BYTES + 1], hash_hex[2 * sizeof(hash) + 1];
	struct tm until;

	if (X509_digest(entry->certificate, EVP_sha256(), hash, NULL) != 1 ||
	    ASN1_TIME_to_tm(X509_get0_notAfter(entry->certificate), &until) != 1)
		return ERR_CRYPTO;
	util_hex(serial, CERT_SERIAL_BYTES, serial_hex);
	util_hex(hash, sizeof(hash), hash_hex);
	return buf_printf(line, "%" PRId64 "\t%u\t%s\t%s\t%" PRId64 "\t%s\t%s\t%s\n", entry->now_s,
			  entry->issuer, serial_hex, entry->profile, (int64_t)timegm(&until),
			  hash_hex, entry->owner, entry->name);
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

enum err journal_add(struct journal *journal, const struct journal_entry *entry)
{
	struct journal_known known = { .issuer = entry->issuer };
	_cleanup_buf_ struct buf line;
	struct stat before;

	buf_init(&line, LINE_BYTES_MAX);
	if (journal->broken || fstat(journal->fd, &before) < 0)
		return ERR_IO;
	enum err err = x509_serial(entry->certificate, known.serial);
	if (!err)
		err = format_line(&line, entry, known.serial);
	if (err)
		return err;
	err = write_line(journal->fd, &line);
	/* Half a line would swallow the next one. */
	if (err && ftruncate(journal->fd, before.st_size) < 0)
		journal->broken = true;
	if (!err)
		learn(journal, &known, is_device_profile(entry->profile));
	return err;
}
