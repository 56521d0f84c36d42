/*
 * replay.c - runs a fuzz target over its committed corpus where libFuzzer is not built in, so that
 * every input ever found stays tested, under the sanitizers, in each run.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { REPLAY_MAX = 16 * 1024 * 1024 };

static int replay_file(const char *path)
{
	_cleanup_free_ char *data = NULL;
	_cleanup_free_ uint8_t *exact = NULL;
	size_t len;

	if (util_read_file(path, REPLAY_MAX, &data, &len)) {
		fprintf(stderr, "%s: cannot be read\n", path);
		return 1;
	}
	/* A copy of exactly this size, so that ASan sees one byte too far. */
	exact = malloc(len ? len : 1);
	if (!exact)
		return 1;
	memcpy(exact, data, len);
	LLVMFuzzerTestOneInput(exact, len);
	return 0;
}

int main(int argc, char **argv)
{
	int replayed = 0, failed = 0;

	for (int i = 1; i < argc; i++) {
		DIR *folder = opendir(argv[i]);
		struct dirent *entry;

		if (!folder) {
			fprintf(stderr, "%s: no such corpus\n", argv[i]);
			return 1;
		}
		while ((entry = readdir(folder))) {
			char path[4096];

			if (entry->d_name[0] == '.')
				continue;
			snprintf(path, sizeof(path), "%s/%s", argv[i], entry->d_name);
			failed |= replay_file(path);
			replayed++;
		}
		closedir(folder);
	}
	printf("%d inputs replayed\n", replayed);
	return failed || !replayed;
}
