#include "broker/hasher.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <time.h>

#include "base/util.h"

enum hasher_kind { HASHER_VERIFY, HASHER_VERIFY_DUMMY, HASHER_HASH };

struct hasher_job {
	struct hasher_job *next;
	enum hasher_kind kind;
	struct secret *password;
	char hash[PASSWORD_HASH_MAX];
	enum err result;
	hasher_done *done;
	void *ctx;
};

struct hasher {
	struct loop *loop;
	pthread_t threads[HASHER_THREADS];
	size_t thread_count;
	pthread_mutex_t mutex; /* for all below */
	pthread_cond_t work;
	struct hasher_job *first, **end;
	size_t waiting;
	bool stop;
};

static void job_free(struct hasher_job *job)
{
	secret_free(job->password);
	free(job);
}

static void job_deliver(void *ctx)
{
	struct hasher_job *job = ctx;

	job->done(job->ctx, job->result, job->kind == HASHER_HASH && !job->result ? job->hash : "");
	job_free(job);
}

static void job_run(struct hasher_job *job)
{
	switch (job->kind) {
	case HASHER_VERIFY:
		job->result = password_verify(job->password, job->hash);
		break;
	case HASHER_VERIFY_DUMMY:
		job->result = password_verify_dummy(job->password);
		/* Never right, whatever the library said. */
		if (job->result == OK)
			job->result = ERR_LOGIN;
		break;
	case HASHER_HASH:
		job->result = password_hash(job->password, job->hash);
		break;
	}
	secret_free(job->password);
	job->password = NULL;
}

/* NULL: stop. */
static struct hasher_job *hasher_take(struct hasher *hasher)
{
	struct hasher_job *job = NULL;

	pthread_mutex_lock(&hasher->mutex);
	while (!hasher->stop && !hasher->first)
		pthread_cond_wait(&hasher->work, &hasher->mutex);
	if (!hasher->stop) {
		job = hasher->first;
		hasher->first = job->next;
		if (!hasher->first)
			hasher->end = &hasher->first;
		hasher->waiting--;
	}
	pthread_mutex_unlock(&hasher->mutex);
	return job;
}

static void *hasher_thread(void *ctx)
{
	const struct timespec pause = { .tv_nsec = 10 * 1000 * 1000 };
	struct hasher *hasher = ctx;
	struct hasher_job *job;

	while ((job = hasher_take(hasher))) {
		job_run(job);
		/* A job without its answer would leave a request open: memory comes back. */
		while (loop_post(hasher->loop, job_deliver, job) != OK)
			nanosleep(&pause, NULL);
	}
	return NULL;
}

/* The loop's thread is the one that takes signals. */
static enum err hasher_start(struct hasher *hasher)
{
	sigset_t all, before;
	int failed = 0;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	while (hasher->thread_count < HASHER_THREADS && !failed) {
		failed = pthread_create(&hasher->threads[hasher->thread_count], NULL, hasher_thread,
					hasher);
		if (!failed)
			hasher->thread_count++;
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return failed ? err_from_errno(failed) : OK;
}

enum err hasher_new(struct loop *loop, struct hasher **ret)
{
	struct hasher *hasher = calloc(1, sizeof(*hasher));
	enum err err;

	if (!hasher)
		return ERR_NOMEM;
	hasher->loop = loop;
	hasher->end = &hasher->first;
	pthread_mutex_init(&hasher->mutex, NULL);
	pthread_cond_init(&hasher->work, NULL);
	err = hasher_start(hasher);
	if (err) {
		hasher_free(hasher);
		return err;
	}
	*ret = hasher;
	return OK;
}

void hasher_free(struct hasher *hasher)
{
	struct hasher_job *job, *next;

	if (!hasher)
		return;
	pthread_mutex_lock(&hasher->mutex);
	hasher->stop = true;
	pthread_cond_broadcast(&hasher->work);
	pthread_mutex_unlock(&hasher->mutex);
	for (size_t i = 0; i < hasher->thread_count; i++)
		pthread_join(hasher->threads[i], NULL);
	for (job = hasher->first; job; job = next) {
		next = job->next;
		job_free(job);
	}
	pthread_cond_destroy(&hasher->work);
	pthread_mutex_destroy(&hasher->mutex);
	free(hasher);
}

bool hasher_has_room(struct hasher *hasher)
{
	bool room;

	pthread_mutex_lock(&hasher->mutex);
	room = hasher->waiting < HASHER_QUEUE_MAX;
	pthread_mutex_unlock(&hasher->mutex);
	return room;
}

static enum err hasher_add(struct hasher *hasher, const struct secret *password,
			   const struct hasher_job *fields)
{
	struct hasher_job *job;
	enum err err;

	if (!hasher_has_room(hasher))
		return ERR_UNAVAILABLE;
	job = malloc(sizeof(*job));
	if (!job)
		return ERR_NOMEM;
	*job = *fields;
	err = secret_new(secret_text(password), secret_len(password), &job->password);
	if (err) {
		free(job);
		return err;
	}
	pthread_mutex_lock(&hasher->mutex);
	*hasher->end = job;
	hasher->end = &job->next;
	hasher->waiting++;
	pthread_cond_signal(&hasher->work);
	pthread_mutex_unlock(&hasher->mutex);
	return OK;
}

enum err hasher_verify(struct hasher *hasher, const struct secret *password, const char *hash,
		       hasher_done *done, void *ctx)
{
	struct hasher_job job = { .kind = HASHER_VERIFY_DUMMY, .done = done, .ctx = ctx };

	if (hash) {
		job.kind = HASHER_VERIFY;
		if (strlen(hash) >= sizeof(job.hash))
			return ERR_CRYPTO;
		memcpy(job.hash, hash, strlen(hash));
	}
	return hasher_add(hasher, password, &job);
}

enum err hasher_hash(struct hasher *hasher, const struct secret *password, hasher_done *done,
		     void *ctx)
{
	const struct hasher_job job = { .kind = HASHER_HASH, .done = done, .ctx = ctx };

	return hasher_add(hasher, password, &job);
}
