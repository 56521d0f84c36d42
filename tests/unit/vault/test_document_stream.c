#include "unit/unit.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/util.h"
#include "vault/document_download.h"
#include "vault/document_upload.h"

enum { LEN = 3 * DOCUMENT_WINDOW + 12345, PART = DOCUMENT_MESSAGE };

static char folder[] = "/tmp/sekisho-stream-XXXXXX";
static uint8_t plain[LEN], sum[32], sha256[32];
static struct secret *key;

static struct {
	struct loop *loop;
	struct document_streams all;
	int page;
	int closed, stored, freed, wanted;
	uint32_t number;
	uint64_t bytes;
	enum err err, refuse;
	struct document_upload_facts facts;
	struct ipc_received got;
} world;

static void closed(void *ctx, uint32_t number, uint64_t bytes, enum err err)
{
	(void)ctx;
	assert_int_equal(number, world.number);
	world.closed++;
	world.bytes = bytes;
	world.err = err;
}

static enum err store(void *ctx, const struct document_upload_facts *facts)
{
	char path[256];

	(void)ctx;
	snprintf(path, sizeof(path), "%s/1-1", folder);
	assert_int_equal(access(path, F_OK), 0); /* it is there first */
	world.facts = *facts;
	world.stored++;
	return world.refuse;
}

static void freed(void *ctx)
{
	(void)ctx;
	world.freed++;
}

static enum err want(void *ctx, uint32_t number)
{
	(void)ctx;
	assert_int_equal(number, world.number);
	world.wanted++;
	return OK;
}

static bool file_is_there(void)
{
	char path[256], part[256];

	snprintf(path, sizeof(path), "%s/1-1", folder);
	snprintf(part, sizeof(part), "%s/1-1.part", folder);
	return access(path, F_OK) == 0 || access(part, F_OK) == 0;
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
	(void)state;
	memset(&world, 0, sizeof(world));
	assert_ok(loop_new(&world.loop));
	world.all = (struct document_streams){ .loop = world.loop, .closed = closed };
	world.page = world.got.fd = -1;
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	document_streams_finish(&world.all);
	ipc_received_finish(&world.got);
	util_closep(&world.page);
	loop_free(world.loop);
	assert_ok(document_file_sweep(folder, keep_none, NULL));
	return 0;
}

static void attach(void)
{
	int pair[2];

	assert_ok(ipc_pair(pair));
	world.page = pair[1];
	assert_ok(document_streams_attach(&world.all, world.number, "sato", pair[0]));
}

static void begin_upload(bool scan, uint64_t size)
{
	struct document_upload_order order = {
		.place = { folder, 1, 1 },
		.account = 7,
		.record = 3,
		.size = size,
		.scan = scan,
		.store = store,
		.free_ctx = freed,
		.want_scanner = want,
	};

	assert_ok(secret_new(secret_text(key), secret_len(key), &order.key));
	assert_ok(document_upload_new(&world.all, &order, &world.number));
	attach();
}

static void say(uint16_t id, const void *msg)
{
	enum err err;

	while ((err = ipc_send(world.page, id, msg, -1)) == ERR_UNAVAILABLE)
		assert_ok(loop_step(world.loop, 1000));
	assert_ok(err);
}

static void put(uint64_t offset, size_t len)
{
	const struct msg_document_put msg = { offset, { plain + offset, len } };

	say(MSG_document_put, &msg);
}

/* As a page makes it. */
static void make_sum(size_t len)
{
	uint8_t sums[(LEN + DOCUMENT_PIECE - 1) / DOCUMENT_PIECE][32];
	size_t count = 0;

	for (size_t at = 0; at < len; at += DOCUMENT_PIECE)
		EVP_Digest(plain + at, MIN(len - at, (size_t)DOCUMENT_PIECE), sums[count++], NULL,
			   EVP_sha256(), NULL);
	EVP_Digest(sums, count * sizeof(sums[0]), sum, NULL, EVP_sha256(), NULL);
}

static void whole(uint64_t bytes, const uint8_t of[32])
{
	struct msg_document_whole msg = { .bytes = bytes };

	memcpy(msg.sum, of, sizeof(msg.sum));
	say(MSG_document_whole, &msg);
}

/* What the vault says next. */
static const union wire_any *hear(uint16_t id)
{
	enum err err;

	ipc_received_finish(&world.got);
	while ((err = ipc_receive(world.page, WIRE_VAULT, WIRE_PAGE, &world.got)) ==
	       ERR_UNAVAILABLE)
		assert_ok(loop_step(world.loop, 1000));
	assert_ok(err);
	assert_int_equal(world.got.type->id, id);
	return &world.got.msg;
}

static void expect_end(enum document_end why, enum err err)
{
	while (!world.closed)
		assert_ok(loop_step(world.loop, 1000));
	do {
		ipc_received_finish(&world.got);
		assert_ok(ipc_receive(world.page, WIRE_VAULT, WIRE_PAGE, &world.got));
	} while (world.got.type->id == MSG_document_taken);
	assert_int_equal(world.got.type->id, MSG_document_end);
	assert_int_equal(world.got.msg.document_end.error, why);
	assert_int_equal(world.closed, 1);
	assert_err(world.err, err);
	assert_int_equal(world.all.count, 0);
}

/* As a page does it that never is more than the window ahead. */
static void put_all(void)
{
	uint64_t taken = 0;

	for (uint64_t at = 0; at < LEN; at += PART) {
		size_t len = MIN((size_t)PART, (size_t)(LEN - at));
		while (at + len - taken > DOCUMENT_WINDOW)
			taken = hear(MSG_document_taken)->document_taken.bytes;
		put(at, len);
	}
	while (taken < LEN)
		taken = hear(MSG_document_taken)->document_taken.bytes;
	assert_int_equal(taken, LEN);
}

static void test_upload(void **state)
{
	(void)state;
	begin_upload(false, LEN);
	put_all();
	assert_int_equal(world.stored, 0);
	whole(LEN, sum);
	expect_end(DOCUMENT_END_NONE, OK);
	assert_int_equal(world.bytes, LEN);
	assert_int_equal(world.stored, 1);
	assert_int_equal(world.freed, 1);
	assert_false(world.facts.infected);
	assert_memory_equal(world.facts.sha256, sha256, sizeof(sha256));
	assert_true(file_is_there());
}

static void test_upload_not_as_announced(void **state)
{
	uint8_t other[32] = { 0 };

	(void)state;
	begin_upload(false, LEN); /* less of it */
	put(0, 100);
	whole(100, sum);
	expect_end(DOCUMENT_END_SIZE, ERR_TOO_BIG);
	assert_false(file_is_there());
	tear_down(state);

	set_up(state); /* other bytes */
	begin_upload(false, LEN);
	put_all();
	whole(LEN, other);
	expect_end(DOCUMENT_END_SUM, ERR_INVALID);
	assert_false(file_is_there());
	assert_int_equal(world.stored, 0);
	assert_int_equal(world.freed, 1);
}

static void expect_broken(void)
{
	uint8_t byte[8];

	while (!world.closed)
		assert_ok(loop_step(world.loop, 1000));
	assert_err(world.err, ERR_PROTOCOL);
	assert_int_equal(recv(world.page, byte, sizeof(byte), MSG_DONTWAIT), 1);
	assert_int_equal(byte[0], WIRE_STREAM_VIOLATION);
	assert_int_equal(world.stored, 0);
	assert_int_equal(world.freed, 1);
	assert_false(file_is_there());
}

static void test_upload_hostile(void **state)
{
	const struct msg_document_got got = { 0 };

	(void)state;
	begin_upload(false, 1000); /* a gap */
	put(1, 10);
	expect_broken();
	tear_down(state);
	set_up(state); /* more than was announced */
	begin_upload(false, 1000);
	put(0, 1001);
	expect_broken();
	tear_down(state);
	set_up(state); /* a message of another transfer */
	begin_upload(false, 1000);
	say(MSG_document_got, &got);
	expect_broken();
}

static void test_upload_broken_off(void **state)
{
	(void)state;
	begin_upload(false, LEN);
	for (uint64_t at = 0; at < DOCUMENT_WINDOW; at += PART)
		put(at, PART);
	close(util_take_fd(&world.page));
	while (!world.closed)
		assert_ok(loop_step(world.loop, 1000));
	assert_err(world.err, ERR_CLOSED);
	assert_int_equal(world.freed, 1);
	assert_false(file_is_there());
	tear_down(state);

	set_up(state); /* a right that was taken away */
	begin_upload(false, LEN);
	put(0, PART);
	document_streams_close_record(&world.all, 4, DOCUMENT_END_ENDED);
	assert_int_equal(world.closed, 0);
	document_streams_close_record(&world.all, 3, DOCUMENT_END_ENDED);
	expect_end(DOCUMENT_END_ENDED, ERR_CLOSED);
	assert_false(file_is_there());
}

static void test_upload_that_cannot_be_kept(void **state)
{
	(void)state;
	world.refuse = ERR_LOCKED;
	begin_upload(false, 10);
	put(0, 10);
	make_sum(10);
	whole(10, sum);
	expect_end(DOCUMENT_END_SEALED, ERR_LOCKED);
	assert_int_equal(world.stored, 1);
	assert_false(file_is_there());
	make_sum(LEN);
}

/* Up to the scanner's answer. */
static int upload_and_scan(const char *answer)
{
	static char taken[65536];
	int pair[2];

	begin_upload(true, LEN);
	put_all();
	whole(LEN, sum);
	while (!world.wanted)
		assert_ok(loop_step(world.loop, 1000));
	assert_int_equal(world.stored, 0);
	if (!answer)
		return -1;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair),
			 0);
	document_upload_scanner(&world.all, world.number, pair[0]);
	for (size_t at = 0; at < LEN;) { /* heads, too: so it stops a little early */
		ssize_t got = recv(pair[1], taken, sizeof(taken), MSG_DONTWAIT);
		at += got > 0 ? (size_t)got : 0;
		assert_ok(loop_step(world.loop, 0));
	}
	for (int i = 0; i < 10; i++) {
		assert_ok(loop_step(world.loop, 0));
		if (recv(pair[1], taken, sizeof(taken), MSG_DONTWAIT) < 0)
			continue;
	}
	assert_int_equal(world.stored, 0);
	assert_int_equal(send(pair[1], answer, strlen(answer) + 1, MSG_NOSIGNAL),
			 (ssize_t)strlen(answer) + 1);
	close(pair[1]);
	return 0;
}

static void test_scanned(void **state)
{
	(void)state;
	upload_and_scan("stream: OK");
	expect_end(DOCUMENT_END_NONE, OK);
	assert_int_equal(world.stored, 1);
	assert_false(world.facts.infected);
	tear_down(state);
	set_up(state);
	upload_and_scan("stream: Eicar FOUND");
	expect_end(DOCUMENT_END_INFECTED, ERR_DENIED);
	assert_int_equal(world.stored, 1); /* for the quarantine */
	assert_true(world.facts.infected);
	assert_string_equal(world.facts.found, "Eicar");
	assert_true(file_is_there());
}

static void test_scanner_away(void **state)
{
	(void)state;
	upload_and_scan("stream: error ERROR");
	expect_end(DOCUMENT_END_SCANNER, ERR_UNAVAILABLE);
	assert_int_equal(world.stored, 0);
	assert_false(file_is_there());
	tear_down(state);
	set_up(state);
	upload_and_scan(NULL);
	document_upload_scanner(&world.all, world.number, -1);
	expect_end(DOCUMENT_END_SCANNER, ERR_UNAVAILABLE);
	assert_int_equal(world.stored, 0);
	assert_false(file_is_there());
	document_upload_scanner(&world.all, world.number, -1); /* too late: nothing */
}

static void begin_download(uint64_t damage_at)
{
	struct document_place place = { folder, 1, 1 };
	struct document_download_order order = { .account = 7, .record = 3, .size = LEN };
	struct document_writer *writer;
	char path[256];

	assert_ok(document_writer_new(&place, key, &writer));
	assert_ok(document_writer_add(writer, plain, LEN));
	assert_ok(document_writer_end(writer));
	document_writer_free(writer);
	snprintf(path, sizeof(path), "%s/1-1", folder);
	if (damage_at) {
		FILE *file = fopen(path, "r+b");
		assert_non_null(file);
		fseek(file, (long)damage_at, SEEK_SET);
		fputc('x', file);
		fputc('y', file);
		fclose(file);
	}
	assert_ok(document_reader_new(&place, key, LEN, &order.reader));
	assert_ok(document_download_new(&world.all, &order, &world.number));
	attach();
}

static void got(uint64_t bytes)
{
	const struct msg_document_got msg = { bytes };
	enum err err = ipc_send(world.page, MSG_document_got, &msg, -1);

	/* The vault does not wait for the last ones. */
	if (err != ERR_CLOSED)
		assert_ok(err);
}

static uint64_t take(uint64_t at)
{
	const struct msg_document_data *data = &hear(MSG_document_data)->document_data;

	assert_int_equal(data->offset, at);
	assert_memory_equal(data->data.data, plain + at, data->data.len);
	return at + data->data.len;
}

static void test_download(void **state)
{
	uint64_t at = 0;

	(void)state;
	begin_download(0);
	for (int i = 0; i < 5; i++)
		assert_ok(loop_step(world.loop, 0));
	assert_err(ipc_receive(world.page, WIRE_VAULT, WIRE_PAGE, &world.got), ERR_UNAVAILABLE);
	got(0);
	while (at < LEN) {
		at = take(at);
		got(at);
	}
	const struct msg_document_end *end = &hear(MSG_document_end)->document_end;
	assert_int_equal(end->error, DOCUMENT_END_NONE);
	assert_int_equal(end->bytes, LEN);
	assert_memory_equal(end->sum, sum, sizeof(sum));
	assert_err(world.err, OK);
	assert_int_equal(world.bytes, LEN);
}

/* A page that is slow is not sent more than it can keep. */
static void test_download_window(void **state)
{
	uint64_t at = 0;

	(void)state;
	begin_download(0);
	got(0);
	while (at < DOCUMENT_WINDOW)
		at = take(at);
	for (int i = 0; i < 20; i++)
		assert_ok(loop_step(world.loop, 0));
	assert_err(ipc_receive(world.page, WIRE_VAULT, WIRE_PAGE, &world.got), ERR_UNAVAILABLE);
	got(at);
	while (at < 2 * DOCUMENT_WINDOW)
		at = take(at);
	got(LEN + 1); /* what was never sent */
	while (!world.closed)
		assert_ok(loop_step(world.loop, 1000));
	assert_err(world.err, ERR_PROTOCOL);
}

static void test_download_damaged(void **state)
{
	uint64_t at = 0;

	(void)state;
	begin_download(2 * (DOCUMENT_PIECE + DOCUMENT_TAG) + 5);
	got(0);
	while (at < 2 * DOCUMENT_PIECE) /* and nothing of the piece that is wrong */
		at = take(at);
	assert_int_equal(hear(MSG_document_end)->document_end.error, DOCUMENT_END_DAMAGED);
	assert_err(world.err, ERR_INVALID);
}

static void test_attach(void **state)
{
	int pair[2];

	(void)state;
	begin_upload(false, 10);
	assert_ok(ipc_pair(pair));
	assert_err(document_streams_attach(&world.all, world.number, "sato", pair[0]), ERR_EXISTS);
	close(pair[1]);
	assert_ok(ipc_pair(pair));
	assert_err(document_streams_attach(&world.all, world.number + 1, "sato", pair[0]),
		   ERR_NOT_FOUND);
	close(pair[1]);
	document_streams_close(&world.all, world.number, DOCUMENT_END_ENDED);
	expect_end(DOCUMENT_END_ENDED, ERR_CLOSED);
}

static void test_no_more_than_so_many(void **state)
{
	struct document_place place = { folder, 1, 1 };
	uint32_t number;

	(void)state;
	for (unsigned i = 0; i <= DOCUMENT_STREAMS_MAX; i++) {
		struct document_upload_order order = { .place = place, .size = 1, .account = i };
		order.place.document = i + 1;
		assert_ok(secret_random(DOCUMENT_KEY, &order.key));
		assert_err(document_upload_new(&world.all, &order, &number),
			   i < DOCUMENT_STREAMS_MAX ? OK : ERR_FULL);
	}
}

static void test_nobody_takes_them_all(void **state)
{
	struct document_place place = { folder, 1, 1 };
	uint32_t number;

	(void)state;
	for (unsigned i = 0; i <= DOCUMENT_STREAMS_OF_ONE + 1; i++) {
		const bool another = i > DOCUMENT_STREAMS_OF_ONE;
		struct document_upload_order order = { .place = place,
						       .size = 1,
						       .account = another ? 2 : 1 };
		order.place.document = i + 1;
		assert_ok(secret_random(DOCUMENT_KEY, &order.key));
		assert_err(document_upload_new(&world.all, &order, &number),
			   i < DOCUMENT_STREAMS_OF_ONE || another ? OK : ERR_FULL);
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_upload),
		TEST(test_upload_not_as_announced),
		TEST(test_upload_hostile),
		TEST(test_upload_broken_off),
		TEST(test_upload_that_cannot_be_kept),
		TEST(test_scanned),
		TEST(test_scanner_away),
		TEST(test_download),
		TEST(test_download_window),
		TEST(test_download_damaged),
		TEST(test_attach),
		TEST(test_no_more_than_so_many),
		TEST(test_nobody_takes_them_all),
	};

	assert_non_null(mkdtemp(folder));
	util_random(plain, sizeof(plain));
	EVP_Digest(plain, LEN, sha256, NULL, EVP_sha256(), NULL);
	make_sum(LEN);
	assert_ok(secret_random(DOCUMENT_KEY, &key));
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	secret_free(key);
	if (rmdir(folder))
		failed++;
	return failed;
}
