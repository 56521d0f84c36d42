/* The log of a child, with a pipe whose writing end is the test's. */
#include "unit/folder.h"

#include <fcntl.h>
#include <string.h>

#include "base/log.h"
#include "base/util.h"
#include "monitor/child_log.h"

enum { CHILD = 77 };

static char folder[UNIT_FOLDER];
static char path[UNIT_FOLDER + 8];
static struct loop *loop;
static struct child_log child_log;
static int end = -1; /* the child's */
static int stderr_before = -1;
static char *written;

/* From here on this process logs into a file. */
static int open_log(void **state)
{
	(void)state;
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
	stderr_before = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 10);
	child_log = (struct child_log){ 0 };
	if (fd < 0 || stderr_before < 0 || dup2(fd, STDERR_FILENO) < 0 || loop_new(&loop))
		return -1;
	close(fd);
	log_init("test", LOG_LEVEL_INFO);
	if (child_log_open(&child_log, loop, "edge", &end))
		return -1;
	child_log_set_pid(&child_log, CHILD);
	return 0;
}

static int close_log(void **state)
{
	(void)state;
	child_log_close(&child_log);
	if (end >= 0)
		close(end);
	end = -1;
	loop_free(loop);
	dup2(stderr_before, STDERR_FILENO);
	close(stderr_before);
	free(util_take_ptr(written));
	return unlink(path);
}

/* All that was logged so far. */
static const char *logged(void)
{
	size_t len;

	free(util_take_ptr(written));
	assert_ok(util_read_file(path, 64u << 20, &written, &len));
	return written;
}

static void say(const char *text, size_t len)
{
	assert_int_equal(write(end, text, len), len);
}

static void step(void)
{
	assert_ok(loop_step(loop, 1000));
}

static size_t lines_in(const char *text)
{
	size_t count = 0;

	for (const char *at = text; (at = strchr(at, '\n')); at++)
		count++;
	return count;
}

static void lines_get_role_and_pid(void **state)
{
	static const char text[] = "<6>event=a role=broker pid=1\nplain\nbeg";

	(void)state;
	say(text, strlen(text));
	step();
	assert_string_equal(logged(), "<6>role=edge pid=77 event=a role=broker pid=1\n"
				      "<4>role=edge pid=77 event=output text=\"plain\"\n");
	say("in\n", 3);
	step();
	assert_non_null(strstr(logged(), " event=output text=\"begin\"\n"));
}

static void last_words(void **state)
{
	(void)state;
	say("<3>event=dying", 14);
	child_log_close(&child_log);
	assert_string_equal(logged(), "<3>role=edge pid=77 event=dying\n");
	child_log_close(&child_log);
	assert_int_equal(lines_in(logged()), 1);
}

/* A NUL must not hide the rest, nor end a string that is longer. */
static void nothing_is_hidden(void **state)
{
	(void)state;
	say("<6>event=a\0b\n", 13);
	step();
	assert_string_equal(logged(), "<6>role=edge pid=77 event=a?b\n");
}

static void long_lines_are_cut(void **state)
{
	static char text[3 * CHILD_LOG_LINE];

	(void)state;
	memset(text, 'x', sizeof(text));
	memcpy(text, "<6>", 3);
	say(text, sizeof(text));
	say("y\n<6>event=next\n", 16);
	step();
	child_log_close(&child_log);
	const char *log = logged();
	assert_int_equal(lines_in(log), 2);
	assert_in_range(strcspn(log, "\n"), CHILD_LOG_LINE, CHILD_LOG_LINE + 64);
	assert_null(strchr(log, 'y'));
	assert_non_null(strstr(log, "\n<6>role=edge pid=77 event=next\n"));
}

/* A report of AddressSanitizer comes through, a flood does not, and says how much it was. */
static void flood_is_counted(void **state)
{
	enum { LINES = 3 * CHILD_LOG_BURST, SPARE = 5 * CHILD_LOG_PER_SECOND };
	static const char text[] = "<6>event=again\n";
	unsigned long dropped = 0;

	(void)state;
	for (int i = 0; i < LINES; i++) {
		say(text, strlen(text));
		if (i % 100 == 99)
			step();
	}
	child_log_close(&child_log);
	const char *log = logged();
	size_t passed = 0;
	for (const char *at = log; (at = strstr(at, "event=again\n")); at++)
		passed++;
	assert_in_range(passed, CHILD_LOG_BURST, CHILD_LOG_BURST + SPARE);
	for (const char *at = log; (at = strstr(at, "event=child-log-dropped child=edge")); at++) {
		const char *number = strstr(at, "lines=");
		assert_non_null(number);
		dropped += strtoul(number + 6, NULL, 10);
	}
	assert_int_equal(passed + dropped, LINES);
	/* Dying and coming back is no way around it. */
	close(end);
	assert_ok(child_log_open(&child_log, loop, "edge", &end));
	for (int i = 0; i < CHILD_LOG_BURST; i++)
		say(text, strlen(text));
	size_t before = lines_in(log);
	child_log_close(&child_log);
	assert_in_range(lines_in(logged()), before + 1, before + 1 + SPARE);
}

/* The count is told while the child lives, too. */
static void flood_is_told_soon(void **state)
{
	(void)state;
	for (int i = 0; i < CHILD_LOG_BURST + 1000; i++) {
		say("<6>x\n", 5);
		if (i % 100 == 99)
			step();
	}
	for (int i = 0; i < 20 && !strstr(logged(), "child-log-dropped"); i++)
		step();
	assert_non_null(strstr(logged(), "<4>role=test "));
	assert_non_null(strstr(logged(), "event=child-log-dropped child=edge child_pid=77 lines="));
}

/* A pipe is no file: nothing that was written can be taken back, and other ends stay as they are.
 */
static void written_is_written(void **state)
{
	(void)state;
	say("<6>event=a\n", 11);
	step();
	assert_int_equal(ftruncate(end, 0), -1);
	assert_int_equal(pwrite(end, "z", 1, 0), -1);
	assert_int_equal(fcntl(end, F_SETFL, O_NONBLOCK), 0);
	assert_int_equal(fcntl(end, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	assert_int_equal(fcntl(child_log.io.fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	assert_string_equal(logged(), "<6>role=edge pid=77 event=a\n");
}

static void closed_end_is_no_endless_loop(void **state)
{
	(void)state;
	close(util_take_fd(&end));
	step();
	assert_null(child_log.io.loop);
}

static int make_folder(void **state)
{
	(void)state;
	unit_folder(folder);
	snprintf(path, sizeof(path), "%s/log", folder);
	return 0;
}

#define with_log(test) cmocka_unit_test_setup_teardown(test, open_log, close_log)

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_log(lines_get_role_and_pid), with_log(last_words),
		with_log(nothing_is_hidden),      with_log(long_lines_are_cut),
		with_log(flood_is_counted),       with_log(flood_is_told_soon),
		with_log(written_is_written),     with_log(closed_end_is_no_endless_loop),
	};

	return cmocka_run_group_tests(tests, make_folder, NULL);
}
