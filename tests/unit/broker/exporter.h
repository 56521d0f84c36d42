/*
 * exporter.h - the exporter's part played by the test, beside a vault and an auditor who exports.
 */
#ifndef SEKISHO_TESTS_BROKER_EXPORTER_H
#define SEKISHO_TESTS_BROKER_EXPORTER_H

#include "unit/broker/recipients.h"
#include "unit/broker/vault.h"

#include <signal.h>
#include <sys/socket.h>

#include "broker/exporting.h"

static struct vault vault;
/* Our ends of what an exporter has, -1 while there is none. */
static struct exporter {
	uint32_t number;
	int control, source, sink;
} exporter;

static inline int setup(void **state)
{
	office_setup(state);
	vault_setup(*state, &vault);
	exporter = (struct exporter){ 0, -1, -1, -1 };
	return 0;
}

static inline void exporter_dies(void)
{
	int *const fds[] = { &exporter.control, &exporter.source, &exporter.sink };

	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		util_closep(fds[i]);
		*fds[i] = -1;
	}
}

static inline int teardown(void **state)
{
	exporter_dies();
	util_closep(&vault.fd);
	vault.fd = -1;
	return office_teardown(state);
}

static inline void settle(struct office *office)
{
	for (int i = 0; i < 6; i++)
		assert_ok(loop_step(office->loop, 3));
}

static inline struct answer ask(struct office *office, struct msg_recording_export order)
{
	union wire_any msg = { .recording_export = order };
	struct msg_recording_export *asked = &msg.recording_export;

	memcpy(asked->session, vault.session, sizeof(asked->session));
	if (!asked->purpose)
		asked->purpose = "顧客への提出";
	if (!asked->code)
		asked->code = vault_code(office, &vault);
	if (!asked->recipient)
		asked->recipient = good_pem();
	if (!asked->language)
		asked->language = "ja";
	return office_ask_as(office, MSG_recording_export, &msg, AUDITOR_KEY, vault.token);
}

static inline void monitor_hears(struct office *office, uint16_t id)
{
	assert_true(office_receive(office, office->monitor, WIRE_MONITOR, id, OFFICE_WAIT_MS));
}

static inline void exporter_hears(struct office *office, uint16_t id)
{
	assert_true(office_receive(office, exporter.control, WIRE_EXPORT, id, OFFICE_WAIT_MS));
}

/* The exporter is there and has heard what for; office->received is its export_start. */
static inline void exporter_starts(struct office *office)
{
	monitor_hears(office, MSG_export_spawn);
	exporter.number = office->received.msg.export_spawn.number;
	exporter.control = util_take_fd(&office->received.fd);
	ipc_received_finish(&office->received);
	exporter_hears(office, MSG_export_start);
}

static inline void ordered_export(struct office *office)
{
	struct answer answer = ask(office, (struct msg_recording_export){ 0 });

	assert_int_equal(answer.status, 200);
	answer_finish(&answer);
	exporter_starts(office);
	ipc_received_finish(&office->received);
	exporter_hears(office, MSG_export_source);
	exporter.source = util_take_fd(&office->received.fd);
	ipc_received_finish(&office->received);
}

static inline struct answer attach_as(struct office *office, const char *token)
{
	union wire_any msg = { 0 };

	memcpy(msg.recording_export_attach.session, vault.session, WIRE_SESSION_ID);
	return office_ask_as(office, MSG_recording_export_attach, &msg, AUDITOR_KEY, token);
}

/* The browser's end. */
static inline int attach(struct office *office)
{
	struct answer answer = attach_as(office, vault.token);
	int fd = util_take_fd(&answer.fd);

	assert_int_equal(answer.status, 200);
	answer_finish(&answer);
	exporter_hears(office, MSG_export_sink);
	exporter.sink = util_take_fd(&office->received.fd);
	ipc_received_finish(&office->received);
	return fd;
}

static inline void exporter_says(struct office *office, uint16_t id, const void *msg)
{
	assert_ok(ipc_send(exporter.control, id, msg, -1));
	settle(office);
}

static inline void exporter_exits(struct office *office, uint32_t status)
{
	const struct msg_export_exited msg = { .number = exporter.number, .status = status };

	exporter_dies();
	assert_ok(ipc_send(office->monitor, MSG_export_exited, &msg, -1));
	settle(office);
}

static inline void expect_not_killed(struct office *office)
{
	assert_err(ipc_receive(office->monitor, WIRE_BROKER, WIRE_MONITOR, &office->received),
		   ERR_UNAVAILABLE);
}

/* What the browser hears last. */
static inline enum export_error browser_hears_end(int fd)
{
	static struct ipc_received received;
	enum export_error error;

	while (!ipc_receive(fd, WIRE_EXPORT, WIRE_PLAYER, &received)) {
		if (received.type->id != MSG_export_end)
			continue;
		error = received.msg.export_end.error;
		assert_err(ipc_receive(fd, WIRE_EXPORT, WIRE_PLAYER, &received), ERR_CLOSED);
		return error;
	}
	fail_msg("the browser heard no end");
	return EXPORT_NONE;
}

static inline void expect_logged(struct office *office, const char *event, const char *part)
{
	struct audit_row row = office_audit_last(office, event);

	if (!strstr(row.detail, part))
		fail_msg("%s: no %s in %s", event, part, row.detail);
	assert_string_equal(row.session, vault.id);
	assert_string_equal(row.account, "kansa");
	assert_int_equal(row.device, vault.device);
	assert_int_equal(row.host, office->host);
}

/* Its end is in the log once, and nothing is left of it. */
static inline void expect_failed(struct office *office, const char *why)
{
	char wanted[64];

	snprintf(wanted, sizeof(wanted), "\"why\":\"%s\"", why);
	expect_logged(office, "recording-export-failed", wanted);
	assert_int_equal(office_audit_count(office, "recording-export-failed"), 1);
	assert_int_equal(office_audit_count(office, "recording-exported"), 0);
	assert_null(office->broker->exports);
}

#define export_test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

#endif
