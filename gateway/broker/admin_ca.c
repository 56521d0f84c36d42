/*
 * admin_ca.c - sekisho ca … and gateway …
 */
#include "broker/admin.h"
#include "broker/cert.h"
#include "broker/pki.h"
#include "certs/cleanup.h"

enum { PEM_MAX = 32 * 1024 };

static enum err ca_result(struct admin_call *call, struct bytes ders)
{
	_cleanup_object_(x509) X509 *root = NULL;
	_cleanup_buf_ struct buf pem;
	char fingerprint[CERT_FINGERPRINT_TEXT];
	enum err err = cert_root(ders, &root);

	buf_init(&pem, PEM_MAX);
	if (!err)
		err = cert_fingerprint(root, fingerprint);
	if (!err)
		err = cert_pem(root, &pem);
	if (err)
		return err;
	call->result =
		json_pack("{s:s%, s:s}", "certificate", pem.data, pem.len, "sha256", fingerprint);
	return call->result ? OK : ERR_NOMEM;
}

static void ca_came(void *ctx, enum err result, const union wire_any *answer)
{
	struct admin_call *call = ctx;
	enum err err = result;

	if (!err)
		err = ca_result(call, answer->ca_state.cas);
	else if (err == ERR_UNAVAILABLE)
		err = admin_wrong(call, err, "", "the signer does not answer");
	admin_finish(call, err);
}

/* The signer is asked while no certificate has come from it, which brings the CA's along. */
enum err admin_ca_show(struct admin_call *call)
{
	struct pki *pki = call->broker->pki;
	enum err err;

	if (pki_ca(pki).len)
		return ca_result(call, pki_ca(pki));
	err = pki_ask_ca(pki, ca_came, call);
	if (err == ERR_UNAVAILABLE)
		return admin_wrong(call, err, "", "the signer is not running");
	if (!err)
		call->later = true;
	return err;
}

enum err admin_gateway_rekey(struct admin_call *call)
{
	_cleanup_tx_ struct db_tx tx = { 0 };
	enum err err = db_tx_begin(&tx, call->broker->db);

	if (!err)
		err = pki_forget_key(call->broker->pki);
	if (!err)
		err = admin_audit(call, "gateway-rekey", NULL);
	if (!err)
		err = db_tx_commit(&tx);
	if (!err)
		pki_key_forgotten(call->broker->pki);
	return err;
}
