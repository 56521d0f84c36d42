#include "worker/probe/resolve.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/eventfd.h>

#include "base/util.h"

enum { RESOLVE_THREADS = 4, RESOLVE_WAITING_MAX = 256 };

struct question {
	struct question *next;
	char name[256];
	char port[8];
	int socktype;
	resolve_func *func;
	void *ctx;
	struct addrinfo *answer;
};

struct queue {
	struct question *first, *last;
	size_t count;
};

struct resolver {
	struct loop_io wake; /* an eventfd: something is done */
	pthread_t threads[RESOLVE_THREADS];
	unsigned thread_count;
	pthread_mutex_t mutex; /* guards what follows */
	pthread_cond_t changed;
	struct queue waiting, done;
	bool ending;
};

static void queue_put(struct queue *queue, struct question *question)
{
	question->next = NULL;
	*(queue->first ? &queue->last->next : &queue->first) = question;
	queue->last = question;
	queue->count++;
}

static struct question *queue_take(struct queue *queue)
{
	struct question *question = queue->first;

	if (question) {
		queue->first = question->next;
		queue->count--;
	}
	return question;
}

static void queue_finish(struct queue *queue)
{
	struct question *question;

	while ((question = queue_take(queue))) {
		if (question->answer)
			freeaddrinfo(question->answer);
		free(question);
	}
}

static struct addrinfo *look_up(const struct question *question, int flags)
{
	const struct addrinfo hints = { .ai_flags = flags | AI_NUMERICSERV,
					.ai_socktype = question->socktype };
	struct addrinfo *list = NULL;

	return getaddrinfo(question->name, question->port, &hints, &list) == 0 ? list : NULL;
}

static void deliver(struct loop_io *io, uint32_t events)
{
	struct resolver *resolver = container_of(io, struct resolver, wake);
	struct question *question;
	uint64_t count;

	(void)events;
	if (read(io->fd, &count, sizeof(count)) < 0)
		return;
	do {
		pthread_mutex_lock(&resolver->mutex);
		question = queue_take(&resolver->done);
		pthread_mutex_unlock(&resolver->mutex);
		if (question)
			question->func(question->ctx, question->answer);
		free(question);
	} while (question);
}

/* The next question, or NULL at the end. */
static struct question *take(struct resolver *resolver)
{
	struct question *question = NULL;

	pthread_mutex_lock(&resolver->mutex);
	while (!resolver->waiting.first && !resolver->ending)
		pthread_cond_wait(&resolver->changed, &resolver->mutex);
	if (!resolver->ending)
		question = queue_take(&resolver->waiting);
	pthread_mutex_unlock(&resolver->mutex);
	return question;
}

static void give_back(struct resolver *resolver, struct question *question)
{
	const uint64_t one = 1;

	pthread_mutex_lock(&resolver->mutex);
	queue_put(&resolver->done, question);
	/* Fails only when the counter is full, and then the loop is about to wake anyway. */
	if (write(resolver->wake.fd, &one, sizeof(one)) < 0)
		errno = 0;
	pthread_mutex_unlock(&resolver->mutex);
}

static void *thread_main(void *arg)
{
	struct resolver *resolver = arg;
	struct question *question;

	while ((question = take(resolver))) {
		question->answer = look_up(question, 0);
		give_back(resolver, question);
	}
	return NULL;
}

static enum err start(struct resolver *resolver, struct loop *loop, int wake_fd)
{
	if (wake_fd < 0)
		return err_from_errno(errno);
	enum err err = loop_io_init(loop, &resolver->wake, wake_fd, EPOLLIN, deliver);
	if (err)
		return err;
	for (; resolver->thread_count < RESOLVE_THREADS; resolver->thread_count++)
		if (pthread_create(&resolver->threads[resolver->thread_count], NULL, thread_main,
				   resolver))
			return ERR_NOMEM;
	return OK;
}

enum err resolver_new(struct loop *loop, struct resolver **ret)
{
	struct resolver *resolver = calloc(1, sizeof(*resolver));

	if (!resolver)
		return ERR_NOMEM;
	pthread_mutex_init(&resolver->mutex, NULL);
	pthread_cond_init(&resolver->changed, NULL);
	resolver->wake.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	enum err err = start(resolver, loop, resolver->wake.fd);
	if (err) {
		resolver_free(resolver);
		return err;
	}
	*ret = resolver;
	return OK;
}

void resolver_free(struct resolver *resolver)
{
	if (!resolver)
		return;
	pthread_mutex_lock(&resolver->mutex);
	resolver->ending = true;
	pthread_cond_broadcast(&resolver->changed);
	pthread_mutex_unlock(&resolver->mutex);
	for (unsigned i = 0; i < resolver->thread_count; i++)
		pthread_join(resolver->threads[i], NULL);
	queue_finish(&resolver->waiting);
	queue_finish(&resolver->done);
	loop_io_finish(&resolver->wake);
	if (resolver->wake.fd >= 0)
		close(resolver->wake.fd);
	pthread_cond_destroy(&resolver->changed);
	pthread_mutex_destroy(&resolver->mutex);
	free(resolver);
}

static enum err enqueue(struct resolver *resolver, struct question *question)
{
	enum err err = ERR_FULL;

	pthread_mutex_lock(&resolver->mutex);
	if (resolver->waiting.count < RESOLVE_WAITING_MAX) {
		queue_put(&resolver->waiting, question);
		pthread_cond_signal(&resolver->changed);
		err = OK;
	}
	pthread_mutex_unlock(&resolver->mutex);
	return err;
}

enum err resolver_ask(struct resolver *resolver, const char *name, uint16_t port, int socktype,
		      resolve_func *func, void *ctx)
{
	_cleanup_free_ struct question *question = calloc(1, sizeof(*question));
	size_t len = strlen(name);

	if (!question)
		return ERR_NOMEM;
	if (len >= sizeof(question->name))
		return ERR_TOO_BIG;
	question->socktype = socktype;
	question->func = func;
	question->ctx = ctx;
	memcpy(question->name, name, len + 1);
	snprintf(question->port, sizeof(question->port), "%u", port);
	struct addrinfo *numeric = look_up(question, AI_NUMERICHOST);
	if (numeric) {
		func(ctx, numeric);
		return OK;
	}
	enum err err = enqueue(resolver, question);
	if (!err)
		util_take_ptr(question);
	return err;
}
