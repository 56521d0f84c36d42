/*
 * `sekisho recording verify` and `decrypt` on files as they lie in an auditor's folder.
 */
#include "unit/record/recording.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <spawn.h>
#include <sys/wait.h>

#include "cli/cli.h"
#include "cli/exit.h"

enum { CHUNKS = 8, SIZE = 400, ARGS_MAX = 24, TEXT_MAX = 256 * 1024 };

#define SESSION "01010101010101010101010101010101"
#define OTHER   "02020202020202020202020202020202"

static char folder[UNIT_FOLDER];
static struct auditor auditor, stranger, wide;
static struct seal_recipients *recipients;
static struct recording recording, other;
static char said[TEXT_MAX]; /* what the command wrote */

extern char **environ;

/* ---- files ------------------------------------------------------------------------------ */

struct path {
	char text[UNIT_FOLDER + 64];
};

static struct path in_folder(const char *name)
{
	struct path path;

	snprintf(path.text, sizeof(path.text), "%s/%s", folder, name);
	return path;
}
#define FILE_(name) (in_folder(name).text)

static void put_file(const char *name, const void *data, size_t len)
{
	assert_ok(util_write_file(FILE_(name), data, len, 0600));
}

static void put_key(const char *name, EVP_PKEY *key, const char *passphrase)
{
	FILE *file = fopen(FILE_(name), "w");

	assert_non_null(file);
	assert_true(PEM_write_PrivateKey(file, key, passphrase ? EVP_aes_256_cbc() : NULL,
					 (const unsigned char *)passphrase,
					 passphrase ? (int)strlen(passphrase) : 0, NULL, NULL));
	fclose(file);
}

static void put_certificate(const char *name, X509 *certificate, bool pem)
{
	FILE *file = fopen(FILE_(name), "w");

	assert_non_null(file);
	assert_true(pem ? PEM_write_X509(file, certificate) : i2d_X509_fp(file, certificate));
	fclose(file);
}

static void put_pkcs12(const char *name, const char *passphrase)
{
	PKCS12 *p12 = PKCS12_create(passphrase, "auditor", auditor.key, auditor.certificate, NULL,
				    0, 0, 0, 0, 0);
	FILE *file = fopen(FILE_(name), "w");

	assert_non_null(file);
	assert_true(p12 && i2d_PKCS12_fp(file, p12));
	fclose(file);
	PKCS12_free(p12);
}

enum form { BARE, DETAIL, DETAIL_TEXT };

/* After every fourth chunk, as the export of the log has it or alone. */
static void put_marks(FILE *file, const struct recording *from, enum form form, const char *session)
{
	for (size_t i = 3; i < from->count; i += 4) {
		char hash[2 * CHUNK_HASH + 1];
		util_hex(from->marks[i].hash, CHUNK_HASH, hash);
		json_t *mark = json_pack(
			"{s:I, s:I, s:s, s:b}", "chunks", (json_int_t)from->marks[i].chunks, "size",
			(json_int_t)from->marks[i].size, "hash", hash, "last", from->marks[i].last);
		char *text = json_dumps(mark, JSON_COMPACT);
		json_t *line =
			form == BARE
				? json_incref(mark)
				: json_pack("{s:I, s:s, s:s, s:o}", "number", (json_int_t)i,
					    "event", "recording-mark", "session", session, "detail",
					    form == DETAIL ? json_incref(mark) : json_string(text));
		assert_int_equal(json_dumpf(line, file, JSON_COMPACT), 0);
		fputc('\n', file);
		free(text);
		json_decref(line);
		json_decref(mark);
	}
}

/* As the export of the whole log, with what else is in it. */
static void put_log(const char *name, enum form form)
{
	FILE *file = fopen(FILE_(name), "w");

	assert_non_null(file);
	fprintf(file, "{\"number\":1,\"event\":\"login\",\"session\":\"\",\"detail\":{}}\n\n");
	put_marks(file, &other, form, OTHER);
	put_marks(file, &recording, form, SESSION);
	fclose(file);
}

static void put_files(void)
{
	FILE *file;

	put_file(SESSION ".skr", recording.file.data, recording.file.len);
	put_file("file.skr", recording.file.data, recording.file.len);
	file = fopen(FILE_("marks.jsonl"), "w");
	assert_non_null(file);
	put_marks(file, &recording, BARE, NULL);
	fclose(file);
	put_log("log.jsonl", DETAIL);
	put_log("log_text.jsonl", DETAIL_TEXT);
	put_key("plain.key", auditor.key, NULL);
	put_key("locked.key", auditor.key, "ひみつ");
	put_key("stranger.key", stranger.key, NULL);
	put_key("wide.key", wide.key, NULL);
	put_pkcs12("locked.p12", "secret12");
	put_pkcs12("empty.p12", "");
	put_certificate("cert.pem", auditor.certificate, true);
	put_certificate("cert.der", auditor.certificate, false);
	put_certificate("stranger.pem", stranger.certificate, true);
}

/* ---- running ---------------------------------------------------------------------------- */

static int redirect(int fd, const char *path, int flags)
{
	const int saved = dup(fd), opened = open(path, flags | O_CLOEXEC, 0600);

	assert_true(saved >= 0 && opened >= 0);
	assert_int_equal(dup2(opened, fd), fd);
	close(opened);
	return saved;
}

static void restore(int fd, int saved)
{
	assert_int_equal(dup2(saved, fd), fd);
	close(saved);
}

/* The command line, a NULL at its end; returns the exit code. input: what is typed. */
static int run(const char *input, const char *const *line)
{
	char *argv[ARGS_MAX] = { (char *)(uintptr_t) "sekisho" };
	_cleanup_free_ char *text = NULL;
	int argc = 1, code;
	size_t len;

	for (; line[argc - 1]; argc++)
		argv[argc] = (char *)(uintptr_t)line[argc - 1];
	put_file("input", input, strlen(input));
	const int in = redirect(0, FILE_("input"), O_RDONLY);
	fflush(stdout);
	fflush(stderr);
	const int out = redirect(1, FILE_("said"), O_WRONLY | O_CREAT | O_TRUNC);
	const int err = redirect(2, FILE_("said"), O_WRONLY | O_APPEND);
	code = cli_main(argc, argv);
	fflush(stdout);
	fflush(stderr);
	restore(0, in);
	restore(1, out);
	restore(2, err);
	assert_ok(util_read_file(FILE_("said"), TEXT_MAX, &text, &len));
	assert_true(len < sizeof(said));
	memcpy(said, text, len + 1);
	return code;
}
#define RUN(input, ...) run(input, (const char *const[]){ "recording", __VA_ARGS__, NULL })

static json_t *answer(void)
{
	json_t *body = json_loads(said, 0, NULL);

	if (!body)
		fail_msg("no JSON: %s", said);
	return body;
}

static void expect_text(const char *name, const char *wanted)
{
	json_t *body = answer();
	const char *got = json_string_value(json_object_get(body, name));

	if (!got || !util_streq(got, wanted))
		fail_msg("%s is not %s: %s", name, wanted, said);
	json_decref(body);
}

static int64_t number(const char *name)
{
	json_t *body = answer();
	const json_t *value = json_object_get(body, name);

	if (!json_is_integer(value))
		fail_msg("no %s: %s", name, said);
	const int64_t got = json_integer_value(value);
	json_decref(body);
	return got;
}

/* ---- verify ----------------------------------------------------------------------------- */

static void a_recording_is_intact(void **state)
{
	static const char *const marks[] = { "marks.jsonl", "log.jsonl", "log_text.jsonl" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(marks); i++) {
		assert_int_equal(RUN("", "verify", "--json", "--file", FILE_(SESSION ".skr"),
				     "--marks", FILE_(marks[i])),
				 EXIT_DONE);
		expect_text("verdict", "intact");
		expect_text("session", SESSION);
		assert_int_equal(number("proven"), CHUNKS);
	}
	assert_int_equal(
		RUN("", "verify", "--file", FILE_(SESSION ".skr"), "--marks", FILE_("log.jsonl")),
		EXIT_DONE);
	assert_non_null(strstr(said, "verdict: intact\n"));
}

static void places_are_those_of_the_chunks(void **state)
{
	(void)state;
	assert_int_equal(RUN("", "verify", "--json", "--file", FILE_("file.skr")), EXIT_AMBER);
	expect_text("verdict", "unproven");
	json_t *body = answer(), *places = json_object_get(body, "places");
	assert_int_equal(json_array_size(places), CHUNKS);
	for (size_t i = 0; i < CHUNKS; i++) {
		const json_t *place = json_array_get(places, i);
		assert_int_equal(json_integer_value(json_object_get(place, "offset")),
				 recording.offsets[i]);
		assert_int_equal(json_integer_value(json_object_get(place, "size")),
				 recording.offsets[i + 1] - recording.offsets[i]);
	}
	json_decref(body);
}

static void what_is_wrong_is_said(void **state)
{
	_cleanup_free_ uint8_t *changed = malloc(recording.file.len);

	(void)state;
	assert_non_null(changed);
	memcpy(changed, recording.file.data, recording.file.len);
	changed[recording.offsets[6] - 1] ^= 1;
	put_file("changed.skr", changed, recording.file.len);
	assert_int_equal(RUN("", "verify", "--json", "--file", FILE_("changed.skr"), "--session",
			     SESSION, "--marks", FILE_("log.jsonl")),
			 EXIT_RED);
	expect_text("verdict", "tampered");
	expect_text("finding", "changed");
	assert_int_equal(number("first_bad"), 4);
	assert_int_equal(number("last_bad"), 7);
	assert_int_equal(RUN("", "verify", "--json", "--file", FILE_("changed.skr"), "--key",
			     FILE_("plain.key")),
			 EXIT_RED);
	expect_text("finding", "forged");
	assert_int_equal(number("first_bad"), 5);
	put_file("cut.skr", changed, recording.offsets[5] - 1);
	assert_int_equal(RUN("", "verify", "--json", "--file", FILE_("cut.skr")), EXIT_AMBER);
	expect_text("verdict", "cut");
	expect_text("finding", "part-of-chunk");
	assert_int_equal(number("whole"), recording.offsets[4]);
}

static void it_is_said_in_japanese_too(void **state)
{
	(void)state;
	assert_int_equal(setenv("LC_ALL", "ja_JP.UTF-8", 1), 0);
	assert_int_equal(RUN("", "verify", "--file", FILE_("file.skr")), EXIT_AMBER);
	assert_int_equal(setenv("LC_ALL", "C.UTF-8", 1), 0);
	assert_non_null(strstr(said, "判定: 証明なし\n"));
	assert_non_null(strstr(said, "--marks"));
}

/* ---- check ------------------------------------------------------------------------------ */

static void put_recording(const char *session, const struct recording *from)
{
	char name[64];

	assert_true(mkdir(FILE_("all"), 0700) == 0 || errno == EEXIST);
	snprintf(name, sizeof(name), "all/%s.skr", session);
	if (from)
		put_file(name, from->file.data, from->file.len);
	else
		unlink(FILE_(name));
}

/* finding: of this recording; NULL: it is not in the table. */
static void expect_checked(int code, const char *session, const char *finding)
{
	const char *found = NULL;
	size_t index;
	json_t *row;

	assert_int_equal(
		RUN("", "check", "--json", "--folder", FILE_("all"), "--marks", FILE_("all.jsonl")),
		code);
	json_t *body = answer();
	json_array_foreach(json_object_get(body, "rows"), index, row)
	{
		if (util_streq(json_string_value(json_array_get(row, 0)), session))
			found = json_string_value(json_array_get(row, 2));
	}
	if (finding ? !found || !util_streq(found, finding) : found != NULL)
		fail_msg("%s is not %s: %s", session, finding ? finding : "away", said);
	json_decref(body);
}

static void put_all(const char *more)
{
	FILE *file = fopen(FILE_("all.jsonl"), "w");

	assert_non_null(file);
	fputs("{\"event\":\"login\",\"session\":\"\",\"detail\":{}}\n"
	      "{\"event\":\"recording-mark\",\"disposed\":true}\n",
	      file);
	put_marks(file, &other, DETAIL_TEXT, OTHER);
	put_marks(file, &recording, DETAIL_TEXT, SESSION);
	fputs(more, file);
	fclose(file);
}

static void a_folder_is_checked_as_a_whole(void **state)
{
	static const char third[] = "03030303030303030303030303030303";
	(void)state;
	put_all("");
	put_recording(SESSION, &recording);
	put_recording(OTHER, &other);
	put_file("all/notes.txt", "x", 1);
	expect_checked(EXIT_DONE, SESSION, "none");
	put_recording(OTHER, NULL);
	expect_checked(EXIT_RED, OTHER, "gone");
	expect_checked(EXIT_RED, SESSION, "none");
	put_recording(OTHER, &recording);
	expect_checked(EXIT_RED, OTHER, "changed");
	put_recording(OTHER, &other);
	put_recording(third, &other);
	expect_checked(EXIT_RED, third, "unknown");
	put_recording(third, NULL);
	put_all("{\"event\":\"recording-start\",\"session\":\"03030303030303030303030303030303\","
		"\"detail\":{}}\n");
	expect_checked(EXIT_RED, third, "gone");
	put_all("{\"event\":\"recording-disposed\",\"session\":\"" OTHER "\",\"detail\":{}}\n");
	expect_checked(EXIT_RED, OTHER, "disposed");
	put_recording(OTHER, NULL);
	expect_checked(EXIT_DONE, OTHER, NULL);
}

static void only_a_log_is_checked_against(void **state)
{
	(void)state;
	put_recording(SESSION, &recording);
	static const char *const wrong[] = { "marks.jsonl", "plain.key", "none.jsonl" };
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		assert_int_equal(RUN("", "check", "--json", "--folder", FILE_("all"), "--marks",
				     FILE_(wrong[i])),
				 EXIT_REFUSED);
		expect_text("field", "marks");
	}
	assert_int_equal(RUN("", "check", "--json", "--folder", FILE_("none"), "--marks",
			     FILE_("all.jsonl")),
			 EXIT_REFUSED);
	expect_text("field", "folder");
}

static const struct {
	const char *file, *session, *marks, *error;
	int code;
} wrong_marks[] = {
	{ "file.skr", NULL, "log.jsonl", "invalid", EXIT_REFUSED }, /* of two sessions */
	{ "file.skr", OTHER, "marks.jsonl", NULL, EXIT_DONE },      /* they do not say */
	{ "file.skr", OTHER, "log.jsonl", NULL, EXIT_RED },         /* another recording's */
	{ "file.skr", "0101", "log.jsonl", "invalid", EXIT_USAGE },
	{ "file.skr", "x", "log.jsonl", "invalid", EXIT_USAGE },
	{ "file.skr", "03030303030303030303030303030303", "log.jsonl", "not-found", EXIT_REFUSED },
	{ "file.skr", NULL, "none.jsonl", "not-found", EXIT_REFUSED },
	{ "file.skr", NULL, "empty.jsonl", "not-found", EXIT_REFUSED },
	{ "file.skr", NULL, "disposed.jsonl", "not-found", EXIT_REFUSED },
	{ "file.skr", NULL, "long.jsonl", "too-big", EXIT_REFUSED },
	{ "file.skr", NULL, "garbage.jsonl", "invalid", EXIT_REFUSED },
	{ "file.skr", NULL, "half.jsonl", "invalid", EXIT_REFUSED },
	{ "file.skr", NULL, "negative.jsonl", "invalid", EXIT_REFUSED },
	{ "none.skr", NULL, "marks.jsonl", "not-found", EXIT_REFUSED },
	{ ".", NULL, "marks.jsonl", "invalid", EXIT_REFUSED },
};

static void wrong_marks_are_refused(void **state)
{
	static const char disposed[] =
		"{\"seq\":7,\"event\":\"recording-mark\",\"disposed\":true}\n";
	static const char half[] = "{\"chunks\":3,\"size\":9,\"last\":false}\n";
	static const char negative[] = "{\"chunks\":-1,\"size\":9,\"hash\":\""
				       "0000000000000000000000000000000000000000000000000000000000"
				       "000000\",\"last\":false}\n";

	(void)state;
	_cleanup_free_ char *line = malloc(TEXT_MAX);

	assert_non_null(line);
	memset(line, ' ', TEXT_MAX);
	put_file("long.jsonl", line, TEXT_MAX);
	put_file("empty.jsonl", "\n", 1);
	put_file("disposed.jsonl", disposed, strlen(disposed));
	put_file("garbage.jsonl", "{\"chunks\":\n", 11);
	put_file("half.jsonl", half, strlen(half));
	put_file("negative.jsonl", negative, strlen(negative));
	for (size_t i = 0; i < ARRAY_SIZE(wrong_marks); i++) {
		const char *session = wrong_marks[i].session;
		const int code = run(
			"", (const char *const[]){ "recording", "verify", "--json", "--file",
						   FILE_(wrong_marks[i].file), "--marks",
						   FILE_(wrong_marks[i].marks),
						   session ? "--session" : NULL, session, NULL });
		if (code != wrong_marks[i].code)
			fail_msg("%zu: %d, %s", i, code, said);
		if (wrong_marks[i].error)
			expect_text("error", wrong_marks[i].error);
	}
}

/* ---- keys ------------------------------------------------------------------------------- */

static const struct {
	const char *key, *cert, *typed, *error;
	int code;
} keys[] = {
	{ "plain.key", NULL, "", NULL, EXIT_AMBER },
	{ "plain.key", "cert.pem", "", NULL, EXIT_AMBER },
	{ "plain.key", "cert.der", "", NULL, EXIT_AMBER },
	{ "locked.key", NULL, "ひみつ\n", NULL, EXIT_AMBER },
	{ "locked.p12", NULL, "secret12\n", NULL, EXIT_AMBER },
	{ "locked.p12", "cert.pem", "secret12\n", NULL, EXIT_AMBER },
	{ "empty.p12", NULL, "", NULL, EXIT_AMBER },
	{ "locked.key", NULL, "wrong\n", "login", EXIT_REFUSED },
	{ "locked.key", NULL, "", "closed", EXIT_REFUSED },
	{ "locked.p12", NULL, "wrong\n", "login", EXIT_REFUSED },
	{ "locked.p12", NULL, "", "closed", EXIT_REFUSED },
	{ "stranger.key", NULL, "", "denied", EXIT_REFUSED },
	{ "stranger.key", "stranger.pem", "", "denied", EXIT_REFUSED },
	{ "stranger.key", "cert.pem", "", "key", EXIT_REFUSED },
	{ "plain.key", "stranger.pem", "", "key", EXIT_REFUSED },
	{ "wide.key", NULL, "", "key", EXIT_REFUSED },
	{ "cert.pem", NULL, "", "invalid", EXIT_REFUSED },
	{ "plain.key", "plain.key", "", "invalid", EXIT_REFUSED },
	{ "none.key", NULL, "", "not-found", EXIT_REFUSED },
	{ "plain.key", "none.pem", "", "not-found", EXIT_REFUSED },
};

static void keys_come_in_several_forms(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		const char *cert = keys[i].cert;
		const struct path cert_path = in_folder(cert ? cert : "");
		const int code =
			run(keys[i].typed,
			    (const char *const[]){ "recording", "verify", "--json", "--file",
						   FILE_("file.skr"), "--key", FILE_(keys[i].key),
						   cert ? "--cert" : NULL, cert_path.text, NULL });
		if (code != keys[i].code)
			fail_msg("%s with %s: %d, %s", keys[i].key, cert ? cert : "none", code,
				 said);
		if (keys[i].error)
			expect_text("error", keys[i].error);
		else
			assert_int_equal(number("opened"), CHUNKS);
	}
	assert_int_equal(RUN("", "verify", "--json", "--file", FILE_("file.skr"), "--cert",
			     FILE_("cert.pem")),
			 EXIT_USAGE);
}

/* ---- decrypt ---------------------------------------------------------------------------- */

static void open_chunk(const uint8_t *der, size_t len, struct buf *plain)
{
	assert_ok(seal_open(auditor.key, auditor.certificate, der, len, plain));
}

/* Its lines, one object each. */
static json_t *read_lines(const char *name)
{
	FILE *file = fopen(FILE_(name), "r");
	json_t *lines = json_array(), *line;

	assert_non_null(file);
	while ((line = json_loadf(file, JSON_DISABLE_EOF_CHECK, NULL)))
		json_array_append_new(lines, line);
	fclose(file);
	return lines;
}

static void what_is_inside_is_written(void **state)
{
	_cleanup_free_ char *plain = NULL;
	struct buf wanted;
	struct stat stat_;
	size_t len;

	(void)state;
	assert_int_equal(RUN("", "decrypt", "--json", "--file", FILE_(SESSION ".skr"), "--key",
			     FILE_("plain.key"), "--out", FILE_("out"), "--marks",
			     FILE_("log.jsonl")),
			 EXIT_DONE);
	expect_text("verdict", "intact");
	assert_int_equal(number("records"), 2 * CHUNKS + 2);
	buf_init(&wanted, 1024 * 1024);
	for (size_t i = 0; i < CHUNKS; i++)
		open_chunk(recording.file.data + recording.offsets[i],
			   recording.offsets[i + 1] - recording.offsets[i], &wanted);
	assert_ok(util_read_file(FILE_("out/plain.bin"), 1024 * 1024, &plain, &len));
	assert_int_equal(len, wanted.len);
	assert_memory_equal(plain, wanted.data, len);
	buf_finish(&wanted);
	assert_int_equal(stat(FILE_("out"), &stat_), 0);
	assert_int_equal(stat_.st_mode & 07777, 0700);
	assert_int_equal(stat(FILE_("out/plain.bin"), &stat_), 0);
	assert_int_equal(stat_.st_mode & 07777, 0600);

	json_t *lines = read_lines("out/records.jsonl"), *first = json_array_get(lines, 0);
	assert_int_equal(json_array_size(lines), 2 * CHUNKS + 2);
	assert_string_equal(json_string_value(json_object_get(first, "kind")), "meta");
	assert_string_equal(
		json_string_value(json_object_get(json_object_get(first, "content"), "account")),
		"sato");
	const size_t at = (size_t)json_integer_value(json_object_get(first, "offset"));
	assert_memory_equal(plain + at, "{\"version\":1", 12);
	assert_int_equal(json_integer_value(json_object_get(first, "time_ms")), 1800000000000);
	json_decref(lines);
	/* What is there stays. */
	assert_int_equal(RUN("", "decrypt", "--json", "--file", FILE_(SESSION ".skr"), "--key",
			     FILE_("plain.key"), "--out", FILE_("out")),
			 EXIT_REFUSED);
	expect_text("error", "exists");
}

/* Whole messages of the stream are read, of pictures the size. */
static void messages_are_readable(void **state)
{
	static const uint8_t key[] = { 0x03, 0x09, 0x61, 0, 0, 0, 0x1e, 0, 1 };
	struct recording made;
	struct chunk_writer writer;
	struct chunk_head head;
	const uint8_t *plain;
	size_t len;

	(void)state;
	recording_init(&made, 1, recipients);
	recording_add(&made, 10, 0);
	head = recording_head(&made);
	chunk_writer_init(&writer);
	assert_ok(chunk_writer_begin(&writer, &head));
	record_add(&writer, RECORD_INPUT, key, sizeof(key));
	record_add(&writer, RECORD_EVENT, "no JSON", 7);
	assert_ok(chunk_writer_end(&writer, CHUNK_LAST, &plain, &len));
	recording_add_plain(&made, plain, len);
	chunk_writer_finish(&writer);
	put_file("keys.skr", made.file.data, made.file.len);
	recording_finish(&made);
	assert_int_equal(RUN("", "decrypt", "--json", "--file", FILE_("keys.skr"), "--key",
			     FILE_("plain.key"), "--out", FILE_("keys")),
			 EXIT_DONE);
	json_t *lines = read_lines("keys/records.jsonl"), *line = json_array_get(lines, 3);
	assert_string_equal(json_string_value(json_object_get(line, "message")), "key");
	json_t *content = json_object_get(line, "content");
	assert_int_equal(json_integer_value(json_object_get(content, "keysym")), 0x61);
	assert_int_equal(json_integer_value(json_object_get(content, "scancode")), 0x1e);
	assert_int_equal(json_integer_value(json_object_get(content, "down")), 1);
	assert_null(json_object_get(json_array_get(lines, 4), "content"));
	json_decref(lines);
}

/* The rest of a damaged recording is not lost. */
static void what_opens_is_written(void **state)
{
	_cleanup_free_ uint8_t *changed = malloc(recording.file.len);

	(void)state;
	assert_non_null(changed);
	memcpy(changed, recording.file.data, recording.file.len);
	changed[recording.offsets[3] - 1] ^= 1;
	put_file("damaged.skr", changed, recording.file.len);
	assert_int_equal(RUN("", "decrypt", "--json", "--file", FILE_("damaged.skr"), "--key",
			     FILE_("plain.key"), "--out", FILE_("damaged")),
			 EXIT_RED);
	expect_text("finding", "forged");
	assert_int_equal(number("first_bad"), 2);
	assert_int_equal(number("opened"), CHUNKS - 1);
	json_t *lines = read_lines("damaged/records.jsonl");
	assert_int_equal(json_array_size(lines), 2 * (CHUNKS - 1) + 2);
	json_decref(lines);
}

/* docs/recording.md promises it. */
static void openssl_opens_a_chunk(void **state)
{
	const struct path in = in_folder("one.der"), cert = in_folder("cert.pem"),
			  key = in_folder("plain.key"), out = in_folder("one.plain");
	const char *const argv[] = { "openssl", "cms",     "-decrypt", "-inform", "DER",
				     "-in",     in.text,   "-recip",   cert.text, "-inkey",
				     key.text,  "-binary", "-out",     out.text,  NULL };
	_cleanup_free_ char *plain = NULL;
	struct buf wanted;
	int status;
	pid_t pid;
	size_t len;

	(void)state;
	buf_init(&wanted, 1024 * 1024);
	put_file("one.der", recording.file.data + recording.offsets[3],
		 recording.offsets[4] - recording.offsets[3]);
	open_chunk(recording.file.data + recording.offsets[3],
		   recording.offsets[4] - recording.offsets[3], &wanted);
	if (posix_spawnp(&pid, "openssl", NULL, NULL, (char *const *)(uintptr_t)argv, environ))
		skip();
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_ok(util_read_file(FILE_("one.plain"), 1024 * 1024, &plain, &len));
	assert_int_equal(len, wanted.len);
	assert_memory_equal(plain, wanted.data, len);
	buf_finish(&wanted);
}

static int make_files(void **state)
{
	(void)state;
	assert_int_equal(setenv("LC_ALL", "C.UTF-8", 1), 0);
	unit_folder(folder);
	auditor = auditor_make();
	stranger = auditor_make();
	wide = auditor_make_as(&(struct auditor_plan){ .group = "P-384" });
	recipients = recipients_of(&auditor, 1);
	recording_init(&recording, 1, recipients);
	recording_make(&recording, CHUNKS, SIZE);
	recording_init(&other, 2, recipients);
	recording_make(&other, CHUNKS, SIZE);
	put_files();
	return 0;
}

static int free_files(void **state)
{
	(void)state;
	recording_finish(&recording);
	recording_finish(&other);
	seal_recipients_free(recipients);
	auditor_free(&auditor);
	auditor_free(&stranger);
	auditor_free(&wide);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_recording_is_intact),
		cmocka_unit_test(places_are_those_of_the_chunks),
		cmocka_unit_test(what_is_wrong_is_said),
		cmocka_unit_test(it_is_said_in_japanese_too),
		cmocka_unit_test(a_folder_is_checked_as_a_whole),
		cmocka_unit_test(only_a_log_is_checked_against),
		cmocka_unit_test(wrong_marks_are_refused),
		cmocka_unit_test(keys_come_in_several_forms),
		cmocka_unit_test(what_is_inside_is_written),
		cmocka_unit_test(messages_are_readable),
		cmocka_unit_test(what_opens_is_written),
		cmocka_unit_test(openssl_opens_a_chunk),
	};

	return cmocka_run_group_tests(tests, make_files, free_files);
}
