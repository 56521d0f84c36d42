#include "monitor/listen.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "base/util.h"
#include "monitor/refuse.h"

static enum err tcp_failed(const struct config_listen *address, const char *setting)
{
	int saved_errno = errno;
	const char *en = NULL, *ja = NULL;

	switch (saved_errno) {
	case EADDRINUSE:
		en = "the address is in use; stop the other program (ss -ltnp shows it) or change "
		     "the setting";
		ja = "アドレスは使用中です。他のプログラムを停止する（ss -ltnp "
		     "で確認）か、設定を変えてください";
		break;
	case EACCES:
		en = "ports below 1024 need root; start as root or change the setting";
		ja = "1024 未満のポートには root 権限が必要です。root "
		     "で起動するか、設定を変えてください";
		break;
	case EADDRNOTAVAIL:
	case EAFNOSUPPORT:
		en = "this machine does not have that address; change the setting (0.0.0.0 for "
		     "IPv4 only)";
		ja = "このアドレスはこの機械にありません。設定を変えてください（IPv4 のみなら "
		     "0.0.0.0）";
		break;
	default:
		en = strerror(saved_errno);
		break;
	}
	refuse(en, ja, strchr(address->address, ':') ? "%s = [%s]:%u" : "%s = %s:%u", setting,
	       address->address, address->port);
	return saved_errno == EADDRINUSE ? ERR_EXISTS : err_from_errno(saved_errno);
}

static enum err resolve(const struct config_listen *address, const char *setting,
			struct addrinfo **ret)
{
	const struct addrinfo hints = {
		.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE,
		.ai_socktype = SOCK_STREAM,
	};
	char port[8];

	snprintf(port, sizeof(port), "%u", address->port);
	int failed = getaddrinfo(address->address, port, &hints, ret);
	if (!failed)
		return OK;
	refuse(gai_strerror(failed), NULL, "%s = %s", setting, address->address);
	return ERR_INVALID;
}

enum err listen_tcp(const struct config_listen *address, const char *setting, int *ret_fd)
{
	const int on = 1, off = 0;
	struct addrinfo *info;

	enum err err = resolve(address, setting, &info);
	if (err)
		return err;
	_cleanup_close_ int fd =
		socket(info->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	bool good = fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0;
	if (good && info->ai_family == AF_INET6)
		good = setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off)) == 0;
	good = good && bind(fd, info->ai_addr, info->ai_addrlen) == 0 && listen(fd, SOMAXCONN) == 0;
	int saved_errno = errno;
	freeaddrinfo(info);
	errno = saved_errno;
	if (!good)
		return tcp_failed(address, setting);
	*ret_fd = util_take_fd(&fd);
	return OK;
}

static enum err admin_failed(const char *path)
{
	int saved_errno = errno;

	refuse_errno("%s", path);
	return err_from_errno(saved_errno);
}

static enum err admin_address(const char *runtime_dir, struct sockaddr_un *ret)
{
	*ret = (struct sockaddr_un){ .sun_family = AF_UNIX };
	int len = snprintf(ret->sun_path, sizeof(ret->sun_path), "%s/admin.sock", runtime_dir);

	return len > 0 && (size_t)len < sizeof(ret->sun_path) ? OK : ERR_TOO_BIG;
}

enum err listen_admin(const char *runtime_dir, int *ret_fd)
{
	struct sockaddr_un address;
	struct stat status;

	enum err err = admin_address(runtime_dir, &address);
	if (err)
		return err;
	if (lstat(address.sun_path, &status) == 0) {
		if (!S_ISSOCK(status.st_mode)) {
			refuse("something that is not a socket is in the way; move it away",
			       "ソケットでないファイルがあります。移動してください", "%s",
			       address.sun_path);
			return ERR_EXISTS;
		}
		if (unlink(address.sun_path) < 0)
			return admin_failed(address.sun_path);
	}
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	mode_t mask = umask(0177); /* never wider than 0600, not for a moment */
	bool good = fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0 &&
		    listen(fd, 16) == 0;
	umask(mask);
	if (!good)
		return admin_failed(address.sun_path);
	*ret_fd = util_take_fd(&fd);
	return OK;
}

void listen_admin_remove(const char *runtime_dir)
{
	struct sockaddr_un address;

	if (admin_address(runtime_dir, &address) == OK && unlink(address.sun_path) < 0 &&
	    errno != ENOENT)
		refuse_errno("%s", address.sun_path);
}
