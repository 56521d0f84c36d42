#include "worker/remote/dial.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "base/clock.h"
#include "base/util.h"

enum { ADDRESS_MAX = 253 }; /* of a name, RFC 1035 2.3.4 */

/* FreeRDP would take a path or a "vsock:" address for other kinds of sockets; here it is a host or
 * nothing. */
static bool dial_address_ok(const char *address)
{
	size_t len = strlen(address);

	if (len == 0 || len > ADDRESS_MAX)
		return false;
	for (size_t i = 0; i < len; i++)
		if (!isalnum((unsigned char)address[i]) && !strchr(".-_:%", address[i]))
			return false;
	return true;
}

uint32_t remote_rtt_us(int fd)
{
	struct tcp_info info = { 0 };
	socklen_t len = sizeof(info);

	return fd >= 0 && getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) == 0 ? info.tcpi_rtt
										  : 0;
}

/* A PC that is switched off must be noticed within half a minute, not after TCP's quarter of an
 * hour. */
static void dial_options(int fd)
{
	static const struct {
		int level, name, value;
	} options[] = {
		{ IPPROTO_TCP, TCP_NODELAY, 1 },   { SOL_SOCKET, SO_KEEPALIVE, 1 },
		{ IPPROTO_TCP, TCP_KEEPIDLE, 10 }, { IPPROTO_TCP, TCP_KEEPINTVL, 5 },
		{ IPPROTO_TCP, TCP_KEEPCNT, 4 },   { IPPROTO_TCP, TCP_USER_TIMEOUT, 30000 },
	};

	/* None of them is needed for the connection to work. */
	for (size_t i = 0; i < ARRAY_SIZE(options); i++)
		(void)setsockopt(fd, options[i].level, options[i].name, &options[i].value,
				 sizeof(int));
}

static enum err dial_errno(int saved_errno)
{
	switch (saved_errno) {
	case ETIMEDOUT:
		return ERR_TIMEOUT;
	case ECONNREFUSED:
	case ECONNRESET:
	case EHOSTUNREACH:
	case EHOSTDOWN:
	case ENETUNREACH:
	case ENETDOWN:
	case EADDRNOTAVAIL:
		return ERR_CLOSED;
	default:
		return ERR_IO;
	}
}

static enum err dial_wait(int fd, uint64_t due_us)
{
	for (;;) {
		uint64_t now = clock_mono_us();
		struct pollfd poller = { .fd = fd, .events = POLLOUT };
		int error = 0;
		socklen_t len = sizeof(error);
		int ready;

		if (now >= due_us)
			return ERR_TIMEOUT;
		ready = poll(&poller, 1, (int)MIN((due_us - now) / 1000 + 1, 60000u));
		if (ready < 0 && errno != EINTR)
			return ERR_IO;
		if (ready <= 0)
			continue;
		if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
			return ERR_IO;
		return error ? dial_errno(error) : OK;
	}
}

static enum err dial_one(const struct addrinfo *info, uint64_t due_us, int *ret_fd)
{
	_cleanup_close_ int fd =
		socket(info->ai_family, info->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK,
		       info->ai_protocol);
	enum err err;

	if (fd < 0)
		return ERR_IO;
	if (connect(fd, info->ai_addr, info->ai_addrlen) < 0) {
		if (errno != EINPROGRESS)
			return dial_errno(errno);
		err = dial_wait(fd, due_us);
		if (err)
			return err;
	}
	/* FreeRDP wants it blocking and changes that itself later. */
	if (fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK) < 0)
		return ERR_IO;
	dial_options(fd);
	*ret_fd = util_take_fd(&fd);
	return OK;
}

static struct timespec until(uint64_t due_us)
{
	return (struct timespec){ .tv_sec = (time_t)(due_us / 1000000),
				  .tv_nsec = (long)(due_us % 1000000 * 1000) };
}

/* Signals stay with the loop's thread. */
static enum err start_thread(pthread_t *ret, void *(*run)(void *arg), void *arg)
{
	sigset_t all, before;
	int failed;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	failed = pthread_create(ret, NULL, run, arg);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return failed ? ERR_NOMEM : OK;
}

/*
 * A look-up of a name. A name server that is silent holds getaddrinfo() for longer than anybody
 * waits, and nothing can interrupt it: it runs on a thread of its own, which is left behind then.
 */
struct lookup {
	char name[ADDRESS_MAX + 1], service[8];
	struct addrinfo *list;
	atomic_bool left; /* by one of the two threads: the other frees */
};

static void lookup_free(struct lookup *lookup)
{
	if (lookup->list)
		freeaddrinfo(lookup->list);
	free(lookup);
}

static void *lookup_run(void *arg)
{
	struct lookup *lookup = arg;
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM,
					.ai_flags = AI_ADDRCONFIG | AI_NUMERICSERV };

	if (getaddrinfo(lookup->name, lookup->service, &hints, &lookup->list))
		lookup->list = NULL;
	if (atomic_exchange(&lookup->left, true))
		lookup_free(lookup);
	return NULL;
}

static enum err look_up(const char *name, const char *service, uint64_t due_us,
			struct addrinfo **ret_list)
{
	const struct timespec end = until(due_us);
	struct lookup *lookup = calloc(1, sizeof(*lookup));
	enum err err = ERR_TIMEOUT;
	pthread_t thread;

	if (!lookup)
		return ERR_NOMEM;
	(void)snprintf(lookup->name, sizeof(lookup->name), "%s", name);
	(void)snprintf(lookup->service, sizeof(lookup->service), "%s", service);
	if (start_thread(&thread, lookup_run, lookup)) {
		lookup_free(lookup);
		return ERR_NOMEM;
	}
	if (pthread_clockjoin_np(thread, NULL, CLOCK_MONOTONIC, &end) == 0) {
		*ret_list = util_take_ptr(lookup->list);
		err = *ret_list ? OK : ERR_NOT_FOUND;
	} else {
		pthread_detach(thread);
	}
	if (atomic_exchange(&lookup->left, true))
		lookup_free(lookup);
	return err;
}

static enum err resolve(const char *address, uint16_t port, uint64_t due_us,
			struct addrinfo **ret_list)
{
	const struct addrinfo numeric = { .ai_socktype = SOCK_STREAM,
					  .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV };
	char service[8];

	(void)snprintf(service, sizeof(service), "%u", port);
	if (getaddrinfo(address, service, &numeric, ret_list) == 0)
		return OK;
	return look_up(address, service, due_us, ret_list);
}

enum err remote_dial(const char *address, uint16_t port, unsigned timeout_ms, int *ret_fd)
{
	uint64_t due_us = clock_mono_us() + (uint64_t)timeout_ms * 1000;
	struct addrinfo *list;
	enum err err;

	if (!dial_address_ok(address) || port == 0)
		return ERR_INVALID;
	err = resolve(address, port, due_us, &list);
	if (err)
		return err;
	err = ERR_NOT_FOUND;
	for (struct addrinfo *info = list; info; info = info->ai_next) {
		err = dial_one(info, due_us, ret_fd);
		if (err == OK || err == ERR_TIMEOUT)
			break;
	}
	freeaddrinfo(list);
	return err;
}

/* Waits until something changes or the time is over; the mutex is held. */
static void watchdog_wait(struct remote_watchdog *dog)
{
	const struct timespec end = until(dog->due_us);

	if (dog->paused)
		pthread_cond_wait(&dog->changed, &dog->mutex);
	else
		pthread_cond_timedwait(&dog->changed, &dog->mutex, &end);
}

static void *watchdog_run(void *arg)
{
	struct remote_watchdog *dog = arg;

	pthread_mutex_lock(&dog->mutex);
	while (!dog->stop && (dog->paused || clock_mono_us() < dog->due_us))
		watchdog_wait(dog);
	if (!dog->stop) {
		dog->fired = true;
		if (dog->fd >= 0)
			shutdown(dog->fd, SHUT_RDWR);
		dog->expired(dog->ctx);
	}
	pthread_mutex_unlock(&dog->mutex);
	return NULL;
}

enum err remote_watchdog_start(struct remote_watchdog *dog, uint64_t after_us,
			       void (*expired)(void *ctx), void *ctx)
{
	pthread_condattr_t attr;

	*dog = (struct remote_watchdog){
		.fd = -1, .due_us = clock_mono_us() + after_us, .expired = expired, .ctx = ctx
	};
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&dog->changed, &attr);
	pthread_condattr_destroy(&attr);
	pthread_mutex_init(&dog->mutex, NULL);

	if (start_thread(&dog->thread, watchdog_run, dog)) {
		pthread_cond_destroy(&dog->changed);
		pthread_mutex_destroy(&dog->mutex);
		return ERR_NOMEM;
	}
	dog->running = true;
	return OK;
}

enum err remote_watchdog_guard(struct remote_watchdog *dog, int fd)
{
	enum err err = OK;

	remote_watchdog_unguard(dog);
	pthread_mutex_lock(&dog->mutex);
	/* A duplicate, because FreeRDP closes its own whenever it likes and the number may be
	 * somebody else's then. */
	dog->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (dog->fd < 0)
		err = ERR_IO;
	else if (dog->fired)
		err = ERR_TIMEOUT;
	pthread_mutex_unlock(&dog->mutex);
	return err;
}

void remote_watchdog_unguard(struct remote_watchdog *dog)
{
	pthread_mutex_lock(&dog->mutex);
	if (dog->fd >= 0)
		close(dog->fd);
	dog->fd = -1;
	pthread_mutex_unlock(&dog->mutex);
}

void remote_watchdog_pause(struct remote_watchdog *dog, bool paused)
{
	uint64_t now = clock_mono_us();

	pthread_mutex_lock(&dog->mutex);
	if (paused && !dog->paused)
		dog->left_us = dog->due_us > now ? dog->due_us - now : 0;
	else if (!paused && dog->paused)
		dog->due_us = now + dog->left_us;
	dog->paused = paused;
	pthread_cond_signal(&dog->changed);
	pthread_mutex_unlock(&dog->mutex);
}

uint64_t remote_watchdog_left_us(struct remote_watchdog *dog)
{
	uint64_t now = clock_mono_us();
	uint64_t left;

	pthread_mutex_lock(&dog->mutex);
	left = dog->due_us > now ? dog->due_us - now : 0;
	pthread_mutex_unlock(&dog->mutex);
	return left;
}

bool remote_watchdog_stop(struct remote_watchdog *dog)
{
	if (!dog->running)
		return dog->fired;
	pthread_mutex_lock(&dog->mutex);
	dog->stop = true;
	pthread_cond_signal(&dog->changed);
	pthread_mutex_unlock(&dog->mutex);
	pthread_join(dog->thread, NULL);
	if (dog->fd >= 0)
		close(dog->fd);
	pthread_cond_destroy(&dog->changed);
	pthread_mutex_destroy(&dog->mutex);
	dog->running = false;
	return dog->fired;
}
