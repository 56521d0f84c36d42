#include "broker/checkpoint.h"

#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "broker/pki.h"

struct checkpoints {
	struct broker *broker;
	struct loop_timer timer;
	uint64_t size;   /* of what was signed last, as far as we know */
	uint64_t due_ms; /* monotonic; when one is made if anything changed */
	bool asked;      /* the signer has not answered */
	bool soon;
	bool alarmed;  /* once is enough while we run */
	enum err said; /* the error that was logged last */
	char key[NOTE_KEY_TEXT];
};

const char *checkpoint_key(const struct checkpoints *checkpoints)
{
	return checkpoints->key;
}

/* ---- alarms ----------------------------------------------------------------------------- */

/* The log is written on all the same: an office that stands still helps nobody, and what was
 * signed cannot be taken back. */
static void alarm_raise(struct checkpoints *checkpoints, const char *kind, uint64_t is_signed,
			uint64_t size)
{
	const struct audit_entry entry = {
		.event = AUDIT_EVENT_ALARM,
		.detail = json_pack("{s:s, s:I, s:I}", "kind", kind, "signed",
				    (json_int_t)is_signed, "entries", (json_int_t)size),
	};

	if (checkpoints->alarmed) {
		json_decref(entry.detail);
		return;
	}
	checkpoints->alarmed = true;
	log_error("audit-alarm",
		  "kind=%s signed=%" PRIu64 " entries=%" PRIu64 " hint=\"sekisho audit verify\"",
		  kind, is_signed, size);
	if (broker_audit(checkpoints->broker, &entry))
		log_error("audit-alarm-not-recorded", "kind=%s", kind);
}

/* ---- answers ---------------------------------------------------------------------------- */

static enum err keep(struct checkpoints *checkpoints, uint64_t size, struct bytes text)
{
	struct db *db = checkpoints->broker->db;
	_cleanup_tx_ struct db_tx tx = { 0 };
	struct audit_note note, last = { .size = -1 };
	enum err err = audit_note_last(db, &last);

	if (err && err != ERR_NOT_FOUND)
		return err;
	if (text.len > AUDIT_NOTE_MAX)
		return ERR_TOO_BIG;
	if (last.size >= (int64_t)size)
		return OK;
	note.size = (int64_t)size;
	note.time_ms = clock_wall_ms();
	memcpy(note.note, text.data, text.len);
	note.note[text.len] = '\0';
	err = db_tx_begin(&tx, db);
	if (!err)
		err = audit_note_add(db, &note);
	return err ? err : db_tx_commit(&tx);
}

/* The note must be of our tree before it is believed. *ret_ours: it is. */
static enum err compare(struct checkpoints *checkpoints, struct bytes note, const char *vkey,
			struct checkpoint *ret, bool *ret_ours)
{
	const struct tree_store tree = audit_tree(checkpoints->broker->db);
	uint8_t root[TREE_HASH];
	struct note_key key;
	uint64_t size;
	enum err err = note_key_parse(vkey, &key);

	if (!err)
		err = checkpoint_open((const char *)note.data, note.len, &key, ret);
	if (err)
		return ERR_PROTOCOL;
	err = audit_size(checkpoints->broker->db, &size);
	if (err)
		return err;
	*ret_ours = ret->size <= size;
	if (!*ret_ours) {
		alarm_raise(checkpoints, "rolled-back", ret->size, size);
		return OK;
	}
	err = tree_root(&tree, ret->size, root);
	if (!err && memcmp(root, ret->root, TREE_HASH) != 0) {
		*ret_ours = false;
		alarm_raise(checkpoints, "contradiction", ret->size, size);
	}
	return err;
}

/* With an answer, whatever it says, comes what was signed last. */
static enum err take(struct checkpoints *checkpoints, const struct msg_checkpoint_signed *answer)
{
	struct checkpoint last;
	bool ours = false;
	enum err err;

	if (!answer->note.len)
		return answer->error ? (enum err)answer->error : ERR_PROTOCOL;
	err = compare(checkpoints, answer->note, answer->key, &last, &ours);
	if (!err)
		snprintf(checkpoints->key, sizeof(checkpoints->key), "%s", answer->key);
	if (!err && !ours)
		return ERR_DENIED;
	if (!err)
		err = keep(checkpoints, last.size, answer->note);
	if (err)
		return err;
	checkpoints->size = last.size;
	return answer->error ? (enum err)answer->error : OK;
}

static void say(struct checkpoints *checkpoints, enum err err)
{
	if (err && err != checkpoints->said)
		log_warn("checkpoint-not-signed", "error=%s text=\"%s\"", err_code(err),
			 err_text_en(err));
	checkpoints->said = err;
}

static void answered(void *ctx, enum err err, const union wire_any *answer)
{
	struct checkpoints *checkpoints = ctx;

	checkpoints->asked = false;
	if (answer)
		err = take(checkpoints, &answer->checkpoint_signed);
	/* It had signed something that we had not kept: now we know, and ask again. */
	if (err == ERR_WRONG_STATE) {
		checkpoint_soon(checkpoints);
		return;
	}
	say(checkpoints, err);
}

/* ---- asking ----------------------------------------------------------------------------- */

static enum err ask(struct checkpoints *checkpoints, uint64_t size)
{
	const struct tree_store tree = audit_tree(checkpoints->broker->db);
	struct msg_sign_checkpoint msg = { .old = checkpoints->size, .size = size };
	struct tree_proof proof;
	enum err err = tree_root(&tree, size, msg.root);

	if (!err)
		err = tree_consistency(&tree, msg.old, size, &proof);
	if (err)
		return err;
	msg.proof = (struct bytes){ proof.hash[0], proof.count * TREE_HASH };
	err = pki_sign_checkpoint(checkpoints->broker->pki, &msg, answered, checkpoints);
	checkpoints->asked = !err;
	return err;
}

static bool is_due(const struct checkpoints *checkpoints, uint64_t size)
{
	if (checkpoints->soon || !checkpoints->key[0])
		return true;
	if (size == checkpoints->size)
		return false;
	return size - checkpoints->size >= CHECKPOINT_ENTRIES ||
	       clock_mono_ms() >= checkpoints->due_ms;
}

static void look(struct loop_timer *timer)
{
	struct checkpoints *checkpoints = container_of(timer, struct checkpoints, timer);
	uint64_t size = 0;
	enum err err;

	loop_timer_set(timer, CHECKPOINT_LOOK_S * 1000000ULL);
	if (checkpoints->asked || !checkpoints->broker->signer)
		return;
	err = audit_size(checkpoints->broker->db, &size);
	/* The database was rolled back below what we kept of it. */
	if (!err && size < checkpoints->size)
		alarm_raise(checkpoints, "rolled-back", checkpoints->size, size);
	if (err || size < checkpoints->size || !is_due(checkpoints, size))
		return;
	checkpoints->soon = false;
	checkpoints->due_ms = clock_mono_ms() + CHECKPOINT_S * 1000ULL;
	say(checkpoints, ask(checkpoints, size));
}

void checkpoint_soon(struct checkpoints *checkpoints)
{
	checkpoints->soon = true;
	if (!checkpoints->asked)
		loop_timer_set(&checkpoints->timer, CHECKPOINT_SOON_MS * 1000ULL);
}

/* ---- life ------------------------------------------------------------------------------- */

static enum err load(struct checkpoints *checkpoints)
{
	struct checkpoint checkpoint;
	struct audit_note note;
	enum err err = audit_note_last(checkpoints->broker->db, &note);

	if (err)
		return err == ERR_NOT_FOUND ? OK : err;
	/* One that cannot be read is not believed: the signer says what it knows. */
	if (checkpoint_read(note.note, strlen(note.note), &checkpoint) == OK)
		checkpoints->size = checkpoint.size;
	return OK;
}

enum err checkpoint_new(struct broker *broker, struct checkpoints **ret)
{
	struct checkpoints *checkpoints = calloc(1, sizeof(*checkpoints));
	enum err err;

	if (!checkpoints)
		return ERR_NOMEM;
	checkpoints->broker = broker;
	loop_timer_init(broker->loop, &checkpoints->timer, look);
	err = load(checkpoints);
	if (err) {
		free(checkpoints);
		return err;
	}
	loop_timer_set(&checkpoints->timer, CHECKPOINT_LOOK_S * 1000000ULL);
	*ret = checkpoints;
	return OK;
}

void checkpoint_free(struct checkpoints *checkpoints)
{
	if (!checkpoints)
		return;
	loop_timer_cancel(&checkpoints->timer);
	free(checkpoints);
}
