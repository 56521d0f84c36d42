/*
 * renew.c - a device that is enrolled takes its next certificate; the one before ends when the next
 * is first seen with a login.
 */
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "broker/enrol_job.h"
#include "broker/issued.h"
#include "broker/pki.h"
#include "broker/quota.h"

enum {
	WARN_S = 14 * 24 * 3600,
	DAY_S = 24 * 3600,
	RETRY_MS = 3600 * 1000,
	/* Of one device. Each that nobody takes stays on the CRL until it would have run out, and
	 * whoever has the old key can ask, without a login: a list has room for a thousand. */
	RENEWALS_PER_DAY = 10,
};

int64_t renew_from(const struct device *device)
{
	return device->not_before_s + (device->not_after_s - device->not_before_s) / 3 * 2;
}

bool renew_is_due(const struct device *device, int64_t now_s)
{
	return device->not_after_s - now_s <= WARN_S;
}

static void fail(struct enrol_job *job, enum err why, const char *field)
{
	enrol_reply_error(job->broker, &job->to, why, field, NULL);
	enrol_job_free(job);
}

/* Its place among the devices as it is now, which must be as good as when it asked. */
static enum err look_again(const struct enrol_job *job, struct device *ret)
{
	bool owned = false;
	enum err err = device_by_id(job->broker->db, job->device, ret);

	if (!err && ret->state != DEVICE_ACTIVE)
		err = ERR_AUTH;
	if (!err)
		err = device_is_owned(job->broker->db, ret->id, &owned);
	return !err && !owned ? ERR_DENIED : err;
}

static enum err record(const struct enrol_job *job, const struct device *device,
		       const struct certificate *row)
{
	struct account account = { 0 };
	enum err err = job->account ? account_by_id(job->broker->db, job->account, &account) : OK;

	if (err)
		return err;
	return audit_append(
		job->broker->db,
		&(const struct audit_entry){
			.event = "device-renew",
			.account = job->account ? account.name : device->owner_name,
			.device = device->id,
			.address = job->address,
			.detail = json_pack("{s:s, s:s, s:I}", "key", row->key_type, "place",
					    key_place_code((unsigned)row->key_place), "until",
					    (json_int_t)row->not_after_s),
		});
}

/* *ret_ended: how many others ended. */
static enum err renew(const struct enrol_job *job, struct certificate *row, int64_t *ret_ended)
{
	_cleanup_tx_ struct db_tx tx = { 0 };
	struct db *db = job->broker->db;
	struct device device;
	int64_t id;
	enum err err = db_tx_begin(&tx, db);

	if (!err)
		err = look_again(job, &device);
	if (!err)
		err = enrol_key_free(db, row->key, job->device);
	if (!err)
		err = certificate_drop_unseen(db, job->device, job->used, row->key, row->issued_s,
					      ret_ended);
	row->device = job->device;
	if (!err)
		err = certificate_add(db, row, &id);
	if (!err)
		err = record(job, &device, row);
	return err ? err : db_tx_commit(&tx);
}

static void certified(void *ctx, enum err result, const union wire_any *answer)
{
	_cleanup_enrol_file_ struct enrol_file file;
	struct enrol_job *job = ctx;
	struct device device;
	struct certificate row;
	int64_t ended = 0;
	const char *field;
	enum err err = enrol_signer_error(result, &field);

	enrol_file_init(&file);
	if (!err)
		err = look_again(job, &device);
	if (!err)
		err = issued_row(&answer->certified, clock_wall_s(), &row);
	if (!err && job->file_key)
		err = enrol_file_make(job, &answer->certified, device.name, &file);
	if (!err) {
		row.key_place = job->place;
		memcpy(row.key_type, job->key_type, sizeof(row.key_type));
		err = renew(job, &row, &ended);
	}
	if (err) {
		fail(job, err, field);
		return;
	}
	if (ended)
		pki_renew_crl(job->broker->pki);
	enrol_reply_issued(job, &answer->certified, &file, row.not_after_s,
			   job->est ? NULL : json_object());
	enrol_job_free(job);
}

static void sign(struct enrol_job *job)
{
	struct device device;
	struct pki_device_order order = { .csr = { job->csr, job->csr_len } };
	enum err err = look_again(job, &device);

	order.name = device.name;
	order.owner = device.owner_name;
	if (!err)
		err = pki_sign_device(job->broker->pki, &order, certified, job);
	if (err)
		fail(job, err, NULL);
}

static void checked(void *ctx, enum err result, const union wire_any *answer)
{
	struct enrol_job *job = ctx;
	const char *field;
	enum err err = enrol_signer_error(result, &field);

	if (!err)
		err = enrol_key_free(job->broker->db, answer->checked_csr.key, job->device);
	if (err) {
		fail(job, err, field);
		return;
	}
	snprintf(job->key_type, sizeof(job->key_type), "%s", answer->checked_csr.key_type);
	sign(job);
}

static enum err may_renew(const struct request *request)
{
	if (request->device.state != DEVICE_ACTIVE)
		return ERR_LOCKED;
	return request->now_s < renew_from(&request->device) ? ERR_WRONG_STATE : OK;
}

/* ERR_THROTTLED: answered already. */
static enum err take_renewal(struct request *request)
{
	int64_t count = 0, now_s = request->now_s;
	enum err err = certificate_count_issued(request->broker->db, request->device.id,
						now_s - DAY_S, now_s, &count);

	if (!err && count >= RENEWALS_PER_DAY) {
		log_warn("renewals", "device=%lld", (long long)request->device.id);
		reply_throttled(request->broker, &request->to, RETRY_MS);
		err = ERR_THROTTLED;
	}
	return err ? err
		   : quota_take(request->broker, &request->to, request->device.owner, QUOTA_RENEW);
}

/* Where the key is: a request does not say, so it is where the one before was. */
static enum err place_before(struct request *request, enum key_place *ret)
{
	struct certificate before;
	enum err err = certificate_newest(request->broker->db, request->device.id, &before);

	if (!err)
		*ret = (enum key_place)before.key_place;
	return err;
}

static void begin(struct enrol_job *job)
{
	enum err err;

	if (job->csr_len) {
		err = pki_check_csr(job->broker->pki, (struct bytes){ job->csr, job->csr_len },
				    NULL, checked, job);
	} else {
		err = enrol_file_key(job);
		if (!err) {
			sign(job);
			return;
		}
	}
	if (err)
		fail(job, err, NULL);
}

enum err renew_begin(struct request *request, const struct enrol_wish *wish)
{
	struct enrol_wish asked = *wish;
	struct enrol_job *job;
	enum err err = may_renew(request);

	if (!err && wish->csr.len)
		err = place_before(request, &asked.place);
	if (!err)
		err = take_renewal(request);
	if (!err)
		err = enrol_job_new(request, &asked, &job);
	if (err)
		return err == ERR_THROTTLED ? OK : err;
	job->device = request->device.id;
	job->used = request->device.certificate;
	job->account = request->account.id;
	begin(job);
	return OK;
}

enum err renew_supersede(const struct request *request)
{
	_cleanup_tx_ struct db_tx tx = { 0 };
	struct db *db = request->broker->db;
	const struct device *device = &request->device;
	struct audit_entry entry = request_audit(request, "device-key-superseded", NULL);
	enum err err = db_tx_begin(&tx, db);

	if (!entry.account || !*entry.account)
		entry.account = device->owner_name;
	if (!err)
		err = certificate_supersede(db, device->id, device->certificate, request->now_s);
	if (!err)
		err = audit_append(db, &entry);
	if (!err)
		err = db_tx_commit(&tx);
	if (!err)
		pki_renew_crl(request->broker->pki);
	return err;
}
