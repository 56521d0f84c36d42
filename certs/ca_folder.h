/*
 * ca_folder.h - folders that appear whole or not at all: filled under another name, synced,
 * renamed.
 */
#ifndef SEKISHO_CERTS_CA_FOLDER_H
#define SEKISHO_CERTS_CA_FOLDER_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum { CA_PATH = 400, CA_NUMBER_MAX = 999999 };

/* fmt into path, which holds CA_PATH bytes. ERR_TOO_BIG. */
nodiscard enum err ca_path(char path[CA_PATH], const char *fmt, ...) printf_like(2, 3);

/* Mode 0700, and empty: what is left of an earlier try is removed first. */
nodiscard enum err ca_folder_fresh(const char *path);

/* Renames from, whose files are synced, to a name in the same folder that is free. */
nodiscard enum err ca_folder_commit(const char *from, const char *to);

/* The two folders change places in one step; what is at from afterwards is the caller's to remove.
 */
nodiscard enum err ca_folder_replace(const char *from, const char *to);

/* With everything in it; none there is OK. */
nodiscard enum err ca_folder_remove(const char *path);

/* The same, and it stays away after a power cut. */
nodiscard enum err ca_folder_drop(const char *path);

/*
 * The subfolders that are named by a number, the highest first, at most max; *ret_count. Half-made
 * ones (N.new) are removed. ERR_NOT_FOUND: no such folder.
 */
nodiscard enum err ca_folder_list(const char *path, uint32_t *numbers, size_t max,
				  size_t *ret_count);

#endif
