#include "unit/vault/documents_office.h"

/* ---- there and back -------------------------------------------------------------------------- */

static void what_was_brought_is_there(void **state)
{
	struct office *office = *state;
	uint64_t document = add(office, SATO, text);

	assert_true(office->held);
	assert_int_equal(office->held_record, world.record.id);
	assert_int_equal(office->held_client, world.client.id);
	/* What it is called is nothing for the audit log. */
	assert_null(json_object_get(office->detail, "name"));
	assert_int_equal(listed(office, SATO, false), 1);
	assert_string_equal(office_row_text(office, 0, "name"), "報告書.pdf");
	assert_int_equal(office_row_number(office, 0, "size"), strlen(text));
	assert_int_equal(office_row_number(office, 0, "version"), 1);
	assert_int_equal(office_row_number(office, 0, "made_by"), SATO.account);
	assert_ok(ask_of(office, SATO, OP_document_download, document));
	assert_true(office->held);
	assert_string_equal(json_string_value(json_object_get(office->answer, "name")),
			    "報告書.pdf");
	expect_download(office, text);
	/* Also after a restart. */
	office_again(office);
	assert_ok(documents_sweep(&world.documents, &office->records));
	assert_ok(ask_of(office, SATO, OP_document_download, document));
	expect_download(office, text);
}

static void versions_are_kept(void **state)
{
	struct office *office = *state;
	uint64_t document = add(office, SATO, text);

	assert_ok(ask_again(office, SATO, document, "second"));
	attach(office);
	send_all("second");
	expect_end(office, DOCUMENT_END_NONE);
	assert_int_equal(listed(office, SATO, false), 1);
	assert_int_equal(office_row_number(office, 0, "version"), 2);
	assert_string_equal(office_row_text(office, 0, "name"), "新しい.pdf");
	assert_ok(ask_of(office, SATO, OP_document_versions, document));
	assert_int_equal(office_rows(office), 2);
	assert_int_equal(office_row_number(office, 0, "version"), 2);
	assert_int_equal(strlen(office_row_text(office, 1, "sha256")), 64);
	assert_ok(office_ask(office, SATO, OP_document_download,
			     "{\"document\":%llu,\"version\":1}", (unsigned long long)document));
	expect_download(office, text);
	assert_ok(ask_of(office, SATO, OP_document_download, document));
	expect_download(office, "second");
	assert_err(office_ask(office, SATO, OP_document_download,
			      "{\"document\":%llu,\"version\":3}", (unsigned long long)document),
		   ERR_NOT_FOUND);
	assert_string_equal(office->field, "version");
	/* The sum would tell whoever may not have the document what is in it. */
	give(office, SUZUKI, DOCUMENT_PREVIEWER);
	assert_ok(ask_of(office, SUZUKI, OP_document_versions, document));
	assert_int_equal(office_rows(office), 2);
	assert_null(json_object_get(office_row(office, 0), "sha256"));
}

static void many_versions_come_page_after_page(void **state)
{
	struct office *office = *state;
	uint64_t document = add(office, SATO, text);

	for (int i = 2; i <= 61; i++) {
		assert_ok(ask_again(office, SATO, document, "x"));
		attach(office);
		send_all("x");
		expect_end(office, DOCUMENT_END_NONE);
	}
	assert_ok(ask_of(office, SATO, OP_document_versions, document));
	assert_int_equal(office_rows(office), 60);
	assert_int_equal(office_row_number(office, 59, "version"), 2);
	assert_int_equal(office_number(office, "next"), 2);
	assert_ok(office_ask(office, SATO, OP_document_versions, "{\"document\":%llu,\"after\":2}",
			     (unsigned long long)document));
	assert_int_equal(office_rows(office), 1);
	assert_int_equal(office_row_number(office, 0, "version"), 1);
	assert_int_equal(office_number(office, "next"), 0);
}

static void the_bin(void **state)
{
	struct office *office = *state;
	uint64_t document = add(office, SATO, text);

	assert_err(ask_of(office, SATO, OP_document_restore, document), ERR_WRONG_STATE);
	assert_ok(ask_of(office, SATO, OP_document_remove, document));
	assert_true(office->held);
	assert_int_equal(listed(office, SATO, false), 0);
	assert_int_equal(listed(office, SATO, true), 1);
	assert_err(ask_of(office, SATO, OP_document_download, document), ERR_WRONG_STATE);
	assert_err(ask_again(office, SATO, document, text), ERR_WRONG_STATE);
	/* What was in it is for those who may bring it back. */
	assert_ok(ask_of(office, SATO, OP_document_versions, document));
	give(office, SUZUKI, DOCUMENT_VIEWER);
	assert_err(ask_of(office, SUZUKI, OP_document_versions, document), ERR_NOT_FOUND);
	assert_ok(ask_of(office, SATO, OP_document_restore, document));
	assert_ok(ask_of(office, SUZUKI, OP_document_versions, document));
	assert_int_equal(listed(office, SATO, false), 1);
	assert_ok(ask_of(office, SATO, OP_document_download, document));
}

static void what_is_no_order(void **state)
{
	static const char *const bodies[] = {
		"{\"record\":%llu,\"name\":\"\",\"size\":1}",
		"{\"record\":%llu,\"name\":\"a/b\",\"size\":1}",
		"{\"record\":%llu,\"name\":\"a\\\\b\",\"size\":1}",
		"{\"record\":%llu,\"name\":\"a\",\"size\":-1}",
		"{\"record\":%llu,\"name\":\"a\",\"size\":104857601}",
		"{\"record\":%llu,\"name\":\"a\",\"size\":1,\"x\":1}",
		"{\"record\":%llu,\"name\":\"a\"}",
	};
	struct office *office = *state;

	for (size_t i = 0; i < ARRAY_SIZE(bodies); i++) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		assert_err(office_ask(office, SATO, OP_document_add, bodies[i],
				      (unsigned long long)world.record.id),
			   ERR_INVALID);
#pragma GCC diagnostic pop
		assert_false(office->held);
	}
	assert_err(ask_of(office, SATO, OP_document_download, 99), ERR_NOT_FOUND);
	assert_int_equal(files(), 0);
}

/* ---- who may --------------------------------------------------------------------------------- */

/* Written down once more. list: whether there is one. */
static const struct {
	unsigned role;
	bool list, upload, download, preview, link, edit, delete;
} roles[] = {
	{ DOCUMENT_NO_ROLE, false, false, false, false, false, false, false },
	{ DOCUMENT_CO_OWNER, true, true, true, true, true, true, true },
	{ DOCUMENT_EDITOR, true, true, true, true, true, true, true },
	{ DOCUMENT_VIEWER_UPLOADER, true, true, true, true, true, true, false },
	{ DOCUMENT_PREVIEWER_UPLOADER, true, true, false, true, false, false, false },
	{ DOCUMENT_VIEWER, true, false, true, true, true, false, false },
	{ DOCUMENT_PREVIEWER, true, false, false, true, false, false, false },
	{ DOCUMENT_UPLOADER, true, true, false, false, false, false, false },
};

static void expect_may(bool may, bool seen, enum err got)
{
	assert_err(got, may ? OK : seen ? ERR_DENIED : ERR_NOT_FOUND);
}

static void each_role_does_what_it_may(void **state)
{
	struct office *office = *state;
	uint64_t document = add(office, SATO, text);

	for (size_t i = 0; i < ARRAY_SIZE(roles); i++) {
		bool seen = roles[i].list;

		give(office, SUZUKI, roles[i].role);
		assert_int_equal(listed(office, SUZUKI, false), roles[i].list);
		const json_t *may = json_object_get(office->answer, "may");
		assert_int_equal(json_is_true(json_object_get(may, "upload")), roles[i].upload);
		assert_int_equal(json_is_true(json_object_get(may, "download")), roles[i].download);
		assert_int_equal(json_is_true(json_object_get(may, "preview")), roles[i].preview);
		assert_int_equal(json_is_true(json_object_get(may, "link")), roles[i].link);
		assert_int_equal(json_is_true(json_object_get(may, "edit")), roles[i].edit);
		assert_int_equal(json_is_true(json_object_get(may, "delete")), roles[i].delete);
		expect_may(roles[i].upload, true, ask_add(office, SUZUKI, "x"));
		expect_may(roles[i].edit, seen, ask_again(office, SUZUKI, document, "x"));
		expect_may(roles[i].download, seen,
			   ask_of(office, SUZUKI, OP_document_download, document));
		expect_may(roles[i].preview, seen, ask_preview(office, SUZUKI, document));
		expect_may(roles[i].delete, seen,
			   ask_of(office, SUZUKI, OP_document_remove, document));
		if (roles[i].delete)
			assert_ok(ask_of(office, SUZUKI, OP_document_restore, document));
		document_streams_finish(&world.documents.streams);
	}
	/* One of another's record is none at all. */
	assert_err(
		ask_of(office, (struct desk_person){ 8, DUTY_USE }, OP_document_versions, document),
		ERR_NOT_FOUND);
}

static void a_right_that_is_lost_meanwhile(void **state)
{
	struct office *office = *state;

	give(office, SUZUKI, DOCUMENT_UPLOADER);
	assert_ok(ask_add(office, SUZUKI, text));
	attach(office);
	give(office, SUZUKI, DOCUMENT_PREVIEWER);
	send_all(text);
	expect_end(office, DOCUMENT_END_ENDED);
	assert_int_equal(files(), 0);
	assert_int_equal(listed(office, SATO, false), 0);
}

/* ---- what is broken off ---------------------------------------------------------------------- */

static void nothing_is_left_of_half_a_document(void **state)
{
	struct office *office = *state;
	uint64_t document;

	assert_ok(ask_add(office, SATO, text));
	document = (uint64_t)office_number(office, "document");
	attach(office);
	const struct msg_document_put put = { 0, { (const uint8_t *)text, 5 } };
	assert_ok(ipc_send(world.page, MSG_document_put, &put, -1));
	run(office, 5);
	assert_int_equal(files(), 1);
	util_closep(&world.page);
	run(office, 5);
	assert_int_equal(world.closed, 1);
	assert_int_equal(files(), 0);
	assert_int_equal(listed(office, SATO, false), 0);
	assert_err(ask_of(office, SATO, OP_document_download, document), ERR_NOT_FOUND);
	/* Its number is not given again. */
	assert_true(add(office, SATO, text) > document);
}

static void two_at_once_do_not_meet(void **state)
{
	struct office *office = *state;
	uint64_t document = add(office, SATO, text);
	uint32_t first;

	assert_ok(ask_again(office, SATO, document, "first"));
	first = office->stream;
	assert_ok(ask_again(office, SATO, document, "other"));
	attach(office);
	send_all("other");
	expect_end(office, DOCUMENT_END_NONE);
	office->stream = first;
	attach(office);
	send_all("first");
	expect_end(office, DOCUMENT_END_NONE);
	assert_int_equal(listed(office, SATO, false), 1);
	assert_int_equal(office_row_number(office, 0, "version"), 3);
	assert_ok(ask_of(office, SATO, OP_document_download, document));
	expect_download(office, "other");
}

static void a_killed_vault_keeps_what_has_a_row(void **state)
{
	struct office *office = *state;
	char path[DOCUMENTS_FOLDER + 32];

	add(office, SATO, text);
	snprintf(path, sizeof(path), "%s/77-1", world.documents.folder);
	assert_ok(util_write_file(path, "x", 1, 0600));
	snprintf(path, sizeof(path), "%s/1-2.part", world.documents.folder);
	assert_ok(util_write_file(path, "x", 1, 0600));
	office_again(office);
	assert_ok(documents_sweep(&world.documents, &office->records));
	assert_int_equal(files(), 1);
	assert_int_equal(listed(office, SATO, false), 1);
}

/* ---- previews -------------------------------------------------------------------------------- */

static void show(uint32_t page)
{
	const struct msg_document_show msg = { page };

	assert_ok(ipc_send(world.page, MSG_document_show, &msg, -1));
}

/* Up to the moment when sekisho-preview is asked for the page. */
static void preview_hears(struct office *office, uint16_t id)
{
	enum err err;

	while (world.helper < 0)
		assert_ok(loop_step(office->loop, 1000));
	do {
		ipc_received_finish(&world.got);
		while ((err = ipc_receive(world.helper, WIRE_VAULT, WIRE_PREVIEW, &world.got)) ==
		       ERR_UNAVAILABLE)
			assert_ok(loop_step(office->loop, 1000));
		assert_ok(err);
		if (world.got.type->id == MSG_preview_start) {
			assert_int_equal(world.got.msg.preview_start.bytes, strlen(text));
			assert_string_equal(world.got.msg.preview_start.who, "山田 花子");
		}
	} while (world.got.type->id != id);
}

static void draw_page(struct office *office, uint32_t page)
{
	static const char png[] = "\x89PNG\r\n\x1a\n and so on";
	const struct msg_preview_page drawn = { .pages = 3, .bytes = sizeof(png) };
	const struct msg_preview_picture part = { { (const uint8_t *)png, sizeof(png) } };

	preview_hears(office, MSG_preview_show);
	assert_int_equal(world.got.msg.preview_show.page, page);
	assert_ok(ipc_send(world.helper, MSG_preview_page, &drawn, -1));
	assert_ok(ipc_send(world.helper, MSG_preview_picture, &part, -1));
	hear(office, MSG_document_page);
	hear(office, MSG_document_data);
}

/* One entry for all pages. */
static void a_document_is_leafed_through(void **state)
{
	struct office *office = *state;
	uint64_t document = add(office, SATO, text);

	assert_ok(ask_preview(office, SATO, document));
	assert_true(office->held);
	assert_int_equal(json_object_size(office->detail), 2);
	assert_int_equal(json_integer_value(json_object_get(office->detail, "document")), document);
	assert_int_equal(json_integer_value(json_object_get(office->detail, "version")), 1);
	assert_int_equal(office_number(office, "version"), 1);
	attach(office);
	show(2);
	draw_page(office, 2);
	show(3);
	draw_page(office, 3);
	assert_int_equal(world.kills, 0);
	/* The dialog is closed. */
	util_closep(&world.page);
	world.page = -1;
	while (!world.kills)
		assert_ok(loop_step(office->loop, 1000));
	assert_int_equal(world.closed, 1);
	assert_ok(world.err);
}

/* What has changed since the first page counts for the next one. */
static void a_page_takes_what_the_first_one_took(void **state)
{
	struct office *office = *state;
	uint64_t document = add(office, SATO, text);

	for (int i = 0; i < 2; i++) {
		give(office, SUZUKI, DOCUMENT_PREVIEWER);
		assert_ok(ask_preview(office, SUZUKI, document));
		attach(office);
		show(1);
		draw_page(office, 1);
		if (i)
			assert_ok(ask_of(office, SATO, OP_document_remove, document));
		else
			give(office, SUZUKI, DOCUMENT_UPLOADER);
		show(2);
		assert_int_equal(hear(office, MSG_document_end)->document_end.error,
				 DOCUMENT_END_ENDED);
		assert_int_equal(world.kills, i + 1);
		util_closep(&world.helper);
		world.helper = -1;
	}
}

/* ---- what somebody does to the database ------------------------------------------------------ */

static void what_stands_in_anothers_place_is_found(void **state)
{
	struct office *office = *state;
	uint64_t document = add(office, SATO, text);

	add(office, SATO, "another");
	assert_ok(db_exec(office->records.db,
			  "UPDATE document_version SET (data_key, sealed) ="
			  " (SELECT data_key, sealed FROM document_version WHERE document = 2)"
			  " WHERE document = 1"));
	assert_err(ask_of(office, SATO, OP_document_download, document), ERR_INVALID);
	assert_string_equal(office->notice, "vault-damaged");
	assert_int_equal(listed(office, SATO, false), 2);
	assert_string_equal(office_row_text(office, 0, "name"), "");
	assert_string_not_equal(office_row_text(office, 1, "name"), "");
	assert_ok(db_exec(office->records.db, "UPDATE document SET removed = 1 WHERE id = 2"));
	assert_err(ask_of(office, SATO, OP_document_download, 2), ERR_INVALID);
}

/* ---- the record's end --------------------------------------------------------------------------
 */

static void nothing_of_a_disposed_record_goes_on(void **state)
{
	struct office *office = *state;
	uint64_t document = add(office, SATO, text);
	struct disposal_count count;

	assert_ok(ask_of(office, SATO, OP_document_download, document));
	attach(office);
	assert_ok(records_begin(&office->records));
	assert_ok(disposal_wipe(&office->records, &world.record, &count));
	assert_ok(records_commit(&office->records, 0));
	assert_int_equal(count.documents, 1);
	assert_int_equal(hear(office, MSG_document_end)->document_end.error, DOCUMENT_END_ENDED);
	assert_int_equal(files(), 0);
	assert_err(ask_of(office, SATO, OP_document_download, document), ERR_NOT_FOUND);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(what_was_brought_is_there),
		TEST(versions_are_kept),
		TEST(many_versions_come_page_after_page),
		TEST(the_bin),
		TEST(what_is_no_order),
		TEST(each_role_does_what_it_may),
		TEST(a_right_that_is_lost_meanwhile),
		TEST(nothing_is_left_of_half_a_document),
		TEST(two_at_once_do_not_meet),
		TEST(a_killed_vault_keeps_what_has_a_row),
		TEST(a_document_is_leafed_through),
		TEST(a_page_takes_what_the_first_one_took),
		TEST(what_stands_in_anothers_place_is_found),
		TEST(nothing_of_a_disposed_record_goes_on),
#undef TEST
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
