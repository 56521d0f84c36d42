/*
 * est.h - what EST (RFC 7030) and OCSP (RFC 6960) bring in HTTP besides bodies: the code as a
 * password, their media types, and questions in a path. Pure functions.
 */
#ifndef SEKISHO_EDGE_EST_H
#define SEKISHO_EDGE_EST_H

#include <stdbool.h>

#include "base/buf.h"
#include "wire/enums.h"

/* Bytes, as messages.def has them. */
enum { EST_USER_MAX = 64, EST_CODE_MAX = 64, EST_CSR_MAX = 12288, EST_QUESTION_MAX = 2048 };

/* Both NUL-terminated UTF-8. The holder wipes it. */
struct est_login {
	char user[EST_USER_MAX + 1]; /* may be "" */
	char code[EST_CODE_MAX + 1];
};

/*
 * Reads an Authorization field: HTTP Basic (RFC 7617) in canonical base64, one user, one password,
 * no control characters. ERR_CODE for everything else, the empty field too.
 */
nodiscard enum err est_login_parse(const char *authorization, struct est_login *ret);

/* Whether a Content-Type field is type, with any parameters or none. */
bool est_type_fits(const char *content_type, const char *type);

/*
 * Appends the DER of an OCSP request that came in a path (RFC 6960 A.1): base64 with the percent
 * encoding already undone. ERR_INVALID, ERR_TOO_BIG.
 */
nodiscard enum err est_question(const char *text, struct buf *der);

/* The Content-Type of an answer; NULL for an unknown kind. */
const char *est_answer_type(unsigned kind);
/* Whether that answer is base64, which RFC 7030 §4.1.3 wants said. */
bool est_answer_base64(unsigned kind);

#endif
