/*
 * Takes anything as the file of a recording. Its chunks lie one after another from its beginning,
 * what is said of its end is true, and the marks that a recorder would have made of it hold.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/util.h"
#include "record/verify.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool is_so)
{
	if (!is_so)
		abort();
}

static void scan(int fd, enum scan_how how, uint64_t step, struct scan *ret)
{
	bool done = false;

	expect(scan_init(ret, fd, how) == OK);
	while (!done)
		expect(scan_step(ret, step, &done) == OK);
}

static void check_chunks(const struct scan *scanned, const uint8_t *data, size_t size)
{
	uint64_t offset = 0;
	uint8_t hash[CHUNK_HASH];

	for (size_t i = 0; i < scanned->count; i++) {
		const struct scan_chunk *chunk = &scanned->chunks[i];
		size_t recipients;
		expect(chunk->offset == offset && chunk->len && chunk->len <= SEAL_DER_MAX);
		expect(chunk->len <= size - offset);
		expect(chunk->odd == (shape_check(data + offset, chunk->len, &recipients) != OK));
		expect(seal_hash(data + offset, chunk->len, hash) == OK);
		expect(memcmp(hash, chunk->hash, CHUNK_HASH) == 0);
		offset += chunk->len;
	}
	expect(scanned->size == offset && scanned->file_size == size);
	expect((scanned->end == SCAN_WHOLE) == (offset == size));
	expect(!scanned->resume || (scanned->resume > offset && scanned->resume < size));
}

static void check_marks(const struct scan *scanned)
{
	struct verify_mark mark = { .chunks = scanned->count, .size = scanned->size, .last = true };
	struct verify_result result;
	bool odd = false;

	for (size_t i = 0; i < scanned->count; i++)
		odd = odd || scanned->chunks[i].odd;
	memcpy(mark.hash, scanned->running, CHUNK_HASH);
	expect(verify_marks(scanned, &mark, 1, &result) == OK);
	expect(result.proven == scanned->count && result.chunks == scanned->count);
	expect((result.verdict == VERIFY_INTACT) == (!odd && scanned->end == SCAN_WHOLE));
	mark.hash[0] ^= 1;
	expect(verify_marks(scanned, &mark, 1, &result) == OK);
	expect(result.verdict == VERIFY_TAMPERED && result.fault < VERIFY_FAULT_COUNT);
	expect(result.first_bad <= result.last_bad);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_close_ int fd = memfd_create("recording", MFD_CLOEXEC);
	struct scan whole, places;

	expect(fd >= 0 && write(fd, data, size) == (ssize_t)size);
	scan(fd, SCAN_HASHES, UINT64_MAX, &whole);
	check_chunks(&whole, data, size);
	check_marks(&whole);
	scan(fd, SCAN_PLACES, 1, &places);
	expect(places.count == whole.count && places.size == whole.size);
	scan_finish(&whole);
	scan_finish(&places);
	return 0;
}
