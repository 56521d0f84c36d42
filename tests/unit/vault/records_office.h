/*
 * records_office.h - an office with classes (1 and 2) and purposes (1 and 2) that has records.
 */
#ifndef SEKISHO_TESTS_RECORDS_OFFICE_H
#define SEKISHO_TESTS_RECORDS_OFFICE_H

#include "unit/vault/office.h"

#include "vault/index.h"
#include "vault/records_change.h"

/* Numbers whose check digits are right. */
#define OFFICE_PERSONAL  "123456789018"
#define OFFICE_OTHER     "023456789013"
#define OFFICE_CORPORATE "8700110005901"

static const struct change_by office_by = { .account = 7, .now_s = 1763769600 };

static inline struct office *office_of_records(void)
{
	struct office *office = office_new();

	assert_ok(records_begin(&office->records));
	assert_ok(db_exec(office->records.db,
			  "INSERT INTO class (id, name, name_en, start, start_en, years) VALUES"
			  " (1, '賃金台帳', '', '最後の記入日', '', 5),"
			  " (2, '源泉徴収票', '', '提出期限', '', 7);"
			  "INSERT INTO purpose (id, name, name_en) VALUES (1, '源泉徴収', ''),"
			  " (2, '社会保険', '')"));
	assert_ok(records_commit(&office->records, 0));
	return office;
}

/* Sealed and opened again. */
static inline void office_again(struct office *office)
{
	records_seal(&office->records);
	office_open(office);
}

static inline struct record_row office_new_row(int64_t kind, uint64_t client, uint64_t parent)
{
	return (struct record_row){ .kind = kind,
				    .state = STATE_ACTIVE,
				    .client = client,
				    .parent = parent,
				    .class = 1,
				    .purposes = { [7] = 1, [15] = 2 },
				    .purpose_count = 2 };
}

/* One more record, in a transaction of its own. name, number: may be NULL. */
static inline struct record_row office_add(struct office *office, int64_t kind, uint64_t client,
					   uint64_t parent, const char *name, const char *kana,
					   const char *number)
{
	const struct content content = { .name = name, .kana = kana };
	struct record_row row = office_new_row(kind, client, parent);

	assert_ok(records_begin(&office->records));
	assert_ok(
		record_create(&office->records, &row, name ? &content : NULL, number, &office_by));
	assert_ok(records_commit(&office->records, 0));
	return row;
}

#endif
