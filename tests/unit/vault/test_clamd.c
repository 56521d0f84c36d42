/* A real daemon of ClamAV, with one signature of our own: that of the EICAR test file. */
#include "unit/folder.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "base/util.h"
#include "vault/scan.h"

#define CLAMD "/usr/sbin/clamd"

/* Apart, so that no scanner finds it in here. */
static const char first[] = "X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR-STANDARD-";
static const char second[] = "ANTIVIRUS-TEST-FILE!$H+H*";

static char folder[UNIT_FOLDER], files[UNIT_FOLDER + 16], socket_path[UNIT_FOLDER + 16];
static pid_t daemon_pid;

static void put(const char *name, const char *text)
{
	char path[UNIT_FOLDER + 32];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	assert_ok(util_write_file(path, text, strlen(text), 0600));
}

static void write_settings(void)
{
	char text[3 * UNIT_FOLDER + 200], eicar[160], hex[2 * sizeof(eicar)];

	snprintf(eicar, sizeof(eicar), "%s%s", first, second);
	util_hex((const uint8_t *)eicar, strlen(eicar), hex);
	snprintf(text, sizeof(text), "Sekisho.Test.Eicar:0:*:%s\n", hex);
	put("test.ndb", text);
	snprintf(text, sizeof(text),
		 "LocalSocket %s\nDatabaseDirectory %s\nForeground yes\nTemporaryDirectory %s\n",
		 socket_path, folder, folder);
	put("clamd.conf", text);
}

static int start(void **state)
{
	char conf[UNIT_FOLDER + 16];

	(void)state;
	if (access(CLAMD, X_OK) < 0)
		return 0;
	unit_folder(folder);
	snprintf(files, sizeof(files), "%s/documents", folder);
	snprintf(socket_path, sizeof(socket_path), "%s/clamd", folder);
	snprintf(conf, sizeof(conf), "%s/clamd.conf", folder);
	write_settings();
	daemon_pid = fork();
	if (daemon_pid == 0) {
		FILE *log = freopen("/dev/null", "w", stdout);

		if (log)
			execl(CLAMD, CLAMD, "-c", conf, NULL);
		_exit(127);
	}
	return daemon_pid < 0 ? -1 : 0;
}

static int stop(void **state)
{
	(void)state;
	if (daemon_pid > 0) {
		kill(daemon_pid, SIGKILL);
		waitpid(daemon_pid, NULL, 0);
	}
	return 0;
}

/* As soon as it listens. */
static int connect_to_it(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", socket_path);
	for (int i = 0; i < 1000; i++) {
		int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

		if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
			return fd;
		close(fd);
		assert_int_equal(waitpid(daemon_pid, NULL, WNOHANG), 0);
		usleep(50000);
	}
	fail_msg("clamd does not listen");
	return -1;
}

static bool keep_none(void *ctx, uint64_t document, uint64_t version)
{
	(void)ctx;
	(void)document;
	(void)version;
	return false;
}

static struct document_reader *reader_of(const uint8_t *data, size_t len)
{
	const struct document_place place = { files, 1, 1 };
	_cleanup_secret_ struct secret *key = NULL;
	struct document_writer *writer;
	struct document_reader *reader;

	assert_ok(document_file_sweep(files, keep_none, NULL));
	assert_ok(secret_random(DOCUMENT_KEY, &key));
	assert_ok(document_writer_new(&place, key, &writer));
	assert_ok(document_writer_add(writer, data, len));
	assert_ok(document_writer_end(writer));
	document_writer_free(writer);
	assert_ok(document_reader_new(&place, key, len, &reader));
	return reader;
}

struct outcome {
	enum scan_result result;
	char name[SCAN_NAME_MAX];
	struct scan *scan;
};

static void done(void *ctx, enum scan_result result, const char *name)
{
	struct outcome *outcome = ctx;

	outcome->result = result;
	snprintf(outcome->name, sizeof(outcome->name), "%s", name);
	scan_free(outcome->scan);
}

static struct outcome scanned(const void *data, size_t len)
{
	struct outcome outcome = { 0 };
	struct loop *loop;

	assert_ok(loop_new(&loop));
	assert_ok(scan_new(loop, connect_to_it(), reader_of(data, len), done, &outcome,
			   &outcome.scan));
	while (!outcome.result)
		assert_ok(loop_step(loop, 1000));
	loop_free(loop);
	assert_ok(document_file_sweep(files, keep_none, NULL));
	return outcome;
}

static void it_finds_what_is_infected(void **state)
{
	char eicar[160];

	(void)state;
	if (daemon_pid <= 0)
		skip();
	snprintf(eicar, sizeof(eicar), "%s%s", first, second);
	const struct outcome outcome = scanned(eicar, strlen(eicar));
	assert_int_equal(outcome.result, SCAN_FOUND);
	assert_string_equal(outcome.name, "Sekisho.Test.Eicar.UNOFFICIAL");
}

static void it_lets_the_others_pass(void **state)
{
	enum { LEN = 3 * 1024 * 1024 + 5 };

	(void)state;
	if (daemon_pid <= 0)
		skip();
	_cleanup_free_ uint8_t *large = malloc(LEN);
	assert_non_null(large);
	util_random(large, LEN);
	assert_int_equal(scanned("a letter", 8).result, SCAN_CLEAN);
	assert_int_equal(scanned(large, LEN).result, SCAN_CLEAN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_finds_what_is_infected),
		cmocka_unit_test(it_lets_the_others_pass),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
