#include "unit/folder.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/util.h"
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(each_goes_where_it_belongs, setup, teardown),
		cmocka_unit_test_setup_teardown(what_was_not_written_is_kept, setup, teardown),
		cmocka_unit_test_setup_teardown(an_answer_without_it, setup, teardown),
		cmocka_unit_test_setup_teardown(nothing_is_overwritten, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
