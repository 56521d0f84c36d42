/*
 * The process dies at any of its writes, or the disk is full: what was committed is there, what was
 * not is not, and nothing is half there. It dies 2,000 times, or as often as SEKISHO_KILLS says; a
 * slow machine stops after three minutes, when it was often enough.
 */
#include "unit/vault/faults.h"
#include "unit/vault/records_office.h"

#include <sys/wait.h>

#include "base/clock.h"
#include "base/log.h"

enum {
	KILLS = 2000,
	KILLS_LEAST = 200,
	KILLS_S = 180,
	FOLDERS = 40,
	ROUNDS = 12,
	RECORDS = 48,
	STEPS = 4,
	NUMBERS = 3
};

static const char *const numbers[NUMBERS] = { OFFICE_PERSONAL, OFFICE_OTHER, "111111111118" };

/* ---- what should be there ----------------------------------------------------------------------
 */

/* A transaction of some steps; number and name say what the record has then. */
struct plan {
	struct {
		enum { STEP_NONE, STEP_ADD, STEP_NAME, STEP_NUMBER, STEP_BIN } what;
		unsigned record; /* from 0, in the order of their making */
		unsigned value;
	} steps[STEPS];
};

struct model {
	struct {
		unsigned name, number;
		int64_t version, number_version;
		bool removed;
	} records[RECORDS];
	unsigned count;
	uint64_t counter;
};

static struct plan plan_of(const struct model *model)
{
	struct plan plan = { 0 };
	unsigned count = model->count;

	for (int i = 0; i < 1 + rand() % STEPS; i++) {
		bool adds = count < RECORDS && (count < 3 || rand() % 3 == 0);

		plan.steps[i].what = adds ? STEP_ADD : STEP_NAME + (unsigned)(rand() % 3);
		plan.steps[i].record = adds ? count++ : (unsigned)rand() % count;
		plan.steps[i].value = (unsigned)rand() % 1000;
	}
	return plan;
}

static void model_do(struct model *model, const struct plan *plan)
{
	for (int i = 0; i < STEPS; i++) {
		unsigned at = plan->steps[i].record, value = plan->steps[i].value;

		switch (plan->steps[i].what) {
		case STEP_ADD:
			model->count++;
			model->records[at].version = 1;
			model->records[at].number_version = 1;
			model->records[at].name = value;
			model->records[at].number = value % NUMBERS;
			break;
		case STEP_NAME:
			model->records[at].version++;
			model->records[at].name = value;
			break;
		case STEP_NUMBER:
			model->records[at].number_version++;
			model->records[at].number = value % NUMBERS;
			break;
		case STEP_BIN:
			model->records[at].removed = value % 2;
			break;
		case STEP_NONE:
			break;
		}
	}
	model->counter++;
}

static void name_of(unsigned value, char name[32])
{
	snprintf(name, 32, "名前%u", value);
}

static enum err step(struct records *records, unsigned what, unsigned at, unsigned value)
{
	char name[32];
	const struct content content = { .name = name, .kana = "ナマエ" };
	struct record_row row = office_new_row(at % 5 ? KIND_PAYEE : KIND_CLIENT, 1, 0);
	int64_t version = 0;

	name_of(value, name);
	if (what == STEP_ADD)
		return record_create(records, &row, &content, numbers[value % NUMBERS], &office_by);
	enum err err = records_row(records, at + 1, &row);
	if (!err && what == STEP_NAME)
		err = record_put_version(records, &row, &content, &office_by);
	if (!err && what == STEP_NUMBER)
		err = record_put_number(records, &row, numbers[value % NUMBERS], &office_by,
					&version);
	if (!err && what == STEP_NUMBER)
		err = record_use_number(records, &row, version);
	row.removed = value % 2;
	if (!err && what == STEP_BIN)
		err = records_set_row(records, &row);
	return err;
}

static enum err run(struct records *records, const struct plan *plan)
{
	enum err err = records_begin(records);

	for (int i = 0; !err && i < STEPS && plan->steps[i].what != STEP_NONE; i++)
		err = step(records, plan->steps[i].what, plan->steps[i].record,
			   plan->steps[i].value);
	if (!err)
		err = records_commit(records, 0);
	records_abort(records);
	return err;
}

static void verify(struct office *office, const struct model *model)
{
	struct records *records = &office->records;

	assert_int_equal(records->state, RECORDS_READY);
	assert_int_equal(records->counter, model->counter);
	assert_int_equal(index_count(records->index), model->count);
	for (unsigned i = 0; i < model->count; i++) {
		_cleanup_content_ struct content content = { 0 };
		char name[32], digits[NUMBERS_ROOM];
		struct record_row row;

		name_of(model->records[i].name, name);
		assert_ok(records_row(records, i + 1, &row));
		assert_int_equal(row.version, model->records[i].version);
		assert_int_equal(row.removed, model->records[i].removed);
		assert_int_equal(row.number_version, model->records[i].number_version);
		assert_ok(record_get_content(records, &row, 0, &content));
		assert_string_equal(content.name, name);
		assert_string_equal(index_find(records->index, i + 1)->name, name);
		assert_ok(record_get_number(records, &row, digits));
		assert_string_equal(digits, numbers[model->records[i].number]);
	}
	assert_int_equal(office->notices, 0);
}

/* ---- the process dies --------------------------------------------------------------------------
 */

/* What the child tells: how far the records had come when it opened them, what it is about to do,
 * and that it is done. */
struct news {
	enum { NEWS_OPENED, NEWS_PLAN, NEWS_DONE } what;
	uint64_t counter;
	struct plan plan;
};

struct story {
	struct office *office;
	struct model model;
	struct plan pending; /* it may have been committed */
	bool has_pending;
	long opened, done;
};

static void tell(int fd, const struct news *news)
{
	assert_int_equal(write(fd, news, sizeof(*news)), sizeof(*news));
}

/* The vault with a broker that knows of all that was answered: less than that is rolled back. */
static void open_again(struct story *story)
{
	struct office *office = story->office;

	office->counter = story->model.counter;
	office_open(office);
	/* A process that dies takes nothing with it that it has written: the disk need not be
	 * waited for. */
	assert_ok(db_exec(office->records.db, "PRAGMA synchronous=OFF"));
	assert_ok(db_exec(office->records.keyring.db, "PRAGMA synchronous=OFF"));
	/* No half of what was under way. */
	if (story->has_pending && office->records.counter == story->model.counter + 1)
		model_do(&story->model, &story->pending);
	story->has_pending = false;
	verify(office, &story->model);
}

static void child(struct story *story, int fd, unsigned seed)
{
	srand(seed);
	fault.left = 1 + rand() % 80;
	fault.torn = rand() % 2;
	open_again(story);
	tell(fd, &(struct news){ .what = NEWS_OPENED, .counter = story->model.counter });
	for (int i = 0; i < ROUNDS; i++) {
		const struct plan plan = plan_of(&story->model);

		tell(fd, &(struct news){ .what = NEWS_PLAN, .plan = plan });
		assert_ok(run(&story->office->records, &plan));
		model_do(&story->model, &plan);
		tell(fd, &(struct news){ .what = NEWS_DONE });
	}
	_exit(0);
}

static void listen_to(struct story *story, int fd)
{
	struct news news;

	while (read(fd, &news, sizeof(news)) == sizeof(news)) {
		if (news.what == NEWS_OPENED) {
			if (news.counter == story->model.counter + 1)
				model_do(&story->model, &story->pending);
			assert_int_equal(news.counter, story->model.counter);
			story->has_pending = false;
			story->opened++;
		}
		if (news.what == NEWS_PLAN) {
			story->pending = news.plan;
			story->has_pending = true;
		}
		if (news.what == NEWS_DONE) {
			model_do(&story->model, &story->pending);
			story->has_pending = false;
			story->done++;
		}
	}
}

static void die_once(struct story *story, unsigned seed)
{
	int pipe_fds[2], status = 0;

	assert_int_equal(pipe2(pipe_fds, O_CLOEXEC), 0);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		child(story, pipe_fds[1], seed);
	close(pipe_fds[1]);
	listen_to(story, pipe_fds[0]);
	close(pipe_fds[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (!(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) &&
	    !(WIFEXITED(status) && WEXITSTATUS(status) == 0))
		fail_msg("seed %u: the child ended with %x", seed, (unsigned)status);
}

static void begin(struct story *story)
{
	*story = (struct story){ .office = office_of_records() };
	story->model.counter = story->office->records.counter;
	records_seal(&story->office->records);
}

static void killed_anywhere(void **state)
{
	const char *wanted = getenv("SEKISHO_KILLS");
	int kills = wanted ? atoi(wanted) : KILLS;
	unsigned seed = (unsigned)time(NULL);
	const uint64_t end_ms = clock_mono_ms() + KILLS_S * 1000;
	long opened = 0, done = 0;
	struct story story;

	(void)state;
	begin(&story);
	for (int i = 0; i < kills; i++) {
		die_once(&story, seed + (unsigned)i);
		if (!wanted && i >= KILLS_LEAST && clock_mono_ms() > end_ms)
			kills = i + 1;
		if (i % FOLDERS != FOLDERS - 1 && i != kills - 1)
			continue;
		open_again(&story);
		opened += story.opened;
		done += story.done;
		office_free(story.office);
		begin(&story);
	}
	office_free(story.office);
	print_message("%d deaths from seed %u: opened %ld times, %ld changes\n", kills, seed,
		      opened, done);
	assert_true(opened > kills / 4 && done > kills / 4);
}

/* ---- the disk is full --------------------------------------------------------------------------
 */

static void a_full_disk_loses_nothing(void **state)
{
	enum { TIMES = 300 };
	struct story story;
	int failed = 0;

	(void)state;
	srand(20261122);
	begin(&story);
	open_again(&story);
	for (int i = 0; i < TIMES; i++) {
		const struct plan plan = plan_of(&story.model);

		fault.full = true;
		fault.torn = i % 2;
		fault.left = 1 + rand() % 24;
		enum err err = run(&story.office->records, &plan);
		fault.left = 0;
		fault.full = false;
		if (!err)
			model_do(&story.model, &plan);
		else
			failed++;
		if (err)
			assert_true(err == ERR_FULL || err == ERR_IO);
		verify(story.office, &story.model);
		if (i % 10 == 0) {
			records_seal(&story.office->records);
			open_again(&story);
		}
	}
	assert_true(failed > TIMES / 10 && failed < TIMES);
	office_free(story.office);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(killed_anywhere),
		cmocka_unit_test(a_full_disk_loses_nothing),
	};

	log_init(NULL, LOG_LEVEL_ERROR);
	fault_prepare();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
