/*
 * office.h - a whole broker on a real database in a temporary folder, with the test in the place of
 * monitor, edge, signer, probe and workers.
 */
#ifndef SEKISHO_TESTS_BROKER_OFFICE_H
#define SEKISHO_TESTS_BROKER_OFFICE_H

#include "unit/folder.h"

#include <argon2.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "auth/totp.h"
#include "base/clock.h"
#include "base/log.h"
#include "broker/admin.h"
#include "broker/broker.h"
#include "broker/dispatch.h"
#include "broker/person.h"
#include "broker/session.h"
#include "store/auditors.h"
#include "store/certificates.h"
#include "store/hosts.h"
#include "wire/enums.h"
#include "wire/ipc.h"

#define OFFICE_PASSWORD "kaze-ni-fukarete-42"

enum { OFFICE_WAIT_MS = 60000 };

struct office {
	char folder[UNIT_FOLDER];
	char more[512]; /* settings */
	struct loop *loop;
	struct settings settings;
	struct broker *broker;
	struct db *db;                           /* the broker's */
	int monitor, edge, signer, probe, admin; /* our ends */
	uint32_t request;
	int64_t account, device, host;
	char token[LOGIN_TOKEN_TEXT + 1]; /* of the account, logged in */
	struct secret *totp;
	struct ipc_received received;
};

struct answer {
	unsigned request, status, kind, retry_s;
	char cookie[65];
	json_t *body;  /* NULL when it is not JSON */
	uint8_t *data; /* the body as it came */
	size_t len;
	int fd;
};

/* ---- time ------------------------------------------------------------------------------- */

static uint64_t office_ahead_us; /* what tests have let pass */
static int64_t office_leap_ms;   /* by how much the wall clock is wrong beyond that */
static uint64_t office_still_us; /* when the broker's monotonic clock stands; 0: it goes */

/* The broker's clocks: the real ones, but for what a test need not wait for. */
int64_t clock_wall_ms(void)
{
	struct timespec ts = { 0 };

	clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000 + office_leap_ms;
}

int64_t clock_wall_s(void)
{
	return clock_wall_ms() / 1000;
}

static inline uint64_t office_real_us(void)
{
	struct timespec ts = { 0 };

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

uint64_t clock_mono_us(void)
{
	return (office_still_us ? office_still_us : office_real_us()) + office_ahead_us;
}

static inline void office_pass(uint64_t ms)
{
	office_ahead_us += ms * 1000;
}

/* Until the end of the test no time passes but by office_pass: what is so many a minute is just
 * as many, however busy the machine. */
static inline void office_stop_time(void)
{
	office_still_us = office_real_us();
}

/* ---- processes -------------------------------------------------------------------------- */

static inline void office_link(struct office *office, enum wire_role role, int *ours)
{
	const struct msg_link link = { .peer = (uint8_t)role };
	int pair[2];

	if (*ours >= 0)
		close(*ours);
	assert_ok(ipc_pair(pair));
	assert_ok(ipc_send(office->monitor, MSG_link, &link, pair[0]));
	close(pair[0]);
	*ours = pair[1];
	for (int i = 0; i < 3; i++)
		assert_ok(loop_step(office->loop, 10));
}

static inline void office_admin(struct office *office)
{
	int pair[2];

	assert_ok(ipc_pair(pair));
	assert_ok(admin_connect(office->broker->admin, pair[0]));
	office->admin = pair[1];
}

static inline void office_open(struct office *office)
{
	int pair[2];

	assert_ok(broker_open(office->loop, &office->settings, office->folder, &office->broker));
	office->db = office->broker->db;
	assert_ok(ipc_pair(pair));
	office->monitor = pair[1];
	assert_ok(channel_new(office->loop, pair[0], WIRE_BROKER, WIRE_MONITOR, &broker_monitor_ops,
			      office->broker, &office->broker->monitor));
	office_link(office, WIRE_EDGE, &office->edge);
	office_link(office, WIRE_SIGNER, &office->signer);
	office_link(office, WIRE_PROBE, &office->probe);
	office_admin(office);
}

static inline void office_close(struct office *office)
{
	int *const fds[] = { &office->monitor, &office->edge, &office->signer, &office->probe,
			     &office->admin };

	broker_close(office->broker);
	office->broker = NULL;
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		util_closep(fds[i]);
		*fds[i] = -1;
	}
}

/* The broker dies and comes back; everything else stays. */
static inline void office_restart(struct office *office)
{
	office_close(office);
	office_open(office);
}

/* ---- messages --------------------------------------------------------------------------- */

/* The next message of type id on our end fd, as role self; others are dropped. False after the
 * time. */
static inline bool office_receive(struct office *office, int fd, enum wire_role self, uint16_t id,
				  int wait_ms)
{
	uint64_t until_us = office_real_us() + (uint64_t)wait_ms * 1000;

	do {
		enum err err = ipc_receive(fd, WIRE_BROKER, self, &office->received);

		if (!err && office->received.type->id == id)
			return true;
		if (!err)
			ipc_received_finish(&office->received);
		else if (err == ERR_CLOSED)
			return false;
		else
			assert_err(err, ERR_UNAVAILABLE);
		assert_ok(loop_step(office->loop, 5));
	} while (office_real_us() < until_us);
	return false;
}

/* The message comes after so many milliseconds, and not when half of them are over. */
static inline void office_receive_after(struct office *office, int fd, enum wire_role self,
					uint16_t id, uint64_t ms)
{
	/* Until the broker waits. */
	for (int i = 0; i < 5; i++)
		assert_ok(loop_step(office->loop, 5));
	office_pass(ms / 2);
	assert_false(office_receive(office, fd, self, id, 20));
	office_pass(ms - ms / 2);
	assert_true(office_receive(office, fd, self, id, OFFICE_WAIT_MS));
}

static inline bool office_gone(struct office *office, int fd, enum wire_role self)
{
	for (int i = 0; i < 50; i++) {
		enum err err = ipc_receive(fd, WIRE_BROKER, self, &office->received);

		if (err == ERR_CLOSED)
			return true;
		if (!err)
			ipc_received_finish(&office->received);
		assert_ok(loop_step(office->loop, 5));
	}
	return false;
}

/* The reply that was received. */
static inline struct answer office_answer_take(struct office *office)
{
	struct answer answer = { .fd = -1 };
	const struct msg_reply *reply = &office->received.msg.reply;

	answer.request = reply->request;
	answer.status = reply->status;
	snprintf(answer.cookie, sizeof(answer.cookie), "%s", reply->cookie);
	answer.kind = reply->kind;
	answer.retry_s = reply->retry_s;
	answer.len = reply->body.len;
	answer.data = malloc(answer.len + 1);
	memcpy(answer.data, reply->body.data, answer.len);
	if (reply->kind == BODY_JSON) {
		answer.body = json_loadb((const char *)reply->body.data, reply->body.len, 0, NULL);
		assert_non_null(answer.body);
	}
	answer.fd = util_take_fd(&office->received.fd);
	ipc_received_finish(&office->received);
	return answer;
}

/* Of whichever request. */
static inline struct answer office_answer_any(struct office *office)
{
	assert_true(office_receive(office, office->edge, WIRE_EDGE, MSG_reply, OFFICE_WAIT_MS));
	return office_answer_take(office);
}

static inline struct answer office_answer(struct office *office)
{
	struct answer answer = office_answer_any(office);

	assert_int_equal(answer.request, office->request);
	return answer;
}

/* As office_receive_after. */
static inline struct answer office_answer_after(struct office *office, uint64_t ms)
{
	office_receive_after(office, office->edge, WIRE_EDGE, MSG_reply, ms);
	assert_int_equal(office->received.msg.reply.request, office->request);
	return office_answer_take(office);
}

static inline void answer_finish(struct answer *answer)
{
	json_decref(answer->body);
	free(answer->data);
	if (answer->fd >= 0)
		close(answer->fd);
}
#define _cleanup_answer_ _cleanup_(answer_finish)

static inline void device_key(uint8_t number, uint8_t ret[WIRE_DEVICE_ID])
{
	memset(ret, number, WIRE_DEVICE_ID);
}

/* The head of every request is the same; msg's is filled in. key: as in office_add_device. */
static inline void office_send(struct office *office, uint16_t id, union wire_any *msg, uint8_t key,
			       const char *token)
{
	msg->me.request = ++office->request;
	device_key(key, msg->me.device);
	msg->me.address = "192.0.2.7";
	msg->me.token = token;
	assert_ok(ipc_send(office->edge, id, msg, -1));
}

static inline struct answer office_ask_as(struct office *office, uint16_t id, union wire_any *msg,
					  uint8_t key, const char *token)
{
	office_send(office, id, msg, key, token);
	return office_answer(office);
}

/* As the account that is logged in. */
static inline struct answer office_ask(struct office *office, uint16_t id, union wire_any *msg)
{
	return office_ask_as(office, id, msg, 1, office->token);
}

#define assert_error(answer, wanted_status, code)                                                  \
	do {                                                                                       \
		assert_int_equal((answer).status, wanted_status);                                  \
		assert_string_equal(json_string_value(json_object_get((answer).body, "error")),    \
				    code);                                                         \
	} while (0)
#define answer_text(answer, name)   json_string_value(json_object_get((answer).body, name))
#define answer_number(answer, name) json_integer_value(json_object_get((answer).body, name))

/* An order on the admin socket; arguments are taken over. */
static inline struct answer office_order(struct office *office, const char *command,
					 json_t *arguments)
{
	char *text = json_dumps(arguments, 0);
	const struct msg_admin msg = { .command = command,
				       .arguments = { (const uint8_t *)text, strlen(text) } };
	struct answer answer = { .fd = -1 };
	const struct msg_admin_reply *reply = &office->received.msg.admin_reply;

	assert_ok(ipc_send(office->admin, MSG_admin, &msg, -1));
	assert_true(
		office_receive(office, office->admin, WIRE_ADMIN, MSG_admin_reply, OFFICE_WAIT_MS));
	answer.status = reply->status;
	answer.body = json_loadb((const char *)reply->body.data, reply->body.len, 0, NULL);
	assert_non_null(answer.body);
	ipc_received_finish(&office->received);
	json_decref(arguments);
	free(text);
	return answer;
}

/* ---- rows ------------------------------------------------------------------------------- */

/* The least that Argon2 allows, which a hash says itself: ours are slow on purpose. */
static inline const char *office_hash(void)
{
	static const char salt[] = "a salt of office";
	static char hash[PASSWORD_HASH_MAX];

	if (!hash[0])
		assert_int_equal(argon2id_hash_encoded(1, 8, 1, OFFICE_PASSWORD,
						       strlen(OFFICE_PASSWORD), salt, strlen(salt),
						       32, hash, sizeof(hash)),
				 ARGON2_OK);
	return hash;
}

/* From here on the account's hash is as slow as those that the gateway makes. */
static inline void office_set_hash(struct office *office, int64_t account)
{
	_cleanup_query_ struct query query;
	char hash[PASSWORD_HASH_MAX];
	struct secret *password;

	assert_ok(secret_new(OFFICE_PASSWORD, strlen(OFFICE_PASSWORD), &password));
	assert_ok(password_hash(password, hash));
	secret_free(password);
	query_init(&query, office->db, "UPDATE account SET password = ? WHERE id = ?");
	query_str(&query, hash);
	query_i64(&query, account);
	assert_ok(query_run_one(&query));
}

static inline int64_t office_add_account(struct office *office, const char *name,
					 enum account_role role)
{
	struct account account = { .role = role };
	int64_t id = 0;

	snprintf(account.name, sizeof(account.name), "%s", name);
	snprintf(account.full_name, sizeof(account.full_name), "%s 花子", name);
	snprintf(account.password, sizeof(account.password), "%s", office_hash());
	assert_ok(account_add(office->db, &account, &id));
	/* As if it had been set up a while ago. */
	assert_ok(person_set_totp(office->broker, id, office->totp, clock_wall_s() - 600));
	return id;
}

/* Of issuing CA 1; good for an hour. */
static inline int64_t office_add_certificate(struct office *office, int64_t device, uint8_t key,
					     uint8_t serial)
{
	struct certificate certificate = { .device = device, .issuer = 1, .key_type = "EC P-256" };
	int64_t id = 0;

	device_key(key, certificate.key);
	certificate.serial[CERTIFICATE_SERIAL - 1] = serial;
	certificate.issued_s = certificate.not_before_s = clock_wall_s();
	certificate.not_after_s = certificate.issued_s + 3600;
	assert_ok(certificate_add(office->db, &certificate, &id));
	return id;
}

static inline int64_t office_add_device(struct office *office, int64_t owner, uint8_t key)
{
	struct device device = { .name = "laptop", .owner = owner };
	int64_t id = 0;

	device_key(key, device.key);
	assert_ok(device_add(office->db, &device, &id));
	office_add_certificate(office, id, key, key);
	return id;
}

static inline int64_t office_add_host(struct office *office, const char *name,
				      enum security security)
{
	struct host_row host = { .protocol = PROTOCOL_VNC,
				 .security = security,
				 .address = "127.0.0.1",
				 .port = 5900,
				 .has_mac = true,
				 .mac = { 2, 0, 0, 0, 0, 1 },
				 .broadcast = "255.255.255.255" };
	int64_t id = 0;

	snprintf(host.name, sizeof(host.name), "%s", name);
	assert_ok(host_add(office->db, &host, NULL, 0, &id));
	return id;
}

/* state: LOGIN_PASSWORD or LOGIN_FULL. */
static inline void office_token(struct office *office, int64_t account, int64_t device,
				enum login_state login_state, char token[LOGIN_TOKEN_TEXT + 1])
{
	const struct login_try try = { .account = account, .device = device };
	_cleanup_tx_ struct db_tx tx = { 0 };
	struct login_row waiting, full;
	int64_t now_s = clock_wall_s();

	assert_ok(db_tx_begin(&tx, office->db));
	assert_ok(login_begin(office->db, &try, now_s, token));
	if (login_state == LOGIN_FULL) {
		assert_ok(login_find(office->db, &office->broker->policy, token, device, now_s,
				     &waiting));
		assert_ok(login_complete(office->db, &office->broker->policy, &waiting, now_s,
					 token, &full));
	}
	assert_ok(db_tx_commit(&tx));
}

static inline int64_t office_audit_count(struct office *office, const char *event)
{
	_cleanup_query_ struct query query;

	query_init(&query, office->db, "SELECT count(*) FROM audit WHERE event = ?");
	query_str(&query, event);
	assert_ok(query_one(&query));
	return query_col_i64(&query, 0);
}

/* From here on nothing can be recorded. */
static inline void office_break_audit(struct office *office)
{
	assert_ok(db_exec(office->db, "CREATE TRIGGER broken BEFORE INSERT ON audit BEGIN SELECT "
				      "RAISE(ABORT, 'x'); END"));
}

static inline void office_mend_audit(struct office *office)
{
	assert_ok(db_exec(office->db, "DROP TRIGGER broken"));
}

/* ---- life ------------------------------------------------------------------------------- */

static inline void office_settings(struct office *office)
{
	struct config_error error;
	char path[128];
	FILE *file;

	snprintf(path, sizeof(path), "%s/sekisho.conf", office->folder);
	file = fopen(path, "w");
	assert_non_null(file);
	fprintf(file, "[gateway]\noffice = 試験事務所\n%s\n", office->more);
	fprintf(file, "[recording]\ndir = %s\nfree_megabytes = 0\n", office->folder);
	fclose(file);
	if (settings_read(path, &office->settings, &error))
		fail_msg("%s", error.en);
}

/* Any bytes: only workers look into it. */
static inline void office_add_auditor(struct office *office)
{
	static const uint8_t der[] = "an auditor's certificate";
	const struct auditor_row row = { .name = "監査 太郎",
					 .kind = AUDITOR_PERSON,
					 .not_after_s = clock_wall_s() + 86400,
					 .created_s = clock_wall_s() };

	assert_ok(auditor_add(office->db, &row, der, sizeof(der)));
}

/* sato, whose laptop has the key 1, is logged in and may use the PC. */
static inline int office_setup_with(void **state, const char *settings)
{
	office_still_us = 0;
	struct office *office = calloc(1, sizeof(*office));

	office->monitor = office->edge = office->signer = office->probe = office->admin = -1;
	unit_folder(office->folder);
	snprintf(office->more, sizeof(office->more), "%s", settings);
	office_settings(office);
	assert_ok(loop_new(&office->loop));
	assert_ok(totp_new(&office->totp));
	office_open(office);
	office->account = office_add_account(office, "sato", ACCOUNT_STAFF);
	office->device = office_add_device(office, office->account, 1);
	office->host = office_add_host(office, "経理PC", SECURITY_NONE);
	assert_ok(host_grant(office->db, office->account, office->host, false));
	office_token(office, office->account, office->device, LOGIN_FULL, office->token);
	office_add_auditor(office);
	*state = office;
	return 0;
}

static inline int office_setup(void **state)
{
	return office_setup_with(state, "");
}

static inline int office_teardown(void **state)
{
	struct office *office = *state;

	office_close(office);
	loop_free(office->loop);
	secret_free(office->totp);
	unit_folder_remove(office->folder);
	free(office);
	return 0;
}

#define office_test(name) cmocka_unit_test_setup_teardown(name, office_setup, office_teardown)

#endif
