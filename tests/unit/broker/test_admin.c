#include "unit/broker/orders.h"

#include <openssl/evp.h>

#include <sys/socket.h>

/* ---- arguments -------------------------------------------------------------------------- */

static void arguments_fit_the_table(void **state)
{
	struct office *office = *state;

	refused(office, "user add", "{}", "invalid", "name");
	refused(office, "user add", "{\"name\": \"abe\"}", "invalid", "password");
	refused(office, "user add", "{\"name\": 1, \"password\": \"x\"}", "invalid", "name");
	refused(office, "user add", "{\"name\": null, \"password\": \"x\"}", "invalid", "name");
	refused(office, "user add", "{\"name\": \"abe\", \"password\": \"x\", \"admin\": true}",
		"invalid", "admin");
	refused(office, "device revoke", "{\"id\": \"1\"}", "invalid", "id");
	refused(office, "device revoke", "{\"id\": 1.5}", "invalid", "id");
	refused(office, "host grant",
		"{\"name\": \"経理PC\", \"user\": \"sato\", \"view-only\": \"yes\"}", "invalid",
		"view-only");
	refused(office, "user list", "{\"x\": 1}", "invalid", "x");
	refused(office, "no such command", "{}", "method", "");
	refused(office, "", "{}", "method", "");
	refused(office, "user list", "[]", "invalid", "arguments");
}

static void huge_strings_are_refused(void **state)
{
	struct office *office = *state;
	char *text = malloc(20001);
	const char *const fields[] = { "name", "full-name", "password" };

	memset(text, 'a', 20000);
	text[20000] = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		json_t *arguments =
			json_pack("{s:s, s:s}", "name", "abe", "password", OFFICE_PASSWORD);
		_cleanup_answer_ struct answer answer = { .fd = -1 };

		json_object_set_new(arguments, fields[i], json_string(text));
		answer = office_order(office, "user add", arguments);
		assert_error(answer, 400, "invalid");
		assert_string_equal(answer_text(answer, "field"), fields[i]);
	}
	free(text);
}

static void rubbish_is_answered(void **state)
{
	static const char *const rubbish[] = { "", "{", "{\"a\":1,\"a\":2}", "\xff\xfe",
					       "{\"name\": \"\\u0000\"}" };
	struct office *office = *state;

	for (size_t i = 0; i < ARRAY_SIZE(rubbish); i++) {
		const struct msg_admin msg = { .command = "user list",
					       .arguments = { (const uint8_t *)rubbish[i],
							      strlen(rubbish[i]) } };

		assert_ok(ipc_send(office->admin, MSG_admin, &msg, -1));
		assert_true(
			office_receive(office, office->admin, WIRE_ADMIN, MSG_admin_reply, 1000));
		assert_int_equal(office->received.msg.admin_reply.status, 400);
		ipc_received_finish(&office->received);
	}
	ordered(office, "user list", "{}");
}

static void every_command_has_a_handler(void **state)
{
	struct office *office = *state;

	for (size_t i = 0; i < command_count; i++) {
		_cleanup_answer_ struct answer answer =
			order(office, commands[i].name, "{\"no-such\": 1}");

		assert_error(answer, 400, "invalid");
		assert_string_equal(answer_text(answer, "field"), "no-such");
	}
}

/* ---- people ----------------------------------------------------------------------------- */

static void a_person_is_added_once(void **state)
{
	struct office *office = *state;
	struct account account;
	struct answer answer =
		order(office, "user add",
		      "{\"name\": \"abe\", \"full-name\": \"阿部 太郎\", \"role\": \"admin\","
		      " \"password\": \"tsuki-wa-higashi-ni-88\"}");

	assert_int_equal(answer.status, 200);
	assert_int_equal(strlen(answer_text(answer, "totp_secret")), 32);
	assert_memory_equal(answer_text(answer, "otpauth"), "otpauth://totp/", 15);
	assert_ok(account_by_name(office->db, "abe", &account));
	assert_int_equal(account.role, ACCOUNT_ADMIN);
	assert_memory_equal(account.password, "$argon2id$", 10);
	assert_true(account.totp_len > 0);
	answer_finish(&answer);
	assert_int_equal(office_audit_count(office, "account-add"), 1);
	refused(office, "user add", "{\"name\": \"abe\", \"password\": \"tsuki-wa-higashi-ni-88\"}",
		"exists", "name");
	answer = order(office, "user list", "{}");
	assert_string_equal(cell_text(&answer, "name", "abe", "role"), "admin");
	assert_string_equal(cell_text(&answer, "name", "abe", "state"), "active");
	answer_finish(&answer);
}

static void weak_passwords_say_which_rule(void **state)
{
	struct office *office = *state;
	struct answer answer =
		order(office, "user add", "{\"name\": \"abe\", \"password\": \"short\"}");

	assert_error(answer, 400, "invalid");
	assert_string_equal(answer_text(answer, "field"), "password");
	assert_string_equal(answer_text(answer, "message"),
			    "the password is too short: at least 12 characters");
	assert_non_null(strstr(answer_text(answer, "message_ja"), "12 文字以上"));
	answer_finish(&answer);
	answer = order(office, "user password",
		       "{\"name\": \"sato\", \"password\": \"sato-sato-sato-1\"}");
	assert_error(answer, 400, "invalid");
	answer_finish(&answer);
	refused(office, "user add", "{\"name\": \"Abe\", \"password\": \"tsuki-wa-higashi-ni-88\"}",
		"invalid", "name");
	refused(office, "user add",
		"{\"name\": \"abe\", \"role\": \"root\", \"password\": \"tsuki-wa-higashi-ni-88\"}",
		"invalid", "role");
	refused(office, "user add",
		"{\"name\": \"abe\", \"full-name\": \"a\\nb\", \"password\": "
		"\"tsuki-wa-higashi-ni-88\"}",
		"invalid", "full-name");
	refused(office, "user add",
		"{\"name\": \"abe\", \"full-name\": \"\u3000\", \"password\": "
		"\"tsuki-wa-higashi-ni-88\"}",
		"invalid", "full-name");
	refused(office, "user add",
		"{\"name\": \"abe\", \"full-name\": \"監査\u2069\u202e\", \"password\": "
		"\"tsuki-wa-higashi-ni-88\"}",
		"invalid", "full-name");
}

/* The list is searched where the settings say; one that cannot be read stops everybody, not nobody.
 */
static void leaked_passwords_are_refused(void **state)
{
	static const char order_text[] =
		"{\"name\": \"sato\", \"password\": \"tsuki-wa-higashi-ni-88\"}";
	struct office *office = *state;
	char *path = office->broker->settings.login_leaked_passwords;
	char text[65];
	uint8_t hash[20];
	struct answer answer;
	FILE *file;

	snprintf(path, 128, "%s/leaked", office->folder);
	answer = order(office, "user password", order_text);
	assert_error(answer, 503, "unavailable");
	assert_string_equal(answer_text(answer, "field"), "password");
	answer_finish(&answer);
	assert_int_equal(EVP_Digest("tsuki-wa-higashi-ni-88", 22, hash, NULL, EVP_sha1(), NULL), 1);
	util_hex(hash, sizeof(hash), text);
	file = fopen(path, "w");
	assert_non_null(file);
	fprintf(file, "%s:3\n", text);
	fclose(file);
	answer = order(office, "user password", order_text);
	assert_error(answer, 400, "invalid");
	assert_string_equal(answer_text(answer, "message"),
			    "the password is in a list of leaked passwords");
	answer_finish(&answer);
	unlink(path);
	path[0] = '\0';
	answer = order(office, "user password", order_text);
	assert_int_equal(answer.status, 200);
	answer_finish(&answer);
}

/* What ends logins: a new password, a new secret, disabling. */
static void changes_end_logins(void **state)
{
	static const char *const orders[][2] = {
		{ "user password",
		  "{\"name\": \"sato\", \"password\": \"tsuki-wa-higashi-ni-88\"}" },
		{ "user totp", "{\"name\": \"sato\"}" },
		{ "user disable", "{\"name\": \"sato\"}" },
		{ "device revoke", "{\"id\": 1}" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(orders); i++) {
		union wire_any msg = { 0 };
		struct answer answer;
		struct office *office;
		int64_t count;
		void *fresh;

		office_setup(&fresh);
		office = fresh;
		ordered(office, orders[i][0], orders[i][1]);
		assert_ok(login_row_count(office->db, &count));
		assert_int_equal(count, 0);
		answer = office_ask(office, MSG_me, &msg);
		assert_error(answer, 401, "auth");
		answer_finish(&answer);
		office_teardown(&fresh);
	}
}

static void names_of_nobody(void **state)
{
	struct office *office = *state;

	refused(office, "user disable", "{\"name\": \"nobody\"}", "not-found", "name");
	refused(office, "user totp", "{\"name\": \"' OR 1=1\"}", "not-found", "name");
	refused(office, "device revoke", "{\"id\": 99}", "not-found", "id");
	refused(office, "device unlock", "{\"id\": -1}", "not-found", "id");
	refused(office, "host remove", "{\"name\": \"no such PC\"}", "not-found", "name");
	refused(office, "host grant", "{\"name\": \"経理PC\", \"user\": \"nobody\"}", "not-found",
		"user");
	refused(office, "session end", "{\"id\": \"00\"}", "not-found", "id");
	refused(office, "session end", "{\"id\": \"00000000000000000000000000000000\"}",
		"not-found", "id");
}

static void auditors_use_no_pc(void **state)
{
	struct office *office = *state;

	assert_ok(db_exec(office->db, "UPDATE account SET role = 4 WHERE name = 'sato'"));
	refused(office, "host grant", "{\"name\": \"経理PC\", \"user\": \"sato\"}", "invalid",
		"user");
}

static void revoked_is_for_ever(void **state)
{
	struct office *office = *state;
	struct answer answer;

	ordered(office, "device revoke", "{\"id\": 1, \"reason\": \"紛失\"}");
	refused(office, "device revoke", "{\"id\": 1}", "state", "id");
	refused(office, "device unlock", "{\"id\": 1}", "state", "id");
	answer = order(office, "device list", "{}");
	assert_string_equal(cell_text(&answer, "user", "sato", "state"), "revoked");
	answer_finish(&answer);
}

/* ---- PCs -------------------------------------------------------------------------------- */

static void hosts_are_checked(void **state)
{
	static const struct {
		const char *field, *value;
	} wrong[] = {
		{ "name", "\"\"" },
		{ "name", "\"a\\u0007\"" },
		{ "name", "\"12345678901234567890123456789012345678901234567890123456789012345\"" },
		{ "protocol", "\"ssh\"" },
		{ "address", "\"\"" },
		{ "address", "\"pc; rm -rf /\"" },
		{ "address", "\"-pc\"" },
		{ "address", "\"pc/..\"" },
		{ "port", "0" },
		{ "port", "65536" },
		{ "port", "-1" },
		{ "security", "\"ssl\"" },
		{ "security", "\"none\"" },
		{ "security", "\"vnc-password\"" },
		{ "mac", "\"\"" },
		{ "mac", "\"00:11:22:33:44\"" },
		{ "mac", "\"00:11:22:33:44:5g\"" },
		{ "mac", "\"00-11:22:33:44:55\"" },
		{ "broadcast", "\"pc.example\"" },
		{ "broadcast", "\"192.0.2.255:0\"" },
		{ "broadcast", "\"192.0.2.255:\"" },
		{ "broadcast", "\"::1\"" },
		{ "tls-ca", "\"no certificate\"" },
		{ "audio", "\"\"" },
		{ "audio", "\"YES\"" },
		{ "audio", "\"yes \"" },
		{ "audio", "true" },
	};
	struct office *office = *state;

	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		json_t *arguments = json_loads(
			"{\"name\": \"pc\", \"protocol\": \"rdp\", \"address\": \"192.0.2.1\"}", 0,
			NULL);
		char *text;

		json_object_set_new(arguments, wrong[i].field,
				    json_loads(wrong[i].value, JSON_DECODE_ANY, NULL));
		text = json_dumps(arguments, 0);
		refused(office, "host add", text, "invalid", wrong[i].field);
		free(text);
		json_decref(arguments);
	}
	assert_int_equal(office_audit_count(office, "host-add"), 0);
}

static void hosts_have_defaults(void **state)
{
	struct office *office = *state;
	struct host_row host;
	struct answer answer;

	ordered(office, "host add",
		"{\"name\": \"税務PC\", \"protocol\": \"rdp\", \"address\": \"fe80::1\","
		" \"mac\": \"00-11-22-AA-bb-cc\", \"broadcast\": \"192.0.2.255:9\"}");
	assert_ok(host_by_name(office->db, "税務PC", &host));
	assert_int_equal(host.port, 3389);
	assert_int_equal(host.security, SECURITY_AUTO);
	assert_true(host.has_mac);
	assert_int_equal(host.mac[3], 0xaa);
	assert_string_equal(host.broadcast, "192.0.2.255:9");
	ordered(office, "host add",
		"{\"name\": \"受付PC\", \"protocol\": \"vnc\", \"address\": \"uketsuke.local\"}");
	assert_ok(host_by_name(office->db, "受付PC", &host));
	assert_int_equal(host.port, 5900);
	assert_string_equal(host.broadcast, "255.255.255.255");
	refused(office, "host add",
		"{\"name\": \"受付PC\", \"protocol\": \"vnc\", \"address\": \"x\"}", "exists",
		"name");
	answer = order(office, "host list", "{}");
	assert_int_equal(json_array_size(json_object_get(answer.body, "rows")), 3);
	assert_non_null(cell(&answer, "name", "受付PC", "id"));
	answer_finish(&answer);
}

static bool has_audio(struct office *office, const char *name)
{
	struct host_row host;

	assert_ok(host_by_name(office->db, name, &host));
	return host.audio;
}

static void sound_leaves_only_when_told(void **state)
{
	struct office *office = *state;
	struct answer answer;

	ordered(office, "host add",
		"{\"name\": \"a\", \"protocol\": \"rdp\", \"address\": \"192.0.2.1\"}");
	ordered(office, "host add",
		"{\"name\": \"b\", \"protocol\": \"rdp\", \"address\": \"192.0.2.1\","
		" \"audio\": \"yes\"}");
	ordered(office, "host add",
		"{\"name\": \"c\", \"protocol\": \"vnc\", \"address\": \"192.0.2.1\","
		" \"audio\": \"no\"}");
	refused(office, "host add",
		"{\"name\": \"d\", \"protocol\": \"vnc\", \"address\": \"192.0.2.1\","
		" \"audio\": \"yes\"}",
		"invalid", "audio");
	assert_false(has_audio(office, "a"));
	assert_true(has_audio(office, "b"));
	ordered(office, "host set", "{\"name\": \"a\", \"audio\": \"yes\"}");
	ordered(office, "host set", "{\"name\": \"b\", \"audio\": \"no\"}");
	assert_true(has_audio(office, "a"));
	assert_false(has_audio(office, "b"));
	refused(office, "host set", "{\"name\": \"c\", \"audio\": \"yes\"}", "invalid", "audio");
	refused(office, "host set", "{\"name\": \"a\", \"audio\": \"1\"}", "invalid", "audio");
	refused(office, "host set", "{\"name\": \"a\"}", "invalid", "audio");
	refused(office, "host set", "{\"name\": \"x\", \"audio\": \"yes\"}", "not-found", "name");
	assert_int_equal(office_audit_count(office, "host-set"), 2);
	answer = order(office, "host list", "{}");
	assert_string_equal(cell_text(&answer, "name", "a", "audio"), "yes");
	assert_string_equal(cell_text(&answer, "name", "b", "audio"), "no");
	answer_finish(&answer);
}

static void video_is_asked_for_only_when_told(void **state)
{
	struct office *office = *state;
	struct answer answer;
	struct host_row host;

	ordered(office, "host add",
		"{\"name\": \"a\", \"protocol\": \"rdp\", \"address\": \"192.0.2.1\","
		" \"audio\": \"yes\"}");
	ordered(office, "host add",
		"{\"name\": \"b\", \"protocol\": \"rdp\", \"address\": \"192.0.2.1\","
		" \"video\": \"yes\"}");
	refused(office, "host add",
		"{\"name\": \"d\", \"protocol\": \"vnc\", \"address\": \"192.0.2.1\","
		" \"video\": \"yes\"}",
		"invalid", "video");
	refused(office, "host set", "{\"name\": \"a\", \"video\": \"1\"}", "invalid", "video");
	answer = order(office, "host list", "{}");
	assert_string_equal(cell_text(&answer, "name", "a", "video"), "no");
	assert_string_equal(cell_text(&answer, "name", "b", "video"), "yes");
	answer_finish(&answer);
	/* One of the two leaves the other as it was. */
	ordered(office, "host set", "{\"name\": \"a\", \"video\": \"yes\"}");
	assert_ok(host_by_name(office->db, "a", &host));
	assert_true(host.audio && host.video);
	ordered(office, "host set", "{\"name\": \"a\", \"audio\": \"no\"}");
	assert_ok(host_by_name(office->db, "a", &host));
	assert_true(!host.audio && host.video);
}

/* As with everything an administrator changes: not in the log, not done. */
static void sound_is_not_let_out_unlogged(void **state)
{
	struct office *office = *state;
	struct answer answer;

	ordered(office, "host add",
		"{\"name\": \"a\", \"protocol\": \"rdp\", \"address\": \"192.0.2.1\"}");
	office_break_audit(office);
	answer = order(office, "host set", "{\"name\": \"a\", \"audio\": \"yes\"}");
	assert_true(answer.status >= 400);
	answer_finish(&answer);
	office_mend_audit(office);
	assert_false(has_audio(office, "a"));
}

static void credentials_need_a_right_and_are_sealed(void **state)
{
	struct office *office = *state;
	struct host_credential row;
	struct host_row host;

	ordered(office, "host deny", "{\"name\": \"経理PC\", \"user\": \"sato\"}");
	refused(office, "host deny", "{\"name\": \"経理PC\", \"user\": \"sato\"}", "not-found",
		"user");
	refused(office, "host credentials",
		"{\"name\": \"経理PC\", \"user\": \"sato\", \"password\": \"canary\"}", "state",
		"user");
	ordered(office, "host grant",
		"{\"name\": \"経理PC\", \"user\": \"sato\", \"view-only\": true}");
	assert_ok(host_by_id(office->db, office->host, office->account, &host));
	assert_true(host.view_only);
	ordered(office, "host credentials",
		"{\"name\": \"経理PC\", \"user\": \"sato\", \"pc-user\": \"canary\", \"password\": "
		"\"canary\"}");
	assert_ok(host_credential_get(office->db, office->account, office->host, &row));
	assert_null(memmem(row.user, row.user_len, "canary", 6));
	assert_null(memmem(row.password, row.password_len, "canary", 6));
	assert_ok(host_set_pin(office->db, office->host, (const uint8_t[HOST_PIN]){ 1 }));
	ordered(office, "host forget-pin", "{\"name\": \"経理PC\"}");
	assert_ok(host_by_id(office->db, office->host, 0, &host));
	assert_false(host.has_pin);
}

/* ---- recording -------------------------------------------------------------------------- */

static void every_act_is_recorded_with_the_uid(void **state)
{
	struct office *office = *state;
	_cleanup_query_ struct query query = { 0 };
	char detail[AUDIT_DETAIL_MAX + 1], wanted[64];

	ordered(office, "user disable", "{\"name\": \"sato\"}");
	query_init(&query, office->db, "SELECT detail FROM audit WHERE event = 'account-disable'");
	assert_ok(query_one(&query));
	query_col_str(&query, 0, detail, sizeof(detail));
	snprintf(wanted, sizeof(wanted), "{\"account\":\"sato\",\"uid\":%u}", (unsigned)geteuid());
	assert_string_equal(detail, wanted);
}

static void what_cannot_be_recorded_is_not_done(void **state)
{
	static const char *const orders[][2] = {
		{ "user add", "{\"name\": \"abe\", \"password\": \"tsuki-wa-higashi-ni-88\"}" },
		{ "user password",
		  "{\"name\": \"sato\", \"password\": \"tsuki-wa-higashi-ni-88\"}" },
		{ "user totp", "{\"name\": \"sato\"}" },
		{ "user unlock", "{\"name\": \"sato\"}" },
		{ "user disable", "{\"name\": \"sato\"}" },
		{ "user enable", "{\"name\": \"sato\"}" },
		{ "device revoke", "{\"id\": 1}" },
		{ "device unlock", "{\"id\": 1}" },
		{ "host add", "{\"name\": \"pc\", \"protocol\": \"vnc\", \"address\": \"x\"}" },
		{ "host remove", "{\"name\": \"経理PC\"}" },
		{ "host grant", "{\"name\": \"経理PC\", \"user\": \"sato\", \"view-only\": true}" },
		{ "host deny", "{\"name\": \"経理PC\", \"user\": \"sato\"}" },
		{ "host credentials",
		  "{\"name\": \"経理PC\", \"user\": \"sato\", \"password\": \"x\"}" },
		{ "host forget-pin", "{\"name\": \"経理PC\"}" },
	};
	struct office *office = *state;
	_cleanup_query_ struct query query = { 0 };
	struct account before, after;
	struct device device;
	struct host_row host;

	assert_ok(account_by_id(office->db, office->account, &before));
	office_break_audit(office);
	for (size_t i = 0; i < ARRAY_SIZE(orders); i++) {
		_cleanup_answer_ struct answer answer = order(office, orders[i][0], orders[i][1]);

		if (answer.status == 200 || answer_text(answer, "totp_secret"))
			fail_msg("%s went through", orders[i][0]);
	}
	assert_ok(account_by_id(office->db, office->account, &after));
	assert_memory_equal(&before, &after, sizeof(before));
	assert_ok(device_by_id(office->db, office->device, &device));
	assert_int_equal(device.state, DEVICE_ACTIVE);
	assert_ok(host_by_id(office->db, office->host, office->account, &host));
	assert_true(host.granted && !host.view_only && !host.has_credential);
	query_init(&query, office->db,
		   "SELECT (SELECT count(*) FROM account) + (SELECT count(*) FROM host)");
	assert_ok(query_one(&query));
	assert_int_equal(query_col_i64(&query, 0), 2);
}

/* ---- connections ------------------------------------------------------------------------ */

static void connections_are_few(void **state)
{
	struct office *office = *state;
	int fds[16], refused_count = 0;

	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		int pair[2];

		assert_ok(ipc_pair(pair));
		refused_count += admin_connect(office->broker->admin, pair[0]) != OK;
		fds[i] = pair[1];
	}
	assert_int_equal(refused_count, 9);
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		close(fds[i]);
	for (int i = 0; i < 5; i++)
		assert_ok(loop_step(office->loop, 5));
	ordered(office, "status", "{}");
}

/* An order that takes its time ends although nobody waits for it. */
static void a_caller_may_go_away(void **state)
{
	struct office *office = *state;
	static const char arguments[] =
		"{\"name\": \"abe\", \"password\": \"tsuki-wa-higashi-ni-88\"}";
	const struct msg_admin msg = { .command = "user add",
				       .arguments = { (const uint8_t *)arguments,
						      sizeof(arguments) - 1 } };
	uint64_t until_ms = clock_mono_ms() + OFFICE_WAIT_MS;

	assert_ok(ipc_send(office->admin, MSG_admin, &msg, -1));
	for (int i = 0; i < 3; i++)
		assert_ok(loop_step(office->loop, 5));
	close(office->admin);
	while (!office_audit_count(office, "account-add") && clock_mono_ms() < until_ms)
		assert_ok(loop_step(office->loop, 20));
	assert_int_equal(office_audit_count(office, "account-add"), 1);
	office_admin(office);
	ordered(office, "user list", "{}");
}

static void one_order_at_a_time(void **state)
{
	struct office *office = *state;
	static const char arguments[] =
		"{\"name\": \"abe\", \"password\": \"tsuki-wa-higashi-ni-88\"}";
	const struct msg_admin msg = { .command = "user add",
				       .arguments = { (const uint8_t *)arguments,
						      sizeof(arguments) - 1 } };

	assert_ok(ipc_send(office->admin, MSG_admin, &msg, -1));
	assert_ok(ipc_send(office->admin, MSG_admin, &msg, -1));
	assert_true(
		office_receive(office, office->admin, WIRE_ADMIN, MSG_admin_reply, OFFICE_WAIT_MS));
	assert_int_equal(office->received.msg.admin_reply.status, 409);
	ipc_received_finish(&office->received);
	assert_true(
		office_receive(office, office->admin, WIRE_ADMIN, MSG_admin_reply, OFFICE_WAIT_MS));
	assert_int_equal(office->received.msg.admin_reply.status, 200);
	ipc_received_finish(&office->received);
}

static void status_shows_the_parts(void **state)
{
	struct office *office = *state;
	struct answer answer = order(office, "status", "{}");

	assert_string_equal(cell_text(&answer, "part", "edge", "state"), "up");
	assert_string_equal(cell_text(&answer, "part", "signer", "state"), "up");
	answer_finish(&answer);
	close(office->signer);
	office->signer = -1;
	for (int i = 0; i < 3; i++)
		assert_ok(loop_step(office->loop, 5));
	answer = order(office, "status", "{}");
	assert_string_equal(cell_text(&answer, "part", "signer", "state"), "down");
	answer_finish(&answer);
	refused(office, "ca show", "{}", "unavailable", "");
}

/* The log can be read, and a row changed behind our back is found. */
static void audit_log_is_read_and_checked(void **state)
{
	struct office *office = *state;
	_cleanup_answer_ struct answer list = { 0 }, good = { 0 }, bad = { 0 };
	const json_t *rows;

	ordered(office, "user add", "{\"name\": \"abe\", \"password\": \"kaki-no-ki-42-yama\"}");
	ordered(office, "user disable", "{\"name\": \"abe\"}");
	refused(office, "audit list", "{\"last\": 0}", "invalid", "last");
	refused(office, "audit list", "{\"last\": 201}", "invalid", "last");
	list = order(office, "audit list", "{\"last\": 2}");
	rows = json_object_get(list.body, "rows");
	assert_int_equal(json_array_size(rows), 2);
	assert_string_equal(json_string_value(json_array_get(json_array_get(rows, 1), 2)),
			    "account-disable");
	assert_in_range(json_integer_value(json_array_get(json_array_get(rows, 1), 1)),
			clock_wall_s() - 60, clock_wall_s());
	bad = order(office, "audit key", "{}");
	assert_error(bad, 503, "unavailable");
	assert_ok(broker_audit(office->broker,
			       &(const struct audit_entry){ .event = AUDIT_EVENT_ALARM }));
	good = order(office, "audit alarms", "{}");
	rows = json_object_get(good.body, "rows");
	assert_int_equal(json_array_size(rows), 1);
	assert_string_equal(json_string_value(json_array_get(json_array_get(rows, 0), 2)),
			    AUDIT_EVENT_ALARM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		office_test(arguments_fit_the_table),
		office_test(huge_strings_are_refused),
		office_test(rubbish_is_answered),
		office_test(every_command_has_a_handler),
		office_test(a_person_is_added_once),
		office_test(weak_passwords_say_which_rule),
		office_test(leaked_passwords_are_refused),
		cmocka_unit_test(changes_end_logins),
		office_test(names_of_nobody),
		office_test(auditors_use_no_pc),
		office_test(revoked_is_for_ever),
		office_test(hosts_are_checked),
		office_test(hosts_have_defaults),
		office_test(sound_leaves_only_when_told),
		office_test(video_is_asked_for_only_when_told),
		office_test(sound_is_not_let_out_unlogged),
		office_test(credentials_need_a_right_and_are_sealed),
		office_test(every_act_is_recorded_with_the_uid),
		office_test(what_cannot_be_recorded_is_not_done),
		office_test(connections_are_few),
		office_test(a_caller_may_go_away),
		office_test(one_order_at_a_time),
		office_test(status_shows_the_parts),
		office_test(audit_log_is_read_and_checked),
	};

	log_init("test", LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
