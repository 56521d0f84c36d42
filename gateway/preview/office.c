#include "preview/office.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "base/util.h"
#include "preview/kit.h"
#include "preview/room.h"
#include "wire/child.h"

/* Before the file on its way there, and before the PDF on its way back. */
struct head {
	uint64_t bytes;
	uint64_t end; /* enum document_end; without NONE nothing follows */
};

/* ---- between the two ------------------------------------------------------------------------- */

static enum err put(int fd, const void *data, size_t len)
{
	const uint8_t *bytes = data;

	while (len) {
		ssize_t sent = send(fd, bytes, len, MSG_NOSIGNAL);
		if (sent < 0 && errno == EINTR)
			continue;
		if (sent <= 0)
			return ERR_CLOSED;
		bytes += sent;
		len -= (size_t)sent;
	}
	return OK;
}

static enum err get(int fd, void *ret, size_t len)
{
	uint8_t *bytes = ret;

	while (len) {
		ssize_t got = read(fd, bytes, len);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return ERR_CLOSED;
		bytes += got;
		len -= (size_t)got;
	}
	return OK;
}

/* buf's max is what the other side may send. */
static enum err get_bytes(int fd, uint64_t len, struct buf *ret)
{
	uint8_t *at;
	enum err err = len <= ret->max ? buf_reserve(ret, (size_t)len, &at) : ERR_TOO_BIG;

	if (!err)
		err = get(fd, at, (size_t)len);
	if (!err)
		ret->len += (size_t)len;
	return err;
}

/* ---- the process ----------------------------------------------------------------------------- */

static enum document_end convert(const struct buf *document, struct buf *ret_pdf)
{
	if (!kit_installed()) {
		log_warn("office-missing",
			 "text=\"install libreoffice-writer-nogui, libreoffice-calc-nogui and "
			 "libreoffice-impress-nogui to show office files\"");
		return DOCUMENT_END_PROGRAM;
	}
	enum err err = room_enter();
	if (err) {
		log_error("office-unconfined",
			  "error=%s text=\"office files are not opened: they could not be shut "
			  "in\"",
			  err_code(err));
		return DOCUMENT_END_PROGRAM;
	}
	return kit_to_pdf(document, ret_pdf);
}

static enum err serve(int fd)
{
	_cleanup_buf_ struct buf document, pdf;
	struct head head;

	buf_init(&document, OFFICE_FILE_MAX);
	buf_init(&pdf, OFFICE_PDF_MAX);
	enum err err = get(fd, &head, sizeof(head));
	if (!err)
		err = get_bytes(fd, head.bytes, &document);
	if (err)
		return err;
	enum document_end end = convert(&document, &pdf);
	head = (struct head){ end ? 0 : pdf.len, end };
	err = put(fd, &head, sizeof(head));
	return err || end ? err : put(fd, pdf.data, pdf.len);
}

enum err office_start(int *ret_fd)
{
	int pair[2];
	pid_t parent = getpid();

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return err_from_errno(errno);
	pid_t pid = fork();
	if (pid < 0) {
		close(pair[0]);
		close(pair[1]);
		return err_from_errno(errno);
	}
	close(pair[pid ? 1 : 0]);
	if (pid) {
		*ret_fd = pair[0];
		return OK;
	}
	close(CHILD_MONITOR_FD);
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0 || getppid() != parent)
		_exit(EXIT_FAILURE);
	_exit(serve(pair[1]) ? EXIT_FAILURE : EXIT_SUCCESS);
}

/* ---- who wants a PDF ------------------------------------------------------------------------- */

bool office_is(const uint8_t *data, size_t len)
{
	/* OOXML and OpenDocument are zips; what was before is OLE, and so is OOXML with a password.
	 */
	static const char *const heads[] = { "PK\3\4", "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
					     "{\\rtf" };

	for (size_t i = 0; i < ARRAY_SIZE(heads); i++)
		if (len >= strlen(heads[i]) && !memcmp(data, heads[i], strlen(heads[i])))
			return true;
	return false;
}

static bool is_end(uint64_t end)
{
	return end == DOCUMENT_END_FORMAT || end == DOCUMENT_END_PASSWORD ||
	       end == DOCUMENT_END_PROGRAM || end == DOCUMENT_END_LIMITS;
}

enum document_end office_to_pdf(int fd, const struct buf *document, struct buf *ret_pdf)
{
	struct head head = { document->len, DOCUMENT_END_NONE };

	if (document->len > OFFICE_FILE_MAX)
		return DOCUMENT_END_LIMITS;
	enum err err = put(fd, &head, sizeof(head));
	if (!err)
		err = put(fd, document->data, document->len);
	/* Without an answer something has ended it. */
	if (err || get(fd, &head, sizeof(head)))
		return DOCUMENT_END_LIMITS;
	if (head.end)
		return is_end(head.end) ? (enum document_end)head.end : DOCUMENT_END_FAILED;
	return get_bytes(fd, head.bytes, ret_pdf) ? DOCUMENT_END_LIMITS : DOCUMENT_END_NONE;
}
