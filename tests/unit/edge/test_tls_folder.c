#include "unit/certs/forge.h"
#include "unit/unit.h"

#include <fcntl.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/util.h"
#include "edge/tls_folder.h"

/* A folder that an ACME client writes to, and the CA that it asks. */
struct acme {
	char path[64], chain_path[96], key_path[96];
	struct forged root, ca;
	struct tls_folder *folder;
};

static int set_up(void **state)
{
	static struct acme acme;

	snprintf(acme.path, sizeof(acme.path), "/tmp/sekisho-acme-XXXXXX");
	assert_non_null(mkdtemp(acme.path));
	snprintf(acme.chain_path, sizeof(acme.chain_path), "%s/fullchain.pem", acme.path);
	snprintf(acme.key_path, sizeof(acme.key_path), "%s/privkey.pem", acme.path);
	acme.root = forge_ca(NULL, "public root");
	acme.ca = forge_ca(&acme.root, "public CA");
	acme.folder = NULL;
	*state = &acme;
	return 0;
}

static int tear_down(void **state)
{
	struct acme *acme = *state;

	tls_folder_free(acme->folder);
	forged_free(&acme->root);
	forged_free(&acme->ca);
	unlink(acme->chain_path);
	unlink(acme->key_path);
	assert_int_equal(rmdir(acme->path), 0);
	return 0;
}

static struct forge good(const struct acme *acme)
{
	return (struct forge){ .issuer = &acme->ca,
			       .name = "gateway.example",
			       .purpose = "serverAuth",
			       .alt_name = "DNS:gateway.example,IP:192.0.2.7" };
}

/* Written aside and renamed, as by a careful client. The last but NULL is the last of the chain. */
static void write_chain(const struct acme *acme, X509 *first, ...)
{
	char aside[112];
	va_list args;
	FILE *file;

	snprintf(aside, sizeof(aside), "%s.new", acme->chain_path);
	file = fopen(aside, "w");
	assert_non_null(file);
	va_start(args, first);
	for (X509 *at = first; at; at = va_arg(args, X509 *))
		assert_int_equal(PEM_write_X509(file, at), 1);
	va_end(args);
	fclose(file);
	assert_int_equal(rename(aside, acme->chain_path), 0);
}

static void write_key(const struct acme *acme, EVP_PKEY *key, const char *passphrase)
{
	char aside[112];
	FILE *file;

	snprintf(aside, sizeof(aside), "%s.new", acme->key_path);
	file = fopen(aside, "w");
	assert_non_null(file);
	assert_int_equal(fchmod(fileno(file), 0640), 0);
	assert_int_equal(PEM_write_PKCS8PrivateKey(file, key, passphrase ? EVP_aes_128_cbc() : NULL,
						   passphrase, passphrase ? 6 : 0, NULL, NULL),
			 1);
	fclose(file);
	assert_int_equal(rename(aside, acme->key_path), 0);
}

static void write_pair(const struct acme *acme, const struct forged *pair)
{
	write_chain(acme, pair->certificate, acme->ca.certificate, NULL);
	write_key(acme, pair->key, NULL);
}

static void start_as(struct acme *acme, const char *name)
{
	tls_folder_free(acme->folder);
	assert_ok(tls_folder_new(acme->path, name, clock_wall_s(), &acme->folder));
}

static void start(struct acme *acme)
{
	start_as(acme, "gateway.example");
}

/* Until what has changed has been read. */
static void look(struct acme *acme)
{
	for (int i = 0; i < 2; i++)
		tls_folder_look(acme->folder, clock_wall_s());
}

static bool uses(const struct acme *acme, const struct forged *pair)
{
	const struct tls_pair *used = tls_folder_pair(acme->folder);

	return used && !X509_cmp(used->leaf, pair->certificate) &&
	       EVP_PKEY_eq(used->key, pair->key) == 1;
}

/* ---- what is taken ---------------------------------------------------------------------- */

static void a_pair_is_there_at_the_start(void **state)
{
	struct acme *acme = *state;
	struct forge order = good(acme);
	_cleanup_forged_ struct forged pair = forge(&order);

	write_pair(acme, &pair);
	start(acme);
	assert_true(uses(acme, &pair));
	assert_int_equal(sk_X509_num(tls_folder_pair(acme->folder)->chain), 1);
	/* A root after them is not sent to anybody. */
	write_chain(acme, pair.certificate, acme->ca.certificate, acme->root.certificate, NULL);
	look(acme);
	assert_int_equal(sk_X509_num(tls_folder_pair(acme->folder)->chain), 1);
	start_as(acme, "192.0.2.7");
	assert_true(uses(acme, &pair));
}

static void keys_of_both_kinds(void **state)
{
	struct acme *acme = *state;
	EVP_PKEY *keys[] = { EVP_RSA_gen(2048), EVP_EC_gen("P-384"), EVP_EC_gen("P-256") };

	start(acme);
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		struct forge order = good(acme);
		order.key = keys[i];
		_cleanup_forged_ struct forged pair = forge(&order);
		write_pair(acme, &pair);
		look(acme);
		assert_true(uses(acme, &pair));
		EVP_PKEY_free(keys[i]);
	}
}

static void a_wildcard_is_enough(void **state)
{
	struct acme *acme = *state;
	struct forge order = good(acme);
	order.alt_name = "DNS:*.office.example";
	_cleanup_forged_ struct forged pair = forge(&order);

	write_pair(acme, &pair);
	start_as(acme, "gateway.office.example");
	assert_true(uses(acme, &pair));
}

/* Files that come later; the moment between the two is waited for. */
static void a_new_pair_is_read_when_it_is_settled(void **state)
{
	struct acme *acme = *state;
	struct forge order = good(acme);
	_cleanup_forged_ struct forged first = forge(&order), second = forge(&order);

	start(acme);
	assert_null(tls_folder_pair(acme->folder));
	write_pair(acme, &first);
	tls_folder_look(acme->folder, clock_wall_s());
	assert_null(tls_folder_pair(acme->folder));
	tls_folder_look(acme->folder, clock_wall_s());
	assert_true(uses(acme, &first));
	write_chain(acme, second.certificate, acme->ca.certificate, NULL);
	tls_folder_look(acme->folder, clock_wall_s());
	write_key(acme, second.key, NULL);
	tls_folder_look(acme->folder, clock_wall_s());
	assert_true(uses(acme, &first));
	tls_folder_look(acme->folder, clock_wall_s());
	assert_true(uses(acme, &second));
}

/* As certbot has it: links that are put in place anew, into another folder. */
static void links_are_followed(void **state)
{
	struct acme *acme = *state;
	struct acme archive = *acme;
	struct forge order = good(acme);
	_cleanup_forged_ struct forged first = forge(&order), second = forge(&order);
	struct sandbox_path places[TLS_FOLDER_PLACES];
	char aside[112];

	assert_true(snprintf(archive.path, sizeof(archive.path), "%.40s-a", acme->path) < 64);
	assert_int_equal(mkdir(archive.path, 0700), 0);
	for (int i = 1; i <= 2; i++) {
		snprintf(archive.chain_path, sizeof(archive.chain_path), "%s/fullchain%d.pem",
			 archive.path, i);
		snprintf(archive.key_path, sizeof(archive.key_path), "%s/privkey%d.pem",
			 archive.path, i);
		write_pair(&archive, i == 1 ? &first : &second);
		snprintf(aside, sizeof(aside), "%s.new", acme->chain_path);
		assert_int_equal(symlink(archive.chain_path, aside), 0);
		assert_int_equal(rename(aside, acme->chain_path), 0);
		snprintf(aside, sizeof(aside), "%s.new", acme->key_path);
		assert_int_equal(symlink(archive.key_path, aside), 0);
		assert_int_equal(rename(aside, acme->key_path), 0);
		if (i == 1)
			start(acme);
		look(acme);
		assert_true(uses(acme, i == 1 ? &first : &second));
	}
	assert_int_equal(tls_folder_places(acme->folder, places), 3);
	assert_string_equal(places[0].path, acme->path);
	for (int i = 1; i < 3; i++) {
		assert_string_equal(places[i].path, archive.path);
		assert_int_equal(places[i].access, SANDBOX_READ);
	}
	for (int i = 1; i <= 2; i++) {
		snprintf(aside, sizeof(aside), "%s/fullchain%d.pem", archive.path, i);
		unlink(aside);
		snprintf(aside, sizeof(aside), "%s/privkey%d.pem", archive.path, i);
		unlink(aside);
	}
	assert_int_equal(rmdir(archive.path), 0);
}

/* What is logged between the two, in a file of the folder. */
struct capture {
	char path[112];
	int kept;
};

static void capture_start(const struct acme *acme, struct capture *capture)
{
	int fd;

	snprintf(capture->path, sizeof(capture->path), "%s/log", acme->path);
	fd = open(capture->path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	capture->kept = dup(2);
	assert_true(fd >= 0 && capture->kept >= 0 && dup2(fd, 2) == 2);
	close(fd);
}

/* How many lines have each of the two texts in them. */
static unsigned capture_end(struct capture *capture, const char *event, const char *text)
{
	_cleanup_free_ char *log = NULL;
	unsigned count = 0;
	size_t len;

	assert_int_equal(dup2(capture->kept, 2), 2);
	close(capture->kept);
	assert_ok(util_read_file(capture->path, 100000, &log, &len));
	unlink(capture->path);
	for (char *line = log, *end; (end = strchr(line, '\n')); line = end + 1) {
		*end = 0;
		count += strstr(line, event) && strstr(line, text);
	}
	return count;
}

static void what_is_wrong_is_said_once(void **state)
{
	struct acme *acme = *state;
	struct forge order = good(acme);
	_cleanup_forged_ struct forged pair = forge(&order), other = forge(&order);
	struct capture capture;
	int64_t now_s = clock_wall_s();

	write_pair(acme, &pair);
	start(acme);
	capture_start(acme, &capture);
	write_key(acme, other.key, NULL);
	for (int i = 0; i < 300; i++)
		tls_folder_look(acme->folder, now_s + i * TLS_FOLDER_LOOK_S);
	assert_int_equal(capture_end(&capture, "event=certificate-dir-refused",
				     "is not the key of fullchain.pem"),
			 1);
	/* Another mistake is another line. */
	capture_start(acme, &capture);
	unlink(acme->key_path);
	for (int i = 0; i < 300; i++)
		tls_folder_look(acme->folder, now_s + i * TLS_FOLDER_LOOK_S);
	assert_int_equal(
		capture_end(&capture, "event=certificate-dir-missing", "there is no privkey.pem"),
		1);
	assert_true(uses(acme, &pair));
}

/* The client does not renew: said a week before, and when it is over; shown on, for want of a
 * better. */
static void an_end_is_said(void **state)
{
	struct acme *acme = *state;
	struct forge order = good(acme);
	_cleanup_forged_ struct forged pair = forge(&order);
	int64_t until_s = clock_wall_s() + 90 * FORGE_DAY_S;
	struct capture capture;

	write_pair(acme, &pair);
	start(acme);
	capture_start(acme, &capture);
	tls_folder_look(acme->folder, until_s - 8 * FORGE_DAY_S);
	assert_int_equal(capture_end(&capture, "certificate-dir", ""), 0);
	capture_start(acme, &capture);
	for (int i = 0; i < 10; i++)
		tls_folder_look(acme->folder, until_s - 6 * FORGE_DAY_S);
	assert_int_equal(capture_end(&capture, "event=certificate-dir-ends", "was not renewed"), 1);
	capture_start(acme, &capture);
	for (int i = 0; i < 10; i++)
		tls_folder_look(acme->folder, until_s + 60);
	assert_int_equal(capture_end(&capture, "event=certificate-dir-expired", "has expired"), 1);
	assert_true(uses(acme, &pair));
}

/* ---- what is refused -------------------------------------------------------------------- */

/* A certificate that is refused at the start, and as a successor of a good one. */
static void expect_refused(struct acme *acme, const struct forge *order)
{
	struct forge better = good(acme);
	_cleanup_forged_ struct forged pair = forge(order), before = forge(&better);

	write_pair(acme, &pair);
	start(acme);
	assert_null(tls_folder_pair(acme->folder));
	write_pair(acme, &before);
	look(acme);
	assert_true(uses(acme, &before));
	write_pair(acme, &pair);
	look(acme);
	assert_true(uses(acme, &before));
}

static void wrong_times(void **state)
{
	struct acme *acme = *state;
	struct forge order = good(acme);

	order.from_s = -2 * FORGE_DAY_S;
	order.until_s = -60;
	expect_refused(acme, &order);
	order.from_s = 3600;
	order.until_s = FORGE_DAY_S;
	expect_refused(acme, &order);
}

static void an_expired_issuer(void **state)
{
	struct acme *acme = *state;
	struct forge ca_order = { .issuer = &acme->root,
				  .key = acme->ca.key,
				  .name = "public CA",
				  .constraints = FORGE_CA,
				  .usage = FORGE_CA_USE,
				  .purpose = "",
				  .from_s = -2 * FORGE_DAY_S,
				  .until_s = -60 };
	struct forge order = good(acme);
	_cleanup_forged_ struct forged pair = forge(&order), old = forge(&ca_order);

	write_key(acme, pair.key, NULL);
	write_chain(acme, pair.certificate, old.certificate, NULL);
	start(acme);
	assert_null(tls_folder_pair(acme->folder));
}

static void a_certificate_that_will_be_valid_soon(void **state)
{
	struct acme *acme = *state;
	struct forge order = good(acme);
	order.from_s = 3600;
	_cleanup_forged_ struct forged pair = forge(&order);

	write_pair(acme, &pair);
	start(acme);
	assert_null(tls_folder_pair(acme->folder));
	/* The files stay as they are, the clock does not. */
	tls_folder_look(acme->folder, clock_wall_s() + 7200);
	assert_true(uses(acme, &pair));
}

static void wrong_names_and_purposes(void **state)
{
	struct acme *acme = *state;
	struct forge order = good(acme);

	order.alt_name = "DNS:other.example";
	expect_refused(acme, &order);
	order = good(acme);
	order.purpose = "clientAuth";
	expect_refused(acme, &order);
	order = good(acme);
	order.constraints = FORGE_CA;
	order.usage = "critical,digitalSignature,keyCertSign";
	expect_refused(acme, &order);
}

static void weak_and_odd_keys(void **state)
{
	struct acme *acme = *state;
	EVP_PKEY *keys[] = { EVP_RSA_gen(1024), EVP_EC_gen("secp256k1"),
			     EVP_PKEY_Q_keygen(NULL, NULL, "ED448") };

	/* Ed448 signs without a digest; the key alone matters here. */
	for (size_t i = 0; i < 2; i++) {
		struct forge order = good(acme);
		order.key = keys[i];
		expect_refused(acme, &order);
	}
	struct forge order = good(acme);
	order.key = keys[2];
	expect_refused(acme, &order);
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		EVP_PKEY_free(keys[i]);
}

static void halves_that_do_not_belong_together(void **state)
{
	struct acme *acme = *state;
	struct forge order = good(acme);
	_cleanup_forged_ struct forged first = forge(&order), second = forge(&order);

	write_pair(acme, &first);
	start(acme);
	write_chain(acme, second.certificate, acme->ca.certificate, NULL);
	look(acme);
	assert_true(uses(acme, &first));
	/* And then the other half comes. */
	write_key(acme, second.key, NULL);
	look(acme);
	assert_true(uses(acme, &second));
}

static void chains_out_of_order(void **state)
{
	struct acme *acme = *state;
	struct forge order = good(acme);
	_cleanup_forged_ struct forged pair = forge(&order);
	_cleanup_forged_ struct forged namesake = forge_ca(&acme->root, "public CA");
	struct forge other_name = { .issuer = &acme->root,
				    .key = acme->ca.key,
				    .name = "other CA",
				    .constraints = FORGE_CA,
				    .usage = FORGE_CA_USE,
				    .purpose = "" };
	_cleanup_forged_ struct forged renamed = forge(&other_name);

	write_key(acme, pair.key, NULL);
	write_chain(acme, acme->ca.certificate, pair.certificate, NULL);
	start(acme);
	assert_null(tls_folder_pair(acme->folder));
	write_chain(acme, pair.certificate, acme->root.certificate, NULL);
	look(acme);
	assert_null(tls_folder_pair(acme->folder));
	write_chain(acme, pair.certificate, namesake.certificate, NULL);
	look(acme);
	assert_null(tls_folder_pair(acme->folder));
	write_chain(acme, pair.certificate, renamed.certificate, NULL);
	look(acme);
	assert_null(tls_folder_pair(acme->folder));
	/* Only the signature tells the namesake's from the CA's. */
	order.no_authority_key = true;
	order.key = pair.key;
	_cleanup_forged_ struct forged plain = forge(&order);
	write_chain(acme, plain.certificate, namesake.certificate, NULL);
	look(acme);
	assert_null(tls_folder_pair(acme->folder));
	write_chain(acme, plain.certificate, acme->ca.certificate, NULL);
	look(acme);
	assert_true(uses(acme, &plain));
	write_chain(acme, pair.certificate, acme->ca.certificate, NULL);
	look(acme);
	assert_true(uses(acme, &pair));
}

/* As a client that writes in place leaves it for a moment, or a full disk for longer. */
static void half_written_files(void **state)
{
	struct acme *acme = *state;
	struct forge order = good(acme);
	_cleanup_forged_ struct forged pair = forge(&order), next = forge(&order);
	struct stat chain, key;

	write_pair(acme, &pair);
	start(acme);
	write_pair(acme, &next);
	assert_int_equal(stat(acme->chain_path, &chain) | stat(acme->key_path, &key), 0);
	for (int part = 1; part <= 3; part++) {
		write_pair(acme, &next);
		assert_int_equal(truncate(acme->chain_path, chain.st_size * part / 4), 0);
		look(acme);
		assert_true(uses(acme, &pair));
		write_pair(acme, &next);
		assert_int_equal(truncate(acme->key_path, key.st_size * part / 4), 0);
		look(acme);
		assert_true(uses(acme, &pair));
	}
	assert_int_equal(truncate(acme->chain_path, 0) | truncate(acme->key_path, 0), 0);
	look(acme);
	assert_true(uses(acme, &pair));
	unlink(acme->chain_path);
	unlink(acme->key_path);
	look(acme);
	assert_true(uses(acme, &pair));
	write_pair(acme, &next);
	look(acme);
	assert_true(uses(acme, &next));
}

static void keys_that_may_not_be(void **state)
{
	struct acme *acme = *state;
	struct forge order = good(acme);
	_cleanup_forged_ struct forged pair = forge(&order);

	write_pair(acme, &pair);
	/* Nobody is asked for the passphrase, either. */
	write_key(acme, pair.key, "secret");
	start(acme);
	assert_null(tls_folder_pair(acme->folder));
	write_key(acme, pair.key, NULL);
	assert_int_equal(chmod(acme->key_path, 0644), 0);
	look(acme);
	assert_null(tls_folder_pair(acme->folder));
	assert_int_equal(chmod(acme->key_path, 0640), 0);
	look(acme);
	assert_true(uses(acme, &pair));
}

static void files_that_are_too_long(void **state)
{
	struct acme *acme = *state;
	struct forge order = good(acme);
	_cleanup_forged_ struct forged pair = forge(&order);
	X509 *root = acme->root.certificate;

	write_pair(acme, &pair);
	write_chain(acme, pair.certificate, acme->ca.certificate, root, root, root, root, root,
		    root, NULL);
	start(acme);
	assert_true(uses(acme, &pair));
	tls_folder_free(acme->folder);
	write_chain(acme, pair.certificate, acme->ca.certificate, root, root, root, root, root,
		    root, root, root, NULL);
	assert_ok(tls_folder_new(acme->path, "gateway.example", clock_wall_s(), &acme->folder));
	assert_null(tls_folder_pair(acme->folder));
	write_pair(acme, &pair);
	assert_int_equal(truncate(acme->chain_path, 70000), 0);
	look(acme);
	assert_null(tls_folder_pair(acme->folder));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_pair_is_there_at_the_start, set_up, tear_down),
		cmocka_unit_test_setup_teardown(keys_of_both_kinds, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_wildcard_is_enough, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_new_pair_is_read_when_it_is_settled, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(links_are_followed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_is_wrong_is_said_once, set_up, tear_down),
		cmocka_unit_test_setup_teardown(an_end_is_said, set_up, tear_down),
		cmocka_unit_test_setup_teardown(wrong_times, set_up, tear_down),
		cmocka_unit_test_setup_teardown(an_expired_issuer, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_certificate_that_will_be_valid_soon, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(wrong_names_and_purposes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(weak_and_odd_keys, set_up, tear_down),
		cmocka_unit_test_setup_teardown(halves_that_do_not_belong_together, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(chains_out_of_order, set_up, tear_down),
		cmocka_unit_test_setup_teardown(half_written_files, set_up, tear_down),
		cmocka_unit_test_setup_teardown(keys_that_may_not_be, set_up, tear_down),
		cmocka_unit_test_setup_teardown(files_that_are_too_long, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
