#include "record/verify.h"

#include <string.h>

#include "base/util.h"

static const struct {
	const char *code, *en, *ja;
} faults[] = {
#define X(name, code, en, ja) [name] = { code, en, ja },
	VERIFY_FAULTS(X)
#undef X
};

const char *verify_fault_code(enum verify_fault fault)
{
	return faults[fault].code;
}

const char *verify_fault_text_en(enum verify_fault fault)
{
	return faults[fault].en;
}

const char *verify_fault_text_ja(enum verify_fault fault)
{
	return faults[fault].ja;
}

static void set_bad(struct verify_result *result, enum verify_fault fault, uint64_t first,
		    uint64_t last)
{
	result->verdict = VERIFY_TAMPERED;
	result->fault = fault;
	result->first_bad = first;
	result->last_bad = last;
}

/* ---- marks ----------------------------------------------------------------------------------- */

/* Each mark goes on from the one before, and nothing follows the last. */
static bool marks_agree(const struct verify_mark *marks, size_t count)
{
	for (size_t i = 1; i < count; i++) {
		const struct verify_mark *before = &marks[i - 1], *mark = &marks[i];
		const bool same = mark->chunks == before->chunks;
		if (before->last || mark->chunks < before->chunks ||
		    (same ? mark->size != before->size : mark->size <= before->size) ||
		    (same && memcmp(mark->hash, before->hash, CHUNK_HASH) != 0))
			return false;
	}
	return true;
}

static uint64_t offset_of(const struct scan *scan, uint64_t chunk)
{
	return chunk < scan->count ? scan->chunks[chunk].offset : scan->size;
}

static bool mark_holds(const struct scan *scan, const struct verify_mark *mark,
		       const uint8_t running[CHUNK_HASH])
{
	return mark->size == offset_of(scan, mark->chunks) &&
	       memcmp(mark->hash, running, CHUNK_HASH) == 0;
}

/* Up to the first mark that does not hold; result->proven is where the one before it stands. */
static enum err walk(const struct scan *scan, const struct verify_mark *marks, size_t count,
		     struct verify_result *result)
{
	uint8_t running[CHUNK_HASH] = { 0 };
	uint64_t done = 0;

	for (size_t i = 0; i < count; i++) {
		const struct verify_mark *mark = &marks[i];
		if (mark->chunks > scan->count) {
			set_bad(result, VERIFY_MISSING, result->proven, mark->chunks - 1);
			return OK;
		}
		for (; done < mark->chunks; done++) {
			enum err err = seal_running(running, scan->chunks[done].hash);
			if (err)
				return err;
		}
		if (!mark_holds(scan, mark, running)) {
			set_bad(result, VERIFY_CHANGED, result->proven,
				mark->chunks ? mark->chunks - 1 : 0);
			return OK;
		}
		result->proven = mark->chunks;
	}
	return OK;
}

/* What stands where is no matter of the log: a chunk that cannot be one is named before the range
 * in which the log finds a difference. */
static void judge_shapes(const struct scan *scan, struct verify_result *result)
{
	const bool bad = result->verdict == VERIFY_TAMPERED;
	uint64_t odd = 0;

	while (odd < scan->count && !scan->chunks[odd].odd)
		odd++;
	if (odd < scan->count && (!bad || odd <= result->last_bad))
		set_bad(result, VERIFY_DAMAGED, odd, odd);
	else if (scan->end == SCAN_DAMAGED && (!bad || result->fault == VERIFY_MISSING))
		set_bad(result, VERIFY_DAMAGED, result->proven, scan->count);
	else if (scan->end == SCAN_TOO_LONG && !bad)
		set_bad(result, VERIFY_TOO_LONG, scan->count, scan->count);
}

static void judge_end(const struct scan *scan, bool ended, struct verify_result *result)
{
	if (ended && (scan->count > result->proven || scan->end != SCAN_WHOLE)) {
		set_bad(result, VERIFY_ADDED, result->proven,
			MAX(scan->count, result->proven + 1) - 1);
	} else if (ended) {
		result->verdict = VERIFY_INTACT;
	} else if (scan->end == SCAN_CUT) {
		result->verdict = VERIFY_CUT;
		result->fault = VERIFY_PART_OF_CHUNK;
	} else if (result->verdict != VERIFY_UNPROVEN || !scan->count) {
		result->verdict = VERIFY_CUT;
		result->fault = VERIFY_NO_END;
	}
}

enum err verify_marks(const struct scan *scan, const struct verify_mark *marks, size_t count,
		      struct verify_result *ret)
{
	const bool ended = count && marks[count - 1].last;
	struct verify_result result = { .verdict = count ? VERIFY_CUT : VERIFY_UNPROVEN,
					.chunks = scan->count };
	enum err err = scan->how == SCAN_HASHES ? OK : ERR_INVALID;

	if (err)
		return err;
	if (marks_agree(marks, count))
		err = walk(scan, marks, count, &result);
	else
		set_bad(&result, VERIFY_MARKS, 0, scan->count ? scan->count - 1 : 0);
	if (err)
		return err;
	if (result.fault != VERIFY_MARKS)
		judge_shapes(scan, &result);
	if (result.verdict != VERIFY_TAMPERED)
		judge_end(scan, ended, &result);
	*ret = result;
	return OK;
}

/* ---- inside ---------------------------------------------------------------------------------- */

void verify_inside_init(struct verify_inside *inside, const struct scan *scan,
			const uint8_t *session, struct verify_result *result)
{
	*inside = (struct verify_inside){ .scan = scan, .result = result };
	if (session) {
		memcpy(inside->session, session, CHUNK_SESSION);
		inside->session_known = true;
	}
}

/* Where the marks know of a fault that comes earlier, theirs stays. */
static void found(struct verify_inside *inside, enum verify_fault fault, uint64_t chunk)
{
	struct verify_result *result = inside->result;

	inside->found = true;
	if (result->verdict != VERIFY_TAMPERED || chunk <= result->last_bad)
		set_bad(result, fault, chunk, chunk);
}

static void check_plain(struct verify_inside *inside, const uint8_t *plain, size_t len)
{
	static const uint8_t nothing[CHUNK_HASH];
	const uint64_t at = inside->next;
	const uint8_t *previous = at ? inside->scan->chunks[at - 1].hash : nothing;
	struct chunk_reader reader;

	if (chunk_parse(plain, len, &reader)) {
		found(inside, VERIFY_MALFORMED, at);
		return;
	}
	const struct chunk_head *head = &reader.head;
	if (!inside->session_known)
		memcpy(inside->session, head->session, CHUNK_SESSION);
	inside->session_known = true;
	if (memcmp(head->session, inside->session, CHUNK_SESSION) != 0)
		found(inside, VERIFY_FOREIGN, at);
	else if (head->sequence != at)
		found(inside, VERIFY_ORDER, at);
	else if (memcmp(head->previous, previous, CHUNK_HASH) != 0)
		found(inside, VERIFY_CHAIN, at ? at - 1 : 0);
	else if (inside->last)
		found(inside, VERIFY_AFTER_LAST, at);
	else if (head->start_us < inside->start_us)
		found(inside, VERIFY_CLOCK, at);
	inside->start_us = head->start_us;
	inside->last = head->flags & CHUNK_LAST;
}

void verify_inside_add(struct verify_inside *inside, enum err opened, const uint8_t *plain,
		       size_t len)
{
	if (inside->next >= inside->scan->count)
		return;
	if (opened == OK)
		inside->result->opened++;
	if (opened == ERR_DENIED && !inside->denied++)
		inside->first_denied = inside->next;
	if (opened == OK && !inside->found)
		check_plain(inside, plain, len);
	else if (opened == ERR_PROTOCOL && !inside->found)
		found(inside, VERIFY_DAMAGED, inside->next);
	else if (opened != OK && opened != ERR_DENIED && !inside->found)
		found(inside, VERIFY_FORGED, inside->next);
	inside->next++;
}

enum err verify_inside_end(struct verify_inside *inside)
{
	struct verify_result *result = inside->result;
	const bool all_denied = inside->denied && !result->opened;

	if (all_denied)
		return ERR_DENIED;
	/* All chunks of a recording are sealed to the same people. */
	if (inside->denied && (!inside->found || inside->first_denied <= result->first_bad))
		found(inside, VERIFY_NOT_FOR_KEY, inside->first_denied);
	/* All that is there fits together, so what is wrong begins behind it. */
	if (!inside->found && inside->next == inside->scan->count &&
	    (result->fault == VERIFY_MISSING || result->fault == VERIFY_DAMAGED) &&
	    result->last_bad >= inside->next)
		result->first_bad = inside->next;
	if (result->verdict == VERIFY_UNPROVEN && !inside->last) {
		result->verdict = VERIFY_CUT;
		result->fault = VERIFY_NO_END;
	}
	return OK;
}
