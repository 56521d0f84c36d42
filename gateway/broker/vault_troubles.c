#include "broker/vault_troubles.h"

#include "base/log.h"
#include "broker/vault_link.h"
#include "store/audit_rows.h"

/* lasts: until the vault is opened the next time, when it looks again. */
static const struct trouble {
	const char *event;
	bool lasts;
} troubles[] = {
	{ "vault-rolled-back", true },
	{ "vault-damaged", true },
	{ "vault-disposed-again", false },
	{ "document-quarantined", false },
};

static void add(json_t *list, const char *what, int64_t since_s)
{
	json_array_append_new(list,
			      json_pack("{s:s, s:I}", "what", what, "since", (json_int_t)since_s));
}

/* When it was, 0: not lately. */
static enum err since(const struct broker *broker, const struct trouble *trouble, int64_t opened,
		      int64_t now_s, int64_t *ret_s)
{
	int64_t seq, time_ms;
	enum err err = audit_row_vault(broker->db, trouble->event, &seq, &time_ms);

	if (err)
		return err;
	bool counts = trouble->lasts ? seq > opened
				     : time_ms / 1000 > now_s - VAULT_TROUBLES_DAYS * 86400LL;
	*ret_s = counts ? time_ms / 1000 : 0;
	return OK;
}

json_t *vault_troubles(const struct broker *broker, int64_t now_s)
{
	json_t *list = json_array();
	int64_t opened = 0, time_ms, since_s;
	enum err err = audit_row_vault(broker->db, "vault-unsealed", &opened, &time_ms);

	if (vault_link_is(broker->house) == VAULT_SEALED)
		add(list, "vault-sealed", 0);
	for (size_t i = 0; !err && i < ARRAY_SIZE(troubles); i++) {
		err = since(broker, &troubles[i], opened, now_s, &since_s);
		if (!err && since_s)
			add(list, troubles[i].event, since_s);
	}
	if (err)
		log_error("vault-troubles", "error=%s", err_code(err));
	return list;
}
