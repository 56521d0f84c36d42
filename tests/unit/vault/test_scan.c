#include "unit/unit.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/util.h"
#include "vault/scan.h"

enum { LEN = 2 * DOCUMENT_PIECE + 77 };

static char folder[] = "/tmp/sekisho-scan-XXXXXX";
static uint8_t plain[LEN];

static bool keep_none(void *ctx, uint64_t document, uint64_t version)
{
	(void)ctx;
	(void)document;
	(void)version;
	return false;
}

/* A document, ready to be read. */
static struct document_reader *reader_of(void)
{
	struct document_place place = { folder, 1, 1 };
	struct document_writer *writer;
	struct document_reader *reader;
	struct secret *key;

	util_random(plain, sizeof(plain));
	assert_ok(secret_random(DOCUMENT_KEY, &key));
	assert_ok(document_writer_new(&place, key, &writer));
	assert_ok(document_writer_add(writer, plain, LEN));
	assert_ok(document_writer_end(writer));
	document_writer_free(writer);
	assert_ok(document_reader_new(&place, key, LEN, &reader));
	secret_free(key);
	return reader;
}

struct outcome {
	int times;
	enum scan_result result;
	char name[SCAN_NAME_MAX];
	struct scan *scan;
};

static void done(void *ctx, enum scan_result result, const char *name)
{
	struct outcome *outcome = ctx;

	outcome->times++;
	outcome->result = result;
	snprintf(outcome->name, sizeof(outcome->name), "%s", name);
	scan_free(outcome->scan);
}

/* A daemon that takes at most limit bytes before it answers, and never reads more. */
struct daemon {
	int fd;
	uint8_t got[LEN + 1024];
	size_t len, limit;
};

static bool daemon_step(struct daemon *daemon)
{
	ssize_t got = recv(daemon->fd, daemon->got + daemon->len,
			   MIN(sizeof(daemon->got) - daemon->len, (size_t)10007), MSG_DONTWAIT);

	if (got > 0)
		daemon->len += (size_t)got;
	return daemon->len >= daemon->limit;
}

static const size_t everything = sizeof("zINSTREAM") + LEN + 4 * 4;

static struct outcome ask(size_t limit, const char *answer, size_t len)
{
	static struct daemon daemon;
	struct outcome outcome = { 0 };
	struct loop *loop;
	int pair[2];

	assert_ok(loop_new(&loop));
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair),
			 0);
	daemon = (struct daemon){ .fd = pair[1], .limit = limit };
	assert_ok(scan_new(loop, pair[0], reader_of(), done, &outcome, &outcome.scan));
	while (!daemon_step(&daemon))
		assert_ok(loop_step(loop, 0));
	assert_int_equal(outcome.times, 0);
	if (len)
		assert_int_equal(send(daemon.fd, answer, len, MSG_NOSIGNAL), (ssize_t)len);
	close(daemon.fd);
	while (!outcome.times)
		assert_ok(loop_step(loop, 1000));
	assert_int_equal(outcome.times, 1);
	loop_free(loop);
	if (limit != everything)
		return outcome;
	/* What the daemon got is the document, in pieces. */
	size_t at = sizeof("zINSTREAM"), of_document = 0;
	assert_string_equal((char *)daemon.got, "zINSTREAM");
	for (;;) {
		uint32_t piece;
		memcpy(&piece, daemon.got + at, sizeof(piece));
		piece = ntohl(piece);
		at += sizeof(piece);
		if (!piece)
			break;
		assert_memory_equal(daemon.got + at, plain + of_document, piece);
		at += piece;
		of_document += piece;
	}
	assert_int_equal(of_document, LEN);
	assert_int_equal(at, everything);
	return outcome;
}

#define ASK(limit, text) ask(limit, text, sizeof(text))

static void test_answers(void **state)
{
	(void)state;
	struct outcome outcome = ASK(everything, "stream: OK");
	assert_int_equal(outcome.result, SCAN_CLEAN);
	outcome = ASK(everything, "stream: Eicar-Signature FOUND");
	assert_int_equal(outcome.result, SCAN_FOUND);
	assert_string_equal(outcome.name, "Eicar-Signature");
}

static void test_whatever_is_not_clear_is_not_clean(void **state)
{
	static const char *const answers[] = {
		"INSTREAM size limit exceeded. ERROR",
		"stream: OK\n",
		"stream: OK FOUND it",
		"stream:  OK",
		"stream: FOUND",
		"stream: a\033[2J FOUND",
		"",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(answers); i++) {
		struct outcome outcome = ask(everything, answers[i], strlen(answers[i]) + 1);
		assert_int_equal(outcome.result, SCAN_FAILED);
		assert_string_equal(outcome.name, "");
	}
	/* Half an answer, none, and far too long a one. */
	static char longest[4096];
	memset(longest, 'x', sizeof(longest));
	assert_int_equal(ask(everything, "stream: OK", 10).result, SCAN_FAILED);
	assert_int_equal(ask(everything, "", 0).result, SCAN_FAILED);
	assert_int_equal(ask(everything, longest, sizeof(longest)).result, SCAN_FAILED);
}

/* It says what it thinks after it has seen a little. */
static void test_early_answer(void **state)
{
	(void)state;
	struct outcome outcome = ASK(100, "stream: OK");
	assert_int_equal(outcome.result, SCAN_FAILED);
	outcome = ASK(100, "stream: Worm FOUND");
	assert_int_equal(outcome.result, SCAN_FOUND);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_whatever_is_not_clear_is_not_clean),
		cmocka_unit_test(test_early_answer),
	};

	assert_non_null(mkdtemp(folder));
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	if (document_file_sweep(folder, keep_none, NULL) || rmdir(folder))
		failed++;
	return failed;
}
