#include "vault/document_preview.h"

#include <string.h>

#include "base/log.h"
#include "base/util.h"
#include "vault/document_sum.h"

enum preview_state {
	PREVIEW_NEW,    /* the page has not asked yet */
	PREVIEW_FEEDS,  /* sekisho-preview gets the document */
	PREVIEW_DRAWS,  /* it has it all */
	PREVIEW_TELLS,  /* the page hears which one comes */
	PREVIEW_RELAYS, /* the picture goes to the page */
};

struct preview {
	struct document_stream stream;
	struct document_preview_order order;
	enum preview_state state;
	struct loop_io helper; /* its descriptor is owned; -1: none */
	struct loop_timer patience;
	bool started;         /* and has to be ended */
	const uint8_t *piece; /* the reader's */
	size_t left;          /* of it */
	uint64_t got;         /* by the page */
	struct msg_preview_page page;
	struct ipc_received picture; /* a part of it that goes to the page */
	size_t picture_sent;         /* of that */
	struct document_sum *sum;
};

static struct preview *preview_of(struct document_stream *stream)
{
	return container_of(stream, struct preview, stream);
}

static void leave_helper(struct preview *preview)
{
	int fd = preview->helper.fd;

	loop_timer_cancel(&preview->patience);
	loop_io_finish(&preview->helper);
	util_closep(&fd);
	preview->helper.fd = -1;
	if (preview->started)
		preview->order.kill(preview->order.ctx, preview->stream.number);
	preview->started = false;
}

static void preview_free(struct document_stream *stream)
{
	struct preview *preview = preview_of(stream);

	leave_helper(preview);
	ipc_received_finish(&preview->picture);
	document_reader_free(preview->order.reader);
	document_sum_free(preview->sum);
	free(preview);
}

static enum document_step end(struct preview *preview, enum document_end why)
{
	return document_stream_end(&preview->stream, why, NULL);
}

/* It hung up without a word: something ended it. */
static enum document_step lost(struct preview *preview, enum err err)
{
	log_warn("preview-lost", "stream=%u error=%s", preview->stream.number, err_code(err));
	return end(preview, err == ERR_CLOSED ? DOCUMENT_END_LIMITS : DOCUMENT_END_FAILED);
}

static void patience_over(struct loop_timer *timer)
{
	end(container_of(timer, struct preview, patience), DOCUMENT_END_LIMITS);
}

static void helper_ready(struct loop_io *io, uint32_t events)
{
	struct preview *preview = container_of(io, struct preview, helper);

	(void)events;
	document_stream_wake(&preview->stream);
}

/* ---- the document ---------------------------------------------------------------------------- */

static enum err start_helper(struct preview *preview)
{
	struct document_stream *stream = &preview->stream;
	const struct msg_preview_start msg = { .bytes = preview->order.size,
					       .page = preview->order.page,
					       .who = stream->who };
	int pair[2];
	enum err err = ipc_pair(pair);

	if (err)
		return err;
	/* Edges: while nobody listens to it, one that has hung up would be ready all the time. */
	err = loop_io_init(stream->all->loop, &preview->helper, pair[0],
			   EPOLLIN | EPOLLOUT | EPOLLET, helper_ready);
	if (err) {
		preview->helper.fd = -1;
		close(pair[0]);
		close(pair[1]);
		return err;
	}
	preview->started = true;
	err = preview->order.spawn(preview->order.ctx, stream->number, pair[1]);
	if (!err)
		err = ipc_send(preview->helper.fd, MSG_preview_start, &msg, -1);
	loop_timer_cancel(&stream->idle);
	loop_timer_set(&preview->patience, PREVIEW_WAIT_S * 1000000ULL);
	preview->state = PREVIEW_FEEDS;
	return err;
}

static enum document_step next_piece(struct preview *preview)
{
	enum err err = document_reader_next(preview->order.reader, &preview->piece, &preview->left);

	if (err) {
		log_error("document-damaged", "stream=%u record=%llu error=%s",
			  preview->stream.number, (unsigned long long)preview->stream.record,
			  err_code(err));
		return end(preview, DOCUMENT_END_DAMAGED);
	}
	if (!preview->left)
		preview->state = PREVIEW_DRAWS;
	return STEP_GO_ON;
}

static enum document_step feed(struct preview *preview)
{
	const size_t len = MIN(preview->left, (size_t)DOCUMENT_MESSAGE);
	const struct msg_preview_data msg = { { preview->piece, len } };

	if (!preview->left)
		return next_piece(preview);
	enum err err = ipc_send(preview->helper.fd, MSG_preview_data, &msg, -1);
	if (err == ERR_UNAVAILABLE)
		return STEP_WAIT;
	if (err)
		return lost(preview, err);
	preview->piece += len;
	preview->left -= len;
	return STEP_GO_ON;
}

/* ---- the picture ----------------------------------------------------------------------------- */

/* The next message of the helper's, which must be of that type. */
static enum document_step hear_helper(struct preview *preview, uint16_t id)
{
	ipc_received_finish(&preview->picture);
	preview->picture.fd = -1;
	enum err err = ipc_receive(preview->helper.fd, WIRE_PREVIEW, WIRE_VAULT, &preview->picture);
	if (err == ERR_UNAVAILABLE)
		return STEP_WAIT;
	if (err)
		return lost(preview, err);
	return preview->picture.type->id == id ? STEP_GO_ON : lost(preview, ERR_PROTOCOL);
}

static bool is_page(const struct preview *preview, const struct msg_preview_page *page)
{
	return page->pages >= preview->order.page && page->pages <= PREVIEW_PAGE_MAX &&
	       page->bytes && page->bytes <= PREVIEW_PICTURE_MAX;
}

static enum document_step take_page(struct preview *preview)
{
	enum document_step step = hear_helper(preview, MSG_preview_page);

	if (step != STEP_GO_ON)
		return step;
	preview->page = preview->picture.msg.preview_page;
	switch (preview->page.error) {
	case DOCUMENT_END_NONE:
		if (!is_page(preview, &preview->page))
			return lost(preview, ERR_PROTOCOL);
		loop_timer_cancel(&preview->patience);
		preview->state = PREVIEW_TELLS;
		return STEP_GO_ON;
	case DOCUMENT_END_FORMAT:
	case DOCUMENT_END_PROGRAM:
	case DOCUMENT_END_LIMITS:
	case DOCUMENT_END_PASSWORD:
		return end(preview, preview->page.error);
	default:
		return end(preview, DOCUMENT_END_FAILED);
	}
}

static enum document_step tell_page(struct preview *preview)
{
	const struct msg_document_page msg = { .page = preview->order.page,
					       .pages = preview->page.pages };
	enum document_step step = document_stream_send(&preview->stream, MSG_document_page, &msg);

	if (step == STEP_GO_ON)
		preview->state = PREVIEW_RELAYS;
	preview->picture_sent = 0;
	return step;
}

static enum document_step whole(struct preview *preview)
{
	uint8_t sum[DOCUMENT_SUM];

	if (document_sum_end(preview->sum, sum))
		return end(preview, DOCUMENT_END_FAILED);
	leave_helper(preview);
	return document_stream_end(&preview->stream, DOCUMENT_END_NONE, sum);
}

/* What a browser is given as a picture is one, by its first bytes. */
static enum document_step take_part(struct preview *preview)
{
	static const uint8_t png[] = { 0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n' };
	enum document_step step = hear_helper(preview, MSG_preview_picture);
	const struct bytes *data = &preview->picture.msg.preview_picture.data;

	if (step != STEP_GO_ON)
		return step;
	preview->picture_sent = 0;
	if (!data->len || data->len > preview->page.bytes - preview->stream.bytes ||
	    (!preview->stream.bytes &&
	     (data->len < sizeof(png) || memcmp(data->data, png, sizeof(png)) != 0)) ||
	    document_sum_add(preview->sum, data->data, data->len))
		return lost(preview, ERR_PROTOCOL);
	return STEP_GO_ON;
}

static bool has_part(const struct preview *preview)
{
	const struct ipc_received *picture = &preview->picture;

	return picture->type && picture->type->id == MSG_preview_picture &&
	       preview->picture_sent < picture->msg.preview_picture.data.len;
}

static enum document_step relay(struct preview *preview)
{
	struct document_stream *stream = &preview->stream;

	if (has_part(preview)) {
		const struct bytes *data = &preview->picture.msg.preview_picture.data;
		const struct msg_document_data msg = { stream->bytes, *data };
		enum document_step step = document_stream_send(stream, MSG_document_data, &msg);

		if (step != STEP_GO_ON)
			return step;
		preview->picture_sent = data->len;
		stream->bytes += data->len;
		return STEP_GO_ON;
	}
	if (stream->bytes == preview->page.bytes)
		return whole(preview);
	return stream->bytes - preview->got >= DOCUMENT_WINDOW ? STEP_READ : take_part(preview);
}

/* ---- the page -------------------------------------------------------------------------------- */

static enum document_step preview_message(struct document_stream *stream,
					  const struct ipc_received *received)
{
	struct preview *preview = preview_of(stream);
	uint64_t got = received->msg.document_got.bytes;

	if (received->type->id != MSG_document_got)
		return document_stream_broken(stream, "kind");
	if (preview->state == PREVIEW_NEW && got == 0)
		return start_helper(preview) ? end(preview, DOCUMENT_END_FAILED) : STEP_GO_ON;
	if (preview->state == PREVIEW_NEW || got <= preview->got || got > stream->bytes)
		return document_stream_broken(stream, "order");
	preview->got = got;
	return STEP_GO_ON;
}

static enum document_step preview_next(struct document_stream *stream)
{
	struct preview *preview = preview_of(stream);

	switch (preview->state) {
	case PREVIEW_NEW:
		return STEP_READ;
	case PREVIEW_FEEDS:
		return feed(preview);
	case PREVIEW_DRAWS:
		return take_page(preview);
	case PREVIEW_TELLS:
		return tell_page(preview);
	case PREVIEW_RELAYS:
		return relay(preview);
	}
	return end(preview, DOCUMENT_END_FAILED);
}

static const struct document_stream_ops preview_ops = { preview_next, preview_message,
							preview_free };

static bool has_enough(const struct document_streams *all, uint64_t account)
{
	unsigned own = 0;

	for (const struct document_stream *at = all->first; at; at = at->next)
		own += at->account == account && at->ops == &preview_ops;
	return own >= PREVIEWS_OF_ONE;
}

enum err document_preview_new(struct document_streams *all,
			      const struct document_preview_order *order, uint32_t *ret_number)
{
	const bool full = has_enough(all, order->account);
	struct preview *preview = full ? NULL : calloc(1, sizeof(*preview));

	if (!preview) {
		document_reader_free(order->reader);
		return full ? ERR_FULL : ERR_NOMEM;
	}
	preview->order = *order;
	preview->helper.fd = preview->picture.fd = -1;
	preview->stream.account = order->account;
	preview->stream.record = order->record;
	loop_timer_init(all->loop, &preview->patience, patience_over);
	enum err err = document_sum_new(&preview->sum);
	if (!err)
		err = document_stream_add(all, &preview->stream, &preview_ops, ret_number);
	if (err)
		preview_free(&preview->stream);
	return err;
}
