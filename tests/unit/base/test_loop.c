#include "unit/unit.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>

#include "base/clock.h"
#include "base/loop.h"
#include "base/util.h"

struct pair {
	struct loop_io first, second;
	struct loop *loop;
	int calls;
};

/* Both descriptors are ready in one turn; whoever comes first finishes the other. */
static void finish_other(struct loop_io *io, uint32_t events)
{
	struct pair *pair;

	(void)events;
	pair = io->events & EPOLLONESHOT ? container_of(io, struct pair, second)
					 : container_of(io, struct pair, first);
	pair->calls++;
	loop_io_finish(&pair->first);
	loop_io_finish(&pair->second);
	loop_stop(pair->loop, 3);
}

static void finished_io_is_not_called(void **state)
{
	struct pair pair = { 0 };
	int a[2], b[2];

	(void)state;
	assert_ok(loop_new(&pair.loop));
	assert_int_equal(pipe2(a, O_NONBLOCK), 0);
	assert_int_equal(pipe2(b, O_NONBLOCK), 0);
	assert_ok(loop_io_init(pair.loop, &pair.first, a[0], EPOLLIN, finish_other));
	assert_ok(
		loop_io_init(pair.loop, &pair.second, b[0], EPOLLIN | EPOLLONESHOT, finish_other));
	assert_int_equal(write(a[1], "x", 1), 1);
	assert_int_equal(write(b[1], "x", 1), 1);
	assert_int_equal(loop_run(pair.loop), 3);
	assert_int_equal(pair.calls, 1);
	loop_io_finish(&pair.first); /* harmless twice */
	loop_free(pair.loop);
	for (int i = 0; i < 2; i++) {
		close(a[i]);
		close(b[i]);
	}
}

static int order[8], order_len;
static struct loop_timer early, late, cancelled;
static struct loop *timer_loop;

static void note(struct loop_timer *timer)
{
	order[order_len++] = timer == &early ? 1 : timer == &late ? 2 : 3;
	if (timer == &late)
		loop_stop(timer_loop, 0);
}

static void timers_in_order(void **state)
{
	uint64_t begin = clock_mono_us();

	(void)state;
	assert_ok(loop_new(&timer_loop));
	loop_timer_init(timer_loop, &early, note);
	loop_timer_init(timer_loop, &late, note);
	loop_timer_init(timer_loop, &cancelled, note);
	loop_timer_set(&late, 20000);
	loop_timer_set(&cancelled, 5000);
	loop_timer_set(&early, 30000);
	loop_timer_set(&early, 10000); /* a second set moves it */
	assert_true(loop_timer_running(&cancelled));
	loop_timer_cancel(&cancelled);
	assert_false(loop_timer_running(&cancelled));
	loop_run(timer_loop);
	assert_in_range(clock_mono_us() - begin, 20000, 2000000);
	assert_int_equal(order_len, 2);
	assert_int_equal(order[0], 1);
	assert_int_equal(order[1], 2);
	loop_free(timer_loop);
}

static void on_signal(void *ctx, int signal)
{
	loop_stop(ctx, signal);
}

static void signals(void **state)
{
	struct loop *loop;

	(void)state;
	assert_ok(loop_new(&loop));
	assert_ok(loop_signal(loop, SIGUSR1, on_signal, loop));
	raise(SIGUSR1);
	assert_int_equal(loop_run(loop), SIGUSR1);
	loop_free(loop);
}

enum { POSTS = 1000 };
static int posted;

static void count_post(void *ctx)
{
	if (++posted == 2 * POSTS)
		loop_stop(ctx, 0);
}

static void *poster(void *ctx)
{
	for (int i = 0; i < POSTS; i++)
		if (loop_post(ctx, count_post, ctx))
			return ctx;
	return NULL;
}

static void posts_from_threads(void **state)
{
	pthread_t threads[2];
	struct loop *loop;
	void *failed;

	(void)state;
	assert_ok(loop_new(&loop));
	for (int i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, poster, loop), 0);
	loop_run(loop);
	for (int i = 0; i < 2; i++) {
		pthread_join(threads[i], &failed);
		assert_null(failed);
	}
	assert_int_equal(posted, 2 * POSTS);
	/* One that never ran is freed with the loop (LeakSanitizer would tell). */
	assert_ok(loop_post(loop, count_post, loop));
	loop_free(loop);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finished_io_is_not_called),
		cmocka_unit_test(timers_in_order),
		cmocka_unit_test(signals),
		cmocka_unit_test(posts_from_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
