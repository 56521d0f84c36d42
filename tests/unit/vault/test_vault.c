#include "unit/vault/film.h"

#include <poll.h>
#include <sys/socket.h>

#include "vault/vault.h"
#include "wire/ipc.h"

enum { PATIENCE_MS = 20000 };

struct scene {
	struct loop *loop;
	struct vault vault;
	struct film_house ours; /* its key is the vault's, its house is sealed */
	struct film film;
	int broker, player;
	struct ipc_received got;
};

static int setup(void **state)
{
	struct scene *scene = calloc(1, sizeof(*scene));

	assert_ok(loop_new(&scene->loop));
	scene->film.fd = scene->broker = scene->player = scene->got.fd = -1;
	film_house_open(&scene->ours);
	root_seal(&scene->ours.root);
	film_make(&scene->film, &scene->ours.certificate, 3);
	assert_ok(vault_init(&scene->vault, scene->loop, scene->ours.folder, -1));
	*state = scene;
	return 0;
}

static int teardown(void **state)
{
	struct scene *scene = *state;

	ipc_received_finish(&scene->got);
	vault_finish(&scene->vault);
	util_closep(&scene->broker);
	util_closep(&scene->player);
	film_end(&scene->film);
	film_house_close(&scene->ours);
	loop_free(scene->loop);
	free(scene);
	return 0;
}

static const union wire_any *hear(struct scene *scene, int fd, enum wire_role self, uint16_t id)
{
	struct pollfd poll_fd = { .fd = fd, .events = POLLIN };

	ipc_received_finish(&scene->got);
	for (uint64_t end = clock_mono_ms() + PATIENCE_MS;
	     clock_mono_ms() < end && poll(&poll_fd, 1, 0) == 0;)
		assert_ok(loop_step(scene->loop, 5));
	assert_ok(ipc_receive(fd, WIRE_VAULT, self, &scene->got));
	assert_string_equal(scene->got.type->name, wire_type(id)->name);
	return &scene->got.msg;
}

static const struct msg_vault_state *hear_state(struct scene *scene, uint32_t request, enum err err,
						enum vault_state state)
{
	const struct msg_vault_state *msg;

	hear(scene, scene->broker, WIRE_BROKER, MSG_vault_root);
	msg = &hear(scene, scene->broker, WIRE_BROKER, MSG_vault_state)->vault_state;

	assert_int_equal(msg->request, request);
	assert_err(msg->error, err);
	assert_int_equal(msg->state, state);
	return msg;
}

static void link_broker(struct scene *scene)
{
	int pair[2];

	util_closep(&scene->broker);
	assert_ok(ipc_pair(pair));
	scene->broker = pair[1];
	assert_ok(vault_link(&scene->vault, pair[0]));
}

static void say(struct scene *scene, uint16_t id, const void *msg)
{
	assert_ok(ipc_send(scene->broker, id, msg, -1));
}

static void unseal(struct scene *scene, uint32_t request, const char *passphrase)
{
	say(scene, MSG_vault_unseal,
	    &(struct msg_vault_unseal){ .request = request, .passphrase = passphrase });
}

/* A link to a vault that is open. */
static void begin(struct scene *scene)
{
	link_broker(scene);
	hear_state(scene, 0, OK, VAULT_SEALED);
	unseal(scene, 1, FILM_PASSPHRASE);
	hear_state(scene, 1, OK, VAULT_OPEN);
}

static void open_recording(struct scene *scene, uint32_t number)
{
	struct msg_playback_open msg = film_message(&scene->film);
	int fd = film_open(&scene->film);

	msg.playback = number;
	assert_ok(ipc_send(scene->broker, MSG_playback_open, &msg, fd));
	close(fd);
}

static void expect_opened(struct scene *scene, uint32_t number, enum err err, unsigned verdict)
{
	const struct msg_playback_opened *msg =
		&hear(scene, scene->broker, WIRE_BROKER, MSG_playback_opened)->playback_opened;

	assert_int_equal(msg->playback, number);
	assert_err(msg->error, err);
	assert_int_equal(msg->verdict, verdict);
}

static void watch(struct scene *scene, uint32_t number)
{
	int pair[2];

	assert_ok(ipc_pair(pair));
	assert_ok(ipc_send(scene->broker, MSG_playback_viewer,
			   &(struct msg_playback_viewer){ .playback = number }, pair[0]));
	close(pair[0]);
	scene->player = pair[1];
	assert_ok(ipc_send(scene->player, MSG_play_start,
			   &(struct msg_play_start){ .version = PLAYBACK_VERSION }, -1));
	hear(scene, scene->player, WIRE_PLAYER, MSG_play_info);
	hear(scene, scene->player, WIRE_PLAYER, MSG_play_table);
}

static void expect_player_error(struct scene *scene, enum play_error error)
{
	const struct msg_play_error *msg =
		&hear(scene, scene->player, WIRE_PLAYER, MSG_play_error)->play_error;

	assert_int_equal(msg->error, error);
}

static void expect_closed(struct scene *scene, uint32_t number, uint32_t chunks)
{
	const struct msg_playback_closed *msg =
		&hear(scene, scene->broker, WIRE_BROKER, MSG_playback_closed)->playback_closed;

	assert_int_equal(msg->playback, number);
	assert_int_equal(msg->chunks, chunks);
}

/* ---- tests ------------------------------------------------------------------------------ */

static void sealed_until_the_passphrase(void **state)
{
	struct scene *scene = *state;

	link_broker(scene);
	/* The certificate can be shown all the same. */
	assert_int_equal(hear_state(scene, 0, OK, VAULT_SEALED)->certificate.len,
			 scene->ours.certificate.len);
	open_recording(scene, 1);
	expect_opened(scene, 1, ERR_LOCKED, 0);
	unseal(scene, 2, "wrong wrong");
	hear_state(scene, 2, ERR_LOGIN, VAULT_SEALED);
	unseal(scene, 3, FILM_PASSPHRASE);
	assert_int_equal(hear_state(scene, 3, OK, VAULT_OPEN)->csr.len, 0);
	say(scene, MSG_vault_init,
	    &(struct msg_vault_init){ .request = 4, .passphrase = FILM_PASSPHRASE });
	hear_state(scene, 4, ERR_EXISTS, VAULT_OPEN);
}

static const struct msg_vault_root *hear_root(struct scene *scene)
{
	return &hear(scene, scene->broker, WIRE_BROKER, MSG_vault_root)->vault_root;
}

static void passphrases_are_not_guessed(void **state)
{
	struct scene *scene = *state;

	link_broker(scene);
	hear_state(scene, 0, OK, VAULT_SEALED);
	for (uint32_t i = 1; i <= TRIES_FREE; i++) {
		unseal(scene, i, "wrong wrong");
		assert_int_equal(hear_root(scene)->failed, i);
		hear(scene, scene->broker, WIRE_BROKER, MSG_vault_state);
	}
	unseal(scene, 99, FILM_PASSPHRASE);
	assert_true(hear_root(scene)->wait_s > 0);
	assert_err(hear(scene, scene->broker, WIRE_BROKER, MSG_vault_state)->vault_state.error,
		   ERR_THROTTLED);
}

static void change(struct scene *scene, uint32_t request, enum vault_act act, const char *first,
		   const char *second)
{
	say(scene, MSG_vault_change,
	    &(struct msg_vault_change){ .request = request,
					.order = (uint8_t)act,
					.passphrase = first,
					.second = second,
					.sheet1 = "",
					.sheet2 = "" });
}

static const struct msg_vault_answer *hear_answer(struct scene *scene, uint32_t request)
{
	const struct msg_vault_answer *msg =
		&hear(scene, scene->broker, WIRE_BROKER, MSG_vault_answer)->vault_answer;

	assert_int_equal(msg->request, request);
	return msg;
}

/* What an order gives comes before it is said to be done, and once. */
static void changes_are_answered(void **state)
{
	struct scene *scene = *state;
	const char *newline;

	link_broker(scene);
	hear_state(scene, 0, OK, VAULT_SEALED);
	change(scene, 1, VAULT_SHEETS, FILM_PASSPHRASE, "");
	assert_int_equal(strlen(hear_answer(scene, 1)->secret), SHARES * SHARES_SHEET_TEXT);
	newline = strchr(scene->got.msg.vault_answer.secret, '\n');
	assert_int_equal(newline - scene->got.msg.vault_answer.secret, TYPED_ROW);
	assert_int_equal(hear_root(scene)->generation, 2);
	assert_true(scene->got.msg.vault_root.sheets > 0);
	assert_int_equal(scene->got.msg.vault_root.machine, 0);
	hear(scene, scene->broker, WIRE_BROKER, MSG_vault_state);
	change(scene, 2, VAULT_MACHINE, FILM_PASSPHRASE, "");
	assert_non_null(strstr(hear_answer(scene, 2)->secret, "sekisho-machine-"));
	hear_state(scene, 2, OK, VAULT_OPEN);
	change(scene, 3, VAULT_ROTATE, FILM_PASSPHRASE, "");
	assert_string_equal(hear_answer(scene, 3)->secret, "");
	hear_state(scene, 3, OK, VAULT_OPEN);
	change(scene, 4, VAULT_PASSPHRASE, FILM_PASSPHRASE, "short");
	hear_answer(scene, 4);
	hear_state(scene, 4, ERR_INVALID, VAULT_OPEN);
	change(scene, 5, 77, FILM_PASSPHRASE, "");
	hear_answer(scene, 5);
	hear_state(scene, 5, ERR_INVALID, VAULT_OPEN);
	change(scene, 6, VAULT_TOKEN, FILM_PASSPHRASE, "1234");
	hear_answer(scene, 6);
	hear_state(scene, 6, ERR_UNAVAILABLE, VAULT_OPEN);
}

static void a_new_key_asks_for_its_certificate(void **state)
{
	struct scene *scene = *state;
	_cleanup_buf_ struct buf der;

	vault_finish(&scene->vault);
	unit_folder(scene->ours.folder);
	assert_ok(vault_init(&scene->vault, scene->loop, scene->ours.folder, -1));
	link_broker(scene);
	hear_state(scene, 0, OK, VAULT_EMPTY);
	unseal(scene, 1, FILM_PASSPHRASE);
	hear_state(scene, 1, ERR_NOT_FOUND, VAULT_EMPTY);
	say(scene, MSG_vault_init, &(struct msg_vault_init){ .request = 2, .passphrase = "brief" });
	hear_state(scene, 2, ERR_INVALID, VAULT_EMPTY);
	say(scene, MSG_vault_init,
	    &(struct msg_vault_init){ .request = 3, .passphrase = FILM_PASSPHRASE });
	hear(scene, scene->broker, WIRE_BROKER, MSG_vault_answer);
	assert_true(hear_state(scene, 3, OK, VAULT_OPEN)->csr.len > 0);
	say(scene, MSG_vault_certificate,
	    &(struct msg_vault_certificate){
		    .request = 4,
		    .certificate = { scene->ours.certificate.data, scene->ours.certificate.len } });
	assert_true(hear_state(scene, 4, ERR_INVALID, VAULT_OPEN)->csr.len > 0);
	buf_init(&der, HOUSE_CERTIFICATE_MAX);
	film_certify(scene->vault.house.key, &der);
	say(scene, MSG_vault_certificate,
	    &(struct msg_vault_certificate){ .request = 5, .certificate = { der.data, der.len } });
	assert_int_equal(hear_state(scene, 5, OK, VAULT_OPEN)->csr.len, 0);
}

/* As the monitor hands it over: the vault opens by itself, and takes no other for a new key. */
static void a_passphrase_in_a_file(void **state)
{
	static const struct {
		const char *text;
		enum vault_state state;
	} files[] = {
		{ FILM_PASSPHRASE "\n", VAULT_OPEN },
		{ FILM_PASSPHRASE, VAULT_OPEN },
		{ "another one\n", VAULT_SEALED },
		{ "", VAULT_SEALED },
		{ FILM_PASSPHRASE "\nand more\n", VAULT_SEALED },
	};
	struct scene *scene = *state;
	char path[UNIT_FILE], empty[UNIT_FOLDER];

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		int fd = unit_file(path);

		assert_int_equal(write(fd, files[i].text, strlen(files[i].text)),
				 (ssize_t)strlen(files[i].text));
		vault_finish(&scene->vault);
		assert_ok(vault_init(&scene->vault, scene->loop, scene->ours.folder, fd));
		assert_int_equal(root_state(&scene->vault.root), files[i].state);
	}
	int fd = unit_file(path);
	assert_int_equal(write(fd, FILM_PASSPHRASE, strlen(FILM_PASSPHRASE)),
			 (ssize_t)strlen(FILM_PASSPHRASE));
	vault_finish(&scene->vault);
	unit_folder(empty);
	assert_ok(vault_init(&scene->vault, scene->loop, empty, fd));
	link_broker(scene);
	hear_state(scene, 0, OK, VAULT_EMPTY);
	say(scene, MSG_vault_init,
	    &(struct msg_vault_init){ .request = 1, .passphrase = "not that one" });
	hear_state(scene, 1, ERR_LOGIN, VAULT_EMPTY);
	say(scene, MSG_vault_init,
	    &(struct msg_vault_init){ .request = 2, .passphrase = FILM_PASSPHRASE });
	hear_answer(scene, 2);
	hear_state(scene, 2, OK, VAULT_OPEN);
}

static void from_the_opening_to_the_end(void **state)
{
	struct scene *scene = *state;

	begin(scene);
	open_recording(scene, 7);
	expect_opened(scene, 7, OK, VERDICT_GREEN);
	open_recording(scene, 7);
	expect_opened(scene, 7, ERR_EXISTS, 0);
	watch(scene, 7);
	assert_ok(ipc_send(scene->player, MSG_play_chunk, &(struct msg_play_chunk){ .sequence = 2 },
			   -1));
	hear(scene, scene->player, WIRE_PLAYER, MSG_play_data);
	hear(scene, scene->player, WIRE_PLAYER, MSG_play_data);
	hear(scene, scene->broker, WIRE_BROKER, MSG_playback_progress);
	say(scene, MSG_playback_close, &(struct msg_playback_close){ .playback = 7 });
	expect_player_error(scene, PLAY_ENDED);
	expect_closed(scene, 7, 1);
	/* What is over, or never was, costs a stream and no more. */
	say(scene, MSG_playback_close, &(struct msg_playback_close){ .playback = 7 });
	int pair[2];
	char byte;
	assert_ok(ipc_pair(pair));
	assert_ok(ipc_send(scene->broker, MSG_playback_viewer,
			   &(struct msg_playback_viewer){ .playback = 7 }, pair[0]));
	close(pair[0]);
	for (int i = 0; i < 3; i++)
		assert_ok(loop_step(scene->loop, 5));
	assert_int_equal(recv(pair[1], &byte, 1, MSG_DONTWAIT), 0);
	close(pair[1]);
}

/* What the broker knows comes first, and closes what had opened by itself. */
static void an_older_seal_is_closed(void **state)
{
	struct scene *scene = *state;
	const struct msg_record_notice *msg;

	begin(scene);
	say(scene, MSG_vault_floor, &(struct msg_vault_floor){ .generation = 1 });
	open_recording(scene, 1);
	expect_opened(scene, 1, OK, VERDICT_GREEN);
	watch(scene, 1);
	say(scene, MSG_vault_floor, &(struct msg_vault_floor){ .generation = 2 });
	expect_player_error(scene, PLAY_SEALED);
	expect_closed(scene, 1, 0);
	msg = &hear(scene, scene->broker, WIRE_BROKER, MSG_record_notice)->record_notice;
	assert_string_equal(msg->event, "vault-rolled-back");
	assert_memory_equal(msg->detail.data, "{\"generation\":1,\"known\":2}", msg->detail.len);
	hear_state(scene, 0, OK, VAULT_SEALED);
	unseal(scene, 2, FILM_PASSPHRASE);
	hear_state(scene, 2, ERR_EXPIRED, VAULT_SEALED);
	open_recording(scene, 2);
	expect_opened(scene, 2, ERR_LOCKED, 0);
}

static void sealing_ends_all(void **state)
{
	struct scene *scene = *state;

	begin(scene);
	open_recording(scene, 1);
	expect_opened(scene, 1, OK, VERDICT_GREEN);
	watch(scene, 1);
	say(scene, MSG_vault_seal, &(struct msg_vault_seal){ .request = 5 });
	expect_player_error(scene, PLAY_SEALED);
	expect_closed(scene, 1, 0);
	hear_state(scene, 5, OK, VAULT_SEALED);
	open_recording(scene, 2);
	expect_opened(scene, 2, ERR_LOCKED, 0);
}

/* Nobody is there to say that a right was taken away. */
static void nothing_is_shown_without_a_broker(void **state)
{
	struct scene *scene = *state;

	begin(scene);
	open_recording(scene, 1);
	expect_opened(scene, 1, OK, VERDICT_GREEN);
	watch(scene, 1);
	util_closep(&scene->broker);
	scene->broker = -1;
	expect_player_error(scene, PLAY_ENDED);
	assert_null(scene->vault.playbacks);
	/* It stays open for the next broker. */
	link_broker(scene);
	hear_state(scene, 0, OK, VAULT_OPEN);
}

static void only_so_many(void **state)
{
	struct scene *scene = *state;

	begin(scene);
	for (uint32_t i = 1; i <= VAULT_PLAYBACKS_MAX; i++) {
		open_recording(scene, i);
		expect_opened(scene, i, OK, VERDICT_GREEN);
	}
	open_recording(scene, 99);
	expect_opened(scene, 99, ERR_FULL, 0);
	say(scene, MSG_playback_close, &(struct msg_playback_close){ .playback = 3 });
	expect_closed(scene, 3, 0);
	open_recording(scene, 99);
	expect_opened(scene, 99, OK, VERDICT_GREEN);
}

int main(void)
{
#define scene_test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		scene_test(sealed_until_the_passphrase),
		scene_test(passphrases_are_not_guessed),
		scene_test(changes_are_answered),
		scene_test(a_new_key_asks_for_its_certificate),
		scene_test(a_passphrase_in_a_file),
		scene_test(from_the_opening_to_the_end),
		scene_test(an_older_seal_is_closed),
		scene_test(sealing_ends_all),
		scene_test(nothing_is_shown_without_a_broker),
		scene_test(only_so_many),
	};

	return house_prepare() ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
