/*
 * orders.h - orders of administrators and what their answers have to say.
 */
#ifndef SEKISHO_TESTS_BROKER_ORDERS_H
#define SEKISHO_TESTS_BROKER_ORDERS_H

#include "unit/broker/office.h"

static inline struct answer order(struct office *office, const char *command, const char *arguments)
{
	json_t *json = json_loads(arguments, 0, NULL);

	assert_non_null(json);
	return office_order(office, command, json);
}

static inline void ordered(struct office *office, const char *command, const char *arguments)
{
	_cleanup_answer_ struct answer answer = order(office, command, arguments);

	if (answer.status != 200)
		fail_msg("%s %s: %u %s %s", command, arguments, answer.status,
			 answer_text(answer, "error"), answer_text(answer, "message"));
}

static inline void refused(struct office *office, const char *command, const char *arguments,
			   const char *code, const char *field)
{
	_cleanup_answer_ struct answer answer = order(office, command, arguments);
	const char *got = answer_text(answer, "field");

	if (answer.status < 400 || strcmp(answer_text(answer, "error"), code) != 0 ||
	    strcmp(got ? got : "", field) != 0)
		fail_msg("%s %s: %u %s %s", command, arguments, answer.status,
			 answer_text(answer, "error"), got ? got : "");
}

static inline size_t column_of(const struct answer *answer, const char *name)
{
	json_t *column;
	size_t index;

	json_array_foreach(json_object_get(answer->body, "columns"), index,
			   column) if (util_streq(json_string_value(column), name)) return index;
	fail_msg("there is no column %s", name);
	return 0;
}

/* The cell of the first row that has value in column key; NULL when there is none. */
static inline const json_t *cell(const struct answer *answer, const char *key, const char *value,
				 const char *column)
{
	size_t at = column_of(answer, key), wanted = column_of(answer, column), index;
	json_t *row;

	json_array_foreach(json_object_get(answer->body, "rows"), index, row)
	{
		if (util_streq(json_string_value(json_array_get(row, at)), value))
			return json_array_get(row, wanted);
	}
	return NULL;
}

static inline const char *cell_text(const struct answer *answer, const char *key, const char *value,
				    const char *column)
{
	const char *text = json_string_value(cell(answer, key, value, column));

	return text ? text : "";
}

/* The newest audit entry with this event. */
static inline struct audit_row office_audit_last(struct office *office, const char *event)
{
	_cleanup_query_ struct query query = { 0 };
	struct audit_row row, found = { 0 };
	bool more;

	audit_row_list(&query, office->db, 1);
	while (audit_row_next(&query, &row, &more) == OK && more)
		if (util_streq(row.event, event))
			found = row;
	if (!found.seq)
		fail_msg("no %s in the audit log", event);
	return found;
}

/* An administrator with a device (key 2), logged in: their token. */
static inline void office_add_admin(struct office *office, char token[LOGIN_TOKEN_TEXT + 1])
{
	int64_t account = office_add_account(office, "kanri", ACCOUNT_ADMIN);
	int64_t device = office_add_device(office, account, 2);

	office_token(office, account, device, LOGIN_FULL, token);
}

static inline struct answer portal_look(struct office *office, const char *token,
					const char *command)
{
	union wire_any msg = { .admin_look = { .command = command } };

	return office_ask_as(office, MSG_admin_look, &msg, 2, token);
}

static inline struct answer portal_order(struct office *office, const char *token,
					 const char *command, const char *arguments)
{
	union wire_any msg = { .admin_order = {
				       .command = command,
				       .arguments = { (const uint8_t *)arguments,
						      strlen(arguments) },
			       } };

	return office_ask_as(office, MSG_admin_order, &msg, 2, token);
}

#endif
