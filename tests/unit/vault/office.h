/*
 * office.h - the vault's records as an office asks for things: orders go through the desk, with the
 * entry of the audit log in between, as the broker sends them.
 */
#ifndef SEKISHO_TESTS_VAULT_OFFICE_H
#define SEKISHO_TESTS_VAULT_OFFICE_H

#include "unit/folder.h"

#include <string.h>

#include "base/util.h"
#include "vault/desk.h"

/* Two who use records, and two who manage them. */
#define SATO   ((struct desk_person){ 1, DUTY_USE })
#define SUZUKI ((struct desk_person){ 2, DUTY_USE })
#define TANAKA ((struct desk_person){ 3, DUTY_MANAGE })
#define KATO   ((struct desk_person){ 4, DUTY_MANAGE })

struct office {
	char folder[UNIT_FOLDER];
	struct loop *loop;
	struct secret *root;
	struct records records;
	struct desk desk;
	uint32_t request;
	bool starts;  /* the next order is not waited for */
	bool between; /* the last order is not waited for, nor is anything else under way */
	uint64_t seq; /* of the audit log */
	/* Of the last order: */
	bool held; /* there was an entry */
	uint64_t held_record, held_client;
	size_t about; /* so many more records */
	json_t *detail;
	bool answered;
	uint32_t waited; /* an earlier order that took long, and how it came out */
	enum err waited_err;
	enum err err;
	char field[64];
	json_t *answer;
	uint64_t counter;
	uint32_t stream;
	size_t notices;
	char notice[64]; /* the last one's event */
};

static inline void office_notice(void *ctx, const char *event, const json_t *detail)
{
	struct office *office = ctx;

	(void)detail;
	office->notices++;
	snprintf(office->notice, sizeof(office->notice), "%s", event);
}

static inline void office_send(void *ctx, uint16_t id, const void *msg)
{
	struct office *office = ctx;

	if (id == MSG_record_about)
		office->about +=
			((const struct msg_record_about *)msg)->records.len / sizeof(uint64_t);
	if (id == MSG_record_hold) {
		const struct msg_record_hold *hold = msg;

		if (hold->request != office->request)
			return;
		office->held = true;
		office->held_record = hold->record;
		office->held_client = hold->client;
		json_decref(office->detail);
		office->detail =
			json_loadb((const char *)hold->detail.data, hold->detail.len, 0, NULL);
	}
	if (id == MSG_record_answer) {
		const struct msg_record_answer *answer = msg;

		if (answer->request == office->waited)
			office->waited_err = (enum err)answer->error;
		if (answer->request != office->request)
			return;
		office->answered = true;
		office->err = answer->error;
		office->counter = answer->counter;
		office->stream = answer->stream;
		snprintf(office->field, sizeof(office->field), "%s", answer->field);
		json_decref(office->answer);
		office->answer = answer->body.len ? json_loadb((const char *)answer->body.data,
							       answer->body.len, 0, NULL)
						  : NULL;
	}
}

/* Opens what is in the folder, and says how far it had come. */
static inline void office_open(struct office *office)
{
	assert_ok(records_open(&office->records, office->root, 1));
	assert_ok(records_floor(&office->records, office->counter, NULL, 0, true));
	assert_int_equal(office->records.state, RECORDS_READY);
}

static inline struct office *office_new(void)
{
	struct office *office = calloc(1, sizeof(*office));

	assert_non_null(office);
	json_set_alloc_funcs(secret_malloc, secret_malloc_free);
	unit_folder(office->folder);
	assert_ok(loop_new(&office->loop));
	assert_ok(secret_random(32, &office->root));
	records_init(&office->records, office->folder, office_notice, office);
	desk_init(&office->desk, &office->records, office->loop, office_send, office);
	office_open(office);
	return office;
}

static inline void office_free(struct office *office)
{
	desk_clear(&office->desk);
	records_seal(&office->records);
	json_decref(office->detail);
	json_decref(office->answer);
	secret_free(office->root);
	loop_free(office->loop);
	free(office);
}

/* Until nothing that takes long is under way; in between others, until there is an answer. */
static inline void office_wait(struct office *office)
{
	while (office->desk.jobs.first && !(office->between && (office->held || office->answered)))
		assert_ok(loop_step(office->loop, 1000));
}

/* Asks, lets the audit log say it, and takes the answer. format: of the body. */
printf_like(4, 5) static inline enum err office_ask(struct office *office, struct desk_person who,
						    unsigned op, const char *format, ...)
{
	static char body[DESK_BODY + 1];
	va_list values;

	va_start(values, format);
	int len = vsnprintf(body, sizeof(body), format, values);
	va_end(values);
	assert_true(len >= 0 && len < (int)sizeof(body));
	const struct msg_record_order order = { .request = ++office->request,
						.account = who.account,
						.duty = (uint8_t)who.duty,
						.op = (uint16_t)op,
						.body = { (const uint8_t *)body, (size_t)len } };
	office->held = office->answered = false;
	office->about = 0;
	office->err = ERR_INTERNAL;
	desk_order(&office->desk, &order);
	if (!office->starts || record_op_find(op)->event[0])
		office_wait(office);
	if (office->held) {
		const struct msg_record_go go = { order.request, ++office->seq };

		office->held = false;
		desk_go(&office->desk, &go);
		if (!office->starts)
			office_wait(office);
		office->held = true;
	}
	return office->err;
}

/* Of the last answer, and of its row at. */
static inline int64_t office_number(const struct office *office, const char *name)
{
	const json_t *value = json_object_get(office->answer, name);

	assert_true(json_is_integer(value));
	return json_integer_value(value);
}

static inline size_t office_rows(const struct office *office)
{
	const json_t *rows = json_object_get(office->answer, "rows");

	assert_true(json_is_array(rows));
	return json_array_size(rows);
}

static inline const json_t *office_row(const struct office *office, size_t at)
{
	const json_t *row = json_array_get(json_object_get(office->answer, "rows"), at);

	assert_non_null(row);
	return row;
}

static inline int64_t office_row_number(const struct office *office, size_t at, const char *name)
{
	const json_t *value = json_object_get(office_row(office, at), name);

	assert_true(json_is_integer(value));
	return json_integer_value(value);
}

static inline const char *office_row_text(const struct office *office, size_t at, const char *name)
{
	const char *text = json_string_value(json_object_get(office_row(office, at), name));

	assert_non_null(text);
	return text;
}

static inline bool office_row_flag(const struct office *office, size_t at, const char *name)
{
	const json_t *value = json_object_get(office_row(office, at), name);

	assert_true(json_is_boolean(value));
	return json_is_true(value);
}

#endif
