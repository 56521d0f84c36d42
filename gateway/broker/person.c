#include "broker/person.h"

#include <string.h>

#include "auth/totp.h"
#include "base/clock.h"
#include "base/log.h"
#include "broker/sealed.h"

void person_try_init(struct person_try *try, int64_t account, int64_t device, const char *name,
		     const char *address)
{
	*try = (struct person_try){ .login = { .account = account, .device = device } };
	snprintf(try->account, sizeof(try->account), "%s", name);
	snprintf(try->address, sizeof(try->address), "%s", address);
}

/* The address is counted last and in memory, so that a refused try leaves no trace in either. */
static enum err person_count_in(struct broker *broker, const struct person_try *try,
				int64_t *ret_wait_ms)
{
	_cleanup_tx_ struct db_tx tx = { 0 };
	int64_t now_ms = clock_wall_ms();
	enum err err = db_tx_begin(&tx, broker->db);

	if (!err)
		err = login_count(broker->db, &broker->policy, &try->login, now_ms, ret_wait_ms);
	if (!err)
		err = throttle_count(broker->addresses, try->address, (int64_t)clock_mono_ms(),
				     ret_wait_ms);
	return err ? err : db_tx_commit(&tx);
}

enum err person_count(struct broker *broker, const struct reply_to *to,
		      const struct person_try *try)
{
	int64_t wait_ms = 0;
	enum err err = person_count_in(broker, try, &wait_ms);

	if (err == ERR_THROTTLED) {
		log_info("login-throttled", "device=%lld address=%s wait_ms=%lld",
			 (long long)try->login.device, try->address, (long long)wait_ms);
		reply_throttled(broker, to, wait_ms);
	}
	return err;
}

enum err person_compare(struct broker *broker, const struct reply_to *to,
			const struct person_try *try, const struct secret *password,
			const char *hash, hasher_done *done, void *ctx)
{
	enum err err;

	/* Asked first: a try that cannot be compared must not count. */
	if (!hasher_has_room(broker->hasher))
		return ERR_UNAVAILABLE;
	err = person_count(broker, to, try);
	return err ? err : hasher_verify(broker->hasher, password, hash, done, ctx);
}

bool person_welcome(struct broker *broker, const struct login_try *try, int64_t now_s,
		    struct account *ret)
{
	struct device device;
	bool is_owner;

	if (!try->account || account_by_id(broker->db, try->account, ret) ||
	    device_by_id(broker->db, try->device, &device) ||
	    device_has_owner(broker->db, device.id, ret->id, &is_owner))
		return false;
	return !ret->disabled && !ret->locked && ret->totp_len > 0 && is_owner &&
	       device.state == DEVICE_ACTIVE && login_device_valid(&device, now_s);
}

struct audit_entry person_audit(const struct person_try *try, const char *event, json_t *detail)
{
	return (struct audit_entry){
		.event = event,
		.account = try->account,
		.device = try->login.device,
		.address = try->address,
		.detail = detail,
	};
}

static enum err person_record_failure(struct broker *broker, const struct person_try *try,
				      const char *step, bool *ret_locked)
{
	_cleanup_tx_ struct db_tx tx = { 0 };
	struct audit_entry entry = person_audit(
		try, "login-failed",
		json_pack("{s:s, s:b}", "step", step, "own_device", try->login.account != 0));
	enum err err = db_tx_begin(&tx, broker->db);

	if (err) {
		json_decref(entry.detail);
		return err;
	}
	err = login_fail(broker->db, &broker->policy, &try->login, ret_locked);
	if (err) {
		json_decref(entry.detail);
		return err;
	}
	err = audit_append(broker->db, &entry);
	if (!err && *ret_locked) {
		entry = person_audit(try, "login-locked", NULL);
		err = audit_append(broker->db, &entry);
	}
	return err ? err : db_tx_commit(&tx);
}

enum err person_failed(struct broker *broker, const struct person_try *try, const char *step)
{
	bool locked = false;
	enum err err = person_record_failure(broker, try, step, &locked);

	if (err)
		return err;
	if (locked)
		log_warn("login-locked", "device=%lld account=%s address=%s",
			 (long long)try->login.device, try->account, try->address);
	return ERR_LOGIN;
}

static struct sealed_place totp_place(int64_t account)
{
	return (struct sealed_place){ .table = "account", .column = "totp", .row = account };
}

enum err person_totp_key(struct broker *broker, const struct account *account, struct secret **ret)
{
	const struct sealed_place place = totp_place(account->id);

	return sealed_open(broker->key, &place, account->totp, account->totp_len, ret);
}

enum err person_set_totp(struct broker *broker, int64_t account, const struct secret *key,
			 int64_t now_s)
{
	const struct sealed_place place = totp_place(account);
	uint8_t sealed[ACCOUNT_TOTP_MAX];
	size_t len;
	enum err err = sealed_seal(broker->key, &place, secret_text(key), secret_len(key), sealed,
				   sizeof(sealed), &len);

	return err ? err
		   : account_set_totp(broker->db, account, sealed, len, (int64_t)totp_step(now_s));
}
