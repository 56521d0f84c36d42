#include "base/err.h"

#include <errno.h>
#include <stddef.h>

static const struct {
	const char *code, *en, *ja;
	int status;
} table[ERR_COUNT] = { [OK] = { "ok", "ok", "正常", 200 },
#define X(name, code, status, en, ja) [name] = { code, en, ja, status },
		       ERR_TABLE(X)
#undef X
};

static enum err known(enum err err)
{
	return (unsigned)err < ERR_COUNT ? err : ERR_INTERNAL;
}

const char *err_code(enum err err)
{
	return table[known(err)].code;
}

const char *err_text_en(enum err err)
{
	return table[known(err)].en;
}

const char *err_text_ja(enum err err)
{
	return table[known(err)].ja;
}

int err_status(enum err err)
{
	return table[known(err)].status;
}

enum err err_from_errno(int saved_errno)
{
	switch (saved_errno) {
	case 0:
		return OK;
	case ENOMEM:
		return ERR_NOMEM;
	case ENOENT:
	case ENOTDIR:
		return ERR_NOT_FOUND;
	case EEXIST:
		return ERR_EXISTS;
	case EACCES:
	case EPERM:
		return ERR_DENIED;
	case ENOSPC:
	case EDQUOT:
		return ERR_FULL;
	case EAGAIN:
		return ERR_UNAVAILABLE;
	case EPIPE:
	case ECONNRESET:
	case ENOTCONN:
		return ERR_CLOSED;
	case ETIMEDOUT:
		return ERR_TIMEOUT;
	case EMSGSIZE:
	case EFBIG:
		return ERR_TOO_BIG;
	default:
		return ERR_IO;
	}
}
