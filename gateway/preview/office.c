#include "preview/office.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "base/util.h"
#include "preview/kit.h"
#include "preview/libreoffice.h"
#include "preview/room.h"
#include "wire/child.h"

enum { END_WAIT_MS = 1000, END_LOOK_MS = 10 };

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

/* ---- how it has ended ------------------------------------------------------------------------ */

/* The one child's; the sandbox does not let waitpid(2). end_kind: CLD_…, 0: it has not. */
static volatile sig_atomic_t end_kind, end_value;

static void note_end(int number, siginfo_t *info, void *context)
{
	(void)number;
	(void)context;
	end_value = info->si_status;
	end_kind = info->si_code;
}

/* Its end of the socket pair goes a moment before it does. */
static void log_end(void)
{
	for (int ms = 0; !end_kind && ms < END_WAIT_MS; ms += END_LOOK_MS)
		poll(NULL, 0, END_LOOK_MS);
	if (!end_kind) {
		log_warn("office-ended", "how=\"without an answer\"");
	} else if (end_kind == CLD_EXITED) {
		log_warn("office-ended", "how=\"exit code %d\"", (int)end_value);
	} else {
		const char *name = sigabbrev_np(end_value);

		log_warn("office-ended", "how=\"signal %d %s%s\"", (int)end_value, name ? name : "",
			 end_value == SIGSYS    ? ": a system call that its sandbox forbids"
			 : end_value == SIGKILL ? ": its processor time was over, or the machine's "
						  "memory"
						: "");
	}
}

/* ---- the process ----------------------------------------------------------------------------- */

static enum document_end convert(const struct buf *document, struct buf *ret_pdf)
{
	if (!libreoffice_installed()) {
		log_warn("office-missing",
			 "text=\"to show office files install " LIBREOFFICE_PACKAGES "\"");
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
	/* It ends long before this one, which cannot wait for it. */
	const struct sigaction noted = { .sa_sigaction = note_end,
					 .sa_flags = SA_SIGINFO | SA_NOCLDSTOP | SA_NOCLDWAIT |
						     SA_RESTART };
	pid_t parent = getpid();

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return err_from_errno(errno);
	pid_t pid = sigaction(SIGCHLD, &noted, NULL) < 0 ? -1 : fork();
	if (pid < 0) {
		enum err err = err_from_errno(errno);
		close(pair[0]);
		close(pair[1]);
		return err;
	}
	close(pair[pid ? 1 : 0]);
	if (pid) {
		*ret_fd = pair[0];
		return OK;
	}
	close(CHILD_MONITOR_FD);
	signal(SIGCHLD, SIG_DFL);
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
	if (err || get(fd, &head, sizeof(head))) {
		log_end();
		return DOCUMENT_END_LIMITS;
	}
	if (head.end)
		return is_end(head.end) ? (enum document_end)head.end : DOCUMENT_END_FAILED;
	err = get_bytes(fd, head.bytes, ret_pdf);
	if (err == ERR_CLOSED)
		log_end();
	return err ? DOCUMENT_END_LIMITS : DOCUMENT_END_NONE;
}
