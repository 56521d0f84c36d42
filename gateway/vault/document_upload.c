#include "vault/document_upload.h"

#include <openssl/evp.h>
#include <string.h>

#include "base/log.h"
#include "base/util.h"
#include "vault/document_sum.h"

enum upload_state {
	UPLOAD_COMES,
	UPLOAD_WAITS, /* for the scanner */
	UPLOAD_LOOKED_AT,
	UPLOAD_STORED,
};

struct upload {
	struct document_stream stream;
	struct document_upload_order order;
	struct document_writer *writer;
	EVP_MD_CTX *hash; /* of all that came */
	struct document_sum *sum;
	enum upload_state state;
	bool on_disk;  /* the file has its name */
	uint64_t told; /* document_taken */
	struct scan *scan;
	struct document_upload_facts facts;
};

static struct upload *upload_of(struct document_stream *stream)
{
	return container_of(stream, struct upload, stream);
}

static void upload_free(struct document_stream *stream)
{
	struct upload *upload = upload_of(stream);

	scan_free(upload->scan);
	document_writer_free(upload->writer);
	if (upload->on_disk && upload->state != UPLOAD_STORED &&
	    document_file_remove(&upload->order.place))
		log_error("document-left", "document=%llu",
			  (unsigned long long)upload->order.place.document);
	EVP_MD_CTX_free(upload->hash);
	document_sum_free(upload->sum);
	secret_free(upload->order.key);
	if (upload->order.free_ctx)
		upload->order.free_ctx(upload->order.ctx);
	free(upload);
}

static enum document_step failed(struct upload *upload, enum err err)
{
	log_warn("document-not-kept", "stream=%u error=%s", upload->stream.number, err_code(err));
	return document_stream_end(&upload->stream,
				   err == ERR_FULL     ? DOCUMENT_END_DISK
				   : err == ERR_LOCKED ? DOCUMENT_END_SEALED
				   : err == ERR_DENIED ? DOCUMENT_END_ENDED
						       : DOCUMENT_END_FAILED,
				   NULL);
}

/* ---- the scanner ----------------------------------------------------------------------------- */

static enum document_step store(struct upload *upload)
{
	enum err err = upload->order.store(upload->order.ctx, &upload->facts);

	if (err)
		return failed(upload, err);
	upload->state = UPLOAD_STORED;
	return document_stream_end(
		&upload->stream, upload->facts.infected ? DOCUMENT_END_INFECTED : DOCUMENT_END_NONE,
		NULL);
}

static void scanned(void *ctx, enum scan_result result, const char *name)
{
	struct upload *upload = ctx;

	scan_free(util_take_ptr(upload->scan));
	if (result == SCAN_FAILED) {
		document_stream_end(&upload->stream, DOCUMENT_END_SCANNER, NULL);
		return;
	}
	upload->facts.infected = result != SCAN_CLEAN;
	snprintf(upload->facts.found, sizeof(upload->facts.found), "%s", name);
	store(upload);
}

static enum err begin_scan(struct upload *upload, int fd)
{
	_cleanup_close_ int owned = fd;
	struct document_reader *reader;
	enum err err = document_reader_new(&upload->order.place, upload->order.key,
					   upload->order.size, &reader);

	if (err)
		return err;
	upload->state = UPLOAD_LOOKED_AT;
	loop_timer_cancel(&upload->stream.idle); /* the scan has its own */
	return scan_new(upload->stream.all->loop, util_take_fd(&owned), reader, scanned, upload,
			&upload->scan);
}

void document_upload_scanner(struct document_streams *all, uint32_t number, int fd)
{
	struct document_stream *stream = document_streams_find(all, number);
	struct upload *upload;

	if (!stream || stream->ops->free != upload_free ||
	    upload_of(stream)->state != UPLOAD_WAITS) {
		util_closep(&fd);
		return;
	}
	upload = upload_of(stream);
	if (fd < 0) {
		document_stream_end(stream, DOCUMENT_END_SCANNER, NULL);
		return;
	}
	enum err err = begin_scan(upload, fd);
	if (err)
		failed(upload, err);
}

/* ---- the page -------------------------------------------------------------------------------- */

static enum document_step take_bytes(struct upload *upload, const struct msg_document_put *msg)
{
	uint64_t left = upload->order.size - upload->stream.bytes;

	if (msg->offset != upload->stream.bytes || msg->data.len > left || !msg->data.len)
		return document_stream_broken(&upload->stream, "order");
	enum err err = document_writer_add(upload->writer, msg->data.data, msg->data.len);
	if (!err && EVP_DigestUpdate(upload->hash, msg->data.data, msg->data.len) != 1)
		err = ERR_CRYPTO;
	if (!err)
		err = document_sum_add(upload->sum, msg->data.data, msg->data.len);
	if (err)
		return failed(upload, err);
	upload->stream.bytes += msg->data.len;
	return STEP_GO_ON;
}

static enum document_step take_end(struct upload *upload, const struct msg_document_whole *msg)
{
	struct document_stream *stream = &upload->stream;
	uint8_t sum[DOCUMENT_SUM];

	if (msg->bytes != stream->bytes || stream->bytes != upload->order.size)
		return document_stream_end(stream, DOCUMENT_END_SIZE, NULL);
	enum err err = document_sum_end(upload->sum, sum);
	if (!err && EVP_DigestFinal_ex(upload->hash, upload->facts.sha256, NULL) != 1)
		err = ERR_CRYPTO;
	if (!err && memcmp(sum, msg->sum, sizeof(sum)) != 0)
		return document_stream_end(stream, DOCUMENT_END_SUM, NULL);
	if (!err)
		err = document_writer_end(upload->writer);
	if (err)
		return failed(upload, err);
	upload->on_disk = true;
	if (!upload->order.scan)
		return store(upload);
	upload->state = UPLOAD_WAITS;
	err = upload->order.want_scanner(upload->order.want_ctx, stream->number);
	return err ? document_stream_end(stream, DOCUMENT_END_SCANNER, NULL) : STEP_WAIT;
}

static enum document_step upload_message(struct document_stream *stream,
					 const struct ipc_received *received)
{
	struct upload *upload = upload_of(stream);

	if (received->type->id == MSG_document_put)
		return take_bytes(upload, &received->msg.document_put);
	if (received->type->id == MSG_document_whole)
		return take_end(upload, &received->msg.document_whole);
	return document_stream_broken(stream, "kind");
}

/* Says how far it is often enough that the page never waits for it while there is something left
 * of the window. */
static enum document_step upload_next(struct document_stream *stream)
{
	struct upload *upload = upload_of(stream);
	const struct msg_document_taken taken = { .bytes = stream->bytes };

	if (upload->state != UPLOAD_COMES)
		return STEP_WAIT;
	if (stream->bytes - upload->told < DOCUMENT_WINDOW / 4 &&
	    (stream->bytes < upload->order.size || upload->told == stream->bytes))
		return STEP_READ;
	enum document_step step = document_stream_send(stream, MSG_document_taken, &taken);
	if (step == STEP_GO_ON)
		upload->told = taken.bytes;
	return step;
}

static const struct document_stream_ops upload_ops = { upload_next, upload_message, upload_free };

enum err document_upload_new(struct document_streams *all,
			     const struct document_upload_order *order, uint32_t *ret_number)
{
	struct upload *upload = calloc(1, sizeof(*upload));
	enum err err = upload ? OK : ERR_NOMEM;

	if (err) {
		secret_free(order->key);
		return err;
	}
	upload->order = *order;
	upload->order.free_ctx = NULL;
	upload->stream.account = order->account;
	upload->stream.record = order->record;
	upload->hash = EVP_MD_CTX_new();
	if (!upload->hash || EVP_DigestInit_ex2(upload->hash, EVP_sha256(), NULL) != 1)
		err = ERR_CRYPTO;
	if (!err)
		err = document_sum_new(&upload->sum);
	if (!err)
		err = document_writer_new(&order->place, order->key, &upload->writer);
	if (!err)
		err = document_stream_add(all, &upload->stream, &upload_ops, ret_number);
	if (err) {
		upload_free(&upload->stream);
		return err;
	}
	upload->order.free_ctx = order->free_ctx;
	return OK;
}
