/*
 * vault.h - the vault's part played by the test, an auditor who is logged in, and recordings that
 * have ended.
 */
#ifndef SEKISHO_TESTS_BROKER_VAULT_H
#define SEKISHO_TESTS_BROKER_VAULT_H

#include "unit/broker/orders.h"

#include <liboath/oath.h>

#include "broker/playback.h"
#include "broker/vault_link.h"
#include "store/recordings.h"

enum { AUDITOR_KEY = 4 };

struct vault {
	int fd;
	int64_t account, device;
	char token[LOGIN_TOKEN_TEXT + 1];
	uint8_t session[WIRE_SESSION_ID]; /* that was recorded */
	char id[2 * WIRE_SESSION_ID + 1];
};

static inline void vault_says(struct office *office, struct vault *vault, enum vault_state state)
{
	const struct msg_vault_state msg = { .state = (uint8_t)state };

	assert_ok(ipc_send(vault->fd, MSG_vault_state, &msg, -1));
	for (int i = 0; i < 3; i++)
		assert_ok(loop_step(office->loop, 5));
	assert_int_equal(vault_link_is(office->broker->house), state);
}

static inline void vault_hears(struct office *office, struct vault *vault, uint16_t id)
{
	assert_true(office_receive(office, vault->fd, WIRE_VAULT, id, OFFICE_WAIT_MS));
}

/* Everything that waits to be done is done, and nothing came. */
static inline void vault_hears_nothing(struct office *office, struct vault *vault)
{
	for (int i = 0; i < 5; i++)
		assert_ok(loop_step(office->loop, 2));
	enum err err;
	/* How far the records had come it hears with each opening. */
	do {
		err = ipc_receive(vault->fd, WIRE_BROKER, WIRE_VAULT, &office->received);
	} while (!err && office->received.type->id == MSG_record_floor);
	assert_err(err, ERR_UNAVAILABLE);
}

static inline void vault_link(struct office *office, struct vault *vault)
{
	office_link(office, WIRE_VAULT, &vault->fd);
}

static inline void vault_mark(struct office *office, struct vault *vault, const char *detail)
{
	_cleanup_tx_ struct db_tx tx = { 0 };
	const struct audit_entry entry = { .event = "recording-mark",
					   .session = vault->id,
					   .detail = json_loads(detail, 0, NULL) };

	assert_ok(db_tx_begin(&tx, office->db));
	assert_ok(audit_append(office->db, &entry));
	assert_ok(db_tx_commit(&tx));
}

/* sato's session of an hour ago, with a file of a few bytes. */
static inline void vault_record(struct office *office, struct vault *vault, uint8_t number,
				enum recording_state state)
{
	_cleanup_tx_ struct db_tx tx = { 0 };
	struct session_row session = { .account = office->account,
				       .device = office->device,
				       .host = office->host,
				       .state = SESSION_STARTING,
				       .started_s = clock_wall_s() - 3600 };
	struct recording_row row = { .started_ms = (clock_wall_s() - 3600) * 1000 };
	char path[160];

	memset(session.id, number, sizeof(session.id));
	snprintf(session.host_name, sizeof(session.host_name), "経理PC");
	memcpy(row.session, session.id, sizeof(row.session));
	assert_ok(db_tx_begin(&tx, office->db));
	assert_ok(session_row_add(office->db, &session));
	assert_ok(session_row_end(office->db, session.id, END_LOGOUT, clock_wall_s() - 60));
	assert_ok(recording_row_add(office->db, &row));
	row.state = state == RECORDING_DISPOSED ? RECORDING_ENDED : state;
	row.ended_ms = state == RECORDING_OPEN ? 0 : (clock_wall_s() - 60) * 1000;
	row.size = 5;
	if (state != RECORDING_OPEN)
		assert_ok(recording_row_update(office->db, &row));
	if (state == RECORDING_DISPOSED)
		assert_ok(db_exec(office->db, "UPDATE recording SET state = 5, disposed_seq = 1"
					      " WHERE id = (SELECT max(id) FROM recording)"));
	assert_ok(db_tx_commit(&tx));
	memcpy(vault->session, session.id, sizeof(vault->session));
	util_hex(session.id, sizeof(session.id), vault->id);
	snprintf(path, sizeof(path), "%s/%s.skr", office->folder, vault->id);
	assert_ok(util_write_file(path, "bytes", 5, 0600));
}

static inline void vault_setup(struct office *office, struct vault *vault)
{
	*vault = (struct vault){ .fd = -1 };
	vault->account = office_add_account(office, "kansa", ACCOUNT_AUDITOR);
	vault->device = office_add_device(office, vault->account, AUDITOR_KEY);
	office_token(office, vault->account, vault->device, LOGIN_FULL, vault->token);
	vault_link(office, vault);
	vault_says(office, vault, VAULT_OPEN);
	vault_record(office, vault, 7, RECORDING_ENDED);
}

/* A code that is good once; those of this step and of its neighbours. */
static inline const char *vault_code(struct office *office, struct vault *vault)
{
	static char code[8];

	(void)vault;
	/* As if the time for the next had come. */
	assert_ok(db_exec(office->db, "UPDATE account SET totp_last = 0 WHERE name = 'kansa'"));
	assert_int_equal(oath_totp_generate(secret_text(office->totp), secret_len(office->totp),
					    (time_t)clock_wall_s(), TOTP_STEP_S,
					    OATH_TOTP_DEFAULT_START_TIME, TOTP_DIGITS, code),
			 OATH_OK);
	return code;
}

#endif
