/*
 * enrol_job.h - for enrol*.c and renew.c alone: one request for a certificate while the signer is
 * at work.
 */
#ifndef SEKISHO_BROKER_ENROL_JOB_H
#define SEKISHO_BROKER_ENROL_JOB_H

#include "auth/throttle.h"
#include "base/bucket.h"
#include "broker/enrol.h"

struct enrol {
	struct broker *broker;
	struct throttle *strangers; /* wrong codes per address */
	struct bucket noted;        /* of them in the audit log */
	struct enrol_job *jobs;
	size_t count;
};

struct enrol_job {
	struct enrol_job *next;
	struct broker *broker;
	struct reply_to to;
	char address[DEVICE_ADDRESS_MAX + 1];
	bool est;
	/* An invitation, or a device that renews; the other is 0. */
	int64_t invite;
	char code[ENROL_CODE_TEXT_MAX + 1]; /* as it was typed, for a challenge password */
	int64_t device;
	int64_t used;    /* its certificate in use */
	int64_t account; /* who is logged in; 0: nobody, the device asks */
	/* What shall be signed; owned. */
	uint8_t *csr;
	size_t csr_len;
	enum key_place place;
	char key_type[CERTIFICATE_KEY_TYPE_MAX + 1];
	EVP_PKEY *file_key; /* for a file; NULL: the device has the key */
	bool compatible;
	/* Of an invitation one job at a time is at the signer; others wait for its end. */
	bool signs, waits;
};

/* Takes wish over in copies, but for the key of a file. ERR_UNAVAILABLE: too many. */
nodiscard enum err enrol_job_new(struct request *request, const struct enrol_wish *wish,
				 struct enrol_job **ret);
void enrol_job_free(struct enrol_job *job);

/* Whether another job of the same invitation is at the signer. */
bool enrol_job_must_wait(const struct enrol_job *job);
/* One that waits for a job of that invitation; NULL: none. */
struct enrol_job *enrol_job_waiting(const struct enrol *enrol, int64_t invite);

/* The error for the answer to what the signer said. *ret_field: what is wrong with the request, or
 * NULL. */
enum err enrol_signer_error(enum err err, const char **ret_field);

/* ERR_KEY: it has or had a certificate, of another device than mine (0: of any), or is the
 * gateway's. */
nodiscard enum err enrol_key_free(struct db *db, const uint8_t key[DEVICE_KEY], int64_t mine);

/* ---- files (enrol_file.c) --------------------------------------------------------------- */

enum { ENROL_PASSWORD = 20, ENROL_PASSWORD_TEXT = 24, ENROL_FILE_MAX = 32 * 1024 };

struct enrol_file {
	struct buf der;
	char password[ENROL_PASSWORD_TEXT + 1];
};
void enrol_file_init(struct enrol_file *file);
/* Wipes. */
void enrol_file_finish(struct enrol_file *file);
#define _cleanup_enrol_file_ _cleanup_(enrol_file_finish)

/* A fresh key and its request, into the job. */
nodiscard enum err enrol_file_key(struct enrol_job *job);
/* Key and certificates under a fresh password. */
nodiscard enum err enrol_file_make(const struct enrol_job *job,
				   const struct msg_certified *certified, const char *name,
				   struct enrol_file *file);

/* ---- answers (enrol_reply.c) ------------------------------------------------------------ */

/* The invitation as JSON, NULL without memory. */
json_t *enrol_json(struct broker *broker, const struct invite *invite, int64_t now_s);
/* It waits for an administrator. */
void enrol_reply_pending(struct enrol_job *job, const struct invite *invite, int64_t now_s);
/* The certificate, in the form that was asked for. body: JSON to add it to, taken over; unused for
 * EST. */
void enrol_reply_issued(struct enrol_job *job, const struct msg_certified *certified,
			const struct enrol_file *file, int64_t until_s, json_t *body);
/* field and reason: NULL for none. */
void enrol_reply_error(struct broker *broker, const struct reply_to *to, enum err err,
		       const char *field, const char *reason);

#endif
