#include "cli/recording_feed.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "wire/enums.h"
#include "wire/ipc.h"

enum { VERSION = 1, PIECE = 60000, ROWS = PIECE / TABLE_ROW };

void recording_feed_begin(struct recording_feed *feed, int fd)
{
	feed->fd = fd;
	buf_init(&feed->der, SEAL_DER_MAX);
	buf_init(&feed->plain, CHUNK_MAX);
}

void recording_feed_finish(struct recording_feed *feed)
{
	buf_wipe(&feed->plain);
	buf_finish(&feed->plain);
	buf_finish(&feed->der);
	util_closep(&feed->fd);
	feed->fd = -1;
}

/* ---- saying ---------------------------------------------------------------------------------- */

static enum err send_info(struct recording_feed *feed)
{
	struct msg_play_info info = {
		.version = VERSION,
		.chunks = (uint32_t)feed->scan->count,
		.verdict = feed->verdict,
		.meta = { feed->meta->data, feed->meta->len },
	};

	memcpy(info.session, feed->session, sizeof(info.session));
	enum err err = ipc_send(feed->fd, MSG_play_info, &info, -1);
	feed->info_sent = !err;
	return err;
}

static enum err send_rows(struct recording_feed *feed)
{
	const size_t count = MIN(feed->table->count - feed->rows_sent, (size_t)ROWS);
	struct msg_play_table table = { .first = (uint32_t)feed->rows_sent };
	uint8_t row[TABLE_ROW];
	_cleanup_buf_ struct buf rows;
	enum err err = OK;

	buf_init(&rows, PIECE);
	for (size_t i = 0; !err && i < count; i++) {
		table_put_row(&feed->table->rows[feed->rows_sent + i], row);
		err = buf_add(&rows, row, sizeof(row));
	}
	table.rows = (struct bytes){ rows.data, rows.len };
	if (!err)
		err = ipc_send(feed->fd, MSG_play_table, &table, -1);
	if (!err)
		feed->rows_sent += count;
	return err;
}

static enum err send_piece(struct recording_feed *feed)
{
	const struct msg_play_data piece = {
		.sequence = feed->sequence,
		.offset = (uint32_t)feed->sent,
		.total = (uint32_t)feed->plain.len,
		.data = { feed->plain.data + feed->sent,
			  MIN(feed->plain.len - feed->sent, (size_t)PIECE) },
	};
	enum err err = ipc_send(feed->fd, MSG_play_data, &piece, -1);

	if (!err)
		feed->sent += piece.data.len;
	if (feed->sent == feed->plain.len) {
		buf_wipe(&feed->plain);
		feed->sending = false;
	}
	return err;
}

static enum err send_damaged(struct recording_feed *feed)
{
	char number[16];
	const struct msg_play_error error = { .error = PLAY_DAMAGED, .detail = number };

	snprintf(number, sizeof(number), "%u", feed->sequence);
	enum err err = ipc_send(feed->fd, MSG_play_error, &error, -1);
	feed->damaged = err != OK;
	return err;
}

/* ---- hearing --------------------------------------------------------------------------------- */

/* What is not where it was recorded is damaged, as for the vault. */
static bool is_in_place(const struct recording_feed *feed, const struct chunk_head *head)
{
	static const uint8_t nothing[CHUNK_HASH];
	const uint8_t *previous =
		feed->sequence ? feed->scan->chunks[feed->sequence - 1].hash : nothing;

	return head->sequence == feed->sequence &&
	       memcmp(head->session, feed->session, sizeof(head->session)) == 0 &&
	       memcmp(head->previous, previous, CHUNK_HASH) == 0;
}

static enum err open_chunk(struct recording_feed *feed, uint32_t sequence)
{
	struct chunk_reader reader;

	if (sequence >= feed->scan->count)
		return ERR_PROTOCOL;
	feed->sequence = sequence;
	buf_wipe(&feed->plain);
	enum err err = scan_read(feed->scan, sequence, &feed->der);
	if (!err)
		err = seal_open(feed->key, feed->certificate, feed->der.data, feed->der.len,
				&feed->plain);
	if (err == ERR_IO || err == ERR_NOMEM)
		return err;
	feed->damaged = err || chunk_parse(feed->plain.data, feed->plain.len, &reader) ||
			!is_in_place(feed, &reader.head);
	feed->sending = !feed->damaged;
	feed->sent = 0;
	return OK;
}

static enum err receive(struct recording_feed *feed)
{
	static struct ipc_received received; /* large; one thread */
	enum err err = ipc_receive(feed->fd, WIRE_PLAYER, WIRE_VAULT, &received);

	if (err)
		return err;
	if (received.type->id == MSG_play_start && !feed->started &&
	    received.msg.play_start.version == VERSION)
		feed->started = true;
	else if (received.type->id == MSG_play_chunk && feed->started)
		err = open_chunk(feed, received.msg.play_chunk.sequence);
	else
		err = ERR_PROTOCOL;
	ipc_received_finish(&received);
	return err;
}

enum err recording_feed_step(struct recording_feed *feed, short *ret_events)
{
	enum err err = OK;

	while (!err) {
		*ret_events = POLLOUT;
		if (feed->started && !feed->info_sent)
			err = send_info(feed);
		else if (feed->started && feed->rows_sent < feed->table->count)
			err = send_rows(feed);
		else if (feed->damaged)
			err = send_damaged(feed);
		else if (feed->sending)
			err = send_piece(feed);
		else {
			*ret_events = POLLIN;
			err = receive(feed);
		}
	}
	return err == ERR_UNAVAILABLE ? OK : err;
}
