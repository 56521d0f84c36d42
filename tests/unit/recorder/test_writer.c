/*
 * A recording that comes near to as many chunks as there may be ends as others do.
 */
#include "unit/record/recording.h"

#include <sys/mman.h>

#include "worker/record/writer.h"

enum { MOST = 130, EARLY = 10, PATIENCE = 10000 /* ms */ };

static void on_change(void *ctx)
{
	(void)ctx;
}

static struct writer_state wait_for(struct writer *writer,
				    bool (*reached)(const struct writer_state *))
{
	struct writer_state state = { 0 };

	for (int i = 0; i < PATIENCE; i++) {
		writer_state(writer, &state);
		if (reached(&state))
			break;
		(void)usleep(1000);
	}
	assert_true(reached(&state));
	return state;
}

static bool is_empty(const struct writer_state *state)
{
	return !state->queued || state->failed;
}

static bool is_over(const struct writer_state *state)
{
	return state->done || state->failed;
}

/* Each a chunk of its own, as so much time is between them. */
static void add(struct writer *writer, unsigned count, uint64_t *at_us)
{
	static const uint8_t text[] = "{\"event\":\"resize\"}";

	for (unsigned i = 0; i < count; i++) {
		const struct writer_record record = { .kind = RECORD_EVENT,
						      .at_us = *at_us += 2 * CHUNK_CLOSE_US,
						      .time_ms = clock_wall_ms() };
		assert_ok(writer_add(writer, &record, text, sizeof(text) - 1));
	}
}

static void near_the_most_it_ends_in_order(void **state)
{
	static const uint8_t session[CHUNK_SESSION] = { 1 };
	struct auditor auditor = auditor_make();
	struct writer_config config = { .fd = memfd_create("test", 0),
					.chunks_most = MOST,
					.changed = on_change };
	const int file = dup(config.fd);
	struct writer *writer;
	struct writer_state now;
	struct scan scan;
	struct buf der;
	uint64_t at_us = 0;

	(void)state;
	memcpy(config.session, session, sizeof(session));
	buf_init(&der, SEAL_CERTIFICATES_MAX);
	auditor_add(&auditor, &der);
	config.recipients = der.data;
	config.recipients_len = der.len;
	assert_ok(writer_new(&config, &writer));
	assert_ok(writer_run(writer));
	add(writer, EARLY, &at_us);
	now = wait_for(writer, is_empty);
	assert_false(now.full);
	add(writer, MOST / 2, &at_us);
	now = wait_for(writer, is_empty);
	assert_true(now.full);
	assert_ok(now.failed);
	writer_end(writer, at_us, clock_wall_ms());
	now = wait_for(writer, is_over);
	assert_ok(now.failed);
	assert_true(now.done);
	assert_ok(scan_init(&scan, file, SCAN_PLACES));
	assert_ok(scan_all(&scan));
	assert_int_equal(scan.count, now.chunks);
	scan_finish(&scan);
	writer_free(writer);
	buf_finish(&der);
	auditor_free(&auditor);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(near_the_most_it_ends_in_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
