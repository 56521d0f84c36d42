/*
 * The first vector is that of the reference implementation of signed notes, whose keys are public.
 */
#include "unit/unit.h"

#include <stdio.h>
#include <string.h>

#include "audit/tlog/note.h"
#include "base/util.h"

/* golang.org/x/mod/sumdb/note (BSD): PeterNeumann signs a text of two lines. */
static const char peter[] = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
static const char peter_note[] =
	"If you think cryptography is the answer to your problem,\n"
	"then you don't know what your problem is.\n"
	"\n"
	"— PeterNeumann "
	"x08go/ZJkuBS9UG/"
	"SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";

/* Its private key: RFC 8032 knows one signature only. */
static const char peter_seed[] = "810a1402d5146c8d84f2443330f54080ebf98ee17d9c74f6252fc5d5c7283173";

static EVP_PKEY *new_key(void)
{
	EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");

	assert_non_null(key);
	return key;
}

static void reads_what_others_signed(void **state)
{
	struct note_key key;
	char text[NOTE_KEY_TEXT];
	size_t len = 0;

	(void)state;
	assert_ok(note_key_parse(peter, &key));
	assert_string_equal(key.name, "PeterNeumann");
	assert_ok(note_key_format(&key, text));
	assert_string_equal(text, peter);
	assert_ok(note_open(peter_note, strlen(peter_note), &key, &len));
	assert_int_equal(len, strstr(peter_note, "\n\n") - peter_note + 1);
}

static void signs_as_others_do(void **state)
{
	uint8_t seed[32];
	struct note_key key, made;
	_cleanup_buf_ struct buf buf;

	(void)state;
	buf_init(&buf, NOTE_MAX);
	assert_ok(note_key_parse(peter, &key));
	assert_ok(util_unhex(peter_seed, seed, sizeof(seed)));
	EVP_PKEY *private = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, 32);
	assert_ok(note_key_of("PeterNeumann", private, &made));
	assert_memory_equal(made.id, key.id, NOTE_ID);
	assert_ok(note_sign(&key, private,
			    "If you think cryptography is the answer to your problem,\n"
			    "then you don't know what your problem is.\n",
			    &buf));
	assert_int_equal(buf.len, strlen(peter_note));
	assert_memory_equal(buf.data, peter_note, buf.len);
	EVP_PKEY_free(private);
}

/* Every byte of it counts. */
static void no_byte_can_be_changed(void **state)
{
	struct note_key key;
	char note[sizeof(peter_note)];
	size_t len, text_len;

	(void)state;
	assert_ok(note_key_parse(peter, &key));
	len = strlen(peter_note);
	for (size_t i = 0; i < len; i++) {
		memcpy(note, peter_note, sizeof(note));
		note[i] ^= 1;
		assert_int_not_equal(note_open(note, len, &key, &text_len), OK);
	}
	for (size_t i = 0; i < len; i++)
		assert_int_not_equal(note_open(peter_note, i, &key, &text_len), OK);
}

static void wrong_keys_are_refused(void **state)
{
	static const char *const wrong[] = {
		"",
		"PeterNeumann",
		"PeterNeumann+c74f20a3",
		"PeterNeumann+c74f20a3+",
		"+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
		"Peter Neumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
		"PeterNeumann+c74f20a4+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
		"PeterNeumannx+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
		"PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TX",
		"PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW\nx",
		"PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW=",
		"PeterNeumann+c74f20a3+AhpC2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
	};
	struct note_key key;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		assert_err(note_key_parse(wrong[i], &key), ERR_INVALID);
}

static void checkpoints_come_back(void **state)
{
	EVP_PKEY *private = new_key(), *other = new_key();
	struct note_key key, stranger;
	struct checkpoint made = { .size = 20852163 }, read = { .size = 0 };
	_cleanup_buf_ struct buf buf;

	(void)state;
	memset(made.root, 0xa5, sizeof(made.root));
	buf_init(&buf, NOTE_MAX);
	assert_ok(note_key_of("gw.example.jp/sekisho-audit", private, &key));
	assert_ok(note_key_of("gw.example.jp/sekisho-audit", other, &stranger));
	assert_err(note_key_of("gw example", private, &key), ERR_INVALID);
	assert_err(note_key_of("gw+example", private, &key), ERR_INVALID);
	assert_err(note_key_of("", private, &key), ERR_INVALID);
	assert_ok(checkpoint_sign(&made, &key, private, &buf));
	const char *note = (const char *)buf.data;
	assert_ok(checkpoint_open(note, buf.len, &key, &read));
	assert_int_equal(read.size, made.size);
	assert_memory_equal(read.root, made.root, sizeof(made.root));
	assert_err(checkpoint_open(note, buf.len, &stranger, &read), ERR_NOT_FOUND);
	memcpy(stranger.id, key.id, NOTE_ID);
	assert_err(checkpoint_open(note, buf.len, &stranger, &read), ERR_CRYPTO);
	assert_ok(checkpoint_read(note, buf.len, &read));
	EVP_PKEY_free(private);
	EVP_PKEY_free(other);
}

/* Signed, and yet no checkpoint of this log. */
static void strange_checkpoints_are_refused(void **state)
{
	static const char *const texts[] = {
		"o\n5\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n",
		"other\n5\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n",
		"or\n05\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n",
		"or\n-5\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n",
		"or\n+5\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n",
		"or\n5 \nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n",
		"or\n\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n",
		"or\n99999999999999999999\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n",
		"or\n5\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2J=\n",
		"or\n5\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jx\n",
		"or\n5\n",
		"or\n",
	};
	EVP_PKEY *private = new_key();
	struct note_key key;
	struct checkpoint read;

	(void)state;
	assert_ok(note_key_of("or", private, &key));
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		_cleanup_buf_ struct buf buf;

		buf_init(&buf, NOTE_MAX);
		assert_ok(note_sign(&key, private, texts[i], &buf));
		assert_err(checkpoint_open((const char *)buf.data, buf.len, &key, &read),
			   ERR_INVALID);
	}
	EVP_PKEY_free(private);
}

/* Signatures of witnesses may stand beside ours; they are not looked at. */
static void others_may_sign_too(void **state)
{
	EVP_PKEY *private = new_key();
	struct checkpoint made = { .size = 1 }, read;
	struct note_key key;
	_cleanup_buf_ struct buf buf;

	(void)state;
	buf_init(&buf, 2 * NOTE_MAX);
	assert_ok(note_key_of("or", private, &key));
	assert_ok(checkpoint_sign(&made, &key, private, &buf));
	assert_ok(buf_printf(&buf, "— witness.example/w AAAA\n"));
	assert_ok(checkpoint_open((const char *)buf.data, buf.len, &key, &read));
	for (int i = 0; i < 16; i++)
		assert_ok(buf_printf(&buf, "— witness.example/w AAAA\n"));
	assert_err(checkpoint_open((const char *)buf.data, buf.len, &key, &read), ERR_INVALID);
	EVP_PKEY_free(private);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_what_others_signed),
		cmocka_unit_test(signs_as_others_do),
		cmocka_unit_test(no_byte_can_be_changed),
		cmocka_unit_test(wrong_keys_are_refused),
		cmocka_unit_test(checkpoints_come_back),
		cmocka_unit_test(strange_checkpoints_are_refused),
		cmocka_unit_test(others_may_sign_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
