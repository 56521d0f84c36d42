#include "unit/unit.h"

#include <fcntl.h>
#include <string.h>

#include "base/log.h"
#include "base/util.h"

/* Runs body with stderr going into a pipe and returns what it wrote. */
#define CAPTURE(body)                                                                              \
	do {                                                                                       \
		int pipe_fds[2], saved = dup(STDERR_FILENO);                                       \
		ssize_t got;                                                                       \
		assert_int_equal(pipe2(pipe_fds, O_NONBLOCK), 0);                                  \
		dup2(pipe_fds[1], STDERR_FILENO);                                                  \
		body;                                                                              \
		dup2(saved, STDERR_FILENO);                                                        \
		got = read(pipe_fds[0], text, sizeof(text) - 1);                                   \
		text[MAX(got, 0)] = 0;                                                             \
		close(saved);                                                                      \
		close(pipe_fds[0]);                                                                \
		close(pipe_fds[1]);                                                                \
	} while (0)

static char text[8192];

static void one_line_each(void **state)
{
	char wanted[128];

	(void)state;
	log_init("test", LOG_LEVEL_INFO);
	CAPTURE(log_info("session-start", "host=%d", 7));
	snprintf(wanted, sizeof(wanted), "<6>role=test pid=%d event=session-start host=7\n",
		 (int)getpid());
	assert_string_equal(text, wanted);
	CAPTURE(log_debug("quiet", "x=%d", 1));
	assert_string_equal(text, "");
	log_context("session=ab");
	CAPTURE(log_warn("odd", "%s", ""));
	assert_non_null(strstr(text, "<4>role=test"));
	assert_non_null(strstr(text, "event=odd session=ab\n"));
	log_context(NULL);
}

/* A peer's name must not be able to add a line or to drive the administrator's terminal. */
static void no_forged_lines(void **state)
{
	char huge[5000];

	(void)state;
	CAPTURE(log_info("peer", "name=\"%s\"",
			 "x\n<3>role=broker event=fake\x1b[2J\x7f\xc2\x9b"
			 "2J関所"));
	assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
	assert_null(strchr(text, '\x1b'));
	assert_null(strchr(text, '\x7f'));
	assert_null(strstr(text, "\xc2\x9b")); /* a terminal may take it for ESC [ */
	assert_non_null(strstr(text, "x\\x0a<3>"));
	assert_non_null(strstr(text, "関所"));
	memset(huge, 'a', sizeof(huge) - 1);
	huge[sizeof(huge) - 1] = 0;
	CAPTURE(log_info("peer", "name=%s", huge));
	assert_in_range(strlen(text), 1000, 4096);
	assert_int_equal(text[strlen(text) - 1], '\n');
}

/* Nor to add a field to its own. */
static void no_forged_fields(void **state)
{
	char long_text[1000];

	(void)state;
	assert_string_equal(log_quote("関所 PC"), "\"関所 PC\"");
	assert_string_equal(log_quote("x\" result=ok \\"), "\"x\\\" result=ok \\\\\"");
	assert_string_equal(log_quote("a\n\xc2\x9b"
				      "2J\x7f"),
			    "\"a\\x0a\\x9b2J\\x7f\"");
	memset(long_text, '"', sizeof(long_text) - 1);
	long_text[sizeof(long_text) - 1] = 0;
	assert_in_range(strlen(log_quote(long_text)), 400, 415);
	CAPTURE(log_info("two", "a=%s b=%s", log_quote("1"), log_quote("2")));
	assert_non_null(strstr(text, "a=\"1\" b=\"2\""));
}

/* The monitor says for whom it writes. */
static void no_name_for_children(void **state)
{
	(void)state;
	log_init(NULL, LOG_LEVEL_INFO);
	CAPTURE(log_info("session-start", "host=%d", 7));
	assert_string_equal(text, "<6>event=session-start host=7\n");
	log_init("test", LOG_LEVEL_INFO);
}

static void relayed_lines(void **state)
{
	char huge[9000];

	(void)state;
	CAPTURE(log_relay("edge", 12, "<4>event=odd role=broker"));
	assert_string_equal(text, "<4>role=edge pid=12 event=odd role=broker\n");
	CAPTURE(log_relay("edge", 12, "==1==ERROR: x"));
	assert_string_equal(text, "<4>role=edge pid=12 event=output text=\"==1==ERROR: x\"\n");
	/* 0 would reach every terminal of the machine. */
	CAPTURE(log_relay("edge", 12, "<0>all\r<3>\x1b[2J"));
	assert_string_equal(text,
			    "<4>role=edge pid=12 event=output text=\"<0>all\\x0d<3>\\x1b[2J\"\n");
	CAPTURE(log_relay("edge", 12, ""));
	assert_string_equal(text, "<4>role=edge pid=12 event=output text=\"\"\n");
	CAPTURE(log_relay("edge", 12, "<"));
	assert_string_equal(text, "<4>role=edge pid=12 event=output text=\"<\"\n");
	memset(huge, 1, sizeof(huge) - 1);
	huge[sizeof(huge) - 1] = 0;
	CAPTURE(log_relay("edge", 12, huge));
	assert_in_range(strlen(text), 4096, 8000);
	assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_line_each),        cmocka_unit_test(no_forged_lines),
		cmocka_unit_test(no_name_for_children), cmocka_unit_test(relayed_lines),
		cmocka_unit_test(no_forged_fields),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
