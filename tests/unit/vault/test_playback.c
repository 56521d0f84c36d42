#include "unit/vault/film.h"

#include <poll.h>
#include <sys/socket.h>

#include "vault/playback.h"
#include "wire/ipc.h"

enum { PATIENCE_MS = 20000 };

struct scene {
	struct loop *loop;
	struct film_house ours;
	struct film film;
	struct playback *playback; /* NULL once it is over */
	bool opened;
	enum err opened_err;
	enum verdict verdict;
	uint32_t chunks;   /* as closed said */
	uint32_t progress; /* as was said meanwhile */
	int player;        /* -1: hung up */
	struct ipc_received got;
};

static void opened(void *ctx, struct playback *playback, enum err err, enum verdict verdict)
{
	struct scene *scene = ctx;

	assert_ptr_equal(playback, scene->playback);
	assert_false(scene->opened);
	scene->opened = true;
	scene->opened_err = err;
	scene->verdict = verdict;
}

static void closed(void *ctx, struct playback *playback)
{
	struct scene *scene = ctx;

	assert_ptr_equal(playback, scene->playback);
	scene->chunks = playback_chunks(playback);
	playback_free(playback);
	scene->playback = NULL;
}

static void progress(void *ctx, struct playback *playback)
{
	struct scene *scene = ctx;

	assert_ptr_equal(playback, scene->playback);
	scene->progress = playback_chunks(playback);
}

static const struct playback_ops ops = { opened, progress, closed };

static int setup(void **state)
{
	struct scene *scene = calloc(1, sizeof(*scene));

	assert_ok(loop_new(&scene->loop));
	scene->film.fd = scene->player = scene->got.fd = -1;
	film_house_open(&scene->ours);
	*state = scene;
	return 0;
}

static int teardown(void **state)
{
	struct scene *scene = *state;

	playback_free(scene->playback);
	util_closep(&scene->player);
	film_end(&scene->film);
	film_house_close(&scene->ours);
	loop_free(scene->loop);
	free(scene);
	return 0;
}

/* Whether something came within the patience. */
static bool turn_until(struct scene *scene, bool (*done)(const struct scene *scene))
{
	for (uint64_t end = clock_mono_ms() + PATIENCE_MS; clock_mono_ms() < end;) {
		if (done(scene))
			return true;
		assert_ok(loop_step(scene->loop, 10));
	}
	return false;
}

static bool was_opened(const struct scene *scene)
{
	return scene->opened;
}

static bool is_over(const struct scene *scene)
{
	return !scene->playback;
}

static bool player_has(const struct scene *scene)
{
	struct pollfd poll_fd = { .fd = scene->player, .events = POLLIN };

	return poll(&poll_fd, 1, 0) == 1;
}

static void start(struct scene *scene, uint32_t seconds)
{
	struct msg_playback_open msg = film_message(&scene->film);

	msg.seconds = seconds;
	assert_ok(playback_new(scene->loop, &scene->ours.house, &msg, film_open(&scene->film), &ops,
			       scene, &scene->playback));
}

static void attach(struct scene *scene)
{
	int pair[2];

	assert_ok(ipc_pair(pair));
	assert_ok(playback_attach(scene->playback, pair[0]));
	scene->player = pair[1];
}

static void say(struct scene *scene, uint16_t id, const void *msg)
{
	assert_ok(ipc_send(scene->player, id, msg, -1));
}

static void say_start(struct scene *scene)
{
	say(scene, MSG_play_start, &(struct msg_play_start){ .version = PLAYBACK_VERSION });
}

static void ask(struct scene *scene, uint32_t sequence)
{
	say(scene, MSG_play_chunk, &(struct msg_play_chunk){ .sequence = sequence });
}

static const union wire_any *hear(struct scene *scene, uint16_t id)
{
	ipc_received_finish(&scene->got);
	assert_true(turn_until(scene, player_has));
	assert_ok(ipc_receive(scene->player, WIRE_VAULT, WIRE_PLAYER, &scene->got));
	assert_string_equal(scene->got.type->name, wire_type(id)->name);
	return &scene->got.msg;
}

/* A chunk in its pieces. */
static void hear_chunk(struct scene *scene, uint32_t sequence)
{
	struct buf plain;
	struct chunk_reader reader;
	uint32_t total;

	buf_init(&plain, CHUNK_MAX);
	do {
		const struct msg_play_data *data = &hear(scene, MSG_play_data)->play_data;

		assert_int_equal(data->sequence, sequence);
		assert_int_equal(data->offset, plain.len);
		total = data->total;
		assert_ok(buf_add(&plain, data->data.data, data->data.len));
	} while (plain.len < total);
	assert_int_equal(plain.len, total);
	assert_ok(chunk_parse(plain.data, plain.len, &reader));
	assert_int_equal(reader.head.sequence, sequence);
	buf_finish(&plain);
}

static void hear_beginning(struct scene *scene, enum verdict verdict, size_t chunks)
{
	const struct msg_play_info *info = &hear(scene, MSG_play_info)->play_info;

	assert_int_equal(info->version, PLAYBACK_VERSION);
	assert_memory_equal(info->session, scene->film.session, WIRE_SESSION_ID);
	assert_int_equal(info->verdict, verdict);
	assert_int_equal(info->chunks, chunks);
	if (!chunks)
		return;
	const struct msg_play_table *table = &hear(scene, MSG_play_table)->play_table;
	assert_int_equal(table->first, 0);
	assert_int_equal(table->rows.len, chunks * TABLE_ROW);
}

static void begin(struct scene *scene, size_t chunks)
{
	film_make(&scene->film, &scene->ours.certificate, chunks);
	start(scene, 3600);
	attach(scene);
	say_start(scene);
	hear_beginning(scene, VERDICT_GREEN, chunks);
}

/* The edge is told, by a packet that is no message, to close with 4002. */
static void expect_violation(struct scene *scene)
{
	uint8_t byte[4] = { 0 };

	assert_true(turn_until(scene, is_over));
	assert_int_equal(recv(scene->player, byte, sizeof(byte), MSG_DONTWAIT), 1);
	assert_int_equal(byte[0], WIRE_STREAM_VIOLATION);
	assert_int_equal(recv(scene->player, byte, sizeof(byte), MSG_DONTWAIT), 0);
}

static void expect_error(struct scene *scene, enum play_error error, const char *detail)
{
	const struct msg_play_error *msg = &hear(scene, MSG_play_error)->play_error;

	assert_int_equal(msg->error, error);
	assert_string_equal(msg->detail, detail);
}

static void expect_end(struct scene *scene, enum play_error error)
{
	uint8_t byte;

	expect_error(scene, error, "");
	assert_true(turn_until(scene, is_over));
	assert_int_equal(recv(scene->player, &byte, 1, MSG_DONTWAIT), 0);
}

static void all_chunks_in_the_order_of_asking(void **state)
{
	static const uint32_t order[] = { 3, 0, 4, 4, 1, 2 };
	struct scene *scene = *state;

	begin(scene, 5);
	assert_true(scene->opened);
	assert_ok(scene->opened_err);
	assert_int_equal(scene->verdict, VERDICT_GREEN);
	for (size_t i = 0; i < ARRAY_SIZE(order); i++)
		ask(scene, order[i]);
	for (size_t i = 0; i < ARRAY_SIZE(order); i++)
		hear_chunk(scene, order[i]);
	assert_int_equal(scene->progress, 1);
	util_closep(&scene->player);
	scene->player = -1;
	assert_true(turn_until(scene, is_over));
	assert_int_equal(scene->chunks, ARRAY_SIZE(order));
}

/* It may come before the file has been looked at, or long after. */
static void a_player_that_comes_late(void **state)
{
	struct scene *scene = *state;

	film_make(&scene->film, &scene->ours.certificate, 2);
	start(scene, 3600);
	assert_true(turn_until(scene, was_opened));
	attach(scene);
	say_start(scene);
	hear_beginning(scene, VERDICT_GREEN, 2);
	assert_err(playback_attach(scene->playback, dup(scene->player)), ERR_EXISTS);
	ask(scene, 1);
	hear_chunk(scene, 1);
}

static void an_empty_recording(void **state)
{
	struct scene *scene = *state;

	film_begin(&scene->film, &scene->ours.certificate);
	start(scene, 3600);
	attach(scene);
	say_start(scene);
	hear_beginning(scene, VERDICT_AMBER, 0);
	ask(scene, 0);
	expect_violation(scene);
}

static void a_damaged_chunk_does_not_end_it(void **state)
{
	struct scene *scene = *state;

	film_make(&scene->film, &scene->ours.certificate, 4);
	film_flip(&scene->film, scene->film.rows[2].offset - 20);
	start(scene, 3600);
	attach(scene);
	say_start(scene);
	hear_beginning(scene, VERDICT_RED, 4);
	ask(scene, 1);
	ask(scene, 2); /* whole, but not behind the chunk that it was recorded behind */
	ask(scene, 3);
	expect_error(scene, PLAY_DAMAGED, "1");
	expect_error(scene, PLAY_DAMAGED, "2");
	hear_chunk(scene, 3);
}

/* Not one byte more than the stream takes is decrypted for it, and its questions wait. */
static void a_player_that_does_not_read(void **state)
{
	struct scene *scene = *state;
	uint32_t before;

	begin(scene, 40);
	for (uint32_t i = 0; i < 40; i++)
		ask(scene, i);
	/* Until nothing moves any more. */
	do {
		before = playback_chunks(scene->playback);
		for (int i = 0; i < 20; i++)
			assert_ok(loop_step(scene->loop, 5));
	} while (playback_chunks(scene->playback) != before);
	assert_true(before < 40);
	for (uint32_t i = 0; i < 40; i++)
		hear_chunk(scene, i);
}

static void what_breaks_the_protocol(void **state)
{
	static const uint8_t rubbish[] = { 0x01, 0x0c, 0x01 };
	static const struct {
		bool started;
		uint16_t id;
		uint32_t value;
	} wrong[] = {
		{ false, MSG_play_start, PLAYBACK_VERSION + 1 },
		{ false, MSG_play_chunk, 0 },
		{ true, MSG_play_start, PLAYBACK_VERSION },
		{ true, MSG_play_chunk, 2 },
		{ true, MSG_play_chunk, UINT32_MAX },
		{ true, MSG_play_error, 0 }, /* ours to say */
		{ true, MSG_ping, 0 },
		{ true, 0, 0 },
	};
	struct scene *scene = *state;

	film_make(&scene->film, &scene->ours.certificate, 2);
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		union wire_any msg = { 0 };

		scene->opened = false;
		start(scene, 3600);
		attach(scene);
		if (wrong[i].started) {
			say_start(scene);
			hear_beginning(scene, VERDICT_GREEN, 2);
		}
		if (wrong[i].id == MSG_play_start)
			msg.play_start.version = (uint16_t)wrong[i].value;
		else
			msg.play_chunk.sequence = wrong[i].value;
		if (wrong[i].id)
			say(scene, wrong[i].id, &msg);
		else
			assert_int_equal(send(scene->player, rubbish, sizeof(rubbish), 0),
					 sizeof(rubbish));
		expect_violation(scene);
		util_closep(&scene->player);
		scene->player = -1;
	}
}

static void it_ends_with_its_time(void **state)
{
	struct scene *scene = *state;

	film_make(&scene->film, &scene->ours.certificate, 2);
	start(scene, 1);
	attach(scene);
	say_start(scene);
	hear_beginning(scene, VERDICT_GREEN, 2);
	expect_end(scene, PLAY_ENDED);
}

static void it_ends_on_the_brokers_word(void **state)
{
	struct scene *scene = *state;

	begin(scene, 2);
	playback_end(scene->playback, PLAY_ENDED);
	assert_null(scene->playback);
	expect_end(scene, PLAY_ENDED);
}

static void nothing_is_opened_once_it_is_sealed(void **state)
{
	struct scene *scene = *state;

	begin(scene, 2);
	house_seal(&scene->ours.house);
	ask(scene, 0);
	expect_end(scene, PLAY_SEALED);
	assert_int_equal(scene->chunks, 0);
}

static void one_that_is_not_sealed_to_us(void **state)
{
	struct scene *scene = *state;
	struct film_house other = { 0 };

	film_house_open(&other);
	film_make(&scene->film, &other.certificate, 2);
	start(scene, 3600);
	attach(scene);
	say_start(scene);
	expect_end(scene, PLAY_FOREIGN);
	assert_err(scene->opened_err, ERR_DENIED);
	film_house_close(&other);
}

/* What was recorded since, row by row, and its chunks. */
static void one_that_grows(void **state)
{
	struct scene *scene = *state;
	const struct msg_play_more more = { 0 };
	struct msg_playback_open msg;

	film_begin(&scene->film, &scene->ours.certificate);
	film_chunks(&scene->film, 2, false);
	film_mark(&scene->film, false);
	msg = film_message(&scene->film);
	msg.seconds = 3600;
	msg.live = 1;
	assert_ok(playback_new(scene->loop, &scene->ours.house, &msg, film_open(&scene->film), &ops,
			       scene, &scene->playback));
	attach(scene);
	say_start(scene);
	hear_beginning(scene, VERDICT_AMBER, 2);
	say(scene, MSG_play_more, &more);
	assert_int_equal(hear(scene, MSG_play_table)->play_table.rows.len, 0);
	film_chunks(&scene->film, 3, true);
	/* Not so soon. */
	say(scene, MSG_play_more, &more);
	assert_int_equal(hear(scene, MSG_play_table)->play_table.rows.len, 0);
	(void)usleep((PLAYBACK_GROW_MS + 10) * 1000);
	say(scene, MSG_play_more, &more);
	const struct msg_play_table *table = &hear(scene, MSG_play_table)->play_table;
	assert_int_equal(table->first, 2);
	assert_int_equal(table->rows.len, 3 * TABLE_ROW);
	ask(scene, 4);
	hear_chunk(scene, 4);
}

int main(void)
{
#define scene_test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		scene_test(all_chunks_in_the_order_of_asking),
		scene_test(a_player_that_comes_late),
		scene_test(an_empty_recording),
		scene_test(a_damaged_chunk_does_not_end_it),
		scene_test(a_player_that_does_not_read),
		scene_test(what_breaks_the_protocol),
		scene_test(it_ends_with_its_time),
		scene_test(one_that_grows),
		scene_test(it_ends_on_the_brokers_word),
		scene_test(nothing_is_opened_once_it_is_sealed),
		scene_test(one_that_is_not_sealed_to_us),
	};

	return house_prepare() ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
