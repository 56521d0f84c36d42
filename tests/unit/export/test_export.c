/*
 * Long recordings: what is late in them has its time, and a video that becomes too large ends, and
 * says so, instead of being one that nobody can open.
 */
#include "export/export.h"
#include "record/envelope.h"
#include "unit/export/frames.h"
#include "unit/record/recording.h"

#include <poll.h>
#include <pthread.h>

#define HOUR_US (UINT64_C(3600) * 1000000)

enum { CHUNKS = 2, MOST = 256 * 1024 };

/* Who plays the recording, takes the file and hears how it goes, in a thread of its own. */
struct office {
	int source, sink, control;
	uint64_t start_us[CHUNKS];
	uint64_t bytes, at_us; /* that came, in their order; and how far it said it was */
	uint32_t permille;
	struct msg_export_end end;
	EVP_MD_CTX *digest;
};

static struct text *text;
static struct auditor recipient;

static int set_up(void **state)
{
	(void)state;
	recipient = auditor_make();
	return text_new(TEXT_FONT, &text) ? -1 : 0;
}

static int tear_down(void **state)
{
	(void)state;
	text_free(text);
	auditor_free(&recipient);
	return 0;
}

/* ---- the recording ---------------------------------------------------------------------- */

static void add(struct chunk_writer *writer, enum record_kind kind, uint64_t at_us,
		const uint8_t *data, size_t len)
{
	const struct record record = { .kind = kind, .at_us = at_us, .data = data, .len = len };
	size_t taken;

	assert_ok(chunk_writer_add(writer, &record, &taken));
	assert_int_equal(taken, len);
}

/* A desktop of one grey, another one in each chunk. */
static void add_picture(struct chunk_writer *writer, uint64_t at_us, uint32_t sequence)
{
	static struct frames frames;
	_cleanup_buf_ struct buf message;

	buf_init(&message, 1 << 20);
	frames_start(&frames, true);
	frames_rect(&frames, 0, 0, SIDE, SIDE, (uint8_t)(100 + 50 * sequence));
	frames_pack(&frames);
	assert_ok(wire_encode(MSG_frame, &frames.frame, &message));
	add(writer, RECORD_SENT, at_us, message.data, message.len);
}

static void say_chunk(const struct office *office, uint32_t sequence)
{
	const struct chunk_head head = { .session = { 7 },
					 .sequence = sequence,
					 .time_ms = office->start_us[sequence] / 1000,
					 .start_us = office->start_us[sequence] };
	struct chunk_writer writer;
	const uint8_t *plain;
	size_t len;

	chunk_writer_init(&writer);
	assert_ok(chunk_writer_begin(&writer, &head));
	if (!sequence)
		add(&writer, RECORD_META, head.start_us, (const uint8_t *)"{}", 2);
	add_picture(&writer, head.start_us, sequence);
	assert_ok(chunk_writer_end(&writer, CHUNK_KEY, &plain, &len));
	assert_ok(ipc_send(office->source, MSG_play_data,
			   &(struct msg_play_data){ .sequence = sequence,
						    .total = (uint32_t)len,
						    .data = { plain, len } },
			   -1));
	chunk_writer_finish(&writer);
}

static void say_table(const struct office *office)
{
	uint8_t rows[CHUNKS * TABLE_ROW];

	for (size_t i = 0; i < CHUNKS; i++) {
		const struct table_row row = { .start_us = office->start_us[i],
					       .flags = CHUNK_KEY };
		table_put_row(&row, rows + i * TABLE_ROW);
	}
	assert_ok(ipc_send(office->source, MSG_play_info,
			   &(struct msg_play_info){ .version = 1,
						    .session = { 7 },
						    .chunks = CHUNKS,
						    .verdict = VERDICT_GREEN,
						    .meta = { (const uint8_t *)"{}", 2 },
						    .verdict_detail = "{}" },
			   -1));
	assert_ok(ipc_send(office->source, MSG_play_table,
			   &(struct msg_play_table){ .rows = { rows, sizeof(rows) } }, -1));
}

/* ---- the office ------------------------------------------------------------------------- */

static void take(struct office *office, const struct ipc_received *received)
{
	const struct msg_export_data *data = &received->msg.export_data;

	if (received->type->id == MSG_play_chunk) {
		say_chunk(office, received->msg.play_chunk.sequence);
	} else if (received->type->id == MSG_export_data) {
		assert_int_equal(data->offset, office->bytes);
		assert_true(EVP_DigestUpdate(office->digest, data->data.data, data->data.len));
		office->bytes += data->data.len;
	} else if (received->type->id == MSG_export_state) {
		assert_true(received->msg.export_state.at_us >= office->at_us);
		assert_true(received->msg.export_state.permille >= office->permille);
		office->at_us = received->msg.export_state.at_us;
		office->permille = received->msg.export_state.permille;
	} else if (received->type->id == MSG_export_end) {
		office->end = received->msg.export_end;
	}
}

/* false: it is closed. */
static bool hear(struct office *office, int fd, enum wire_role to)
{
	static struct ipc_received received;
	const enum wire_role from = to == WIRE_VAULT ? WIRE_PLAYER : WIRE_EXPORT;
	enum err err;

	while (!(err = ipc_receive(fd, from, to, &received))) {
		take(office, &received);
		ipc_received_finish(&received);
	}
	return err == ERR_UNAVAILABLE;
}

static void *serve(void *arg)
{
	struct office *office = arg;
	struct pollfd fds[] = { { office->source, POLLIN, 0 },
				{ office->sink, POLLIN, 0 },
				{ office->control, POLLIN, 0 } };
	const enum wire_role roles[] = { WIRE_VAULT, WIRE_PLAYER, WIRE_BROKER };

	say_table(office);
	for (size_t open = ARRAY_SIZE(fds); open;) {
		assert_true(poll(fds, ARRAY_SIZE(fds), -1) > 0);
		for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
			if (fds[i].revents && !hear(office, fds[i].fd, roles[i])) {
				fds[i].fd = -1;
				open--;
			}
	}
	return NULL;
}

/* Of a recording whose second picture comes then. The last word is also what the file's end says.
 */
static struct msg_export_done export(uint64_t second_us, uint64_t from_us, uint64_t most,
				     uint64_t *ret_bytes)
{
	const struct msg_export_start start = { .session = { 7 },
						.auditor = "監査人",
						.purpose = "試験",
						.from_us = from_us,
						.lang = "ja" };
	const struct export_order order = { .start = &start,
					    .recipient = recipient.certificate,
					    .text = text,
					    .now_s = clock_wall_s(),
					    .most = most };
	struct office office = { .start_us = { 0, second_us }, .digest = EVP_MD_CTX_new() };
	struct msg_export_done done;
	struct ports ports;
	pthread_t thread;
	uint8_t sha256[ENVELOPE_SHA256];
	int control[2], source[2], sink[2];

	assert_true(!ipc_pair(control) && !ipc_pair(source) && !ipc_pair(sink));
	ports_init(&ports, control[0]);
	ports.source = source[0];
	ports.sink = sink[0];
	office.control = control[1];
	office.source = source[1];
	office.sink = sink[1];
	assert_true(EVP_DigestInit_ex(office.digest, EVP_sha256(), NULL));
	assert_int_equal(pthread_create(&thread, NULL, serve, &office), 0);
	export_run(&ports, &order, &done);
	ports_end(&ports, &done);
	ports_finish(&ports);
	pthread_join(thread, NULL);
	assert_int_equal(office.end.error, done.error);
	assert_int_equal(office.end.bytes, done.bytes);
	assert_true(EVP_DigestFinal_ex(office.digest, sha256, NULL));
	if (!done.error) {
		assert_int_equal(done.bytes, office.bytes);
		assert_memory_equal(done.sha256, sha256, sizeof(sha256));
	}
	*ret_bytes = office.bytes;
	EVP_MD_CTX_free(office.digest);
	util_closep(&office.control);
	util_closep(&office.source);
	util_closep(&office.sink);
	return done;
}

/* ---- the tests -------------------------------------------------------------------------- */

static void what_is_hours_in_has_its_time(void **state)
{
	uint64_t bytes;

	(void)state;
	struct msg_export_done done = export(99 * HOUR_US, 99 * HOUR_US - 2000000, 0, &bytes);
	assert_int_equal(done.error, EXPORT_NONE);
	assert_true(bytes > 0);
}

static void one_that_becomes_too_large_ends(void **state)
{
	uint64_t bytes;

	(void)state;
	/* Of nine hours, in which a second takes some hundred bytes. */
	struct msg_export_done done = export(9 * HOUR_US, 0, MOST, &bytes);
	assert_int_equal(done.error, EXPORT_TOO_LARGE);
	assert_int_equal(done.bytes, 0);
	assert_in_range(bytes, MOST / 4, MOST);
}

static void what_never_ends_does_not_begin(void **state)
{
	uint64_t bytes;

	(void)state;
	struct msg_export_done done = export((EXPORT_SPAN_H + 1) * HOUR_US, 0, 0, &bytes);
	assert_int_equal(done.error, EXPORT_TOO_LARGE);
	assert_int_equal(bytes, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_hours_in_has_its_time),
		cmocka_unit_test(one_that_becomes_too_large_ends),
		cmocka_unit_test(what_never_ends_does_not_begin),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
