/* The vault between a browser that leafs through a document and sekisho-preview, which may lie. */
#include "unit/unit.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "base/clock.h"
#include "base/util.h"
#include "vault/document_preview.h"

enum { SIDES = 8, LEN = 2 * DOCUMENT_MESSAGE + 17 };

#define PAGE "<html><script>alert(1)</script>"
#define PNG  "\x89PNG\r\n\x1a\n and so on"

/* A stream: the browser's end of it, and sekisho-preview's. */
struct side {
	uint32_t number;
	int page, helper;
	unsigned spawned, kills, closed;
	uint64_t bytes;
	enum err err;
};

static char folder[] = "/tmp/sekisho-preview-XXXXXX";
static uint8_t plain[LEN];
static struct secret *key;
static uint64_t ahead_us;

static struct {
	struct loop *loop;
	struct document_streams all;
	struct side sides[SIDES];
	bool denied;
	struct ipc_received got;
} world;

/* ---- time ------------------------------------------------------------------------------------ */

int64_t clock_wall_ms(void)
{
	return (int64_t)time(NULL) * 1000;
}

int64_t clock_wall_s(void)
{
	return (int64_t)time(NULL);
}

uint64_t clock_mono_us(void)
{
	struct timespec ts = { 0 };

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000 + ahead_us;
}

static void run(void)
{
	for (int i = 0; i < 20; i++)
		assert_ok(loop_step(world.loop, 0));
}

static void pass(uint64_t s)
{
	ahead_us += s * 1000000;
	run();
}

/* ---- those around it ------------------------------------------------------------------------- */

static struct side *side_of(uint32_t number)
{
	for (size_t i = 0; i < SIDES; i++)
		if (world.sides[i].number == number)
			return &world.sides[i];
	fail_msg("no stream %u", number);
	return NULL;
}

static void closed(void *ctx, uint32_t number, uint64_t bytes, enum err err)
{
	struct side *side = side_of(number);

	(void)ctx;
	side->closed++;
	side->bytes = bytes;
	side->err = err;
}

static enum err spawn(void *ctx, uint32_t stream, int fd)
{
	struct side *side = side_of(stream);

	(void)ctx;
	side->spawned++;
	side->helper = fd;
	return OK;
}

static void end_helper(void *ctx, uint32_t stream)
{
	(void)ctx;
	side_of(stream)->kills++;
}

static bool may(void *look)
{
	assert_int_equal(*(int *)look, 42);
	return !world.denied;
}

static bool keep_none(void *ctx, uint64_t document, uint64_t version)
{
	(void)ctx;
	(void)document;
	(void)version;
	return false;
}

static int set_up(void **state)
{
	const struct document_place place = { folder, 1, 1 };
	struct document_writer *writer;

	(void)state;
	memset(&world, 0, sizeof(world));
	assert_ok(loop_new(&world.loop));
	world.all = (struct document_streams){ .loop = world.loop, .closed = closed };
	world.got.fd = -1;
	for (size_t i = 0; i < SIDES; i++)
		world.sides[i].page = world.sides[i].helper = -1;
	assert_ok(document_writer_new(&place, key, &writer));
	assert_ok(document_writer_add(writer, plain, LEN));
	assert_ok(document_writer_end(writer));
	document_writer_free(writer);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	document_streams_finish(&world.all);
	ipc_received_finish(&world.got);
	for (size_t i = 0; i < SIDES; i++) {
		util_closep(&world.sides[i].page);
		util_closep(&world.sides[i].helper);
	}
	loop_free(world.loop);
	assert_ok(document_file_sweep(folder, keep_none, NULL));
	return 0;
}

static enum err ask(uint64_t account, uint32_t *ret_number)
{
	const struct document_place place = { folder, 1, 1 };
	struct document_preview_order order = { .account = account,
						.record = 3,
						.size = LEN,
						.may = may,
						.look = calloc(1, sizeof(int)),
						.spawn = spawn,
						.kill = end_helper };

	assert_non_null(order.look);
	*(int *)order.look = 42;
	assert_ok(document_reader_new(&place, key, LEN, &order.reader));
	return document_preview_new(&world.all, &order, ret_number);
}

/* With the browser at it. */
static struct side *begin(uint64_t account)
{
	struct side *side = world.sides;
	int pair[2];

	while (side->number)
		side++;
	assert_ok(ask(account, &side->number));
	assert_ok(ipc_pair(pair));
	side->page = pair[1];
	assert_ok(document_streams_attach(&world.all, side->number, "佐藤", pair[0]));
	return side;
}

/* ---- what they say --------------------------------------------------------------------------- */

static const union wire_any *hear(int fd, enum wire_role self, uint16_t id)
{
	enum err err;

	ipc_received_finish(&world.got);
	while ((err = ipc_receive(fd, WIRE_VAULT, self, &world.got)) == ERR_UNAVAILABLE)
		assert_ok(loop_step(world.loop, 1000));
	assert_ok(err);
	assert_int_equal(world.got.type->id, id);
	return &world.got.msg;
}

static void show(const struct side *side, uint32_t page)
{
	const struct msg_document_show msg = { page };

	assert_ok(ipc_send(side->page, MSG_document_show, &msg, -1));
}

static void got(const struct side *side, uint64_t bytes)
{
	const struct msg_document_got msg = { bytes };

	assert_ok(ipc_send(side->page, MSG_document_got, &msg, -1));
}

static void draw(const struct side *side, uint32_t pages, uint32_t bytes, const char *picture)
{
	const struct msg_preview_page page = { .pages = pages, .bytes = bytes };
	const struct msg_preview_picture part = { { (const uint8_t *)picture, strlen(picture) } };

	assert_ok(ipc_send(side->helper, MSG_preview_page, &page, -1));
	assert_ok(ipc_send(side->helper, MSG_preview_picture, &part, -1));
}

/* The document goes there, and after it which page. */
static void fed(struct side *side, uint32_t page)
{
	while (side->helper < 0)
		assert_ok(loop_step(world.loop, 1000));
	const struct msg_preview_start *start =
		&hear(side->helper, WIRE_PREVIEW, MSG_preview_start)->preview_start;
	assert_int_equal(start->bytes, LEN);
	assert_string_equal(start->who, "佐藤");
	for (size_t at = 0; at < LEN;) {
		const struct bytes *data =
			&hear(side->helper, WIRE_PREVIEW, MSG_preview_data)->preview_data.data;
		assert_in_range(data->len, 1, LEN - at);
		assert_memory_equal(data->data, plain + at, data->len);
		at += data->len;
	}
	assert_int_equal(hear(side->helper, WIRE_PREVIEW, MSG_preview_show)->preview_show.page,
			 page);
}

static void seen(const struct side *side, uint32_t number, uint32_t pages)
{
	const struct msg_document_page *page =
		&hear(side->page, WIRE_PAGE, MSG_document_page)->document_page;
	assert_int_equal(page->page, number);
	assert_int_equal(page->pages, pages);
	assert_int_equal(page->bytes, strlen(PNG));
	const struct msg_document_data *data =
		&hear(side->page, WIRE_PAGE, MSG_document_data)->document_data;
	assert_int_equal(data->offset, 0);
	assert_int_equal(data->data.len, strlen(PNG));
	assert_memory_equal(data->data.data, PNG, strlen(PNG));
}

/* One that shows a page, and waits for the next. */
static struct side *at_rest(uint64_t account)
{
	struct side *side = begin(account);

	show(side, 1);
	fed(side, 1);
	draw(side, 3, strlen(PNG), PNG);
	seen(side, 1, 3);
	run();
	return side;
}

static void gone(const struct side *side, unsigned kills, enum err err)
{
	assert_int_equal(side->closed, 1);
	assert_err(side->err, err);
	assert_int_equal(side->kills, kills);
	assert_null(document_streams_find(&world.all, side->number));
}

static void expect_end(const struct side *side, enum document_end why)
{
	do {
		enum err err;

		ipc_received_finish(&world.got);
		while ((err = ipc_receive(side->page, WIRE_VAULT, WIRE_PAGE, &world.got)) ==
		       ERR_UNAVAILABLE)
			assert_ok(loop_step(world.loop, 1000));
		assert_ok(err);
	} while (world.got.type->id != MSG_document_end);
	assert_int_equal(world.got.msg.document_end.error, why);
	assert_int_equal(side->closed, 1);
	assert_int_equal(side->kills, side->spawned);
}

static void expect_broken(const struct side *side)
{
	uint8_t bytes[1024];
	ssize_t len;

	while (!side->closed)
		assert_ok(loop_step(world.loop, 1000));
	gone(side, side->spawned, ERR_PROTOCOL);
	do { /* behind what it had said before */
		len = recv(side->page, bytes, sizeof(bytes), MSG_DONTWAIT);
		assert_true(len > 0);
	} while (len > 1);
	assert_int_equal(bytes[0], WIRE_STREAM_VIOLATION);
}

/* ---- leafing --------------------------------------------------------------------------------- */

static void one_page_after_another(void **state)
{
	struct side *side = begin(7);

	(void)state;
	run();
	assert_int_equal(side->spawned, 0);
	show(side, 2);
	fed(side, 2);
	draw(side, 3, strlen(PNG), PNG);
	seen(side, 2, 3);
	got(side, strlen(PNG));
	/* The document does not go there again. */
	for (uint32_t page = 3; page >= 1; page--) {
		show(side, page);
		assert_int_equal(
			hear(side->helper, WIRE_PREVIEW, MSG_preview_show)->preview_show.page,
			page);
		draw(side, 3, strlen(PNG), PNG);
		seen(side, page, 3);
	}
	assert_int_equal(side->spawned, 1);
	assert_int_equal(side->kills, 0);
	run();
	/* Who goes then has seen what he wanted. */
	close(util_take_fd(&side->page));
	while (!side->closed)
		assert_ok(loop_step(world.loop, 1000));
	gone(side, 1, OK);
	assert_int_equal(side->bytes, 4 * strlen(PNG));
}

static void who_goes_before_it_is_there_breaks_off(void **state)
{
	struct side *side = at_rest(7);

	(void)state;
	show(side, 2);
	hear(side->helper, WIRE_PREVIEW, MSG_preview_show);
	close(util_take_fd(&side->page));
	while (!side->closed)
		assert_ok(loop_step(world.loop, 1000));
	gone(side, 1, ERR_CLOSED);
}

static void a_picture_comes_as_the_browser_takes_it(void **state)
{
	enum { PICTURE = DOCUMENT_WINDOW + 3 * DOCUMENT_MESSAGE };
	static uint8_t picture[PICTURE] = PNG;
	const struct msg_preview_page page = { .pages = 1, .bytes = PICTURE };
	struct side *side = begin(7);
	uint64_t taken = 0;

	(void)state;
	show(side, 1);
	fed(side, 1);
	assert_ok(ipc_send(side->helper, MSG_preview_page, &page, -1));
	assert_int_equal(hear(side->page, WIRE_PAGE, MSG_document_page)->document_page.bytes,
			 PICTURE);
	for (size_t at = 0; at < PICTURE; at += DOCUMENT_MESSAGE) {
		const struct msg_preview_picture part = {
			{ picture + at, MIN((size_t)DOCUMENT_MESSAGE, PICTURE - at) }
		};

		assert_ok(ipc_send(side->helper, MSG_preview_picture, &part, -1));
		run();
		if (taken >= DOCUMENT_WINDOW)
			continue;
		const struct msg_document_data *data =
			&hear(side->page, WIRE_PAGE, MSG_document_data)->document_data;
		assert_int_equal(data->offset, taken);
		taken += data->data.len;
	}
	assert_in_range(taken, DOCUMENT_WINDOW, DOCUMENT_WINDOW + DOCUMENT_MESSAGE);
	assert_err(ipc_receive(side->page, WIRE_VAULT, WIRE_PAGE, &world.got), ERR_UNAVAILABLE);
	got(side, taken);
	while (taken < PICTURE)
		taken += hear(side->page, WIRE_PAGE, MSG_document_data)->document_data.data.len;
	run();
	show(side, 1);
	hear(side->helper, WIRE_PREVIEW, MSG_preview_show);
}

/* ---- what a browser may not say -------------------------------------------------------------- */

static void pages_that_there_are_not(void **state)
{
	static const uint32_t first[] = { 0, PREVIEW_PAGE_MAX + 1, UINT32_MAX };
	struct side *side;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(first); i++) {
		side = begin(7);
		show(side, first[i]);
		expect_broken(side);
		assert_int_equal(side->spawned, 0);
	}
	/* It has three, as is known by then. */
	side = at_rest(7);
	show(side, 4);
	expect_broken(side);
	side = at_rest(7);
	show(side, 0);
	expect_broken(side);
}

static void two_pages_at_once(void **state)
{
	struct side *side = begin(7);

	(void)state;
	show(side, 1);
	fed(side, 1);
	show(side, 2);
	expect_broken(side);
	/* Nor while the picture is under way. */
	const struct msg_preview_page page = { .pages = 3, .bytes = 1000 };
	side = at_rest(7);
	show(side, 2);
	hear(side->helper, WIRE_PREVIEW, MSG_preview_show);
	assert_ok(ipc_send(side->helper, MSG_preview_page, &page, -1));
	hear(side->page, WIRE_PAGE, MSG_document_page);
	show(side, 3);
	run();
	const struct msg_preview_picture part = { { (const uint8_t *)PNG, strlen(PNG) } };
	assert_int_equal(side->closed, 1);
	assert_err(ipc_send(side->helper, MSG_preview_picture, &part, -1), ERR_CLOSED);
	gone(side, 1, ERR_PROTOCOL);
}

static void what_else_is_out_of_order(void **state)
{
	const struct msg_document_put put = { 0, { plain, 1 } };
	struct side *side = begin(7);

	(void)state;
	got(side, 0);
	expect_broken(side);
	side = begin(7);
	assert_ok(ipc_send(side->page, MSG_document_put, &put, -1));
	expect_broken(side);
	side = at_rest(7);
	got(side, strlen(PNG) + 1); /* what was never sent */
	expect_broken(side);
	side = at_rest(7);
	got(side, strlen(PNG));
	got(side, strlen(PNG));
	expect_broken(side);
}

/* ---- what sekisho-preview may say ------------------------------------------------------------ */

/* A document may have taken it over. */
static void lies(void **state)
{
	static const struct {
		uint32_t pages, bytes;
		const char *picture;
	} told[] = {
		{ 1, sizeof(PNG) - 1, PNG }, /* there is no page 2 then */
		{ 3, 0, PNG },
		{ 3, UINT32_MAX, PNG },
		{ 3, 10, PNG },
		{ UINT32_MAX, sizeof(PNG) - 1, PNG },
		{ 3, sizeof(PAGE) - 1, PAGE },
		{ 3, 3, "\x89PN" },
		{ 3, sizeof(PNG) - 1, "" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(told); i++) {
		struct side *side = begin(7);

		show(side, 2);
		fed(side, 2);
		draw(side, told[i].pages, told[i].bytes, told[i].picture);
		expect_end(side, DOCUMENT_END_FAILED);
		tear_down(state);
		set_up(state);
	}
}

static void lies_later(void **state)
{
	struct side *side = at_rest(7);

	(void)state;
	/* It had three pages. */
	show(side, 2);
	hear(side->helper, WIRE_PREVIEW, MSG_preview_show);
	draw(side, 4, strlen(PNG), PNG);
	expect_end(side, DOCUMENT_END_FAILED);
	side = at_rest(7);
	show(side, 2);
	hear(side->helper, WIRE_PREVIEW, MSG_preview_show);
	draw(side, 3, sizeof(PAGE) - 1, PAGE);
	expect_end(side, DOCUMENT_END_FAILED);
	/* Nobody has asked. */
	side = at_rest(7);
	draw(side, 3, strlen(PNG), PNG);
	expect_end(side, DOCUMENT_END_FAILED);
}

static void what_it_cannot_draw(void **state)
{
	const struct msg_preview_page no = { .error = DOCUMENT_END_PASSWORD },
				      odd = { .error = DOCUMENT_END_SEALED };
	struct side *side = begin(7);

	(void)state;
	show(side, 1);
	fed(side, 1);
	assert_ok(ipc_send(side->helper, MSG_preview_page, &no, -1));
	expect_end(side, DOCUMENT_END_PASSWORD);
	side = at_rest(7);
	show(side, 2);
	hear(side->helper, WIRE_PREVIEW, MSG_preview_show);
	assert_ok(ipc_send(side->helper, MSG_preview_page, &odd, -1));
	expect_end(side, DOCUMENT_END_FAILED);
	/* Something has ended it: while it draws, and while it waits. */
	side = at_rest(7);
	show(side, 2);
	hear(side->helper, WIRE_PREVIEW, MSG_preview_show);
	close(util_take_fd(&side->helper));
	expect_end(side, DOCUMENT_END_LIMITS);
	side = at_rest(7);
	close(util_take_fd(&side->helper));
	expect_end(side, DOCUMENT_END_LIMITS);
}

/* ---- how long -------------------------------------------------------------------------------- */

static void each_page_has_its_time(void **state)
{
	struct side *side = begin(7);

	(void)state;
	show(side, 1);
	fed(side, 1);
	pass(PREVIEW_WAIT_S - 5);
	assert_int_equal(side->closed, 0);
	draw(side, 3, strlen(PNG), PNG);
	seen(side, 1, 3);
	run();
	show(side, 2);
	hear(side->helper, WIRE_PREVIEW, MSG_preview_show);
	pass(PREVIEW_WAIT_S - 5);
	assert_int_equal(side->closed, 0);
	pass(10);
	expect_end(side, DOCUMENT_END_LIMITS);
}

static void what_nobody_looks_at_goes(void **state)
{
	struct side *side = at_rest(7);

	(void)state;
	pass(DOCUMENT_IDLE_S - 5);
	assert_int_equal(side->closed, 0);
	show(side, 2);
	hear(side->helper, WIRE_PREVIEW, MSG_preview_show);
	draw(side, 3, strlen(PNG), PNG);
	seen(side, 2, 3);
	pass(DOCUMENT_IDLE_S - 5);
	assert_int_equal(side->closed, 0);
	pass(10);
	expect_end(side, DOCUMENT_END_TIME);
}

/* It asks for pages and reads none of them, until nothing more goes there. */
static void who_never_reads_keeps_no_place(void **state)
{
	static uint8_t picture[DOCUMENT_MESSAGE] = PNG;
	const struct msg_preview_page page = { .pages = 3, .bytes = sizeof(picture) };
	const struct msg_preview_picture part = { { picture, sizeof(picture) } };
	struct side *side = begin(7);
	const struct document_stream *stream = document_streams_find(&world.all, side->number);

	(void)state;
	show(side, 1);
	fed(side, 1);
	for (;;) {
		assert_ok(ipc_send(side->helper, MSG_preview_page, &page, -1));
		assert_ok(ipc_send(side->helper, MSG_preview_picture, &part, -1));
		run();
		if (!stream->at_rest)
			break;
		show(side, 2);
		hear(side->helper, WIRE_PREVIEW, MSG_preview_show);
	}
	assert_int_equal(side->closed, 0);
	pass(DOCUMENT_IDLE_S + 5);
	gone(side, 1, ERR_TIMEOUT);
}

static void it_ends_at_once(void **state)
{
	struct side *side = at_rest(7), *other = begin(8);

	(void)state;
	/* The broker's word: a right, a login or break-glass is over. */
	document_streams_close(&world.all, side->number, DOCUMENT_END_ENDED);
	expect_end(side, DOCUMENT_END_ENDED);
	show(other, 1);
	fed(other, 1);
	document_streams_close_all(&world.all, DOCUMENT_END_SEALED);
	expect_end(other, DOCUMENT_END_SEALED);
}

/* A right within the vault. */
static void each_page_takes_the_right(void **state)
{
	struct side *side = at_rest(7);

	(void)state;
	world.denied = true;
	show(side, 2);
	expect_end(side, DOCUMENT_END_ENDED);
	side = begin(7);
	show(side, 1);
	expect_end(side, DOCUMENT_END_ENDED);
	assert_int_equal(side->spawned, 0);
}

/* ---- how many -------------------------------------------------------------------------------- */

/* Nobody's work is ended for another, but who only looks makes room. */
static void one_persons(void **state)
{
	struct side *first = at_rest(7), *second = at_rest(7);
	uint32_t number;

	(void)state;
	_Static_assert(PREVIEWS_OF_ONE == 2, "as many as these");
	/* The first has turned a page since. */
	show(first, 2);
	hear(first->helper, WIRE_PREVIEW, MSG_preview_show);
	draw(first, 3, strlen(PNG), PNG);
	seen(first, 2, 3);
	run();
	begin(7);
	expect_end(second, DOCUMENT_END_TIME);
	assert_int_equal(first->closed, 0);
	show(first, 3);
	hear(first->helper, WIRE_PREVIEW, MSG_preview_show);
	assert_err(ask(7, &number), ERR_FULL);
	assert_int_equal(first->closed, 0);
}

static void everybodys(void **state)
{
	struct side *sides[PREVIEWS_MAX];
	uint32_t number;

	(void)state;
	for (unsigned i = 0; i < PREVIEWS_MAX; i++) {
		sides[i] = begin(1 + i);
		show(sides[i], 1);
		fed(sides[i], 1);
	}
	assert_err(ask(99, &number), ERR_FULL);
	for (unsigned i = PREVIEWS_MAX; i--;) {
		draw(sides[i], 3, strlen(PNG), PNG);
		seen(sides[i], 1, 3);
		run();
	}
	begin(99);
	expect_end(sides[PREVIEWS_MAX - 1], DOCUMENT_END_TIME);
	for (unsigned i = 0; i < PREVIEWS_MAX - 1; i++)
		assert_int_equal(sides[i]->closed, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(one_page_after_another),
		TEST(who_goes_before_it_is_there_breaks_off),
		TEST(a_picture_comes_as_the_browser_takes_it),
		TEST(pages_that_there_are_not),
		TEST(two_pages_at_once),
		TEST(what_else_is_out_of_order),
		TEST(lies),
		TEST(lies_later),
		TEST(what_it_cannot_draw),
		TEST(each_page_has_its_time),
		TEST(what_nobody_looks_at_goes),
		TEST(who_never_reads_keeps_no_place),
		TEST(it_ends_at_once),
		TEST(each_page_takes_the_right),
		TEST(one_persons),
		TEST(everybodys),
	};

	assert_non_null(mkdtemp(folder));
	util_random(plain, sizeof(plain));
	assert_ok(secret_random(DOCUMENT_KEY, &key));
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	secret_free(key);
	if (rmdir(folder))
		failed++;
	return failed;
}
