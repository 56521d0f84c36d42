#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "broker/enrol_code.h"
#include "broker/enrol_job.h"
#include "broker/issued.h"
#include "broker/pki.h"
#include "broker/quota.h"

/* ---- is it good? ------------------------------------------------------------------------ */

/* Strangers must not fill a log that cannot be shortened: the first wrong code of an address in a
 * while is in it, and few of all. */
static enum err stranger(struct request *request)
{
	struct enrol *enrol = request->broker->enrol;
	struct audit_entry entry = { .event = "enrol-refused", .address = request->head->address };
	uint64_t mono_ms = clock_mono_ms();
	int64_t wait_ms;
	enum err err = throttle_count(enrol->strangers, entry.address, (int64_t)mono_ms, &wait_ms);

	if (err == ERR_THROTTLED)
		reply_throttled(request->broker, &request->to, wait_ms);
	if (err)
		return err;
	if (throttle_tries(enrol->strangers, entry.address) > 1 ||
	    bucket_take(&enrol->noted, ENROL_STRANGERS_PER_MINUTE, mono_ms, &wait_ms))
		return ERR_CODE;
	entry.detail = json_pack("{s:s}", "reason", err_code(ERR_CODE));
	err = broker_audit(request->broker, &entry);
	return err ? err : ERR_CODE;
}

enum err enrol_find(struct request *request, const char *code, struct invite *ret)
{
	uint8_t hash[ENROL_CODE_HASH];
	enum err err = enrol_code_hash(code, hash);

	if (!err)
		err = invite_by_code(request->broker->db, hash, ret);
	/* A sheet that was found a year later must not fill the log either. */
	if (!err && ret->expires_s + ENROL_REMEMBERED_S <= request->now_s)
		return stranger(request);
	return err == ERR_CODE || err == ERR_NOT_FOUND ? stranger(request) : err;
}
_Static_assert((int)ENROL_CODE_HASH == (int)INVITE_CODE, "both are a SHA-256");

static bool is_over(const struct invite *invite, int64_t now_s)
{
	return now_s >= invite->expires_s || invite->created_s - now_s > ENROL_CLOCK_S;
}

enum enrol_state enrol_seen(const struct invite *invite, int64_t now_s)
{
	bool lives = invite->state == ENROL_OPEN || invite->state == ENROL_PENDING ||
		     invite->state == ENROL_APPROVED;

	return lives && is_over(invite, now_s) ? ENROL_EXPIRED : (enum enrol_state)invite->state;
}

enum err enrol_valid(struct broker *broker, const struct invite *invite, int64_t now_s)
{
	struct account account;
	enum err err = account_by_id(broker->db, invite->account, &account);

	if (err)
		return err;
	switch (enrol_seen(invite, now_s)) {
	case ENROL_OPEN:
	case ENROL_PENDING:
	case ENROL_APPROVED:
		return account.disabled ? ERR_DENIED : OK;
	case ENROL_ISSUED:
		return ERR_USED;
	case ENROL_EXPIRED:
		return ERR_EXPIRED;
	case ENROL_REFUSED:
	case ENROL_WITHDRAWN:
		break;
	}
	return ERR_DENIED;
}

enum err enrol_room(struct broker *broker, int64_t account, int64_t now_s)
{
	int64_t count = 0;
	enum err err = device_count(broker->db, account, now_s, &count);

	return !err && count >= ENROL_DEVICES_MAX ? ERR_DENIED : err;
}

/* ---- refusals --------------------------------------------------------------------------- */

/* Of what is wrong with the request, not of what the gateway cannot do now. */
static bool is_refusal(enum err err)
{
	return err == ERR_USED || err == ERR_EXPIRED || err == ERR_DENIED || err == ERR_KEY ||
	       err == ERR_INVALID || err == ERR_TOO_BIG;
}

/* Answers and ends the job. invite: NULL while it could not be read. */
static void refuse(struct enrol_job *job, const struct invite *invite, enum err why,
		   const char *field)
{
	struct broker *broker = job->broker;
	enum err err = why;

	if (invite && is_refusal(why)) {
		struct audit_entry entry = {
			.event = "enrol-refused",
			.account = invite->account_name,
			.address = job->address,
		};

		err = quota_take(broker, &job->to, invite->account, QUOTA_ENROL);
		if (!err) {
			entry.detail = json_pack("{s:s, s:s*, s:s}", "reason", err_code(why),
						 "field", field, "name", invite->name);
			err = broker_audit(broker, &entry);
		}
		if (!err)
			err = why;
	}
	if (err != ERR_THROTTLED)
		enrol_reply_error(broker, &job->to, err, err == why ? field : NULL,
				  err == why && invite ? invite->reason : NULL);
	enrol_job_free(job);
}

/* ---- the certificate -------------------------------------------------------------------- */

static enum err issue_rows(struct enrol_job *job, struct invite *invite, struct certificate *row)
{
	struct db *db = job->broker->db;
	struct device device = { .owner = invite->account };
	int64_t id;
	enum err err = enrol_key_free(db, row->key, 0);

	snprintf(device.name, sizeof(device.name), "%s", invite->name);
	memcpy(device.key, row->key, sizeof(device.key));
	if (!err)
		err = device_add(db, &device, &row->device);
	if (err == ERR_EXISTS)
		err = ERR_KEY;
	if (!err)
		err = certificate_add(db, row, &id);
	if (err)
		return err;
	err = invite_issued(db, invite->id, row->device);
	if (err)
		return err == ERR_NOT_FOUND ? ERR_USED : err;
	invite->state = ENROL_ISSUED;
	invite->device = row->device;
	return audit_append(db,
			    &(const struct audit_entry){
				    .event = "device-enrol",
				    .account = invite->account_name,
				    .device = row->device,
				    .address = job->address,
				    .detail = json_pack("{s:s, s:s, s:s, s:I, s:s}", "name",
							invite->name, "key", row->key_type, "place",
							key_place_code((unsigned)row->key_place),
							"until", (json_int_t)row->not_after_s,
							"invited_by", invite->invited_by),
			    });
}

/* All is looked up again: much may have happened while the signer was at work. */
static enum err issue(struct enrol_job *job, struct certificate *row, struct invite *ret)
{
	_cleanup_tx_ struct db_tx tx = { 0 };
	struct broker *broker = job->broker;
	int64_t now_s = clock_wall_s();
	enum err err = db_tx_begin(&tx, broker->db);

	if (!err)
		err = invite_by_id(broker->db, job->invite, ret);
	if (!err)
		err = enrol_valid(broker, ret, now_s);
	if (!err)
		err = enrol_room(broker, ret->account, now_s);
	/* The signer signed what was asked for, or it is broken. */
	if (!err && !job->file_key && memcmp(row->key, ret->key, sizeof(row->key)) != 0)
		err = ERR_INTERNAL;
	if (!err)
		err = issue_rows(job, ret, row);
	return err ? err : db_tx_commit(&tx);
}

/*
 * Those that asked with the same code meanwhile. The same request has the same certificate; a file
 * is for one alone. certified is NULL unless err is OK.
 */
static void end_waiting(struct broker *broker, const struct invite *invite, enum err err,
			const char *field, const struct msg_certified *certified, int64_t until_s)
{
	struct enrol_job *job;

	while ((job = enrol_job_waiting(broker->enrol, invite->id))) {
		if (!err && invite->kind == INVITE_REQUEST) {
			enrol_reply_issued(job, certified, NULL, until_s,
					   job->est ? NULL
						    : enrol_json(broker, invite, clock_wall_s()));
			enrol_job_free(job);
		} else {
			refuse(job, invite, err ? err : ERR_USED, field);
		}
	}
}

static void certified(void *ctx, enum err result, const union wire_any *answer)
{
	_cleanup_enrol_file_ struct enrol_file file;
	struct enrol_job *job = ctx;
	struct broker *broker = job->broker;
	struct invite invite = { 0 };
	struct certificate row;
	const char *field;
	enum err err = enrol_signer_error(result, &field);

	enrol_file_init(&file);
	job->signs = false;
	if (!err)
		err = invite_by_id(broker->db, job->invite, &invite);
	if (!err)
		err = issued_row(&answer->certified, clock_wall_s(), &row);
	if (!err && job->file_key)
		err = enrol_file_make(job, &answer->certified, invite.name, &file);
	if (!err) {
		row.key_place = job->place;
		snprintf(row.key_type, sizeof(row.key_type), "%s",
			 job->file_key ? job->key_type : invite.key_type);
		err = issue(job, &row, &invite);
	}
	if (err) {
		const struct invite same = { .id = job->invite };

		refuse(job, invite.id ? &invite : NULL, err, field);
		end_waiting(broker, invite.id ? &invite : &same, err, field, NULL, 0);
		return;
	}
	log_info("enrolled", "account=%s device=%lld", invite.account_name, (long long)row.device);
	enrol_reply_issued(job, &answer->certified, &file, row.not_after_s,
			   job->est ? NULL : enrol_json(broker, &invite, clock_wall_s()));
	enrol_job_free(job);
	end_waiting(broker, &invite, OK, NULL, &answer->certified, row.not_after_s);
}

/* Waits, or has it signed. */
static void go_on(struct enrol_job *job, const struct invite *invite)
{
	struct pki_device_order order = { .name = invite->name,
					  .owner = invite->account_name,
					  .challenge = job->code };
	enum err err = OK;

	if (invite->state == ENROL_PENDING) {
		enrol_reply_pending(job, invite, clock_wall_s());
		enrol_job_free(job);
		return;
	}
	/* What is signed twice has no row the second time, and the signer's list would say so for
	 * ever.
	 */
	job->waits = enrol_job_must_wait(job);
	if (job->waits)
		return;
	if (invite->kind == INVITE_FILE)
		err = enrol_file_key(job);
	order.csr = (struct bytes){ job->csr, job->csr_len };
	if (!err)
		err = pki_sign_device(job->broker->pki, &order, certified, job);
	if (err)
		refuse(job, invite, err, NULL);
	else
		job->signs = true;
}

/* ---- asking ----------------------------------------------------------------------------- */

/* checked: NULL for a file. *invite becomes what the row says then. */
static enum err ask(struct enrol_job *job, struct invite *invite,
		    const struct msg_checked_csr *checked)
{
	_cleanup_tx_ struct db_tx tx = { 0 };
	struct db *db = job->broker->db;
	struct audit_entry entry = { .event = "device-request",
				     .account = invite->account_name,
				     .address = job->address };
	enum err err = db_tx_begin(&tx, db);

	invite->kind = checked ? INVITE_REQUEST : INVITE_FILE;
	invite->key_place = job->place;
	invite->asked_s = clock_wall_s();
	snprintf(invite->asked_address, sizeof(invite->asked_address), "%s", job->address);
	if (checked) {
		memcpy(invite->key, checked->key, sizeof(invite->key));
		snprintf(invite->key_type, sizeof(invite->key_type), "%s", checked->key_type);
	}
	if (!err)
		err = invite_ask(db, invite, job->csr, job->csr_len);
	if (err)
		return err == ERR_NOT_FOUND ? ERR_USED : err;
	entry.detail = json_pack("{s:s, s:s, s:s}", "name", invite->name, "key", invite->key_type,
				 "place", key_place_code((unsigned)invite->key_place));
	err = audit_append(db, &entry);
	if (!err)
		err = db_tx_commit(&tx);
	return err ? err : invite_by_id(db, invite->id, invite);
}

static enum err take_request(struct enrol_job *job, struct invite *invite,
			     const struct msg_checked_csr *checked)
{
	enum err err = enrol_valid(job->broker, invite, clock_wall_s());

	if (!err)
		err = enrol_key_free(job->broker->db, checked->key, 0);
	if (err)
		return err;
	if (invite->state == ENROL_OPEN)
		return ask(job, invite, checked);
	/* Another device was first. */
	if (invite->kind != INVITE_REQUEST ||
	    memcmp(invite->key, checked->key, sizeof(invite->key)) != 0)
		return ERR_USED;
	return OK;
}

static void checked(void *ctx, enum err result, const union wire_any *answer)
{
	struct enrol_job *job = ctx;
	struct invite invite = { 0 };
	const char *field;
	enum err err = enrol_signer_error(result, &field);
	enum err found = invite_by_id(job->broker->db, job->invite, &invite);

	if (found)
		err = found;
	if (!err)
		err = take_request(job, &invite, &answer->checked_csr);
	if (err)
		refuse(job, found ? NULL : &invite, err, field);
	else
		go_on(job, &invite);
}

static void begin_file(struct enrol_job *job, struct invite *invite)
{
	enum err err = OK;

	job->place = KEY_PKCS12;
	if (invite->state == ENROL_OPEN)
		err = ask(job, invite, NULL);
	if (err)
		refuse(job, invite, err, NULL);
	else
		go_on(job, invite);
}

/* Devices ask again with the very same request while they wait. */
static bool is_known(const struct enrol_job *job, const struct invite *invite)
{
	uint8_t csr[INVITE_CSR_MAX];
	size_t len;

	return invite->kind == INVITE_REQUEST &&
	       invite_csr(job->broker->db, invite->id, csr, &len) == OK && len == job->csr_len &&
	       memcmp(csr, job->csr, len) == 0;
}

static void begin_request(struct enrol_job *job, const struct invite *invite)
{
	enum err err;

	if (is_known(job, invite)) {
		go_on(job, invite);
		return;
	}
	err = quota_take(job->broker, &job->to, invite->account, QUOTA_CHECK);
	if (!err)
		err = pki_check_csr(job->broker->pki, (struct bytes){ job->csr, job->csr_len },
				    job->code, checked, job);
	if (err)
		refuse(job, invite, err, NULL);
}

enum err enrol_begin(struct request *request, const struct enrol_wish *wish)
{
	enum invite_kind kind = wish->csr.len ? INVITE_REQUEST : INVITE_FILE;
	struct invite invite;
	struct enrol_job *job;
	const char *field = NULL;
	enum err err = enrol_find(request, wish->code, &invite);

	if (err)
		return err == ERR_THROTTLED ? OK : err;
	err = enrol_job_new(request, wish, &job);
	if (err)
		return err;
	job->invite = invite.id;
	err = enrol_valid(request->broker, &invite, request->now_s);
	if (!err && invite.kind != INVITE_NOTHING && invite.kind != kind)
		err = ERR_USED;
	if (!err) {
		err = enrol_room(request->broker, invite.account, request->now_s);
		field = err == ERR_DENIED ? "devices" : NULL;
	}
	if (err)
		refuse(job, &invite, err, field);
	else if (kind == INVITE_FILE)
		begin_file(job, &invite);
	else
		begin_request(job, &invite);
	return OK;
}
