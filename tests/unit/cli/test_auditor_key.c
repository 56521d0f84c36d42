/*
 * `sekisho auditor key`, up to what the signer and an auditor's own reading make of its files.
 */
#include "cli/auditor_key.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/util.h"
#include "certs/cleanup.h"
#include "certs/csr.h"
#include "certs/key_file.h"
#include "cli/cli.h"
#include "cli/exit.h"
#include "unit/folder.h"
#include "unit/unit.h"

#define PASSPHRASE "correct horse 馬"

enum { FILE_MAX = 16 * 1024 };

static char folder[UNIT_FOLDER];

struct path {
	char text[UNIT_FOLDER + 64];
};

static struct path in_folder(const char *name)
{
	struct path path;

	snprintf(path.text, sizeof(path.text), "%s/%s", folder, name);
	return path;
}
#define FILE_(name) (in_folder(name).text)

/* As from a pipe: input is the passphrase's line. */
static int run(const char *input, const char *out, const char *request)
{
	char *argv[] = { (char *)(uintptr_t) "sekisho", (char *)(uintptr_t) "auditor",
			 (char *)(uintptr_t) "key",     (char *)(uintptr_t) "--out",
			 (char *)(uintptr_t)out,        (char *)(uintptr_t) "--request",
			 (char *)(uintptr_t)request,    NULL };
	int ends[2];
	const int saved = dup(STDIN_FILENO);

	assert_int_equal(pipe(ends), 0);
	assert_true(write(ends[1], input, strlen(input)) == (ssize_t)strlen(input));
	close(ends[1]);
	assert_int_equal(dup2(ends[0], STDIN_FILENO), STDIN_FILENO);
	close(ends[0]);
	const int code = cli_main((int)ARRAY_SIZE(argv) - 1, argv);
	assert_int_equal(dup2(saved, STDIN_FILENO), STDIN_FILENO);
	close(saved);
	return code;
}

static bool is_there(const char *name)
{
	return access(FILE_(name), F_OK) == 0;
}

static void a_key_and_its_request_are_made(void **state)
{
	_cleanup_object_(pkey) EVP_PKEY *key = NULL, *asked = NULL;
	_cleanup_secret_ struct secret *right = NULL, *wrong = NULL;
	_cleanup_free_ char *request = NULL;
	struct stat status;
	size_t len;

	(void)state;
	assert_int_equal(run(PASSPHRASE "\n", FILE_("a.key"), FILE_("a.csr")), EXIT_DONE);
	assert_ok(secret_new(PASSPHRASE, strlen(PASSPHRASE), &right));
	assert_ok(secret_new("something else", 14, &wrong));
	assert_int_equal(key_read(FILE_("a.key"), NULL, &key), ERR_LOCKED);
	assert_int_equal(key_read(FILE_("a.key"), wrong, &key), ERR_LOGIN);
	assert_ok(key_read(FILE_("a.key"), right, &key));
	assert_ok(util_read_file(FILE_("a.csr"), FILE_MAX, &request, &len));
	assert_ok(csr_check((const uint8_t *)request, len, "", &asked));
	assert_int_equal(EVP_PKEY_eq(key, asked), 1);
	assert_int_equal(stat(FILE_("a.key"), &status), 0);
	assert_int_equal(status.st_mode & 0777, 0600);
}

static void a_short_passphrase_makes_nothing(void **state)
{
	(void)state;
	assert_int_equal(run("elevenchars\n", FILE_("b.key"), FILE_("b.csr")), EXIT_REFUSED);
	assert_int_equal(run("", FILE_("b.key"), FILE_("b.csr")), EXIT_USAGE);
	assert_false(is_there("b.key") || is_there("b.csr"));
}

static void nothing_is_replaced(void **state)
{
	(void)state;
	assert_ok(util_write_file(FILE_("c.csr"), "mine", 4, 0600));
	assert_int_equal(run(PASSPHRASE "\n", FILE_("c.key"), FILE_("c.csr")), EXIT_REFUSED);
	assert_false(is_there("c.key"));
	assert_int_equal(run(PASSPHRASE "\n", FILE_("c.csr"), FILE_("d.csr")), EXIT_REFUSED);
	assert_false(is_there("d.csr"));
}

/* Else the request would take the key's place. */
static void one_file_is_not_enough(void **state)
{
	(void)state;
	assert_int_equal(run(PASSPHRASE "\n", FILE_("e.key"), FILE_("./e.key")), EXIT_REFUSED);
	assert_false(is_there("e.key"));
}

static int make_folder(void **state)
{
	(void)state;
	unit_folder(folder);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_key_and_its_request_are_made),
		cmocka_unit_test(a_short_passphrase_makes_nothing),
		cmocka_unit_test(nothing_is_replaced),
		cmocka_unit_test(one_file_is_not_enough),
	};
	return cmocka_run_group_tests(tests, make_folder, NULL);
}
