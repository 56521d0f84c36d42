#include "vault/work.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "base/clock.h"
#include "base/util.h"

enum { STACK = 1024 * 1024, GUARD = 65536 /* a multiple of any page */ };

enum turn { TURN_LOOP, TURN_FUNC, TURN_DONE };

struct work {
	void (*func)(void *ctx);
	void *ctx;
	pthread_t thread;
	uint8_t *stack; /* GUARD and STACK bytes; NULL: none */
	bool begun, ends;
	uint64_t until_us;
	struct work_progress progress;
	pthread_mutex_t mutex; /* for turn; all else is whose turn it is */
	pthread_cond_t changed;
	enum turn turn;
};

static void hand_over(struct work *work, enum turn to)
{
	pthread_mutex_lock(&work->mutex);
	work->turn = to;
	pthread_cond_broadcast(&work->changed);
	pthread_mutex_unlock(&work->mutex);
}

static void wait_while(struct work *work, enum turn turn)
{
	pthread_mutex_lock(&work->mutex);
	while (work->turn == turn)
		pthread_cond_wait(&work->changed, &work->mutex);
	pthread_mutex_unlock(&work->mutex);
}

static void *run(void *ctx)
{
	struct work *work = ctx;

	work->func(work->ctx);
	hand_over(work, TURN_DONE);
	return NULL;
}

/* What was on it goes with it; one of libc's own would be kept, as it is, for the next thread. */
static bool make_stack(struct work *work)
{
	void *stack = mmap(NULL, GUARD + STACK, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);

	if (stack == MAP_FAILED)
		return false;
	work->stack = stack;
	return mprotect(stack, GUARD, PROT_NONE) == 0 &&
	       madvise(stack, GUARD + STACK, MADV_DONTDUMP) == 0;
}

static void drop_stack(struct work *work)
{
	if (work->stack)
		munmap(util_take_ptr(work->stack), GUARD + STACK);
}

/* Signals are the loop's. */
static bool start(struct work *work)
{
	pthread_attr_t attr;
	sigset_t all, before;
	int failed = make_stack(work) ? pthread_attr_init(&attr) : -1;

	if (failed)
		return false;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	failed = pthread_attr_setstack(&attr, work->stack + GUARD, STACK);
	if (!failed)
		failed = pthread_create(&work->thread, &attr, run, work);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attr);
	return !failed;
}

enum err work_new(void (*func)(void *ctx), void *ctx, struct work **ret)
{
	struct work *work = calloc(1, sizeof(*work));

	if (!work)
		return ERR_NOMEM;
	work->func = func;
	work->ctx = ctx;
	pthread_mutex_init(&work->mutex, NULL);
	pthread_cond_init(&work->changed, NULL);
	*ret = work;
	return OK;
}

bool work_run(struct work *work, uint64_t slice_us)
{
	if (work->turn == TURN_DONE)
		return true;
	work->until_us = clock_mono_us() + slice_us;
	work->turn = TURN_FUNC;
	if (!work->begun) {
		work->begun = start(work);
		/* Without a stack of its own it is done at once, as nothing pauses then. */
		if (!work->begun) {
			work->until_us = UINT64_MAX;
			work->func(work->ctx);
			work->turn = TURN_DONE;
			return true;
		}
	} else {
		hand_over(work, TURN_FUNC);
	}
	wait_while(work, TURN_FUNC);
	return work->turn == TURN_DONE;
}

bool work_is_over(const struct work *work)
{
	return work && clock_mono_us() >= work->until_us;
}

enum err work_pause(struct work *work)
{
	if (!work->ends && work->until_us != UINT64_MAX) {
		hand_over(work, TURN_LOOP);
		wait_while(work, TURN_LOOP);
	}
	return work->ends ? ERR_CLOSED : OK;
}

void work_free(struct work *work)
{
	if (!work)
		return;
	if (work->begun) {
		work->ends = true;
		if (work->turn != TURN_DONE) {
			work->until_us = 0;
			hand_over(work, TURN_FUNC);
			wait_while(work, TURN_FUNC);
		}
		pthread_join(work->thread, NULL);
	}
	drop_stack(work);
	pthread_cond_destroy(&work->changed);
	pthread_mutex_destroy(&work->mutex);
	free(work);
}

void work_note(struct work *work, size_t done, size_t total)
{
	if (work)
		work->progress = (struct work_progress){ done, total };
}

struct work_progress work_progress(const struct work *work)
{
	return work->progress;
}
