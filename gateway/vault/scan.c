#include "vault/scan.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "base/log.h"
#include "base/util.h"

enum { ANSWER_MAX = 1024, TURN = 8 /* pieces before others have their turn */ };

struct scan {
	struct loop_io io; /* its descriptor is owned */
	struct loop_timer timer;
	struct document_reader *reader;
	scan_done *done;
	void *ctx;
	/* What goes out: a head, then a piece of the reader's. */
	uint8_t head[16];
	size_t head_len, head_sent;
	const uint8_t *piece;
	size_t piece_len, piece_sent;
	bool all_sent;
	char answer[ANSWER_MAX];
	size_t answer_len;
};

static const char begin[] = "zINSTREAM"; /* with its NUL */
static const char clean[] = "stream: OK", before[] = "stream: ", found[] = " FOUND";

void scan_free(struct scan *scan)
{
	if (!scan)
		return;
	int fd = scan->io.fd;

	loop_timer_cancel(&scan->timer);
	loop_io_finish(&scan->io);
	util_closep(&fd);
	document_reader_free(scan->reader);
	free(scan);
}

static void failed(struct scan *scan, const char *why)
{
	log_warn("scan-failed", "why=\"%s\"", why);
	scan->done(scan->ctx, SCAN_FAILED, "");
}

static void timer_due(struct loop_timer *timer)
{
	failed(container_of(timer, struct scan, timer), "no answer in time");
}

/* ---- the answer ------------------------------------------------------------------------------ */

/* "stream: OK", "stream: <name> FOUND" or anything else, which is an error. */
static void take_answer(struct scan *scan)
{
	char name[SCAN_NAME_MAX];
	size_t len = strlen(scan->answer), edges = strlen(before) + strlen(found);

	if (util_streq(scan->answer, clean) && scan->all_sent) {
		scan->done(scan->ctx, SCAN_CLEAN, "");
		return;
	}
	if (len <= edges || strncmp(scan->answer, before, strlen(before)) != 0 ||
	    !util_streq(scan->answer + len - strlen(found), found) ||
	    !util_text_plain(scan->answer)) {
		failed(scan, util_text_plain(scan->answer) ? scan->answer : "rubbish");
		return;
	}
	snprintf(name, sizeof(name), "%.*s", (int)MIN(len - edges, sizeof(name) - 1),
		 scan->answer + strlen(before));
	scan->done(scan->ctx, SCAN_FOUND, name);
}

/* True: it is over, and scan is no more. */
static bool hear(struct scan *scan)
{
	ssize_t got = recv(scan->io.fd, scan->answer + scan->answer_len,
			   sizeof(scan->answer) - 1 - scan->answer_len, 0);

	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (got > 0) {
		scan->answer_len += (size_t)got;
		scan->answer[scan->answer_len] = '\0';
		if (!memchr(scan->answer, '\0', scan->answer_len) &&
		    scan->answer_len < sizeof(scan->answer) - 1)
			return false;
		take_answer(scan);
		return true;
	}
	failed(scan, got < 0 ? strerror(errno) : "it hung up");
	return true;
}

/* ---- the document ---------------------------------------------------------------------------- */

static enum err next_piece(struct scan *scan)
{
	enum err err = document_reader_next(scan->reader, &scan->piece, &scan->piece_len);
	uint32_t len = htonl((uint32_t)scan->piece_len);

	if (err)
		return err;
	memcpy(scan->head, &len, sizeof(len));
	scan->head_len = sizeof(len);
	scan->head_sent = scan->piece_sent = 0;
	scan->all_sent = scan->piece_len == 0;
	return OK;
}

static enum err send_some(struct scan *scan, const uint8_t *data, size_t len, size_t *sent)
{
	ssize_t went = send(scan->io.fd, data + *sent, len - *sent, MSG_NOSIGNAL);

	if (went < 0)
		return errno == EINTR ? OK : err_from_errno(errno);
	*sent += (size_t)went;
	loop_timer_set(&scan->timer, SCAN_WAIT_S * 1000000ULL);
	return OK;
}

/* ERR_UNAVAILABLE: the daemon takes no more for now. */
static enum err tell(struct scan *scan)
{
	if (scan->head_sent < scan->head_len)
		return send_some(scan, scan->head, scan->head_len, &scan->head_sent);
	if (scan->piece_sent < scan->piece_len)
		return send_some(scan, scan->piece, scan->piece_len, &scan->piece_sent);
	return next_piece(scan);
}

static bool told(const struct scan *scan)
{
	return scan->all_sent && scan->head_sent == scan->head_len;
}

/* It may answer before it has everything. */
static void ready(struct loop_io *io, uint32_t events)
{
	struct scan *scan = container_of(io, struct scan, io);
	enum err err = OK;

	if (events & (EPOLLIN | EPOLLHUP | EPOLLERR) && hear(scan))
		return;
	for (int i = 0; !err && i < TURN && !told(scan); i++)
		err = tell(scan);
	if (!err && told(scan))
		err = loop_io_set(&scan->io, EPOLLIN);
	/* One that hangs up has perhaps said why. */
	if (err && err != ERR_UNAVAILABLE && err != ERR_CLOSED)
		failed(scan, err_text_en(err));
}

enum err scan_new(struct loop *loop, int fd, struct document_reader *reader, scan_done *done,
		  void *ctx, struct scan **ret)
{
	struct scan *scan = calloc(1, sizeof(*scan));
	enum err err = ERR_NOMEM;

	if (scan) {
		scan->reader = reader;
		scan->done = done;
		scan->ctx = ctx;
		memcpy(scan->head, begin, sizeof(begin));
		scan->head_len = sizeof(begin);
		loop_timer_init(loop, &scan->timer, timer_due);
		err = loop_io_init(loop, &scan->io, fd, EPOLLIN | EPOLLOUT, ready);
	}
	if (err) {
		close(fd);
		document_reader_free(reader);
		free(scan);
		return err;
	}
	loop_timer_set(&scan->timer, SCAN_WAIT_S * 1000000ULL);
	*ret = scan;
	return OK;
}
