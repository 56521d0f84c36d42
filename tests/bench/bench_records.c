/*
 * The vault's records in an office of 100,000 people (vault/records_change.h, vault/desk.h):
 * bench-records [folder]. Orders go through the desk, with JSON, grants and the audit log's round
 * trip left out.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "base/util.h"
#include "vault/desk.h"
#include "vault/grants.h"
#include "vault/grants_change.h"
#include "vault/index.h"
#include "vault/records_change.h"

enum { PEOPLE = 100000, CLIENTS = 200, READS = 10000, SEARCHES = 200, USER = 1 };

struct bench {
	struct records records;
	struct desk desk;
	uint32_t request;
	uint64_t seq;
	bool held;
	enum err err;
	size_t answer;
};

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void must(enum err err, const char *what)
{
	if (!err)
		return;
	fprintf(stderr, "%s: %s\n", what, err_text_en(err));
	exit(1);
}

/* ---- an office ---------------------------------------------------------------------------------
 */

/* A number whose check digit is right. */
static void number_of(unsigned n, char ret[NUMBERS_ROOM])
{
	for (char check = '0'; check <= '9'; check++) {
		snprintf(ret, NUMBERS_ROOM, "%011u%c", n, check);
		if (numbers_valid(ret))
			return;
	}
}

static void name_of(unsigned n, char *name, char *kana, size_t size)
{
	static const char *const families[][2] = {
		{ "佐藤", "サトウ" },   { "鈴木", "スズキ" },   { "高橋", "タカハシ" },
		{ "田中", "タナカ" },   { "伊藤", "イトウ" },   { "渡辺", "ワタナベ" },
		{ "山本", "ヤマモト" }, { "中村", "ナカムラ" }, { "小林", "コバヤシ" },
	};
	static const char *const given[][2] = {
		{ "花子", "ハナコ" }, { "太郎", "タロウ" }, { "一郎", "イチロウ" },
		{ "陽菜", "ヒナ" },   { "蓮", "レン" },     { "結衣", "ユイ" },
		{ "大翔", "ヒロト" },
	};
	const char *const *family = families[n % ARRAY_SIZE(families)],
			  *const *first = given[n / 9 % ARRAY_SIZE(given)];

	snprintf(name, size, "%s %s%u", family[0], first[0], n);
	snprintf(kana, size, "%s %s", family[1], first[1]);
}

static uint64_t add(struct bench *bench, int64_t kind, uint64_t client, unsigned n)
{
	static const struct change_by by = { .account = USER, .now_s = 1763769600 };
	char name[128], kana[128], number[NUMBERS_ROOM];
	json_t *fields = json_pack("{s:s, s:s}", "address", "東京都千代田区霞が関一丁目", "joined",
				   "2026-04-01");
	const struct content content = { .name = name, .kana = kana, .fields = fields };
	struct record_row row = { .kind = kind,
				  .state = STATE_ACTIVE,
				  .client = client,
				  .class = 1,
				  .purposes = { [7] = 1 },
				  .purpose_count = 1 };

	name_of(n, name, kana, sizeof(name));
	number_of(n, number);
	must(record_create(&bench->records, &row, &content, number, &by), "record");
	json_decref(fields);
	return row.id;
}

static void fill(struct bench *bench)
{
	static const struct grants_hand hand = { USER, 1763769600 };
	static const struct grant_row all = { .subject_kind = GRANT_ACCOUNT,
					      .object_kind = GRANT_EVERYTHING,
					      .subject = USER,
					      .rights = { GRANT_EDIT, true, 0 } };
	uint64_t clients[CLIENTS];
	double start = now();

	must(records_begin(&bench->records), "begin");
	must(db_exec(bench->records.db,
		     "INSERT INTO class (id, name, name_en, start, start_en, years) VALUES"
		     " (1, 'c', '', 's', '', 7);"
		     "INSERT INTO purpose (id, name, name_en) VALUES (1, 'p', '')"),
	     "rules");
	must(grants_give(&bench->records, &all, &hand), "grant");
	for (unsigned i = 0; i < CLIENTS; i++)
		clients[i] = add(bench, KIND_CLIENT, 0, i);
	for (unsigned i = 0; i < PEOPLE; i++)
		add(bench, KIND_EMPLOYEE, clients[i % CLIENTS], i);
	must(records_commit(&bench->records, 0), "commit");
	printf("%d records with a number each, in one transaction: %.1f s\n", PEOPLE + CLIENTS,
	       now() - start);
}

static void unseal(struct bench *bench, const struct secret *root, int64_t generation)
{
	must(records_open(&bench->records, root, generation), "open");
	must(records_floor(&bench->records, 0, NULL, 0, true), "floor");
}

/* ---- orders ------------------------------------------------------------------------------------
 */

static void take(void *ctx, uint16_t id, const void *msg)
{
	struct bench *bench = ctx;

	bench->held = id == MSG_record_hold;
	if (id == MSG_record_answer) {
		bench->err = ((const struct msg_record_answer *)msg)->error;
		bench->answer = ((const struct msg_record_answer *)msg)->body.len;
	}
}

/* Seconds. */
static double ask(struct bench *bench, unsigned op, const char *body)
{
	const struct msg_record_order order = { .request = ++bench->request,
						.account = USER,
						.duty = DUTY_USE,
						.op = (uint16_t)op,
						.body = { (const uint8_t *)body, strlen(body) } };
	double start = now();

	bench->err = ERR_INTERNAL;
	desk_order(&bench->desk, &order);
	if (bench->held)
		desk_go(&bench->desk, &(struct msg_record_go){ order.request, ++bench->seq });
	double took = now() - start;
	must(bench->err, body);
	return took;
}

static int compare(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static void report(const char *what, double *times, size_t count)
{
	qsort(times, count, sizeof(*times), compare);
	printf("%s: median %.2f ms, p95 %.2f ms, longest %.2f ms\n", what, times[count / 2] * 1e3,
	       times[count * 95 / 100] * 1e3, times[count - 1] * 1e3);
}

static void read_some(struct bench *bench, const char *what, unsigned op, const char *more)
{
	double *times = calloc(READS, sizeof(*times));
	char body[128];

	srand(1);
	for (int i = 0; times && i < READS; i++) {
		snprintf(body, sizeof(body), "{\"record\":%d%s}", 1 + rand() % PEOPLE, more);
		times[i] = ask(bench, op, body);
	}
	if (times)
		report(what, times, READS);
	free(times);
}

static void search_some(struct bench *bench, const char *what, unsigned op, const char *body)
{
	double times[SEARCHES];

	for (int i = 0; i < SEARCHES; i++)
		times[i] = ask(bench, op, body);
	report(what, times, SEARCHES);
}

/* ---- another root key --------------------------------------------------------------------------
 */

static void rotate(struct bench *bench, const char *folder, const struct secret *root,
		   const struct secret *fresh)
{
	double start = now();

	must(keyring_prepare(&bench->records.keyring, folder, root, 1, fresh, 2), "prepare");
	must(keyring_take_root(&bench->records.keyring, fresh, 2), "take");
	printf("a new root key: %.3f s\n", now() - start);
}

static void no_notice(void *ctx, const char *event, const json_t *detail)
{
	(void)ctx;
	(void)detail;
	fprintf(stderr, "%s\n", event);
}

int main(int argc, char **argv)
{
	static struct bench bench;
	char made[] = "/tmp/sekisho-bench-XXXXXX";
	const char *folder = argc > 1 ? argv[1] : mkdtemp(made);
	struct secret *root, *fresh;
	struct loop *loop;

	log_init(NULL, LOG_LEVEL_WARNING);
	must(secret_random(KEYRING_KEY, &root), "key");
	must(secret_random(KEYRING_KEY, &fresh), "key");
	must(loop_new(&loop), "loop");
	records_init(&bench.records, folder, no_notice, NULL);
	desk_init(&bench.desk, &bench.records, loop, take, &bench);
	unseal(&bench, root, 1);
	fill(&bench);
	read_some(&bench, "record show", OP_record_show, "");
	read_some(&bench, "record reveal", OP_record_reveal, ",\"purpose\":1");
	search_some(&bench, "everybody, the first 100", OP_record_list, "{}");
	search_some(&bench, "a name that many have", OP_record_list, "{\"text\":\"サトウ\"}");
	search_some(&bench, "a name that one has", OP_record_list, "{\"text\":\"佐藤 花子99981\"}");
	search_some(&bench, "a name that nobody has", OP_record_list, "{\"text\":\"織田信長\"}");
	search_some(&bench, "one client's people", OP_record_list, "{\"client\":7}");
	char number[NUMBERS_ROOM], body[64];
	number_of(4711, number);
	snprintf(body, sizeof(body), "{\"number\":\"%s\"}", number);
	search_some(&bench, "a number", OP_record_find, body);
	rotate(&bench, folder, root, fresh);
	records_seal(&bench.records);
	double start = now();
	unseal(&bench, fresh, 2);
	printf("unsealing: %.1f s\n", now() - start);
	records_seal(&bench.records);
	desk_clear(&bench.desk);
	loop_free(loop);
	secret_free(root);
	secret_free(fresh);
	return 0;
}
