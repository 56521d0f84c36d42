#include "fixture.h"

#include <openssl/bn.h>
#include <sys/stat.h>

#include "certs/journal.h"

struct book {
	struct fixture_folder folder;
	char path[128];
	struct journal journal;
	struct ca *ca;
	EVP_PKEY *key;
};

static int setup(void **state)
{
	struct book *book = calloc(1, sizeof(*book));

	folder_make(&book->folder);
	folder_file(&book->folder, "issued.log", book->path);
	book->ca = ca_fresh();
	book->key = EVP_EC_gen("P-256");
	assert_ok(journal_open(&book->journal, book->path));
	*state = book;
	return 0;
}

static int teardown(void **state)
{
	struct book *book = *state;

	journal_close(&book->journal);
	ca_free(book->ca);
	EVP_PKEY_free(book->key);
	folder_remove(&book->folder);
	free(book);
	return 0;
}

static void add(struct book *book, uint32_t issuer, enum cert_profile profile,
		uint8_t serial[CERT_SERIAL_BYTES])
{
	_cleanup_object_(x509) X509 *certificate = issue(book->ca, profile, book->key);
	const struct journal_entry entry = {
		.now_s = 1800000000,
		.issuer = issuer,
		.profile = cert_profile_code(profile),
		.certificate = certificate,
		.owner = "sato",
		.name = "佐藤のノートPC",
	};

	assert_ok(x509_serial(certificate, serial));
	assert_ok(journal_add(&book->journal, &entry));
}

static void open_again(struct book *book)
{
	journal_close(&book->journal);
	assert_ok(journal_open(&book->journal, book->path));
}

static void append(struct book *book, const void *data, size_t len)
{
	FILE *file = fopen(book->path, "a");

	assert_int_equal(fwrite(data, 1, len, file), len);
	fclose(file);
}

static char *text_of(const struct book *book)
{
	char *text = NULL;
	size_t len;

	assert_ok(util_read_file(book->path, 1 << 20, &text, &len));
	return text;
}

static void test_knows_across_restarts(void **state)
{
	struct book *book = *state;
	uint8_t gateway[CERT_SERIAL_BYTES], device[CERT_SERIAL_BYTES];

	assert_int_equal(book->journal.lines, 0);
	add(book, 1, CERT_GATEWAY, gateway);
	assert_false(book->journal.devices);
	add(book, 2, CERT_DEVICE, device);
	assert_true(book->journal.devices);
	for (int i = 0; i < 2; i++) {
		assert_true(journal_knows(&book->journal, 1, gateway));
		assert_true(journal_knows(&book->journal, 2, device));
		/* Another CA's serial is another certificate. */
		assert_false(journal_knows(&book->journal, 2, gateway));
		device[15] ^= 1;
		assert_false(journal_knows(&book->journal, 2, device));
		device[15] ^= 1;
		assert_int_equal(book->journal.lines, 2);
		assert_true(book->journal.devices);
		open_again(book);
	}
}

static void test_line(void **state)
{
	struct book *book = *state;
	uint8_t serial[CERT_SERIAL_BYTES];
	char hex[2 * CERT_SERIAL_BYTES + 1], wanted[128];

	add(book, 7, CERT_DEVICE, serial);
	util_hex(serial, sizeof(serial), hex);
	snprintf(wanted, sizeof(wanted), "1800000000\t7\t%s\tdevice\t", hex);
	_cleanup_free_ char *text = text_of(book);
	assert_memory_equal(text, wanted, strlen(wanted));
	assert_non_null(strstr(text, "\tsato\t佐藤のノートPC\n"));
}

/* A crash in the middle of a line: its certificate never left. */
static void test_half_line_is_cut(void **state)
{
	struct book *book = *state;
	uint8_t serial[CERT_SERIAL_BYTES], later[CERT_SERIAL_BYTES];
	static const char half[] = "1800000000\t1\tabcd", zeros[100];

	add(book, 1, CERT_DEVICE, serial);
	_cleanup_free_ char *before = text_of(book);
	append(book, half, sizeof(half) - 1);
	open_again(book);
	_cleanup_free_ char *after = text_of(book);
	assert_string_equal(before, after);
	/* The file system knew the length but not the data. */
	append(book, zeros, sizeof(zeros));
	open_again(book);
	_cleanup_free_ char *again = text_of(book);
	assert_string_equal(before, again);
	add(book, 1, CERT_DEVICE, later);
	open_again(book);
	assert_true(journal_knows(&book->journal, 1, serial));
	assert_true(journal_knows(&book->journal, 1, later));
}

static void test_foreign_lines_are_refused(void **state)
{
	static const char serial[] = "00112233445566778899aabbccddeeff";
	struct book *book = *state;
	char good[200], line[1200], longest[1100];

	snprintf(good, sizeof(good), "1\t1\t%s\tdevice\t2\tab\tsato\tlaptop\n", serial);
	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	const char *const bad[] = {
		"1\t%s\tdevice\t2\tab\tsato\tlaptop\n",          /* no issuer */
		"1\t0\t%s\tdevice\t2\tab\tsato\tlaptop\n",       /* issuer 0 */
		"1\tx\t%s\tdevice\t2\tab\tsato\tlaptop\n",       /* issuer no number */
		"1\t1\t%s00\tdevice\t2\tab\tsato\tlaptop\n",     /* serial too long */
		"1\t1\t%s\tdevice\t2\tab\tsato\tlaptop\tmore\n", /* a field too many */
		"\t1\t%s\tdevice\t2\tab\tsato\tlaptop\n",        /* no time */
		"1\t1\t%s\tdevice\t2\tab\tsato\n",               /* a field too few */
		"rubbish%s\n",
	};
	journal_close(&book->journal);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		const char *at = strstr(bad[i], "%s");
		snprintf(line, sizeof(line), "%.*s%s%s", (int)(at - bad[i]), bad[i], serial,
			 at + 2);
		assert_ok(util_write_file(book->path, line, strlen(line), 0600));
		append(book, good, strlen(good));
		assert_err(journal_open(&book->journal, book->path), ERR_INVALID);
		/* Nothing was cut off. */
		_cleanup_free_ char *text = text_of(book);
		assert_int_equal(strlen(text), strlen(line) + strlen(good));
	}
	snprintf(line, sizeof(line), "1\t1\t%s\tdevice\t2\tab\tsato\t%s\n", serial, longest);
	assert_ok(util_write_file(book->path, line, strlen(line), 0600));
	assert_err(journal_open(&book->journal, book->path), ERR_INVALID);
	assert_ok(util_write_file(book->path, good, strlen(good), 0600));
	assert_ok(journal_open(&book->journal, book->path));
}

/* The newest are remembered. */
static void test_memory_is_capped(void **state)
{
	struct book *book = *state;
	uint8_t first[CERT_SERIAL_BYTES] = { 0 }, second[CERT_SERIAL_BYTES] = { 0 },
		last[CERT_SERIAL_BYTES] = { 0 };

	journal_close(&book->journal);
	FILE *file = fopen(book->path, "w");
	for (unsigned i = 0; i <= JOURNAL_KNOWN_MAX; i++)
		assert_true(fprintf(file, "1\t1\t%032x\tgateway\t2\tab\t-\tname\n", i) > 0);
	fclose(file);
	assert_ok(journal_open(&book->journal, book->path));
	second[15] = 1;
	last[13] = 1; /* 65536 */
	assert_int_equal(JOURNAL_KNOWN_MAX, 65536);
	assert_int_equal(book->journal.lines, JOURNAL_KNOWN_MAX + 1);
	assert_false(journal_knows(&book->journal, 1, first));
	assert_true(journal_knows(&book->journal, 1, second));
	assert_true(journal_knows(&book->journal, 1, last));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_knows_across_restarts, setup, teardown),
		cmocka_unit_test_setup_teardown(test_line, setup, teardown),
		cmocka_unit_test_setup_teardown(test_half_line_is_cut, setup, teardown),
		cmocka_unit_test_setup_teardown(test_foreign_lines_are_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(test_memory_is_capped, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
