#include "cli/words.h"

#include "base/util.h"
#include "cli/lang.h"

static const struct {
	const char *column, *code, *ja;
} words[] = {
	{ "audio", "no", "不可" },
	{ "audio", "yes", "許可" },
	{ "kind", "file", "ファイル" },
	{ "kind", "house", "事務所" },
	{ "kind", "issuing", "発行用 CA" },
	{ "kind", "none", "なし" },
	{ "kind", "person", "監査人" },
	{ "kind", "request", "証明書要求" },
	{ "kind", "root", "ルート CA" },
	{ "part", "ca", "CA" },
	{ "part", "expiring", "14 日以内に切れる証明書" },
	{ "part", "house-key", "保管庫の鍵" },
	{ "part", "logins", "ログイン数" },
	{ "part", "pending", "承認待ちの端末" },
	{ "part", "recording", "録画" },
	{ "part", "sessions", "セッション数" },
	{ "part", "vault", "保管庫" },
	{ "place", "file", "ファイル" },
	{ "place", "pkcs12", "PKCS#12" },
	{ "place", "store", "証明書ストア" },
	{ "place", "tpm", "TPM" },
	{ "place", "unknown", "不明" },
	{ "recording", "cut", "途中まで" },
	{ "recording", "disposed", "廃棄済み" },
	{ "recording", "ended", "完了" },
	{ "recording", "lost", "消失" },
	{ "recording", "open", "録画中" },
	{ "root_key", "elsewhere", "ほかの場所" },
	{ "root_key", "gateway", "ゲートウェイ" },
	{ "state", "active", "有効" },
	{ "state", "approved", "承認済み" },
	{ "state", "connecting", "接続中" },
	{ "state", "detached", "切断中" },
	{ "state", "disabled", "無効" },
	{ "state", "down", "停止" },
	{ "state", "empty", "なし" },
	{ "state", "ended", "終了" },
	{ "state", "expired", "期限切れ" },
	{ "state", "issued", "発行済み" },
	{ "state", "locked", "ロック中" },
	{ "state", "no-auditor", "監査人の証明書なし（auditor certify）" },
	{ "state", "no-folder", "フォルダーに書けない" },
	{ "state", "no-space", "空き容量不足" },
	{ "state", "old", "旧" },
	{ "state", "open", "未使用" },
	{ "state", "pending", "承認待ち" },
	{ "state", "ready", "使用可" },
	{ "state", "refused", "却下" },
	{ "state", "retired", "廃棄済み" },
	{ "state", "revoked", "失効" },
	{ "state", "sealed", "封印中" },
	{ "state", "starting", "準備中" },
	{ "state", "unlocked", "使用可" },
	{ "state", "unsealed", "使用可" },
	{ "state", "up", "稼働中" },
	{ "state", "waiting", "証明書待ち" },
	{ "state", "withdrawn", "取消" },
	{ "verdict", "cut", "途中まで（異常終了）" },
	{ "verdict", "intact", "改ざんなし" },
	{ "verdict", "tampered", "改ざんあり" },
	{ "verdict", "unproven", "証明なし" },
	{ "video", "no", "使わない" },
	{ "video", "yes", "H.264" },
};

const char *word(const char *column, const char *code)
{
	for (size_t i = 0; lang_is_ja() && i < ARRAY_SIZE(words); i++)
		if (util_streq(words[i].column, column) && util_streq(words[i].code, code))
			return words[i].ja;
	return code;
}
