/*
 * The root key changes while there are records: whatever moment the process dies at, and wherever
 * the disk fills up, none of them is lost. The whole vault, with the test in the broker's place.
 */
#include "unit/vault/film.h"
#include "unit/vault/records_office.h"

#include <errno.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/log.h"
#include "vault/vault.h"

#define CHOSEN "ama-no-uzume"

enum { RECORDS_FIRST = 3, ROWS = 4096 };

/* ---- calls that change the disk ---------------------------------------------------------------
 */

/* left: calls until it happens, 0: never. full: the disk is, from then on; else the process dies,
 * as by kill -9. */
static struct {
	long left;
	bool full, happened;
} fault;

static bool goes_wrong(void)
{
	if (!fault.left || --fault.left > 0)
		return false;
	fault.happened = true;
	if (!fault.full)
		kill(getpid(), SIGKILL);
	fault.left = 1; /* it stays full */
	errno = ENOSPC;
	return true;
}

/* These need no room. */
static void may_die(void)
{
	if (!fault.full)
		(void)goes_wrong();
}

/* In place of libc's: of root.json and the count of wrong passphrases. */
ssize_t write(int fd, const void *data, size_t len)
{
	return fd > STDERR_FILENO && goes_wrong() ? -1 : syscall(SYS_write, fd, data, len);
}

int fsync(int fd)
{
	may_die();
	return (int)syscall(SYS_fsync, fd);
}

int rename(const char *from, const char *to)
{
	may_die();
	return (int)syscall(SYS_rename, from, to);
}

int unlink(const char *path)
{
	may_die();
	return (int)syscall(SYS_unlink, path);
}

/* And of the databases. */
static ssize_t faulty_pwrite(int fd, const void *data, size_t len, off_t at)
{
	return goes_wrong() ? -1 : syscall(SYS_pwrite64, fd, data, len, at);
}

static int faulty_ftruncate(int fd, off_t size)
{
	may_die();
	return (int)syscall(SYS_ftruncate, fd, size);
}

static void prepare_sqlite(void)
{
	sqlite3_vfs *vfs = sqlite3_vfs_find(NULL);
	bool found = false;

	for (size_t i = 0; i < 2; i++) {
		const char *name = i ? "pwrite64" : "pwrite";

		if (!vfs->xGetSystemCall(vfs, name))
			continue;
		found = vfs->xSetSystemCall(vfs, name, (sqlite3_syscall_ptr)faulty_pwrite) ==
			SQLITE_OK;
	}
	assert_true(found);
	assert_int_equal(
		vfs->xSetSystemCall(vfs, "ftruncate", (sqlite3_syscall_ptr)faulty_ftruncate),
		SQLITE_OK);
}

/* ---- a vault ----------------------------------------------------------------------------------
 */

struct scene {
	char folder[UNIT_FOLDER];
	struct loop *loop;
	struct vault vault;
	int broker;
	uint32_t request;
	struct ipc_received got;
	char sheets[SHARES][SHARES_SHEET_TEXT + 1];
	unsigned notices;
	uint64_t records, counter; /* so many were answered for */
};

static void open_scene(struct scene *scene)
{
	int pair[2];

	scene->got.fd = -1;
	assert_ok(loop_new(&scene->loop));
	assert_ok(vault_init(&scene->vault, scene->loop, scene->folder, -1));
	scene->vault.root.cost = film_cost;
	assert_ok(ipc_pair(pair));
	scene->broker = pair[1];
	assert_ok(vault_link(&scene->vault, pair[0]));
}

static void close_scene(struct scene *scene)
{
	ipc_received_finish(&scene->got);
	vault_finish(&scene->vault);
	util_closep(&scene->broker);
	loop_free(scene->loop);
}

static void take_sheets(struct scene *scene, const char *text)
{
	for (size_t i = 0; i < SHARES && *text; i++)
		snprintf(scene->sheets[i], sizeof(scene->sheets[i]), "%.*s", SHARES_SHEET_TEXT,
			 text + i * SHARES_SHEET_TEXT);
}

/* What became of the order. */
static enum err order(struct scene *scene, uint16_t id, const void *msg)
{
	assert_ok(ipc_send(scene->broker, id, msg, -1));
	for (;;) {
		const union wire_any *any = &scene->got.msg;
		enum err err = ipc_receive(scene->broker, WIRE_VAULT, WIRE_BROKER, &scene->got);

		if (err == ERR_UNAVAILABLE) {
			assert_ok(loop_step(scene->loop, 1000));
			continue;
		}
		assert_ok(err);
		uint16_t got = scene->got.type->id;
		if (got == MSG_vault_answer)
			take_sheets(scene, any->vault_answer.secret);
		scene->notices += got == MSG_record_notice;
		bool done = got == MSG_vault_state && any->vault_state.request == scene->request;
		err = done ? (enum err)any->vault_state.error : OK;
		ipc_received_finish(&scene->got);
		if (done)
			return err;
	}
}

static enum err change(struct scene *scene, enum vault_act act, const char *first,
		       const char *second)
{
	return order(scene, MSG_vault_change,
		     &(struct msg_vault_change){ .request = ++scene->request,
						 .order = (uint8_t)act,
						 .passphrase = first,
						 .second = second,
						 .sheet1 = scene->sheets[2],
						 .sheet2 = scene->sheets[0] });
}

static void use_records(struct scene *scene)
{
	assert_non_null(scene->vault.records.db);
	assert_ok(records_floor(&scene->vault.records, scene->counter, NULL, 0, true));
	assert_int_equal(scene->vault.records.state, RECORDS_READY);
}

static void unseal(struct scene *scene, const char *passphrase)
{
	assert_ok(order(scene, MSG_vault_unseal,
			&(struct msg_vault_unseal){ .request = ++scene->request,
						    .passphrase = passphrase }));
	use_records(scene);
}

static void name_of(uint64_t record, char ret[32])
{
	snprintf(ret, 32, "顧問先%d", (int)record);
}

/* One more client: its group key is a new one. */
static void add(struct scene *scene)
{
	struct records *records = &scene->vault.records;
	char name[32];
	const struct content content = { .name = name, .kana = "" };
	struct record_row row = office_new_row(KIND_CLIENT, 0, 0);

	name_of(scene->records + 1, name);
	assert_ok(records_begin(records));
	assert_ok(record_create(records, &row, &content, OFFICE_CORPORATE, &office_by));
	assert_ok(records_commit(records, 0));
	scene->counter = records->counter;
	scene->records++;
}

static void make(struct scene *scene)
{
	unit_folder(scene->folder);
	open_scene(scene);
	assert_ok(order(scene, MSG_vault_init,
			&(struct msg_vault_init){ .request = ++scene->request,
						  .passphrase = FILM_PASSPHRASE }));
	use_records(scene);
	assert_ok(db_exec(scene->vault.records.db,
			  "INSERT INTO class (id, name, name_en, start, start_en, years) VALUES"
			  " (1, '賃金台帳', '', '最後の記入日', '', 5)"));
	for (int i = 0; i < RECORDS_FIRST; i++)
		add(scene);
}

/* Every record that was answered for says what it said. */
static void expect_all(struct scene *scene)
{
	struct records *records = &scene->vault.records;

	for (uint64_t record = 1; record <= scene->records; record++) {
		_cleanup_content_ struct content content = { 0 };
		char name[32], digits[NUMBERS_ROOM];
		struct record_row row;

		name_of(record, name);
		assert_ok(records_row(records, record, &row));
		assert_ok(record_get_content(records, &row, 0, &content));
		assert_string_equal(content.name, name);
		assert_ok(record_get_number(records, &row, digits));
		assert_string_equal(digits, OFFICE_CORPORATE);
	}
	assert_int_equal(scene->notices, 0);
}

static void again(struct scene *scene, const char *passphrase)
{
	close_scene(scene);
	open_scene(scene);
	unseal(scene, passphrase);
	expect_all(scene);
}

/* ---- tests ------------------------------------------------------------------------------------
 */

/* What is sealed of the records, and their keys. */
static void rows_of(struct scene *scene, char ret[ROWS])
{
	_cleanup_query_ struct query query;

	query_init(&query, scene->vault.records.db,
		   "SELECT group_concat(hex(data_key) || hex(sealed)) FROM (SELECT data_key, sealed"
		   " FROM record_version UNION ALL SELECT data_key, sealed FROM record_number)");
	assert_ok(query_one(&query));
	query_col_str(&query, 0, ret, ROWS);
}

static void every_order_leaves_the_records_readable(void **state)
{
	struct scene scene = { 0 };
	char before[ROWS], after[ROWS];

	(void)state;
	make(&scene);
	rows_of(&scene, before);
	assert_ok(change(&scene, VAULT_ROTATE, FILM_PASSPHRASE, ""));
	expect_all(&scene);
	/* Nothing but the keys of keys.db is wrapped anew. */
	rows_of(&scene, after);
	assert_string_equal(before, after);
	add(&scene);
	again(&scene, FILM_PASSPHRASE);
	assert_ok(change(&scene, VAULT_PASSPHRASE, FILM_PASSPHRASE, CHOSEN));
	add(&scene);
	again(&scene, CHOSEN);
	assert_ok(change(&scene, VAULT_SHEETS, CHOSEN, ""));
	expect_all(&scene);
	/* With nothing but two sheets: the keys are brought over while they are sealed. */
	close_scene(&scene);
	open_scene(&scene);
	assert_ok(change(&scene, VAULT_RECOVER, "", FILM_PASSPHRASE));
	use_records(&scene);
	expect_all(&scene);
	add(&scene);
	again(&scene, FILM_PASSPHRASE);
	assert_int_equal(scene.vault.root.file.generation, 5);
	close_scene(&scene);
}

/* What there was of the root key before opens none of them. */
static void the_root_key_of_before_opens_nothing(void **state)
{
	_cleanup_secret_ struct secret *before = NULL;
	struct scene scene = { 0 };

	(void)state;
	make(&scene);
	const struct secret *key = scene.vault.root.key;
	assert_ok(secret_new(secret_text(key), secret_len(key), &before));
	assert_ok(change(&scene, VAULT_ROTATE, FILM_PASSPHRASE, ""));
	records_seal(&scene.vault.records);
	assert_err(records_open(&scene.vault.records, before, 2), ERR_LOGIN);
	assert_err(records_open(&scene.vault.records, before, 1), ERR_INVALID);
	close_scene(&scene);
}

/* Changes the root key, then adds a record; tells when that is answered for. */
static void child(struct scene *scene, long calls, int tell)
{
	open_scene(scene);
	unseal(scene, FILM_PASSPHRASE);
	fault.left = calls;
	assert_ok(change(scene, VAULT_ROTATE, FILM_PASSPHRASE, ""));
	add(scene);
	syscall(SYS_write, tell, "x", 1);
	_exit(0);
}

/* Whether the child came to its end. */
static bool lives(struct scene *scene, long calls)
{
	int pair[2], status;
	char byte;

	assert_int_equal(pipe2(pair, O_CLOEXEC), 0);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		child(scene, calls, pair[1]);
	close(pair[1]);
	bool told = read(pair[0], &byte, 1) == 1;
	close(pair[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status) ? WEXITSTATUS(status) == 0 : WTERMSIG(status) == SIGKILL);
	scene->records += told;
	return WIFEXITED(status);
}

static void no_death_loses_a_record(void **state)
{
	struct scene scene = { 0 };
	bool lived = false;
	long calls = 1;

	(void)state;
	make(&scene);
	close_scene(&scene);
	for (; !lived; calls++) {
		lived = lives(&scene, calls);
		open_scene(&scene);
		unseal(&scene, FILM_PASSPHRASE);
		/* What it died over may be there. */
		if (index_count(scene.vault.records.index) == scene.records + 1)
			scene.records++;
		assert_int_equal(index_count(scene.vault.records.index), scene.records);
		scene.counter = scene.vault.records.counter;
		expect_all(&scene);
		close_scene(&scene);
	}
	print_message("%ld deaths\n", calls - 2);
	assert_true(calls > 30);
}

static void no_full_disk_loses_a_record(void **state)
{
	struct scene scene = { 0 };
	int refused = 0;
	long calls = 1;

	(void)state;
	make(&scene);
	do {
		fault.happened = false;
		fault.full = true;
		fault.left = calls++;
		enum err err = change(&scene, VAULT_ROTATE, FILM_PASSPHRASE, "");
		fault.left = 0;
		fault.full = false;
		refused += err != OK;
		expect_all(&scene);
		/* There is room again, before anything else was done about it. */
		add(&scene);
		again(&scene, FILM_PASSPHRASE);
	} while (fault.happened);
	assert_true(refused >= 3);
	close_scene(&scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_order_leaves_the_records_readable),
		cmocka_unit_test(the_root_key_of_before_opens_nothing),
		cmocka_unit_test(no_death_loses_a_record),
		cmocka_unit_test(no_full_disk_loses_a_record),
	};

	log_init(NULL, LOG_LEVEL_ERROR);
	prepare_sqlite();
	return house_prepare() ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
