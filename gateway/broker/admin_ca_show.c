#include "broker/admin_ca.h"

#include "base/clock.h"
#include "broker/cert.h"
#include "certs/cleanup.h"

enum { PEM_MAX = 64 * 1024 };

/* What is shown beside the certificate. */
struct ca_row {
	const char *kind, *state;
	uint32_t number; /* 0: a root */
};

static json_t *name_json(X509 *certificate)
{
	const X509_NAME *subject = X509_get_subject_name(certificate);
	int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
	const X509_NAME_ENTRY *entry = at < 0 ? NULL : X509_NAME_get_entry(subject, at);
	unsigned char *text = NULL;
	int len = entry ? ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(entry)) : -1;
	json_t *json = len < 0 ? json_string("") : json_stringn((const char *)text, (size_t)len);

	OPENSSL_free(text);
	return json;
}

static enum err add_row(json_t *rows, X509 *certificate, const struct ca_row *row)
{
	char fingerprint[CERT_FINGERPRINT_TEXT];
	int64_t from_s, until_s;
	const char *state = row->state;
	enum err err = cert_seconds(X509_get0_notBefore(certificate), &from_s);

	if (!err)
		err = cert_seconds(X509_get0_notAfter(certificate), &until_s);
	if (!err)
		err = cert_fingerprint(certificate, fingerprint);
	if (err)
		return err;
	if (clock_wall_s() >= until_s)
		state = "expired";
	return json_array_append_new(
		       rows, json_pack("[s, o, o, s, I, I, s]", row->kind,
				       row->number ? json_integer(row->number) : json_null(),
				       name_json(certificate), state, (json_int_t)from_s,
				       (json_int_t)until_s, fingerprint))
		       ? ERR_NOMEM
		       : OK;
}

static uint32_t number_at(struct bytes issuers, size_t index)
{
	const uint8_t *at = issuers.data + 4 * index;

	if (4 * index + 4 > issuers.len)
		return 0;
	return at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

/* The issuing CAs come in the order of their numbers; before, between and after them the roots. */
static enum err add_rows(json_t *rows, const struct msg_ca_state *state)
{
	struct bytes rest = state->cas;
	size_t issuing = 0, roots = 0;
	enum err err = OK;

	while (!err && rest.len) {
		_cleanup_object_(x509) X509 *certificate = NULL;
		struct ca_row row = { .kind = "issuing", .state = "old" };

		err = cert_take(&rest, &certificate);
		if (err)
			return err;
		if (cert_is_root(certificate)) {
			row.kind = "root";
			row.state = roots++ ? "old" : "active";
		} else {
			if (!issuing)
				row.state = state->locked ? "locked" : "active";
			row.number = number_at(state->issuers, issuing++);
		}
		err = add_row(rows, certificate, &row);
	}
	return err;
}

static enum err root_json(const struct msg_ca_state *state, json_t **ret_pem,
			  char ret_fingerprint[CERT_FINGERPRINT_TEXT])
{
	_cleanup_object_(x509) X509 *root = NULL;
	_cleanup_buf_ struct buf pem;
	enum err err = cert_root(state->cas, &root);

	buf_init(&pem, PEM_MAX);
	if (err == ERR_NOT_FOUND)
		return ERR_UNAVAILABLE;
	if (!err)
		err = cert_fingerprint(root, ret_fingerprint);
	if (!err)
		err = cert_pem(root, &pem);
	if (err)
		return err;
	*ret_pem = json_stringn((const char *)pem.data, pem.len);
	return *ret_pem ? OK : ERR_NOMEM;
}

enum err admin_ca_table(const struct msg_ca_state *state, json_t **ret)
{
	char fingerprint[CERT_FINGERPRINT_TEXT];
	json_t *pem = NULL, *rows = json_array();
	enum err err = root_json(state, &pem, fingerprint);

	if (!err)
		err = add_rows(rows, state);
	if (err) {
		json_decref(pem);
		json_decref(rows);
		return err;
	}
	*ret = json_pack("{s:[s,s,s,s,s,s,s], s:o, s:o, s:s, s:b, s:s}", "columns", "kind", "id",
			 "name", "state", "from", "until", "sha256", "rows", rows, "certificate",
			 pem, "sha256", fingerprint, "locked", state->locked, "root_key",
			 state->root_here ? "gateway" : "elsewhere");
	return *ret ? OK : ERR_NOMEM;
}

enum err admin_ca_pem(const struct msg_ca_state *state, bool chain, json_t **ret)
{
	char fingerprint[CERT_FINGERPRINT_TEXT];
	_cleanup_buf_ struct buf pem;
	json_t *text = NULL;
	enum err err;

	buf_init(&pem, PEM_MAX);
	if (!chain) {
		err = root_json(state, &text, fingerprint);
	} else {
		err = state->cas.len ? cert_pem_all(state->cas, &pem) : ERR_UNAVAILABLE;
		if (!err)
			text = json_stringn((const char *)pem.data, pem.len);
	}
	if (err)
		return err;
	*ret = json_pack("{s:o}", "pem", text);
	return *ret ? OK : ERR_NOMEM;
}

enum err admin_ca_chain(const struct msg_certified *certified, json_t **ret)
{
	_cleanup_object_(x509) X509 *certificate = NULL;
	char fingerprint[CERT_FINGERPRINT_TEXT];
	_cleanup_buf_ struct buf pem;
	enum err err = cert_parse(certified->certificate, &certificate);

	buf_init(&pem, PEM_MAX);
	if (!err)
		err = cert_fingerprint(certificate, fingerprint);
	if (!err)
		err = cert_pem(certificate, &pem);
	if (!err)
		err = cert_pem_all(certified->ca, &pem);
	if (err)
		return err;
	*ret = json_pack("{s:s%, s:s}", "certificate", pem.data, pem.len, "sha256", fingerprint);
	return *ret ? OK : ERR_NOMEM;
}
