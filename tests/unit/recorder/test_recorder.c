/*
 * Recording onto disks that fail or hang, until the session ends.
 */
#include "unit/record/recording.h"

#include <errno.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>

#include "worker/record/recorder.h"
#include "worker/record/writer.h"

static _Atomic int sync_errno, fallocate_errno;
static _Atomic bool hanging, hung, slow, idle;
static _Atomic uint64_t ahead_us;    /* what tests have let pass */
static _Atomic uint64_t deadline_us; /* until when the thread last waited for more */

int fdatasync(int fd)
{
	(void)fd;
	if (slow)
		(void)usleep(150000);
	while (hanging) {
		hung = true;
		(void)usleep(1000);
	}
	errno = sync_errno;
	return sync_errno ? -1 : 0;
}

/* Only the recorder's thread waits so: idle, when all that came is on the disk. */
int pthread_cond_wait(pthread_cond_t *cond, pthread_mutex_t *mutex)
{
	const struct timespec never = { .tv_sec = INT32_MAX };
	idle = true;
	int err = pthread_cond_clockwait(cond, mutex, CLOCK_MONOTONIC, &never);
	idle = false;
	return err;
}

int pthread_cond_timedwait(pthread_cond_t *cond, pthread_mutex_t *mutex,
			   const struct timespec *until)
{
	deadline_us = (uint64_t)until->tv_sec * 1000000 + (uint64_t)until->tv_nsec / 1000;
	return pthread_cond_clockwait(cond, mutex, CLOCK_MONOTONIC, until);
}

int fallocate(int fd, int mode, off_t offset, off_t len)
{
	errno = fallocate_errno;
	return fallocate_errno ? -1 : (int)syscall(SYS_fallocate, fd, mode, offset, len);
}

uint64_t clock_mono_us(void)
{
	struct timespec ts = { 0 };
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000 + ahead_us;
}

int64_t clock_wall_ms(void)
{
	struct timespec ts = { 0 };
	clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int64_t clock_wall_s(void)
{
	return clock_wall_ms() / 1000;
}

static struct test {
	struct loop *loop;
	struct recorder *recorder;
	struct auditor auditor;
	int file;
	enum err failed;
	unsigned failures, marks;
	bool held, was_held;
	struct msg_record_mark mark;
} test;

static void on_mark(void *ctx, const struct msg_record_mark *mark)
{
	(void)ctx;
	test.marks++;
	test.mark = *mark;
}

static void on_held(void *ctx, bool held)
{
	(void)ctx;
	test.held = held;
	test.was_held |= held;
}

static void on_failed(void *ctx, enum err err)
{
	(void)ctx;
	test.failed = err;
	test.failures++;
}

static const struct recorder_events events = { on_mark, on_held, on_failed };

static int setup(void **state)
{
	static const uint8_t session[CHUNK_SESSION] = { 1 };
	static const char meta[] = "{\"version\":1}";
	struct recorder_config config = { .session = session,
					  .meta = { (const uint8_t *)meta, sizeof(meta) - 1 } };
	struct buf der;
	(void)state;
	test = (struct test){ .auditor = auditor_make(), .file = memfd_create("test", 0) };
	sync_errno = fallocate_errno = 0;
	hanging = hung = slow = idle = false;
	ahead_us = 0;
	assert_ok(loop_new(&test.loop));
	buf_init(&der, SEAL_CERTIFICATES_MAX);
	auditor_add(&test.auditor, &der);
	config.recipients = (struct bytes){ der.data, der.len };
	config.fd = dup(test.file);
	assert_ok(recorder_new(test.loop, &config, &events, NULL, &test.recorder));
	assert_ok(recorder_run(test.recorder));
	buf_finish(&der);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	hanging = false;
	recorder_free(test.recorder);
	loop_free(test.loop);
	auditor_free(&test.auditor);
	close(test.file);
	return 0;
}

/* A message that is a chunk's worth, so that nobody waits for a second. */
static void send_much(void)
{
	enum { LEN = CHUNK_CLOSE_BYTES + 1000 };
	uint8_t *message = calloc(1, LEN);
	assert_non_null(message);
	message[0] = MSG_audio & 0xff;
	message[1] = MSG_audio >> 8;
	recorder_sent(test.recorder, 0, message, LEN);
	free(message);
}

#define until(condition)                                                                           \
	do {                                                                                       \
		for (int i_ = 0; !(condition) && i_ < 10000; i_++)                                 \
			assert_ok(loop_step(test.loop, 2));                                        \
		assert_true(condition);                                                            \
	} while (0)

/* whole: nothing is being written. */
static size_t chunks_as(bool whole)
{
	struct scan scan;
	size_t count;
	assert_ok(scan_init(&scan, test.file, SCAN_HASHES));
	assert_ok(scan_all(&scan));
	if (whole)
		assert_int_equal(scan.end, SCAN_WHOLE);
	count = scan.count;
	scan_finish(&scan);
	return count;
}

static size_t chunks_in_file(void)
{
	return chunks_as(true);
}

static void an_error_ends_it_once(void **state)
{
	(void)state;
	send_much();
	until(chunks_as(false) > 0);
	size_t before = chunks_in_file();
	sync_errno = EIO;
	send_much();
	until(test.failures);
	assert_int_equal(test.failed, ERR_IO);
	/* A worker cannot cut its file: what was not confirmed may stay. */
	assert_in_range(chunks_in_file(), before, before + 1);
	send_much();
	recorder_end(test.recorder);
	until(recorder_over(test.recorder));
	assert_int_equal(test.failures, 1);
	assert_int_equal(test.mark.last, 0);
	assert_int_equal(test.mark.chunks, before);
}

static void a_full_disk_leaves_room_for_the_end(void **state)
{
	(void)state;
	fallocate_errno = ENOSPC;
	/* Until more is to be reserved. */
	for (int i = 0; i < 40 && !test.failures; i++) {
		send_much();
		until(chunks_as(false) > (size_t)i);
		assert_ok(loop_step(test.loop, 2));
	}
	until(test.failures);
	assert_int_equal(test.failed, ERR_FULL);
	recorder_end(test.recorder);
	until(test.mark.last);
	assert_int_equal(test.mark.chunks, chunks_in_file());
}

static void a_slow_disk_holds_the_session_back(void **state)
{
	(void)state;
	hanging = true;
	send_much();
	until(hung);
	ahead_us = RECORDER_LATE_US + 100000;
	until(test.held);
	assert_true(recorder_holds(test.recorder));
	hanging = false;
	until(!test.held);
	assert_int_equal(test.failures, 0);
}

static void one_that_hangs_ends_it(void **state)
{
	(void)state;
	hanging = true;
	send_much();
	until(hung);
	ahead_us = RECORDER_LATE_US + 100000;
	until(test.held);
	assert_int_equal(test.failures, 0);
	ahead_us += RECORDER_STALL_US + 100000;
	until(test.failures);
	assert_int_equal(test.failed, ERR_TIMEOUT);
}

/* A small record waits for others until wait_us after it came, not a moment more or less,
 * however long that moment takes on a busy machine. */
static void expect_wait(uint64_t wait_us)
{
	static const uint8_t bell[] = { MSG_bell & 0xff, MSG_bell >> 8 };
	uint64_t begin_us, end_us;

	until(idle);
	size_t before = chunks_in_file();
	begin_us = clock_mono_us();
	recorder_sent(test.recorder, 0, bell, sizeof(bell));
	end_us = clock_mono_us();
	until(chunks_as(false) > before);
	assert_in_range(deadline_us, begin_us + wait_us, end_us + wait_us);
	assert_true(clock_mono_us() >= deadline_us);
}

static void a_slow_disk_gets_it_sooner(void **state)
{
	(void)state;
	expect_wait(1500000);
	slow = true;
	expect_wait(1500000); /* it does not know yet */
	expect_wait(1000000);
}

/* However much comes while nothing is written: the queue has an end. */
static void the_queue_has_an_end(void **state)
{
	(void)state;
	hanging = true;
	for (int i = 0; i < (WRITER_QUEUE + WRITER_SLACK) / CHUNK_CLOSE_BYTES + 2; i++)
		send_much();
	until(test.failures);
	assert_int_equal(test.failed, ERR_FULL);
}
/* A frame of so many bytes, of which no keyframe is. */
static void send_frame(size_t len)
{
	uint8_t *message = calloc(1, len);
	assert_non_null(message);
	message[0] = MSG_frame & 0xff;
	message[1] = MSG_frame >> 8;
	recorder_sent(test.recorder, 0, message, len);
	free(message);
}

static bool wants_key(void)
{
	bool late;
	assert_ok(loop_step(test.loop, 2));
	return recorder_wants_key(test.recorder, &late);
}

/* Soon when somebody who starts there would have to fetch much; but not all the time. */
static void when_a_keyframe_is_due(void **state)
{
	uint32_t pixels[16 * 16] = { 0 };
	const struct surface picture = {
		.data = (uint8_t *)pixels, .width = 16, .height = 16, .stride = 16 * 4
	};
	(void)state;
	ahead_us = RECORDER_KEY_LEAST_US;
	send_frame(RECORDER_KEY_MANY / 4);
	assert_false(wants_key());
	for (int i = 0; i < 4; i++)
		send_frame(RECORDER_KEY_MANY / 4);
	assert_true(wants_key());
	recorder_shown(test.recorder, 0, true);
	recorder_picture(test.recorder, 0, &picture, NULL, true);
	assert_false(wants_key());
	for (int i = 0; i < 5; i++)
		send_frame(RECORDER_KEY_MANY / 4);
	assert_false(wants_key());
}

int main(void)
{
#define row(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		row(an_error_ends_it_once),
		row(a_full_disk_leaves_room_for_the_end),
		row(a_slow_disk_holds_the_session_back),
		row(a_slow_disk_gets_it_sooner),
		row(one_that_hangs_ends_it),
		row(the_queue_has_an_end),
		row(when_a_keyframe_is_due),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
