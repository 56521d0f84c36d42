/*
 * err.h - the one error type. A function that can fail returns enum err, puts results into ret_*
 * arguments that it leaves alone on failure, and either logs or returns an error, never both.
 */
#ifndef SEKISHO_BASE_ERR_H
#define SEKISHO_BASE_ERR_H

/* X(name, code, http status, English, Japanese); the code is what API answers and logs carry.
 * Not ERR_STATE: OpenSSL has a type of that name. */
#define ERR_TABLE(X)                                                                               \
	X(ERR_NOMEM, "nomem", 503, "out of memory", "メモリーが足りません")                        \
	X(ERR_IO, "io", 500, "input or output failed", "入出力に失敗しました")                     \
	X(ERR_INVALID, "invalid", 400, "the value is not valid", "値が正しくありません")           \
	X(ERR_TOO_BIG, "too-big", 413, "the value is larger than allowed",                         \
	  "許される大きさを超えています")                                                          \
	X(ERR_AUTH, "auth", 401, "not logged in", "ログインしていません")                          \
	X(ERR_LOGIN, "login", 401, "account, password or code is wrong",                           \
	  "アカウント、パスワード、または確認コードが違います")                                    \
	X(ERR_DENIED, "denied", 403, "not allowed", "許可されていません")                          \
	X(ERR_NOT_FOUND, "not-found", 404, "not found", "見つかりません")                          \
	X(ERR_METHOD, "method", 405, "method not allowed", "この操作はできません")                 \
	X(ERR_EXISTS, "exists", 409, "already exists", "すでに存在します")                         \
	X(ERR_WRONG_STATE, "state", 409, "not possible in this state", "今の状態ではできません")   \
	X(ERR_LOCKED, "locked", 423, "locked", "ロックされています")                               \
	X(ERR_THROTTLED, "throttled", 429, "too many tries, wait a little",                        \
	  "試行回数が多すぎます。しばらくお待ちください")                                          \
	X(ERR_INTERNAL, "internal", 500, "internal error", "内部エラーです")                       \
	X(ERR_CRYPTO, "crypto", 500, "a cryptographic operation failed", "暗号処理に失敗しました") \
	X(ERR_PROTOCOL, "protocol", 502, "the peer broke the protocol",                            \
	  "相手の通信が規約に合いません")                                                          \
	X(ERR_CLOSED, "closed", 502, "the connection is closed", "接続が閉じられました")           \
	X(ERR_UNAVAILABLE, "unavailable", 503, "not available now", "今は利用できません")          \
	X(ERR_TIMEOUT, "timeout", 504, "no answer in time", "時間内に応答がありません")            \
	X(ERR_FULL, "full", 507, "no space left", "空き容量がありません")                          \
	X(ERR_CODE, "code", 401, "the registration code is not known",                             \
	  "登録コードが正しくありません")                                                          \
	X(ERR_USED, "used", 409, "used already", "すでに使われています")                           \
	X(ERR_EXPIRED, "expired", 410, "its time is over", "期限が切れています")                   \
	X(ERR_KEY, "key", 422, "the key is too weak or known to others",                           \
	  "鍵が弱いか、ほかに知られています")                                                      \
	X(ERR_RECORDING, "recording", 503, "sessions cannot be recorded now",                      \
	  "今はセッションを録画できません")

enum err {
	OK = 0,
#define X(name, code, status, en, ja) name,
	ERR_TABLE(X)
#undef X
		ERR_COUNT
};

#define nodiscard              __attribute__((warn_unused_result))
#define printf_like(fmt, args) __attribute__((format(printf, fmt, args)))

/* Static strings, never NULL; an unknown value reads as "internal". */
const char *err_code(enum err err);
const char *err_text_en(enum err err);
const char *err_text_ja(enum err err);
int err_status(enum err err);

/* The error that an errno value stands for. */
enum err err_from_errno(int saved_errno);

#endif
