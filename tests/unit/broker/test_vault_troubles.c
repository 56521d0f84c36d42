#include "unit/broker/vault.h"

#include "broker/vault_troubles.h"

static struct vault vault;

static int setup(void **state)
{
	office_setup(state);
	vault.fd = -1;
	vault_link(*state, &vault);
	return 0;
}

static int teardown(void **state)
{
	util_closep(&vault.fd);
	return office_teardown(state);
}

/* What is said, with blanks between. */
static void expect(struct office *office, int64_t days, const char *wanted)
{
	json_t *list = vault_troubles(office->broker, clock_wall_s() + days * 86400);
	char text[256] = "";
	const json_t *one;
	size_t i;

	json_array_foreach(list, i, one)
	{
		size_t at = strlen(text);
		const char *what = json_string_value(json_object_get(one, "what"));
		int64_t since_s = json_integer_value(json_object_get(one, "since"));

		snprintf(text + at, sizeof(text) - at, "%s%s", at ? " " : "", what);
		assert_int_equal(since_s != 0, strcmp(what, "vault-sealed") != 0);
		assert_true(since_s == 0 || llabs(since_s - clock_wall_s()) < 3600);
	}
	json_decref(list);
	assert_string_equal(text, wanted);
}

static void notice(struct office *office, const char *event)
{
	const struct msg_record_notice msg = { .event = event,
					       .detail = { (const uint8_t *)"{}", 2 } };

	assert_ok(ipc_send(vault.fd, MSG_record_notice, &msg, -1));
	vault_hears_nothing(office, &vault);
}

static void what_is_so(void **state)
{
	struct office *office = *state;

	expect(office, 0, "");
	vault_says(office, &vault, VAULT_EMPTY);
	expect(office, 0, "");
	vault_says(office, &vault, VAULT_SEALED);
	expect(office, 0, "vault-sealed");
	vault_says(office, &vault, VAULT_OPEN);
	expect(office, 0, "");
	notice(office, "vault-damaged");
	expect(office, 0, "vault-damaged");
	/* However long nobody looks after it. */
	expect(office, 100, "vault-damaged");
	notice(office, "vault-rolled-back");
	expect(office, 0, "vault-rolled-back vault-damaged");
	vault_says(office, &vault, VAULT_SEALED);
	expect(office, 0, "vault-sealed vault-rolled-back vault-damaged");
	/* It looks again when it is opened. */
	vault_says(office, &vault, VAULT_OPEN);
	expect(office, 0, "");
}

static void what_has_happened(void **state)
{
	struct office *office = *state;

	vault_says(office, &vault, VAULT_OPEN);
	notice(office, "document-quarantined");
	notice(office, "vault-disposed-again");
	vault_says(office, &vault, VAULT_SEALED);
	vault_says(office, &vault, VAULT_OPEN);
	expect(office, 0, "vault-disposed-again document-quarantined");
	expect(office, VAULT_TROUBLES_DAYS - 1, "vault-disposed-again document-quarantined");
	expect(office, VAULT_TROUBLES_DAYS + 1, "");
}

int main(void)
{
#define troubles_test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		troubles_test(what_is_so),
		troubles_test(what_has_happened),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
