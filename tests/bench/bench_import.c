/*
 * 100,000 records out of a file into the vault and 20,000 of them out again, and the disposal of
 * one whose key all have (vault/imports.h, exports.h, disposal.h): bench-import [folder]. Orders go
 * through the desk, as the broker sends them.
 */
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/util.h"
#include "vault/desk.h"
#include "vault/exports.h"
#include "vault/grants_change.h"
#include "vault/grants_decide.h"
#include "vault/imports.h"
#include "vault/records_change.h"

enum { FILE_MAX = 32 * 1024 * 1024, CLIENTS = 6, SLICES = 65536 };

static const struct desk_person user = { 1, DUTY_USE }, manager = { 2, DUTY_MANAGE };

struct bench {
	struct records records;
	struct desk desk;
	uint32_t request;
	uint64_t seq;
	bool held;
	struct loop *loop;
	double slices[SLICES], own[SLICES]; /* s, of the last order; of a core's own time */
	size_t slice_count;
	enum err err;
	json_t *answer;
};

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* Of this process: what a quiet machine would have taken. */
static double cpu(void)
{
	struct timespec time;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void must(enum err err, const char *what)
{
	if (!err)
		return;
	fprintf(stderr, "%s: %s\n", what, err_text_en(err));
	exit(1);
}

static void take(void *ctx, uint16_t id, const void *msg)
{
	struct bench *bench = ctx;

	bench->held = id == MSG_record_hold;
	if (id != MSG_record_answer)
		return;
	const struct msg_record_answer *answer = msg;
	bench->err = answer->error;
	json_decref(bench->answer);
	bench->answer = json_loadb((const char *)answer->body.data, answer->body.len, 0, NULL);
}

/* What others have to wait for between two turns. */
static void wait_for_jobs(struct bench *bench)
{
	while (bench->desk.jobs.first) {
		double start = now(), start_cpu = cpu();

		must(loop_step(bench->loop, 1000), "loop");
		if (bench->slice_count == SLICES)
			continue;
		bench->own[bench->slice_count] = cpu() - start_cpu;
		bench->slices[bench->slice_count++] = now() - start;
	}
}

static int compare(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static void print_times(const char *what, double *times, size_t count)
{
	qsort(times, count, sizeof(*times), compare);
	printf("  %s: half within %.0f ms, 95 of 100 within %.0f, 99 within %.0f, the longest"
	       " %.0f\n",
	       what, 1e3 * times[count / 2], 1e3 * times[count * 95 / 100],
	       1e3 * times[count * 99 / 100], 1e3 * times[count - 1]);
}

static void print_slices(struct bench *bench)
{
	const size_t count = bench->slice_count;

	if (count == 0)
		return;
	printf("  %zu slices\n", count);
	print_times("by the clock", bench->slices, count);
	print_times("of a core", bench->own, count);
}

/* Seconds. */
static double ask(struct bench *bench, struct desk_person who, unsigned op, const char *body)
{
	const struct msg_record_order order = { .request = ++bench->request,
						.account = who.account,
						.duty = (uint8_t)who.duty,
						.op = (uint16_t)op,
						.body = { (const uint8_t *)body, strlen(body) } };
	double start = now();

	bench->err = ERR_INTERNAL;
	bench->slice_count = 0;
	desk_order(&bench->desk, &order);
	wait_for_jobs(bench);
	if (bench->held)
		desk_go(&bench->desk, &(struct msg_record_go){ order.request, ++bench->seq });
	wait_for_jobs(bench);
	double took = now() - start;
	must(bench->err, record_op_find(op)->words);
	return took;
}

static int64_t number(const struct bench *bench, const char *name)
{
	return json_integer_value(json_object_get(bench->answer, name));
}

/* ---- an office ---------------------------------------------------------------------------------
 */

static void fill(struct bench *bench)
{
	static const struct grants_hand hand = { 1, 1763769600 };
	static const struct change_by by = { 1, 1763769600 };
	static const struct grant_row all = { .subject_kind = GRANT_ACCOUNT,
					      .object_kind = GRANT_EVERYTHING,
					      .subject = 1,
					      .rights = { GRANT_EXPORT, true, 0 } };

	must(records_begin(&bench->records), "begin");
	must(db_exec(bench->records.db,
		     "INSERT INTO class (id, name, name_en, start, start_en, years) VALUES"
		     " (1, 'c', '', 's', '', 7);"
		     "INSERT INTO purpose (id, name, name_en) VALUES (1, 'p', '')"),
	     "rules");
	must(grants_give(&bench->records, &all, &hand), "grant");
	for (int i = 0; i < CLIENTS; i++) {
		char name[16];
		const struct content content = { .name = name, .kana = "" };
		struct record_row row = { .kind = KIND_CLIENT,
					  .state = STATE_ACTIVE,
					  .class = 1,
					  .purposes = { [7] = 1 },
					  .purpose_count = 1 };

		snprintf(name, sizeof(name), "client%d", i);
		must(record_create(&bench->records, &row, &content, NULL, &by), "client");
	}
	must(records_commit(&bench->records, 0), "commit");
}

/* ---- in ----------------------------------------------------------------------------------------
 */

/* 80,000 of them are the first client's, and all but one of the others the second's. */
static void write_file(struct buf *file)
{
	must(buf_printf(file, "顧問先,氏名,フリガナ,番号\r\n"), "file");
	for (unsigned i = 0; i < IMPORT_ROWS; i++) {
		char digits[NUMBERS_ROOM];

		for (char check = '0'; check <= '9'; check++) {
			snprintf(digits, sizeof(digits), "%011u%c", i, check);
			if (numbers_valid(digits))
				break;
		}
		must(buf_printf(file, "client%u,佐藤 花子%u,サトウ ハナコ,%s\r\n",
				i < 80000 ? 0 : 1 + i / (IMPORT_ROWS - 1), i, digits),
		     "file");
	}
}

static void import(struct bench *bench)
{
	static char body[DESK_BODY], text[DESK_BODY - 256];
	struct buf file;
	double sent = 0, took;

	buf_init(&file, FILE_MAX);
	write_file(&file);
	ask(bench, user, OP_import_begin, "{\"kind\":2,\"class\":1,\"purposes\":[1]}");
	const long long id = number(bench, "import");
	for (size_t at = 0; at < file.len; at += IMPORT_PIECE) {
		const size_t len = MIN(file.len - at, (size_t)IMPORT_PIECE);

		EVP_EncodeBlock((unsigned char *)text, file.data + at, (int)len);
		snprintf(body, sizeof(body), "{\"import\":%lld,\"offset\":%zu,\"data\":\"%s\"}", id,
			 at, text);
		sent += ask(bench, user, OP_import_add, body);
	}
	snprintf(body, sizeof(body), "{\"import\":%lld}", id);
	took = ask(bench, user, OP_import_preview, body);
	printf("%d rows, %.1f MB: brought in %.2f s, looked through in %.1f s, %lld errors\n",
	       IMPORT_ROWS, (double)file.len / 1e6, sent, took,
	       (long long)number(bench, "error_count"));
	print_slices(bench);
	ask(bench, user, OP_import_ask, body);
	took = ask(bench, manager, OP_import_apply, body);
	printf("entered in %.1f s\n", took);
	print_slices(bench);
	buf_finish(&file);
}

/* ---- out ---------------------------------------------------------------------------------------
 */

static X509 *recipient(void)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *made = X509_new();

	X509_set_version(made, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(made), 1);
	X509_NAME_add_entry_by_NID(X509_get_subject_name(made), NID_commonName, MBSTRING_UTF8,
				   (const unsigned char *)"r", -1, -1, 0);
	X509_set_issuer_name(made, X509_get_subject_name(made));
	X509_set_pubkey(made, key);
	X509_gmtime_adj(X509_getm_notBefore(made), -60);
	X509_gmtime_adj(X509_getm_notAfter(made), 86400);
	X509_sign(made, key, EVP_sha256());
	EVP_PKEY_free(key);
	return made;
}

static void export(struct bench *bench)
{
	static char body[DESK_BODY];
	X509 *to = recipient();
	json_t *wish;
	BIO *out = BIO_new(BIO_s_mem());
	char *pem = NULL;
	long len;

	PEM_write_bio_X509(out, to);
	len = BIO_get_mem_data(out, &pem);
	wish = json_pack("{s:i, s:i, s:b, s:s%}", "client", 2, "purpose", 1, "numbers", 1,
			 "recipient", pem, (size_t)len);
	body[json_dumpb(wish, body, sizeof(body) - 1, JSON_COMPACT)] = '\0';
	double took = ask(bench, user, OP_export_make, body);
	printf("%lld rows, %.1f MB: out in %.1f s\n", (long long)number(bench, "rows"),
	       (double)number(bench, "bytes") / 1e6, took);
	print_slices(bench);
	json_decref(wish);
	BIO_free(out);
	X509_free(to);
}

/* ---- for good ----------------------------------------------------------------------------------
 */

static void dispose(struct bench *bench)
{
	char body[128];

	ask(bench, user, OP_record_end, "{\"records\":[100],\"started\":\"2000-01-01\"}");
	ask(bench, user, OP_request_add, "{\"kind\":3,\"records\":[100]}");
	snprintf(body, sizeof(body), "{\"requests\":[%lld]}",
		 json_integer_value(json_array_get(json_object_get(bench->answer, "requests"), 0)));
	printf("one of 80,000 under a key disposed of: %.1f s\n",
	       ask(bench, manager, OP_dispose_approve, body));
	print_slices(bench);
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
	struct secret *root;
	log_init(NULL, LOG_LEVEL_WARNING);
	must(secret_random(KEYRING_KEY, &root), "key");
	must(loop_new(&bench.loop), "loop");
	records_init(&bench.records, folder, no_notice, NULL);
	desk_init(&bench.desk, &bench.records, bench.loop, take, &bench);
	must(records_open(&bench.records, root, 1), "open");
	must(records_floor(&bench.records, 0, NULL, 0, true), "floor");
	fill(&bench);
	import(&bench);
	export(&bench);
	dispose(&bench);
	records_seal(&bench.records);
	desk_clear(&bench.desk);
	json_decref(bench.answer);
	loop_free(bench.loop);
	secret_free(root);
	return 0;
}
