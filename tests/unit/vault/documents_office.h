/*
 * documents_office.h - an office with one client and an employee, whose documents sato may do
 * everything with; the browser's end of a stream; and what the monitor would start.
 */
#ifndef SEKISHO_TESTS_DOCUMENTS_OFFICE_H
#define SEKISHO_TESTS_DOCUMENTS_OFFICE_H

#include "unit/vault/records_office.h"

#include <dirent.h>
#include <openssl/evp.h>
#include <sys/socket.h>

#include "vault/disposal.h"
#include "vault/document_upload.h"
#include "vault/documents.h"
#include "vault/grants.h"
#include "vault/grants_change.h"

static struct {
	struct documents documents;
	struct record_row client, record;
	int page, scanner;
	int closed;
	enum err err;
	uint32_t wanted;
	int helper; /* sekisho-preview's end */
	int kills;
	struct ipc_received got;
} world;

static const char text[] = "給与支払報告書 2026";

static inline void closed(void *ctx, uint32_t number, uint64_t bytes, enum err err)
{
	(void)ctx;
	(void)number;
	(void)bytes;
	world.closed++;
	world.err = err;
}

static inline enum err want(void *ctx, uint32_t stream)
{
	(void)ctx;
	world.wanted = stream;
	return OK;
}

static inline enum err spawn(void *ctx, uint32_t stream, int fd)
{
	(void)ctx;
	world.wanted = stream;
	world.helper = fd;
	return OK;
}

static inline void end_helper(void *ctx, uint32_t stream)
{
	(void)ctx;
	assert_int_equal(stream, world.wanted);
	world.kills++;
}

static inline void open_documents(struct office *office)
{
	assert_ok(documents_init(&world.documents, office->loop, office->folder));
	world.documents.streams.closed = closed;
	world.documents.want_scanner = want;
	world.documents.spawn_preview = spawn;
	world.documents.kill_preview = end_helper;
	office->records.documents = &world.documents;
	assert_ok(documents_sweep(&world.documents, &office->records));
}

static inline void give(struct office *office, struct desk_person who, unsigned role)
{
	const struct grant_row row = { .subject_kind = GRANT_ACCOUNT,
				       .object_kind = GRANT_CLIENT,
				       .subject = who.account,
				       .object = world.client.id,
				       .rights = { .level = GRANT_VIEW,
						   .document = (uint8_t)role } };
	const struct grants_hand hand = { 99, 1800000000 };

	assert_ok(records_begin(&office->records));
	assert_ok(grants_give(&office->records, &row, &hand));
	assert_ok(records_commit(&office->records, 0));
}

static inline int setup(void **state)
{
	struct office *office = office_of_records();

	memset(&world, 0, sizeof(world));
	world.page = world.scanner = world.helper = world.got.fd = -1;
	open_documents(office);
	world.client = office_add(office, KIND_CLIENT, 0, 0, "関所商事", "", NULL);
	world.record = office_add(office, KIND_EMPLOYEE, world.client.id, 0, "山田 花子", "", NULL);
	give(office, SATO, DOCUMENT_CO_OWNER);
	*state = office;
	return 0;
}

static inline int teardown(void **state)
{
	document_streams_finish(&world.documents.streams);
	ipc_received_finish(&world.got);
	util_closep(&world.page);
	util_closep(&world.scanner);
	util_closep(&world.helper);
	office_free(*state);
	return 0;
}

/* ---- a page ---------------------------------------------------------------------------------- */

static inline void attach(struct office *office)
{
	int pair[2];

	util_closep(&world.page);
	assert_ok(ipc_pair(pair));
	world.page = pair[1];
	world.closed = 0;
	assert_true(office->stream != 0);
	assert_ok(document_streams_attach(&world.documents.streams, office->stream, "山田 花子",
					  pair[0]));
}

static inline void run(struct office *office, int turns)
{
	for (int i = 0; i < turns; i++)
		assert_ok(loop_step(office->loop, 1));
}

static inline const union wire_any *hear(struct office *office, uint16_t id)
{
	enum err err;

	ipc_received_finish(&world.got);
	while ((err = ipc_receive(world.page, WIRE_VAULT, WIRE_PAGE, &world.got)) ==
	       ERR_UNAVAILABLE)
		assert_ok(loop_step(office->loop, 1000));
	assert_ok(err);
	assert_int_equal(world.got.type->id, id);
	return &world.got.msg;
}

/* Of what is no longer than a piece. */
static inline void make_sum(const void *data, size_t len, uint8_t ret[32])
{
	uint8_t one[32];

	assert_int_equal(EVP_Digest(data, len, one, NULL, EVP_sha256(), NULL), 1);
	assert_int_equal(EVP_Digest(one, sizeof(one), ret, NULL, EVP_sha256(), NULL), 1);
}

static inline void send_all(const char *bytes)
{
	struct msg_document_whole whole = { .bytes = strlen(bytes) };
	const struct msg_document_put put = { 0, { (const uint8_t *)bytes, strlen(bytes) } };

	make_sum(bytes, strlen(bytes), whole.sum);
	assert_ok(ipc_send(world.page, MSG_document_put, &put, -1));
	assert_ok(ipc_send(world.page, MSG_document_whole, &whole, -1));
}

static inline void expect_end(struct office *office, enum document_end why)
{
	do {
		hear(office, world.got.type && world.got.type->id == MSG_document_taken
				     ? MSG_document_end
				     : MSG_document_taken);
	} while (world.got.type->id != MSG_document_end);
	assert_int_equal(world.got.msg.document_end.error, why);
	assert_int_equal(world.closed, 1);
	ipc_received_finish(&world.got);
	world.got.type = NULL;
}

static inline enum err ask_add(struct office *office, struct desk_person who, const char *bytes)
{
	return office_ask(office, who, OP_document_add,
			  "{\"record\":%llu,\"name\":\"報告書.pdf\",\"size\":%zu}",
			  (unsigned long long)world.record.id, strlen(bytes));
}

static inline enum err ask_again(struct office *office, struct desk_person who, uint64_t document,
				 const char *bytes)
{
	return office_ask(office, who, OP_document_add,
			  "{\"document\":%llu,\"name\":\"新しい.pdf\",\"size\":%zu}",
			  (unsigned long long)document, strlen(bytes));
}

static inline uint64_t add(struct office *office, struct desk_person who, const char *bytes)
{
	assert_ok(ask_add(office, who, bytes));
	uint64_t document = (uint64_t)office_number(office, "document");
	attach(office);
	send_all(bytes);
	expect_end(office, DOCUMENT_END_NONE);
	return document;
}

static inline size_t listed(struct office *office, struct desk_person who, bool removed)
{
	assert_ok(office_ask(office, who, OP_document_list, "{\"record\":%llu,\"removed\":%s}",
			     (unsigned long long)world.record.id, removed ? "true" : "false"));
	return office_rows(office);
}

static inline enum err ask_of(struct office *office, struct desk_person who, unsigned op,
			      uint64_t document)
{
	return office_ask(office, who, op, "{\"document\":%llu}", (unsigned long long)document);
}

static inline enum err ask_preview(struct office *office, struct desk_person who, uint64_t document)
{
	return ask_of(office, who, OP_document_preview, document);
}

static inline void expect_download(struct office *office, const char *bytes)
{
	const struct msg_document_got begin = { 0 };

	attach(office);
	assert_ok(ipc_send(world.page, MSG_document_got, &begin, -1));
	const struct msg_document_data *data = &hear(office, MSG_document_data)->document_data;
	assert_int_equal(data->data.len, strlen(bytes));
	assert_memory_equal(data->data.data, bytes, strlen(bytes));
	assert_int_equal(hear(office, MSG_document_end)->document_end.error, DOCUMENT_END_NONE);
	ipc_received_finish(&world.got);
	world.got.type = NULL;
}

static inline size_t files(void)
{
	DIR *dir = opendir(world.documents.folder);
	size_t count = 0;

	assert_non_null(dir);
	for (struct dirent *entry; (entry = readdir(dir));)
		count += entry->d_name[0] != '.';
	closedir(dir);
	return count;
}

#endif
