#include "broker/credential.h"

#include "broker/sealed.h"
#include "store/hosts.h"

void pc_login_finish(struct pc_login *login)
{
	secret_free(login->user);
	secret_free(login->domain);
	secret_free(login->password);
	*login = (struct pc_login){ 0 };
}

static struct sealed_place credential_place(const char *column, int64_t account, int64_t host)
{
	return (struct sealed_place){
		.table = "host_credential", .column = column, .row = account, .row2 = host
	};
}

enum err credential_keep(struct broker *broker, int64_t account, int64_t host,
			 const struct pc_login *login)
{
	struct host_credential row;
	const struct {
		const char *column;
		const struct secret *secret;
		uint8_t *sealed;
		size_t *len;
	} values[] = {
		{ "user_name", login->user, row.user, &row.user_len },
		{ "domain", login->domain, row.domain, &row.domain_len },
		{ "password", login->password, row.password, &row.password_len },
	};

	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		const struct sealed_place place = credential_place(values[i].column, account, host);
		enum err err = sealed_seal(broker->key, &place, secret_text(values[i].secret),
					   secret_len(values[i].secret), values[i].sealed,
					   HOST_SEALED_MAX, values[i].len);

		if (err)
			return err;
	}
	return host_credential_set(broker->db, account, host, &row);
}

enum err credential_open(struct broker *broker, int64_t account, int64_t host, struct pc_login *ret)
{
	struct host_credential row;
	struct pc_login login = { 0 };
	enum err err = host_credential_get(broker->db, account, host, &row);
	const struct {
		const char *column;
		struct secret **secret;
		const uint8_t *sealed;
		const size_t *len;
	} values[] = {
		{ "user_name", &login.user, row.user, &row.user_len },
		{ "domain", &login.domain, row.domain, &row.domain_len },
		{ "password", &login.password, row.password, &row.password_len },
	};

	for (size_t i = 0; i < ARRAY_SIZE(values) && !err; i++) {
		const struct sealed_place place = credential_place(values[i].column, account, host);

		err = sealed_open(broker->key, &place, values[i].sealed, *values[i].len,
				  values[i].secret);
	}
	if (err)
		pc_login_finish(&login);
	else
		*ret = login;
	return err;
}

enum err credential_forget(struct broker *broker, const struct session_row *session,
			   const char *why)
{
	_cleanup_tx_ struct db_tx tx = { 0 };
	char id[2 * SESSION_ROW_ID + 1];
	struct audit_entry entry = {
		.event = "credentials-forgotten",
		.account = session->account_name,
		.host = session->host,
		.session = id,
	};
	enum err err = db_tx_begin(&tx, broker->db);

	util_hex(session->id, sizeof(session->id), id);
	if (!err)
		err = host_credential_delete(broker->db, session->account, session->host);
	if (err)
		return err;
	entry.detail = json_pack("{s:s}", "why", why);
	err = audit_append(broker->db, &entry);
	return err ? err : db_tx_commit(&tx);
}
