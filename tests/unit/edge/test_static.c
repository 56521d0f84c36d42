#include "unit/folder.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/util.h"
#include "edge/static.h"

static char folder[UNIT_FOLDER];

static void run(const char *command, const char *name)
{
	char line[512];

	/* Names of the test itself only. */
	snprintf(line, sizeof(line), "%s '%s/%s'", command, folder, name);
	assert_int_equal(system(line), 0);
}

static void put(const char *name, const char *text)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	assert_ok(util_write_file(path, text, strlen(text), 0644));
}

static int set_up(void **state)
{
	(void)state;
	unit_folder(folder);
	run("mkdir", "portal");
	run("mkdir", "core");
	put("portal/index.html", "<p>portal");
	put("core/decode.js", "export {};");
	put("core/zstd.wasm", "wasm");
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	unit_folder_remove(folder);
	return 0;
}

static struct static_files *load(void)
{
	struct static_files *files = NULL;

	assert_ok(static_load(folder, &files));
	return files;
}

static void files_are_found(void **state)
{
	struct static_files *files = load();
	const struct static_file *file = static_find(files, "/core/decode.js");

	(void)state;
	assert_non_null(file);
	assert_string_equal(file->type, "text/javascript; charset=utf-8");
	assert_int_equal(file->len, 10);
	assert_memory_equal(file->data, "export {};", 10);
	assert_string_equal(static_find(files, "/core/zstd.wasm")->type, "application/wasm");
	assert_string_equal(static_find(files, "/")->path, "/portal/index.html");
	assert_string_equal(static_find(files, "/portal/")->path, "/portal/index.html");
	assert_int_equal(static_count(files), 3);
	static_free(files);
}

static void tricks_find_nothing(void **state)
{
	static const char *const tricks[] = {
		"",
		"portal/index.html",
		"//portal/index.html",
		"/portal//index.html",
		"/portal/./index.html",
		"/portal/../portal/index.html",
		"/../portal/index.html",
		"/..",
		"/../",
		"/.",
		"/portal",
		"/portal/index",
		"/portal/index.html/",
		"/portal/index.html?x",
		"/portal/index.html#",
		"/portal%2findex.html",
		"/%70ortal/index.html",
		"/portal\\index.html",
		"/PORTAL/index.html",
		"/portal/index.html ",
		"/etc/passwd",
		"/core/",
		"/core",
		"//",
		"/portal/%2e%2e/portal/index.html",
	};
	struct static_files *files = load();
	char path[2 * STATIC_PATH_MAX];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(tricks); i++)
		assert_null(static_find(files, tricks[i]));
	memset(path, '/', sizeof(path));
	path[sizeof(path) - 1] = 0;
	assert_null(static_find(files, path));
	static_free(files);
}

static void links_and_hidden_files_stay_out(void **state)
{
	struct static_files *files;
	char target[512];

	(void)state;
	put("portal/.secret.js", "x");
	run("mkdir", ".git");
	put(".git/a.js", "x");
	put("portal/key.pem", "x");
	put("portal/a b.js", "x");
	snprintf(target, sizeof(target), "%s/portal/link.js", folder);
	assert_int_equal(symlink("/etc/passwd", target), 0);
	snprintf(target, sizeof(target), "%s/linked", folder);
	assert_int_equal(symlink("/etc", target), 0);
	snprintf(target, sizeof(target), "%s/portal/pipe.js", folder);
	assert_int_equal(mkfifo(target, 0600), 0);
	files = load();
	assert_int_equal(static_count(files), 3);
	assert_null(static_find(files, "/portal/link.js"));
	assert_null(static_find(files, "/portal/.secret.js"));
	assert_null(static_find(files, "/portal/key.pem"));
	static_free(files);
}

static void an_etag_follows_the_content(void **state)
{
	struct static_files *first = load(), *second;
	char etag[36];

	(void)state;
	snprintf(etag, sizeof(etag), "%s", static_find(first, "/core/decode.js")->etag);
	assert_int_equal(strlen(etag), 34);
	static_free(first);
	second = load();
	assert_string_equal(static_find(second, "/core/decode.js")->etag, etag);
	static_free(second);
	put("core/decode.js", "export { };");
	second = load();
	assert_string_not_equal(static_find(second, "/core/decode.js")->etag, etag);
	static_free(second);
}

static void a_missing_folder_says_so(void **state)
{
	struct static_files *files = NULL;

	(void)state;
	assert_err(static_load("/nonexistent/viewer", &files), ERR_NOT_FOUND);
	assert_null(files);
}

static void limits_hold(void **state)
{
	struct static_files *files = NULL;
	char path[512];
	int fd;

	(void)state;
	snprintf(path, sizeof(path), "%s/core/big.js", folder);
	fd = open(path, O_CREAT | O_WRONLY, 0600);
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, STATIC_FILE_MAX + 1), 0);
	close(fd);
	assert_err(static_load(folder, &files), ERR_TOO_BIG);
	assert_null(files);
	assert_int_equal(unlink(path), 0);
	run("mkdir -p", "1/2/3/4/5/6/7/8/9");
	assert_err(static_load(folder, &files), ERR_TOO_BIG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(files_are_found, set_up, tear_down),
		cmocka_unit_test_setup_teardown(tricks_find_nothing, set_up, tear_down),
		cmocka_unit_test_setup_teardown(links_and_hidden_files_stay_out, set_up, tear_down),
		cmocka_unit_test_setup_teardown(an_etag_follows_the_content, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_missing_folder_says_so, set_up, tear_down),
		cmocka_unit_test_setup_teardown(limits_hold, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
