#include "unit/vault/film.h"

#include <errno.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "certs/key_file.h"

#define NEW_PASSPHRASE "ama-no-uzume"

/* A vault with its house, as one process has it open. */
struct scene {
	char folder[UNIT_FOLDER];
	struct house house;
	struct root root;
	char sheets[SHARES][SHARES_SHEET_TEXT + 1];
};

static struct secret *passphrase, *chosen, *wrong;

static void open_scene(struct scene *scene)
{
	scene->root = (struct root){ 0 };
	assert_ok(house_open(&scene->house, scene->folder));
	assert_ok(root_open(&scene->root, scene->folder, &scene->house));
	scene->root.cost = film_cost;
}

static void close_scene(struct scene *scene)
{
	root_finish(&scene->root);
	house_finish(&scene->house);
}

static void reopen(struct scene *scene)
{
	close_scene(scene);
	open_scene(scene);
}

static void take_sheets(struct scene *scene, const struct secret *sheets)
{
	assert_non_null(sheets);
	for (size_t i = 0; i < SHARES; i++)
		snprintf(scene->sheets[i], sizeof(scene->sheets[i]), "%.*s", SHARES_SHEET_TEXT,
			 secret_text(sheets) + i * SHARES_SHEET_TEXT);
}

static void make(struct scene *scene)
{
	_cleanup_secret_ struct secret *sheets = NULL;

	unit_folder(scene->folder);
	open_scene(scene);
	assert_ok(root_init(&scene->root, passphrase, &sheets));
	take_sheets(scene, sheets);
}

static enum err change(struct scene *scene, enum vault_act what, const struct secret *first,
		       const struct secret *second)
{
	struct root_order order = { .order = what,
				    .passphrase = first,
				    .second = second,
				    .sheets = { scene->sheets[2], scene->sheets[0] } };
	struct root_answer answer;
	enum err err = root_change(&scene->root, &order, &answer);

	/* No test waits. */
	if (err == ERR_LOGIN)
		tries_clear(&scene->root.tries);
	if (answer.secret && (what == VAULT_SHEETS || what == VAULT_RECOVER))
		take_sheets(scene, answer.secret);
	secret_free(answer.secret);
	return err;
}

/* The public key of what the passphrase opens, or nothing. */
static EVP_PKEY *opened(struct scene *scene, const struct secret *with)
{
	EVP_PKEY *key = NULL;

	reopen(scene);
	if (root_unseal(&scene->root, with) == OK) {
		key = scene->house.key;
		assert_true(EVP_PKEY_up_ref(key));
	}
	tries_clear(&scene->root.tries);
	return key;
}

static void expect_opens(struct scene *scene, const struct secret *with, const EVP_PKEY *wanted)
{
	EVP_PKEY *key = opened(scene, with);

	assert_non_null(key);
	assert_int_equal(EVP_PKEY_eq(key, wanted), 1);
	EVP_PKEY_free(key);
}

/* ---- its life --------------------------------------------------------------------------- */

static void a_vault_is_made_once(void **state)
{
	struct scene scene;
	_cleanup_secret_ struct secret *brief = film_secret("seven77"), *sheets = NULL;
	char path[UNIT_FOLDER + 16];
	struct stat status;
	size_t used;

	(void)state;
	/* What OpenSSL keeps for itself is there from now on. */
	make(&scene);
	close_scene(&scene);
	used = CRYPTO_secure_used();
	unit_folder(scene.folder);
	open_scene(&scene);
	assert_int_equal(root_state(&scene.root), VAULT_EMPTY);
	assert_err(root_unseal(&scene.root, passphrase), ERR_NOT_FOUND);
	assert_err(root_init(&scene.root, brief, &sheets), ERR_INVALID);
	assert_int_equal(root_state(&scene.root), VAULT_EMPTY);
	close_scene(&scene);
	make(&scene);
	assert_int_equal(root_state(&scene.root), VAULT_OPEN);
	assert_non_null(scene.house.key);
	assert_true(CRYPTO_secure_used() > used);
	snprintf(path, sizeof(path), "%s/root.json", scene.folder);
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 07777, 0600);
	assert_err(root_init(&scene.root, passphrase, &sheets), ERR_EXISTS);
	root_seal(&scene.root);
	assert_int_equal(root_state(&scene.root), VAULT_SEALED);
	assert_null(scene.house.key);
	assert_int_equal(CRYPTO_secure_used(), used);
	assert_err(root_init(&scene.root, passphrase, &sheets), ERR_EXISTS);
	assert_err(root_unseal(&scene.root, wrong), ERR_LOGIN);
	assert_int_equal(root_state(&scene.root), VAULT_SEALED);
	assert_ok(root_unseal(&scene.root, passphrase));
	EVP_PKEY *key = scene.house.key;
	/* Asked again the passphrase still counts, and the key that is in use stays. */
	assert_err(root_unseal(&scene.root, wrong), ERR_LOGIN);
	assert_ok(root_unseal(&scene.root, passphrase));
	assert_ptr_equal(scene.house.key, key);
	close_scene(&scene);
}

static void every_change_makes_a_new_root_key(void **state)
{
	struct scene scene;
	int64_t generation = 1;
	uint8_t before[ROOT_KEY];

	(void)state;
	make(&scene);
	EVP_PKEY *key = scene.house.key;
	assert_true(EVP_PKEY_up_ref(key));
	assert_err(change(&scene, VAULT_ROTATE, wrong, NULL), ERR_LOGIN);
	assert_int_equal(scene.root.file.generation, generation);
	static const enum vault_act acts[] = { VAULT_ROTATE, VAULT_MACHINE, VAULT_MACHINE_DROP,
					       VAULT_SHEETS };
	for (size_t i = 0; i < ARRAY_SIZE(acts); i++) {
		memcpy(before, secret_text(scene.root.key), sizeof(before));
		assert_ok(change(&scene, acts[i], passphrase, NULL));
		assert_int_equal(scene.root.file.generation, ++generation);
		assert_memory_not_equal(before, secret_text(scene.root.key), sizeof(before));
		expect_opens(&scene, passphrase, key);
	}
	/* The sheets outlive a rotation, and not one more step. */
	assert_ok(change(&scene, VAULT_ROTATE, passphrase, NULL));
	assert_ok(change(&scene, VAULT_RECOVER, NULL, chosen));
	expect_opens(&scene, chosen, key);
	assert_null(opened(&scene, passphrase));
	assert_err(change(&scene, VAULT_TOKEN, chosen, passphrase), ERR_UNAVAILABLE);
	assert_err(change(&scene, VAULT_TOKEN_DROP, chosen, NULL), ERR_NOT_FOUND);
	assert_err(change(&scene, VAULT_MACHINE_DROP, chosen, NULL), ERR_NOT_FOUND);
	assert_ok(change(&scene, VAULT_PASSPHRASE, chosen, passphrase));
	expect_opens(&scene, passphrase, key);
	EVP_PKEY_free(key);
	close_scene(&scene);
}

static void old_sheets_are_good_for_nothing(void **state)
{
	struct scene scene;
	char old[SHARES][SHARES_SHEET_TEXT + 1], fresh[SHARES][SHARES_SHEET_TEXT + 1];

	(void)state;
	make(&scene);
	memcpy(old, scene.sheets, sizeof(old));
	reopen(&scene);
	/* Sealed, and with nothing but two sheets. */
	assert_ok(change(&scene, VAULT_RECOVER, NULL, chosen));
	assert_int_equal(root_state(&scene.root), VAULT_OPEN);
	memcpy(fresh, scene.sheets, sizeof(fresh));
	memcpy(scene.sheets, old, sizeof(old));
	assert_err(change(&scene, VAULT_RECOVER, NULL, passphrase), ERR_EXPIRED);
	/* Not one of them with a new one either. */
	memcpy(scene.sheets[0], fresh[0], sizeof(fresh[0]));
	assert_err(change(&scene, VAULT_RECOVER, NULL, passphrase), ERR_EXPIRED);
	memcpy(scene.sheets, fresh, sizeof(fresh));
	memcpy(scene.sheets[0], fresh[2], sizeof(fresh[2]));
	assert_err(change(&scene, VAULT_RECOVER, NULL, passphrase), ERR_EXISTS);
	memcpy(scene.sheets, fresh, sizeof(fresh));
	assert_ok(change(&scene, VAULT_RECOVER, NULL, passphrase));
	close_scene(&scene);
}

static void a_machine_opens_it_until_it_may_not(void **state)
{
	struct scene scene;
	struct root_order order = { .order = VAULT_MACHINE, .passphrase = passphrase };
	struct root_answer answer;

	(void)state;
	make(&scene);
	assert_ok(root_change(&scene.root, &order, &answer));
	_cleanup_secret_ struct secret *secret = answer.secret;
	assert_non_null(strstr(secret_text(secret), "sekisho-machine-"));
	reopen(&scene);
	assert_ok(root_unseal_machine(&scene.root, secret));
	assert_int_equal(root_state(&scene.root), VAULT_OPEN);
	/* A rotation does not need it, and leaves it good. */
	assert_ok(change(&scene, VAULT_ROTATE, passphrase, NULL));
	reopen(&scene);
	assert_ok(root_unseal_machine(&scene.root, secret));
	assert_ok(change(&scene, VAULT_MACHINE_DROP, passphrase, NULL));
	reopen(&scene);
	assert_err(root_unseal_machine(&scene.root, secret), ERR_NOT_FOUND);
	/* A file with the passphrase in it does the same. */
	assert_ok(root_unseal_machine(&scene.root, passphrase));
	close_scene(&scene);
}

static void wrong_passphrases_slow_down(void **state)
{
	struct scene scene;

	(void)state;
	make(&scene);
	for (int i = 0; i < TRIES_FREE; i++)
		assert_err(root_unseal(&scene.root, wrong), ERR_LOGIN);
	assert_err(root_unseal(&scene.root, passphrase), ERR_THROTTLED);
	assert_int_equal(scene.root.tries.failed, TRIES_FREE);
	/* A restart forgets nothing. */
	reopen(&scene);
	assert_int_equal(scene.root.tries.failed, TRIES_FREE);
	assert_err(root_unseal(&scene.root, passphrase), ERR_THROTTLED);
	assert_err(
		root_change(&scene.root,
			    &(struct root_order){ .order = VAULT_ROTATE, .passphrase = passphrase },
			    &(struct root_answer){ 0 }),
		ERR_THROTTLED);
	uint64_t wait_ms = tries_wait_ms(&scene.root.tries, scene.root.tries.last_ms);
	assert_int_equal(wait_ms, TRIES_WAIT_MS);
	assert_int_equal(tries_wait_ms(&scene.root.tries, scene.root.tries.last_ms + wait_ms), 0);
	scene.root.tries.failed++;
	assert_int_equal(tries_wait_ms(&scene.root.tries, scene.root.tries.last_ms),
			 2 * TRIES_WAIT_MS);
	scene.root.tries.failed = 40;
	assert_int_equal(tries_wait_ms(&scene.root.tries, scene.root.tries.last_ms),
			 TRIES_WAIT_MAX_MS);
	/* Two sheets get past it, and set it back. */
	assert_ok(change(&scene, VAULT_RECOVER, NULL, chosen));
	assert_int_equal(scene.root.tries.failed, 0);
	close_scene(&scene);
}

/* ---- what is on the disk ---------------------------------------------------------------- */

/* A folder as it was before there were root keys. */
static EVP_PKEY *make_old(struct scene *scene, const struct secret *under)
{
	EVP_PKEY *key = NULL;
	char path[UNIT_FOLDER + 16];

	unit_folder(scene->folder);
	snprintf(path, sizeof(path), "%s/house.key", scene->folder);
	assert_ok(house_make(&key));
	assert_ok(key_write(key, under, path));
	return key;
}

static void one_of_before_is_brought_over(void **state)
{
	struct scene scene;
	_cleanup_secret_ struct secret *sheets = NULL;
	EVP_PKEY *key = make_old(&scene, passphrase);

	(void)state;
	open_scene(&scene);
	assert_int_equal(root_state(&scene.root), VAULT_SEALED);
	assert_err(root_init(&scene.root, passphrase, &sheets), ERR_EXISTS);
	assert_err(change(&scene, VAULT_ROTATE, passphrase, NULL), ERR_LOCKED);
	assert_err(root_unseal(&scene.root, wrong), ERR_LOGIN);
	assert_false(scene.root.made);
	assert_ok(root_unseal(&scene.root, passphrase));
	assert_int_equal(EVP_PKEY_eq(key, scene.house.key), 1);
	assert_false(house_old_is(&scene.house));
	assert_false(scene.root.file.sheets.there);
	expect_opens(&scene, passphrase, key);
	assert_err(change(&scene, VAULT_RECOVER, NULL, chosen), ERR_NOT_FOUND);
	assert_ok(change(&scene, VAULT_SHEETS, passphrase, NULL));
	assert_ok(change(&scene, VAULT_RECOVER, NULL, chosen));
	expect_opens(&scene, chosen, key);
	EVP_PKEY_free(key);
	close_scene(&scene);
}

static void spoil(const struct scene *scene, const char *what, const char *by)
{
	_cleanup_free_ char *text = NULL;
	char path[UNIT_FOLDER + 16], *at;
	size_t len;

	snprintf(path, sizeof(path), "%s/root.json", scene->folder);
	assert_ok(util_read_file(path, ROOT_FILE_MAX, &text, &len));
	at = strstr(text, what);
	assert_non_null(at);
	memcpy(at, by, strlen(by));
	assert_ok(util_write_file(path, text, len, 0600));
}

/* Every member is under the MAC; what cannot be read is not replaced. */
static void a_changed_file_is_noticed(void **state)
{
	static const struct {
		const char *what, *by;
		enum err err;
	} changes[] = {
		{ "\"generation\": 1", "\"generation\": 7", ERR_INVALID },
		{ "\"made\": 1", "\"made\": 2", ERR_INVALID },
		{ "\"set\": \"", "\"set\": \"00000000", ERR_INVALID },
		{ "\"house\": \"", "\"house\": \"00000000", ERR_INVALID },
		{ "\"kept\": \"", "\"kept\": \"00000000", ERR_INVALID },
		{ "\"mac\": \"", "\"mac\": \"00000000", ERR_INVALID },
		{ "\"salt\": \"", "\"salt\": \"00000000", ERR_LOGIN },
		{ "\"memory_kib\": 6", "\"memory_kib\": 9", ERR_LOGIN },
		{ "{", "[", ERR_INVALID },
		{ "\"version\": 1", "\"version\": 2", ERR_INVALID },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
		_cleanup_secret_ struct secret *sheets = NULL;
		struct scene scene;

		make(&scene);
		spoil(&scene, changes[i].what, changes[i].by);
		reopen(&scene);
		assert_int_equal(root_state(&scene.root), VAULT_SEALED);
		assert_err(root_unseal(&scene.root, passphrase), changes[i].err);
		assert_err(root_init(&scene.root, passphrase, &sheets), ERR_EXISTS);
		assert_null(scene.house.key);
		close_scene(&scene);
	}
}

/* ---- one that was put back -------------------------------------------------------------- */

static void path_of_file(const struct scene *scene, char path[UNIT_FOLDER + 16])
{
	snprintf(path, UNIT_FOLDER + 16, "%s/root.json", scene->folder);
}

static char *read_file(const struct scene *scene)
{
	char path[UNIT_FOLDER + 16], *text = NULL;
	size_t len;

	path_of_file(scene, path);
	assert_ok(util_read_file(path, ROOT_FILE_MAX, &text, &len));
	return text;
}

static void put_back(struct scene *scene, const char *text)
{
	char path[UNIT_FOLDER + 16];

	path_of_file(scene, path);
	assert_ok(util_write_file(path, text, strlen(text), 0600));
	reopen(scene);
}

/* What the broker knows closes it, also when it had opened by itself, and no old passphrase helps.
 */
static void an_older_file_opens_nothing(void **state)
{
	struct scene scene;

	(void)state;
	make(&scene);
	_cleanup_free_ char *old = read_file(&scene);
	assert_ok(change(&scene, VAULT_PASSPHRASE, passphrase, chosen));
	assert_ok(root_floor(&scene.root, 2));
	assert_int_equal(root_state(&scene.root), VAULT_OPEN);
	_cleanup_free_ char *newer = read_file(&scene);
	put_back(&scene, old);
	assert_ok(root_unseal(&scene.root, passphrase));
	assert_err(root_floor(&scene.root, 2), ERR_EXPIRED);
	assert_int_equal(root_state(&scene.root), VAULT_SEALED);
	assert_null(scene.house.key);
	assert_err(root_unseal(&scene.root, passphrase), ERR_EXPIRED);
	assert_err(root_unseal_machine(&scene.root, passphrase), ERR_EXPIRED);
	assert_err(change(&scene, VAULT_ROTATE, passphrase, NULL), ERR_EXPIRED);
	assert_err(change(&scene, VAULT_MACHINE, passphrase, NULL), ERR_EXPIRED);
	/* It never goes back. */
	assert_err(root_floor(&scene.root, 1), ERR_EXPIRED);
	put_back(&scene, newer);
	assert_ok(root_floor(&scene.root, 2));
	assert_ok(root_unseal(&scene.root, chosen));
	/* Two who keep sheets can go on with it, and make one that is newer than all. */
	put_back(&scene, old);
	assert_err(root_floor(&scene.root, 9), ERR_EXPIRED);
	assert_ok(change(&scene, VAULT_RECOVER, NULL, chosen));
	assert_int_equal(scene.root.file.generation, 10);
	assert_ok(root_floor(&scene.root, 9));
	close_scene(&scene);
}

static void a_new_vault_is_newer_than_the_one_before(void **state)
{
	_cleanup_secret_ struct secret *sheets = NULL;
	struct scene scene;
	EVP_PKEY *key;

	(void)state;
	unit_folder(scene.folder);
	open_scene(&scene);
	assert_ok(root_floor(&scene.root, 5));
	assert_ok(root_init(&scene.root, passphrase, &sheets));
	assert_int_equal(scene.root.file.generation, 6);
	close_scene(&scene);
	/* Whoever has had a root key has no key without one. */
	key = make_old(&scene, passphrase);
	open_scene(&scene);
	assert_err(root_floor(&scene.root, 5), ERR_EXPIRED);
	assert_err(root_unseal(&scene.root, passphrase), ERR_EXPIRED);
	EVP_PKEY_free(key);
	close_scene(&scene);
}

/* As the vault has it: with its keys beside it. */
static void reopen_with(struct scene *scene, struct keyring *keyring)
{
	close_scene(scene);
	scene->root = (struct root){ .keyring = keyring };
	assert_ok(house_open(&scene->house, scene->folder));
	assert_ok(root_open(&scene->root, scene->folder, &scene->house));
	scene->root.cost = film_cost;
}

static void keep_keys(struct scene *scene, struct keyring *keyring)
{
	_cleanup_secret_ struct secret *key = NULL;

	assert_ok(
		keyring_open(keyring, scene->folder, scene->root.key, scene->root.file.generation));
	assert_ok(keyring_own(keyring, "guard", &key));
	keyring_close(keyring);
}

/* The vault's own database knows, before the broker says anything. */
static void an_older_file_beside_newer_keys(void **state)
{
	struct keyring keyring = { 0 };
	struct scene scene;

	(void)state;
	make(&scene);
	_cleanup_free_ char *old = read_file(&scene);
	keep_keys(&scene, &keyring);
	reopen_with(&scene, &keyring);
	assert_ok(change(&scene, VAULT_PASSPHRASE, passphrase, chosen));
	/* The power fails now: both may still be. */
	reopen_with(&scene, &keyring);
	assert_ok(root_unseal(&scene.root, chosen));
	keep_keys(&scene, &keyring);
	reopen_with(&scene, &keyring);
	assert_ok(root_unseal(&scene.root, chosen));
	put_back(&scene, old);
	reopen_with(&scene, &keyring);
	assert_err(root_unseal(&scene.root, passphrase), ERR_EXPIRED);
	assert_null(scene.house.key);
	/* Not even two sheets make a whole of what does not belong together. */
	assert_err(change(&scene, VAULT_RECOVER, NULL, chosen), ERR_EXPIRED);
	close_scene(&scene);
}

/* ---- a process that dies ---------------------------------------------------------------- */

/*
 * The calls that change the disk, in place of libc's: the one that is counted down to ends the
 * process before it is done, as kill -9 does. What is renamed must have been flushed.
 */
static int calls_left = -1;
static bool unflushed;

static void maybe_die(void)
{
	if (calls_left >= 0 && calls_left-- == 0)
		kill(getpid(), SIGKILL);
}

int fsync(int fd)
{
	maybe_die();
	unflushed = false;
	return (int)syscall(SYS_fsync, fd);
}

ssize_t write(int fd, const void *data, size_t len)
{
	/* Half of it gets there. */
	if (fd > STDERR_FILENO) {
		if (calls_left == 0)
			syscall(SYS_write, fd, data, len / 2);
		maybe_die();
		unflushed = true;
	}
	return syscall(SYS_write, fd, data, len);
}

int rename(const char *from, const char *to)
{
	maybe_die();
	if (unflushed)
		abort();
	return (int)syscall(SYS_rename, from, to);
}

int unlink(const char *path)
{
	maybe_die();
	return (int)syscall(SYS_unlink, path);
}

/* Runs what in a child that dies at its nth change of the disk; false: it came to its end. */
static bool dies(struct scene *scene, enum vault_act what, int n)
{
	int status;
	pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0) {
		calls_left = n;
		enum err err = what ? change(scene, what, passphrase,
					     what == VAULT_MACHINE ? NULL : chosen)
				    : root_unseal(&scene->root, passphrase);
		_exit(err ? 3 : 0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	if (WIFEXITED(status)) {
		assert_int_equal(WEXITSTATUS(status), 0);
		return false;
	}
	assert_int_equal(WTERMSIG(status), SIGKILL);
	return true;
}

/* Which of the two opens it: never both, and never neither. */
static const struct secret *opener(struct scene *scene, const EVP_PKEY *wanted)
{
	const struct secret *with = passphrase;
	EVP_PKEY *key = opened(scene, with);

	if (!key) {
		with = chosen;
		key = opened(scene, with);
	}
	assert_non_null(key);
	assert_int_equal(EVP_PKEY_eq(key, wanted), 1);
	EVP_PKEY_free(key);
	return with;
}

static void no_death_leaves_half_a_root(void **state)
{
	static const enum vault_act acts[] = { VAULT_PASSPHRASE, VAULT_RECOVER };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(acts); i++) {
		_cleanup_free_ char *before = NULL;
		const struct secret *with = passphrase;
		char path[UNIT_FOLDER + 16];
		struct scene scene;
		bool died = true;
		int n = 0, olds = 0;
		size_t len;

		make(&scene);
		EVP_PKEY *key = scene.house.key;
		assert_true(EVP_PKEY_up_ref(key));
		snprintf(path, sizeof(path), "%s/root.json", scene.folder);
		assert_ok(util_read_file(path, ROOT_FILE_MAX, &before, &len));
		for (; died; n++) {
			assert_ok(util_write_file(path, before, len, 0600));
			reopen(&scene);
			died = dies(&scene, acts[i], n);
			const struct secret *now = opener(&scene, key);
			/* From the moment on when the new one is there, the old is no more. */
			assert_false(with == chosen && now == passphrase);
			with = now;
			olds += with == passphrase;
		}
		assert_ptr_equal(with, chosen);
		assert_true(olds >= 4 && n - olds >= 2);
		assert_ok(change(&scene, VAULT_ROTATE, chosen, NULL));
		expect_opens(&scene, chosen, key);
		EVP_PKEY_free(key);
		close_scene(&scene);
	}
}

static void no_death_loses_the_key_of_before(void **state)
{
	bool died = true;
	int n = 0;

	(void)state;
	for (; died; n++) {
		struct scene scene;
		/* In the clear, which scrypt would only slow down. */
		EVP_PKEY *key = make_old(&scene, NULL);

		open_scene(&scene);
		died = dies(&scene, 0, n);
		expect_opens(&scene, passphrase, key);
		assert_false(house_old_is(&scene.house));
		EVP_PKEY_free(key);
		close_scene(&scene);
	}
	assert_true(n > 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_vault_is_made_once),
		cmocka_unit_test(every_change_makes_a_new_root_key),
		cmocka_unit_test(old_sheets_are_good_for_nothing),
		cmocka_unit_test(a_machine_opens_it_until_it_may_not),
		cmocka_unit_test(wrong_passphrases_slow_down),
		cmocka_unit_test(one_of_before_is_brought_over),
		cmocka_unit_test(a_changed_file_is_noticed),
		cmocka_unit_test(an_older_file_opens_nothing),
		cmocka_unit_test(a_new_vault_is_newer_than_the_one_before),
		cmocka_unit_test(an_older_file_beside_newer_keys),
		cmocka_unit_test(no_death_leaves_half_a_root),
		cmocka_unit_test(no_death_loses_the_key_of_before),
	};

	if (house_prepare() || secret_new(FILM_PASSPHRASE, strlen(FILM_PASSPHRASE), &passphrase) ||
	    secret_new(NEW_PASSPHRASE, strlen(NEW_PASSPHRASE), &chosen) ||
	    secret_new("iwato-toji", 10, &wrong))
		return 1;
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	secret_free(passphrase);
	secret_free(chosen);
	secret_free(wrong);
	return failed;
}
