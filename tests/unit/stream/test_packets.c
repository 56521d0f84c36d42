#include "unit/unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/util.h"
#include "wire/ipc.h"
#include "worker/stream/packets.h"

struct bench {
	int fds[2]; /* ours, the viewer's */
	struct packets packets;
	uint8_t packet[PACKETS_MAX + 1];
	uint8_t *message; /* assembled so far */
	size_t len, room;
};

static void bench_start(struct bench *bench)
{
	*bench = (struct bench){ .room = 8 * 1024 * 1024 };
	assert_ok(ipc_pair(bench->fds));
	packets_init(&bench->packets, bench->fds[0]);
	bench->message = malloc(bench->room);
	assert_non_null(bench->message);
}

static void bench_stop(struct bench *bench)
{
	packets_finish(&bench->packets);
	close(bench->fds[0]);
	if (bench->fds[1] >= 0)
		close(bench->fds[1]);
	free(bench->message);
}

/* Takes one packet as the edge would. 0: none there, 1: part of a message, 2: the message is
 * complete. */
static int take_packet(struct bench *bench)
{
	ssize_t len = recv(bench->fds[1], bench->packet, sizeof(bench->packet), MSG_DONTWAIT);
	if (len < 0) {
		assert_int_equal(errno, EAGAIN);
		return 0;
	}
	assert_true(len >= 2 && len <= PACKETS_MAX);
	assert_true(bench->packet[0] <= 1);
	assert_true(bench->len + (size_t)len <= bench->room);
	memcpy(bench->message + bench->len, bench->packet + 1, (size_t)len - 1);
	bench->len += (size_t)len - 1;
	return bench->packet[0] ? 1 : 2;
}

/* The id of the next whole message; sends on whenever the socket has room. 0: nothing more comes.
 */
static uint16_t take_message(struct bench *bench)
{
	bench->len = 0;
	for (;;) {
		int got = take_packet(bench);
		if (got == 2)
			return (uint16_t)(bench->message[0] | bench->message[1] << 8);
		if (got == 0 && packets_idle(&bench->packets))
			return 0;
		assert_ok(packets_send(&bench->packets));
	}
}

static void add_frame(struct bench *bench, size_t len, uint8_t seed)
{
	struct buf *frame = packets_frame(&bench->packets);
	uint8_t *end;
	assert_ok(buf_reserve(frame, len, &end));
	for (size_t i = 0; i < len; i++)
		end[i] = (uint8_t)(i * 31 + seed);
	end[0] = MSG_frame & 0xff;
	end[1] = MSG_frame >> 8;
	frame->len = len;
	packets_add_frame(&bench->packets);
}

static void check_frame(const struct bench *bench, size_t len, uint8_t seed)
{
	assert_int_equal(bench->len, len);
	for (size_t i = 2; i < len; i++)
		if (bench->message[i] != (uint8_t)(i * 31 + seed))
			fail_msg("byte %zu is wrong", i);
}

static void add_pong(struct bench *bench, uint32_t number)
{
	struct msg_pong pong = { .number = number };
	assert_ok(packets_add_small(&bench->packets, MSG_pong, MSG_pong, &pong));
}

static void test_sizes_around_a_packet(void **state)
{
	(void)state;
	static const size_t sizes[] = { 2,
					3,
					PACKETS_MAX - 2,
					PACKETS_MAX - 1,
					PACKETS_MAX,
					2 * (PACKETS_MAX - 1),
					2 * (PACKETS_MAX - 1) + 1,
					5000000 };
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct bench bench;
		bench_start(&bench);
		add_frame(&bench, sizes[i], (uint8_t)i);
		assert_int_equal(take_message(&bench), MSG_frame);
		check_frame(&bench, sizes[i], (uint8_t)i);
		assert_true(packets_idle(&bench.packets));
		bench_stop(&bench);
	}
}

/* A viewer that reads nothing blocks after the socket's room, not in a queue of ours. */
static void test_full_socket_waits(void **state)
{
	(void)state;
	struct bench bench;
	bench_start(&bench);
	assert_true(packets_frame_free(&bench.packets));
	add_frame(&bench, 5000000, 1);
	assert_ok(packets_send(&bench.packets));
	assert_true(bench.packets.blocked);
	assert_false(packets_frame_free(&bench.packets));
	assert_false(packets_idle(&bench.packets));
	assert_int_equal(take_message(&bench), MSG_frame);
	check_frame(&bench, 5000000, 1);
	assert_ok(packets_send(&bench.packets));
	assert_false(bench.packets.blocked);
	assert_true(packets_frame_free(&bench.packets));
	bench_stop(&bench);
}

static void add_sound(struct bench *bench, uint32_t sequence)
{
	uint8_t data[300] = { 0 };
	struct msg_audio audio = { .sequence = sequence, .packet = { data, sizeof(data) } };
	assert_ok(packets_add_sound(&bench->packets, MSG_audio, &audio));
}

static void check_sound(struct bench *bench, uint32_t sequence)
{
	const struct wire_type *type;
	union wire_any any;
	assert_int_equal(take_message(bench), MSG_audio);
	assert_ok(wire_decode(bench->message, bench->len, &type, &any));
	assert_int_equal(any.audio.sequence, sequence);
}

/* Packets of sound do not take each other's place, and go between frames. */
static void test_sound_keeps_its_order(void **state)
{
	(void)state;
	struct bench bench;
	bench_start(&bench);
	add_frame(&bench, 1000, 1);
	for (uint32_t i = 0; i < PACKETS_SOUND_QUEUE; i++)
		add_sound(&bench, i);
	add_pong(&bench, 7);
	assert_false(packets_idle(&bench.packets));
	assert_int_equal(take_message(&bench), MSG_pong);
	for (uint32_t i = 0; i < PACKETS_SOUND_QUEUE; i++)
		check_sound(&bench, i);
	assert_int_equal(take_message(&bench), MSG_frame);
	check_frame(&bench, 1000, 1);
	assert_true(packets_idle(&bench.packets));
	bench_stop(&bench);
}

/* What waits too long is given up from its beginning, again and again, and takes no more room. */
static void test_old_sound_is_dropped(void **state)
{
	(void)state;
	struct bench bench;
	bench_start(&bench);
	add_frame(&bench, 5000000, 1);
	assert_ok(packets_send(&bench.packets));
	assert_true(bench.packets.blocked);
	for (uint32_t i = 0; i < 1000; i++)
		add_sound(&bench, i);
	assert_int_equal(take_message(&bench), MSG_frame);
	check_frame(&bench, 5000000, 1);
	for (uint32_t i = 1000 - PACKETS_SOUND_QUEUE; i < 1000; i++)
		check_sound(&bench, i);
	assert_int_equal(take_message(&bench), 0);
	bench_stop(&bench);
}

static void test_sound_can_be_dropped(void **state)
{
	(void)state;
	struct bench bench;
	bench_start(&bench);
	for (uint32_t i = 0; i < 3; i++)
		add_sound(&bench, i);
	packets_drop_sound(&bench.packets);
	assert_true(packets_idle(&bench.packets));
	add_sound(&bench, 9);
	check_sound(&bench, 9);
	assert_int_equal(take_message(&bench), 0);
	bench_stop(&bench);
}

static void test_sound_has_a_size(void **state)
{
	(void)state;
	struct bench bench;
	uint8_t data[1501] = { 0 };
	struct msg_audio audio = { .packet = { data, sizeof(data) } };
	bench_start(&bench);
	assert_int_not_equal(packets_add_sound(&bench.packets, MSG_audio, &audio), OK);
	assert_true(packets_idle(&bench.packets));
	bench_stop(&bench);
}

/* Small messages go between frames, never into one. */
static void test_small_messages_pass_waiting_frames_only(void **state)
{
	(void)state;
	struct bench bench;
	bench_start(&bench);
	add_frame(&bench, 3000000, 1);
	assert_ok(packets_send(&bench.packets)); /* begun */
	add_pong(&bench, 7);
	assert_int_equal(take_message(&bench), MSG_frame);
	check_frame(&bench, 3000000, 1);
	assert_int_equal(take_message(&bench), MSG_pong);

	add_frame(&bench, 100, 2); /* not begun */
	add_pong(&bench, 8);
	assert_int_equal(take_message(&bench), MSG_pong);
	assert_int_equal(take_message(&bench), MSG_frame);
	assert_int_equal(take_message(&bench), 0);
	bench_stop(&bench);
}

static void test_newer_small_message_replaces(void **state)
{
	(void)state;
	struct bench bench;
	struct msg_status status = { .state = 3 };
	bench_start(&bench);
	for (uint32_t i = 0; i < 1000; i++)
		add_pong(&bench, i);
	assert_ok(packets_add_small(&bench.packets, 1, MSG_status, &status));
	add_pong(&bench, 1000);
	assert_int_equal(take_message(&bench), MSG_status);
	assert_int_equal(take_message(&bench), MSG_pong);
	assert_int_equal(bench.message[2] | bench.message[3] << 8, 1000);
	assert_int_equal(take_message(&bench), 0);
	bench_stop(&bench);
}

static void test_small_queue_is_limited(void **state)
{
	(void)state;
	struct bench bench;
	struct msg_pong pong = { 0 };
	bench_start(&bench);
	for (unsigned i = 0; i < PACKETS_SMALL_QUEUE; i++)
		assert_ok(packets_add_small(&bench.packets, i, MSG_pong, &pong));
	assert_err(packets_add_small(&bench.packets, 99, MSG_pong, &pong), ERR_FULL);
	for (unsigned i = 0; i < PACKETS_SMALL_QUEUE; i++)
		assert_int_equal(take_message(&bench), MSG_pong);
	assert_int_equal(take_message(&bench), 0);
	bench_stop(&bench);
}

static void test_dropped_frame_is_not_sent(void **state)
{
	(void)state;
	struct bench bench;
	bench_start(&bench);
	add_frame(&bench, 100, 0);
	packets_drop_frame(&bench.packets);
	assert_int_equal(take_message(&bench), 0);
	bench_stop(&bench);
}

static void test_gone_viewer(void **state)
{
	(void)state;
	struct bench bench;
	bench_start(&bench);
	close(bench.fds[1]);
	bench.fds[1] = -1;
	add_frame(&bench, 100, 0);
	assert_err(packets_send(&bench.packets), ERR_CLOSED);
	bench_stop(&bench);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sizes_around_a_packet),
		cmocka_unit_test(test_full_socket_waits),
		cmocka_unit_test(test_sound_keeps_its_order),
		cmocka_unit_test(test_old_sound_is_dropped),
		cmocka_unit_test(test_sound_can_be_dropped),
		cmocka_unit_test(test_sound_has_a_size),
		cmocka_unit_test(test_small_messages_pass_waiting_frames_only),
		cmocka_unit_test(test_newer_small_message_replaces),
		cmocka_unit_test(test_small_queue_is_limited),
		cmocka_unit_test(test_dropped_frame_is_not_sent),
		cmocka_unit_test(test_gone_viewer),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
