#include "unit/folder.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/util.h"
#include "monitor/scanner.h"

static void one_at_a_path(void **state)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	char folder[UNIT_FOLDER];
	int ours;

	(void)state;
	unit_folder(folder);
	snprintf(address.sun_path, sizeof(address.sun_path), "%s/clamd", folder);
	assert_err(scanner_connect(address.sun_path, &ours), ERR_NOT_FOUND);
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	/* Nobody listens: its daemon has died. */
	assert_int_not_equal(scanner_connect(address.sun_path, &ours), OK);
	assert_int_equal(listen(fd, 1), 0);
	assert_ok(scanner_connect(address.sun_path, &ours));
	_cleanup_close_ int theirs = accept(fd, NULL, NULL);
	assert_int_equal(send(theirs, "x", 1, 0), 1);
	char byte = 0;
	assert_int_equal(recv(ours, &byte, 1, 0), 1);
	assert_int_equal(byte, 'x');
	assert_int_equal(recv(ours, &byte, 1, 0), -1); /* and does not wait */
	close(ours);
	unlink(address.sun_path);
}

static void one_at_a_port(void **state)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	socklen_t len = sizeof(address);
	char where[32];
	int ours;

	(void)state;
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	_cleanup_close_ int fd = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(fd, 1), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
	snprintf(where, sizeof(where), "127.0.0.1:%u", (unsigned)ntohs(address.sin_port));
	assert_ok(scanner_connect(where, &ours));
	_cleanup_close_ int theirs = accept(fd, NULL, NULL);
	assert_true(theirs >= 0);
	close(ours);
}

static void what_is_no_place(void **state)
{
	char long_path[200];
	int fd;

	(void)state;
	memset(long_path, 'a', sizeof(long_path));
	long_path[0] = '/';
	long_path[sizeof(long_path) - 1] = '\0';
	assert_err(scanner_connect(long_path, &fd), ERR_INVALID);
	assert_err(scanner_connect("clamd", &fd), ERR_INVALID);
	assert_err(scanner_connect("", &fd), ERR_INVALID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_at_a_path),
		cmocka_unit_test(one_at_a_port),
		cmocka_unit_test(what_is_no_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
