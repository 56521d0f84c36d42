/*
 * Sealing and opening of documents (vault/document_file.h) on one core, alone and with the sums
 * that are made on their way: bench-documents [folder]. For comparison: openssl speed -evp
 * aes-256-gcm.
 */
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/util.h"
#include "vault/document_file.h"
#include "vault/document_sum.h"

enum { BYTES = 100 * 1000 * 1000, ROUNDS = 5, STEP = 60000 };

static double now(clockid_t clock)
{
	struct timespec time;

	clock_gettime(clock, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* What a transfer sums beside; without sums nothing. */
struct sums {
	EVP_MD_CTX *whole;
	struct document_sum *way;
};

static enum err sums_new(bool wanted, struct sums *ret)
{
	*ret = (struct sums){ 0 };
	if (!wanted)
		return OK;
	ret->whole = EVP_MD_CTX_new();
	return ret->whole && EVP_DigestInit_ex2(ret->whole, EVP_sha256(), NULL) == 1
		       ? document_sum_new(&ret->way)
		       : ERR_CRYPTO;
}

static void sums_free(struct sums *sums)
{
	EVP_MD_CTX_free(sums->whole);
	document_sum_free(sums->way);
}

static enum err in(const struct document_place *place, const struct secret *key,
		   const uint8_t *data, bool summed)
{
	struct document_writer *writer = NULL;
	struct sums sums;
	enum err err = sums_new(summed, &sums);

	if (!err)
		err = document_writer_new(place, key, &writer);
	for (size_t at = 0; !err && at < BYTES; at += STEP) {
		const size_t len = MIN((size_t)STEP, BYTES - at);

		err = document_writer_add(writer, data + at, len);
		if (!err && summed && EVP_DigestUpdate(sums.whole, data + at, len) != 1)
			err = ERR_CRYPTO;
		if (!err && summed)
			err = document_sum_add(sums.way, data + at, len);
	}
	if (!err)
		err = document_writer_end(writer);
	document_writer_free(writer);
	sums_free(&sums);
	return err;
}

static enum err out(const struct document_place *place, const struct secret *key, bool summed)
{
	struct sums sums;
	struct document_reader *reader = NULL;
	const uint8_t *data;
	size_t len = 1;
	enum err err = sums_new(summed, &sums);

	if (!err)
		err = document_reader_new(place, key, BYTES, &reader);
	while (!err && len) {
		err = document_reader_next(reader, &data, &len);
		if (!err && summed)
			err = document_sum_add(sums.way, data, len);
	}
	document_reader_free(reader);
	sums_free(&sums);
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
	for (int i = 0; i < 2 * ROUNDS && !err; i++) {
		const bool summed = i >= ROUNDS;
		double cpu = now(CLOCK_PROCESS_CPUTIME_ID), wall = now(CLOCK_MONOTONIC);
		err = in(&place, key, data, summed);
		double in_cpu = now(CLOCK_PROCESS_CPUTIME_ID) - cpu,
		       in_wall = now(CLOCK_MONOTONIC) - wall;
		cpu = now(CLOCK_PROCESS_CPUTIME_ID), wall = now(CLOCK_MONOTONIC);
		if (!err)
			err = out(&place, key, summed);
		printf("in: %4.0f MB/s of a core, %4.0f MB/s with the disk; "
		       "out: %4.0f MB/s of a core, %4.0f MB/s%s\n",
		       BYTES / 1e6 / in_cpu, BYTES / 1e6 / in_wall,
		       BYTES / 1e6 / (now(CLOCK_PROCESS_CPUTIME_ID) - cpu),
		       BYTES / 1e6 / (now(CLOCK_MONOTONIC) - wall), summed ? ", summed" : "");
	}
	if (document_file_remove(&place))
		fprintf(stderr, "the file is left in %s\n", place.folder);
	if (argc < 2)
		rmdir(place.folder);
	secret_free(key);
	free(data);
	return err ? EXIT_FAILURE : EXIT_SUCCESS;
}
