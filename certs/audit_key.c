#include "certs/audit_key.h"

#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

#include "base/log.h"
#include "base/util.h"
#include "certs/cleanup.h"
#include "certs/key_file.h"

enum { VKEY_MODE = 0644, NOTE_MODE = 0644 };

static enum err file_in(const char *folder, const char *name, char path[CA_PATH])
{
	return ca_path(path, "%s/%s", folder, name);
}

/* ---- reading ---------------------------------------------------------------------------- */

static enum err read_text(const char *folder, const char *name, char **ret_text, size_t *ret_len)
{
	char path[CA_PATH];
	enum err err = file_in(folder, name, path);

	return err ? err : util_read_file(path, NOTE_MAX, ret_text, ret_len);
}

static enum err read_key(struct audit_key *audit)
{
	_cleanup_free_ char *text = NULL;
	size_t len;
	enum err err = read_text(audit->folder, "vkey", &text, &len);

	return err ? err : note_key_parse(text, &audit->key);
}

/* What was signed last must be our own, or nothing more is signed. */
static enum err read_last(struct audit_key *audit)
{
	_cleanup_free_ char *text = NULL;
	size_t len;
	enum err err = read_text(audit->folder, "checkpoint", &text, &len);

	if (!err)
		err = checkpoint_open(text, len, &audit->key, &audit->last);
	if (err)
		return err;
	buf_clear(&audit->note);
	return buf_add(&audit->note, text, len);
}

static bool is_locked(enum err err)
{
	return err == ERR_LOCKED || err == ERR_LOGIN;
}

static enum err read_private(struct audit_key *audit, const struct secret *passphrase)
{
	_cleanup_object_(pkey) EVP_PKEY *private = NULL;
	struct note_key key;
	char path[CA_PATH];
	bool sealed = false;
	enum err err = file_in(audit->folder, "key.pem", path);

	if (!err)
		err = key_read(path, passphrase, &private);
	if (!err)
		err = note_key_of(audit->key.name, private, &key);
	if (!err && memcmp(key.public, audit->key.public, NOTE_PUBLIC) != 0)
		err = ERR_CRYPTO;
	if (!err && passphrase)
		err = key_seal(path, passphrase, &sealed);
	if (err)
		return err;
	if (sealed)
		log_info("audit-key-encrypted", "reason=\"it was in the clear\"");
	audit->private = util_take_ptr(private);
	return OK;
}

static void take_up(struct audit_key *audit, const struct secret *passphrase)
{
	enum err err = read_key(audit);

	if (!err)
		err = read_last(audit);
	if (!err) {
		audit->is_there = true;
		err = read_private(audit, passphrase);
	}
	if (is_locked(err))
		log_warn("audit-key-locked", "error=%s hint=\"sekisho ca unlock\"", err_code(err));
	else if (err)
		log_error("audit-key-damaged", "folder=\"%s\" error=%s hint=\"docs/audit.md\"",
			  audit->folder, err_code(err));
}

/* ---- making ----------------------------------------------------------------------------- */

static enum err write_text(const char *folder, const char *name, const void *text, size_t len,
			   unsigned mode)
{
	char path[CA_PATH];
	enum err err = file_in(folder, name, path);

	return err ? err : util_write_file(path, text, len, mode);
}

/* The first checkpoint is of nothing: without a memory there is no signing. */
static enum err write_all(const struct note_key *key, EVP_PKEY *private,
			  const struct secret *passphrase, const char *folder)
{
	struct checkpoint nothing = { .size = 0 };
	char text[NOTE_KEY_TEXT], path[CA_PATH];
	_cleanup_buf_ struct buf line;
	_cleanup_buf_ struct buf note;
	enum err err = file_in(folder, "key.pem", path);

	buf_init(&note, NOTE_MAX);
	buf_init(&line, NOTE_MAX);
	if (!err)
		err = note_key_format(key, text);
	if (!err)
		err = buf_printf(&line, "%s\n", text);
	if (!err && EVP_Digest("", 0, nothing.root, NULL, EVP_sha256(), NULL) != 1)
		err = ERR_CRYPTO;
	if (!err)
		err = checkpoint_sign(&nothing, key, private, &note);
	if (err)
		return err;
	err = key_write(private, passphrase, path);
	if (!err)
		err = write_text(folder, "vkey", line.data, line.len, VKEY_MODE);
	return err ? err : write_text(folder, "checkpoint", note.data, note.len, NOTE_MODE);
}

static enum err make(struct audit_key *audit, const struct secret *passphrase)
{
	_cleanup_object_(pkey) EVP_PKEY *private = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	struct note_key key;
	char fresh[CA_PATH];
	enum err err = private ? ca_path(fresh, "%s.new", audit->folder) : ERR_CRYPTO;

	if (!err)
		err = note_key_of(audit->name, private, &key);
	if (!err)
		err = ca_folder_fresh(fresh);
	if (!err)
		err = write_all(&key, private, passphrase, fresh);
	return err ? err : ca_folder_commit(fresh, audit->folder);
}

static void make_and_take_up(struct audit_key *audit, const struct secret *passphrase)
{
	enum err err = make(audit, passphrase);

	if (err) {
		log_error("audit-key-not-made", "folder=\"%s\" error=%s", audit->folder,
			  err_code(err));
		return;
	}
	log_info("audit-key-made", "folder=\"%s\"", audit->folder);
	take_up(audit, passphrase);
}

/* What may not be in a key's name becomes a hyphen. */
static void set_name(struct audit_key *audit, const char *gateway_name)
{
	snprintf(audit->name, sizeof(audit->name), "%.256s/sekisho-audit", gateway_name);
	for (char *at = audit->name; *at; at++)
		if ((uint8_t)*at <= ' ' || *at == '+' || (uint8_t)*at >= 0x7f)
			*at = '-';
}

static bool has_folder(const struct audit_key *audit)
{
	struct stat status;

	return lstat(audit->folder, &status) == 0;
}

enum err audit_key_open(struct audit_key *audit, const char *folder, const char *gateway_name,
			const struct secret *passphrase, bool may_make)
{
	*audit = (struct audit_key){ .is_there = false };
	buf_init(&audit->note, NOTE_MAX);
	enum err err = ca_path(audit->folder, "%s/audit", folder);
	if (err)
		return err;
	set_name(audit, gateway_name);
	if (has_folder(audit))
		take_up(audit, passphrase);
	else if (may_make)
		make_and_take_up(audit, passphrase);
	return OK;
}

void audit_key_finish(struct audit_key *audit)
{
	EVP_PKEY_free(audit->private);
	buf_finish(&audit->note);
	*audit = (struct audit_key){ .is_there = false };
}

void audit_key_follow(struct audit_key *audit, const struct secret *passphrase, bool is_new)
{
	char path[CA_PATH];
	enum err err;

	if (!audit->is_there && !has_folder(audit)) {
		make_and_take_up(audit, passphrase);
		return;
	}
	if (!audit->private) {
		take_up(audit, passphrase);
		return;
	}
	if (!is_new || !passphrase)
		return;
	err = file_in(audit->folder, "key.pem", path);
	if (!err)
		err = key_write(audit->private, passphrase, path);
	if (err)
		log_error("audit-key-not-encrypted", "folder=\"%s\" error=%s", audit->folder,
			  err_code(err));
}

/* ---- signing ---------------------------------------------------------------------------- */

static enum err read_proof(struct bytes bytes, struct tree_proof *ret)
{
	if (bytes.len % TREE_HASH || bytes.len / TREE_HASH > TREE_PROOF_MAX)
		return ERR_INVALID;
	ret->count = bytes.len / TREE_HASH;
	if (bytes.len)
		memcpy(ret->hash, bytes.data, bytes.len);
	return OK;
}

static enum err check_order(const struct audit_key *audit, const struct msg_sign_checkpoint *order)
{
	const struct checkpoint *last = &audit->last;
	struct tree_proof proof;
	enum err err = read_proof(order->proof, &proof);

	if (!err && order->old != last->size)
		err = ERR_WRONG_STATE;
	if (err)
		return err;
	if (tree_is_consistent(last->size, order->size, last->root, order->root, &proof))
		return OK;
	log_error("audit-contradiction",
		  "signed=%" PRIu64 " asked=%" PRIu64 " hint=\"sekisho audit verify\"", last->size,
		  order->size);
	return ERR_DENIED;
}

static enum err sign(struct audit_key *audit, const struct checkpoint *checkpoint)
{
	struct buf note;
	enum err err;

	buf_init(&note, NOTE_MAX);
	err = checkpoint_sign(checkpoint, &audit->key, audit->private, &note);
	/* Remembered before anybody has it. */
	if (!err)
		err = write_text(audit->folder, "checkpoint", note.data, note.len, NOTE_MODE);
	if (err) {
		buf_finish(&note);
		return err;
	}
	buf_finish(&audit->note);
	audit->note = note;
	audit->last = *checkpoint;
	return OK;
}

enum err audit_key_sign(struct audit_key *audit, const struct msg_sign_checkpoint *order,
			uint64_t mono_ms)
{
	struct checkpoint checkpoint = { .size = order->size };
	int64_t wait_ms;
	enum err err = bucket_take(&audit->signs, AUDIT_KEY_SIGNS_PER_MINUTE, mono_ms, &wait_ms);

	if (!err && !audit->private)
		err = ERR_LOCKED;
	if (!err)
		err = check_order(audit, order);
	if (err || order->size == audit->last.size)
		return err;
	memcpy(checkpoint.root, order->root, TREE_HASH);
	return sign(audit, &checkpoint);
}
