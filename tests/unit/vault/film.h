/*
 * film.h - a house with its key, and recordings as the recorder makes them, for the vault's tests.
 */
#ifndef SEKISHO_TESTS_VAULT_FILM_H
#define SEKISHO_TESTS_VAULT_FILM_H

#include "unit/folder.h"

#include <string.h>

#include "base/clock.h"
#include "base/util.h"
#include "certs/ca.h"
#include "certs/cleanup.h"
#include "certs/profile.h"
#include "record/table.h"
#include "vault/recording.h"
#include "vault/root.h"

#define FILM_PASSPHRASE "iwato-hirake"
#define FILM_META       "{\"version\":1,\"account\":\"sato\"}"

enum { FILM_CHUNKS_MAX = 64, FILM_FRAME = 70000 /* bytes; more than a piece of play_data */ };

__attribute__((unused)) static struct secret *film_secret(const char *text)
{
	struct secret *secret = NULL;

	assert_ok(secret_new(text, strlen(text), &secret));
	return secret;
}

/* An auditor's certificate for the key, as the signer issues it. */
__attribute__((unused)) static void film_certify(EVP_PKEY *key, struct buf *der)
{
	const struct ca_plan plan = { .office = "事務所", .number = 1, .now_s = clock_wall_s() };
	_cleanup_(ca_freep) struct ca *ca = NULL;
	_cleanup_object_(pkey) EVP_PKEY *root_key = NULL;
	_cleanup_object_(x509) X509 *certificate = NULL;
	unsigned char *data = NULL;
	int len;

	assert_ok(ca_new(&plan, &ca, &root_key));
	const struct profile_order order = {
		.profile = CERT_AUDITOR,
		.issuer = ca_certificate(ca),
		.issuer_key = ca_key(ca),
		.key = key,
		.name = "Sekisho vault",
		.owner = "auditor",
		.now_s = clock_wall_s(),
	};
	assert_ok(profile_issue(&order, &certificate));
	len = i2d_X509(certificate, &data);
	assert_true(len > 0);
	assert_ok(buf_add(der, data, (size_t)len));
	OPENSSL_free(data);
}

/* So that a test does not spend its time on Argon2id. */
static const struct wrap_cost film_cost = { .memory_kib = 64, .passes = 1, .lanes = 1 };

/* An open house in a folder of its own, with its certificate. */
struct film_house {
	char folder[UNIT_FOLDER];
	struct house house;
	struct root root;
	struct buf certificate;
};

__attribute__((unused)) static void film_house_open(struct film_house *ours)
{
	_cleanup_secret_ struct secret *passphrase = film_secret(FILM_PASSPHRASE), *sheets = NULL;

	unit_folder(ours->folder);
	buf_init(&ours->certificate, HOUSE_CERTIFICATE_MAX);
	assert_ok(house_open(&ours->house, ours->folder));
	assert_ok(root_open(&ours->root, ours->folder, &ours->house));
	ours->root.cost = film_cost;
	assert_ok(root_init(&ours->root, passphrase, &sheets));
	film_certify(ours->house.key, &ours->certificate);
	assert_ok(house_set_certificate(
		&ours->house, (struct bytes){ ours->certificate.data, ours->certificate.len }));
}

__attribute__((unused)) static void film_house_close(struct film_house *ours)
{
	root_finish(&ours->root);
	house_finish(&ours->house);
	buf_finish(&ours->certificate);
}

/* A recording's file while it is made. */
struct film {
	char path[UNIT_FILE];
	int fd;
	uint8_t session[WIRE_SESSION_ID];
	struct seal_recipients *recipients;
	uint8_t previous[CHUNK_HASH], running[CHUNK_HASH];
	struct table_row rows[FILM_CHUNKS_MAX];
	size_t count;
	uint64_t size;
	struct buf marks; /* as msg_playback_open has them */
};

__attribute__((unused)) static void film_begin(struct film *film, const struct buf *certificate)
{
	*film = (struct film){ 0 };
	film->fd = unit_file(film->path);
	memset(film->session, 7, sizeof(film->session));
	buf_init(&film->marks, 4096);
	assert_ok(seal_recipients_new(certificate->data, certificate->len, clock_wall_s(),
				      &film->recipients));
}

__attribute__((unused)) static void film_end(struct film *film)
{
	seal_recipients_free(film->recipients);
	buf_finish(&film->marks);
	util_closep(&film->fd);
}

static inline void film_record(struct chunk_writer *writer, enum record_kind kind, const void *data,
			       size_t len)
{
	const struct record record = { .kind = kind, .data = data, .len = len };
	size_t taken = 0;

	assert_ok(chunk_writer_add(writer, &record, &taken));
	assert_int_equal(taken, len);
}

/* What the chunks hold: the description in the first, a frame in each, the index in the last. */
static inline void film_fill(struct film *film, struct chunk_writer *writer, bool last)
{
	static uint8_t frame[FILM_FRAME] = { 0x03, 0x08 }; /* MSG_frame */
	static const char event[] = "{\"event\":\"viewer-joined\"}";

	memset(frame + 2, (int)film->count, sizeof(frame) - 2);
	if (!film->count)
		film_record(writer, RECORD_META, FILM_META, strlen(FILM_META));
	film_record(writer, RECORD_SENT, frame, sizeof(frame));
	film_record(writer, RECORD_EVENT, event, strlen(event));
	if (last) {
		_cleanup_buf_ struct buf index;

		buf_init(&index, 65536);
		assert_ok(table_put_index(film->rows, film->count, &index));
		film_record(writer, RECORD_INDEX, index.data, index.len);
	}
}

static inline void film_head(const struct film *film, struct chunk_head *ret)
{
	*ret = (struct chunk_head){
		.sequence = film->count,
		.time_ms = 1700000000000 + film->count * 1000,
		.start_us = film->count * 1000000,
	};
	memcpy(ret->session, film->session, sizeof(ret->session));
	memcpy(ret->previous, film->previous, sizeof(ret->previous));
}

/* One more chunk, with a head that may lie. */
__attribute__((unused)) static void film_chunk_as(struct film *film, const struct chunk_head *head,
						  bool last)
{
	struct chunk_figures figures = { 0 };
	struct chunk_writer writer;
	_cleanup_buf_ struct buf der;
	const uint8_t *plain;
	size_t len;

	chunk_writer_init(&writer);
	buf_init(&der, SEAL_DER_MAX);
	assert_ok(chunk_writer_begin(&writer, head));
	film_fill(film, &writer, last);
	assert_ok(chunk_writer_end(&writer, CHUNK_KEY | (last ? CHUNK_LAST : 0), &plain, &len));
	assert_ok(table_row_of(plain, len, film->size, &figures, &film->rows[film->count]));
	assert_ok(seal_chunk(film->recipients, plain, len, &der));
	assert_int_equal(write(film->fd, der.data, der.len), (ssize_t)der.len);
	assert_ok(seal_hash(der.data, der.len, film->previous));
	assert_ok(seal_running(film->running, film->previous));
	film->size += der.len;
	film->count++;
	chunk_writer_finish(&writer);
}

__attribute__((unused)) static void film_chunks(struct film *film, size_t count, bool last)
{
	struct chunk_head head;

	for (size_t i = 0; i < count; i++) {
		film_head(film, &head);
		film_chunk_as(film, &head, last && i + 1 == count);
	}
}

/* What the audit log says now. */
__attribute__((unused)) static void film_mark(struct film *film, bool last)
{
	const uint64_t chunks = film->count;
	const uint8_t flag = last;

	assert_ok(buf_add(&film->marks, &chunks, sizeof(chunks)));
	assert_ok(buf_add(&film->marks, &film->size, sizeof(film->size)));
	assert_ok(buf_add(&film->marks, film->running, sizeof(film->running)));
	assert_ok(buf_add(&film->marks, &flag, sizeof(flag)));
}

/* A whole recording of so many chunks. */
__attribute__((unused)) static void film_make(struct film *film, const struct buf *certificate,
					      size_t chunks)
{
	film_begin(film, certificate);
	film_chunks(film, chunks, true);
	film_mark(film, true);
}

__attribute__((unused)) static struct msg_playback_open film_message(const struct film *film)
{
	struct msg_playback_open msg = { .playback = 1,
					 .marks = { film->marks.data, film->marks.len },
					 .seconds = 3600 };

	memcpy(msg.session, film->session, sizeof(msg.session));
	return msg;
}

/* A descriptor as the broker passes it. */
__attribute__((unused)) static int film_open(const struct film *film)
{
	int fd = open(film->path, O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

__attribute__((unused)) static void film_flip(const struct film *film, uint64_t offset)
{
	uint8_t byte;

	assert_int_equal(pread(film->fd, &byte, 1, (off_t)offset), 1);
	byte ^= 1;
	assert_int_equal(pwrite(film->fd, &byte, 1, (off_t)offset), 1);
}

#endif
