/*
 * verify.h - whether a recording is what was recorded: its chunks against the marks of the audit
 * log, which needs no key, and what is in them, for whoever can open them.
 *
 * The marks prove; the key alone does not: who has an auditor's certificate, which is no secret,
 * can seal chunks to it. So without marks nothing is better than VERIFY_UNPROVEN.
 */
#ifndef SEKISHO_RECORD_VERIFY_H
#define SEKISHO_RECORD_VERIFY_H

#include "record/scan.h"

/* An audit event "recording-mark". */
struct verify_mark {
	uint64_t chunks, size;
	uint8_t hash[CHUNK_HASH]; /* running hash over so many chunks */
	bool last;                /* the recording ended with it */
};

enum verify_verdict {
	VERIFY_INTACT = 1, /* green: all of it, up to its end, as the audit log says */
	VERIFY_CUT,      /* amber: it ends early, as a crash leaves it; up to proven it is intact */
	VERIFY_TAMPERED, /* red */
	VERIFY_UNPROVEN  /* nothing wrong is found, but no mark is there to prove it */
};

/* X(name, code, English, Japanese): what is wrong, in the words of reports. */
#define VERIFY_FAULTS(X)                                                                           \
	X(VERIFY_FINE, "none", "nothing is wrong", "問題は見つかりませんでした")                   \
	X(VERIFY_NO_END, "no-end", "the recording stops without its end, as after a crash",        \
	  "異常終了のときのように、終わりのないまま途切れています")                                \
	X(VERIFY_PART_OF_CHUNK, "part-of-chunk", "the last chunk is not whole, as after a crash",  \
	  "異常終了のときのように、最後のチャンクが途中で切れています")                            \
	X(VERIFY_DAMAGED, "damaged", "these bytes are not a chunk",                                \
	  "チャンクではないデータがあります")                                                      \
	X(VERIFY_CHANGED, "changed", "it differs from what the audit log says",                    \
	  "監査ログの記録と内容が異なります")                                                      \
	X(VERIFY_MISSING, "missing", "chunks that the audit log knows are missing at the end",     \
	  "監査ログにあるチャンクが末尾から失われています")                                        \
	X(VERIFY_ADDED, "added", "chunks follow after the end of the recording",                   \
	  "録画の終わりより後にチャンクが加えられています")                                        \
	X(VERIFY_MARKS, "marks", "the marks of the audit log contradict each other",               \
	  "監査ログの記録どうしが矛盾しています")                                                  \
	X(VERIFY_TOO_LONG, "too-long", "there are more chunks than a recording may have",          \
	  "チャンクの数が録画の上限を超えています")                                                \
	X(VERIFY_FORGED, "forged", "the chunk does not open: it was changed",                      \
	  "チャンクを開けません。改変されています")                                                \
	X(VERIFY_NOT_FOR_KEY, "not-for-key", "the chunk is not sealed to this key",                \
	  "チャンクはこの鍵に宛てて封緘されていません")                                            \
	X(VERIFY_MALFORMED, "malformed", "what is in the chunk breaks the format",                 \
	  "チャンクの中身が形式に合いません")                                                      \
	X(VERIFY_FOREIGN, "foreign", "the chunk belongs to another recording",                     \
	  "ほかの録画のチャンクです")                                                              \
	X(VERIFY_ORDER, "order", "the chunk stands in another place than it was recorded at",      \
	  "チャンクの位置が記録されたときと異なります")                                            \
	X(VERIFY_CHAIN, "chain", "the chunk before it is not the one that was recorded",           \
	  "直前のチャンクが記録されたものと異なります")                                            \
	X(VERIFY_CLOCK, "clock", "the chunk's time is before that of the chunk before",            \
	  "チャンクの時刻が直前のチャンクより前です")                                              \
	X(VERIFY_AFTER_LAST, "after-last", "the chunk follows the one that says it is the last",   \
	  "最後のはずのチャンクの後に続いています")

enum verify_fault {
#define X(name, code, en, ja) name,
	VERIFY_FAULTS(X)
#undef X
		VERIFY_FAULT_COUNT
};

const char *verify_fault_code(enum verify_fault fault);
const char *verify_fault_text_en(enum verify_fault fault);
const char *verify_fault_text_ja(enum verify_fault fault);

struct verify_result {
	enum verify_verdict verdict;
	enum verify_fault fault;
	/* When tampered: the first bad chunk, or the first that is not there any more, is one of
	 * [first_bad, last_bad], counted from 0. With the key first_bad is it. */
	uint64_t first_bad, last_bad;
	uint64_t proven; /* chunks from the first on that the marks prove */
	uint64_t chunks; /* whole chunks in the file */
	uint64_t opened; /* of them, by the key */
};

/*
 * Against the marks alone, in the order of the log; scan must be done. A recording that goes on
 * still looks cut: whether it does is the caller's to know. count may be 0. ERR_INVALID: a scan
 * without hashes. ERR_CRYPTO.
 */
nodiscard enum err verify_marks(const struct scan *scan, const struct verify_mark *marks,
				size_t count, struct verify_result *ret);

/*
 * With the key as well, after verify_marks: one call of verify_inside_add per chunk, in order from
 * the first, with what seal_open said and gave. The first fault makes the verdict VERIFY_TAMPERED
 * and names the chunk.
 */
struct verify_inside {
	const struct scan *scan;
	struct verify_result *result;
	uint8_t session[CHUNK_SESSION];
	bool session_known;
	uint64_t next, start_us;
	uint64_t denied, first_denied; /* chunks that are not sealed to the key */
	bool last;                     /* the one before says that it is the last */
	bool found;                    /* result has a fault from inside */
};

/* session: of which the marks are, or NULL to take that of the first chunk. The pointers must
 * outlive it. */
void verify_inside_init(struct verify_inside *inside, const struct scan *scan,
			const uint8_t *session, struct verify_result *result);
void verify_inside_add(struct verify_inside *inside, enum err opened, const uint8_t *plain,
		       size_t len);

/* ERR_DENIED: no chunk is sealed to the key, which says nothing about the recording; the result
 * stays that of the marks. */
nodiscard enum err verify_inside_end(struct verify_inside *inside);

#endif
