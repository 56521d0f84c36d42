/*
 * A recording that comes near to as many chunks as there may be ends as others do; and there is
 * always room for an end.
 */
#include "unit/record/recording.h"

#include <sys/mman.h>
#include <sys/stat.h>

#include "worker/record/disk.h"
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

struct place {
	struct auditor auditor;
	struct buf der;
	int file; /* the recording's */
	struct writer *writer;
};

static void begin(struct place *place, uint64_t chunks_most)
{
	struct writer_config config = { .fd = memfd_create("test", 0),
					.session = { 1 },
					.chunks_most = chunks_most,
					.changed = on_change };

	place->file = dup(config.fd);
	place->auditor = auditor_make();
	buf_init(&place->der, SEAL_CERTIFICATES_MAX);
	auditor_add(&place->auditor, &place->der);
	config.recipients = place->der.data;
	config.recipients_len = place->der.len;
	assert_ok(writer_new(&config, &place->writer));
	assert_ok(writer_run(place->writer));
}

static void finish(struct place *place)
{
	writer_free(place->writer);
	buf_finish(&place->der);
	auditor_free(&place->auditor);
	close(place->file);
}

static void near_the_most_it_ends_in_order(void **state)
{
	struct place place;
	struct writer_state now;
	struct scan scan;
	uint64_t at_us = 0;

	(void)state;
	begin(&place, MOST);
	add(place.writer, EARLY, &at_us);
	now = wait_for(place.writer, is_empty);
	assert_false(now.full);
	add(place.writer, MOST / 2, &at_us);
	now = wait_for(place.writer, is_empty);
	assert_true(now.full);
	assert_ok(now.failed);
	writer_end(place.writer, at_us, clock_wall_ms());
	now = wait_for(place.writer, is_over);
	assert_ok(now.failed);
	assert_true(now.done);
	assert_ok(scan_init(&scan, place.file, SCAN_PLACES));
	assert_ok(scan_all(&scan));
	assert_int_equal(scan.count, now.chunks);
	scan_finish(&scan);
	finish(&place);
}

/* So that a disk that fills up is noticed while there is room for an end. */
static void space_for_what_comes_is_reserved(void **state)
{
	static uint8_t message[64 * 1024];
	struct place place;
	struct writer_state now;
	struct stat status;

	(void)state;
	begin(&place, 0);
	for (uint64_t i = 0; i < DISK_STEP / sizeof(message); i++) {
		const struct writer_record record = { .kind = RECORD_SENT,
						      .at_us = i + 1,
						      .time_ms = clock_wall_ms() };
		assert_ok(writer_add(place.writer, &record, message, sizeof(message)));
	}
	now = wait_for(place.writer, is_empty);
	assert_ok(now.failed);
	assert_int_equal(fstat(place.file, &status), 0);
	assert_true((uint64_t)status.st_blocks * 512 >= now.size + DISK_AHEAD / 2);
	finish(&place);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(near_the_most_it_ends_in_order),
		cmocka_unit_test(space_for_what_comes_is_reserved),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
