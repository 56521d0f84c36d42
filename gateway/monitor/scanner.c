#include "monitor/scanner.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/config.h"
#include "base/util.h"

union place {
	struct sockaddr any;
	struct sockaddr_un path;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

static enum err place_of(const char *where, union place *ret, socklen_t *ret_len)
{
	struct config_listen listen;

	if (*where == '/') {
		ret->path.sun_family = AF_UNIX;
		*ret_len = sizeof(ret->path);
		int len = snprintf(ret->path.sun_path, sizeof(ret->path.sun_path), "%s", where);
		return len < (int)sizeof(ret->path.sun_path) ? OK : ERR_INVALID;
	}
	if (!config_parse_listen(where, &listen))
		return ERR_INVALID;
	if (inet_pton(AF_INET, listen.address, &ret->v4.sin_addr) == 1) {
		ret->v4.sin_family = AF_INET;
		ret->v4.sin_port = htons(listen.port);
		*ret_len = sizeof(ret->v4);
		return OK;
	}
	ret->v6.sin6_family = AF_INET6;
	ret->v6.sin6_port = htons(listen.port);
	*ret_len = sizeof(ret->v6);
	return inet_pton(AF_INET6, listen.address, &ret->v6.sin6_addr) == 1 ? OK : ERR_INVALID;
}

enum err scanner_connect(const char *where, int *ret_fd)
{
	union place place = { 0 };
	socklen_t len;
	enum err err = place_of(where, &place, &len);

	if (err)
		return err;
	_cleanup_close_ int fd =
		socket(place.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0 || (connect(fd, &place.any, len) < 0 && errno != EINPROGRESS))
		return err_from_errno(errno);
	*ret_fd = util_take_fd(&fd);
	return OK;
}
