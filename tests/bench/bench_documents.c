/*
 * Sealing and opening of documents (vault/document_file.h), on one core: bench-documents [folder].
 * For comparison: openssl speed -evp aes-256-gcm.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/util.h"
#include "vault/document_file.h"

enum { BYTES = 100 * 1000 * 1000, ROUNDS = 5, STEP = 60000 };

static double now(clockid_t clock)
{
	struct timespec time;

	clock_gettime(clock, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static enum err in(const struct document_place *place, const struct secret *key,
		   const uint8_t *data)
{
	struct document_writer *writer = NULL;
	enum err err = document_writer_new(place, key, &writer);

	for (size_t at = 0; !err && at < BYTES; at += STEP)
		err = document_writer_add(writer, data + at, MIN((size_t)STEP, BYTES - at));
	if (!err)
		err = document_writer_end(writer);
	document_writer_free(writer);
	return err;
}

static enum err out(const struct document_place *place, const struct secret *key)
{
	struct document_reader *reader = NULL;
	const uint8_t *data;
	size_t len = 1;
	enum err err = document_reader_new(place, key, BYTES, &reader);

	while (!err && len)
		err = document_reader_next(reader, &data, &len);
	document_reader_free(reader);
	return err;
}

int main(int argc, char **argv)
{
	char made[] = "/tmp/sekisho-bench-XXXXXX";
	struct document_place place = { argc > 1 ? argv[1] : mkdtemp(made), 1, 1 };
	struct secret *key;
	uint8_t *data = malloc(BYTES);
	enum err err = secret_random(DOCUMENT_KEY, &key);

	log_init(NULL, LOG_LEVEL_INFO);
	if (err || !data || !place.folder)
		return EXIT_FAILURE;
	memset(data, 'x', BYTES);
	for (int i = 0; i < ROUNDS && !err; i++) {
		double cpu = now(CLOCK_PROCESS_CPUTIME_ID), wall = now(CLOCK_MONOTONIC);
		err = in(&place, key, data);
		double in_cpu = now(CLOCK_PROCESS_CPUTIME_ID) - cpu,
		       in_wall = now(CLOCK_MONOTONIC) - wall;
		cpu = now(CLOCK_PROCESS_CPUTIME_ID), wall = now(CLOCK_MONOTONIC);
		if (!err)
			err = out(&place, key);
		printf("in: %4.0f MB/s of a core, %4.0f MB/s with the disk; "
		       "out: %4.0f MB/s of a core, %4.0f MB/s\n",
		       BYTES / 1e6 / in_cpu, BYTES / 1e6 / in_wall,
		       BYTES / 1e6 / (now(CLOCK_PROCESS_CPUTIME_ID) - cpu),
		       BYTES / 1e6 / (now(CLOCK_MONOTONIC) - wall));
	}
	if (document_file_remove(&place))
		fprintf(stderr, "the file is left in %s\n", place.folder);
	if (argc < 2)
		rmdir(place.folder);
	secret_free(key);
	free(data);
	return err ? EXIT_FAILURE : EXIT_SUCCESS;
}
