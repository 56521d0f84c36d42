#include "certs/pkcs11.h"

#include "base/log.h"

struct token {
	int unused;
};

enum err token_open(const char *module, const char *uri, struct token **ret)
{
	(void)module, (void)uri, (void)ret;
	return ERR_UNAVAILABLE;
}
void token_close(struct token *token)
{
	(void)token;
}
const char *token_way(const struct token *token)
{
	(void)token;
	return "none";
}
enum err token_key(struct token *token, const char *uri, const struct secret *pin, EVP_PKEY **ret)
{
	(void)token, (void)uri, (void)pin, (void)ret;
	return ERR_UNAVAILABLE;
}
