/*
 * life_office.h - an office whose records are asked for, approved, ended and disposed of.
 */
#ifndef SEKISHO_TESTS_LIFE_OFFICE_H
#define SEKISHO_TESTS_LIFE_OFFICE_H

#include "unit/vault/records_office.h"

#include "store/vault/disposal_rows.h"
#include "vault/due.h"
#include "vault/grants_change.h"
#include "vault/grants_decide.h"
#include "vault/requests.h"

/* Sato and Suzuki may change everything. Its client is record 1, and active. */
static inline struct office *office_of_life(void)
{
	const struct grants_hand hand = { 99, 1763769600 };
	struct office *office = office_of_records();

	assert_ok(records_begin(&office->records));
	for (uint64_t account = SATO.account; account <= SUZUKI.account; account++) {
		const struct grant_row row = { .subject_kind = GRANT_ACCOUNT,
					       .subject = account,
					       .object_kind = GRANT_EVERYTHING,
					       .rights = { .level = GRANT_EDIT } };

		assert_ok(grants_give(&office->records, &row, &hand));
	}
	assert_ok(records_commit(&office->records, 0));
	assert_int_equal(office_add(office, KIND_CLIENT, 0, 0, "青葉商店", "アオバ", NULL).id, 1);
	return office;
}

/* Sato asks for an employee of client 1; its record. number: "" for later. */
static inline uint64_t office_collect(struct office *office, const char *number)
{
	char with[64] = "";

	if (*number)
		snprintf(with, sizeof(with), ",\"number\":\"%s\",\"again\":\"%s\"", number, number);
	assert_ok(office_ask(office, SATO, OP_request_add,
			     "{\"kind\":1,\"record_kind\":2,\"client\":1,\"class\":1,"
			     "\"purposes\":[1],\"name\":\"山田\",\"why\":\"入社\"%s}",
			     with));
	return (uint64_t)office_number(office, "record");
}

/* The request that the last answer told of. */
static inline long long office_request(const struct office *office)
{
	const json_t *requests = json_object_get(office->answer, "requests");

	assert_true(json_array_size(requests) >= 1);
	return json_integer_value(json_array_get(requests, 0));
}

static inline struct record_row office_record(struct office *office, uint64_t id)
{
	struct record_row row;

	assert_ok(records_row(&office->records, id, &row));
	return row;
}

/* An employee that is in use. */
static inline uint64_t office_active(struct office *office)
{
	uint64_t record = office_collect(office, OFFICE_PERSONAL);

	assert_ok(office_ask(office, TANAKA, OP_request_approve, "{\"requests\":[%lld]}",
			     office_request(office)));
	assert_int_equal(office_record(office, record).state, STATE_ACTIVE);
	return record;
}

/* Its years were over long ago. */
static inline void office_end(struct office *office, uint64_t record)
{
	assert_ok(office_ask(office, SATO, OP_record_end,
			     "{\"records\":[%llu],\"started\":\"2010-04-01\"}",
			     (unsigned long long)record));
}

static inline long long office_ask_dispose(struct office *office, struct desk_person who,
					   uint64_t record)
{
	assert_ok(office_ask(office, who, OP_request_add, "{\"kind\":3,\"records\":[%llu]}",
			     (unsigned long long)record));
	return office_request(office);
}

#endif
