#include "edge/static.h"

#include <errno.h>
#include <fts.h>
#include <openssl/evp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/util.h"

struct entry {
	struct static_file file;
	char path[STATIC_PATH_MAX + 1];
	char *data; /* owned; file.data points here */
};

struct static_files {
	struct entry *entries; /* sorted by path */
	size_t count, room;
	size_t total;
};

static const struct {
	const char *suffix, *type;
} types[] = {
	{ ".css", "text/css; charset=utf-8" },
	{ ".html", "text/html; charset=utf-8" },
	{ ".ico", "image/vnd.microsoft.icon" },
	{ ".js", "text/javascript; charset=utf-8" },
	{ ".json", "application/json" },
	{ ".mjs", "text/javascript; charset=utf-8" },
	{ ".png", "image/png" },
	{ ".svg", "image/svg+xml" },
	{ ".txt", "text/plain; charset=utf-8" },
	{ ".wasm", "application/wasm" },
	{ ".webmanifest", "application/manifest+json" },
	{ ".woff2", "font/woff2" },
};

static const char *type_of(const char *name)
{
	const char *suffix = strrchr(name, '.');

	for (size_t i = 0; suffix && i < ARRAY_SIZE(types); i++)
		if (util_streq(suffix, types[i].suffix))
			return types[i].type;
	return NULL;
}

static bool name_allowed(const char *name)
{
	static const char allowed[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";

	return *name != '.' && name[strspn(name, allowed)] == 0;
}

static enum err make_etag(const char *data, size_t len, char etag[36])
{
	uint8_t hash[EVP_MAX_MD_SIZE];
	char hex[33];

	if (!EVP_Digest(data, len, hash, NULL, EVP_sha256(), NULL))
		return ERR_CRYPTO;
	util_hex(hash, 16, hex);
	snprintf(etag, 36, "\"%s\"", hex);
	return OK;
}

static enum err grow(struct static_files *files)
{
	size_t room = files->room ? files->room * 2 : 64;
	struct entry *entries;

	if (files->count < files->room)
		return OK;
	if (files->count >= STATIC_FILES_MAX)
		return ERR_TOO_BIG;
	entries = realloc(files->entries, room * sizeof(*entries));
	if (!entries)
		return ERR_NOMEM;
	files->entries = entries;
	files->room = room;
	return OK;
}

static enum err add(struct static_files *files, const char *file_path, const char *url_path,
		    const char *type)
{
	_cleanup_free_ char *data = NULL;
	struct entry *entry;
	size_t len;
	enum err err;

	if (strlen(url_path) > STATIC_PATH_MAX)
		return ERR_TOO_BIG;
	err = grow(files);
	if (err)
		return err;
	err = util_read_file(file_path, STATIC_FILE_MAX, &data, &len);
	if (err)
		return err;
	if (len > STATIC_TOTAL_MAX - files->total)
		return ERR_TOO_BIG;
	entry = &files->entries[files->count];
	memset(entry, 0, sizeof(*entry));
	err = make_etag(data, len, entry->file.etag);
	if (err)
		return err;
	snprintf(entry->path, sizeof(entry->path), "%s", url_path);
	entry->file.type = type;
	entry->file.len = len;
	entry->data = util_take_ptr(data);
	files->total += len;
	files->count++;
	return OK;
}

static int compare_entries(const void *a, const void *b)
{
	return strcmp(((const struct entry *)a)->path, ((const struct entry *)b)->path);
}

/* Only now the entries stay where they are. */
static void settle(struct static_files *files)
{
	if (files->count)
		qsort(files->entries, files->count, sizeof(*files->entries), compare_entries);
	for (size_t i = 0; i < files->count; i++) {
		files->entries[i].file.path = files->entries[i].path;
		files->entries[i].file.data = (const uint8_t *)files->entries[i].data;
	}
}

static enum err visit(struct static_files *files, FTS *tree, FTSENT *at, size_t prefix)
{
	const char *type;

	if (at->fts_level > 0 && !name_allowed(at->fts_name)) {
		fts_set(tree, at, FTS_SKIP);
		return OK;
	}
	switch (at->fts_info) {
	case FTS_D:
		return at->fts_level > STATIC_DEPTH_MAX ? ERR_TOO_BIG : OK;
	case FTS_F:
		type = type_of(at->fts_name);
		return type ? add(files, at->fts_accpath, at->fts_path + prefix, type) : OK;
	case FTS_DNR:
	case FTS_ERR:
	case FTS_NS:
		return at->fts_errno == ENOENT ? ERR_NOT_FOUND : err_from_errno(at->fts_errno);
	default:
		return OK; /* the way back from folders, links, devices */
	}
}

static enum err walk(struct static_files *files, const char *folder)
{
	char *roots[] = { (char *)(uintptr_t)folder, NULL };
	FTS *tree = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
	enum err err = OK;
	FTSENT *at;

	if (!tree)
		return err_from_errno(errno);
	while (!err && (at = fts_read(tree))) {
		err = visit(files, tree, at, strlen(folder));
		if (err)
			log_error("static-refused", "path=\"%s\" error=%s files=%zu bytes=%zu",
				  at->fts_path, err_code(err), files->count, files->total);
	}
	fts_close(tree);
	return err;
}

enum err static_load(const char *folder, struct static_files **ret)
{
	struct static_files *files = calloc(1, sizeof(*files));
	_cleanup_free_ char *root = strdup(folder);
	enum err err;

	if (!files || !root) {
		free(files);
		return ERR_NOMEM;
	}
	for (size_t len = strlen(root); len > 1 && root[len - 1] == '/'; len--)
		root[len - 1] = 0;
	err = walk(files, root);
	settle(files);
	if (err) {
		static_free(files);
		return err;
	}
	*ret = files;
	return OK;
}

void static_free(struct static_files *files)
{
	if (!files)
		return;
	for (size_t i = 0; i < files->count; i++)
		free(files->entries[i].data);
	free(files->entries);
	free(files);
}

const struct static_file *static_find(const struct static_files *files, const char *path)
{
	char full[STATIC_PATH_MAX + 1];
	size_t len = strlen(path);
	size_t low = 0, high = files->count;
	int written;

	if (util_streq(path, "/"))
		path = "/portal/index.html";
	else if (len && path[len - 1] == '/')
		len = 0;
	written = snprintf(full, sizeof(full), "%s%s", path, len ? "" : "index.html");
	if (written < 0 || (size_t)written >= sizeof(full))
		return NULL;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(full, files->entries[middle].path);

		if (!order)
			return &files->entries[middle].file;
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

size_t static_count(const struct static_files *files)
{
	return files->count;
}
