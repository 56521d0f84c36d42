#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "base/util.h"
#include "cli/prompt.h"

/* A pipe that holds len bytes and then ends. */
static int pipe_with(const void *data, size_t len)
{
	int fds[2];

	assert_int_equal(pipe(fds), 0);
	assert_int_equal(write(fds[1], data, len), len);
	close(fds[1]);
	return fds[0];
}

static void expect(const char *data, enum err expected_err, const char *expected)
{
	_cleanup_secret_ struct secret *line = NULL;
	_cleanup_close_ int fd = pipe_with(data, strlen(data));

	assert_int_equal(prompt_line(fd, &line), expected_err);
	if (expected)
		assert_string_equal(secret_text(line), expected);
	else
		assert_null(line);
}

static void test_lines(void **state)
{
	(void)state;
	expect("geheim\n", OK, "geheim");
	expect("geheim\r\n", OK, "geheim");
	expect("geheim", OK, "geheim");
	expect(" a b \n", OK, " a b ");
	expect("\n", OK, "");
	expect("", ERR_CLOSED, NULL);
}

static void test_limit(void **state)
{
	char line[PROMPT_MAX + 3];
	_cleanup_secret_ struct secret *longest = NULL, *more = NULL;

	(void)state;
	memset(line, 'x', sizeof(line));
	line[PROMPT_MAX] = '\n';
	_cleanup_close_ int fits = pipe_with(line, PROMPT_MAX + 1);
	assert_int_equal(prompt_line(fits, &longest), OK);
	assert_int_equal(secret_len(longest), PROMPT_MAX);
	line[PROMPT_MAX] = 'x';
	line[PROMPT_MAX + 1] = '\n';
	_cleanup_close_ int over = pipe_with(line, PROMPT_MAX + 2);
	assert_int_equal(prompt_line(over, &more), ERR_TOO_BIG);
	line[PROMPT_MAX + 1] = 'x';
	_cleanup_close_ int endless = pipe_with(line, PROMPT_MAX + 3);
	assert_int_equal(prompt_line(endless, &more), ERR_TOO_BIG);
}

/* What stands after the line is for the next reader, such as a script's next command. */
static void test_reads_no_further(void **state)
{
	_cleanup_secret_ struct secret *first = NULL, *second = NULL;
	_cleanup_close_ int fd = pipe_with("one\ntwo\n", 8);

	(void)state;
	assert_int_equal(prompt_line(fd, &first), OK);
	assert_int_equal(prompt_line(fd, &second), OK);
	assert_string_equal(secret_text(second), "two");
}

/* On a terminal of its own: asks, takes the answers, and exits with the error, or 100 for "geheim".
 */
static pid_t start_on_terminal(bool twice, int *ret_master)
{
	pid_t pid = forkpty(ret_master, NULL, NULL, NULL);

	assert_true(pid >= 0);
	if (pid == 0) {
		struct secret *password = NULL;
		enum err err = prompt_password("word", twice, &password);
		_exit(err ? (int)err : util_streq(secret_text(password), "geheim") ? 100 : 99);
	}
	return pid;
}

/* Reads what the terminal shows until text is there. */
static void wait_for(int master, char *screen, size_t room, const char *text)
{
	size_t len = strlen(screen);

	while (!strstr(screen, text)) {
		struct pollfd poll_fd = { .fd = master, .events = POLLIN };
		assert_int_equal(poll(&poll_fd, 1, 10000), 1);
		ssize_t got = read(master, screen + len, room - len - 1);
		assert_true(got > 0);
		len += (size_t)got;
		screen[len] = '\0';
	}
}

static void type(int master, const char *text)
{
	assert_int_equal(write(master, text, strlen(text)), strlen(text));
}

static int exit_code_of(pid_t pid)
{
	int status = 0;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static void test_terminal(void **state)
{
	static const struct {
		const char *first, *second;
		int code;
	} rows[] = { { "geheim\n", "geheim\n", 100 }, { "geheim\n", "geheimer\n", ERR_INVALID } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char screen[256] = "";
		int master;
		pid_t pid = start_on_terminal(true, &master);
		wait_for(master, screen, sizeof(screen), "word: ");
		type(master, rows[i].first);
		wait_for(master, screen, sizeof(screen), "once more: ");
		type(master, rows[i].second);
		wait_for(master, screen, sizeof(screen), "once more: \r\n");
		assert_int_equal(exit_code_of(pid), rows[i].code);
		/* Neither answer was shown. */
		assert_null(strstr(screen, "geheim"));
		close(master);
	}
}

/* Ctrl-C ends the program as ever, and the terminal echoes again. */
static void test_interrupt(void **state)
{
	char screen[256] = "";
	struct termios settings;
	int master;
	pid_t pid = start_on_terminal(false, &master);

	(void)state;
	wait_for(master, screen, sizeof(screen), "word: ");
	assert_int_equal(tcgetattr(master, &settings), 0);
	assert_false(settings.c_lflag & ECHO);
	type(master, "geh\003");
	assert_int_equal(exit_code_of(pid), -SIGINT);
	assert_int_equal(tcgetattr(master, &settings), 0);
	assert_true(settings.c_lflag & ECHO);
	close(master);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_limit),
		cmocka_unit_test(test_reads_no_further),
		cmocka_unit_test(test_terminal),
		cmocka_unit_test(test_interrupt),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
