#include "broker/quota.h"

#include <stdlib.h>

#include "base/bucket.h"
#include "base/clock.h"
#include "base/log.h"

/* One per account that has asked: there are no more of them than accounts. */
struct quota {
	struct quota *next;
	int64_t account;
	struct bucket buckets[QUOTA_KINDS];
};

static const unsigned per_minute[QUOTA_KINDS] = {
	[QUOTA_SESSION] = QUOTA_SESSIONS_PER_MINUTE,
	[QUOTA_WAKE] = QUOTA_WAKES_PER_MINUTE,
	[QUOTA_ENROL] = QUOTA_ENROLS_PER_MINUTE,
	[QUOTA_CHECK] = QUOTA_CHECKS_PER_MINUTE,
	[QUOTA_RENEW] = QUOTA_RENEWS_PER_MINUTE,
	[QUOTA_ALARM] = QUOTA_ALARMS_PER_MINUTE,
	[QUOTA_RECORDING] = QUOTA_RECORDINGS_PER_MINUTE,
	[QUOTA_CONSOLE] = QUOTA_CONSOLES_PER_MINUTE,
	[QUOTA_NOTE] = QUOTA_NOTES_PER_MINUTE,
	[QUOTA_RECORD] = QUOTA_RECORDS_PER_MINUTE,
	[QUOTA_RECORD_NO] = QUOTA_RECORDS_NO_PER_MINUTE,
	[QUOTA_GLASS] = QUOTA_GLASSES_PER_MINUTE,
	[QUOTA_RECORD_FEW] = QUOTA_RECORDS_FEW_PER_MINUTE,
	[QUOTA_WATCH] = QUOTA_WATCHES_PER_MINUTE,
};

static struct quota *find(struct broker *broker, int64_t account)
{
	struct quota *quota = broker->quotas;

	while (quota && quota->account != account)
		quota = quota->next;
	if (quota)
		return quota;
	quota = calloc(1, sizeof(*quota));
	if (!quota)
		return NULL;
	quota->account = account;
	quota->next = broker->quotas;
	broker->quotas = quota;
	return quota;
}

enum err quota_take(struct broker *broker, const struct reply_to *to, int64_t account,
		    enum quota_kind kind)
{
	struct quota *quota = find(broker, account);
	int64_t wait_ms;
	enum err err;

	if (!quota)
		return ERR_NOMEM;
	err = bucket_take(&quota->buckets[kind], per_minute[kind], clock_mono_ms(), &wait_ms);
	if (err) {
		log_warn("quota", "account=%lld kind=%d", (long long)account, (int)kind);
		reply_throttled(broker, to, wait_ms);
	}
	return err;
}

void quota_forget_all(struct broker *broker)
{
	while (broker->quotas) {
		struct quota *quota = broker->quotas;

		broker->quotas = quota->next;
		free(quota);
	}
}
