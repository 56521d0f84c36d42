#include "export/export.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/util.h"
#include "export/movie.h"
#include "export/source.h"
#include "export/stage.h"
#include "record/envelope.h"

enum { NAME_BYTES = 256, COMMENT_BYTES = 1600, SESSION_HEX = 2 * WIRE_SESSION_ID + 1 };

static const uint64_t tick_us = EXPORT_TICK_MS * 1000, still_us = EXPORT_STILL_MS * 1000;
static const uint64_t span_us = EXPORT_SPAN_H * UINT64_C(3600) * 1000 * 1000;

struct job {
	struct ports *ports;
	const struct export_order *order;
	struct source source;
	struct scene scene;
	struct stage stage;
	struct envelope *envelope;
	struct movie *movie;
	unsigned width, height;   /* of the desktops that the video is made for */
	uint64_t from_us, to_us;  /* of the recording */
	uint64_t tick_us;         /* the next picture is of that time */
	uint64_t drawn_us;        /* of the last one */
	uint64_t last_us;         /* of the last record that there is */
	bool drawn;               /* there is a last one */
	bool hidden;              /* the scene is of a later time */
	struct chunk_head head;   /* of the chunk that is being read, for the wall clock */
	enum export_error failed; /* what the error that ends it is called */
};

static enum err fail(struct job *job, enum err err, enum export_error what)
{
	if (err && !job->failed)
		job->failed = err == ERR_CLOSED ? EXPORT_STOPPED : what;
	return err;
}

/* ---- the file -------------------------------------------------------------------------------- */

static enum err to_sink(void *ctx, const uint8_t *data, size_t len)
{
	struct job *job = ctx;

	return fail(job, ports_write(job->ports, data, len), EXPORT_STOPPED);
}

static enum err to_envelope(void *ctx, const uint8_t *data, size_t len)
{
	struct job *job = ctx;
	enum err err = envelope_add(job->envelope, data, len);

	return fail(job, err, err == ERR_TOO_BIG ? EXPORT_TOO_LARGE : EXPORT_FAILED);
}

/* A text of the recording's first record, or "". */
static void meta_text(const json_t *meta, const char *name, const char *other, char ret[NAME_BYTES])
{
	const char *text = json_string_value(json_object_get(meta, name));

	if (!text || !*text)
		text = json_string_value(json_object_get(meta, other));
	snprintf(ret, NAME_BYTES, "%s", text ? text : "");
}

static enum err open_stage(struct job *job, const char *session)
{
	const struct msg_export_start *start = job->order->start;
	char person[NAME_BYTES], host[NAME_BYTES];
	json_t *meta = json_loads(job->source.meta, JSON_REJECT_DUPLICATES, NULL);

	meta_text(meta, "full_name", "account", person);
	meta_text(meta, "host_name", "address", host);
	json_decref(meta);
	const struct watermark_facts facts = {
		.japanese = util_streq(start->lang, "ja"),
		.auditor = start->auditor,
		.purpose = start->purpose,
		.session = session,
		.person = person,
		.host = host,
		.exported_s = job->order->now_s,
		.verdict = job->source.verdict,
		.unlogged = start->unlogged != 0,
	};
	return stage_init(&job->stage, job->order->text, job->width, job->height, &facts);
}

static enum err open_file(struct job *job)
{
	char session[SESSION_HEX], comment[COMMENT_BYTES];

	util_hex(job->source.session, WIRE_SESSION_ID, session);
	snprintf(comment, sizeof(comment), "%s: %s", job->order->start->auditor,
		 job->order->start->purpose);
	enum err err = open_stage(job, session);
	if (!err)
		err = envelope_new(job->order->recipient, job->order->most, to_sink, job,
				   &job->envelope);
	if (!err)
		err = movie_new(job->stage.width, job->stage.height, session, comment, to_envelope,
				job, &job->movie);
	return err;
}

/* ---- pictures -------------------------------------------------------------------------------- */

static uint32_t permille(const struct job *job, uint64_t at_us)
{
	return (uint32_t)((MIN(at_us, job->to_us) - job->from_us) * 1000 /
			  MAX(job->to_us - job->from_us, 1));
}

static enum err add_picture(struct job *job, uint64_t at_us)
{
	const struct watermark_moment moment = {
		.time_ms = (int64_t)job->head.time_ms +
			   ((int64_t)at_us - (int64_t)job->head.start_us) / 1000,
		.broken = !job->hidden && scene_is_broken(&job->scene),
		.unattended = job->hidden || !job->scene.viewers[0].attached,
	};
	enum err err = stage_draw(&job->stage, &job->scene, job->hidden, &moment);

	if (!err)
		err = movie_add(job->movie, job->stage.pixels, (at_us - job->from_us) / 1000);
	if (!err)
		err = ports_progress(job->ports, permille(job, at_us), at_us);
	job->drawn = true;
	job->drawn_us = at_us;
	return err;
}

/* All pictures of times before until_us, and of it when also_then. */
static enum err draw_until(struct job *job, uint64_t until_us, bool also_then)
{
	enum err err = OK;

	until_us = MIN(until_us, job->to_us);
	while (!err && (job->tick_us < until_us || (also_then && job->tick_us == until_us))) {
		if (job->scene.changed || !job->drawn || job->tick_us - job->drawn_us >= still_us) {
			job->scene.changed = false;
			err = add_picture(job, job->tick_us);
		}
		job->tick_us += tick_us;
	}
	return err;
}

static bool has_picture(const struct job *job)
{
	unsigned width, height;

	scene_size(&job->scene, &width, &height);
	return width > 0;
}

/* What was before the first picture is black. */
static enum err begin_black(struct job *job, uint64_t at_us)
{
	enum err err = open_file(job);

	job->hidden = true;
	if (!err)
		err = draw_until(job, at_us, false);
	job->hidden = false;
	job->scene.changed = true;
	return err;
}

/* The file begins with the first record behind the wished-for time: as it was then, if there was
 * something to be seen. */
static enum err take_record(struct job *job, const struct record *record)
{
	const bool behind = record->at_us > job->from_us;

	job->last_us = MAX(job->last_us, record->at_us);
	enum err err = !job->movie && behind && has_picture(job) ? open_file(job) : OK;

	if (!err && job->movie)
		err = draw_until(job, record->at_us, false);
	if (!err)
		err = scene_take(&job->scene, record);
	if (!err && !job->movie && behind && has_picture(job))
		err = begin_black(job, record->at_us);
	return err;
}

/* ---- chunks ---------------------------------------------------------------------------------- */

static enum err take_chunk(struct job *job, struct chunk_reader *reader)
{
	struct record record;
	enum err err = OK;

	/* Until it begins the wall clock is that of the chunk before. */
	if (job->movie)
		err = draw_until(job, reader->head.start_us, false);
	job->head = reader->head;
	while (!err && chunk_next(reader, &record) && record.at_us <= job->to_us)
		err = take_record(job, &record);
	return err;
}

static enum err next_chunk(struct job *job, struct chunk_reader *reader, bool *ret_damaged)
{
	enum err err = source_next(&job->source, reader, ret_damaged);

	return err == ERR_NOT_FOUND ? err : fail(job, err, EXPORT_SOURCE);
}

static bool goes_on(const struct job *job, uint64_t until_us)
{
	return job->source.answered < job->source.count &&
	       job->source.rows[job->source.answered].start_us <= until_us;
}

static enum err play(struct job *job)
{
	struct chunk_reader reader;
	bool damaged;
	enum err err =
		fail(job, source_seek(&job->source, source_key_before(&job->source, job->from_us)),
		     EXPORT_SOURCE);

	while (!err && goes_on(job, job->to_us)) {
		const uint64_t start_us = job->source.rows[job->source.answered].start_us;
		err = next_chunk(job, &reader, &damaged);
		if (err)
			break;
		if (damaged) {
			err = job->movie ? draw_until(job, start_us, false) : OK;
			scene_damage(&job->scene);
		} else {
			err = take_chunk(job, &reader);
		}
	}
	return err;
}

/* Desktops often change their size at the beginning, and a second monitor comes a little later: the
 * video is made for the largest of them. */
static void measure_record(struct job *job, const struct record *record)
{
	unsigned width, height;

	if (scene_take(&job->scene, record))
		return;
	scene_size(&job->scene, &width, &height);
	if (record->at_us < job->from_us) {
		job->width = width;
		job->height = height;
	}
	job->width = MAX(job->width, width);
	job->height = MAX(job->height, height);
}

static enum err measure(struct job *job)
{
	const uint64_t until_us = MIN(job->from_us + EXPORT_SIZE_S * UINT64_C(1000000), job->to_us);
	struct chunk_reader reader;
	struct record record;
	bool damaged;
	enum err err =
		fail(job, source_seek(&job->source, source_key_before(&job->source, job->from_us)),
		     EXPORT_SOURCE);

	job->scene.sizes_alone = true;
	while (!err && goes_on(job, job->width ? until_us : job->to_us)) {
		err = next_chunk(job, &reader, &damaged);
		if (!err && damaged)
			scene_damage(&job->scene);
		while (!err && !damaged && chunk_next(&reader, &record) &&
		       record.at_us <= job->to_us)
			measure_record(job, &record);
	}
	scene_finish(&job->scene);
	scene_init(&job->scene);
	return !err && !job->width ? fail(job, ERR_NOT_FOUND, EXPORT_EMPTY) : err;
}

/* ---- the whole ------------------------------------------------------------------------------- */

/* How long the last chunk goes on is seen when it is read: see end_file. */
static enum err set_times(struct job *job)
{
	const struct msg_export_start *start = job->order->start;
	const uint64_t end_us =
		job->source.rows[job->source.count - 1].start_us + CHUNK_CLOSE_US + still_us;

	job->from_us = start->from_us;
	job->to_us = start->to_us ? MIN(start->to_us, end_us) : end_us;
	job->tick_us = job->from_us;
	if (job->from_us >= job->to_us)
		return fail(job, ERR_INVALID, EXPORT_EMPTY);
	return job->to_us - job->from_us > span_us ? fail(job, ERR_TOO_BIG, EXPORT_TOO_LARGE) : OK;
}

static enum err end_file(struct job *job)
{
	const uint64_t last_us =
		MAX(job->last_us, job->source.rows[job->source.count - 1].start_us);

	/* The last picture is shown for a second. */
	job->to_us = MIN(job->to_us, MAX(last_us + still_us, job->tick_us));
	/* Only what was before the wished-for time has a picture. */
	enum err err = job->movie || !has_picture(job) ? OK : open_file(job);

	if (!err && !job->movie)
		return fail(job, ERR_NOT_FOUND, EXPORT_EMPTY);
	if (!err)
		err = draw_until(job, job->to_us, true);
	if (!err)
		err = movie_end(job->movie, (job->to_us - job->from_us) / 1000);
	return err ? err : envelope_end(job->envelope);
}

static enum err check_session(struct job *job)
{
	return memcmp(job->source.session, job->order->start->session, WIRE_SESSION_ID) == 0
		       ? OK
		       : fail(job, ERR_PROTOCOL, EXPORT_SOURCE);
}

static enum err run(struct job *job)
{
	enum err err = fail(job, source_begin(&job->source), EXPORT_SOURCE);

	if (!err)
		err = check_session(job);
	if (!err)
		err = set_times(job);
	if (!err)
		err = measure(job);
	if (!err)
		err = play(job);
	return err ? err : end_file(job);
}

void export_run(struct ports *ports, const struct export_order *order, struct msg_export_done *ret)
{
	struct job job = { .ports = ports, .order = order };

	source_init(&job.source, ports);
	scene_init(&job.scene);
	enum err err = run(&job);
	*ret = (struct msg_export_done){ 0 };
	if (!err) {
		ret->bytes = envelope_bytes(job.envelope);
		err = envelope_sha256(job.envelope, ret->sha256);
	}
	if (err) {
		ret->error = (uint8_t)(job.failed ? job.failed : EXPORT_FAILED);
		log_warn("export-failed", "why=%s error=%s play_error=%s",
			 export_error_code(ret->error), err_code(err),
			 play_error_code(job.source.why));
	}
	movie_free(job.movie);
	envelope_free(job.envelope);
	stage_finish(&job.stage);
	scene_finish(&job.scene);
	source_finish(&job.source);
}
