#include "log.h"

#include <dirent.h>
#include <sys/stat.h>

#include "audit/export.h"
#include "audit/tiles.h"

enum { MANY = 523 };

struct desk {
	struct fixture *fixture;
	struct log_signer signer;
	char folder[256];
};

static int setup(void **state)
{
	struct desk *desk = calloc(1, sizeof(*desk));
	void *fixture;

	assert_int_equal(fixture_setup(&fixture), 0);
	desk->fixture = fixture;
	log_signer_init(&desk->signer);
	snprintf(desk->folder, sizeof(desk->folder), "%s/export", desk->fixture->folder);
	*state = desk;
	return 0;
}

static int teardown(void **state)
{
	struct desk *desk = *state;
	void *fixture = desk->fixture;

	log_signer_finish(&desk->signer);
	fixture_teardown(&fixture);
	free(desk);
	return 0;
}

static struct log_verdict judge(struct desk *desk)
{
	const struct verify_wish wish = { .keys = &desk->signer.key, .key_count = 1 };
	struct export_reader *reader = NULL;
	struct log_verdict verdict;

	assert_ok(export_open(desk->folder, &reader));
	const struct verify_source source = export_source(reader);
	assert_ok(verify_log(&source, &wish, &verdict));
	export_close(reader);
	return verdict;
}

static void make_log(struct desk *desk)
{
	_cleanup_tx_ struct db_tx tx = { 0 };

	assert_ok(db_tx_begin(&tx, desk->fixture->db));
	for (int i = 0; i < MANY; i++)
		assert_ok(audit_append(desk->fixture->db,
				       &(const struct audit_entry){
					       .event = "entry",
					       .account = "佐藤",
					       .detail = json_pack("{s:s}", "x", "引用\"\\\n") }));
	assert_ok(db_tx_commit(&tx));
	log_sign(desk->fixture->db, &desk->signer, 300);
	log_sign(desk->fixture->db, &desk->signer, 512);
}

static void assert_size(const struct desk *desk, int level, uint64_t index, unsigned width,
			off_t wanted)
{
	char path[TILES_PATH];
	struct stat status = { .st_size = -1 };

	assert_ok(tiles_path(desk->folder, level, index, width, path));
	stat(path, &status);
	assert_int_equal(status.st_size, wanted);
}

static void comes_back_whole(void **state)
{
	struct desk *desk = *state;
	struct log_verdict verdict;

	make_log(desk);
	assert_ok(export_write(desk->fixture->db, 512, "a key", desk->folder));
	assert_size(desk, 0, 0, 0, 8192);
	assert_size(desk, 0, 1, 0, 8192);
	assert_size(desk, 1, 0, 2, 64);
	/* Nothing that is empty. */
	assert_size(desk, 0, 2, 11, -1);
	assert_size(desk, 2, 0, 1, -1);
	verdict = judge(desk);
	assert_string_equal(verify_code(verdict.finding), "sound");
	assert_int_equal(verdict.entries, 512);
	assert_int_equal(verdict.anchored, 512);
	assert_int_equal(verdict.checkpoints, 2);
	assert_err(export_write(desk->fixture->db, 512, NULL, desk->folder), ERR_EXISTS);
}

/* Tiles, bundles and lines say the same, or it is named. */
static void each_file_counts(void **state)
{
	static const char *const files[] = { "tile/0/001", "tile/1/000.p/2", "tile/entries/001",
					     "entries.jsonl", "checkpoints.jsonl" };
	struct desk *desk = *state;

	make_log(desk);
	assert_ok(export_write(desk->fixture->db, 512, NULL, desk->folder));
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		_cleanup_free_ char *text = NULL;
		char path[512];
		size_t len;

		snprintf(path, sizeof(path), "%s/%s", desk->folder, files[i]);
		assert_ok(util_read_file(path, 1 << 20, &text, &len));
		text[len / 2] ^= 1;
		assert_ok(util_write_file(path, text, len, 0600));
		assert_int_equal(verify_color(judge(desk).finding), VERIFY_RED);
		assert_int_equal(unlink(path), 0);
		if (strcmp(files[i], "entries.jsonl") != 0)
			assert_int_not_equal(judge(desk).finding, VERIFY_SOUND);
		text[len / 2] ^= 1;
		assert_ok(util_write_file(path, text, len, 0600));
		assert_int_equal(judge(desk).finding, VERIFY_SOUND);
	}
}

static void all_of_it(void **state)
{
	struct desk *desk = *state;

	make_log(desk);
	assert_ok(export_write(desk->fixture->db, MANY, NULL, desk->folder));
	assert_size(desk, 0, 2, 11, 11 * 32);
	assert_int_equal(judge(desk).entries, MANY);
	assert_int_equal(judge(desk).anchored, 512);
}

static void more_than_there_is_fails(void **state)
{
	struct desk *desk = *state;

	make_log(desk);
	assert_err(export_write(desk->fixture->db, MANY + 1, NULL, desk->folder), ERR_INVALID);
}

static void what_was_disposed_of_stays_so(void **state)
{
	struct desk *desk = *state;
	struct log_verdict verdict;
	const struct audit_entry by = { .account = "suzuki" };

	make_log(desk);
	{
		_cleanup_tx_ struct db_tx tx = { 0 };
		assert_ok(db_tx_begin(&tx, desk->fixture->db));
		assert_ok(audit_dispose(desk->fixture->db, 10, 400, &by));
		assert_ok(db_tx_commit(&tx));
	}
	assert_ok(export_write(desk->fixture->db, MANY + 1, NULL, desk->folder));
	verdict = judge(desk);
	assert_int_equal(verdict.disposed, 391);
	assert_string_equal(verify_code(verdict.finding), "sound");
}

static void indexes_are_split(void **state)
{
	char path[TILES_PATH];

	(void)state;
	assert_ok(tiles_path("log", 0, 1234067, 0, path));
	assert_string_equal(path, "log/tile/0/x001/x234/067");
	assert_ok(tiles_path("log", 3, 0, 7, path));
	assert_string_equal(path, "log/tile/3/000.p/7");
	assert_ok(tiles_path("log", TILES_ENTRIES, 1000, 255, path));
	assert_string_equal(path, "log/tile/entries/x001/000.p/255");
}

static void lines_are_read_as_hostile(void **state)
{
	static const char *const bad[] = {
		"[]",
		"{}",
		"{\"seq\":1}",
		"{\"seq\":\"1\",\"version\":2,\"time_ms\":1,\"event\":\"x\",\"disposed\":true,"
		"\"commitment\":"
		"\"0000000000000000000000000000000000000000000000000000000000000000\"}",
		"{\"seq\":1,\"version\":2,\"time_ms\":1,\"event\":\"x\",\"disposed\":true,"
		"\"commitment\":\"00\"}",
		"{\"seq\":1,\"version\":2,\"time_ms\":1,\"event\":\"x\",\"disposed\":false,"
		"\"commitment\":"
		"\"0000000000000000000000000000000000000000000000000000000000000000\"}",
		"{\"seq\":1,\"version\":2,\"time_ms\":1.5,\"event\":\"x\",\"disposed\":true,"
		"\"commitment\":"
		"\"0000000000000000000000000000000000000000000000000000000000000000\"}",
		"{\"seq\":1,\"version\":2,\"time_ms\":1,\"event\":"
		"\"01234567890123456789012345678901"
		"2345678901234567890123456789012345\",\"disposed\":true,"
		"\"commitment\":"
		"\"0000000000000000000000000000000000000000000000000000000000000000\"}",
		/* What was disposed of says nothing more. */
		"{\"seq\":1,\"version\":2,\"time_ms\":1,\"event\":\"x\",\"disposed\":true,"
		"\"detail\":\"{}\",\"commitment\":"
		"\"0000000000000000000000000000000000000000000000000000000000000000\"}",
	};
	struct audit_row row;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		json_t *object = json_loads(bad[i], 0, NULL);
		assert_non_null(object);
		assert_err(export_entry_read(object, &row), ERR_INVALID);
		json_decref(object);
	}
}

#define desk_test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		desk_test(comes_back_whole),
		desk_test(each_file_counts),
		desk_test(all_of_it),
		desk_test(more_than_there_is_fails),
		desk_test(what_was_disposed_of_stays_so),
		cmocka_unit_test(indexes_are_split),
		cmocka_unit_test(lines_are_read_as_hostile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
