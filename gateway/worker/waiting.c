#include "worker/waiting.h"

#include <fcntl.h>
#include <stdarg.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static int call(int fd, int command, unsigned long argument)
{
	int on = (argument & O_NONBLOCK) != 0;

	if (command == F_SETFL)
		return ioctl(fd, FIONBIO, &on);
	return (int)syscall(SYS_fcntl, fd, command, argument);
}

#define DEFINE(name)                                                                               \
	__attribute__((visibility("default"))) int name(int fd, int command, ...)                  \
	{                                                                                          \
		va_list list;                                                                      \
		va_start(list, command);                                                           \
		unsigned long argument = va_arg(list, unsigned long);                              \
		va_end(list);                                                                      \
		return call(fd, command, argument);                                                \
	}

DEFINE(fcntl)
DEFINE(fcntl64)

bool waiting_works(void)
{
	int fds[2];
	bool works = false;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return false;
	/* The C library's would turn appending on. */
	if (fcntl(fds[1], F_SETFL, O_NONBLOCK | O_APPEND) == 0)
		works = (fcntl(fds[1], F_GETFL) & (O_NONBLOCK | O_APPEND)) == O_NONBLOCK;
	close(fds[0]);
	close(fds[1]);
	return works;
}
