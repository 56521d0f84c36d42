/*
 * admin_common.c - what the handlers of orders have in common.
 */
#include <string.h>

#include "broker/admin.h"

enum { PAGE_BYTES = 80 * 1024 /* of an answer's 96 KiB */ };

enum err admin_find_account(struct admin_call *call, const char *field, struct account *ret)
{
	const char *name = admin_text(call, field);
	enum err err = ERR_NOT_FOUND;

	if (account_name_valid(name))
		err = account_by_name(call->broker->db, name, ret);
	return err == ERR_NOT_FOUND ? admin_wrong(call, err, field, "there is no such account")
				    : err;
}

/* Who is told that it is too short wants to know how long it must be. */
static enum err rule_broken(struct admin_call *call, const char *field, enum password_rule rule)
{
	long long least = call->broker->settings.login_password_length;

	admin_wrong(call, ERR_INVALID, field, password_rule_en(rule));
	snprintf(call->message_ja, sizeof(call->message_ja), "%s", password_rule_ja(rule));
	if (rule == PASSWORD_SHORT) {
		snprintf(call->message, sizeof(call->message), "%s: at least %lld characters",
			 password_rule_en(rule), least);
		snprintf(call->message_ja, sizeof(call->message_ja), "%s（%lld 文字以上）",
			 password_rule_ja(rule), least);
	}
	return ERR_INVALID;
}

enum err admin_new_password(struct admin_call *call, const char *field, const char *account,
			    const char *full_name, struct secret **ret)
{
	_cleanup_secret_ struct secret *password = NULL;
	const struct settings *settings = &call->broker->settings;
	const struct password_policy policy = {
		.min_length = (size_t)settings->login_password_length,
		.account = account,
		.full_name = full_name,
		.office = settings->gateway_office,
		.leaked_path = settings->login_leaked_passwords[0]
				       ? settings->login_leaked_passwords
				       : NULL,
	};
	const char *text = admin_text(call, field);
	enum password_rule rule;
	enum err err = secret_new(text, strlen(text), &password);

	if (err)
		return err;
	if (password_check(password, &policy, &rule))
		return admin_wrong(call, ERR_UNAVAILABLE, field,
				   "the list of leaked passwords cannot be read");
	if (rule != PASSWORD_GOOD)
		return rule_broken(call, field, rule);
	*ret = util_take_ptr(password);
	return OK;
}

void admin_by(const struct admin_call *call, char *ret, size_t size)
{
	if (call->caller.way == ADMIN_SOCKET)
		snprintf(ret, size, "uid %u", (unsigned)call->caller.uid);
	else
		snprintf(ret, size, "%s", call->caller.account);
}

enum err admin_audit(struct admin_call *call, const char *event, json_t *detail)
{
	const struct admin_caller *caller = &call->caller;
	struct audit_entry entry = { .event = event, .detail = detail ? detail : json_object() };

	if (caller->way != ADMIN_SOCKET) {
		entry.account = caller->account;
		entry.device = caller->device;
		entry.address = caller->address;
	} else if (json_object_set_new(entry.detail, "uid",
				       json_integer((json_int_t)caller->uid)) != 0) {
		json_decref(entry.detail);
		return ERR_NOMEM;
	}
	return audit_append(call->broker->db, &entry);
}

enum err admin_commit(struct admin_call *call, struct db_tx *tx, const char *event, json_t *detail)
{
	enum err err = admin_audit(call, event, detail);

	return err ? err : db_tx_commit(tx);
}

enum err admin_record(struct admin_call *call, const char *event, json_t *detail)
{
	_cleanup_tx_ struct db_tx tx = { 0 };
	enum err err = db_tx_begin(&tx, call->broker->db);

	if (err) {
		json_decref(detail);
		return err;
	}
	return admin_commit(call, &tx, event, detail);
}

bool admin_name_valid(const char *text, size_t max, size_t bytes)
{
	size_t len = strlen(text), characters = 0;

	for (size_t i = 0; i < len; i++)
		characters += ((uint8_t)text[i] & 0xc0) != 0x80;
	return len <= bytes && characters <= max && util_text_plain(text) && !util_text_blank(text);
}

enum err admin_columns(struct admin_call *call, const char *columns)
{
	_cleanup_free_ char *copy = strdup(columns);
	json_t *list = json_array();
	char *rest = copy;

	for (const char *name; copy && (name = strsep(&rest, ","));)
		json_array_append_new(list, json_string(name));
	call->result = json_pack("{s:o, s:[]}", "columns", list, "rows");
	return copy && call->result ? OK : ERR_NOMEM;
}

enum err admin_row(struct admin_call *call, json_t *row)
{
	if (!row)
		return ERR_NOMEM;
	return json_array_append_new(json_object_get(call->result, "rows"), row) == 0 ? OK
										      : ERR_NOMEM;
}

/* The first always fits: else nobody would get past it. */
bool admin_page_take(struct admin_call *call, size_t bytes, int64_t number)
{
	if (call->page_bytes && call->page_bytes + bytes > PAGE_BYTES)
		return false;
	call->page_bytes += bytes;
	call->page_last = number;
	return true;
}

enum err admin_page_end(struct admin_call *call)
{
	return json_object_set_new(call->result, "next", json_integer(call->page_last)) ? ERR_NOMEM
											: OK;
}

enum err admin_page_row(struct admin_call *call, json_t *row, int64_t number, bool *ret_full)
{
	if (!row)
		return ERR_NOMEM;
	if (admin_page_take(call, json_dumpb(row, NULL, 0, JSON_COMPACT) + 1, number))
		return admin_row(call, row);
	json_decref(row);
	*ret_full = true;
	return admin_page_end(call);
}
