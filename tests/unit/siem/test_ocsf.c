#include <jansson.h>
#include <string.h>

#include "base/util.h"
#include "siem/ocsf.h"
#include "siem/syslog.h"
#include "unit/unit.h"

static const char *const events[] = {
#define EVENT(event, class, activity, name, outcome, severity) event,
#include "siem/events.def"
#undef EVENT
};

static struct msg_siem_entry entry_of(const char *event)
{
	return (struct msg_siem_entry){
		.seq = 4711,
		.time_ms = 1795352461023,
		.event = event,
		.account = "sato",
		.device = 3,
		.device_name = "ノートPC",
		.address = "192.0.2.7",
		.host = 5,
		.host_name = "経理PC",
		.session = "000102030405060708090a0b0c0d0e0f",
		.detail =
			"{\"account\":\"suzuki\",\"error\":\"denied\",\"id\":9,\"kind\":\"fork\"}",
	};
}

static json_t *translate(const struct msg_siem_entry *entry)
{
	_cleanup_buf_ struct buf text;

	buf_init(&text, OCSF_EVENT_MAX);
	assert_int_equal(ocsf_add(&text, entry, "gw.example.jp"), OK);
	for (size_t i = 0; i < text.len; i++)
		assert_in_range(text.data[i], ' ', '~');
	json_t *event = json_loadb((const char *)text.data, text.len, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(event);
	return event;
}

static json_int_t number(const json_t *event, const char *name)
{
	const json_t *value = json_object_get(event, name);

	assert_true(json_is_integer(value));
	return json_integer_value(value);
}

static const char *text_at(const json_t *event, const char *a, const char *b)
{
	return json_string_value(json_object_get(json_object_get(event, a), b));
}

static bool has_text(const json_t *event, const char *a, const char *b, const char *c)
{
	const json_t *object = json_object_get(json_object_get(event, a), b);

	return json_is_string(c ? json_object_get(object, c) : object);
}

/* What OCSF 1.3.0 requires beyond what all events have. */
static bool has_what_its_class_needs(const json_t *event)
{
	switch (number(event, "class_uid")) {
	case 2004:
		return has_text(event, "finding_info", "title", NULL) &&
		       has_text(event, "finding_info", "uid", NULL);
	case 3001:
		return has_text(event, "user", "name", NULL);
	case 3002:
		return has_text(event, "user", "name", NULL) &&
		       has_text(event, "service", "name", NULL);
	case 3004:
		return has_text(event, "entity", "name", NULL);
	case 3005:
		return has_text(event, "user", "name", NULL) &&
		       json_is_array(json_object_get(event, "privileges"));
	case 6003:
		return has_text(event, "api", "operation", NULL) &&
		       has_text(event, "actor", "user", "name") &&
		       has_text(event, "src_endpoint", "ip", NULL);
	default:
		return false;
	}
}

static void each_event_is_whole(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(events); i++) {
		struct msg_siem_entry entry = entry_of(events[i]);
		json_t *event = translate(&entry);

		assert_true(ocsf_knows(events[i]));
		assert_int_equal(number(event, "type_uid"),
				 number(event, "class_uid") * 100 + number(event, "activity_id"));
		assert_int_equal(number(event, "category_uid"), number(event, "class_uid") / 1000);
		assert_in_range(number(event, "severity_id"), 1, 4);
		assert_int_equal(number(event, "time"), 1795352461023);
		assert_string_equal(text_at(event, "metadata", "version"), "1.3.0");
		assert_string_equal(text_at(event, "metadata", "uid"), "gw.example.jp/4711");
		assert_int_equal(number(json_object_get(event, "metadata"), "sequence"), 4711);
		assert_string_equal(text_at(event, "unmapped", "device_name"), "ノートPC");
		if (!has_what_its_class_needs(event))
			fail_msg("%s lacks what its class needs", events[i]);
		json_decref(event);
	}
}

static void one_that_is_not_listed_goes_all_the_same(void **state)
{
	struct msg_siem_entry entry = entry_of("tea-served");
	json_t *event = translate(&entry);

	(void)state;
	assert_false(ocsf_knows("tea-served"));
	assert_int_equal(number(event, "type_uid"), 600399);
	assert_string_equal(text_at(event, "unmapped", "event"), "tea-served");
	json_decref(event);
}

/* Nobody is left to name in what was disposed of, nor in what the gateway does by itself. */
static void without_people_it_is_valid(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(events); i++) {
		struct msg_siem_entry entry = { .seq = 1,
						.event = events[i],
						.account = "",
						.device_name = "",
						.address = "",
						.host_name = "",
						.session = "",
						.detail = "{}",
						.disposed = 1 };
		json_t *event = translate(&entry);
		assert_true(json_is_true(
			json_object_get(json_object_get(event, "unmapped"), "disposed")));
		assert_true(has_text(event, "src_endpoint", "hostname", NULL));
		json_decref(event);
	}
}

/* As long as a detail may be, with one thing again and again in it. */
static void detail_of(const char *thing, char ret[2049])
{
	size_t len = (size_t)snprintf(ret, 2049, "{\"a\":\"");

	while (len + strlen(thing) + 2 <= 2048)
		len += (size_t)snprintf(ret + len, 2049 - len, "%s", thing);
	snprintf(ret + len, 2049 - len, "\"}");
}

static void detail_becomes(const char *detail, bool cut)
{
	struct msg_siem_entry entry = entry_of("host-set");

	entry.detail = detail;
	json_t *event = translate(&entry);
	const json_t *shown = json_object_get(json_object_get(event, "unmapped"), "detail");
	assert_int_equal(json_is_true(json_object_get(shown, "cut")), cut);
	json_decref(event);
}

static void a_detail_that_cannot_be_is_cut(void **state)
{
	char kanji[2049];

	(void)state;
	detail_of("鬱", kanji);
	detail_becomes(kanji, false);
	detail_becomes("{\"a\":\"\x7f\"}", false);
	detail_becomes("{\"a\":1", true);
	detail_becomes("[1]", true);
	detail_becomes("{\"a\":1,\"a\":2}", true);
}

static void the_longest_fits_into_a_frame(void **state)
{
	char name[129], detail[2049];
	struct msg_siem_entry entry = entry_of("session-open");
	_cleanup_buf_ struct buf frames;

	(void)state;
	memset(name, 1, sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	detail_of("\\u0001", detail);
	entry.device_name = entry.host_name = name;
	entry.detail = detail;
	buf_init(&frames, 2 * SYSLOG_FRAME_MAX);
	assert_int_equal(syslog_add(&frames, &entry, "gw.example.jp"), OK);
	assert_true(frames.len < SYSLOG_FRAME_MAX);
}

static void frames_are_as_rfc_5425_has_them(void **state)
{
	static const char start[] = "<110>1 2026-11-22T13:01:01.023Z gw.example.jp sekisho - login "
				    "[meta sequenceId=\"4711\"] {";
	struct msg_siem_entry entry = entry_of("login");
	_cleanup_buf_ struct buf frames;
	char *end;

	(void)state;
	buf_init(&frames, 2 * SYSLOG_FRAME_MAX);
	assert_int_equal(syslog_add(&frames, &entry, "gw.example.jp"), OK);
	size_t len = strtoul((const char *)frames.data, &end, 10);
	assert_int_equal(*end, ' ');
	assert_memory_equal(end + 1, start, strlen(start));
	assert_int_equal((size_t)((uint8_t *)end + 1 - frames.data) + len, frames.len);
}

static void the_number_goes_round_as_rfc_5424_has_it(void **state)
{
	struct msg_siem_entry entry = entry_of("audit-alarm");
	_cleanup_buf_ struct buf frames;

	(void)state;
	entry.seq = 2147483648;
	buf_init(&frames, 2 * SYSLOG_FRAME_MAX);
	assert_int_equal(syslog_add(&frames, &entry, "gw 1"), OK);
	assert_int_equal(buf_add(&frames, "", 1), OK);
	assert_non_null(strstr((char *)frames.data, " <106>1 "));
	assert_non_null(strstr((char *)frames.data, "Z gw?1 sekisho - audit-alarm [meta "
						    "sequenceId=\"1\"]"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_event_is_whole),
		cmocka_unit_test(one_that_is_not_listed_goes_all_the_same),
		cmocka_unit_test(without_people_it_is_valid),
		cmocka_unit_test(a_detail_that_cannot_be_is_cut),
		cmocka_unit_test(the_longest_fits_into_a_frame),
		cmocka_unit_test(frames_are_as_rfc_5425_has_them),
		cmocka_unit_test(the_number_goes_round_as_rfc_5424_has_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
