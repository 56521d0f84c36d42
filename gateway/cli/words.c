#include "cli/words.h"

#include "base/util.h"
#include "cli/lang.h"

static const struct {
	const char *column, *code, *ja;
} words[] = {
	{ "state", "active", "有効" },
	{ "state", "connecting", "接続中" },
	{ "state", "detached", "切断中" },
	{ "state", "disabled", "無効" },
	{ "state", "down", "停止" },
	{ "state", "ended", "終了" },
	{ "state", "expired", "期限切れ" },
	{ "state", "locked", "ロック中" },
	{ "state", "revoked", "失効" },
	{ "state", "starting", "準備中" },
	{ "state", "up", "稼働中" },
	{ "part", "logins", "ログイン数" },
	{ "part", "sessions", "セッション数" },
};

const char *word(const char *column, const char *code)
{
	for (size_t i = 0; lang_is_ja() && i < ARRAY_SIZE(words); i++)
		if (util_streq(words[i].column, column) && util_streq(words[i].code, code))
			return words[i].ja;
	return code;
}
