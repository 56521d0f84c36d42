#include "cli/audit_verdict.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "cli/lang.h"

static const struct {
	const char *en, *ja;       /* what it is */
	const char *do_en, *do_ja; /* what to do; NULL: nothing */
} texts[VERIFY_COUNT] = {
	[VERIFY_SOUND] = { "the log is whole: nothing was changed, taken out or put in",
			   "監査ログは完全です。改変・削除・挿入はありません", NULL, NULL },
	[VERIFY_UNANCHORED] = { "nothing speaks against the log, but its last entries are not "
				"under "
				"a signed checkpoint",
				"異常はありませんが、末尾の記録に署名付きチェックポイントがありませ"
				"ん",
				"see whether the gateway's signer runs and is unlocked: sekisho "
				"status",
				"署名プロセスが動いていて、ロックされていないか確かめてください"
				"（sekisho status）" },
	[VERIFY_NO_KEY] = { "the log agrees with itself, but without the verifier key no signature "
			    "was checked",
			    "記録どうしの矛盾はありませんが、検証鍵がないため署名は確かめていませ"
			    "ん",
			    "give --key with the key that was kept apart from the log "
			    "(docs/audit.md)",
			    "別に保管した検証鍵を --key で指定してください（docs/audit.md）" },
	[VERIFY_TAIL_CUT] = { "entries at the end are missing that the log had before",
			      "以前あった末尾の記録がなくなっています",
			      "was an older copy put back? If not, somebody cut them off: keep "
			      "this file, "
			      "and look at the journal of that time",
			      "古いバックアップを戻していなければ、切り取られた疑いがあります。この"
			      "ファイルを"
			      "保全し、該当する時間のログを調べてください" },
	[VERIFY_UNREADABLE] = { "the log is damaged: an entry cannot be read",
				"監査ログが壊れていて、読めない記録があります", NULL, NULL },
	[VERIFY_ENTRY_MISSING] = { "entries were taken out", "記録が抜き取られています", NULL,
				   NULL },
	[VERIFY_ENTRY_CHANGED] = { "an entry was changed", "記録が書き換えられています", NULL,
				   NULL },
	[VERIFY_PAYLOAD_CHANGED] = { "it was changed whom or what an entry is about",
				     "記録の内容（誰が・何を）が書き換えられています", NULL, NULL },
	[VERIFY_PAYLOAD_MISSING] = { "what entries are about was removed without a record of it",
				     "記録の内容が、廃棄の記録なしに消されています", NULL, NULL },
	[VERIFY_TREE_CHANGED] = { "the entries agree, but the tree above them was changed",
				  "記録は一致しますが、その上のハッシュ木が書き換えられています",
				  NULL, NULL },
	[VERIFY_CHECKPOINT_FALSE] = { "a checkpoint is not signed by this key, or was changed",
				      "この検証鍵の署名ではないか、書き換えられたチェックポイントが"
				      "あります",
				      NULL, NULL },
	[VERIFY_HISTORY_REWRITTEN] = { "the log was rewritten: it is not the one that was signed",
				       "監査ログが作り直されています。署名されたものと一致しません",
				       NULL, NULL },
	[VERIFY_FORK] = { "there are two logs with the signature of this gateway",
			  "このゲートウェイの署名がある監査ログが二つ存在します", NULL, NULL },
};

static json_t *time_json(int64_t ms)
{
	return ms ? json_integer(ms / 1000) : json_null();
}

json_t *audit_verdict_json(const struct log_verdict *verdict, const struct note_key *key)
{
	char root[NOTE_BASE64];

	if (note_base64(verdict->root, root))
		return NULL;
	return json_pack("{s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:o, s:o, s:s, s:s*}",
			 "verdict", verify_color_code(verify_color(verdict->finding)), "finding",
			 verify_code(verdict->finding), "message",
			 lang(texts[verdict->finding].en, texts[verdict->finding].ja), "entries",
			 (json_int_t)verdict->entries, "checkpoints",
			 (json_int_t)verdict->checkpoints, "anchored",
			 (json_int_t)verdict->anchored, "disposed", (json_int_t)verdict->disposed,
			 "first_bad", (json_int_t)verdict->first_bad, "last_bad",
			 (json_int_t)verdict->last_bad, "from", time_json(verdict->from_ms), "to",
			 time_json(verdict->to_ms), "root", root, "key", key ? key->name : NULL);
}

static const char *color_text(enum verify_color color)
{
	switch (color) {
	case VERIFY_GREEN:
		return lang("GREEN", "緑（問題なし）");
	case VERIFY_AMBER:
		return lang("AMBER", "黄（要確認）");
	case VERIFY_RED:
	default:
		return lang("RED", "赤（改変あり）");
	}
}

static void put_time(FILE *out, const char *label, int64_t ms)
{
	time_t when = (time_t)(ms / 1000);
	char text[64] = "-";
	struct tm local;

	if (ms && localtime_r(&when, &local))
		strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S %z", &local);
	fprintf(out, "%s: %s\n", label, text);
}

static void put_place(FILE *out, const struct log_verdict *verdict)
{
	if (verdict->first_bad && verdict->first_bad == verdict->last_bad)
		fprintf(out, "%s: %" PRIu64 "\n", lang("entry", "該当する記録"),
			verdict->first_bad);
	else if (verdict->first_bad)
		fprintf(out, "%s: %" PRIu64 " - %" PRIu64 "\n",
			lang("between entries", "該当する記録の範囲"), verdict->first_bad,
			verdict->last_bad);
	if (verdict->from_ms || verdict->to_ms) {
		put_time(out, lang("after", "これより後"), verdict->from_ms);
		put_time(out, lang("before", "これより前"), verdict->to_ms);
	}
}

void audit_verdict_print(FILE *out, const struct log_verdict *verdict, const struct note_key *key)
{
	enum verify_color color = verify_color(verdict->finding);
	const char *act = lang(texts[verdict->finding].do_en, texts[verdict->finding].do_ja);

	fprintf(out, "%s: %s\n", color_text(color),
		lang(texts[verdict->finding].en, texts[verdict->finding].ja));
	if (color != VERIFY_GREEN)
		put_place(out, verdict);
	fprintf(out, "%s: %" PRIu64 "\n", lang("entries read", "確かめた記録"), verdict->entries);
	fprintf(out, "%s: %" PRIu64 "\n",
		lang("entries under a signed checkpoint", "署名で裏付けられた記録"),
		verdict->anchored);
	if (verdict->disposed)
		fprintf(out, "%s: %" PRIu64 "\n",
			lang("entries whose content was disposed of", "内容を廃棄した記録"),
			verdict->disposed);
	if (key)
		fprintf(out, "%s: %s\n", lang("key", "検証鍵"), key->name);
	if (color == VERIFY_RED)
		act = lang("keep this file as it is, and tell who answers for the office's records",
			   "このファイルをそのまま保全し、記録の責任者に知らせてください");
	if (act)
		fprintf(out, "%s: %s\n", lang("to do", "対応"), act);
}
