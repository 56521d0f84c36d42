/*
 * enrol.h - how a device gets its certificate: the first with the code of an invitation, later ones
 * with the one it has.
 *
 * The signer signs first; then one transaction writes the device, its certificate, the invitation's
 * end and the audit entry; only then the answer leaves. Whatever fails before the commit leaves the
 * invitation as it was, and a certificate that was signed in vain has no row and opens nothing.
 */
#ifndef SEKISHO_BROKER_ENROL_H
#define SEKISHO_BROKER_ENROL_H

#include <openssl/evp.h>

#include "broker/dispatch.h"
#include "store/certificates.h"
#include "store/invites.h"
#include "wire/enums.h"

enum {
	ENROL_DEVICES_MAX = 20, /* of one account, in use */
	ENROL_JOBS_MAX = 64,    /* at the same time */
	ENROL_RETRY_PAGE_S = 5,
	ENROL_RETRY_EST_S = 30,
	/* An invitation from a time to come: the clock was set back, so nobody knows whether it has
	 * run out. */
	ENROL_CLOCK_S = 300,
	ENROL_CODE_TEXT_MAX = 64,
	ENROL_STRANGERS_PER_MINUTE = 4, /* in the audit log */
	ENROL_REMEMBERED_S = 24 * 3600, /* after its end a code is not known any more */
};

nodiscard enum err enrol_new(struct broker *broker, struct enrol **ret);
/* Drops what is under way, unanswered. */
void enrol_free(struct enrol *enrol);

/* ---- invitations ------------------------------------------------------------------------ */

/* What a request wants, and how it is answered. Nothing is taken over. */
struct enrol_wish {
	const char *code;
	struct bytes csr; /* empty: a file */
	enum key_place place;
	bool compatible; /* the file is for a device that cannot read AES */
	bool est;        /* RFC 7030 */
};

/*
 * The invitation with that code. ERR_CODE. ERR_THROTTLED: answered already; a right code is never
 * throttled, because a whole office shares an address.
 */
nodiscard enum err enrol_find(struct request *request, const char *code, struct invite *ret);

/* As people see it: ENROL_EXPIRED too. */
enum enrol_state enrol_seen(const struct invite *invite, int64_t now_s);

/*
 * Whether it is still good for a certificate: ERR_USED, ERR_EXPIRED, ERR_DENIED (refused,
 * withdrawn, or the account is disabled).
 */
nodiscard enum err enrol_valid(struct broker *broker, const struct invite *invite, int64_t now_s);

/* ERR_DENIED: the account has ENROL_DEVICES_MAX devices in use. */
nodiscard enum err enrol_room(struct broker *broker, int64_t account, int64_t now_s);

/* A request with a code, to its answer. As a request_handler. */
nodiscard enum err enrol_begin(struct request *request, const struct enrol_wish *wish);

/* ---- renewal ---------------------------------------------------------------------------- */

/* From when on: two thirds of the life of the certificate in use. */
int64_t renew_from(const struct device *device);
/* Whether its person should be told: 14 days before the end. */
bool renew_is_due(const struct device *device, int64_t now_s);

/* For the request's device; wish without code. As a request_handler. */
nodiscard enum err renew_begin(struct request *request, const struct enrol_wish *wish);

/* A newer certificate than another of the device was just seen with a login: that one ends. */
nodiscard enum err renew_supersede(const struct request *request);

#endif
