#include "vault/tries.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/util.h"

enum { PATH_BYTES = 400, TEXT_MAX = 32, COUNT_MAX = 1000000000 };

static enum err path_of(const struct tries *tries, char path[PATH_BYTES])
{
	int len = snprintf(path, PATH_BYTES, "%s/tries", tries->folder);

	return len > 0 && len < PATH_BYTES ? OK : ERR_TOO_BIG;
}

/* A disk that is full must not keep the owner out: then they count in memory alone. */
static void save(const struct tries *tries)
{
	char path[PATH_BYTES], text[TEXT_MAX];
	int len = snprintf(text, sizeof(text), "%lld", (long long)tries->failed);
	enum err err = path_of(tries, path);

	if (!err)
		err = util_write_file(path, text, (size_t)len, 0600);
	if (err)
		log_warn("tries-not-kept", "failed=%lld error=%s", (long long)tries->failed,
			 err_code(err));
}

void tries_open(struct tries *tries, const char *folder, uint64_t mono_ms)
{
	_cleanup_free_ char *text = NULL;
	char path[PATH_BYTES];
	size_t len;

	*tries = (struct tries){ .folder = folder, .last_ms = mono_ms };
	if (path_of(tries, path) || util_read_file(path, TEXT_MAX, &text, &len))
		return;
	if (util_parse_i64(text, 0, COUNT_MAX, &tries->failed))
		tries->failed = TRIES_FREE + 1; /* somebody was at it */
}

uint64_t tries_wait_ms(const struct tries *tries, uint64_t mono_ms)
{
	uint64_t wait_ms = TRIES_WAIT_MS, passed_ms = mono_ms - tries->last_ms;

	if (tries->failed < TRIES_FREE)
		return 0;
	for (int64_t i = TRIES_FREE; i < tries->failed && wait_ms < TRIES_WAIT_MAX_MS; i++)
		wait_ms *= 2;
	wait_ms = MIN(wait_ms, (uint64_t)TRIES_WAIT_MAX_MS);
	return passed_ms < wait_ms ? wait_ms - passed_ms : 0;
}

enum err tries_take(struct tries *tries, uint64_t mono_ms)
{
	if (tries_wait_ms(tries, mono_ms))
		return ERR_THROTTLED;
	if (tries->failed < COUNT_MAX)
		tries->failed++;
	tries->last_ms = mono_ms;
	save(tries);
	return OK;
}

void tries_clear(struct tries *tries)
{
	tries->failed = 0;
	save(tries);
}

void tries_give_back(struct tries *tries)
{
	if (tries->failed > 0)
		tries->failed--;
	save(tries);
}
