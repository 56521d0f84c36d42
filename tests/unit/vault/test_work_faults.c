/*
 * The process dies at any of its writes, the disk is full, or the power fails, while files are
 * imported, documents come and records are disposed of: what was answered is there, what was not is
 * there as a whole or not at all, and nothing is left of it. As often as SEKISHO_KILLS says, or so
 * many times; a slow machine stops earlier, when it was often enough.
 */
#include "unit/vault/faults.h"
#include "unit/vault/life_office.h"

#include <dirent.h>
#include <openssl/evp.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/log.h"
#include "vault/documents.h"
#include "wire/ipc.h"

enum {
	KILLS = 1200,
	KILLS_LEAST = 100,
	KILLS_S = 150,
	FOLDERS = 40,
	ROUNDS = 4,
	PEOPLE = 6,
	THINGS = 200,
	BYTES = 20000,
};

/* ---- the system --------------------------------------------------------------------------------
 */

/* These take the place of the C library's, for SQLite and for documents. */
#define SEEN __attribute__((visibility("default")))
SEEN int fsync(int fd);
SEEN int fdatasync(int fd);
SEEN ssize_t write(int fd, const void *data, size_t len);
SEEN int rename(const char *from, const char *to);

/* Nobody has to wait for a disk that is only played. */
int fsync(int fd)
{
	if (goes_wrong() && !fault.full)
		fault_die();
	fault_synced(fd);
	return 0;
}

int fdatasync(int fd)
{
	return fsync(fd);
}

static bool is_ours(int fd)
{
	struct stat st;

	return fd > 2 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
}

ssize_t write(int fd, const void *data, size_t len)
{
	if (is_ours(fd)) {
		if (goes_wrong()) {
			if (!fault.full)
				fault_die();
			fault.left = 1;
			errno = ENOSPC;
			return -1;
		}
		fault_note(fd, data, len, lseek(fd, 0, SEEK_CUR), 0);
	}
	return syscall(SYS_write, fd, data, len);
}

int rename(const char *from, const char *to)
{
	if (goes_wrong() && !fault.full)
		fault_die();
	snprintf(fault.renamed[0], sizeof(fault.renamed[0]), "%s", from);
	snprintf(fault.renamed[1], sizeof(fault.renamed[1]), "%s", to);
	return (int)syscall(SYS_renameat, AT_FDCWD, from, AT_FDCWD, to);
}

/* ---- what should be there ----------------------------------------------------------------------
 */

enum what { IMPORTED, BROUGHT, DISPOSED };

struct thing {
	enum what what;
	unsigned value; /* how many rows, bytes, or which person */
	bool done;      /* it was answered */
};

struct story {
	struct office *office;
	struct thing things[THINGS];
	unsigned count;
	uint64_t counter; /* as the broker knows it */
	uint64_t people[PEOPLE];
	bool opened_again; /* and nothing was done since */
	long opened, done;
};

static struct documents documents;
static enum err came; /* of the last document */
static bool ended;

static void closed(void *ctx, uint32_t number, uint64_t bytes, enum err err)
{
	(void)ctx;
	(void)number;
	(void)bytes;
	came = err;
	ended = true;
}

static int64_t count_of(struct office *office, const char *sql)
{
	_cleanup_query_ struct query query;

	query_init(&query, office->records.db, sql);
	assert_ok(query_one(&query));
	return query_col_i64(&query, 0);
}

static void verify_imported(struct office *office, unsigned at, const struct thing *thing)
{
	char prefix[16];
	unsigned found = 0;

	snprintf(prefix, sizeof(prefix), "i%u-", at);
	for (size_t i = 0; i < index_count(office->records.index); i++)
		found += !strncmp(index_at(office->records.index, i)->name, prefix, strlen(prefix));
	assert_true(found == thing->value || (found == 0 && !thing->done));
}

static const struct thing *disposal_of(const struct story *story, unsigned person)
{
	const struct thing *found = NULL;

	for (unsigned i = 0; i < story->count; i++)
		if (story->things[i].what == DISPOSED && story->things[i].value == person &&
		    (!found || !found->done))
			found = &story->things[i];
	return found;
}

static void verify_person(struct story *story, unsigned person)
{
	struct records *records = &story->office->records;
	const struct thing *thing = disposal_of(story, person);
	struct record_row row = office_record(story->office, story->people[person]);
	char digits[NUMBERS_ROOM];
	const uint8_t *key;

	if (row.state == STATE_DISPOSED) {
		assert_non_null(thing);
		assert_err(record_get_number(records, &row, digits), ERR_NOT_FOUND);
		/* On a full disk it goes when the vault is opened the next time. */
		if (story->opened_again)
			assert_err(keyring_use(&records->keyring, row.key, &key), ERR_NOT_FOUND);
		return;
	}
	assert_true(!thing || !thing->done);
	assert_int_equal(row.state, STATE_ENDED);
	assert_ok(record_get_number(records, &row, digits));
	assert_string_equal(digits, OFFICE_PERSONAL);
}

static uint8_t byte_of(unsigned at, size_t i)
{
	return (uint8_t)(at * 31 + i * 7 + i / 251);
}

/* Reads all of it; which one it is. */
static unsigned read_document(struct records *records, uint64_t id)
{
	struct document_version_row version;
	struct document_facts facts;
	struct document_row document;
	struct record_row row;
	struct document_reader *reader;
	const uint8_t *piece;
	struct secret *key;
	size_t len, at = 0;
	unsigned which;

	assert_ok(documents_row(records, id, &document));
	assert_ok(records_row(records, document.record, &row));
	assert_ok(documents_version(records, &row, &document, 0, &version, &facts));
	assert_int_equal(sscanf(facts.name, "d%u", &which), 1);
	assert_ok(secret_new(facts.key, sizeof(facts.key), &key));
	const struct document_place place = { documents.folder, id, (uint64_t)version.version };
	assert_ok(document_reader_new(&place, key, (uint64_t)version.size, &reader));
	do {
		assert_ok(document_reader_next(reader, &piece, &len));
		for (size_t i = 0; i < len; i++, at++)
			assert_int_equal(piece[i], byte_of(which, at));
	} while (len);
	assert_int_equal(at, version.size);
	document_reader_free(reader);
	secret_free(key);
	return which;
}

static void verify_documents(struct story *story)
{
	struct records *records = &story->office->records;
	bool seen[THINGS] = { false };
	int64_t files = 0;
	DIR *dir = opendir(documents.folder);

	for (int64_t id = 1; id <= count_of(story->office, "SELECT coalesce(max(id), 0)"
							   " FROM document");
	     id++) {
		char sql[96];

		snprintf(sql, sizeof(sql),
			 "SELECT count(*) FROM document_version WHERE document = %lld",
			 (long long)id);
		if (count_of(story->office, sql)) {
			const unsigned which = read_document(records, (uint64_t)id);

			assert_true(which < story->count && !seen[which]);
			assert_int_equal(story->things[which].what, BROUGHT);
			seen[which] = true;
		}
	}
	for (unsigned i = 0; i < story->count; i++)
		if (story->things[i].what == BROUGHT && story->things[i].done)
			assert_true(seen[i]);
	for (const struct dirent *entry; (entry = readdir(dir));)
		files += entry->d_name[0] != '.';
	closedir(dir);
	assert_int_equal(files, count_of(story->office, "SELECT count(*) FROM document_version"));
}

/* What was left half done is cleared away first, as when the vault is opened. */
static void verify(struct story *story)
{
	struct office *office = story->office;

	desk_ready(&office->desk);
	office_wait(office);
	assert_int_equal(office->records.staging.first, 0);
	assert_int_equal(count_of(office, "SELECT count(*) FROM staging"), 0);
	assert_int_equal(count_of(office, "SELECT count(*) FROM record"),
			 index_count(office->records.index));
	for (unsigned i = 0; i < story->count; i++)
		if (story->things[i].what == IMPORTED)
			verify_imported(office, i, &story->things[i]);
	for (unsigned i = 0; i < PEOPLE; i++)
		verify_person(story, i);
	verify_documents(story);
	assert_int_equal(office->notices, 0);
}

/* ---- what is done ------------------------------------------------------------------------------
 */

static enum err do_import(struct office *office, unsigned at, unsigned rows)
{
	char text[512], coded[1024];
	int len = snprintf(text, sizeof(text), "name,number\n");
	enum err err = office_ask(office, SATO, OP_import_begin,
				  "{\"client\":1,\"kind\":4,\"class\":1,\"purposes\":[1]}");

	for (unsigned i = 0; i < rows; i++)
		len += snprintf(text + len, sizeof(text) - (size_t)len, "i%u-%u,\n", at, i);
	if (err)
		return err;
	const long long import = office_number(office, "import");
	EVP_EncodeBlock((unsigned char *)coded, (const uint8_t *)text, len);
	assert_ok(office_ask(office, SATO, OP_import_add,
			     "{\"import\":%lld,\"offset\":0,\"data\":\"%s\"}", import, coded));
	assert_ok(office_ask(office, SATO, OP_import_preview, "{\"import\":%lld}", import));
	assert_ok(office_ask(office, SATO, OP_import_ask, "{\"import\":%lld}", import));
	err = office_ask(office, TANAKA, OP_import_apply, "{\"import\":%lld}", import);
	if (err)
		assert_ok(office_ask(office, SATO, OP_import_cancel, "{\"import\":%lld}", import));
	return err;
}

static enum err do_bring(struct office *office, unsigned at, unsigned bytes)
{
	uint8_t data[BYTES], one[32];
	struct msg_document_whole whole = { .bytes = bytes };
	const struct msg_document_put put = { 0, { data, bytes } };
	int pair[2];
	enum err err = office_ask(office, SATO, OP_document_add,
				  "{\"record\":1,\"name\":\"d%u\",\"size\":%u}", at, bytes);

	if (err) {
		/* A stream that nobody knows of ends by its time. */
		document_streams_close_all(&documents.streams, DOCUMENT_END_ENDED);
		return err;
	}
	for (size_t i = 0; i < bytes; i++)
		data[i] = byte_of(at, i);
	assert_int_equal(EVP_Digest(data, bytes, one, NULL, EVP_sha256(), NULL), 1);
	assert_int_equal(EVP_Digest(one, sizeof(one), whole.sum, NULL, EVP_sha256(), NULL), 1);
	assert_ok(ipc_pair(pair));
	ended = false;
	assert_ok(document_streams_attach(&documents.streams, office->stream, "", pair[0]));
	err = ipc_send(pair[1], MSG_document_put, &put, -1);
	if (!err)
		err = ipc_send(pair[1], MSG_document_whole, &whole, -1);
	while (!ended)
		assert_ok(loop_step(office->loop, 1000));
	close(pair[1]);
	return err ? err : came;
}

static enum err do_dispose(struct office *office, uint64_t record)
{
	struct request_row request;
	enum err err = requests_open_of(&office->records, record, &request);

	if (err == ERR_NOT_FOUND)
		err = office_ask(office, SATO, OP_request_add, "{\"kind\":3,\"records\":[%llu]}",
				 (unsigned long long)record);
	if (!err)
		err = requests_open_of(&office->records, record, &request);
	return err ? err
		   : office_ask(office, TANAKA, OP_dispose_approve, "{\"requests\":[%llu]}",
				(unsigned long long)request.id);
}

static struct thing plan(const struct story *story)
{
	struct thing thing = { .what = (enum what)(rand() % 3) };

	thing.value = thing.what == IMPORTED  ? 1 + (unsigned)rand() % 6
		      : thing.what == BROUGHT ? 1 + (unsigned)rand() % (BYTES - 1)
					      : (unsigned)rand() % PEOPLE;
	if (thing.what == DISPOSED &&
	    office_record(story->office, story->people[thing.value]).state == STATE_DISPOSED)
		thing = (struct thing){ IMPORTED, 2, false };
	return thing;
}

static enum err act(struct story *story, unsigned at)
{
	const struct thing *thing = &story->things[at];

	switch (thing->what) {
	case IMPORTED:
		return do_import(story->office, at, thing->value);
	case BROUGHT:
		return do_bring(story->office, at, thing->value);
	case DISPOSED:
		return do_dispose(story->office, story->people[thing->value]);
	}
	return ERR_INTERNAL;
}

/* ---- open and shut -----------------------------------------------------------------------------
 */

static void open_documents(struct office *office)
{
	assert_ok(documents_init(&documents, office->loop, office->folder));
	documents.streams.closed = closed;
	office->records.documents = &documents;
	assert_ok(documents_sweep(&documents, &office->records));
}

static void shut(struct story *story)
{
	desk_clear(&story->office->desk);
	document_streams_finish(&documents.streams);
	records_seal(&story->office->records);
}

static void open_again(struct story *story)
{
	struct office *office = story->office;

	office->counter = story->counter;
	office_open(office);
	open_documents(office);
	office->seq = office->records.seq;
	story->opened_again = true;
	verify(story);
	story->opened_again = false;
}

static void begin(struct story *story)
{
	const struct grants_hand hand = { 99, 1 };
	const struct grant_row row = {
		.subject_kind = GRANT_ACCOUNT,
		.subject = SATO.account,
		.object_kind = GRANT_EVERYTHING,
		.rights = { GRANT_EDIT, true, DOCUMENT_CO_OWNER },
	};

	*story = (struct story){ .office = office_of_life() };
	story->office->desk.jobs.slice_us = 0;
	assert_ok(records_begin(&story->office->records));
	assert_ok(grants_give(&story->office->records, &row, &hand));
	assert_ok(records_commit(&story->office->records, 0));
	for (unsigned i = 0; i < PEOPLE; i++) {
		story->people[i] = office_active(story->office);
		office_end(story->office, story->people[i]);
	}
	story->counter = story->office->records.counter;
	open_documents(story->office);
}

static void end(struct story *story)
{
	document_streams_finish(&documents.streams);
	office_free(story->office);
}

/* ---- the process dies --------------------------------------------------------------------------
 */

/* What the child tells. */
struct news {
	enum { NEWS_OPENED, NEWS_PLAN, NEWS_DONE } what;
	struct thing thing;
	uint64_t counter;
};

static void tell(int fd, const struct news *news)
{
	assert_int_equal(syscall(SYS_write, fd, news, sizeof(*news)), sizeof(*news));
}

static void child(struct story *story, int fd, unsigned seed, bool power)
{
	srand(seed);
	fault.power = power;
	fault.torn = rand() % 2;
	fault.left = 1 + rand() % 300;
	open_again(story);
	tell(fd, &(struct news){ .what = NEWS_OPENED });
	for (int i = 0; i < ROUNDS; i++) {
		const unsigned at = story->count++;

		story->things[at] = plan(story);
		tell(fd, &(struct news){ .what = NEWS_PLAN, .thing = story->things[at] });
		assert_ok(act(story, at));
		tell(fd, &(struct news){ NEWS_DONE, .counter = story->office->records.counter });
	}
	_exit(0);
}

static void listen_to(struct story *story, int fd)
{
	struct news news;

	while (read(fd, &news, sizeof(news)) == sizeof(news)) {
		story->opened += news.what == NEWS_OPENED;
		if (news.what == NEWS_PLAN)
			story->things[story->count++] = news.thing;
		if (news.what != NEWS_DONE)
			continue;
		story->things[story->count - 1].done = true;
		story->counter = news.counter;
		story->done++;
	}
}

static void die_once(struct story *story, unsigned seed, bool power)
{
	int pipe_fds[2], status = 0;

	assert_int_equal(pipe2(pipe_fds, O_CLOEXEC), 0);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		child(story, pipe_fds[1], seed, power);
	close(pipe_fds[1]);
	listen_to(story, pipe_fds[0]);
	close(pipe_fds[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (!(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) &&
	    !(WIFEXITED(status) && WEXITSTATUS(status) == 0))
		fail_msg("seed %u: the child ended with %x", seed, (unsigned)status);
}

static void die_often(bool power)
{
	const char *wanted = getenv("SEKISHO_KILLS");
	int kills = wanted ? atoi(wanted) : KILLS / 2;
	unsigned seed = (unsigned)time(NULL);
	const uint64_t end_ms = clock_mono_ms() + KILLS_S / 2 * 1000;
	long opened = 0, done = 0;
	struct story story;

	begin(&story);
	shut(&story);
	for (int i = 0; i < kills; i++) {
		die_once(&story, seed + (unsigned)i, power);
		if (!wanted && i >= KILLS_LEAST && clock_mono_ms() > end_ms)
			kills = i + 1;
		if (i % FOLDERS != FOLDERS - 1 && i != kills - 1)
			continue;
		open_again(&story);
		opened += story.opened;
		done += story.done;
		end(&story);
		begin(&story);
		shut(&story);
	}
	end(&story);
	print_message("%d deaths from seed %u: opened %ld times, %ld things done\n", kills, seed,
		      opened, done);
	assert_true(opened > kills / 4 && done > kills / 8);
}

static void killed_anywhere(void **state)
{
	(void)state;
	die_often(false);
}

static void without_power_anywhere(void **state)
{
	(void)state;
	die_often(true);
}

/* ---- the disk is full --------------------------------------------------------------------------
 */

static void a_full_disk_leaves_nothing_half(void **state)
{
	enum { TIMES = 100 };
	struct story story;
	int failed = 0;

	(void)state;
	srand(20261123);
	begin(&story);
	for (int i = 0; i < TIMES; i++) {
		const unsigned at = story.count++;

		story.things[at] = plan(&story);
		fault.full = true;
		fault.torn = i % 2;
		fault.left = 1 + rand() % 40;
		enum err err = act(&story, at);
		fault.left = 0;
		fault.full = false;
		story.things[at].done = !err;
		failed += err != OK;
		verify(&story);
		if (i % 10 == 0) {
			story.counter = story.office->records.counter;
			shut(&story);
			open_again(&story);
		}
	}
	assert_true(failed > TIMES / 10 && failed < TIMES);
	end(&story);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(killed_anywhere),
		cmocka_unit_test(without_power_anywhere),
		cmocka_unit_test(a_full_disk_leaves_nothing_half),
	};

	log_init(NULL, LOG_LEVEL_ERROR);
	fault_prepare();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
