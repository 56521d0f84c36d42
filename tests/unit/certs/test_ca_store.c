#include "unit/certs/ca_place.h"

#include <sys/stat.h>

#include "certs/ca_list.h"
#include "certs/ca_make.h"
#include "certs/ca_root.h"
#include "certs/key_file.h"

static void open_again(struct office *office, const struct secret *passphrase)
{
	bool made;

	ca_store_finish(&office->store);
	assert_ok(open_at(office, passphrase, now_s, false, &made));
	assert_false(made);
}

static int setup_clear(void **state)
{
	bool made;

	setup(state);
	assert_ok(open_at(*state, NULL, now_s, true, &made));
	assert_true(made);
	return 0;
}

static int setup_encrypted(void **state)
{
	struct office *office;
	bool made;

	setup(state);
	office = *state;
	assert_ok(open_at(office, office->passphrase, now_s, true, &made));
	assert_true(made);
	return 0;
}

static struct ca_change change_of(const struct office *office)
{
	return (struct ca_change){ .passphrase = office->passphrase, .now_s = now_s };
}

static enum err rotate(struct office *office, const struct ca_change *change)
{
	return ca_store_rotate(&office->store, change);
}

static void rotate_clear(struct office *office)
{
	const struct ca_change change = { .now_s = now_s };

	assert_ok(rotate(office, &change));
}

/* ---- opening ---------------------------------------------------------------------------- */

static void test_made_once(void **state)
{
	struct office *office = *state;
	struct stat status;
	char path[128];

	assert_int_equal(ca_number(newest(office)), 1);
	assert_false(ca_store_is_locked(&office->store));
	assert_false(is_there(office, "ca.new"));
	_cleanup_object_(x509) X509 *before = X509_dup(ca_certificate(newest(office)));
	open_again(office, NULL);
	assert_int_equal(X509_cmp(before, ca_certificate(newest(office))), 0);
	assert_true(ca_key_fits(before, ca_key(newest(office))));
	folder_file(&office->folder, "ca/1", path);
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 07777, 0700);
}

/* A new CA in place of one that is gone would lock every device out without a word. */
static void test_never_made_again(void **state)
{
	struct office *office = *state;
	char path[128];
	bool made;

	ca_store_finish(&office->store);
	folder_file(&office->folder, "ca", path);
	assert_ok(ca_folder_remove(path));
	assert_err(open_at(office, NULL, now_s, false, &made), ERR_NOT_FOUND);
	assert_false(made);
	assert_false(is_there(office, "ca"));
	assert_int_equal(mkdir(path, 0700), 0);
	assert_err(open_at(office, NULL, now_s, true, &made), ERR_NOT_FOUND);
	assert_false(is_there(office, "ca/1"));
}

static void test_incomplete_is_refused(void **state)
{
	struct office *office = *state;
	char path[128];
	bool made;

	ca_store_finish(&office->store);
	folder_file(&office->folder, "ca/1/issuing.crt", path);
	assert_int_equal(unlink(path), 0);
	assert_err(open_at(office, NULL, now_s, true, &made), ERR_CRYPTO);
	assert_int_equal(office->store.count, 0);
}

static void test_locked(void **state)
{
	struct office *office = *state;

	open_again(office, NULL);
	assert_true(ca_store_is_locked(&office->store));
	open_again(office, office->wrong);
	assert_true(ca_store_is_locked(&office->store));
	assert_err(ca_store_unlock(&office->store, office->wrong), ERR_LOGIN);
	assert_true(ca_store_is_locked(&office->store));
	assert_ok(ca_store_unlock(&office->store, office->passphrase));
	assert_false(ca_store_is_locked(&office->store));
}

/* ---- rotating --------------------------------------------------------------------------- */

static void test_rotate(void **state)
{
	struct office *office = *state;
	struct ca_change change = change_of(office);

	assert_ok(rotate(office, &change));
	assert_int_equal(office->store.count, 2);
	assert_int_equal(ca_number(newest(office)), 2);
	struct ca *old = ca_store_find(&office->store, 1);
	assert_non_null(old);
	assert_int_equal(X509_cmp(ca_root(old), ca_root(newest(office))), 0);
	open_again(office, office->passphrase);
	assert_int_equal(ca_number(newest(office)), 2);
	assert_non_null(ca_key(newest(office)));
	/* The one before still makes its lists. */
	assert_non_null(ca_key(ca_store_find(&office->store, 1)));
	change.passphrase = office->wrong;
	assert_err(rotate(office, &change), ERR_LOGIN);
	/* Nor would it become a second passphrase, where the root's key is not read. */
	change.new_root = true;
	assert_err(rotate(office, &change), ERR_LOGIN);
	change.new_root = false;
	change.passphrase = NULL;
	assert_err(rotate(office, &change), ERR_LOCKED);
	assert_int_equal(office->store.count, 2);
	assert_false(is_there(office, "ca/3"));
}

static void test_rotate_when_locked(void **state)
{
	struct office *office = *state;
	struct ca_change change = change_of(office);

	open_again(office, NULL);
	assert_ok(rotate(office, &change));
	assert_non_null(ca_key(ca_store_find(&office->store, 1)));
	assert_non_null(ca_key(ca_store_find(&office->store, 2)));
}

static void test_rotate_to_a_new_root(void **state)
{
	struct office *office = *state;
	struct ca_change change = change_of(office);

	change.new_root = true;
	assert_ok(rotate(office, &change));
	struct ca *old = ca_store_find(&office->store, 1);
	assert_int_not_equal(X509_cmp(ca_root(old), ca_root(newest(office))), 0);
	assert_int_not_equal(X509_NAME_cmp(X509_get_subject_name(ca_root(old)),
					   X509_get_subject_name(ca_root(newest(office)))),
			     0);
	assert_true(is_there(office, "ca/2/root.key"));
}

/*
 * Who may give orders is not who may decide about the keys: a passphrase that nothing was sealed
 * with proves nothing, so that it neither locks the office out nor buys the root's key.
 */
static void test_orders_seal_nothing(void **state)
{
	struct office *office = *state;
	struct ca_change change = change_of(office);
	_cleanup_secret_ struct secret *root = NULL;

	assert_err(ca_store_unlock(&office->store, office->passphrase), ERR_WRONG_STATE);
	assert_err(rotate(office, &change), ERR_WRONG_STATE);
	change.new_root = true;
	assert_err(rotate(office, &change), ERR_WRONG_STATE);
	assert_err(ca_root_show(&office->store, office->passphrase, &root), ERR_WRONG_STATE);
	assert_null(root);
	assert_true(is_there(office, "ca/1/root.key"));
	assert_false(is_there(office, "ca/2"));
	open_again(office, NULL);
	assert_false(ca_store_is_locked(&office->store));
	change.passphrase = NULL;
	change.new_root = false;
	assert_ok(rotate(office, &change));
}

/* From keys in the clear to encrypted ones: all of them, by the passphrase of a start. */
static void test_start_seals_what_was_clear(void **state)
{
	struct office *office = *state;
	struct ca_change change = change_of(office);

	change.passphrase = NULL;
	assert_ok(rotate(office, &change));
	open_again(office, office->passphrase);
	open_again(office, NULL);
	assert_null(ca_key(ca_store_find(&office->store, 1)));
	assert_null(ca_key(ca_store_find(&office->store, 2)));
	assert_ok(ca_store_unlock(&office->store, office->passphrase));
	assert_non_null(ca_key(ca_store_find(&office->store, 1)));
}

static void test_rotate_within_root(void **state)
{
	struct office *office = *state;
	struct ca_change change = change_of(office);

	change.now_s = now_s + 20 * year_s;
	assert_err(rotate(office, &change), ERR_EXPIRED);
	assert_int_equal(office->store.count, 1);
	assert_false(is_there(office, "ca/2"));
	assert_false(is_there(office, "ca/2.new"));
	change.new_root = true;
	assert_ok(rotate(office, &change));
}

/* ---- a root that is kept elsewhere ------------------------------------------------------ */

static struct bytes bytes_of(struct secret *secret)
{
	return (struct bytes){ secret_data(secret), secret_len(secret) };
}

static struct secret *take_root(struct office *office)
{
	struct ca_change change = change_of(office);
	struct secret *root = NULL;

	assert_ok(ca_store_init(&office->store, &change));
	assert_ok(ca_root_show(&office->store, office->passphrase, &root));
	assert_ok(ca_root_drop(&office->store, office->passphrase, bytes_of(root)));
	return root;
}

static void test_root_taken(void **state)
{
	struct office *office = *state;
	_cleanup_secret_ struct secret *root = take_root(office);
	_cleanup_object_(pkey) EVP_PKEY *key = NULL;
	struct ca_change change = change_of(office);

	assert_false(is_there(office, "ca/1"));
	assert_false(is_there(office, "ca/2/root.key"));
	assert_err(key_decode(secret_text(root), secret_len(root), NULL, &key), ERR_LOCKED);
	assert_ok(key_decode(secret_text(root), secret_len(root), office->passphrase, &key));
	assert_true(ca_key_fits(ca_root(newest(office)), key));
	assert_err(rotate(office, &change), ERR_NOT_FOUND);
	change.root = bytes_of(root);
	assert_ok(rotate(office, &change));
	assert_int_equal(ca_number(newest(office)), 3);
	assert_false(is_there(office, "ca/3/root.key"));
	assert_true(ca_is_signed_by(ca_certificate(newest(office)),
				    ca_root(ca_store_find(&office->store, 2))));
	/* A new root does not need the one that is away. */
	change = change_of(office);
	change.new_root = true;
	assert_ok(rotate(office, &change));
	assert_true(is_there(office, "ca/4/root.key"));
}

static void test_root_of_another(void **state)
{
	struct office *office = *state;
	_cleanup_secret_ struct secret *root = take_root(office), *other = NULL;
	_cleanup_object_(pkey) EVP_PKEY *key = NULL;
	struct ca_change change = change_of(office);

	assert_ok(ca_make_key(&key));
	assert_ok(key_encode(key, office->passphrase, &other));
	change.root = bytes_of(other);
	assert_err(rotate(office, &change), ERR_INVALID);
	change.root = (struct bytes){ (const uint8_t *)"rubbish", 7 };
	assert_err(rotate(office, &change), ERR_INVALID);
	assert_int_equal(office->store.count, 1);
}

static void test_all_of_it_is_taken(void **state)
{
	struct office *office = *state;
	struct ca_change change = change_of(office);
	_cleanup_secret_ struct secret *root = NULL;

	assert_ok(rotate(office, &change));
	assert_true(is_there(office, "ca/1/root.key"));
	assert_true(ca_root_is_here(&office->store));
	assert_ok(ca_root_show(&office->store, office->passphrase, &root));
	assert_true(is_there(office, "ca/2/root.key"));
	assert_ok(ca_root_drop(&office->store, office->passphrase, bytes_of(root)));
	/* Nor in the folder of the one before, which has the same root. */
	assert_false(is_there(office, "ca/1/root.key"));
	assert_false(is_there(office, "ca/2/root.key"));
	assert_false(ca_root_is_here(&office->store));
	assert_err(rotate(office, &change), ERR_NOT_FOUND);
	/* Who was not told that it is done asks again. */
	assert_ok(ca_root_drop(&office->store, office->passphrase, bytes_of(root)));
	open_again(office, office->passphrase);
	assert_false(ca_root_is_here(&office->store));
}

/* Shown as often as somebody asks, until somebody has shown that they have it. */
static void test_shown_is_not_taken(void **state)
{
	struct office *office = *state;
	_cleanup_secret_ struct secret *root = NULL, *again = NULL, *wrong = NULL, *other = NULL;
	_cleanup_object_(pkey) EVP_PKEY *key = NULL;

	assert_ok(secret_new("wrong horse", 11, &wrong));
	assert_err(ca_root_show(&office->store, NULL, &root), ERR_INVALID);
	assert_err(ca_root_show(&office->store, wrong, &root), ERR_LOGIN);
	assert_ok(ca_root_show(&office->store, office->passphrase, &root));
	assert_ok(ca_root_show(&office->store, office->passphrase, &again));
	assert_ok(ca_make_key(&key));
	assert_ok(key_encode(key, office->passphrase, &other));
	assert_err(ca_root_drop(&office->store, office->passphrase, bytes_of(other)), ERR_INVALID);
	assert_err(ca_root_drop(&office->store, office->passphrase,
				(struct bytes){ (const uint8_t *)"rubbish", 7 }),
		   ERR_INVALID);
	assert_err(ca_root_drop(&office->store, wrong, bytes_of(root)), ERR_LOGIN);
	assert_err(ca_root_drop(&office->store, NULL, bytes_of(root)), ERR_INVALID);
	assert_true(is_there(office, "ca/1/root.key"));
	assert_ok(ca_root_drop(&office->store, office->passphrase, bytes_of(root)));
	assert_false(is_there(office, "ca/1/root.key"));
}

/* ---- init ------------------------------------------------------------------------------- */

static void test_init(void **state)
{
	struct office *office = *state;
	struct ca_change change = change_of(office);
	_cleanup_object_(x509) X509 *before = X509_dup(ca_root(newest(office)));

	rotate_clear(office);
	assert_ok(ca_store_init(&office->store, &change));
	assert_int_equal(office->store.count, 1);
	/* Numbers are not used twice. */
	assert_int_equal(ca_number(newest(office)), 3);
	assert_int_not_equal(X509_cmp(before, ca_root(newest(office))), 0);
	assert_false(is_there(office, "ca/1"));
	assert_false(is_there(office, "ca/2"));
	assert_false(is_there(office, "ca.new"));
	assert_true(is_there(office, "ca/3/root.key"));
	open_again(office, NULL);
	assert_true(ca_store_is_locked(&office->store));
	assert_int_equal(office->store.count, 1);
}

static void test_init_wants_a_passphrase(void **state)
{
	struct office *office = *state;
	_cleanup_secret_ struct secret *brief = NULL;
	struct ca_change change = { .now_s = now_s };

	assert_ok(secret_new("seven77", 7, &brief));
	assert_err(ca_store_init(&office->store, &change), ERR_INVALID);
	change.passphrase = brief;
	assert_err(ca_store_init(&office->store, &change), ERR_INVALID);
	assert_err(rotate(office, &change), ERR_INVALID);
	assert_int_equal(ca_number(newest(office)), 1);
}

/* ---- what others are told --------------------------------------------------------------- */

static size_t count_certificates(const struct office *office, int64_t at_s)
{
	_cleanup_buf_ struct buf buf;
	size_t count = 0;

	buf_init(&buf, 24576);
	assert_ok(ca_list_certificates(&office->store, at_s, &buf));
	for (const uint8_t *at = buf.data; at < buf.data + buf.len; count++) {
		X509 *certificate = d2i_X509(NULL, &at, buf.data + buf.len - at);
		assert_non_null(certificate);
		if (count == 0)
			assert_int_equal(X509_cmp(certificate, ca_certificate(newest(office))), 0);
		if (count == 1)
			assert_int_equal(X509_cmp(certificate, ca_root(newest(office))), 0);
		X509_free(certificate);
	}
	return count;
}

static size_t count_numbers(const struct office *office, int64_t at_s)
{
	_cleanup_buf_ struct buf buf;

	buf_init(&buf, 256);
	assert_ok(ca_list_numbers(&office->store, at_s, &buf));
	assert_int_equal(buf.data[0], ca_number(newest(office)));
	return buf.len / 4;
}

static void test_what_is_said(void **state)
{
	struct office *office = *state;
	struct ca_change change = { .now_s = now_s + 4 * year_s };

	assert_int_equal(count_certificates(office, now_s), 2);
	assert_ok(rotate(office, &change)); /* same root */
	assert_int_equal(count_certificates(office, now_s), 3);
	assert_int_equal(count_numbers(office, now_s), 2);
	change.new_root = true;
	assert_ok(rotate(office, &change));
	assert_int_equal(count_certificates(office, now_s), 5);
	assert_int_equal(count_numbers(office, now_s), 3);
	/* The first has run out; its root is that of the second. */
	assert_int_equal(count_certificates(office, now_s + 5 * year_s), 4);
	assert_int_equal(count_numbers(office, now_s + 5 * year_s), 2);
	/* All have: the newest is named even so. */
	assert_int_equal(count_certificates(office, now_s + 50 * year_s), 2);
	assert_int_equal(count_numbers(office, now_s + 50 * year_s), 1);
}

static void test_as_many_as_fit(void **state)
{
	struct office *office = *state;
	char name[129];
	struct ca_change change = { .now_s = now_s, .new_root = true };

	/* The longest names there are, so that the certificates are as large as can be. */
	memset(name, 0, sizeof(name));
	for (size_t i = 0; i + 3 < sizeof(name); i += 3)
		memcpy(name + i, "税", 3);
	office->store.place.office = name;
	for (size_t i = 1; i < CA_LIST_MAX; i++)
		assert_ok(rotate(office, &change));
	assert_int_equal(count_certificates(office, now_s), 2 * CA_LIST_MAX);
	assert_err(rotate(office, &change), ERR_FULL);
	open_again(office, NULL);
	assert_int_equal(office->store.count, CA_LIST_MAX);
	/* Once the oldest has run out there is room again, also after a start. */
	change.now_s = now_s + 5 * year_s;
	assert_ok(rotate(office, &change));
	assert_int_equal(ca_number(newest(office)), CA_LIST_MAX + 1);
	assert_null(ca_store_find(&office->store, 1));
	open_again(office, NULL);
	assert_int_equal(ca_number(newest(office)), CA_LIST_MAX + 1);
	assert_int_equal(office->store.count, CA_LIST_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_made_once, setup_clear, teardown),
		cmocka_unit_test_setup_teardown(test_never_made_again, setup_clear, teardown),
		cmocka_unit_test_setup_teardown(test_incomplete_is_refused, setup_clear, teardown),
		cmocka_unit_test_setup_teardown(test_locked, setup_encrypted, teardown),
		cmocka_unit_test_setup_teardown(test_rotate, setup_encrypted, teardown),
		cmocka_unit_test_setup_teardown(test_rotate_when_locked, setup_encrypted, teardown),
		cmocka_unit_test_setup_teardown(test_rotate_to_a_new_root, setup_encrypted,
						teardown),
		cmocka_unit_test_setup_teardown(test_orders_seal_nothing, setup_clear, teardown),
		cmocka_unit_test_setup_teardown(test_start_seals_what_was_clear, setup_clear,
						teardown),
		cmocka_unit_test_setup_teardown(test_rotate_within_root, setup_encrypted, teardown),
		cmocka_unit_test_setup_teardown(test_root_taken, setup_clear, teardown),
		cmocka_unit_test_setup_teardown(test_root_of_another, setup_clear, teardown),
		cmocka_unit_test_setup_teardown(test_all_of_it_is_taken, setup_encrypted, teardown),
		cmocka_unit_test_setup_teardown(test_shown_is_not_taken, setup_encrypted, teardown),
		cmocka_unit_test_setup_teardown(test_init, setup_clear, teardown),
		cmocka_unit_test_setup_teardown(test_init_wants_a_passphrase, setup_clear,
						teardown),
		cmocka_unit_test_setup_teardown(test_what_is_said, setup_clear, teardown),
		cmocka_unit_test_setup_teardown(test_as_many_as_fit, setup_clear, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
