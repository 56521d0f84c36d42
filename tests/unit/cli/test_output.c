#include "unit/folder.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/util.h"
#include "cli/lang.h"
#include "cli/output.h"

static char folder[UNIT_FOLDER], path[UNIT_FOLDER + 8];

static int setup(void **state)
{
	(void)state;
	unit_folder(folder);
	snprintf(path, sizeof(path), "%s/out", folder);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	unit_folder_remove(folder);
	return 0;
}

static struct args args_for(const char *group, const char *word, const char *option)
{
	struct args args;
	struct args_error error;
	char *argv[] = { (char *)"sekisho", (char *)group, (char *)word, (char *)option, path };

	if (args_parse(5, argv, &args, &error))
		fail_msg("%s", error.text);
	return args;
}

static void written(const char *group, const char *word, const char *option, const char *member,
		    unsigned mode)
{
	struct args args = args_for(group, word, option);
	json_t *body = json_pack("{s:s, s:i}", member, "text\r\n", "other", 1);
	_cleanup_free_ char *data = NULL;
	const char *name = NULL;
	struct stat status;
	size_t len;

	assert_int_equal(output_write_all(&args, body, &name), OK);
	assert_int_equal(util_read_file(path, 100, &data, &len), OK);
	assert_string_equal(data, "text\r\n");
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 0777, mode);
	assert_null(json_object_get(body, member));
	assert_string_equal(json_string_value(json_object_get(body, "file")), path);
	assert_non_null(json_object_get(body, "other"));
	json_decref(body);
	unlink(path);
}

static void each_goes_where_it_belongs(void **state)
{
	(void)state;
	written("device", "export", "--out", "csv", 0600);
	written("ca", "export", "--out", "pem", 0644);
}

static void what_was_not_written_is_kept(void **state)
{
	struct args args = args_for("device", "export", "--out");
	json_t *body = json_pack("{s:s}", "csv", "KEY");
	const char *name = NULL;

	(void)state;
	assert_int_equal(rmdir(folder), 0);
	assert_int_not_equal(output_write_all(&args, body, &name), OK);
	assert_string_equal(name, "out");
	assert_string_equal(json_string_value(json_object_get(body, "csv")), "KEY");
	assert_null(json_object_get(body, "file"));
	json_decref(body);
	assert_int_equal(mkdir(folder, 0700), 0);
}

static void an_answer_without_it(void **state)
{
	struct args args = args_for("device", "export", "--out");
	json_t *body = json_object();
	const char *name = NULL;

	(void)state;
	assert_int_equal(output_write_all(&args, body, &name), ERR_PROTOCOL);
	assert_int_equal(access(path, F_OK), -1);
	json_decref(body);
}

static void nothing_is_overwritten(void **state)
{
	struct args args = args_for("device", "export", "--out");
	const char *name = NULL;

	(void)state;
	assert_int_equal(output_check_all(&args, &name), OK);
	assert_int_equal(util_write_file(path, "x", 1, 0600), OK);
	assert_int_equal(output_check_all(&args, &name), ERR_EXISTS);
	assert_string_equal(name, "out");
	unlink(path);
	/* Not even what points nowhere. */
	assert_int_equal(symlink("/nonexistent/x", path), 0);
	assert_int_equal(output_check_all(&args, &name), ERR_EXISTS);
	assert_int_equal(output_check("/nonexistent/x"), ERR_NOT_FOUND);
}

/* Where, and what is wrong there. */
static void a_refusal_says_where(void **state)
{
	static const struct {
		enum err err;
		const char *path, *text;
	} rows[] = {
		{ ERR_NOT_FOUND, "/none/x", "there is no folder /none/" },
		{ ERR_NOT_FOUND, "/none/x/", "there is no folder /none/" },
		{ ERR_EXISTS, "/etc/passwd", "/etc/passwd is there already: choose another name" },
		{ ERR_DENIED, "x", "you may not write in ./" },
		{ ERR_FULL, "/mnt/x.mp4", "no space is left in /mnt/" },
		{ ERR_IO, "/x", "/ cannot be written in: it is read-only, or its disk fails" },
		{ ERR_CRYPTO, "/x", "a cryptographic operation failed" },
	};
	char room[OUTPUT_WHY];

	(void)state;
	setenv("LC_ALL", "C.UTF-8", 1);
	lang_init();
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		assert_string_equal(output_why(rows[i].err, rows[i].path, room), rows[i].text);
}

static void a_place_is_looked_at_before(void **state)
{
	char name[sizeof(path) + 8];

	(void)state;
	assert_int_equal(output_check(path), OK);
	snprintf(name, sizeof(name), "%s///", path); /* a folder that is to be made */
	assert_int_equal(output_check(name), OK);
	snprintf(name, sizeof(name), "%s/x", path);
	assert_int_equal(output_check(name), ERR_NOT_FOUND);
	assert_int_equal(output_check(folder), ERR_EXISTS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(each_goes_where_it_belongs, setup, teardown),
		cmocka_unit_test_setup_teardown(what_was_not_written_is_kept, setup, teardown),
		cmocka_unit_test_setup_teardown(an_answer_without_it, setup, teardown),
		cmocka_unit_test_setup_teardown(nothing_is_overwritten, setup, teardown),
		cmocka_unit_test(a_refusal_says_where),
		cmocka_unit_test_setup_teardown(a_place_is_looked_at_before, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
