#include "vault/document_preview.h"

#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/util.h"

enum preview_state {
	PREVIEW_RESTS,  /* until the browser asks for a page */
	PREVIEW_FEEDS,  /* sekisho-preview gets the document */
	PREVIEW_ASKS,   /* it has it all, and hears which page */
	PREVIEW_DRAWS,  /* it draws that */
	PREVIEW_TELLS,  /* the browser hears which page comes */
	PREVIEW_RELAYS, /* the picture goes to the browser */
};

struct preview {
	struct document_stream stream;
	struct document_preview_order order;
	enum preview_state state;
	struct loop_io helper; /* its descriptor is owned; -1: none */
	struct loop_timer patience;
	bool started;                 /* and has to be ended */
	const uint8_t *piece;         /* the reader's */
	size_t left;                  /* of it */
	uint32_t number;              /* of the page that was asked for */
	struct msg_preview_page page; /* the last one; pages 0: there was none yet */
	uint64_t sent, got;           /* of its picture, to and by the browser */
	struct ipc_received picture;  /* a part of it that goes to the browser */
	bool part_waits;              /* it has not gone yet */
	uint64_t rests_us;            /* since then */
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

static void order_finish(const struct document_preview_order *order)
{
	document_reader_free(order->reader);
	free(order->look);
}

static void preview_free(struct document_stream *stream)
{
	struct preview *preview = preview_of(stream);

	leave_helper(preview);
	ipc_received_finish(&preview->picture);
	order_finish(&preview->order);
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
	const struct msg_preview_start msg = { .bytes = preview->order.size, .who = stream->who };
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
	return err ? err : ipc_send(preview->helper.fd, MSG_preview_start, &msg, -1);
}

/* While it does not take more, its browser is listened to, which has nothing to say. */
static enum document_step tell_helper(struct preview *preview, uint16_t id, const void *msg)
{
	enum err err = ipc_send(preview->helper.fd, id, msg, -1);

	if (err == ERR_UNAVAILABLE)
		return STEP_READ;
	return err ? lost(preview, err) : STEP_GO_ON;
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
	if (!preview->left) {
		document_reader_free(preview->order.reader);
		preview->order.reader = NULL;
		preview->state = PREVIEW_ASKS;
	}
	return STEP_GO_ON;
}

static enum document_step feed(struct preview *preview)
{
	const size_t len = MIN(preview->left, (size_t)DOCUMENT_MESSAGE);
	const struct msg_preview_data msg = { { preview->piece, len } };

	if (!preview->left)
		return next_piece(preview);
	enum document_step step = tell_helper(preview, MSG_preview_data, &msg);
	if (step != STEP_GO_ON)
		return step;
	preview->piece += len;
	preview->left -= len;
	return STEP_GO_ON;
}

static enum document_step ask_page(struct preview *preview)
{
	const struct msg_preview_show msg = { .page = preview->number };
	enum document_step step = tell_helper(preview, MSG_preview_show, &msg);

	if (step == STEP_GO_ON)
		preview->state = PREVIEW_DRAWS;
	return step;
}

/* ---- the picture ----------------------------------------------------------------------------- */

/* The next message of the helper's, which must be of that type; 0: there must be none. */
static enum document_step hear_helper(struct preview *preview, uint16_t id)
{
	ipc_received_finish(&preview->picture);
	preview->picture.fd = -1;
	enum err err = ipc_receive(preview->helper.fd, WIRE_PREVIEW, WIRE_VAULT, &preview->picture);
	if (err == ERR_UNAVAILABLE)
		return STEP_READ;
	if (err)
		return lost(preview, err);
	return preview->picture.type->id == id ? STEP_GO_ON : lost(preview, ERR_PROTOCOL);
}

/* A document does not become longer or shorter. */
static bool is_page(const struct preview *preview, const struct msg_preview_page *page)
{
	const uint32_t before = preview->page.pages;

	return page->pages >= preview->number && page->pages <= PREVIEW_PAGE_MAX &&
	       (!before || page->pages == before) && page->bytes &&
	       page->bytes <= PREVIEW_PICTURE_MAX;
}

static enum document_step take_page(struct preview *preview)
{
	enum document_step step = hear_helper(preview, MSG_preview_page);

	if (step != STEP_GO_ON)
		return step;
	const struct msg_preview_page page = preview->picture.msg.preview_page;
	switch (page.error) {
	case DOCUMENT_END_NONE:
		if (!is_page(preview, &page))
			return lost(preview, ERR_PROTOCOL);
		preview->page = page;
		loop_timer_cancel(&preview->patience);
		/* A browser that reads nothing does not hear of it. */
		loop_timer_set(&preview->stream.idle, DOCUMENT_IDLE_S * 1000000ULL);
		preview->state = PREVIEW_TELLS;
		return STEP_GO_ON;
	case DOCUMENT_END_FORMAT:
	case DOCUMENT_END_PROGRAM:
	case DOCUMENT_END_LIMITS:
	case DOCUMENT_END_PASSWORD:
		return end(preview, page.error);
	default:
		return end(preview, DOCUMENT_END_FAILED);
	}
}

static enum document_step tell_page(struct preview *preview)
{
	const struct msg_document_page msg = { .page = preview->number,
					       .pages = preview->page.pages,
					       .bytes = preview->page.bytes };
	enum document_step step = document_stream_send(&preview->stream, MSG_document_page, &msg);

	if (step == STEP_GO_ON)
		preview->state = PREVIEW_RELAYS;
	return step;
}

static enum document_step rest(struct preview *preview)
{
	preview->state = PREVIEW_RESTS;
	preview->stream.at_rest = true;
	preview->rests_us = clock_mono_us();
	return STEP_GO_ON;
}

/* What a browser is given as a picture is one, by its first bytes. */
static enum document_step take_part(struct preview *preview)
{
	static const uint8_t png[] = { 0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n' };
	enum document_step step = hear_helper(preview, MSG_preview_picture);
	const struct bytes *data = &preview->picture.msg.preview_picture.data;

	if (step != STEP_GO_ON)
		return step;
	if (!data->len || data->len > preview->page.bytes - preview->sent ||
	    (!preview->sent &&
	     (data->len < sizeof(png) || memcmp(data->data, png, sizeof(png)) != 0)))
		return lost(preview, ERR_PROTOCOL);
	preview->part_waits = true;
	return STEP_GO_ON;
}

static enum document_step send_part(struct preview *preview)
{
	const struct bytes *data = &preview->picture.msg.preview_picture.data;
	const struct msg_document_data msg = { preview->sent, *data };
	enum document_step step = document_stream_send(&preview->stream, MSG_document_data, &msg);

	if (step != STEP_GO_ON)
		return step;
	preview->part_waits = false;
	preview->sent += data->len;
	preview->stream.bytes += data->len;
	return STEP_GO_ON;
}

static enum document_step relay(struct preview *preview)
{
	if (preview->part_waits)
		return send_part(preview);
	if (preview->sent == preview->page.bytes)
		return rest(preview);
	return preview->sent - preview->got >= DOCUMENT_WINDOW ? STEP_READ : take_part(preview);
}

/* ---- the browser ----------------------------------------------------------------------------- */

/* What may be seen is looked at anew for each page: the stream may be open for long. */
static enum document_step show(struct preview *preview, uint32_t number)
{
	struct document_stream *stream = &preview->stream;
	const uint32_t pages = preview->page.pages ? preview->page.pages : PREVIEW_PAGE_MAX;

	if (preview->state != PREVIEW_RESTS)
		return document_stream_broken(stream, "order");
	if (!number || number > pages)
		return document_stream_broken(stream, "page");
	if (!preview->order.may(preview->order.look))
		return end(preview, DOCUMENT_END_ENDED);
	preview->number = number;
	preview->sent = preview->got = 0;
	preview->state = preview->started ? PREVIEW_ASKS : PREVIEW_FEEDS;
	stream->at_rest = false;
	loop_timer_cancel(&stream->idle);
	loop_timer_set(&preview->patience, PREVIEW_WAIT_S * 1000000ULL);
	return preview->started || !start_helper(preview) ? STEP_GO_ON
							  : end(preview, DOCUMENT_END_FAILED);
}

static enum document_step preview_message(struct document_stream *stream,
					  const struct ipc_received *received)
{
	struct preview *preview = preview_of(stream);

	if (received->type->id == MSG_document_show)
		return show(preview, received->msg.document_show.page);
	if (received->type->id != MSG_document_got)
		return document_stream_broken(stream, "kind");
	const uint64_t got = received->msg.document_got.bytes;
	if (got <= preview->got || got > preview->sent)
		return document_stream_broken(stream, "order");
	preview->got = got;
	return STEP_GO_ON;
}

static enum document_step preview_next(struct document_stream *stream)
{
	struct preview *preview = preview_of(stream);

	switch (preview->state) {
	case PREVIEW_RESTS:
		return preview->started ? hear_helper(preview, 0) : STEP_READ;
	case PREVIEW_FEEDS:
		return feed(preview);
	case PREVIEW_ASKS:
		return ask_page(preview);
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

/* Whether another one may begin of that account, 0: of all. One at rest goes for it. */
static bool has_room(struct document_streams *all, uint64_t account, unsigned most)
{
	struct preview *longest = NULL;
	unsigned count = 0;

	for (struct document_stream *at = all->first; at; at = at->next) {
		struct preview *preview = preview_of(at);

		if (at->ops != &preview_ops || (account && at->account != account))
			continue;
		count++;
		if (at->at_rest && (!longest || preview->rests_us < longest->rests_us))
			longest = preview;
	}
	if (count >= most && longest) {
		end(longest, DOCUMENT_END_TIME);
		count--;
	}
	return count < most;
}

enum err document_preview_new(struct document_streams *all,
			      const struct document_preview_order *order, uint32_t *ret_number)
{
	const bool room =
		has_room(all, order->account, PREVIEWS_OF_ONE) && has_room(all, 0, PREVIEWS_MAX);
	struct preview *preview = room ? calloc(1, sizeof(*preview)) : NULL;

	if (!preview) {
		order_finish(order);
		return room ? ERR_NOMEM : ERR_FULL;
	}
	preview->order = *order;
	preview->helper.fd = preview->picture.fd = -1;
	preview->stream.account = order->account;
	preview->stream.record = order->record;
	loop_timer_init(all->loop, &preview->patience, patience_over);
	enum err err = document_stream_add(all, &preview->stream, &preview_ops, ret_number);
	if (err)
		preview_free(&preview->stream);
	return err;
}
