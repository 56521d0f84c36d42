#include "broker/enrol_job.h"

#include <string.h>

#include "base/secret.h"
#include "store/gateway_key.h"

enum { STRANGERS_MAX = 4096 };

enum err enrol_new(struct broker *broker, struct enrol **ret)
{
	struct enrol *enrol = calloc(1, sizeof(*enrol));
	enum err err = enrol ? throttle_new(STRANGERS_MAX, &enrol->strangers) : ERR_NOMEM;

	if (err) {
		free(enrol);
		return err;
	}
	enrol->broker = broker;
	*ret = enrol;
	return OK;
}

void enrol_free(struct enrol *enrol)
{
	if (!enrol)
		return;
	while (enrol->jobs)
		enrol_job_free(enrol->jobs);
	throttle_free(enrol->strangers);
	free(enrol);
}

enum err enrol_job_new(struct request *request, const struct enrol_wish *wish,
		       struct enrol_job **ret)
{
	struct enrol *enrol = request->broker->enrol;
	struct enrol_job *job;

	if (enrol->count >= ENROL_JOBS_MAX)
		return ERR_UNAVAILABLE;
	job = calloc(1, sizeof(*job));
	if (!job)
		return ERR_NOMEM;
	job->csr = wish->csr.len ? malloc(wish->csr.len) : NULL;
	if (wish->csr.len && !job->csr) {
		free(job);
		return ERR_NOMEM;
	}
	if (wish->csr.len)
		memcpy(job->csr, wish->csr.data, wish->csr.len);
	job->csr_len = wish->csr.len;
	job->broker = request->broker;
	job->to = request->to;
	job->est = wish->est;
	job->place = wish->place;
	job->compatible = wish->compatible;
	snprintf(job->address, sizeof(job->address), "%s", request->head->address);
	snprintf(job->code, sizeof(job->code), "%s", wish->code ? wish->code : "");
	job->next = enrol->jobs;
	enrol->jobs = job;
	enrol->count++;
	*ret = job;
	return OK;
}

void enrol_job_free(struct enrol_job *job)
{
	struct enrol *enrol = job->broker->enrol;
	struct enrol_job **link = &enrol->jobs;

	while (*link != job)
		link = &(*link)->next;
	*link = job->next;
	enrol->count--;
	EVP_PKEY_free(job->file_key);
	free(job->csr);
	secret_wipe(job->code, sizeof(job->code));
	free(job);
}

bool enrol_job_must_wait(const struct enrol_job *job)
{
	for (const struct enrol_job *at = job->broker->enrol->jobs; at; at = at->next)
		if (at->invite == job->invite && at->signs)
			return true;
	return false;
}

struct enrol_job *enrol_job_waiting(const struct enrol *enrol, int64_t invite)
{
	for (struct enrol_job *at = enrol->jobs; at; at = at->next)
		if (at->invite == invite && at->waits)
			return at;
	return NULL;
}

enum err enrol_signer_error(enum err err, const char **ret_field)
{
	*ret_field = NULL;
	switch ((int)err) {
	case ERR_CODE:
		*ret_field = "challenge";
		return ERR_INVALID;
	case ERR_INVALID:
	case ERR_TOO_BIG:
		*ret_field = "csr";
		return err;
	case ERR_DENIED:
		return ERR_KEY;
	case ERR_LOCKED:
	case ERR_THROTTLED:
	case ERR_TIMEOUT:
		return ERR_UNAVAILABLE;
	default:
		return err;
	}
}

enum err enrol_key_free(struct db *db, const uint8_t key[DEVICE_KEY], int64_t mine)
{
	uint8_t gateway[GATEWAY_KEY];
	int64_t owner;
	enum err err = certificate_key_owner(db, key, &owner);

	if (err)
		return err;
	if (owner && owner != mine)
		return ERR_KEY;
	err = gateway_key_get(db, gateway);
	if (err)
		return err == ERR_NOT_FOUND ? OK : err;
	return memcmp(gateway, key, sizeof(gateway)) == 0 ? ERR_KEY : OK;
}
_Static_assert((int)GATEWAY_KEY == (int)DEVICE_KEY, "both are a SHA-256");
