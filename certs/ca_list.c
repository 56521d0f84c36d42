#include "certs/ca_list.h"

enum err ca_list_numbers(const struct ca_store *store, int64_t now_s, struct buf *buf)
{
	enum err err = OK;

	for (size_t i = 0; !err && i < store->count; i++) {
		uint32_t number = ca_number(store->list[i]);
		const uint8_t bytes[] = { (uint8_t)number, (uint8_t)(number >> 8),
					  (uint8_t)(number >> 16), (uint8_t)(number >> 24) };
		if (ca_store_is_live(store, store->list[i], now_s))
			err = buf_add(buf, bytes, sizeof(bytes));
	}
	return err;
}

enum err ca_list_add(const X509 *certificate, struct buf *buf)
{
	uint8_t *der = NULL;
	int len = i2d_X509(certificate, &der);

	if (len <= 0)
		return ERR_CRYPTO;
	enum err err = buf_add(buf, der, (size_t)len);
	OPENSSL_free(der);
	return err;
}

/* A newer one has the same root, which is in the answer already. */
static bool is_root_said(const struct ca_store *store, size_t at, int64_t now_s)
{
	for (size_t i = 0; i < at; i++)
		if (ca_store_is_live(store, store->list[i], now_s) &&
		    X509_cmp(ca_root(store->list[i]), ca_root(store->list[at])) == 0)
			return true;
	return false;
}

enum err ca_list_certificates(const struct ca_store *store, int64_t now_s, struct buf *buf)
{
	enum err err = OK;

	for (size_t i = 0; !err && i < store->count; i++) {
		const struct ca *ca = store->list[i];
		if (!ca_store_is_live(store, ca, now_s))
			continue;
		err = ca_list_add(ca_certificate(ca), buf);
		if (!err && !is_root_said(store, i, now_s))
			err = ca_list_add(ca_root(ca), buf);
	}
	return err;
}

enum err ca_list_chain(const struct ca *ca, struct buf *buf)
{
	enum err err = ca_list_add(ca_certificate(ca), buf);

	return err ? err : ca_list_add(ca_root(ca), buf);
}
