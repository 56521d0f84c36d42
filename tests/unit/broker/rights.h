/*
 * rights.h - the ways in which an auditor's right to what is open ends.
 */
#ifndef SEKISHO_TESTS_BROKER_RIGHTS_H
#define SEKISHO_TESTS_BROKER_RIGHTS_H

#include "unit/broker/vault.h"

#include "broker/retention.h"
#include "broker/session.h"

static inline void log_out(struct office *office, struct vault *of)
{
	union wire_any msg = { 0 };
	struct answer answer = office_ask_as(office, MSG_logout, &msg, AUDITOR_KEY, of->token);

	answer_finish(&answer);
}

static inline void disable(struct office *office, struct vault *of)
{
	(void)of;
	ordered(office, "user disable", "{\"name\": \"kansa\"}");
}

static inline void revoke_device(struct office *office, struct vault *of)
{
	char text[32];

	snprintf(text, sizeof(text), "{\"id\": %lld}", (long long)of->device);
	ordered(office, "device revoke", text);
}

static inline void change_password(struct office *office, struct vault *of)
{
	(void)of;
	ordered(office, "user password",
		"{\"name\": \"kansa\", \"password\": \"kumo-no-ue-no-shiro-9\"}");
	office_pass(SESSION_PING_S * 1000 + 100);
}

static inline void lock(struct office *office, struct vault *of)
{
	(void)of;
	assert_ok(db_exec(office->db, "UPDATE login SET locked = 1"));
	office_pass(SESSION_PING_S * 1000 + 100);
}

static inline void leave_alone(struct office *office, struct vault *of)
{
	(void)of;
	assert_ok(db_exec(office->db, "UPDATE login SET used = used - 3600"));
	office_pass(SESSION_PING_S * 1000 + 100);
}

static inline void dispose(struct office *office, struct vault *of)
{
	(void)of;
	assert_ok(db_exec(office->db, "UPDATE recording SET state = 5, disposed_seq = 1"));
	retention_tick(office->broker);
}

static inline void become_staff(struct office *office, struct vault *of)
{
	(void)of;
	assert_ok(db_exec(office->db, "UPDATE account SET role = 1 WHERE name = 'kansa'"));
	office_pass(SESSION_PING_S * 1000 + 100);
}

#endif
