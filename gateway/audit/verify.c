#include "audit/verify.h"

#include <jansson.h>
#include <string.h>

#include "audit/audit.h"
#include "audit/entry.h"
#include "base/util.h"

enum { RANGES_MAX = 1 << 20 };

static const struct {
	enum verify_color color;
	const char *code;
} findings[] = {
#define X(name, color, code) [name] = { color, code },
	VERIFY_TABLE(X)
#undef X
};

enum verify_color verify_color(enum verify_finding finding)
{
	return findings[finding].color;
}

const char *verify_code(enum verify_finding finding)
{
	return findings[finding].code;
}

const char *verify_color_code(enum verify_color color)
{
	static const char *const codes[] = {
		[VERIFY_GREEN] = "green", [VERIFY_AMBER] = "amber", [VERIFY_RED] = "red"
	};

	return codes[color];
}

/* ---- what is gathered on the way -------------------------------------------------------- */

struct range {
	uint64_t first, last;
};

struct ranges {
	struct range *list;
	size_t count, room;
};

/* A signed note and the size and root that it says. */
struct mark {
	struct checkpoint checkpoint;
	bool is_anchor;
};

struct run {
	const struct verify_source *source;
	const struct verify_wish *wish;
	struct log_verdict verdict;
	struct tree_edge edge;
	struct audit_row row;
	uint8_t prev[AUDIT_HASH]; /* the commitment before */
	int64_t last_ms;          /* of the entry before */
	uint64_t nodes;           /* that there must be */
	bool has_tree;
	/* Marks in order of their size; next: the first that was not compared yet. */
	struct mark *marks;
	size_t mark_count, mark_room, next;
	int64_t anchored_ms; /* of the last entry that a good checkpoint covers */
	int64_t open_ms;     /* of the first entry that none covers, 0: none */
	struct ranges gone, said;
};

/* ---- findings --------------------------------------------------------------------------- */

/* The first red stays; it comes before any amber. */
static void find(struct run *run, enum verify_finding finding, uint64_t first, uint64_t last)
{
	struct log_verdict *verdict = &run->verdict;

	if (verify_color(finding) <= verify_color(verdict->finding))
		return;
	verdict->finding = finding;
	verdict->first_bad = first;
	verdict->last_bad = last;
	verdict->from_ms = run->last_ms;
	verdict->to_ms = 0;
}

static bool is_red(const struct run *run)
{
	return verify_color(run->verdict.finding) == VERIFY_RED;
}

static enum err ranges_add(struct ranges *ranges, uint64_t first, uint64_t last)
{
	/* Neighbours become one: disposal goes by stretches. */
	if (ranges->count && ranges->list[ranges->count - 1].last + 1 == first) {
		ranges->list[ranges->count - 1].last = last;
		return OK;
	}
	if (ranges->count == ranges->room) {
		size_t room = ranges->room ? 2 * ranges->room : 16;
		struct range *list =
			room > RANGES_MAX ? NULL : realloc(ranges->list, room * sizeof(*list));
		if (!list)
			return ERR_NOMEM;
		ranges->list = list;
		ranges->room = room;
	}
	ranges->list[ranges->count++] = (struct range){ first, last };
	return OK;
}

/* ---- entries ---------------------------------------------------------------------------- */

/* What a sound entry says of a disposal before it. */
static enum err note_disposal(struct run *run)
{
	json_t *detail = json_loads(run->row.detail, JSON_REJECT_DUPLICATES, NULL);
	json_int_t first = json_integer_value(json_object_get(detail, "first")),
		   last = json_integer_value(json_object_get(detail, "last"));
	enum err err = OK;

	if (first >= 1 && first <= last && last < run->row.seq)
		err = ranges_add(&run->said, (uint64_t)first, (uint64_t)last);
	json_decref(detail);
	return err;
}

/* What was disposed of says nothing more: nobody may put other words in its place. */
static bool is_bare(const struct audit_row *row)
{
	return !row->account[0] && !row->device && !row->address[0] && !row->host &&
	       !row->session[0] && strcmp(row->detail, "{}") == 0;
}

static enum err check_payload(struct run *run)
{
	uint8_t commitment[AUDIT_HASH];
	uint64_t seq = (uint64_t)run->row.seq;
	enum err err;

	if (run->row.disposed && is_bare(&run->row))
		return ranges_add(&run->gone, seq, seq);
	if (run->row.disposed) {
		find(run, VERIFY_PAYLOAD_CHANGED, seq, seq);
		return OK;
	}
	err = entry_commitment(&run->row, run->prev, commitment);
	if (err == ERR_NOMEM)
		return err;
	if (err || memcmp(commitment, run->row.commitment, AUDIT_HASH) != 0)
		find(run, VERIFY_PAYLOAD_CHANGED, seq, seq);
	else if (strcmp(run->row.event, AUDIT_EVENT_DISPOSED) == 0)
		return note_disposal(run);
	return OK;
}

static enum err node_made(void *ctx, unsigned level, uint64_t index, const uint8_t hash[TREE_HASH])
{
	struct run *run = ctx;
	uint8_t kept[TREE_HASH];
	bool is_kept = true;
	uint64_t first = (index << level) + 1, last = (index + 1) << level;
	enum err err;

	run->nodes++;
	if (!run->has_tree || is_red(run))
		return OK;
	err = run->source->node(run->source->ctx, level, index, kept, &is_kept);
	if (err == ERR_NOMEM)
		return err;
	if (!err && !is_kept)
		run->nodes--;
	else if (err || memcmp(kept, hash, TREE_HASH) != 0)
		find(run, err || level ? VERIFY_TREE_CHANGED : VERIFY_ENTRY_CHANGED, first, last);
	return OK;
}

/* A checkpoint of the size that was just reached. */
static enum err check_marks(struct run *run)
{
	uint8_t root[TREE_HASH];
	enum err err = OK;

	if (run->next == run->mark_count || run->marks[run->next].checkpoint.size != run->edge.size)
		return OK;
	err = tree_edge_root(&run->edge, root);
	while (!err && run->next < run->mark_count &&
	       run->marks[run->next].checkpoint.size == run->edge.size) {
		if (memcmp(run->marks[run->next++].checkpoint.root, root, TREE_HASH) != 0) {
			run->last_ms = run->anchored_ms;
			find(run, VERIFY_HISTORY_REWRITTEN, run->verdict.anchored + 1,
			     run->edge.size);
			run->verdict.to_ms = run->row.time_ms;
			return OK;
		}
		run->verdict.checkpoints++;
	}
	run->verdict.anchored = run->edge.size;
	run->anchored_ms = run->row.time_ms;
	run->open_ms = 0;
	return err;
}

static enum err check_entry(struct run *run)
{
	uint64_t seq = run->edge.size + 1;
	uint8_t leaf[TREE_HASH];
	enum err err;

	run->verdict.entries = seq;
	if (run->row.seq != (int64_t)seq) {
		find(run, VERIFY_ENTRY_MISSING, seq,
		     run->row.seq > (int64_t)seq ? (uint64_t)run->row.seq - 1 : seq);
		return OK;
	}
	/* Only entries from before there was a tree can be without one. */
	if (!run->has_tree && run->row.version != AUDIT_CHAINED) {
		find(run, VERIFY_TREE_CHANGED, seq, seq);
		return OK;
	}
	err = entry_leaf(&run->row, leaf);
	if (err) {
		find(run, VERIFY_ENTRY_CHANGED, seq, seq);
		return err == ERR_NOMEM ? err : OK;
	}
	/* The leaf first: who changes a commitment changed the entry. */
	err = tree_edge_add(&run->edge, leaf, node_made, run);
	if (!err && !is_red(run))
		err = check_payload(run);
	if (!run->open_ms)
		run->open_ms = run->row.time_ms;
	if (!err && !is_red(run))
		err = check_marks(run);
	memcpy(run->prev, run->row.commitment, AUDIT_HASH);
	return err;
}

/* The time after what was found is that of the next entry that can be read. */
static void find_end(struct run *run)
{
	bool more;

	if (run->verdict.to_ms)
		return;
	if (run->row.seq > (int64_t)run->verdict.last_bad)
		run->verdict.to_ms = run->row.time_ms;
	else if (run->source->entry(run->source->ctx, &run->row, &more) == OK && more)
		run->verdict.to_ms = run->row.time_ms;
}

static enum err check_entries(struct run *run)
{
	bool more = true;

	/* A checkpoint of nothing. */
	enum err err = check_marks(run);
	while (!err && !is_red(run)) {
		err = run->source->entry(run->source->ctx, &run->row, &more);
		if (err && err != ERR_NOMEM) {
			find(run, VERIFY_UNREADABLE, run->edge.size + 1, run->edge.size + 1);
			return OK;
		}
		if (err || !more)
			return err;
		err = check_entry(run);
		if (!is_red(run))
			run->last_ms = run->row.time_ms;
	}
	if (!err)
		find_end(run);
	return err;
}

/* ---- checkpoints ------------------------------------------------------------------------ */

static enum err mark_add(struct run *run, const struct checkpoint *checkpoint, bool is_anchor)
{
	size_t at = run->mark_count;

	if (run->mark_count == run->mark_room) {
		size_t room = run->mark_room ? 2 * run->mark_room : 64;
		struct mark *marks = realloc(run->marks, room * sizeof(*marks));
		if (!marks)
			return ERR_NOMEM;
		run->marks = marks;
		run->mark_room = room;
	}
	/* They come in order, but for the few from elsewhere. */
	for (; at > 0 && run->marks[at - 1].checkpoint.size > checkpoint->size; at--)
		run->marks[at] = run->marks[at - 1];
	run->marks[at] = (struct mark){ *checkpoint, is_anchor };
	run->mark_count++;
	if (at > 0 && run->marks[at - 1].checkpoint.size == checkpoint->size &&
	    memcmp(run->marks[at - 1].checkpoint.root, checkpoint->root, TREE_HASH) != 0)
		find(run, VERIFY_FORK, 1, checkpoint->size);
	return OK;
}

static enum err take_note(struct run *run, const struct audit_note *note, bool is_anchor)
{
	struct checkpoint checkpoint;
	enum err err = ERR_NOT_FOUND;

	for (size_t i = 0; err == ERR_NOT_FOUND && i < run->wish->key_count; i++)
		err = checkpoint_open(note->note, strlen(note->note), &run->wish->keys[i],
				      &checkpoint);
	if (!err && note->size >= 0 && checkpoint.size != (uint64_t)note->size)
		err = ERR_INVALID;
	if (err) {
		uint64_t size = note->size > 0 ? (uint64_t)note->size : 0;
		find(run, VERIFY_CHECKPOINT_FALSE, size, size);
		return OK;
	}
	return mark_add(run, &checkpoint, is_anchor);
}

static enum err take_notes(struct run *run)
{
	struct audit_note note;
	bool more = true;
	enum err err = OK;

	if (!run->wish->key_count)
		return OK;
	while (!err && more) {
		err = run->source->note(run->source->ctx, &note, &more);
		if (err && err != ERR_NOMEM) {
			find(run, VERIFY_UNREADABLE, 0, 0);
			return OK;
		}
		if (!err && more)
			err = take_note(run, &note, false);
	}
	for (size_t i = 0; !err && i < run->wish->anchor_count; i++)
		err = take_note(run, &run->wish->anchors[i], true);
	return err;
}

/* ---- the end ---------------------------------------------------------------------------- */

/* Every payload that is gone must have an entry that says so. */
static void check_disposed(struct run *run)
{
	for (size_t i = 0; i < run->gone.count; i++) {
		const struct range *gone = &run->gone.list[i];
		for (uint64_t seq = gone->first; seq <= gone->last; seq++) {
			size_t at = 0;
			while (at < run->said.count &&
			       (run->said.list[at].first > seq || run->said.list[at].last < seq))
				at++;
			if (at == run->said.count) {
				run->last_ms = 0;
				find(run, VERIFY_PAYLOAD_MISSING, seq, gone->last);
				return;
			}
			seq = MIN(gone->last, run->said.list[at].last);
		}
		run->verdict.disposed += gone->last - gone->first + 1;
	}
}

static void check_end(struct run *run, uint64_t leaves, uint64_t nodes)
{
	uint64_t size = run->edge.size, most = size;

	if (run->next < run->mark_count)
		most = run->marks[run->mark_count - 1].checkpoint.size;
	if (run->has_tree && leaves > most)
		most = leaves;
	if (most > size)
		find(run, VERIFY_TAIL_CUT, size + 1, most);
	else if (run->has_tree && nodes != run->nodes)
		find(run, VERIFY_TREE_CHANGED, 1, size);
	if (!run->wish->key_count)
		find(run, VERIFY_NO_KEY, 0, 0);
	else if (!run->verdict.anchored || size - run->verdict.anchored > VERIFY_YOUNG_ENTRIES ||
		 (run->open_ms && run->last_ms - run->open_ms > VERIFY_YOUNG_MS)) {
		int64_t last_ms = run->last_ms;
		run->last_ms = run->anchored_ms;
		find(run, VERIFY_UNANCHORED,
		     size > run->verdict.anchored ? run->verdict.anchored + 1 : 0,
		     size > run->verdict.anchored ? size : 0);
		if (run->verdict.finding == VERIFY_UNANCHORED)
			run->verdict.to_ms = last_ms;
	}
}

enum err verify_log(const struct verify_source *source, const struct verify_wish *wish,
		    struct log_verdict *ret)
{
	struct run run = { .source = source, .wish = wish };
	uint64_t leaves = 0, nodes = 0;
	enum err err = source->count(source->ctx, &leaves, &nodes);

	if (err && err != ERR_NOMEM) {
		find(&run, VERIFY_UNREADABLE, 0, 0);
		err = OK;
	}
	/* Entries from before there was a tree become leaves at the next start. */
	run.has_tree = nodes > 0;
	if (!err && !is_red(&run))
		err = take_notes(&run);
	if (!err && !is_red(&run))
		err = check_entries(&run);
	if (!err && !is_red(&run))
		check_disposed(&run);
	if (!err && !is_red(&run))
		check_end(&run, leaves, nodes);
	if (!err)
		err = tree_edge_root(&run.edge, run.verdict.root);
	if (!err)
		*ret = run.verdict;
	free(run.marks);
	free(run.gone.list);
	free(run.said.list);
	return err;
}

/* ---- databases -------------------------------------------------------------------------- */

static enum err db_entry(void *ctx, struct audit_row *ret, bool *ret_more)
{
	struct verify_db *reader = ctx;

	return audit_row_next(&reader->entries, ret, ret_more);
}

static enum err db_note(void *ctx, struct audit_note *ret, bool *ret_more)
{
	struct verify_db *reader = ctx;

	return audit_note_next(&reader->notes, ret, ret_more);
}

static enum err db_node(void *ctx, unsigned level, uint64_t index, uint8_t ret_hash[TREE_HASH],
			bool *ret_kept)
{
	struct verify_db *reader = ctx;

	*ret_kept = true;
	return audit_node_read(reader->db, level, index, ret_hash);
}

static enum err db_count(void *ctx, uint64_t *ret_leaves, uint64_t *ret_nodes)
{
	struct verify_db *reader = ctx;
	enum err err = audit_node_leaves(reader->db, ret_leaves);

	return err ? err : audit_node_count(reader->db, ret_nodes);
}

struct verify_source verify_db_source(struct verify_db *reader, struct db *db)
{
	reader->db = db;
	audit_row_list(&reader->entries, db, 0);
	audit_note_list(&reader->notes, db);
	return (struct verify_source){ db_entry, db_note, db_node, db_count, reader };
}

void verify_db_finish(struct verify_db *reader)
{
	query_finish(&reader->entries);
	query_finish(&reader->notes);
}
