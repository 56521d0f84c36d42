#include "unit/folder.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/util.h"
#include "cli/admin.h"
#include "cli/cli.h"
#include "cli/exit.h"
#include "wire/ipc.h"

struct broker {
	char folder[UNIT_FOLDER], path[108];
	int listener;
};

static int setup(void **state)
{
	static struct broker broker;
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	unit_folder(broker.folder);
	snprintf(broker.path, sizeof(broker.path), "%s/admin.sock", broker.folder);
	memcpy(address.sun_path, broker.path, strlen(broker.path) + 1);
	broker.listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(broker.listener, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(broker.listener, 4), 0);
	*state = &broker;
	return 0;
}

static int teardown(void **state)
{
	struct broker *broker = *state;

	close(broker->listener);
	unit_folder_remove(broker->folder);
	return 0;
}

/* A broker in a child process that takes one request and answers status and body, or with body NULL
 * hangs up. It exits with 0 when the request was "user add" with expected as arguments. */
static pid_t serve_once(const struct broker *broker, unsigned status, const char *body,
			const char *expected)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid)
		return pid;
	int fd = accept(broker->listener, NULL, NULL), code = 1, size = WIRE_MESSAGE_MAX;
	struct pollfd poll_fd = { .fd = fd, .events = POLLIN };
	struct ipc_received *request = malloc(sizeof(*request));
	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	if (poll(&poll_fd, 1, 10000) == 1 && !ipc_receive(fd, WIRE_ADMIN, WIRE_BROKER, request)) {
		const struct msg_admin *msg = &request->msg.admin;
		code = !(request->type->id == MSG_admin && util_streq(msg->command, "user add") &&
			 msg->arguments.len == strlen(expected) &&
			 memcmp(msg->arguments.data, expected, msg->arguments.len) == 0);
		ipc_received_finish(request);
		struct msg_admin_reply reply = { .status = (uint16_t)status };
		if (body)
			reply.body = (struct bytes){ (const uint8_t *)body, strlen(body) };
		if (body && ipc_send(fd, MSG_admin_reply, &reply, -1))
			code = 2;
	}
	free(request);
	_exit(code);
}

static void expect_exit(pid_t pid, int code)
{
	int status = 0;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), code);
}

static enum err call(const struct broker *broker, unsigned status, const char *reply,
		     unsigned *ret_status, json_t **ret_body)
{
	json_t *arguments = json_pack("{s:s}", "name", "佐藤");
	pid_t pid = serve_once(broker, status, reply, "{\"name\":\"佐藤\"}");
	enum err err = admin_call(broker->folder, "user add", arguments, ADMIN_TIMEOUT_MS,
				  ret_status, ret_body);

	json_decref(arguments);
	expect_exit(pid, 0);
	return err;
}

static void test_request_and_answer(void **state)
{
	unsigned status = 0;
	json_t *body = NULL;

	assert_int_equal(call(*state, 409, "{\"error\":\"exists\"}", &status, &body), OK);
	assert_int_equal(status, 409);
	assert_string_equal(json_string_value(json_object_get(body, "error")), "exists");
	json_decref(body);
	assert_int_equal(call(*state, 200, "", &status, &body), OK);
	assert_int_equal(status, 200);
	assert_int_equal(json_object_size(body), 0);
	json_decref(body);
}

static void test_large_answer(void **state)
{
	enum { LEN = 96 * 1024 };
	_cleanup_free_ char *text = malloc(LEN + 1);
	unsigned status = 0;
	json_t *body = NULL;

	memset(text, ' ', LEN);
	memcpy(text, "{\"a\":1}", 7);
	text[LEN] = '\0';
	assert_int_equal(call(*state, 200, text, &status, &body), OK);
	assert_int_equal(json_integer_value(json_object_get(body, "a")), 1);
	json_decref(body);
}

static void test_bad_answers(void **state)
{
	static const char *const replies[] = { "[]", "7", "rubbish", "{\"a\":1} x",
					       "{\"a\":1,\"a\":2}" };
	unsigned status = 77;
	json_t *body = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(replies); i++)
		assert_int_equal(call(*state, 200, replies[i], &status, &body), ERR_PROTOCOL);
	assert_int_equal(call(*state, 200, NULL, &status, &body), ERR_CLOSED);
	assert_int_equal(status, 77);
	assert_null(body);
}

static void test_nobody_there(void **state)
{
	const struct broker *broker = *state;
	json_t *arguments = json_object(), *body = NULL;
	unsigned status;

	assert_int_equal(admin_call("/tmp/sekisho-nobody-here", "status", arguments,
				    ADMIN_TIMEOUT_MS, &status, &body),
			 ERR_NOT_FOUND);
	char moved[128];
	snprintf(moved, sizeof(moved), "%s/elsewhere", broker->folder);
	assert_int_equal(mkdir(moved, 0700), 0);
	char path[160];
	snprintf(path, sizeof(path), "%s/admin.sock", moved);
	/* A file where the socket of a dead gateway would be. */
	assert_int_equal(util_write_file(path, "", 0, 0600), OK);
	assert_int_equal(admin_call(moved, "status", arguments, ADMIN_TIMEOUT_MS, &status, &body),
			 ERR_UNAVAILABLE);
	char longest[200];
	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	assert_int_equal(admin_call(longest, "status", arguments, ADMIN_TIMEOUT_MS, &status, &body),
			 ERR_TOO_BIG);
	json_decref(arguments);
}

/* Connects without waiting; what connected is closed by the process's end. */
static bool another_fits(const struct broker *broker)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	memcpy(address.sun_path, broker->path, strlen(broker->path) + 1);
	return connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0;
}

/* The monitor listens, but the broker that would accept is being restarted. */
static void test_nobody_accepts(void **state)
{
	const struct broker *broker = *state;
	json_t *arguments = json_object(), *body = NULL;
	uint64_t begin_ms = clock_mono_ms();
	unsigned status;

	assert_int_equal(admin_call(broker->folder, "status", arguments, 100, &status, &body),
			 ERR_TIMEOUT);
	assert_in_range(clock_mono_ms() - begin_ms, 100, 2000);
	while (another_fits(broker))
		continue;
	begin_ms = clock_mono_ms();
	assert_int_equal(admin_call(broker->folder, "status", arguments, 100, &status, &body),
			 ERR_TIMEOUT);
	assert_in_range(clock_mono_ms() - begin_ms, 100, 2000);
	json_decref(arguments);
}

/* sekisho status; what it says goes to ret_said. */
static int ask_status(const struct broker *broker, const char *locale, char *ret_said, size_t size)
{
	char conf[128];
	char *argv[] = { (char *)"sekisho", (char *)"--config", conf, (char *)"status", NULL };
	int err = dup(STDERR_FILENO);
	FILE *sink = tmpfile();

	assert_non_null(sink);
	snprintf(conf, sizeof(conf), "%s/conf", broker->folder);
	FILE *file = fopen(conf, "w");
	assert_non_null(file);
	fprintf(file, "[gateway]\nruntime_dir = %s\n", broker->folder);
	fclose(file);
	setenv("LC_ALL", locale, 1);
	dup2(fileno(sink), STDERR_FILENO);
	int code = cli_main(4, argv);
	fflush(stderr);
	dup2(err, STDERR_FILENO);
	close(err);
	rewind(sink);
	ret_said[fread(ret_said, 1, size - 1, sink)] = 0;
	fclose(sink);
	return code;
}

static void test_status_does_not_wait_for_long(void **state)
{
	const struct broker *broker = *state;
	uint64_t begin_ms = clock_mono_ms();
	char said[1024];

	assert_int_equal(ask_status(broker, "ja_JP.UTF-8", said, sizeof(said)), EXIT_UNREACHABLE);
	assert_in_range(clock_mono_ms() - begin_ms, ADMIN_STATUS_TIMEOUT_MS,
			ADMIN_STATUS_TIMEOUT_MS + 3000);
	assert_non_null(strstr(said, "ブローカーが応答しません。再起動中"));
	assert_non_null(strstr(said, "journalctl -u sekisho"));
}

static void test_status_while_the_broker_ends(void **state)
{
	const struct broker *broker = *state;
	char said[1024];
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0)
		_exit(accept(broker->listener, NULL, NULL) < 0);
	assert_int_equal(ask_status(broker, "C", said, sizeof(said)), EXIT_UNREACHABLE);
	expect_exit(pid, 0);
	assert_non_null(strstr(said, "the broker does not answer: it is restarting"));
	assert_non_null(strstr(said, "journalctl -u sekisho"));
}

static void test_request_too_big(void **state)
{
	const struct broker *broker = *state;
	_cleanup_free_ char *text = malloc(40000);
	unsigned status;
	json_t *body = NULL;

	memset(text, 'x', 39999);
	text[39999] = '\0';
	json_t *arguments = json_pack("{s:s}", "name", text);
	assert_int_equal(
		admin_call(broker->folder, "user add", arguments, ADMIN_TIMEOUT_MS, &status, &body),
		ERR_TOO_BIG);
	json_decref(arguments);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_request_and_answer, setup, teardown),
		cmocka_unit_test_setup_teardown(test_large_answer, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bad_answers, setup, teardown),
		cmocka_unit_test_setup_teardown(test_nobody_there, setup, teardown),
		cmocka_unit_test_setup_teardown(test_nobody_accepts, setup, teardown),
		cmocka_unit_test_setup_teardown(test_status_does_not_wait_for_long, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_status_while_the_broker_ends, setup, teardown),
		cmocka_unit_test_setup_teardown(test_request_too_big, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
