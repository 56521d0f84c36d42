#include "vault/vault.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/util.h"
#include "certs/signer_start.h"

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

/* ---- recordings --------------------------------------------------------------------------------
 */

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

/* ---- the house key -----------------------------------------------------------------------------
 */

static void send_state(struct vault *vault, uint32_t request, enum err result)
{
	_cleanup_buf_ struct buf certificate, csr;
	struct msg_vault_state state = { .request = request,
					 .state = (uint8_t)house_state(&vault->house) };
	enum err err;

	buf_init(&certificate, HOUSE_CERTIFICATE_MAX);
	buf_init(&csr, HOUSE_CSR_MAX);
	err = house_certificate(&vault->house, &certificate);
	if (!err && house_wants_certificate(&vault->house, clock_wall_s()))
		err = house_csr(&vault->house, &csr);
	state.error = (uint8_t)(result ? result : err);
	state.certificate = (struct bytes){ certificate.data, certificate.len };
	state.csr = (struct bytes){ csr.data, csr.len };
	send_to_broker(vault, MSG_vault_state, &state);
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

static enum err init(struct vault *vault, const char *text)
{
	_cleanup_secret_ struct secret *passphrase = NULL;
	enum err err = secret_new(text, strlen(text), &passphrase);

	if (!err)
		err = check_file(vault, passphrase);
	return err ? err : house_init(&vault->house, passphrase);
}

static enum err unseal(struct vault *vault, const char *text)
{
	_cleanup_secret_ struct secret *passphrase = NULL;
	int64_t wait_ms;
	enum err err =
		bucket_take(&vault->tries, VAULT_TRIES_PER_MINUTE, clock_mono_ms(), &wait_ms);

	if (!err)
		err = secret_new(text, strlen(text), &passphrase);
	return err ? err : house_unseal(&vault->house, passphrase);
}

static void answer_change(struct vault *vault, uint32_t request, const char *what, enum err err)
{
	if (err)
		log_warn("vault-refused", "order=%s error=%s", what, err_code(err));
	else
		log_info("vault-changed", "order=%s state=%s", what,
			 vault_state_code(house_state(&vault->house)));
	send_state(vault, request, err);
}

static void seal(struct vault *vault)
{
	end_all(vault, PLAY_SEALED);
	house_seal(&vault->house);
}

/* ---- the broker --------------------------------------------------------------------------------
 */

static void house_message(struct vault *vault, const struct wire_type *type,
			  const union wire_any *msg)
{
	switch (type->id) {
	case MSG_vault_init:
		answer_change(vault, msg->vault_init.request, "init",
			      init(vault, msg->vault_init.passphrase));
		break;
	case MSG_vault_unseal:
		answer_change(vault, msg->vault_unseal.request, "unseal",
			      unseal(vault, msg->vault_unseal.passphrase));
		break;
	case MSG_vault_seal:
		seal(vault);
		answer_change(vault, msg->vault_seal.request, "seal", OK);
		break;
	case MSG_vault_certificate:
		answer_change(
			vault, msg->vault_certificate.request, "certificate",
			house_set_certificate(&vault->house, msg->vault_certificate.certificate));
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
	else if (type->id == MSG_playback_close)
		close_playback(vault, &msg->playback_close);
	else
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
}

static const struct channel_ops broker_ops = { broker_message, broker_closed };

enum err vault_link(struct vault *vault, int fd)
{
	channel_free(util_take_ptr(vault->broker));
	end_all(vault, PLAY_ENDED);
	enum err err = channel_new(vault->loop, fd, WIRE_VAULT, WIRE_BROKER, &broker_ops, vault,
				   &vault->broker);
	if (!err)
		send_state(vault, 0, OK);
	return err;
}

/* ---- life --------------------------------------------------------------------------------------
 */

static void unseal_by_file(struct vault *vault)
{
	_cleanup_secret_ struct secret *passphrase = NULL;
	enum err err = signer_passphrase_of(vault->passphrase_fd, false, &passphrase);

	if (!err)
		err = house_unseal(&vault->house, passphrase);
	if (err)
		log_error("vault-passphrase-file", "error=%s hint=\"sekisho vault unseal\"",
			  err_code(err));
}

enum err vault_init(struct vault *vault, struct loop *loop, const char *folder, int passphrase_fd)
{
	*vault = (struct vault){ .loop = loop, .passphrase_fd = passphrase_fd };
	enum err err = house_open(&vault->house, folder);

	if (err)
		return err;
	if (passphrase_fd >= 0 && house_state(&vault->house) == VAULT_SEALED)
		unseal_by_file(vault);
	log_info("vault-state", "state=%s", vault_state_code(house_state(&vault->house)));
	return OK;
}

void vault_finish(struct vault *vault)
{
	while (vault->playbacks)
		entry_free(vault->playbacks);
	channel_free(vault->broker);
	house_finish(&vault->house);
	util_closep(&vault->passphrase_fd);
}
