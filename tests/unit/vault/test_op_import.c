#include "unit/vault/life_office.h"

#include <iconv.h>
#include <openssl/evp.h>

#include "vault/imports.h"

static int start(void **state)
{
	*state = office_of_life();
	return 0;
}

static int stop(void **state)
{
	office_free(*state);
	return 0;
}

#define DEFAULTS "\"client\":1,\"kind\":2,\"class\":1,\"purposes\":[1]"
#define EMPTY    ""

static long long begin(struct office *office, const char *rules)
{
	assert_ok(office_ask(office, SATO, OP_import_begin, "{%s}", rules));
	return office_number(office, "import");
}

static enum err add(struct office *office, long long import, size_t offset, const void *data,
		    size_t len)
{
	static char text[IMPORT_PIECE * 2];

	assert_true(len <= IMPORT_PIECE);
	EVP_EncodeBlock((unsigned char *)text, data, (int)len);
	return office_ask(office, SATO, OP_import_add,
			  "{\"import\":%lld,\"offset\":%zu,\"data\":\"%s\"}", import, offset, text);
}

/* A file of these bytes, looked through. */
static long long bring(struct office *office, const char *rules, const char *data, size_t len)
{
	long long import = begin(office, rules);

	for (size_t at = 0; at < len; at += IMPORT_PIECE)
		assert_ok(add(office, import, at, data + at, MIN(len - at, (size_t)IMPORT_PIECE)));
	assert_ok(office_ask(office, SATO, OP_import_preview, "{\"import\":%lld}", import));
	return import;
}

static long long bring_text(struct office *office, const char *rules, const char *text)
{
	return bring(office, rules, text, strlen(text));
}

static enum err cancel(struct office *office, long long import)
{
	return office_ask(office, SATO, OP_import_cancel, "{\"import\":%lld}", import);
}

/* What is wrong with a file, as "row column error" with commas between. */
static void check_errors(struct office *office, const char *rules, const char *text,
			 const char *wanted)
{
	long long import = bring_text(office, rules, text);
	const json_t *errors = json_object_get(office->answer, "errors"), *one;
	char all[1024] = "";
	size_t i, at = 0;

	json_array_foreach(errors, i, one) at +=
		(size_t)snprintf(all + at, sizeof(all) - at, "%s%lld %s %s", i ? "," : "",
				 json_integer_value(json_object_get(one, "row")),
				 json_string_value(json_object_get(one, "column")),
				 json_string_value(json_object_get(one, "error")));
	assert_string_equal(all, wanted);
	assert_int_equal(office_number(office, "error_count"), json_array_size(errors));
	if (*wanted)
		assert_err(office_ask(office, SATO, OP_import_ask, "{\"import\":%lld}", import),
			   ERR_WRONG_STATE);
	assert_ok(cancel(office, import));
}

/* Sato's rights there. */
static void give(struct office *office, enum grant_object kind, uint64_t object,
		 struct grant_rights rights)
{
	const struct grants_hand hand = { 99, 1 };
	const struct grant_row row = { GRANT_ACCOUNT, kind, SATO.account, object, rights };

	assert_ok(records_begin(&office->records));
	assert_ok(grants_give(&office->records, &row, &hand));
	assert_ok(records_commit(&office->records, 0));
}

static int64_t count(struct office *office, const char *sql)
{
	_cleanup_query_ struct query query;

	query_init(&query, office->records.db, sql);
	assert_ok(query_one(&query));
	return query_col_i64(&query, 0);
}

static enum err apply(struct office *office, struct desk_person who, long long import)
{
	return office_ask(office, who, OP_import_apply, "{\"import\":%lld}", import);
}

static enum err ask_for(struct office *office, long long import)
{
	return office_ask(office, SATO, OP_import_ask, "{\"import\":%lld}", import);
}

static const struct index_entry *named(struct office *office, const char *name)
{
	for (size_t i = 0; i < index_count(office->records.index); i++)
		if (util_streq(index_at(office->records.index, i)->name, name))
			return index_at(office->records.index, i);
	fail_msg("no %s", name);
	return NULL;
}

static void test_entered(void **state)
{
	static const char text[] = "\xef\xbb\xbf氏名,フリガナ,番号\r\n"
				   "\"山田, 太郎\",ヤマダ,1234-5678-9018\r\n"
				   "\r\n"
				   "\"佐藤 \"\"花\"\"\",,\r\n"
				   "高橋,タカハシ,０２３４５６７８９０１３";
	struct office *office = *state;
	long long import = bring_text(office, DEFAULTS, text);
	_cleanup_content_ struct content content = { 0 };
	char number[NUMBERS_ROOM];

	assert_int_equal(office_number(office, "rows"), 3);
	assert_int_equal(office_number(office, "error_count"), 0);
	assert_int_equal(office_number(office, "bytes"), strlen(text));
	assert_string_equal(json_string_value(json_object_get(office->answer, "charset")), "utf-8");
	const json_t *sample = json_object_get(office->answer, "sample");
	assert_int_equal(json_array_size(sample), 3);
	const json_t *second = json_array_get(sample, 1);
	assert_int_equal(json_integer_value(json_object_get(second, "row")), 4);
	assert_string_equal(json_string_value(json_object_get(second, "name")), "佐藤 \"花\"");
	assert_string_equal(json_string_value(json_object_get(second, "client_name")), "青葉商店");
	assert_true(json_is_false(json_object_get(second, "has_number")));

	/* Nothing is there before somebody else has said so. */
	assert_err(apply(office, TANAKA, import), ERR_WRONG_STATE);
	assert_ok(ask_for(office, import));
	assert_int_equal(count(office, "SELECT count(*) FROM record"), 1);
	assert_err(apply(office, SATO, import), ERR_DENIED);
	assert_ok(apply(office, TANAKA, import));
	assert_int_equal(office_number(office, "rows"), 3);
	assert_int_equal(json_integer_value(json_object_get(office->detail, "by")), SATO.account);
	struct record_row row = office_record(office, named(office, "高橋")->id);
	assert_int_equal(row.state, STATE_ACTIVE);
	assert_int_equal(row.created_by, SATO.account);
	assert_int_equal(row.client, 1);
	assert_int_equal(row.class, 1);
	assert_int_equal(record_purpose(&row, 0), 1);
	assert_ok(record_get_number(&office->records, &row, number));
	assert_string_equal(number, OFFICE_OTHER);
	assert_ok(record_get_content(&office->records, &row, 0, &content));
	assert_string_equal(content.kana, "タカハシ");

	/* Once. */
	assert_err(apply(office, TANAKA, import), ERR_NOT_FOUND);
	office_again(office);
	assert_int_equal(count(office, "SELECT count(*) FROM record"), 4);
}

static void test_a_manager_not_his_own(void **state)
{
	struct office *office = *state;
	const struct grant_row row = { .subject_kind = GRANT_ACCOUNT,
				       .subject = TANAKA.account,
				       .object_kind = GRANT_EVERYTHING,
				       .rights = { .level = GRANT_EDIT } };

	assert_ok(records_begin(&office->records));
	assert_ok(grants_give(&office->records, &row, &(struct grants_hand){ 99, 1 }));
	assert_ok(records_commit(&office->records, 0));
	assert_ok(office_ask(office, TANAKA, OP_import_begin, "{" DEFAULTS "}"));
	long long import = office_number(office, "import");
	assert_ok(office_ask(office, TANAKA, OP_import_add,
			     "{\"import\":%lld,\"offset\":0,\"data\":\"bmFtZQphCg==\"}", import));
	assert_ok(office_ask(office, TANAKA, OP_import_preview, "{\"import\":%lld}", import));
	assert_ok(office_ask(office, TANAKA, OP_import_ask, "{\"import\":%lld}", import));
	assert_err(apply(office, TANAKA, import), ERR_DENIED);
	assert_ok(apply(office, KATO, import));
}

static void test_cp932(void **state)
{
	char text[] = "氏名,フリガナ,番号\r\n髙橋①,ﾀｶﾊｼ,\r\n表示,ソ,\r\n", out[256];
	char *in = text, *to = out;
	size_t in_len = strlen(text), room = sizeof(out);
	struct office *office = *state;
	iconv_t cp932 = iconv_open("CP932", "UTF-8");

	if (cp932 == (iconv_t)-1)
		skip();
	assert_int_equal(iconv(cp932, &in, &in_len, &to, &room), 0);
	iconv_close(cp932);
	long long import = bring(office, DEFAULTS, out, sizeof(out) - room);
	assert_string_equal(json_string_value(json_object_get(office->answer, "charset")), "cp932");
	assert_int_equal(office_number(office, "rows"), 2);
	assert_int_equal(office_number(office, "error_count"), 0);
	assert_ok(ask_for(office, import));
	assert_ok(apply(office, TANAKA, import));
	assert_int_equal(count(office, "SELECT count(*) FROM record"), 3);
	named(office, "髙橋①");
	named(office, "表示");
}

/* ---- what is wrong -----------------------------------------------------------------------------
 */

static void test_errors_of_rows(void **state)
{
	static char too_long[1024];
	struct office *office = *state;

	check_errors(office, DEFAULTS, "name,number\na,\n", "");
	check_errors(office, DEFAULTS, "name,number\n,123456789018\n", "2 name missing");
	check_errors(office, DEFAULTS, "name,number\na,12345678901\nb,x\n",
		     "2 number digits,3 number digits");
	check_errors(office, DEFAULTS, "name,number\na,123456789012\n", "2 number check-digit");
	check_errors(office, DEFAULTS, "name,number\na,8700110005901\n", "2 number digits");
	check_errors(office, DEFAULTS, "name,number\na,123456789018\nb,123456789018\n",
		     "3 number double-file");
	check_errors(office, DEFAULTS, "name\na,b\n", "2  cells");
	check_errors(office, DEFAULTS, "name\na,,\n", "");
	check_errors(office, DEFAULTS, "name\n\"a\nb\"\n", "2 name invalid");
	check_errors(office, DEFAULTS, "name,kind\na,dog\n", "2 kind unknown-kind");
	check_errors(office, DEFAULTS, "name,client\na,白樺\n", "2 client unknown-client");
	check_errors(office, DEFAULTS, "name,client\na, 青葉 商店\n", "");
	check_errors(office, DEFAULTS, "name,purposes\na,源泉徴収；社会保険\nb,x\nc,;\n",
		     "3 purposes unknown-purpose,4 purposes unknown-purpose");
	check_errors(office, DEFAULTS, "name,class\na,源泉徴収票\nb,x\n", "3 class unknown-class");
	check_errors(office, DEFAULTS, "name,kind,parent\na,dependant,b\nb,employee,\n",
		     "2 parent unknown-parent");
	check_errors(office, DEFAULTS, "name,kind\na,dependant\n", "2 本人 missing");
	check_errors(office, DEFAULTS, "name,parent\na,b\n", "2 parent unknown-field");
	check_errors(office, EMPTY, "name\na\n", "2 種別 missing");
	check_errors(office, EMPTY, "name,kind\na,従業員\n",
		     "2 顧問先 missing,2 保存区分 missing,2 利用目的 missing");
	snprintf(too_long, sizeof(too_long), "name\n%0129d\n", 0);
	check_errors(office, DEFAULTS, too_long, "2 name too-long");

	office_add(office, KIND_EMPLOYEE, 1, 0, "c", "", OFFICE_PERSONAL);
	give(office, GRANT_EVERYTHING, 0, (struct grant_rights){ GRANT_EDIT, true, 0 });
	check_errors(office, DEFAULTS, "name,number\na,123456789018\n", "2 number double-vault");
	check_errors(office, DEFAULTS, "name,kind,number\na,payee,123456789018\n", "");
}

/* A file does not tell who is there, and whose a number is, to those who may not know. */
static void test_whom_one_may_not_know(void **state)
{
	static const char by_name[] = "name,kind,parent\na,dependant,c\n",
			  by_number[] = "name,kind,parent\na,dependant,123456789018\n",
			  number[] = "name,number\na,123456789018\n";
	struct office *office = *state;
	const uint64_t id = office_add(office, KIND_EMPLOYEE, 1, 0, "c", "", OFFICE_PERSONAL).id;

	office_add(office, KIND_PAYEE, 1, 0, "d", "", OFFICE_CORPORATE);
	check_errors(office, DEFAULTS, by_name, "");
	check_errors(office, DEFAULTS, number, "");
	check_errors(office, DEFAULTS, by_number, "2 parent unknown-parent");
	check_errors(office, DEFAULTS, "name,kind,number\na,payee," OFFICE_CORPORATE "\n",
		     "2 number double-vault");

	give(office, GRANT_RECORD, id, (struct grant_rights){ GRANT_EDIT, true, 0 });
	check_errors(office, DEFAULTS, number, "2 number double-vault");
	check_errors(office, DEFAULTS, by_number, "");

	give(office, GRANT_RECORD, id, (struct grant_rights){ GRANT_VIEW, true, 0 });
	check_errors(office, DEFAULTS, by_name, "2 parent unknown-parent");
	check_errors(office, DEFAULTS, by_number, "2 parent unknown-parent");
}

static void test_errors_of_the_file(void **state)
{
	struct office *office = *state;

	check_errors(office, DEFAULTS, "name\n\"a\n", "2  quotes");
	check_errors(office, DEFAULTS, "name\na\"b\n", "2  quotes");
	check_errors(office, DEFAULTS, "name\n\xff\xff\n", "0  encoding");
	check_errors(office, DEFAULTS, "name\n", "0  rows");
	check_errors(office, DEFAULTS, "", "0  rows");
	check_errors(office, DEFAULTS, "name,dog\na,b\n", "1 dog unknown-column");
	check_errors(office, DEFAULTS, "name,氏名\na,b\n", "1 氏名 double-column");
}

static void test_fields(void **state)
{
	struct office *office = *state;
	_cleanup_content_ struct content content = { 0 };

	assert_ok(office_ask(office, TANAKA, OP_template_set,
			     "{\"kind\":2,\"fields\":[{\"key\":\"hired\",\"ja\":\"入社日\","
			     "\"en\":\"Hired\",\"required\":true}]}"));
	check_errors(office, DEFAULTS, "name,入社日\na,\nb,2026-04-01\n", "2 入社日 missing");
	check_errors(office, DEFAULTS, "name\na\n", "2 入社日 missing");
	check_errors(office, "\"client\":1,\"class\":1,\"purposes\":[1]",
		     "name,kind,hired\na,payee,x\nb,payee,\n", "2 hired unknown-field");
	long long import = bring_text(office, DEFAULTS, "name,Hired\nz,2026-04-01\n");
	assert_ok(ask_for(office, import));
	assert_ok(apply(office, TANAKA, import));
	struct record_row row = office_record(office, named(office, "z")->id);
	assert_ok(record_get_content(&office->records, &row, 0, &content));
	assert_string_equal(json_string_value(json_object_get(content.fields, "hired")),
			    "2026-04-01");
}

/* Clients, their employees and whom these keep, all in one file. */
static void test_families(void **state)
{
	struct office *office = *state;
	long long import = bring_text(office, "\"class\":1,\"purposes\":[1]",
				      "kind,client,name,number,parent\n"
				      "client,,白樺,,\n"
				      "employee,白樺,山田,123456789018,\n"
				      "dependant,白樺,花子,,山田\n"
				      "dependant,白樺,次郎,,123456789018\n"
				      "employee,青葉商店,山田,123456789018,\n");

	assert_int_equal(office_number(office, "error_count"), 0);
	assert_ok(ask_for(office, import));
	assert_ok(apply(office, TANAKA, import));
	const struct index_entry *client = named(office, "白樺");
	assert_int_equal(named(office, "花子")->client, client->id);
	assert_int_equal(office_record(office, named(office, "花子")->parent).client, client->id);
	assert_int_equal(named(office, "花子")->parent, named(office, "次郎")->parent);
}

static void test_names_that_are_two(void **state)
{
	struct office *office = *state;

	office_add(office, KIND_CLIENT, 0, 0, "松", "", NULL);
	check_errors(office, DEFAULTS, "name,client\na,松\n", "");
	office_add(office, KIND_CLIENT, 0, 0, "松", "", NULL);
	check_errors(office, DEFAULTS, "name,client\na,松\n", "2 client unknown-client");
	check_errors(office, DEFAULTS,
		     "name,kind,parent\nb,employee,\nb,employee,\nc,dependant,b\n",
		     "4 parent unknown-parent");
}

static void test_only_where_he_may(void **state)
{
	struct office *office = *state;
	uint64_t other = office_add(office, KIND_CLIENT, 0, 0, "松", "", NULL).id;
	const struct grant_row row = { .subject_kind = GRANT_ACCOUNT,
				       .subject = SATO.account,
				       .object_kind = GRANT_CLIENT,
				       .object = other,
				       .rights = { .level = GRANT_VIEW } };

	long long import = bring_text(office, DEFAULTS, "name,client\na,松\n");
	assert_ok(ask_for(office, import));
	assert_ok(records_begin(&office->records));
	assert_ok(grants_give(&office->records, &row, &(struct grants_hand){ 99, 1 }));
	assert_ok(records_commit(&office->records, 0));
	/* What was right when it was looked through is not any more: all of it waits. */
	assert_err(apply(office, TANAKA, import), ERR_WRONG_STATE);
	assert_int_equal(count(office, "SELECT count(*) FROM record"), 2);
	assert_err(apply(office, TANAKA, import), ERR_WRONG_STATE);
	assert_err(ask_for(office, import), ERR_WRONG_STATE);
	assert_ok(cancel(office, import));
	check_errors(office, DEFAULTS, "name,client\na,松\n", "2 client unknown-client");
	assert_err(office_ask(office, SATO, OP_import_begin, "{\"client\":%llu}",
			      (unsigned long long)other),
		   ERR_DENIED);
	assert_err(office_ask(office, (struct desk_person){ 77, DUTY_USE }, OP_import_begin,
			      "{\"client\":1}"),
		   ERR_NOT_FOUND);
}

/* The last row is what is wrong: none of those before it is entered. */
static void test_nothing_half_done(void **state)
{
	struct office *office = *state;
	long long import = bring_text(office, DEFAULTS, "name,number\na,\nb,\nc,123456789018\n");

	give(office, GRANT_EVERYTHING, 0, (struct grant_rights){ GRANT_EDIT, true, 0 });
	assert_ok(ask_for(office, import));
	office_add(office, KIND_EMPLOYEE, 1, 0, "d", "", OFFICE_PERSONAL);
	assert_err(apply(office, TANAKA, import), ERR_WRONG_STATE);
	assert_int_equal(count(office, "SELECT count(*) FROM record"), 2);
	assert_int_equal(index_count(office->records.index), 2);
}

/* ---- what is to be approved --------------------------------------------------------------------
 */

static const char *shown(struct office *office, size_t at, const char *name)
{
	return office_row_text(office, at, name);
}

static void test_what_a_manager_approves(void **state)
{
	struct office *office = *state;
	long long import = bring_text(office, "\"class\":1,\"purposes\":[1]",
				      "kind,client,name,kana,number,parent\n"
				      "client,,白樺,,8700110005901,\n"
				      "employee,白樺,山田,ヤマダ,123456789018,\n"
				      "dependant,白樺,花子,,,山田\n"
				      "dependant,白樺,次郎,,023456789013,1234-5678-9018\n");
	char *all;

	/* Before that it is the importer's own. */
	assert_ok(office_ask(office, SATO, OP_import_rows, "{\"import\":%lld}", import));
	assert_err(office_ask(office, TANAKA, OP_import_rows, "{\"import\":%lld}", import),
		   ERR_WRONG_STATE);
	assert_false(office->held);
	assert_ok(ask_for(office, import));
	assert_err(office_ask(office, SUZUKI, OP_import_rows, "{\"import\":%lld}", import),
		   ERR_NOT_FOUND);
	assert_ok(office_ask(office, SATO, OP_import_rows, "{\"import\":%lld}", import));
	assert_ok(office_ask(office, TANAKA, OP_import_rows, "{\"import\":%lld}", import));
	assert_true(office->held);
	assert_int_equal(json_integer_value(json_object_get(office->detail, "by")), SATO.account);
	assert_int_equal(office_rows(office), 4);
	assert_int_equal(office_number(office, "next"), 0);
	assert_int_equal(office_row_number(office, 1, "row"), 3);
	assert_int_equal(office_row_number(office, 1, "kind"), KIND_EMPLOYEE);
	assert_string_equal(shown(office, 1, "client_name"), "白樺");
	assert_string_equal(shown(office, 1, "name"), "山田");
	assert_string_equal(shown(office, 1, "kana"), "ヤマダ");
	assert_true(office_row_flag(office, 1, "has_number"));
	assert_false(office_row_flag(office, 2, "has_number"));
	assert_string_equal(shown(office, 2, "parent_name"), "山田");
	assert_int_equal(office_row_number(office, 0, "class"), 1);
	assert_int_equal(json_array_size(json_object_get(office_row(office, 0), "purposes")), 1);
	/* No number at all, not even where a row names an employee by his. */
	all = json_dumps(office->answer, 0);
	assert_null(strstr(all, "1234"));
	assert_null(strstr(all, "0234"));
	assert_null(strstr(all, "8700"));
	secret_malloc_free(all);
	/* Nothing is entered by it, and nothing is in the way of approving. */
	assert_int_equal(count(office, "SELECT count(*) FROM record"), 1);
	assert_ok(apply(office, TANAKA, import));
	assert_err(office_ask(office, TANAKA, OP_import_rows, "{\"import\":%lld}", import),
		   ERR_NOT_FOUND);
}

static void test_page_by_page(void **state)
{
	static char text[IMPORT_PIECE];
	struct office *office = *state;
	size_t at = (size_t)snprintf(text, sizeof(text), "name\n"), seen = 0;
	int64_t next = 0;

	for (int i = 0; i < 2 * IMPORT_PAGE + 20; i++)
		at += (size_t)snprintf(text + at, sizeof(text) - at, "n%d\n", i);
	long long import = bring_text(office, DEFAULTS, text);
	assert_ok(ask_for(office, import));
	do {
		char after[40] = "";

		if (next)
			snprintf(after, sizeof(after), ",\"after\":%lld", (long long)next);
		assert_ok(office_ask(office, TANAKA, OP_import_rows, "{\"import\":%lld%s}", import,
				     after));
		for (size_t i = 0; i < office_rows(office); i++)
			assert_int_equal(office_row_number(office, i, "row"), 2 + seen++);
		assert_true(office_rows(office) <= IMPORT_PAGE);
		next = office_number(office, "next");
	} while (next);
	assert_int_equal(seen, 2 * IMPORT_PAGE + 20);
	/* One that nobody has looked through has none. */
	import = bring_text(office, DEFAULTS, text);
	assert_ok(add(office, import, at, "x\n", 2));
	assert_err(office_ask(office, SATO, OP_import_rows, "{\"import\":%lld}", import),
		   ERR_WRONG_STATE);
}

/* ---- the pieces --------------------------------------------------------------------------------
 */

static void test_pieces(void **state)
{
	struct office *office = *state;
	long long import = begin(office, DEFAULTS);

	assert_ok(add(office, import, 0, "na", 2));
	assert_err(add(office, import, 0, "na", 2), ERR_WRONG_STATE);
	assert_string_equal(office->field, "offset");
	assert_err(office_ask(office, SATO, OP_import_add,
			      "{\"import\":%lld,\"offset\":2,\"data\":\"a\"}", import),
		   ERR_INVALID);
	assert_err(office_ask(office, SATO, OP_import_add,
			      "{\"import\":%lld,\"offset\":2,\"data\":\"a===\"}", import),
		   ERR_INVALID);
	assert_err(office_ask(office, SATO, OP_import_add,
			      "{\"import\":%lld,\"offset\":2,\"data\":\"a b=\"}", import),
		   ERR_INVALID);
	assert_err(office_ask(office, SUZUKI, OP_import_add,
			      "{\"import\":%lld,\"offset\":2,\"data\":\"bWUK\"}", import),
		   ERR_NOT_FOUND);
	assert_ok(add(office, import, 2, "me\na", 4));
	assert_ok(office_ask(office, SATO, OP_import_preview, "{\"import\":%lld}", import));
	/* More of it: it has to be looked at again. */
	assert_ok(add(office, import, 6, "\nb", 2));
	assert_err(ask_for(office, import), ERR_WRONG_STATE);
	assert_ok(office_ask(office, SATO, OP_import_preview, "{\"import\":%lld}", import));
	assert_int_equal(office_number(office, "rows"), 2);
	assert_ok(ask_for(office, import));
	assert_err(add(office, import, 8, "\nb", 2), ERR_WRONG_STATE);
}

static void test_how_many(void **state)
{
	struct office *office = *state;
	long long first = begin(office, DEFAULTS);

	begin(office, DEFAULTS);
	assert_err(office_ask(office, SATO, OP_import_begin, "{}"), ERR_FULL);
	for (uint64_t account = 100; account < 106; account++)
		assert_ok(office_ask(office, (struct desk_person){ account, DUTY_USE },
				     OP_import_begin, "{}"));
	assert_err(office_ask(office, SUZUKI, OP_import_begin, "{}"), ERR_FULL);
	assert_ok(office_ask(office, SATO, OP_import_list, "{}"));
	assert_int_equal(office_rows(office), 2);
	assert_ok(office_ask(office, TANAKA, OP_import_list, "{}"));
	assert_int_equal(office_rows(office), 8);
	assert_err(office_ask(office, SUZUKI, OP_import_cancel, "{\"import\":%lld}", first),
		   ERR_NOT_FOUND);
	assert_ok(office_ask(office, TANAKA, OP_import_cancel, "{\"import\":%lld}", first));
	assert_ok(office_ask(office, SUZUKI, OP_import_begin, "{}"));
}

static void test_its_time(void **state)
{
	struct office *office = *state;
	struct import *import;
	long long id = bring_text(office, DEFAULTS, "name\na\n");
	int64_t until = office->records.imports->all[0].id == (uint64_t)id
				? office->records.imports->all[0].until
				: office->records.imports->all[IMPORTS_MAX - 1].until;

	assert_ok(imports_find(&office->records, (uint64_t)id, until - 1, &import));
	assert_err(imports_find(&office->records, (uint64_t)id, until, &import), ERR_NOT_FOUND);
	/* Also when nobody asks for anything any more. */
	id = bring_text(office, DEFAULTS, "name\na\n");
	assert_true(loop_timer_running(&office->desk.tidy));
	assert_ok(imports_find(&office->records, (uint64_t)id, until - 1, &import));
	import->until = 1;
	loop_timer_set(&office->desk.tidy, 1);
	while (import->id)
		assert_ok(loop_step(office->loop, 1000));
	assert_null(import->file);
	assert_true(loop_timer_running(&office->desk.tidy));
	/* And the seal's. */
	id = bring_text(office, DEFAULTS, "name\na\n");
	office_again(office);
	assert_err(ask_for(office, id), ERR_NOT_FOUND);
}

static void test_many_errors(void **state)
{
	struct office *office = *state;
	char text[8192] = "name,number\n";
	size_t at = strlen(text);

	for (int i = 0; i < 250; i++)
		at += (size_t)snprintf(text + at, sizeof(text) - at, "a,%d\n", i + 1);
	long long import = bring_text(office, DEFAULTS, text);
	assert_int_equal(office_number(office, "error_count"), 250);
	assert_int_equal(json_array_size(json_object_get(office->answer, "errors")), 200);
	assert_int_equal(office_number(office, "next"), 200);
	assert_ok(office_ask(office, SATO, OP_import_preview, "{\"import\":%lld,\"after\":200}",
			     import));
	assert_int_equal(json_array_size(json_object_get(office->answer, "errors")), 50);
	assert_int_equal(office_number(office, "next"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_entered, start, stop),
		cmocka_unit_test_setup_teardown(test_a_manager_not_his_own, start, stop),
		cmocka_unit_test_setup_teardown(test_cp932, start, stop),
		cmocka_unit_test_setup_teardown(test_errors_of_rows, start, stop),
		cmocka_unit_test_setup_teardown(test_errors_of_the_file, start, stop),
		cmocka_unit_test_setup_teardown(test_whom_one_may_not_know, start, stop),
		cmocka_unit_test_setup_teardown(test_fields, start, stop),
		cmocka_unit_test_setup_teardown(test_families, start, stop),
		cmocka_unit_test_setup_teardown(test_names_that_are_two, start, stop),
		cmocka_unit_test_setup_teardown(test_only_where_he_may, start, stop),
		cmocka_unit_test_setup_teardown(test_nothing_half_done, start, stop),
		cmocka_unit_test_setup_teardown(test_what_a_manager_approves, start, stop),
		cmocka_unit_test_setup_teardown(test_page_by_page, start, stop),
		cmocka_unit_test_setup_teardown(test_pieces, start, stop),
		cmocka_unit_test_setup_teardown(test_how_many, start, stop),
		cmocka_unit_test_setup_teardown(test_its_time, start, stop),
		cmocka_unit_test_setup_teardown(test_many_errors, start, stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
