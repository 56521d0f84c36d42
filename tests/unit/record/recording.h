/*
 * recording.h - auditors and small recordings, for the tests of gateway/record and of the programs
 * that read recordings.
 */
#ifndef SEKISHO_TESTS_RECORD_RECORDING_H
#define SEKISHO_TESTS_RECORD_RECORDING_H

#include "unit/folder.h"

#include <openssl/x509v3.h>
#include <string.h>

#include "base/clock.h"
#include "base/util.h"
#include "record/scan.h"
#include "record/seal.h"
#include "record/table.h"
#include "record/verify.h"

struct auditor {
	EVP_PKEY *key;
	X509 *certificate;
};

/* What an auditor's certificate says; NULL, 0: as the office's CA makes it. */
struct auditor_plan {
	const char *group, *usage, *purpose, *constraints;
	bool no_key_id, rsa;
	int64_t from_s, until_s; /* from now */
};

static inline void auditor_extend(X509 *certificate, int nid, const char *value)
{
	X509_EXTENSION *extension;
	X509V3_CTX ctx;

	X509V3_set_ctx(&ctx, certificate, certificate, NULL, NULL, 0);
	extension = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	assert_non_null(extension);
	assert_true(X509_add_ext(certificate, extension, -1));
	X509_EXTENSION_free(extension);
}

static inline struct auditor auditor_make_as(const struct auditor_plan *plan)
{
	struct auditor made = { plan->rsa ? EVP_RSA_gen(2048)
					  : EVP_EC_gen(plan->group ? plan->group : "P-256"),
				X509_new() };
	X509 *certificate = made.certificate;
	const int64_t now_s = clock_wall_s();
	static int64_t serial;

	assert_non_null(made.key);
	assert_true(X509_set_version(certificate, X509_VERSION_3));
	assert_true(ASN1_INTEGER_set_int64(X509_get_serialNumber(certificate), ++serial));
	assert_true(X509_NAME_add_entry_by_NID(X509_get_subject_name(certificate), NID_commonName,
					       MBSTRING_UTF8, (const unsigned char *)"監査人", -1,
					       -1, 0));
	assert_true(X509_set_issuer_name(certificate, X509_get_subject_name(certificate)));
	assert_true(X509_set_pubkey(certificate, made.key));
	assert_non_null(X509_time_adj_ex(X509_getm_notBefore(certificate), 0,
					 plan->from_s ? (long)plan->from_s : -300,
					 &(time_t){ now_s }));
	assert_non_null(X509_time_adj_ex(X509_getm_notAfter(certificate), 0,
					 plan->until_s ? (long)plan->until_s : 86400,
					 &(time_t){ now_s }));
	auditor_extend(certificate, NID_basic_constraints,
		       plan->constraints ? plan->constraints : "critical,CA:FALSE");
	auditor_extend(certificate, NID_key_usage,
		       plan->usage ? plan->usage : "critical,keyAgreement");
	auditor_extend(certificate, NID_ext_key_usage,
		       plan->purpose ? plan->purpose : "emailProtection");
	if (!plan->no_key_id)
		auditor_extend(certificate, NID_subject_key_identifier, "hash");
	assert_true(X509_sign(certificate, made.key, EVP_sha256()));
	return made;
}

static inline struct auditor auditor_make(void)
{
	return auditor_make_as(&(struct auditor_plan){ 0 });
}

static inline void auditor_free(struct auditor *auditor)
{
	EVP_PKEY_free(auditor->key);
	X509_free(auditor->certificate);
}

static inline void auditor_add(const struct auditor *auditor, struct buf *der)
{
	const int len = i2d_X509(auditor->certificate, NULL);
	uint8_t *at;

	assert_true(len > 0);
	assert_int_equal(buf_reserve(der, (size_t)len, &at), OK);
	assert_int_equal(i2d_X509(auditor->certificate, &at), len);
	der->len += (size_t)len;
}

static inline struct seal_recipients *recipients_of(const struct auditor *auditors, size_t count)
{
	struct seal_recipients *recipients = NULL;
	struct buf der;

	buf_init(&der, SEAL_CERTIFICATES_MAX);
	for (size_t i = 0; i < count; i++)
		auditor_add(&auditors[i], &der);
	assert_int_equal(seal_recipients_new(der.data, der.len, clock_wall_s(), &recipients), OK);
	buf_finish(&der);
	return recipients;
}

/* ---- recordings ------------------------------------------------------------------------------ */

enum { RECORDING_CHUNKS_MAX = 64 };

/* A recording in memory, with a mark after each chunk. */
struct recording {
	struct seal_recipients *recipients;
	uint8_t session[CHUNK_SESSION], previous[CHUNK_HASH];
	struct buf file;
	size_t count;
	size_t offsets[RECORDING_CHUNKS_MAX + 1];
	struct verify_mark marks[RECORDING_CHUNKS_MAX];
	struct table_row rows[RECORDING_CHUNKS_MAX];
	struct chunk_figures figures;
};

static inline void recording_init(struct recording *recording, uint8_t session,
				  struct seal_recipients *recipients)
{
	*recording = (struct recording){ .recipients = recipients };
	memset(recording->session, session, CHUNK_SESSION);
	buf_init(&recording->file, 64 * 1024 * 1024);
}

static inline void recording_finish(struct recording *recording)
{
	buf_finish(&recording->file);
}

/* Seals a plaintext and puts it at the end. */
static inline void recording_add_plain(struct recording *recording, const uint8_t *plain,
				       size_t len)
{
	const size_t n = recording->count, from = recording->file.len;
	struct verify_mark *mark = &recording->marks[n];

	assert_true(n < RECORDING_CHUNKS_MAX);
	assert_int_equal(seal_chunk(recording->recipients, plain, len, &recording->file), OK);
	assert_int_equal(seal_hash(recording->file.data + from, recording->file.len - from,
				   recording->previous),
			 OK);
	if (n)
		memcpy(mark->hash, recording->marks[n - 1].hash, CHUNK_HASH);
	assert_int_equal(seal_running(mark->hash, recording->previous), OK);
	recording->count++;
	recording->offsets[recording->count] = recording->file.len;
	mark->chunks = recording->count;
	mark->size = recording->file.len;
}

static inline struct chunk_head recording_head(const struct recording *recording)
{
	struct chunk_head head = { .sequence = recording->count,
				   .time_ms = 1800000000000U + recording->count * 1000,
				   .start_us = recording->count * 1000000 };

	memcpy(head.session, recording->session, CHUNK_SESSION);
	memcpy(head.previous, recording->previous, CHUNK_HASH);
	return head;
}

static inline void record_add(struct chunk_writer *writer, enum record_kind kind, const void *data,
			      size_t len)
{
	const struct record record = {
		.kind = kind, .at_us = writer->start_us + 5, .data = data, .len = len
	};
	size_t taken = 0;

	assert_int_equal(chunk_writer_add(writer, &record, &taken), OK);
	assert_int_equal(taken, len);
}

/* One chunk with a frame of so many bytes, and what must be in the first and in the last. */
static inline void recording_add_as(struct recording *recording, const struct chunk_head *head,
				    size_t size, uint32_t flags)
{
	static const char meta[] = "{\"version\":1,\"account\":\"sato\",\"keys\":false}";
	static const char event[] = "{\"event\":\"viewer-joined\"}";
	uint8_t *frame = calloc(1, size + 2);
	struct chunk_writer writer;
	const uint8_t *plain;
	size_t len;

	assert_non_null(frame);
	memcpy(frame, "\x03\x08", 2);
	chunk_writer_init(&writer);
	assert_int_equal(chunk_writer_begin(&writer, head), OK);
	if (!head->sequence)
		record_add(&writer, RECORD_META, meta, strlen(meta));
	record_add(&writer, RECORD_SENT, frame, size + 2);
	record_add(&writer, RECORD_EVENT, event, strlen(event));
	if (flags & CHUNK_LAST) {
		struct buf index;
		buf_init(&index, 1024 * 1024);
		assert_int_equal(table_put_index(recording->rows, recording->count, &index), OK);
		record_add(&writer, RECORD_INDEX, index.data, index.len);
		buf_finish(&index);
	}
	assert_int_equal(chunk_writer_end(&writer, flags, &plain, &len), OK);
	assert_int_equal(table_row_of(plain, len, recording->file.len, &recording->figures,
				      &recording->rows[recording->count]),
			 OK);
	recording_add_plain(recording, plain, len);
	chunk_writer_finish(&writer);
	free(frame);
}

static inline void recording_add(struct recording *recording, size_t size, uint32_t flags)
{
	const struct chunk_head head = recording_head(recording);

	recording_add_as(recording, &head, size, flags);
}

/* So many chunks, the last of which says so. */
static inline void recording_make(struct recording *recording, size_t chunks, size_t size)
{
	for (size_t i = 0; i < chunks; i++)
		recording_add(recording, size,
			      (i % 10 == 0 ? CHUNK_KEY : 0) | (i + 1 == chunks ? CHUNK_LAST : 0));
	recording->marks[chunks - 1].last = true;
}

/* A file of these bytes; the caller closes. */
static inline int recording_file(const uint8_t *data, size_t len)
{
	char path[UNIT_FILE];
	int fd = unit_file(path);

	assert_int_equal(write(fd, data, len), (ssize_t)len);
	assert_int_equal(unlink(path), 0);
	return fd;
}

#endif
