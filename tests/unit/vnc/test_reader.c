#include "unit/vnc/pc.h"

enum { WIDTH = 100, HEIGHT = 70 };

static uint32_t *pixel(const struct desk *desk, unsigned x, unsigned y)
{
	return (uint32_t *)(desk->pixels + y * desk->stride) + x;
}

/* ---- a PC that does everything right ---------------------------------------------------- */

static const uint8_t good_update[] = {
	0,
	0,
	0,
	6,
	/* raw 2×2 at 98,68 */
	0,
	98,
	0,
	68,
	0,
	2,
	0,
	2,
	0,
	0,
	0,
	0,
	1,
	2,
	3,
	0xaa,
	4,
	5,
	6,
	0xbb,
	7,
	8,
	9,
	0,
	10,
	11,
	12,
	0,
	/* copyrect of it to 97,67: they overlap */
	0,
	97,
	0,
	67,
	0,
	2,
	0,
	2,
	0,
	0,
	0,
	1,
	0,
	98,
	0,
	68,
	/* raw of no size */
	0,
	5,
	0,
	5,
	0,
	0,
	0,
	7,
	0,
	0,
	0,
	0,
	/* cursor 2×1, hot spot 1,0 */
	0,
	1,
	0,
	0,
	0,
	2,
	0,
	1,
	0xff,
	0xff,
	0xff,
	0x11,
	30,
	20,
	10,
	0,
	60,
	50,
	40,
	0,
	0x40,
	/* XCursor 9×1 */
	0,
	0,
	0,
	0,
	0,
	9,
	0,
	1,
	0xff,
	0xff,
	0xff,
	0x10,
	1,
	2,
	3,
	4,
	5,
	6,
	0x80,
	0x80,
	0xc0,
	0x00,
	/* a cursor of no size hides it */
	0,
	0,
	0,
	0,
	0,
	0,
	0,
	0,
	0xff,
	0xff,
	0xff,
	0x11,
	/* bell, cut text */
	2,
	3,
	0,
	0,
	0,
	0,
	0,
	0,
	5,
	's',
	'e',
	'c',
	'r',
	't',
	/* an update of nothing, cut text of nothing */
	0,
	0,
	0,
	0,
	3,
	0,
	0,
	0,
	0,
	0,
	0,
	0,
};

static void say_all(struct pc *pc, int fd)
{
	if (pc_begin(fd, WIDTH, HEIGHT) && pc_say(fd, pc->arg, pc->arg_len))
		pc_wait_closed(fd);
}

static void say_bytewise(struct pc *pc, int fd)
{
	const uint8_t *bytes = pc->arg;
	int one = 1;
	setsockopt(fd, IPPROTO_TCP, 1 /* TCP_NODELAY */, &one, sizeof(one));
	if (!pc_begin(fd, WIDTH, HEIGHT))
		return;
	for (size_t i = 0; i < pc->arg_len; i++)
		if (!pc_say(fd, bytes + i, 1))
			return;
	pc_wait_closed(fd);
}

static void check_good(pc_script script)
{
	struct pc pc;
	struct desk desk;
	pc_start(&pc, script, good_update, sizeof(good_update));
	assert_ok(desk_connect(&desk, &pc));
	assert_int_equal(desk.width, WIDTH);
	assert_int_equal(desk.height, HEIGHT);
	desk_until(&desk, desk.bells == 1 && desk.cursors == 3);
	assert_int_equal(desk.ended, 0);
	assert_int_equal(desk.clipboards, 1); /* and not of no text */
	assert_int_equal(*pixel(&desk, 97, 67) & 0xffffff, 0x030201);
	assert_int_equal(*pixel(&desk, 98, 67) & 0xffffff, 0x060504);
	assert_int_equal(*pixel(&desk, 97, 68) & 0xffffff, 0x090807);
	assert_int_equal(*pixel(&desk, 98, 68) & 0xffffff, 0x0c0b0a);
	assert_int_equal(*pixel(&desk, 99, 69) & 0xffffff, 0x0c0b0a);
	assert_int_equal(desk.damages, 1);
	assert_int_equal(desk.copies, 1);
	assert_memory_equal(desk.copied, ((int[]){ 98, 68, 97, 67, 2, 2 }), sizeof(desk.copied));
	assert_int_equal(desk.dones, 1);
	assert_int_equal(desk.cursor_width, 0);
	desk_close(&desk);
	pc_stop(&pc);
}

static void test_all_that_is_asked_for(void **state)
{
	(void)state;
	check_good(say_all);
}

static void test_byte_by_byte(void **state)
{
	(void)state;
	check_good(say_bytewise);
}

/* A window moves down by less than its height. */
static void test_copy_onto_itself(void **state)
{
	(void)state;
	static const uint8_t update[] = {
		0,
		0,
		0,
		2,
		/* raw 1×3 at 10,10 */
		0,
		10,
		0,
		10,
		0,
		1,
		0,
		3,
		0,
		0,
		0,
		0,
		1,
		0,
		0,
		0,
		2,
		0,
		0,
		0,
		3,
		0,
		0,
		0,
		/* copied one down */
		0,
		10,
		0,
		11,
		0,
		1,
		0,
		3,
		0,
		0,
		0,
		1,
		0,
		10,
		0,
		10,
	};
	struct pc pc;
	struct desk desk;
	pc_start(&pc, say_all, update, sizeof(update));
	assert_ok(desk_connect(&desk, &pc));
	desk_until(&desk, desk.dones == 1);
	assert_int_equal(*pixel(&desk, 10, 10), 1);
	assert_int_equal(*pixel(&desk, 10, 11), 1);
	assert_int_equal(*pixel(&desk, 10, 12), 2);
	assert_int_equal(*pixel(&desk, 10, 13), 3);
	desk_close(&desk);
	pc_stop(&pc);
}

static void test_copy_of_nothing(void **state)
{
	(void)state;
	static const uint8_t update[] = { 0, 0, 0, 2, 0, 9, 0, 9, 0, 0, 0, 5, 0, 0, 0, 1, 0, 1, 0,
					  1, 0, 9, 0, 9, 0, 5, 0, 0, 0, 0, 0, 1, 0, 1, 0, 1, 2 };
	struct pc pc;
	struct desk desk;
	pc_start(&pc, say_all, update, sizeof(update));
	assert_ok(desk_connect(&desk, &pc));
	desk_until(&desk, desk.bells == 1);
	assert_int_equal(desk.copies + desk.damages + desk.dones, 0);
	desk_close(&desk);
	pc_stop(&pc);
}

static void test_cursor_shapes(void **state)
{
	(void)state;
	static const uint8_t two_colours[] = { 0, 0, 0, 1,    0,    3,    0,    0,   0,
					       9, 0, 1, 0xff, 0xff, 0xff, 0x10, 1,   2,
					       3, 4, 5, 6,    0x80, 0x80, 0xc0, 0x00 };
	static const uint8_t rich[] = { 0,    0,    0,    1,  0,  1,  0, 0,  0,  2,  0, 1,   0xff,
					0xff, 0xff, 0x11, 30, 20, 10, 0, 60, 50, 40, 0, 0x40 };
	static const uint8_t wanted_rich[] = { 10, 20, 30, 0, 40, 50, 60, 255 };
	static const uint8_t wanted_two[] = { 1, 2, 3, 255, 4, 5, 6, 255, 4, 5, 6, 0 };
	struct pc pc;
	struct desk desk;
	pc_start(&pc, say_all, rich, sizeof(rich));
	assert_ok(desk_connect(&desk, &pc));
	desk_until(&desk, desk.cursors == 1);
	assert_int_equal(desk.hot_x, 1);
	assert_memory_equal(desk.cursor, wanted_rich, sizeof(wanted_rich));
	desk_close(&desk);
	pc_stop(&pc);

	pc_start(&pc, say_all, two_colours, sizeof(two_colours));
	assert_ok(desk_connect(&desk, &pc));
	desk_until(&desk, desk.cursors == 1);
	assert_int_equal(desk.hot_y, 0);
	assert_memory_equal(desk.cursor, wanted_two, sizeof(wanted_two));
	assert_memory_equal(desk.cursor + 8 * 4, wanted_two + 0, 3);
	desk_close(&desk);
	pc_stop(&pc);
}

/* ---- sizes ------------------------------------------------------------------------------ */

static const uint8_t new_size[] = {
	0,
	0,
	0,
	2,
	/* ExtendedDesktopSize 320×200, one screen with id 7 and flags 9 */
	0,
	0,
	0,
	0,
	1,
	64,
	0,
	200,
	0xff,
	0xff,
	0xfe,
	0xcc,
	1,
	0,
	0,
	0,
	0,
	0,
	0,
	7,
	0,
	0,
	0,
	0,
	1,
	64,
	0,
	200,
	0,
	0,
	0,
	9,
	/* raw in the new corner */
	1,
	63,
	0,
	199,
	0,
	1,
	0,
	1,
	0,
	0,
	0,
	0,
	1,
	1,
	1,
	1,
};

static void resize_and_listen(struct pc *pc, int fd)
{
	static const uint8_t wanted[] = { 251, 0, 1, 244, 1, 44,  1, 0,  0, 0, 0, 7,
					  0,   0, 0, 0,   1, 244, 1, 44, 0, 0, 0, 9 };
	uint8_t request[10], set[sizeof(wanted)];
	if (!pc_begin(fd, WIDTH, HEIGHT) || !pc_say(fd, new_size, sizeof(new_size)) ||
	    !pc_hear(fd, request, 10))
		return;
	/* Everything of the new size, not only changes. */
	static const uint8_t whole[] = { 3, 0, 0, 0, 0, 0, 1, 64, 0, 200 };
	if (memcmp(request, whole, 10) != 0 || !pc_hear(fd, set, sizeof(set)))
		return;
	if (memcmp(set, wanted, sizeof(set)) == 0)
		pc->seen = 1;
	pc_wait_closed(fd);
}

static void test_desktop_size_both_ways(void **state)
{
	(void)state;
	const struct rect size[] = { { .width = 500, .height = 300 },
				     { .x = 500, .width = 500, .height = 300 } };
	struct pc pc;
	struct desk desk;
	pc_start(&pc, resize_and_listen, NULL, 0);
	assert_ok(desk_connect(&desk, &pc));
	assert_false(desk.remote->can_resize);
	assert_false(desk.remote->ops->resize(desk.remote, size, 1));
	desk_until(&desk, desk.sizes == 2 && desk.dones == 1);
	assert_int_equal(desk.width, 320);
	assert_int_equal(*pixel(&desk, 319, 199) & 0xffffff, 0x010101);
	assert_true(desk.remote->can_resize);
	assert_false(desk.remote->ops->resize(desk.remote, size, 2));
	assert_true(desk.remote->ops->resize(desk.remote, size, 1));
	desk_until(&desk, pc.seen);
	desk_close(&desk);
	pc_stop(&pc);
}

/* As x11vnc does: it names its screens, and refuses to change them. */
static void refuse_sizes(struct pc *pc, int fd)
{
	uint8_t refusal[36], request[10], set[24];
	(void)pc;
	if (!pc_begin(fd, WIDTH, HEIGHT) || !pc_say(fd, new_size, sizeof(new_size)) ||
	    !pc_hear(fd, request, sizeof(request)) || !pc_hear(fd, set, sizeof(set)))
		return;
	memcpy(refusal, new_size, sizeof(refusal));
	refusal[3] = 1; /* rectangles */
	refusal[5] = 1; /* an answer */
	refusal[7] = 1; /* prohibited */
	pc_say(fd, refusal, sizeof(refusal));
	pc_wait_closed(fd);
}

static void test_desktop_size_refused(void **state)
{
	(void)state;
	const struct rect size = { .width = 500, .height = 300 };
	struct pc pc;
	struct desk desk;
	pc_start(&pc, refuse_sizes, NULL, 0);
	assert_ok(desk_connect(&desk, &pc));
	desk_until(&desk, desk.dones == 1);
	assert_int_equal(desk.ables, 1);
	assert_true(desk.remote->ops->resize(desk.remote, &size, 1));
	desk_until(&desk, desk.ables == 2);
	assert_false(desk.remote->can_resize);
	assert_false(desk.remote->ops->resize(desk.remote, &size, 1));
	desk_close(&desk);
	pc_stop(&pc);
}

/* ---- back-pressure ---------------------------------------------------------------------- */

static void answer_requests(struct pc *pc, int fd)
{
	static const uint8_t update[] = {
		0, 0, 0, 1, 0, 0, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0, 1, 2, 3, 4
	};
	uint8_t request[10];
	if (!pc_begin(fd, WIDTH, HEIGHT))
		return;
	do {
		pc->seen++;
	} while (pc_say(fd, update, sizeof(update)) && pc_hear(fd, request, sizeof(request)) &&
		 request[1] == 1);
}

static void test_held_remote_asks_for_nothing(void **state)
{
	(void)state;
	struct pc pc;
	struct desk desk;
	pc_start(&pc, answer_requests, NULL, 0);
	assert_ok(desk_connect(&desk, &pc));
	desk_until(&desk, desk.dones >= 3);
	desk.remote->ops->hold(desk.remote, true);
	/* The answer to the request that was out already. */
	int dones = desk.dones;
	desk_until(&desk, desk.dones == dones + 1);
	for (int i = 0; i < 5; i++)
		assert_ok(loop_step(desk.loop, 20));
	assert_int_equal(desk.dones, dones + 1);
	desk.remote->ops->hold(desk.remote, false);
	desk_until(&desk, desk.dones > dones + 5);
	desk_close(&desk);
	pc_stop(&pc);
}

/* ---- PCs that mean harm ----------------------------------------------------------------- */

#define UPDATE(...) 0, 0, 0, 1, __VA_ARGS__
#define CASE(wanted, name, ...)                                                                    \
	{                                                                                          \
		name, (const uint8_t[]){ __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ }),  \
			wanted                                                                     \
	}

static const struct {
	const char *name;
	const uint8_t *data;
	size_t len;
	enum end_reason wanted;
} hostile[] = {
	CASE(END_PC_PROTOCOL, "Tight with the gradient filter, wider than 2048",
	     UPDATE(0, 0, 0, 0, 16, 0, 0, 1, 0, 0, 0, 7, 0x40, 2, 0xff, 0xff, 0xff)),
	CASE(END_PC_PROTOCOL, "Tight", UPDATE(0, 0, 0, 0, 0, 9, 0, 9, 0, 0, 0, 7, 0x80, 1, 2, 3)),
	CASE(END_PC_PROTOCOL, "RRE",
	     UPDATE(0, 0, 0, 0, 0, 9, 0, 9, 0, 0, 0, 2, 0xff, 0xff, 0xff, 0xff)),
	CASE(END_PC_PROTOCOL, "CoRRE",
	     UPDATE(0, 0, 0, 0, 0, 9, 0, 9, 0, 0, 0, 4, 0xff, 0xff, 0xff, 0xff)),
	CASE(END_PC_PROTOCOL, "Hextile", UPDATE(0, 0, 0, 0, 0, 9, 0, 9, 0, 0, 0, 5, 0x1f)),
	CASE(END_PC_PROTOCOL, "zlib",
	     UPDATE(0, 0, 0, 0, 0, 9, 0, 9, 0, 0, 0, 6, 0xff, 0xff, 0xff, 0xff)),
	CASE(END_PC_PROTOCOL, "Ultra",
	     UPDATE(0, 0, 0, 0, 0, 9, 0, 9, 0, 0, 0, 9, 0xff, 0xff, 0xff, 0xff)),
	CASE(END_PC_PROTOCOL, "UltraZip",
	     UPDATE(0xff, 0xff, 0, 0, 0, 9, 0, 9, 0xff, 0xff, 0, 9, 0, 0, 0, 9)),
	CASE(END_PC_PROTOCOL, "TRLE", UPDATE(0, 0, 0, 0, 0, 9, 0, 9, 0, 0, 0, 15, 0xff)),
	CASE(END_PC_PROTOCOL, "ZRLE",
	     UPDATE(0, 0, 0, 0, 0, 9, 0, 9, 0, 0, 0, 16, 0xff, 0xff, 0xff, 0xff)),
	CASE(END_PC_PROTOCOL, "server identity",
	     UPDATE(0, 0, 0, 0, 0xff, 0xff, 0, 0, 0xff, 0xfe, 0, 3)),
	CASE(END_PC_PROTOCOL, "a made-up encoding",
	     UPDATE(0, 0, 0, 0, 0, 9, 0, 9, 0x7f, 0xff, 0xff, 0xff)),
	CASE(END_PC_PROTOCOL, "raw past the right edge",
	     UPDATE(0, 99, 0, 0, 0, 2, 0, 1, 0, 0, 0, 0)),
	CASE(END_PC_PROTOCOL, "raw past the bottom", UPDATE(0, 0, 0, 69, 0, 1, 0, 2, 0, 0, 0, 0)),
	CASE(END_PC_PROTOCOL, "raw of all 16 bits",
	     UPDATE(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0)),
	CASE(END_PC_PROTOCOL, "copy to the outside",
	     UPDATE(0, 99, 0, 0, 0, 2, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0)),
	CASE(END_PC_PROTOCOL, "copy from the outside",
	     UPDATE(0, 0, 0, 0, 0, 2, 0, 1, 0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff)),
	CASE(END_PC_PROTOCOL, "copy of all 16 bits",
	     UPDATE(0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 1, 0, 0, 0, 0)),
	CASE(END_PC_PROTOCOL, "copy from below",
	     UPDATE(0, 0, 0, 0, 0, 1, 0, 2, 0, 0, 0, 1, 0, 0, 0, 69)),
	CASE(END_PC_PROTOCOL, "huge cursor",
	     UPDATE(0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x11)),
	CASE(END_PC_PROTOCOL, "cursor a little too wide",
	     UPDATE(0, 0, 0, 0, 1, 129, 0, 1, 0xff, 0xff, 0xff, 0x11)),
	CASE(END_PC_PROTOCOL, "huge XCursor",
	     UPDATE(0, 0, 0, 0, 0xff, 0xff, 0, 1, 0xff, 0xff, 0xff, 0x10)),
	CASE(END_PC_PROTOCOL, "endless cut text", 3, 0, 0, 0, 0xff, 0xff, 0xff, 0xff),
	CASE(END_PC_PROTOCOL, "colour map", 1, 0, 0, 0, 0xff, 0xff),
	CASE(END_PC_PROTOCOL, "text chat", 11, 0, 0, 0, 0xff, 0xff, 0xff, 0xff),
	CASE(END_PC_PROTOCOL, "Ultra resize", 4, 0, 0xff, 0xff, 0xff, 0xff),
	CASE(END_PC_PROTOCOL, "Palm resize", 15, 0, 0xff, 0xff, 0xff, 0xff),
	CASE(END_PC_PROTOCOL, "xvp", 250, 0, 1, 0),
	CASE(END_PC_PROTOCOL, "no screens",
	     UPDATE(0, 0, 0, 0, 1, 64, 0, 200, 0xff, 0xff, 0xfe, 0xcc, 0, 0, 0, 0)),
	CASE(END_PC_TOO_BIG, "desktop of nothing",
	     UPDATE(0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0x21)),
	CASE(END_PC_TOO_BIG, "desktop too small",
	     UPDATE(0, 0, 0, 0, 0, 63, 0, 200, 0xff, 0xff, 0xff, 0x21)),
	CASE(END_PC_TOO_BIG, "desktop too wide",
	     UPDATE(0, 0, 0, 0, 30, 1, 0, 200, 0xff, 0xff, 0xff, 0x21)),
	CASE(END_PC_TOO_BIG, "desktop too high",
	     UPDATE(0, 0, 0, 0, 0, 200, 16, 225, 0xff, 0xff, 0xff, 0x21)),
	CASE(END_PC_TOO_BIG, "desktop of all 16 bits",
	     UPDATE(0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe, 0xcc, 1, 0, 0, 0, 0, 0, 0,
		    1, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0)),
};

static void test_hostile_messages(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(hostile); i++) {
		struct pc pc;
		struct desk desk;
		pc_start(&pc, say_all, hostile[i].data, hostile[i].len);
		assert_ok(desk_connect(&desk, &pc));
		desk_until(&desk, desk.ended);
		if (desk.reason != hostile[i].wanted)
			fail_msg("%s: %s", hostile[i].name, end_reason_code(desk.reason));
		assert_int_equal(desk.ended, 1);
		assert_int_equal(desk.sizes, 1);
		desk_close(&desk);
		pc_stop(&pc);
	}
}

/* More than the largest cut text, never to be kept, then nothing: memory stays what it is and the
 * wait ends. */
static void test_a_message_that_does_not_go_on(void **state)
{
	(void)state;
	static const uint8_t half[] = { UPDATE(0, 0, 0, 0, 0, 9, 0, 9, 0, 0, 0, 0), 1, 2, 3 };
	struct pc pc;
	struct desk desk;
	pc_start(&pc, say_all, half, sizeof(half));
	assert_ok(desk_connect(&desk, &pc));
	uint64_t start = clock_mono_ms();
	desk_until(&desk, desk.ended);
	assert_int_equal(desk.reason, END_PC_TIMEOUT);
	assert_in_range(clock_mono_ms() - start, 800, 3000);
	desk_close(&desk);
	pc_stop(&pc);
}

static void close_at_once(struct pc *pc, int fd)
{
	if (pc_begin(fd, WIDTH, HEIGHT))
		pc->seen = 1;
}

static void test_a_pc_that_leaves(void **state)
{
	(void)state;
	struct pc pc;
	struct desk desk;
	pc_start(&pc, close_at_once, NULL, 0);
	assert_ok(desk_connect(&desk, &pc));
	desk_until(&desk, desk.ended);
	assert_int_equal(desk.reason, END_PC_CLOSED);
	desk_close(&desk);
	pc_stop(&pc);
}

/* ---- input ------------------------------------------------------------------------------ */

static const uint8_t
	wanted_input[] = {
		4, 1,    0, 0, 0, 0, 0xff, 0x0d,                              /* Return down */
		4, 1,    0, 0, 0, 0, 0,    'a',  4, 0, 0, 0, 0, 0, 0,    'a', /* text "aé\n税😀" */
		4, 1,    0, 0, 0, 0, 0,    0xe9, 4, 0, 0, 0, 0, 0, 0,    0xe9,
		4, 1,    0, 0, 0, 0, 0xff, 0x0d, 4, 0, 0, 0, 0, 0, 0xff, 0x0d,
		4, 1,    0, 0, 1, 0, 0x7a, 0x0e, 4, 0, 0, 0, 1, 0, 0x7a, 0x0e,
		4, 1,    0, 0, 1, 1, 0xf6, 0x00, 4, 0, 0, 0, 1, 1, 0xf6, 0x00,
		5, 5,    1, 0, 0, 9, /* left and right button at 256,9 */
		5, 0x80, 1, 0, 0, 9, /* back; forward has no button */
		5, 0,    0, 0, 0, 0, 5,    16,   0, 0, 0, 0, 5, 0, 0,    0,
		0, 0,                /* one notch down */
		5, 0,    0, 0, 0, 0, /* half a notch up: waits */
		5, 0,    0, 0, 0, 0, 5,    8,    0, 0, 0, 0, 5, 0, 0,    0,
		0, 0, /* the other half */
		5, 0,    0, 0, 0, 0, 5,    64,   0, 0, 0, 0, 5, 0, 0,    0,
		0, 0, /* right */
	};

static void hear_input(struct pc *pc, int fd)
{
	uint8_t input[sizeof(wanted_input)];
	if (pc_begin(fd, WIDTH, HEIGHT) && pc_hear(fd, input, sizeof(input)))
		pc->seen = memcmp(input, wanted_input, sizeof(input)) == 0 ? 1 : -1;
	pc_wait_closed(fd);
}

static void test_input_as_rfb(void **state)
{
	(void)state;
	struct pc pc;
	struct desk desk;
	pc_start(&pc, hear_input, NULL, 0);
	assert_ok(desk_connect(&desk, &pc));
	const struct remote_ops *ops = desk.remote->ops;
	ops->key(desk.remote, 0xff0d, 0x1c, true);
	ops->key(desk.remote, 0, 0x29, true); /* nothing that RFB could say */
	ops->text(desk.remote, "aé\n税😀");
	ops->pointer(desk.remote, 256, 9, 1 | 4, 0, 0);
	ops->pointer(desk.remote, 256, 9, 8 | 16, 0, 0);
	ops->pointer(desk.remote, 0, 0, 0, 0, 120);
	ops->pointer(desk.remote, 0, 0, 0, 0, -60);
	ops->pointer(desk.remote, 0, 0, 0, 0, -60);
	ops->pointer(desk.remote, 0, 0, 0, 120, 0);
	desk_until(&desk, pc.seen);
	assert_int_equal(pc.seen, 1);
	desk_close(&desk);
	pc_stop(&pc);
}

static void read_nothing(struct pc *pc, int fd)
{
	uint8_t byte;
	int small = 4096;
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	if (pc_begin(fd, WIDTH, HEIGHT))
		while (!pc->seen && recv(fd, &byte, 1, MSG_PEEK) > 0)
			usleep(10000);
}

/* The library would wait for ever in the middle of a key event. */
static void test_a_pc_that_reads_nothing(void **state)
{
	(void)state;
	struct pc pc;
	struct desk desk;
	pc_start(&pc, read_nothing, NULL, 0);
	assert_ok(desk_connect(&desk, &pc));
	uint64_t start = clock_mono_ms();
	for (unsigned i = 0; !desk.ended && clock_mono_ms() - start < 10000; i++) {
		desk.remote->ops->pointer(desk.remote, i % 100, 0, 0, 0, 0);
		if (i % 1000 == 0)
			assert_ok(loop_step(desk.loop, 0));
	}
	assert_int_equal(desk.ended, 1);
	assert_int_equal(desk.reason, END_PC_TIMEOUT);
	pc.seen = 1;
	desk_close(&desk);
	pc_stop(&pc);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_that_is_asked_for),
		cmocka_unit_test(test_byte_by_byte),
		cmocka_unit_test(test_copy_onto_itself),
		cmocka_unit_test(test_copy_of_nothing),
		cmocka_unit_test(test_cursor_shapes),
		cmocka_unit_test(test_desktop_size_both_ways),
		cmocka_unit_test(test_desktop_size_refused),
		cmocka_unit_test(test_held_remote_asks_for_nothing),
		cmocka_unit_test(test_hostile_messages),
		cmocka_unit_test(test_a_message_that_does_not_go_on),
		cmocka_unit_test(test_a_pc_that_leaves),
		cmocka_unit_test(test_input_as_rfb),
		cmocka_unit_test(test_a_pc_that_reads_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
