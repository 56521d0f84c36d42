/* What the scanner says of a document, and what becomes of it then. */
#include "unit/vault/documents_office.h"

/* The scanner's part: takes everything, then answers. */
static void scan(struct office *office, const char *answer)
{
	char sink[4096];
	int pair[2];

	while (!world.wanted)
		assert_ok(loop_step(office->loop, 1000));
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
	world.scanner = pair[1];
	document_upload_scanner(&world.documents.streams, world.wanted, pair[0]);
	run(office, 10);
	while (recv(world.scanner, sink, sizeof(sink), 0) > 0)
		run(office, 2);
	assert_int_equal(send(world.scanner, answer, strlen(answer) + 1, 0), strlen(answer) + 1);
	world.wanted = 0;
}

static void upload_scanned(struct office *office, const char *answer, enum document_end why)
{
	attach(office);
	send_all(text);
	scan(office, answer);
	expect_end(office, why);
	util_closep(&world.scanner);
	world.scanner = -1;
}

static void what_is_infected_is_in_quarantine(void **state)
{
	struct office *office = *state;
	uint64_t document;

	world.documents.scan = true;
	assert_ok(ask_add(office, SATO, text));
	document = (uint64_t)office_number(office, "document");
	upload_scanned(office, "stream: Eicar-Test-Signature FOUND", DOCUMENT_END_INFECTED);
	assert_int_equal(office->notices, 1);
	assert_string_equal(office->notice, "document-quarantined");
	assert_int_equal(listed(office, SATO, false), 0);
	assert_err(ask_of(office, SATO, OP_document_download, document), ERR_NOT_FOUND);
	assert_int_equal(files(), 1);
	/* For those who manage. */
	assert_err(office_ask(office, SATO, OP_quarantine_list, "{}"), ERR_DENIED);
	assert_ok(office_ask(office, TANAKA, OP_quarantine_list, "{}"));
	assert_int_equal(office_rows(office), 1);
	assert_string_equal(office_row_text(office, 0, "found"), "Eicar-Test-Signature");
	assert_string_equal(office_row_text(office, 0, "name"), "報告書.pdf");
	assert_err(office_ask(office, TANAKA, OP_quarantine_discard,
			      "{\"document\":%llu,\"version\":2}", (unsigned long long)document),
		   ERR_NOT_FOUND);
	assert_ok(office_ask(office, TANAKA, OP_quarantine_discard,
			     "{\"document\":%llu,\"version\":1}", (unsigned long long)document));
	assert_true(office->held);
	assert_int_equal(files(), 0);
	assert_ok(office_ask(office, TANAKA, OP_quarantine_list, "{}"));
	assert_int_equal(office_rows(office), 0);
}

static void all_of_the_quarantine_is_shown(void **state)
{
	struct office *office = *state;
	uint64_t document = add(office, SATO, "clean");

	world.documents.scan = true;
	for (int i = 0; i < 61; i++) {
		assert_ok(ask_again(office, SATO, document, text));
		upload_scanned(office, "stream: Virus FOUND", DOCUMENT_END_INFECTED);
	}
	assert_ok(office_ask(office, TANAKA, OP_quarantine_list, "{}"));
	assert_int_equal(office_rows(office), 60);
	assert_int_equal(office_number(office, "total"), 61);
	assert_int_equal(office_number(office, "next"), 60);
	assert_ok(office_ask(office, TANAKA, OP_quarantine_list, "{\"after\":60}"));
	assert_int_equal(office_rows(office), 1);
	assert_int_equal(office_row_number(office, 0, "version"), 62);
	assert_int_equal(office_number(office, "next"), 0);
	/* One that is damaged is named, and the others are shown. */
	assert_int_equal(office_number(office, "damaged"), 0);
	assert_ok(db_exec(office->records.db,
			  "UPDATE document_version SET data_key = zeroblob(40) WHERE version = 2"));
	assert_ok(office_ask(office, TANAKA, OP_quarantine_list, "{}"));
	assert_int_equal(office_rows(office), 60);
	assert_int_equal(office_number(office, "total"), 60);
	assert_int_equal(office_number(office, "damaged"), 1);
	assert_string_equal(office->notice, "vault-damaged");
}

static void an_infected_version_leaves_the_one_before(void **state)
{
	struct office *office = *state;
	uint64_t document = add(office, SATO, "clean");

	world.documents.scan = true;
	assert_ok(ask_again(office, SATO, document, text));
	upload_scanned(office, "stream: Virus FOUND", DOCUMENT_END_INFECTED);
	assert_ok(ask_of(office, SATO, OP_document_versions, document));
	assert_int_equal(office_rows(office), 1);
	assert_err(office_ask(office, SATO, OP_document_download,
			      "{\"document\":%llu,\"version\":2}", (unsigned long long)document),
		   ERR_NOT_FOUND);
	assert_ok(ask_of(office, SATO, OP_document_download, document));
	expect_download(office, "clean");
	/* What is not in quarantine cannot be destroyed so. */
	assert_err(office_ask(office, TANAKA, OP_quarantine_discard,
			      "{\"document\":%llu,\"version\":1}", (unsigned long long)document),
		   ERR_NOT_FOUND);
}

static void without_the_scanner_nothing_is_kept(void **state)
{
	struct office *office = *state;

	world.documents.scan = true;
	assert_ok(ask_add(office, SATO, text));
	attach(office);
	send_all(text);
	while (!world.wanted)
		assert_ok(loop_step(office->loop, 1000));
	document_upload_scanner(&world.documents.streams, world.wanted, -1);
	expect_end(office, DOCUMENT_END_SCANNER);
	assert_int_equal(files(), 0);
	assert_int_equal(listed(office, SATO, false), 0);
	world.wanted = 0;
	assert_ok(ask_add(office, SATO, text));
	upload_scanned(office, "stream: OK", DOCUMENT_END_NONE);
	assert_int_equal(listed(office, SATO, false), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(what_is_infected_is_in_quarantine),
		TEST(all_of_the_quarantine_is_shown),
		TEST(an_infected_version_leaves_the_one_before),
		TEST(without_the_scanner_nothing_is_kept),
#undef TEST
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
