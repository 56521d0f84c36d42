#include "unit/vault/film.h"

struct scene {
	struct film_house ours;
	struct film film;
	struct recording recording;
	struct buf plain;
};

static int setup(void **state)
{
	struct scene *scene = calloc(1, sizeof(*scene));

	scene->film.fd = scene->recording.fd = -1;
	film_house_open(&scene->ours);
	buf_init(&scene->plain, CHUNK_MAX);
	*state = scene;
	return 0;
}

static int teardown(void **state)
{
	struct scene *scene = *state;

	recording_finish(&scene->recording);
	film_end(&scene->film);
	film_house_close(&scene->ours);
	buf_finish(&scene->plain);
	free(scene);
	return 0;
}

/* All steps. */
static enum err look(struct scene *scene, bool live)
{
	struct msg_playback_open msg = film_message(&scene->film);
	bool done = false;
	enum err err;

	recording_finish(&scene->recording);
	msg.live = live;
	assert_ok(recording_init(&scene->recording, &msg, film_open(&scene->film)));
	do {
		err = recording_step(&scene->recording, &scene->ours.house, &scene->plain, &done);
	} while (!err && !done);
	return err;
}

static void expect(struct scene *scene, bool live, enum verdict verdict, const char *fault)
{
	char wanted[64];

	assert_ok(look(scene, live));
	assert_int_equal(scene->recording.verdict, verdict);
	snprintf(wanted, sizeof(wanted), "{\"fault\":\"%s\",", fault);
	assert_memory_equal(scene->recording.detail, wanted, strlen(wanted));
}

static enum err open_chunk(struct scene *scene, uint32_t sequence)
{
	return recording_chunk(&scene->recording, &scene->ours.house, sequence, &scene->plain);
}

static void a_whole_recording_is_green(void **state)
{
	struct scene *scene = *state;
	struct film *film = &scene->film;
	_cleanup_buf_ struct buf rows;
	uint8_t row[TABLE_ROW];

	film_make(film, &scene->ours.certificate, 5);
	expect(scene, false, VERDICT_GREEN, "none");
	assert_int_equal(scene->recording.scan.count, 5);
	assert_int_equal(scene->recording.meta.len, strlen(FILM_META));
	assert_memory_equal(scene->recording.meta.data, FILM_META, strlen(FILM_META));
	buf_init(&rows, 5 * TABLE_ROW);
	assert_ok(recording_rows(&scene->recording, 0, 5, &rows));
	for (size_t i = 0; i < 5; i++) {
		table_put_row(&film->rows[i], row);
		assert_memory_equal(rows.data + i * TABLE_ROW, row, sizeof(row));
		assert_ok(open_chunk(scene, (uint32_t)i));
		assert_true(scene->plain.len > FILM_FRAME);
	}
	assert_err(open_chunk(scene, 5), ERR_INVALID);
	assert_err(open_chunk(scene, UINT32_MAX), ERR_INVALID);
}

static void what_is_not_anchored_is_amber(void **state)
{
	struct scene *scene = *state;
	struct film *film = &scene->film;

	film_begin(film, &scene->ours.certificate);
	film_chunks(film, 3, false);
	expect(scene, false, VERDICT_AMBER, "no-marks");
	expect(scene, true, VERDICT_AMBER, "live");
	film_mark(film, false);
	expect(scene, true, VERDICT_AMBER, "live");
	expect(scene, false, VERDICT_AMBER, "no-end");
	assert_int_equal(scene->recording.table.count, 3);
	assert_int_equal(ftruncate(film->fd, (off_t)film->size + 10), 0);
	expect(scene, false, VERDICT_AMBER, "part-of-chunk");
}

static void tampering_is_red(void **state)
{
	struct scene *scene = *state;
	struct film *film = &scene->film;

	film_make(film, &scene->ours.certificate, 4);
	film_flip(film, film->rows[2].offset - 20);
	expect(scene, false, VERDICT_RED, "changed");
	/* Nothing proves the index any more. */
	assert_false(scene->recording.table.from_index);
	/* The others can still be looked at. */
	assert_err(open_chunk(scene, 1), ERR_PROTOCOL);
	assert_int_equal(scene->plain.len, 0);
	assert_ok(open_chunk(scene, 0));
	assert_ok(open_chunk(scene, 3));
	film_flip(film, film->rows[2].offset - 20);
	assert_int_equal(ftruncate(film->fd, (off_t)film->rows[3].offset), 0);
	expect(scene, false, VERDICT_RED, "missing");
	/* A mark cannot be explained away by saying that it goes on. */
	expect(scene, true, VERDICT_RED, "missing");
}

static void what_does_not_belong_here_is_not_shown(void **state)
{
	struct scene *scene = *state;
	struct film *film = &scene->film;
	struct chunk_head head;

	film_begin(film, &scene->ours.certificate);
	film_chunks(film, 1, false);
	film_head(film, &head);
	head.session[0] ^= 1; /* sealed by somebody who has the certificate, as anybody may */
	film_chunk_as(film, &head, false);
	film_head(film, &head);
	head.sequence++;
	film_chunk_as(film, &head, false);
	film_head(film, &head);
	head.previous[0] ^= 1;
	film_chunk_as(film, &head, false);
	film_chunks(film, 1, false);
	assert_ok(look(scene, false));
	assert_ok(open_chunk(scene, 0));
	for (uint32_t i = 1; i < 4; i++)
		assert_err(open_chunk(scene, i), ERR_PROTOCOL);
	assert_ok(open_chunk(scene, 4));
}

/* The file belongs to the broker, which may have been broken into, also while it is played. */
static void a_change_after_the_verdict_is_seen(void **state)
{
	struct scene *scene = *state;
	struct film *film = &scene->film, other = { .fd = -1 };
	_cleanup_free_ char *data = NULL;
	size_t len;

	film_make(film, &scene->ours.certificate, 2);
	expect(scene, false, VERDICT_GREEN, "none");
	film_begin(&other, &scene->ours.certificate);
	film_chunks(&other, 2, true);
	assert_int_equal(other.size, film->size);
	assert_ok(util_read_file(other.path, 1 << 22, &data, &len));
	assert_int_equal(pwrite(film->fd, data, len, 0), (ssize_t)len);
	assert_err(open_chunk(scene, 0), ERR_PROTOCOL);
	assert_err(open_chunk(scene, 1), ERR_PROTOCOL);
	film_end(&other);
}

static void one_for_other_keys_alone_is_foreign(void **state)
{
	struct scene *scene = *state;
	struct film_house other = { 0 };

	film_house_open(&other);
	film_make(&scene->film, &other.certificate, 2);
	assert_err(look(scene, false), ERR_DENIED);
	/* But somebody who tampers must not hide behind that. */
	film_flip(&scene->film, scene->film.rows[1].offset - 20);
	expect(scene, false, VERDICT_RED, "changed");
	assert_int_equal(scene->recording.table.count, 2);
	film_house_close(&other);
}

static void nothing_opens_in_a_sealed_house(void **state)
{
	struct scene *scene = *state;

	film_make(&scene->film, &scene->ours.certificate, 2);
	assert_ok(look(scene, false));
	house_seal(&scene->ours.house);
	assert_err(open_chunk(scene, 0), ERR_LOCKED);
	assert_err(look(scene, false), ERR_LOCKED);
}

static void an_empty_or_wrong_file(void **state)
{
	struct scene *scene = *state;
	struct film *film = &scene->film;
	struct msg_playback_open msg;
	static const char text[] = "this is no recording at all, but long enough to look like one";
	int pipes[2];

	film_begin(film, &scene->ours.certificate);
	expect(scene, false, VERDICT_AMBER, "no-end");
	assert_memory_equal(scene->recording.meta.data, "{}", 2);
	assert_int_equal(write(film->fd, text, sizeof(text)), sizeof(text));
	expect(scene, false, VERDICT_RED, "damaged");
	msg = film_message(film);
	msg.marks = (struct bytes){ (const uint8_t *)text, RECORDING_MARK + 1 };
	recording_finish(&scene->recording);
	assert_err(recording_init(&scene->recording, &msg, film_open(film)), ERR_INVALID);
	recording_finish(&scene->recording);
	assert_int_equal(pipe(pipes), 0);
	msg = film_message(film);
	assert_err(recording_init(&scene->recording, &msg, pipes[0]), ERR_INVALID);
	close(pipes[1]);
}

int main(void)
{
#define scene_test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		scene_test(a_whole_recording_is_green),
		scene_test(what_is_not_anchored_is_amber),
		scene_test(tampering_is_red),
		scene_test(what_does_not_belong_here_is_not_shown),
		scene_test(a_change_after_the_verdict_is_seen),
		scene_test(one_for_other_keys_alone_is_foreign),
		scene_test(nothing_opens_in_a_sealed_house),
		scene_test(an_empty_or_wrong_file),
	};

	return house_prepare() ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
