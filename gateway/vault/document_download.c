#include "vault/document_download.h"

#include <string.h>

#include "base/log.h"
#include "base/util.h"
#include "vault/document_sum.h"

struct download {
	struct document_stream stream;
	struct document_download_order order;
	struct document_sum *sum;
	bool asked;           /* the page is ready */
	uint64_t got;         /* by the page */
	const uint8_t *piece; /* the reader's */
	size_t left;          /* of it */
};

static struct download *download_of(struct document_stream *stream)
{
	return container_of(stream, struct download, stream);
}

static void download_free(struct document_stream *stream)
{
	struct download *download = download_of(stream);

	document_reader_free(download->order.reader);
	document_sum_free(download->sum);
	free(download);
}

static enum document_step download_message(struct document_stream *stream,
					   const struct ipc_received *received)
{
	struct download *download = download_of(stream);
	uint64_t got = received->msg.document_got.bytes;

	if (received->type->id != MSG_document_got)
		return document_stream_broken(stream, "kind");
	if (got < download->got || got > stream->bytes || (download->asked && got == download->got))
		return document_stream_broken(stream, "order");
	download->got = got;
	download->asked = true;
	return STEP_GO_ON;
}

static enum document_step whole(struct download *download)
{
	uint8_t sum[DOCUMENT_SUM];

	if (document_sum_end(download->sum, sum))
		return document_stream_end(&download->stream, DOCUMENT_END_FAILED, NULL);
	return document_stream_end(&download->stream, DOCUMENT_END_NONE, sum);
}

static enum document_step next_piece(struct download *download)
{
	struct document_stream *stream = &download->stream;
	enum err err =
		document_reader_next(download->order.reader, &download->piece, &download->left);

	if (err) {
		log_error("document-damaged", "stream=%u record=%llu error=%s", stream->number,
			  (unsigned long long)stream->record, err_code(err));
		return document_stream_end(stream, DOCUMENT_END_DAMAGED, NULL);
	}
	if (!download->left)
		return whole(download);
	if (document_sum_add(download->sum, download->piece, download->left))
		return document_stream_end(stream, DOCUMENT_END_FAILED, NULL);
	return STEP_GO_ON;
}

static enum document_step send_some(struct download *download)
{
	struct document_stream *stream = &download->stream;
	size_t len = MIN(download->left, (size_t)DOCUMENT_MESSAGE);
	const struct msg_document_data msg = { stream->bytes, { download->piece, len } };
	enum document_step step = document_stream_send(stream, MSG_document_data, &msg);

	if (step != STEP_GO_ON)
		return step;
	download->piece += len;
	download->left -= len;
	stream->bytes += len;
	return STEP_GO_ON;
}

static enum document_step download_next(struct document_stream *stream)
{
	struct download *download = download_of(stream);

	if (!download->asked || stream->bytes - download->got >= DOCUMENT_WINDOW)
		return STEP_READ;
	return download->left ? send_some(download) : next_piece(download);
}

static const struct document_stream_ops download_ops = { download_next, download_message,
							 download_free };

enum err document_download_new(struct document_streams *all,
			       const struct document_download_order *order, uint32_t *ret_number)
{
	struct download *download = calloc(1, sizeof(*download));

	if (!download) {
		document_reader_free(order->reader);
		return ERR_NOMEM;
	}
	download->order = *order;
	download->stream.account = order->account;
	download->stream.record = order->record;
	enum err err = document_sum_new(&download->sum);
	if (!err)
		err = document_stream_add(all, &download->stream, &download_ops, ret_number);
	if (err)
		download_free(&download->stream);
	return err;
}
