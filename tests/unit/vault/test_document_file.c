#include "unit/unit.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "base/util.h"
#include "vault/document_file.h"

enum { PIECE = DOCUMENT_PIECE, SEALED = DOCUMENT_PIECE + DOCUMENT_TAG, LARGEST = 4 * PIECE };

static char folder[] = "/tmp/sekisho-documents-XXXXXX";
static struct secret *key;
static uint8_t plain[LARGEST];

static int set_up(void **state)
{
	(void)state;
	assert_non_null(mkdtemp(folder));
	assert_ok(secret_random(DOCUMENT_KEY, &key));
	util_random(plain, sizeof(plain));
	return 0;
}

static bool keep_none(void *ctx, uint64_t document, uint64_t version)
{
	(void)ctx;
	(void)document;
	(void)version;
	return false;
}

static int tear_down(void **state)
{
	(void)state;
	assert_ok(document_file_sweep(folder, keep_none, NULL));
	assert_int_equal(rmdir(folder), 0); /* so nothing else was left */
	secret_free(key);
	return 0;
}

static struct document_place place_of(uint64_t document, uint64_t version)
{
	return (struct document_place){ folder, document, version };
}

static void path_of(uint64_t document, uint64_t version, const char *end, char path[256])
{
	snprintf(path, 256, "%s/%d-%d%s", folder, (int)document, (int)version, end);
}

static bool exists(uint64_t document, uint64_t version, const char *end)
{
	char path[256];

	path_of(document, version, end, path);
	return access(path, F_OK) == 0;
}

/* In steps of a size that fits nothing. */
static void store(uint64_t document, uint64_t version, size_t len)
{
	struct document_place place = place_of(document, version);
	struct document_writer *writer;

	assert_ok(document_writer_new(&place, key, &writer));
	for (size_t at = 0; at < len; at += 59999)
		assert_ok(document_writer_add(writer, plain + at, MIN(len - at, (size_t)59999)));
	assert_true(exists(document, version, ".part"));
	assert_false(exists(document, version, ""));
	assert_ok(document_writer_end(writer));
	document_writer_free(writer);
	assert_true(exists(document, version, ""));
	assert_false(exists(document, version, ".part"));
}

static enum err load_with(const struct secret *with, uint64_t document, uint64_t version,
			  size_t len)
{
	struct document_place place = place_of(document, version);
	struct document_reader *reader = NULL;
	const uint8_t *piece;
	size_t at = 0, got;

	enum err err = document_reader_new(&place, with, len, &reader);
	while (!err) {
		err = document_reader_next(reader, &piece, &got);
		if (err || !got)
			break;
		assert_true(at + got <= len);
		assert_memory_equal(piece, plain + at, got);
		at += got;
	}
	if (!err)
		assert_int_equal(at, len);
	document_reader_free(reader);
	return err;
}

static enum err load(uint64_t document, uint64_t version, size_t len)
{
	return load_with(key, document, version, len);
}

static void test_back_as_it_was(void **state)
{
	const size_t sizes[] = { 0, 1, PIECE - 1, PIECE, PIECE + 1, 3 * PIECE, LARGEST };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		store(1, i + 1, sizes[i]);
		assert_ok(load(1, i + 1, sizes[i]));
	}
}

static void read_file(uint64_t document, uint64_t version, uint8_t *data, size_t len)
{
	char path[256];

	path_of(document, version, "", path);
	FILE *file = fopen(path, "rb");
	assert_non_null(file);
	assert_int_equal(fread(data, 1, len, file), len);
	assert_int_equal(fgetc(file), EOF);
	fclose(file);
}

static void write_file(uint64_t document, uint64_t version, const uint8_t *data, size_t len)
{
	char path[256];

	path_of(document, version, "", path);
	FILE *file = fopen(path, "wb");
	assert_non_null(file);
	assert_int_equal(fwrite(data, 1, len, file), len);
	fclose(file);
}

static void test_nothing_in_the_clear(void **state)
{
	static uint8_t sealed[2 * SEALED];

	(void)state;
	memset(plain, 'A', 2 * PIECE);
	store(2, 1, 2 * PIECE);
	read_file(2, 1, sealed, sizeof(sealed));
	assert_null(memmem(sealed, sizeof(sealed), "AAAAAAAA", 8));
	/* The same bytes in two pieces look different. */
	assert_memory_not_equal(sealed, sealed + SEALED, PIECE);
	util_random(plain, sizeof(plain));
}

static void test_each_changed_bit(void **state)
{
	enum { LEN = 2 * PIECE + 100, FILE_LEN = LEN + 3 * DOCUMENT_TAG };
	static uint8_t sealed[FILE_LEN];
	const size_t at[] = { 0, PIECE, SEALED - 1, SEALED, 2 * SEALED + 50, FILE_LEN - 1 };

	(void)state;
	store(3, 1, LEN);
	read_file(3, 1, sealed, FILE_LEN);
	for (size_t i = 0; i < ARRAY_SIZE(at); i++) {
		sealed[at[i]] ^= 0x10;
		write_file(3, 1, sealed, FILE_LEN);
		assert_int_equal(load(3, 1, LEN), ERR_INVALID);
		sealed[at[i]] ^= 0x10;
	}
	write_file(3, 1, sealed, FILE_LEN);
	assert_ok(load(3, 1, LEN));
}

/* Also when a row was changed along with the file, so that the sizes agree. */
static void test_cut_swapped_appended(void **state)
{
	enum { LEN = 3 * PIECE, FILE_LEN = 3 * SEALED };
	static uint8_t sealed[FILE_LEN + SEALED], mixed[FILE_LEN + SEALED];

	(void)state;
	store(4, 1, LEN);
	read_file(4, 1, sealed, FILE_LEN);
	write_file(4, 1, sealed, 2 * SEALED); /* cut */
	assert_int_equal(load(4, 1, LEN), ERR_INVALID);
	assert_int_equal(load(4, 1, 2 * PIECE), ERR_INVALID);
	memcpy(mixed, sealed, FILE_LEN); /* swapped */
	memcpy(mixed, sealed + SEALED, SEALED);
	memcpy(mixed + SEALED, sealed, SEALED);
	write_file(4, 1, mixed, FILE_LEN);
	assert_int_equal(load(4, 1, LEN), ERR_INVALID);
	memcpy(mixed, sealed, FILE_LEN); /* repeated at the end */
	memcpy(mixed + FILE_LEN, sealed + 2 * SEALED, SEALED);
	write_file(4, 1, mixed, FILE_LEN + SEALED);
	assert_int_equal(load(4, 1, LEN), ERR_INVALID);
	assert_int_equal(load(4, 1, LEN + PIECE), ERR_INVALID);
	write_file(4, 1, sealed, FILE_LEN - 1); /* a byte less */
	assert_int_equal(load(4, 1, LEN), ERR_INVALID);
	assert_int_equal(load(4, 1, LEN - 1), ERR_INVALID);
}

static void test_moved(void **state)
{
	static uint8_t sealed[SEALED];
	struct secret *other;

	(void)state;
	store(5, 1, PIECE);
	read_file(5, 1, sealed, SEALED);
	write_file(6, 1, sealed, SEALED);
	write_file(5, 2, sealed, SEALED);
	assert_int_equal(load(6, 1, PIECE), ERR_INVALID); /* of another document */
	assert_int_equal(load(5, 2, PIECE), ERR_INVALID); /* of another version */
	assert_ok(secret_random(DOCUMENT_KEY, &other));
	assert_int_equal(load_with(other, 5, 1, PIECE), ERR_INVALID);
	secret_free(other);
	assert_int_equal(load(7, 1, PIECE), ERR_NOT_FOUND);
}

static void test_limits(void **state)
{
	struct document_place place = place_of(8, 1);
	struct document_writer *writer;
	struct document_reader *reader;
	struct secret *shorter;

	(void)state;
	assert_ok(secret_random(16, &shorter));
	assert_int_equal(document_writer_new(&place, shorter, &writer), ERR_INVALID);
	secret_free(shorter);
	assert_int_equal(document_reader_new(&place, key, DOCUMENT_BYTES_MAX + 1, &reader),
			 ERR_INVALID);
	assert_ok(document_writer_new(&place, key, &writer));
	for (size_t at = 0; at < DOCUMENT_BYTES_MAX; at += PIECE)
		assert_ok(document_writer_add(writer, plain, PIECE));
	assert_int_equal(document_writer_add(writer, plain, 1), ERR_TOO_BIG);
	assert_int_equal(document_writer_end(writer), ERR_WRONG_STATE);
	document_writer_free(writer);
	assert_false(exists(8, 1, ""));
	assert_false(exists(8, 1, ".part"));
}

/* Somebody hangs up, or the disk is full: nothing of it is left. */
static void test_broken_off(void **state)
{
	struct document_place place = place_of(9, 1);
	struct document_writer *writer;
	struct rlimit before, small = { PIECE, RLIM_INFINITY };

	(void)state;
	assert_ok(document_writer_new(&place, key, &writer));
	assert_ok(document_writer_add(writer, plain, 2 * PIECE));
	document_writer_free(writer);
	assert_false(exists(9, 1, ".part"));

	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	small.rlim_max = before.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	assert_ok(document_writer_new(&place, key, &writer));
	assert_ok(document_writer_add(writer, plain, PIECE));
	assert_int_not_equal(document_writer_end(writer), OK);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_int_equal(document_writer_end(writer), ERR_WRONG_STATE);
	document_writer_free(writer);
	assert_false(exists(9, 1, ""));
	assert_false(exists(9, 1, ".part"));
}

static bool keep_first(void *ctx, uint64_t document, uint64_t version)
{
	(void)ctx;
	return document == 10 && version == 1;
}

/* What a crash leaves: a beginning, or a whole file that no row names. */
static void test_leftovers(void **state)
{
	char path[256];

	(void)state;
	store(10, 1, 5);
	store(10, 2, 5);
	store(11, 1, 5);
	path_of(12, 1, ".part", path);
	close(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
	path_of(1, 1, "x", path); /* is none of ours */
	close(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
	assert_ok(document_file_sweep(folder, keep_first, NULL));
	assert_ok(load(10, 1, 5));
	assert_false(exists(10, 2, ""));
	assert_false(exists(11, 1, ""));
	assert_false(exists(12, 1, ".part"));
	assert_true(exists(1, 1, "x"));
	unlink(path);
}

static void test_remove(void **state)
{
	struct document_place place = place_of(13, 1);

	(void)state;
	store(13, 1, 5);
	assert_ok(document_file_remove(&place));
	assert_false(exists(13, 1, ""));
	assert_ok(document_file_remove(&place));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_back_as_it_was),
		cmocka_unit_test(test_nothing_in_the_clear),
		cmocka_unit_test(test_each_changed_bit),
		cmocka_unit_test(test_cut_swapped_appended),
		cmocka_unit_test(test_moved),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_broken_off),
		cmocka_unit_test(test_leftovers),
		cmocka_unit_test(test_remove),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
