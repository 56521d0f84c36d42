/*
 * static.h - the viewer's files, read into memory once before the sandbox closes: what a request
 * names is looked up in this table, so no path from outside ever reaches the file system.
 */
#ifndef SEKISHO_EDGE_STATIC_H
#define SEKISHO_EDGE_STATIC_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum {
	STATIC_FILES_MAX = 2000,
	STATIC_FILE_MAX = 16 * 1024 * 1024,
	STATIC_TOTAL_MAX = 64 * 1024 * 1024,
	STATIC_DEPTH_MAX = 8,
	STATIC_PATH_MAX = 200,
};

struct static_file {
	const char *path; /* "/core/decode.js" */
	const char *type; /* Content-Type */
	const uint8_t *data;
	size_t len;
	char etag[36]; /* with quotes; from the content */
};

struct static_files;

/*
 * Reads all regular files below folder. Symbolic links, names beginning with a dot or with other
 * than [A-Za-z0-9._-], and kinds of file that a viewer has no use for are left out; a folder that
 * is not there is ERR_NOT_FOUND, one over the limits ERR_TOO_BIG (both logged).
 */
nodiscard enum err static_load(const char *folder, struct static_files **ret);
void static_free(struct static_files *files);

/* path: of the URL, decoded. "/" and "/a/" stand for "/portal/index.html" and "/a/index.html".
 * NULL: none. */
const struct static_file *static_find(const struct static_files *files, const char *path);

size_t static_count(const struct static_files *files);

#endif
