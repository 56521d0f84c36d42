#include "unit/vnc/pc.h"

/* A PC that offers the types of arg and accepts every choice and password. */
static void offer_types(struct pc *pc, int fd)
{
	static const uint8_t good[4] = { 0 }, init[24] = { 0,   100, 0,   70, 32,  24, 0, 1, 0,
							   255, 0,   255, 0,  255, 16, 8, 0 };
	uint8_t count = (uint8_t)pc->arg_len, chosen, challenge[16] = { 0 }, response[16], shared;
	if (!pc_versions(fd) || !pc_say(fd, &count, 1) || !pc_say(fd, pc->arg, count) ||
	    !pc_hear(fd, &chosen, 1))
		return;
	pc->seen = chosen;
	if (chosen == 2 && (!pc_say(fd, challenge, 16) || !pc_hear(fd, response, 16)))
		return;
	if (pc_say(fd, good, 4) && pc_hear(fd, &shared, 1) && pc_say(fd, init, sizeof(init)))
		pc_wait_closed(fd);
}

struct choice {
	enum security security;
	const char *password;
	const uint8_t *types;
	size_t count;
	uint8_t chosen; /* 0: none */
	enum end_reason reason;
};

#define TYPES(...) (const uint8_t[]){ __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ })

static const struct choice choices[] = {
	{ SECURITY_NONE, "", TYPES(1), 1, END_NONE },
	{ SECURITY_NONE, "", TYPES(2, 1), 1, END_NONE },
	{ SECURITY_NONE, "", TYPES(2), 0, END_PC_SECURITY },
	{ SECURITY_NONE, "geheim", TYPES(2, 16, 18, 19, 20, 30), 0, END_PC_SECURITY },
	{ SECURITY_VNC_PASSWORD, "geheim", TYPES(1, 2), 2, END_NONE },
	{ SECURITY_VNC_PASSWORD, "geheim", TYPES(1), 0, END_PC_SECURITY },
	{ SECURITY_VNC_PASSWORD, "geheim", TYPES(30, 17, 20), 0, END_PC_SECURITY },
	{ SECURITY_VNC_PASSWORD, "", TYPES(2), 0, END_PC_LOGIN },
	{ SECURITY_AUTO, "geheim", TYPES(1, 2), 2, END_NONE },
	{ SECURITY_AUTO, "", TYPES(1), 1, END_NONE },
	{ SECURITY_AUTO, "geheim", TYPES(1), 1, END_NONE },
	{ SECURITY_AUTO, "", TYPES(2), 0, END_PC_LOGIN },
	/* Not taken for nothing when the PC could do better. */
	{ SECURITY_AUTO, "", TYPES(1, 2), 0, END_PC_LOGIN },
	{ SECURITY_AUTO, "geheim", TYPES(30, 113), 0, END_PC_SECURITY },
	{ SECURITY_TLS, "geheim", TYPES(1, 2, 19), 0, END_PC_CERTIFICATE },
	{ SECURITY_NLA, "geheim", TYPES(1, 2), 0, END_PC_SECURITY },
};

static void test_security_types(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(choices); i++) {
		const struct choice *choice = &choices[i];
		struct pc pc;
		struct desk desk;
		pc_start(&pc, offer_types, choice->types, choice->count);
		enum err err =
			desk_connect_as(&desk, &pc,
					(struct remote_config){ .security = choice->security,
								.password = choice->password });
		if ((err == OK) != (choice->reason == END_NONE) ||
		    (err && desk.reason != choice->reason) || pc.seen != choice->chosen)
			fail_msg("row %zu: error %s, reason %s, type %d", i, err_code(err),
				 end_reason_code(desk.reason), pc.seen);
		desk_close(&desk);
		pc_stop(&pc);
	}
}

/*
 * RFB 3.3 tells the type instead of asking, and libvncclient takes some newer versions for it. Its
 * code for ARD (30) ends the process when the PC's prime is 0.
 */
static void dictate_type(struct pc *pc, int fd)
{
	static const uint8_t zeros[256] = { 0 };
	const uint8_t *words = pc->arg;
	uint8_t version[12], response[16];
	if (!pc_say(fd, words, 12) || !pc_hear(fd, version, 12))
		return;
	pc->seen = 1;
	if (pc_say(fd, words + 12, 4) && pc_say(fd, zeros, sizeof(zeros)) &&
	    pc_hear(fd, response, 16))
		pc->seen = 2;
}

static void test_old_pc_cannot_dictate(void **state)
{
	(void)state;
	static const char *const versions[] = { "003.003", "003.004", "003.005", "003.006",
						"003.014", "003.016", "000.000", "999.999",
						"003.-01", "003.  3" };
	static const uint8_t types[] = { 1, 2, 17, 20, 30 };
	static const enum security security[] = { SECURITY_NONE, SECURITY_VNC_PASSWORD,
						  SECURITY_AUTO };
	for (size_t i = 0; i < ARRAY_SIZE(versions) * ARRAY_SIZE(types) * ARRAY_SIZE(security);
	     i++) {
		struct pc pc;
		struct desk desk;
		uint8_t words[17];
		snprintf((char *)words, sizeof(words), "RFB %s\n",
			 versions[i % ARRAY_SIZE(versions)]);
		memcpy(words + 12,
		       (const uint8_t[]){ 0, 0, 0,
					  types[i / ARRAY_SIZE(versions) % ARRAY_SIZE(types)] },
		       4);
		pc_start(&pc, dictate_type, words, 16);
		enum err err = desk_connect_as(
			&desk, &pc,
			(struct remote_config){ .security = security[i % ARRAY_SIZE(security)],
						.user = "taro",
						.password = "geheim" });
		assert_int_not_equal(err, OK);
		assert_string_equal(end_reason_code(desk.reason), "pc-security");
		desk_close(&desk);
		pc_stop(&pc);
		/* Not even an answer. */
		assert_int_equal(pc.seen, 0);
	}
}

/* VeNCrypt with a subtype that is not TLS at all. */
static void strip_vencrypt(struct pc *pc, int fd)
{
	uint8_t types[] = { 1, 19 }, version[2] = { 0, 2 }, back[2], status = 0, chosen[4], shared;
	static const uint8_t good[4] = { 0 };
	const uint8_t *subtype = pc->arg;
	uint8_t list[5] = { 1, subtype[0], subtype[1], subtype[2], subtype[3] },
		challenge[16] = { 0 }, response[16];
	if (!pc_versions(fd) || !pc_say(fd, types, 2) || !pc_hear(fd, &chosen, 1) ||
	    !pc_say(fd, version, 2) || !pc_hear(fd, back, 2) || !pc_say(fd, &status, 1) ||
	    !pc_say(fd, list, 5) || !pc_hear(fd, chosen, 4))
		return;
	pc_say(fd, subtype[3] == 1 ? good : challenge, subtype[3] == 1 ? 4 : 16);
	if (pc_hear(fd, subtype[3] == 1 ? &shared : response, subtype[3] == 1 ? 1 : 4) &&
	    subtype[3] != 1)
		pc->seen = 1;
}

static void test_vencrypt_without_tls_gets_no_password(void **state)
{
	(void)state;
	static const uint8_t subtypes[][4] = { { 0, 0, 0, 1 }, { 0, 0, 0, 2 }, { 0, 0, 1, 0 } };
	for (size_t i = 0; i < ARRAY_SIZE(subtypes); i++) {
		struct pc pc;
		struct desk desk;
		pc_start(&pc, strip_vencrypt, subtypes[i], 4);
		assert_int_not_equal(
			desk_connect_as(&desk, &pc,
					(struct remote_config){ .security = SECURITY_AUTO,
								.user = "taro",
								.password = "geheim" }),
			OK);
		assert_int_equal(desk.reason, END_PC_SECURITY);
		desk_close(&desk);
		pc_stop(&pc);
		assert_int_equal(pc.seen, 0);
	}
}

static void refuse_password(struct pc *pc, int fd)
{
	static const uint8_t types[] = { 1, 2 }, challenge[16] = { 0 };
	static const uint8_t failed[] = { 0, 0, 0, 1, 0, 0, 0, 6, 'w', 'r', 'o', 'n', 'g', '\n' };
	uint8_t chosen, response[16];
	if (pc_versions(fd) && pc_say(fd, types, 2) && pc_hear(fd, &chosen, 1) &&
	    pc_say(fd, challenge, 16) && pc_hear(fd, response, 16) &&
	    pc_say(fd, failed, sizeof(failed)))
		pc->seen = 1;
}

static void test_wrong_password(void **state)
{
	(void)state;
	struct pc pc;
	struct desk desk;
	pc_start(&pc, refuse_password, NULL, 0);
	assert_int_not_equal(
		desk_connect_as(&desk, &pc,
				(struct remote_config){ .security = SECURITY_VNC_PASSWORD,
							.password = "falsch" }),
		OK);
	assert_int_equal(desk.reason, END_PC_LOGIN);
	desk_close(&desk);
	pc_stop(&pc);
}

/* ---- PCs that do not get as far --------------------------------------------------------- */

static void say_nothing(struct pc *pc, int fd)
{
	(void)pc;
	pc_wait_closed(fd);
}

/* Each byte comes before any single read gives up. */
static void trickle_types(struct pc *pc, int fd)
{
	static const uint8_t count = 255, type = 99;
	(void)pc;
	if (!pc_versions(fd) || !pc_say(fd, &count, 1))
		return;
	for (int i = 0; i < 255 && pc_say(fd, &type, 1); i++)
		poll(NULL, 0, 100);
}

static void say_arg_and_close(struct pc *pc, int fd)
{
	pc_say(fd, pc->arg, pc->arg_len);
	shutdown(fd, SHUT_WR);
	pc_wait_closed(fd);
}

static void name_of_four_gigabytes(struct pc *pc, int fd)
{
	static const uint8_t init[24] = { 0, 100, 0,  70, 32, 24, 0, 1, 0,    255,  0,    255,
					  0, 255, 16, 8,  0,  0,  0, 0, 0xff, 0xff, 0xff, 0xff };
	(void)pc;
	if (pc_none(fd) && pc_say(fd, init, sizeof(init)))
		pc_wait_closed(fd);
}

static void desktop_of_arg(struct pc *pc, int fd)
{
	uint8_t init[24] = { 0, 0, 0, 0, 32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0 };
	memcpy(init, pc->arg, 4);
	if (pc_none(fd) && pc_say(fd, init, sizeof(init)))
		pc_wait_closed(fd);
}

static void expect(pc_script script, const void *arg, size_t len, enum security security,
		   enum end_reason reason)
{
	struct pc pc;
	struct desk desk;
	pc_start(&pc, script, arg, len);
	uint64_t start = clock_mono_ms();
	enum err err = desk_connect_as(&desk, &pc, (struct remote_config){ .security = security });
	assert_int_not_equal(err, OK);
	assert_string_equal(end_reason_code(desk.reason), end_reason_code(reason));
	assert_true(clock_mono_ms() - start < 3000);
	assert_int_equal(desk.sizes, 0);
	desk_close(&desk);
	pc_stop(&pc);
}

static void test_silence_and_trickle(void **state)
{
	(void)state;
	expect(say_nothing, NULL, 0, SECURITY_NONE, END_PC_TIMEOUT);
	expect(say_nothing, NULL, 0, SECURITY_AUTO, END_PC_TIMEOUT);
	expect(trickle_types, NULL, 0, SECURITY_NONE, END_PC_TIMEOUT);
	expect(trickle_types, NULL, 0, SECURITY_AUTO, END_PC_TIMEOUT);
}

/* Half of the time is over when it says what it offers; called again it says nothing. */
static void offer_slowly(struct pc *pc, int fd)
{
	static const uint8_t types[] = { 1, 1 };
	if (pc->connections == 1 && pc_versions(fd)) {
		poll(NULL, 0, 500);
		pc_say(fd, types, sizeof(types));
	}
	pc_wait_closed(fd);
}

static void test_two_connections_share_the_time(void **state)
{
	(void)state;
	struct pc pc;
	struct desk desk;
	pc_start(&pc, offer_slowly, NULL, 0);
	uint64_t start = clock_mono_ms();
	assert_int_not_equal(
		desk_connect_as(&desk, &pc, (struct remote_config){ .security = SECURITY_AUTO }),
		OK);
	assert_int_equal(desk.reason, END_PC_TIMEOUT);
	assert_int_equal(pc.connections, 2);
	assert_in_range(clock_mono_ms() - start, 900, 1450);
	desk_close(&desk);
	pc_stop(&pc);
}

static void test_not_vnc(void **state)
{
	(void)state;
	static const char http[] = "HTTP/1.1 400 Bad Request\r\n\r\n", half[] = "RFB 003";
	expect(say_arg_and_close, http, sizeof(http) - 1, SECURITY_NONE, END_PC_PROTOCOL);
	expect(say_arg_and_close, http, sizeof(http) - 1, SECURITY_AUTO, END_PC_PROTOCOL);
	expect(say_arg_and_close, half, sizeof(half) - 1, SECURITY_NONE, END_PC_PROTOCOL);
	expect(say_arg_and_close, "", 0, SECURITY_NONE, END_PC_PROTOCOL);
}

static void test_server_init(void **state)
{
	(void)state;
	static const uint8_t sizes[][4] = {
		{ 0, 0, 0, 0 }, { 0xff, 0xff, 0xff, 0xff }, { 0, 63, 0, 70 }, { 30, 1, 0, 70 }
	};
	expect(name_of_four_gigabytes, NULL, 0, SECURITY_NONE, END_PC_PROTOCOL);
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++)
		expect(desktop_of_arg, sizes[i], 4, SECURITY_NONE, END_PC_TOO_BIG);
}

static void test_nobody_there(void **state)
{
	(void)state;
	struct pc pc;
	struct desk desk;
	pc_start(&pc, say_nothing, NULL, 0);
	pc_stop(&pc);
	assert_int_not_equal(desk_connect(&desk, &pc), OK);
	assert_int_equal(desk.reason, END_PC_UNREACHABLE);
	desk_close(&desk);
}

/* The library would take a path as a Unix socket. */
static void test_addresses_that_are_none(void **state)
{
	(void)state;
	static const char *const addresses[] = { "/tmp/socket", "", "a b", "127.0.0.1:1", "../x" };
	struct pc pc;
	pc_start(&pc, say_nothing, NULL, 0);
	for (size_t i = 0; i < ARRAY_SIZE(addresses); i++) {
		struct desk desk;
		assert_int_not_equal(
			desk_connect_as(&desk, &pc,
					(struct remote_config){ .address = addresses[i],
								.security = SECURITY_NONE }),
			OK);
		assert_int_equal(desk.reason, END_PC_UNREACHABLE);
		desk_close(&desk);
	}
	assert_int_equal(pc.connections, 0);
	pc_stop(&pc);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_security_types),
		cmocka_unit_test(test_old_pc_cannot_dictate),
		cmocka_unit_test(test_vencrypt_without_tls_gets_no_password),
		cmocka_unit_test(test_wrong_password),
		cmocka_unit_test(test_silence_and_trickle),
		cmocka_unit_test(test_two_connections_share_the_time),
		cmocka_unit_test(test_not_vnc),
		cmocka_unit_test(test_server_init),
		cmocka_unit_test(test_nobody_there),
		cmocka_unit_test(test_addresses_that_are_none),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
