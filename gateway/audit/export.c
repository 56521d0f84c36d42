#include "audit/export.h"

#include <errno.h>
#include <jansson.h>
#include <string.h>
#include <sys/stat.h>

#include "audit/entry.h"
#include "audit/tiles.h"
#include "base/buf.h"
#include "base/util.h"

enum { FOLDER_MODE = 0700, FILE_MODE = 0600, BUNDLE_MAX = TILES_WIDTH * (ENTRY_LEAF_MAX + 2) };

struct writer {
	struct db *db;
	const char *folder;
	uint64_t size;
	struct tree_edge edge;
	FILE *lines;
	/* What is not a full tile yet. */
	uint8_t tiles[TILES_LEVELS][TILES_WIDTH][TREE_HASH];
	uint64_t counts[TILES_LEVELS]; /* hashes so far, full tiles too */
	struct buf bundle;
};

/* ---- files ------------------------------------------------------------------------------ */

/* The folders on the way to a file below the export's own. */
static enum err make_folders(const char *folder, char *path)
{
	for (char *slash = path + strlen(folder) + 1; (slash = strchr(slash, '/')); slash++) {
		*slash = '\0';
		int failed = mkdir(path, FOLDER_MODE);
		*slash = '/';
		if (failed < 0 && errno != EEXIST)
			return err_from_errno(errno);
	}
	return OK;
}

static enum err write_tile(const struct writer *writer, int level, uint64_t index, unsigned width,
			   const void *data, size_t len)
{
	char path[TILES_PATH];
	enum err err = tiles_path(writer->folder, level, index, width, path);

	if (!err)
		err = make_folders(writer->folder, path);
	return err ? err : util_write_file(path, data, len, FILE_MODE);
}

static enum err write_named(const struct writer *writer, const char *name, const void *data,
			    size_t len)
{
	char path[TILES_PATH];

	if ((size_t)snprintf(path, sizeof(path), "%s/%s", writer->folder, name) >= sizeof(path))
		return ERR_TOO_BIG;
	return util_write_file(path, data, len, FILE_MODE);
}

static enum err lines_open(struct writer *writer, const char *name)
{
	char path[TILES_PATH];

	if ((size_t)snprintf(path, sizeof(path), "%s/%s", writer->folder, name) >= sizeof(path))
		return ERR_TOO_BIG;
	writer->lines = fopen(path, "wxe");
	if (!writer->lines || fchmod(fileno(writer->lines), FILE_MODE) < 0)
		return err_from_errno(errno);
	return OK;
}

static enum err lines_add(struct writer *writer, json_t *line)
{
	int failed = json_dumpf(line, writer->lines, JSON_COMPACT);

	return failed || fputc('\n', writer->lines) == EOF ? ERR_IO : OK;
}

static enum err lines_close(struct writer *writer)
{
	FILE *lines = util_take_ptr(writer->lines);
	bool good = !ferror(lines) && fflush(lines) == 0 && fsync(fileno(lines)) == 0;
	enum err err = good ? OK : errno == ENOSPC ? ERR_FULL : ERR_IO;

	fclose(lines);
	return err;
}

/* ---- tiles ------------------------------------------------------------------------------ */

static enum err node_made(void *ctx, unsigned level, uint64_t index, const uint8_t hash[TREE_HASH])
{
	struct writer *writer = ctx;
	unsigned tile = level / TILES_HEIGHT;

	if (level % TILES_HEIGHT || tile >= TILES_LEVELS)
		return OK;
	memcpy(writer->tiles[tile][index % TILES_WIDTH], hash, TREE_HASH);
	writer->counts[tile] = index + 1;
	if (writer->counts[tile] % TILES_WIDTH)
		return OK;
	return write_tile(writer, (int)tile, index / TILES_WIDTH, 0, writer->tiles[tile],
			  sizeof(writer->tiles[tile]));
}

static enum err bundle_add(struct writer *writer, const char *text)
{
	size_t len = strlen(text);
	const uint8_t prefix[2] = { (uint8_t)(len >> 8), (uint8_t)len };
	enum err err = buf_add(&writer->bundle, prefix, sizeof(prefix));

	if (!err)
		err = buf_add(&writer->bundle, text, len);
	if (err || writer->edge.size % TILES_WIDTH)
		return err;
	err = write_tile(writer, TILES_ENTRIES, writer->edge.size / TILES_WIDTH - 1, 0,
			 writer->bundle.data, writer->bundle.len);
	buf_clear(&writer->bundle);
	return err;
}

static enum err write_partial(struct writer *writer)
{
	unsigned width = (unsigned)(writer->edge.size % TILES_WIDTH);
	enum err err = OK;

	if (width)
		err = write_tile(writer, TILES_ENTRIES, writer->edge.size / TILES_WIDTH, width,
				 writer->bundle.data, writer->bundle.len);
	for (unsigned tile = 0; !err && tile < TILES_LEVELS; tile++) {
		width = (unsigned)(writer->counts[tile] % TILES_WIDTH);
		if (width)
			err = write_tile(writer, (int)tile, writer->counts[tile] / TILES_WIDTH,
					 width, writer->tiles[tile], (size_t)width * TREE_HASH);
	}
	return err;
}

/* ---- rows ------------------------------------------------------------------------------- */

static enum err write_entry(struct writer *writer, const struct audit_row *row)
{
	uint8_t leaf[TREE_HASH];
	char text[ENTRY_LEAF_MAX];
	json_t *line = NULL;
	enum err err = row->seq == (int64_t)writer->edge.size + 1 ? OK : ERR_INVALID;

	if (!err)
		err = entry_leaf_text(row, text);
	if (!err)
		err = tree_leaf(text, strlen(text), leaf);
	if (!err)
		err = tree_edge_add(&writer->edge, leaf, node_made, writer);
	if (!err)
		err = bundle_add(writer, text);
	if (!err)
		err = export_entry(row, &line);
	if (!err)
		err = lines_add(writer, line);
	json_decref(line);
	return err;
}

static enum err write_entries(struct writer *writer)
{
	_cleanup_query_ struct query query;
	struct audit_row row;
	bool more = true;
	enum err err = lines_open(writer, "entries.jsonl");

	audit_row_list(&query, writer->db, 0);
	while (!err && writer->edge.size < writer->size) {
		err = audit_row_next(&query, &row, &more);
		if (!err)
			err = more ? write_entry(writer, &row) : ERR_INVALID;
	}
	if (writer->lines) {
		enum err closed = lines_close(writer);
		err = err ? err : closed;
	}
	return err ? err : write_partial(writer);
}

static enum err write_note(struct writer *writer, const struct audit_note *note)
{
	json_t *line = json_pack("{s:I, s:I, s:s}", "size", (json_int_t)note->size, "time_ms",
				 (json_int_t)note->time_ms, "note", note->note);
	enum err err = line ? lines_add(writer, line) : ERR_NOMEM;

	json_decref(line);
	return err;
}

static enum err write_notes(struct writer *writer)
{
	_cleanup_query_ struct query query;
	struct audit_note note, last = { .size = -1 };
	bool more = true;
	enum err err = lines_open(writer, "checkpoints.jsonl");

	audit_note_list(&query, writer->db);
	while (!err) {
		err = audit_note_next(&query, &note, &more);
		if (err || !more || note.size > (int64_t)writer->size)
			break;
		err = write_note(writer, &note);
		last = note;
	}
	if (writer->lines) {
		enum err closed = lines_close(writer);
		err = err ? err : closed;
	}
	if (err || last.size < 0)
		return err;
	return write_named(writer, "checkpoint", last.note, strlen(last.note));
}

enum err export_write(struct db *db, uint64_t size, const char *vkey, const char *folder)
{
	struct writer *writer = calloc(1, sizeof(*writer));
	enum err err = OK;

	if (!writer)
		return ERR_NOMEM;
	writer->db = db;
	writer->folder = folder;
	writer->size = size;
	buf_init(&writer->bundle, BUNDLE_MAX);
	if (mkdir(folder, FOLDER_MODE) < 0)
		err = err_from_errno(errno);
	if (!err && vkey)
		err = write_named(writer, "verifier-key", vkey, strlen(vkey));
	if (!err)
		err = write_entries(writer);
	if (!err)
		err = write_notes(writer);
	buf_finish(&writer->bundle);
	free(writer);
	return err;
}
