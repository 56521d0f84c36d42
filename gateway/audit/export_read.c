#include <dirent.h>
#include <errno.h>
#include <jansson.h>
#include <string.h>
#include <sys/stat.h>

#include "audit/export.h"
#include "audit/tiles.h"
#include "base/util.h"

enum {
	LINE_MAX_BYTES = 64 * 1024,
	TILE_BYTES = TILES_WIDTH * TREE_HASH,
	BUNDLE_BYTES = 1 << 20,
};

/* The tile of a level that was read last. */
struct tile {
	bool is_read;
	uint64_t index;
	size_t len;
	char *data; /* owned */
};

struct export_reader {
	char folder[TILES_PATH];
	FILE *entries, *notes;
	char *line;
	size_t room;
	struct tile tiles[TILES_LEVELS], bundle;
	size_t bundle_at;
	uint64_t bundle_next; /* the entry that begins at bundle_at */
};

/* ---- lines ------------------------------------------------------------------------------ */

static enum err next_line(struct export_reader *reader, FILE *file, json_t **ret)
{
	ssize_t len = getline(&reader->line, &reader->room, file);

	*ret = NULL;
	if (len <= 0)
		return ferror(file) ? ERR_IO : OK;
	if (len > LINE_MAX_BYTES)
		return ERR_TOO_BIG;
	*ret = json_loadb(reader->line, (size_t)len, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
	return *ret ? OK : ERR_INVALID;
}

static enum err read_entry(void *ctx, struct audit_row *ret, bool *ret_more)
{
	struct export_reader *reader = ctx;
	json_t *line;
	enum err err = next_line(reader, reader->entries, &line);

	*ret_more = line != NULL;
	if (!err && line)
		err = export_entry_read(line, ret);
	json_decref(line);
	return err;
}

static enum err read_note(void *ctx, struct audit_note *ret, bool *ret_more)
{
	struct export_reader *reader = ctx;
	json_t *line = NULL;
	const char *note = NULL;
	enum err err = reader->notes ? next_line(reader, reader->notes, &line) : OK;

	*ret_more = line != NULL;
	if (err || !line)
		return err;
	note = json_string_value(json_object_get(line, "note"));
	if (!note || !json_is_integer(json_object_get(line, "size")) ||
	    strlen(note) > AUDIT_NOTE_MAX)
		err = ERR_INVALID;
	if (!err) {
		ret->size = json_integer_value(json_object_get(line, "size"));
		ret->time_ms = json_integer_value(json_object_get(line, "time_ms"));
		memcpy(ret->note, note, strlen(note) + 1);
	}
	json_decref(line);
	return err;
}

/* ---- tiles ------------------------------------------------------------------------------ */

/* The width of the partial tile with that index: the largest there is, 0: none. */
static unsigned partial_width(const char *folder, int level, uint64_t index)
{
	char path[TILES_PATH];
	unsigned most = 0;
	DIR *dir;

	if (tiles_path(folder, level, index, 1, path))
		return 0;
	*strrchr(path, '/') = '\0';
	dir = opendir(path);
	for (struct dirent *entry; dir && (entry = readdir(dir));) {
		int64_t width;
		if (util_parse_i64(entry->d_name, 1, TILES_WIDTH - 1, &width) == OK)
			most = MAX(most, (unsigned)width);
	}
	if (dir)
		closedir(dir);
	return most;
}

static bool has_file(const char *path)
{
	struct stat status;

	return lstat(path, &status) == 0 && S_ISREG(status.st_mode);
}

static enum err load_tile(const struct export_reader *reader, int level, uint64_t index,
			  struct tile *tile)
{
	char path[TILES_PATH];
	unsigned width = 0;
	enum err err = tiles_path(reader->folder, level, index, 0, path);

	if (tile->is_read && tile->index == index)
		return OK;
	if (!err && !has_file(path)) {
		width = partial_width(reader->folder, level, index);
		err = width ? tiles_path(reader->folder, level, index, width, path) : ERR_NOT_FOUND;
	}
	free(tile->data);
	*tile = (struct tile){ .index = index };
	if (!err)
		err = util_read_file(path, level == TILES_ENTRIES ? BUNDLE_BYTES : TILE_BYTES,
				     &tile->data, &tile->len);
	if (!err && level != TILES_ENTRIES &&
	    tile->len != (width ? width : (unsigned)TILES_WIDTH) * TREE_HASH)
		err = ERR_INVALID;
	tile->is_read = !err;
	return err;
}

/* The leaf's hash as its bundle has it; entries come in order. */
static enum err bundle_hash(struct export_reader *reader, uint64_t index, uint8_t ret[TREE_HASH])
{
	const uint8_t *at;
	size_t len;
	enum err err = load_tile(reader, TILES_ENTRIES, index / TILES_WIDTH, &reader->bundle);

	if (err)
		return err;
	if (index % TILES_WIDTH == 0) {
		reader->bundle_at = 0;
		reader->bundle_next = index;
	}
	at = (const uint8_t *)reader->bundle.data + reader->bundle_at;
	if (reader->bundle_next != index || reader->bundle.len - reader->bundle_at < 2)
		return ERR_INVALID;
	len = (size_t)at[0] << 8 | at[1];
	if (reader->bundle.len - reader->bundle_at - 2 < len)
		return ERR_INVALID;
	reader->bundle_at += 2 + len;
	reader->bundle_next++;
	return tree_leaf(at + 2, len, ret);
}

static enum err read_node(void *ctx, unsigned level, uint64_t index, uint8_t ret_hash[TREE_HASH],
			  bool *ret_kept)
{
	struct export_reader *reader = ctx;
	struct tile *tile = &reader->tiles[MIN(level / TILES_HEIGHT, TILES_LEVELS - 1U)];
	uint8_t hash[TREE_HASH];
	enum err err;

	*ret_kept = level % TILES_HEIGHT == 0 && level / TILES_HEIGHT < TILES_LEVELS;
	if (!*ret_kept)
		return OK;
	err = load_tile(reader, (int)(level / TILES_HEIGHT), index / TILES_WIDTH, tile);
	if (!err && tile->len < (index % TILES_WIDTH + 1) * TREE_HASH)
		err = ERR_NOT_FOUND;
	if (err)
		return err;
	memcpy(ret_hash, tile->data + index % TILES_WIDTH * TREE_HASH, TREE_HASH);
	/* Two say what the entry was: when they differ it is neither. */
	if (level == 0 &&
	    (bundle_hash(reader, index, hash) || memcmp(hash, ret_hash, TREE_HASH) != 0))
		memset(ret_hash, 0, TREE_HASH);
	return OK;
}

static uint64_t count_level(const struct export_reader *reader, int level)
{
	char path[TILES_PATH];
	uint64_t index = 0;

	while (tiles_path(reader->folder, level, index, 0, path) == OK && has_file(path))
		index++;
	return index * TILES_WIDTH + partial_width(reader->folder, level, index);
}

static enum err read_count(void *ctx, uint64_t *ret_leaves, uint64_t *ret_nodes)
{
	struct export_reader *reader = ctx;

	*ret_leaves = *ret_nodes = count_level(reader, 0);
	for (int level = 1; level < TILES_LEVELS; level++)
		*ret_nodes += count_level(reader, level);
	return OK;
}

/* ---- life ------------------------------------------------------------------------------- */

static FILE *open_in(const char *folder, const char *name)
{
	char path[TILES_PATH + 32];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return fopen(path, "re");
}

enum err export_open(const char *folder, struct export_reader **ret)
{
	struct export_reader *reader = calloc(1, sizeof(*reader));

	if (!reader)
		return ERR_NOMEM;
	if ((size_t)snprintf(reader->folder, sizeof(reader->folder), "%s", folder) >=
	    sizeof(reader->folder)) {
		free(reader);
		return ERR_TOO_BIG;
	}
	reader->entries = open_in(folder, "entries.jsonl");
	if (!reader->entries) {
		enum err err = err_from_errno(errno);
		free(reader);
		return err;
	}
	reader->notes = open_in(folder, "checkpoints.jsonl");
	*ret = reader;
	return OK;
}

void export_close(struct export_reader *reader)
{
	if (!reader)
		return;
	util_fclosep(&reader->entries);
	util_fclosep(&reader->notes);
	for (size_t i = 0; i < TILES_LEVELS; i++)
		free(reader->tiles[i].data);
	free(reader->bundle.data);
	free(reader->line);
	free(reader);
}

struct verify_source export_source(struct export_reader *reader)
{
	return (struct verify_source){ read_entry, read_note, read_node, read_count, reader };
}
