#include "vault/vault.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/util.h"
#include "certs/signer_start.h"
#include "vault/document_upload.h"

enum { NOTICE_DETAIL = 4096 };

/* One that an auditor has opened. */
struct vault_playback {
	struct vault_playback *next;
	struct vault *vault;
	struct playback *playback;
};

static void send_to_broker(struct vault *vault, uint16_t id, const void *msg)
{
	enum err err = vault->broker ? channel_send(vault->broker, id, msg, -1) : ERR_CLOSED;

	if (err)
		log_warn("answer-lost", "error=%s", err_code(err));
}

/* ---- recordings ------------------------------------------------------------------------- */

static void playback_was_opened(void *ctx, struct playback *playback, enum err err,
				enum verdict verdict)
{
	struct vault_playback *entry = ctx;
	const struct msg_playback_opened msg = { .playback = playback_number(playback),
						 .error = (uint8_t)err,
						 .verdict = (uint8_t)(err ? 0 : verdict) };

	send_to_broker(entry->vault, MSG_playback_opened, &msg);
}

static void entry_free(struct vault_playback *entry)
{
	struct vault_playback **link = &entry->vault->playbacks;

	while (*link != entry)
		link = &(*link)->next;
	*link = entry->next;
	playback_free(entry->playback);
	free(entry);
}

static void playback_was_closed(void *ctx, struct playback *playback)
{
	struct vault_playback *entry = ctx;
	const struct msg_playback_closed msg = { .playback = playback_number(playback),
						 .chunks = playback_chunks(playback) };

	log_info("playback-closed", "playback=%u chunks=%u", msg.playback, msg.chunks);
	send_to_broker(entry->vault, MSG_playback_closed, &msg);
	entry_free(entry);
}

static void playback_goes_on(void *ctx, struct playback *playback)
{
	struct vault_playback *entry = ctx;
	const struct msg_playback_progress msg = { .playback = playback_number(playback),
						   .chunks = playback_chunks(playback) };

	send_to_broker(entry->vault, MSG_playback_progress, &msg);
}

static const struct playback_ops playback_ops = { playback_was_opened, playback_goes_on,
						  playback_was_closed };

static struct vault_playback *find(struct vault *vault, uint32_t number)
{
	struct vault_playback *entry = vault->playbacks;

	while (entry && playback_number(entry->playback) != number)
		entry = entry->next;
	return entry;
}

static size_t count(const struct vault *vault)
{
	size_t found = 0;

	for (const struct vault_playback *at = vault->playbacks; at; at = at->next)
		found++;
	return found;
}

static enum err open_playback(struct vault *vault, const struct msg_playback_open *msg, int fd)
{
	_cleanup_close_ int owned = fd;
	struct vault_playback *entry;

	if (!vault->house.key)
		return ERR_LOCKED;
	if (find(vault, msg->playback))
		return ERR_EXISTS;
	if (count(vault) >= VAULT_PLAYBACKS_MAX)
		return ERR_FULL;
	entry = calloc(1, sizeof(*entry));
	if (!entry)
		return ERR_NOMEM;
	entry->vault = vault;
	enum err err = playback_new(vault->loop, &vault->house, msg, util_take_fd(&owned),
				    &playback_ops, entry, &entry->playback);
	if (err) {
		free(entry);
		return err;
	}
	entry->next = vault->playbacks;
	vault->playbacks = entry;
	return OK;
}

static void answer_open(struct vault *vault, const struct msg_playback_open *msg, int fd)
{
	char session[2 * WIRE_SESSION_ID + 1];
	enum err err = open_playback(vault, msg, fd);

	util_hex(msg->session, sizeof(msg->session), session);
	log_info("playback-open", "playback=%u session=%s result=%s", msg->playback, session,
		 err ? err_code(err) : "ok");
	if (!err)
		return;
	const struct msg_playback_opened refused = { .playback = msg->playback,
						     .error = (uint8_t)err };
	send_to_broker(vault, MSG_playback_opened, &refused);
}

static void attach(struct vault *vault, const struct msg_playback_viewer *msg, int fd)
{
	struct vault_playback *entry = find(vault, msg->playback);
	enum err err = ERR_NOT_FOUND;

	if (entry)
		err = playback_attach(entry->playback, fd);
	else
		close(fd);
	if (err)
		log_warn("playback-attach", "playback=%u error=%s", msg->playback, err_code(err));
}

static void close_playback(struct vault *vault, const struct msg_playback_close *msg)
{
	struct vault_playback *entry = find(vault, msg->playback);

	if (entry)
		playback_end(entry->playback, PLAY_ENDED);
}

static void end_all(struct vault *vault, enum play_error why)
{
	while (vault->playbacks)
		playback_end(vault->playbacks->playback, why);
}

/* ---- the seal --------------------------------------------------------------------------- */

static void send_root(struct vault *vault)
{
	const struct root *root = &vault->root;
	const struct root_file *file = &root->file;
	uint64_t wait_ms = tries_wait_ms(&root->tries, clock_mono_ms());
	struct msg_vault_root msg = { .failed = (uint32_t)root->tries.failed,
				      .wait_s = (uint32_t)((wait_ms + 999) / 1000) };

	if (root->made && !root->damaged) {
		msg.generation = (uint64_t)file->generation;
		msg.made = (uint64_t)file->made_s;
		msg.sheets = (uint64_t)file->sheets.made_s;
		msg.machine = (uint64_t)file->machine.made_s;
		msg.token = (uint64_t)file->token.made_s;
		memcpy(msg.set, file->shares.set, sizeof(msg.set));
	}
	send_to_broker(vault, MSG_vault_root, &msg);
}

static void send_state(struct vault *vault, uint32_t request, enum err result)
{
	_cleanup_buf_ struct buf certificate, csr;
	struct msg_vault_state state = { .request = request,
					 .state = (uint8_t)root_state(&vault->root) };
	enum err err;

	buf_init(&certificate, HOUSE_CERTIFICATE_MAX);
	buf_init(&csr, HOUSE_CSR_MAX);
	err = house_certificate(&vault->house, &certificate);
	if (!err && house_wants_certificate(&vault->house, clock_wall_s()))
		err = house_csr(&vault->house, &csr);
	state.error = (uint8_t)(result ? result : err);
	state.certificate = (struct bytes){ certificate.data, certificate.len };
	state.csr = (struct bytes){ csr.data, csr.len };
	send_root(vault);
	send_to_broker(vault, MSG_vault_state, &state);
}

/* What the order gave, which is said this once. */
static void send_answer(struct vault *vault, uint32_t request, const struct secret *secret,
			unsigned number)
{
	const struct msg_vault_answer msg = { .request = request,
					      .secret = secret ? secret_text(secret) : "",
					      .number = (uint8_t)number };

	send_to_broker(vault, MSG_vault_answer, &msg);
}

/* At the next start the file has to fit. */
static enum err check_file(const struct vault *vault, const struct secret *passphrase)
{
	_cleanup_secret_ struct secret *filed = NULL;

	if (vault->passphrase_fd < 0)
		return OK;
	enum err err = signer_passphrase_of(vault->passphrase_fd, false, &filed);
	if (err)
		return err;
	return secret_len(filed) == secret_len(passphrase) &&
			       secret_equal(secret_text(filed), secret_text(passphrase),
					    secret_len(filed))
		       ? OK
		       : ERR_LOGIN;
}

static enum err init(struct vault *vault, const struct msg_vault_init *msg)
{
	_cleanup_secret_ struct secret *passphrase = NULL, *sheets = NULL;
	enum err err = secret_new(msg->passphrase, strlen(msg->passphrase), &passphrase);

	if (!err)
		err = check_file(vault, passphrase);
	if (!err)
		err = root_init(&vault->root, passphrase, &sheets);
	if (!err)
		send_answer(vault, msg->request, sheets, 0);
	return err;
}

static enum err unseal(struct vault *vault, const char *text)
{
	_cleanup_secret_ struct secret *passphrase = NULL;
	enum err err = secret_new(text, strlen(text), &passphrase);

	return err ? err : root_unseal(&vault->root, passphrase);
}

static enum err change(struct vault *vault, const struct msg_vault_change *msg)
{
	_cleanup_secret_ struct secret *passphrase = NULL, *second = NULL;
	struct root_order order = { .order = msg->order, .sheets = { msg->sheet1, msg->sheet2 } };
	struct root_answer answer = { 0 };
	enum err err = secret_new(msg->passphrase, strlen(msg->passphrase), &passphrase);

	if (!err)
		err = secret_new(msg->second, strlen(msg->second), &second);
	order.passphrase = passphrase;
	order.second = second;
	if (!err)
		err = root_change(&vault->root, &order, &answer);
	send_answer(vault, msg->request, answer.secret, answer.number);
	secret_free(answer.secret);
	return err;
}

static void close_records(struct vault *vault)
{
	desk_clear(&vault->desk);
	document_streams_close_all(&vault->documents.streams, DOCUMENT_END_SEALED);
	records_seal(&vault->records);
}

/* The records are open while the root key is there, with the key that counts. */
static void follow_seal(struct vault *vault)
{
	struct records *records = &vault->records;
	const struct root *root = &vault->root;
	enum err err = OK;

	if (!root->key) {
		close_records(vault);
	} else if (!records->db) {
		err = records_open(records, root->key, root->file.generation);
		if (!err && documents_sweep(&vault->documents, records))
			log_warn("documents-sweep", "folder=\"%s\"", vault->documents.folder);
	} else if (records->keyring.generation != root->file.generation) {
		err = keyring_take_root(&records->keyring, root->key, root->file.generation);
		/* What would be written under the one before could not be read again. */
		if (records->keyring.generation != root->file.generation)
			close_records(vault);
	}
	if (err)
		log_error("vault-records", "folder=\"%s\" error=%s", root->folder, err_code(err));
}

static void answer_change(struct vault *vault, uint32_t request, const char *what, enum err err)
{
	if (err)
		log_warn("vault-refused", "order=%s error=%s failed=%lld", what, err_code(err),
			 (long long)vault->root.tries.failed);
	else
		log_info("vault-changed", "order=%s state=%s generation=%lld", what,
			 vault_state_code(root_state(&vault->root)),
			 (long long)vault->root.file.generation);
	follow_seal(vault);
	send_state(vault, request, err);
}

static void seal(struct vault *vault)
{
	end_all(vault, PLAY_SEALED);
	root_seal(&vault->root);
}

/* ---- records ---------------------------------------------------------------------------- */

static void send_for_desk(void *ctx, uint16_t id, const void *msg)
{
	send_to_broker(ctx, id, msg);
}

static void notice(void *ctx, const char *event, const json_t *detail)
{
	char text[NOTICE_DETAIL];
	size_t len = json_dumpb(detail, text, sizeof(text), JSON_COMPACT);
	const struct msg_record_notice msg = {
		.event = event,
		.detail = { (const uint8_t *)text, len > sizeof(text) ? 0 : len },
	};

	send_to_broker(ctx, MSG_record_notice, &msg);
}

/* An old root.json was put back, with what opened it then. */
static void outdated(struct vault *vault)
{
	const struct root *root = &vault->root;
	const json_int_t generation = root->file.generation, known = root->floor;
	json_t *detail = json_pack("{s:I, s:I}", "generation", generation, "known", known);

	log_error("vault-outdated", "generation=%lld known=%lld", (long long)generation,
		  (long long)known);
	seal(vault);
	follow_seal(vault);
	notice(vault, "vault-rolled-back", detail);
	json_decref(detail);
	send_state(vault, 0, OK);
}

static void document_closed(void *ctx, uint32_t number, uint64_t bytes, enum err err)
{
	const struct vault *vault = ctx;
	const struct msg_record_stream_closed msg = { .stream = number,
						      .bytes = bytes,
						      .error = (uint8_t)err,
						      .counter = vault->records.counter };

	send_to_broker(ctx, MSG_record_stream_closed, &msg);
}

static void attach_document(struct vault *vault, const struct msg_record_stream *msg, int fd)
{
	enum err err =
		document_streams_attach(&vault->documents.streams, msg->stream, msg->who, fd);

	if (err)
		log_warn("document-attach", "stream=%u error=%s", msg->stream, err_code(err));
}

void vault_scanner(struct vault *vault, uint32_t stream, int fd)
{
	document_upload_scanner(&vault->documents.streams, stream, fd);
}

static void take_floor(struct vault *vault, const struct msg_record_floor *msg)
{
	size_t count = msg->disposed.len / sizeof(uint64_t);
	_cleanup_free_ uint64_t *disposed = calloc(count + 1, sizeof(uint64_t));
	enum err err = disposed ? OK : ERR_NOMEM;

	for (size_t i = 0; disposed && i < count; i++)
		for (size_t k = 8; k-- > 0;)
			disposed[i] = disposed[i] << 8 | msg->disposed.data[8 * i + k];
	if (!err)
		err = records_floor(&vault->records, msg->counter, disposed, count, msg->last);
	if (err)
		log_error("vault-floor", "error=%s", err_code(err));
	else
		desk_ready(&vault->desk);
}

/* Whether it was about records. */
static bool record_message(struct vault *vault, const struct wire_type *type,
			   const union wire_any *msg)
{
	switch (type->id) {
	case MSG_record_order:
		desk_order(&vault->desk, &msg->record_order);
		return true;
	case MSG_record_go:
		desk_go(&vault->desk, &msg->record_go);
		return true;
	case MSG_record_cancel:
		desk_cancel(&vault->desk, msg->record_cancel.request);
		return true;
	case MSG_record_stream_close:
		document_streams_close(&vault->documents.streams, msg->record_stream_close.stream,
				       DOCUMENT_END_ENDED);
		return true;
	case MSG_record_floor:
		take_floor(vault, &msg->record_floor);
		return true;
	default:
		return false;
	}
}

/* ---- the broker ------------------------------------------------------------------------- */

static void house_message(struct vault *vault, const struct wire_type *type,
			  const union wire_any *msg)
{
	switch (type->id) {
	case MSG_vault_init:
		answer_change(vault, msg->vault_init.request, "init",
			      init(vault, &msg->vault_init));
		break;
	case MSG_vault_unseal:
		answer_change(vault, msg->vault_unseal.request, "unseal",
			      unseal(vault, msg->vault_unseal.passphrase));
		break;
	case MSG_vault_seal:
		seal(vault);
		answer_change(vault, msg->vault_seal.request, "seal", OK);
		break;
	case MSG_vault_change:
		answer_change(vault, msg->vault_change.request,
			      vault_act_code(msg->vault_change.order),
			      change(vault, &msg->vault_change));
		break;
	case MSG_vault_certificate:
		answer_change(
			vault, msg->vault_certificate.request, "certificate",
			house_set_certificate(&vault->house, msg->vault_certificate.certificate));
		break;
	case MSG_vault_floor:
		if (root_floor(&vault->root, msg->vault_floor.generation))
			outdated(vault);
		break;
	case MSG_vault_status:
		send_state(vault, msg->vault_status.request, OK);
		break;
	default:
		log_warn("unexpected-message", "type=%s", type->name);
	}
}

static void broker_message(void *ctx, struct channel *channel, const struct wire_type *type,
			   const union wire_any *msg, int fd)
{
	struct vault *vault = ctx;

	(void)channel;
	if (type->id == MSG_playback_open)
		answer_open(vault, &msg->playback_open, fd);
	else if (type->id == MSG_playback_viewer)
		attach(vault, &msg->playback_viewer, fd);
	else if (type->id == MSG_record_stream)
		attach_document(vault, &msg->record_stream, fd);
	else if (type->id == MSG_playback_close)
		close_playback(vault, &msg->playback_close);
	else if (!record_message(vault, type, msg))
		house_message(vault, type, msg);
}

/* Nobody is there to say that an auditor lost the right: nothing is shown until there is. */
static void broker_closed(void *ctx, struct channel *channel, enum err why)
{
	struct vault *vault = ctx;

	(void)channel;
	vault->broker = NULL;
	log_info("broker-gone", "error=%s", err_code(why));
	end_all(vault, PLAY_ENDED);
	document_streams_close_all(&vault->documents.streams, DOCUMENT_END_ENDED);
	desk_clear(&vault->desk);
}

static const struct channel_ops broker_ops = { broker_message, broker_closed };

enum err vault_link(struct vault *vault, int fd)
{
	channel_free(util_take_ptr(vault->broker));
	end_all(vault, PLAY_ENDED);
	document_streams_close_all(&vault->documents.streams, DOCUMENT_END_ENDED);
	desk_clear(&vault->desk);
	records_forget_floor(&vault->records);
	enum err err = channel_new(vault->loop, fd, WIRE_VAULT, WIRE_BROKER, &broker_ops, vault,
				   &vault->broker);
	if (!err)
		send_state(vault, 0, OK);
	return err;
}

/* ---- life ------------------------------------------------------------------------------- */

static void unseal_by_file(struct vault *vault)
{
	_cleanup_secret_ struct secret *passphrase = NULL;
	enum err err = signer_passphrase_of(vault->passphrase_fd, false, &passphrase);

	if (!err)
		err = root_unseal_machine(&vault->root, passphrase);
	if (err)
		log_error("vault-passphrase-file", "error=%s hint=\"sekisho vault unseal\"",
			  err_code(err));
}

enum err vault_init(struct vault *vault, struct loop *loop, const char *folder, int passphrase_fd)
{
	*vault = (struct vault){ .loop = loop, .passphrase_fd = passphrase_fd };
	records_init(&vault->records, folder, notice, vault);
	desk_init(&vault->desk, &vault->records, loop, send_for_desk, vault);
	vault->records.documents = &vault->documents;
	vault->root.keyring = &vault->records.keyring;
	enum err err = documents_init(&vault->documents, loop, folder);
	vault->documents.streams.closed = document_closed;
	vault->documents.streams.ctx = vault;
	if (!err)
		err = house_open(&vault->house, folder);
	if (!err)
		err = root_open(&vault->root, folder, &vault->house);
	if (err)
		return err;
	if (passphrase_fd >= 0 && root_state(&vault->root) == VAULT_SEALED)
		unseal_by_file(vault);
	follow_seal(vault);
	log_info("vault-state", "state=%s generation=%lld",
		 vault_state_code(root_state(&vault->root)),
		 (long long)vault->root.file.generation);
	return OK;
}

void vault_use_token(struct vault *vault, struct token *token, const char *uri)
{
	vault->root.token = token;
	vault->root.token_uri = uri;
}

void vault_finish(struct vault *vault)
{
	while (vault->playbacks)
		entry_free(vault->playbacks);
	channel_free(vault->broker);
	document_streams_finish(&vault->documents.streams);
	desk_clear(&vault->desk);
	records_seal(&vault->records);
	root_finish(&vault->root);
	house_finish(&vault->house);
	util_closep(&vault->passphrase_fd);
}
