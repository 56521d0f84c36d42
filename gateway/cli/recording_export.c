#include "cli/recording_export.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <openssl/pem.h>
#include <string.h>

#include "base/clock.h"
#include "base/util.h"
#include "certs/cleanup.h"
#include "cli/admin.h"
#include "cli/exit.h"
#include "cli/lang.h"
#include "cli/local.h"
#include "cli/output.h"
#include "cli/recording_child.h"
#include "cli/recording_key.h"
#include "cli/recording_marks.h"
#include "cli/show.h"
#include "record/recipient.h"
#include "record/verify.h"
#include "wire/enums.h"

enum {
	CERTIFICATE_FILE_MAX = 64 * 1024,
	NAME_BYTES = 128, /* as msg_export_start's auditor */
	PURPOSE_MIN = 4,
	PURPOSE_MAX = 256, /* characters */
	PURPOSE_BYTES = 1024,
	STEP_BYTES = 16 * 1024 * 1024,
	STEP_CHUNKS = 64,
	SHOW_EVERY_MS = 200,
	STATUS_REFUSED = 400,
	SECONDS_MAX = 366 * 86400,
};

struct work {
	const struct args *args;
	int fd;
	struct recording_key key;
	struct recording_marks marks;
	struct scan scan;
	struct table table;
	struct buf meta, der, plain;
	X509 *recipient;
	struct buf recipient_der;
	char auditor[NAME_BYTES + 1];
	struct recording_feed feed;
	struct msg_export_start start;
	struct recording_child child;
	uint64_t shown_ms;
};

static const char *value_of(const struct work *work, const char *name)
{
	const struct args_value *value = args_find(work->args, name);

	return value ? value->text : NULL;
}

/* message: NULL for the error's own text. */
static int refuse(const struct work *work, int code, enum err err, const char *field,
		  const char *message)
{
	output_refuse(work->args, err, field, message);
	return code;
}

/* ---- progress -------------------------------------------------------------------------------- */

static void show_progress(struct work *work, const char *what, unsigned permille)
{
	const uint64_t now_ms = clock_mono_ms();

	if (work->args->json || !isatty(STDERR_FILENO) || now_ms - work->shown_ms < SHOW_EVERY_MS)
		return;
	work->shown_ms = now_ms;
	fprintf(stderr, "\r\033[K%s %u.%u %%", what, permille / 10, permille % 10);
	fflush(stderr);
}

static void end_progress(struct work *work)
{
	if (work->shown_ms)
		fputs("\r\033[K", stderr);
	work->shown_ms = 0;
}

static void on_progress(void *ctx, unsigned permille, uint64_t bytes)
{
	(void)bytes;
	show_progress(ctx, lang("exporting", "書き出し中"), permille);
}

/* ---- what is given ---------------------------------------------------------------------- */

/* h:mm:ss, m:ss or seconds, since the recording began. */
static enum err parse_time(const char *text, uint64_t *ret_us)
{
	uint64_t seconds = 0, part = 0;
	unsigned digits = 0, colons = 0;

	for (;; text++) {
		if (*text >= '0' && *text <= '9' && digits < 8) {
			part = part * 10 + (uint64_t)(*text - '0');
			digits++;
		} else if ((*text == ':' || !*text) && digits && (!colons || part < 60)) {
			seconds = seconds * 60 + part;
			part = digits = 0;
			if (!*text)
				break;
			if (++colons > 2)
				return ERR_INVALID;
		} else {
			return ERR_INVALID;
		}
	}
	*ret_us = seconds * 1000000;
	return seconds <= SECONDS_MAX ? OK : ERR_INVALID;
}

static int take_time(struct work *work, const char *name, uint64_t *ret_us)
{
	const char *text = value_of(work, name);

	if (text && parse_time(text, ret_us))
		return refuse(work, EXIT_USAGE, ERR_INVALID, name,
			      lang("a time since the recording began, as 1:02:30 or in seconds",
				   "録画の開始からの時間（1:02:30 または秒数）で指定してください"));
	return EXIT_DONE;
}

static int take_times(struct work *work)
{
	int code = take_time(work, "from", &work->start.from_us);

	if (!code)
		code = take_time(work, "to", &work->start.to_us);
	if (!code && value_of(work, "to") && work->start.to_us <= work->start.from_us)
		code = refuse(work, EXIT_USAGE, ERR_INVALID, "to",
			      lang("it must be later than --from",
				   "--from より後の時間を指定してください"));
	return code;
}

static int take_purpose(struct work *work)
{
	const char *purpose = value_of(work, "purpose");
	size_t characters = 0, control = 0;

	for (const char *at = purpose; *at; at++) {
		characters += ((uint8_t)*at & 0xc0) != 0x80;
		control += (uint8_t)*at < ' ' || *at == 0x7f;
	}
	if (control || characters < PURPOSE_MIN || characters > PURPOSE_MAX ||
	    !util_utf8_valid(purpose, strlen(purpose)))
		return refuse(work, EXIT_USAGE, ERR_INVALID, "purpose",
			      lang("4 to 256 characters", "4～256 文字で指定してください"));
	work->start.purpose = purpose;
	return EXIT_DONE;
}

static const char *recipient_wrong(enum err err)
{
	switch ((int)err) {
	case ERR_KEY:
		return lang(
			"its key must be EC on P-256, or RSA of 2048 bits or more",
			"鍵は P-256 の EC 鍵、または 2048 ビット以上の RSA 鍵でなければなりません");
	case ERR_EXPIRED:
		return lang("it is not valid now", "有効期間の外です");
	case ERR_INVALID:
		return lang(
			"not a certificate in PEM or DER to which something may be encrypted "
			"(it may be a CA's, or its key usage forbids it)",
			"暗号化の宛先にできる証明書（PEM または DER）ではありません（CA の証明書"
			"か、鍵用途が許していません）");
	default:
		return NULL;
	}
}

static enum err read_certificate(const char *path, X509 **ret)
{
	_cleanup_free_ char *data = NULL;
	size_t len;
	enum err err = util_read_file(path, CERTIFICATE_FILE_MAX, &data, &len);

	if (err)
		return err;
	const uint8_t *at = (const uint8_t *)data;
	*ret = d2i_X509(NULL, &at, (long)len);
	if (!*ret) {
		_cleanup_object_(bio) BIO *in = BIO_new_mem_buf(data, (int)len);
		*ret = in ? PEM_read_bio_X509(in, NULL, NULL, NULL) : NULL;
	}
	return *ret ? OK : ERR_INVALID;
}

static int take_recipient(struct work *work)
{
	uint8_t *der = NULL;
	enum err err = read_certificate(value_of(work, "recipient"), &work->recipient);

	if (!err)
		err = recipient_check(work->recipient, clock_wall_s());
	const int len = err ? 0 : i2d_X509(work->recipient, &der);
	if (!err)
		err = len > 0 ? buf_add(&work->recipient_der, der, (size_t)len) : ERR_NOMEM;
	OPENSSL_free(der);
	work->start.recipient = (struct bytes){ work->recipient_der.data, work->recipient_der.len };
	return err ? refuse(work, EXIT_REFUSED, err, "recipient", recipient_wrong(err)) : EXIT_DONE;
}

/* The certificate names who exports, as the office's CA wrote it. */
static int take_auditor(struct work *work)
{
	X509 *certificate = work->key.certificate;
	X509_NAME *subject = certificate ? X509_get_subject_name(certificate) : NULL;
	const int at = subject ? X509_NAME_get_index_by_NID(subject, NID_commonName, -1) : -1;
	uint8_t *name = NULL;
	const int len =
		at < 0 ? 0
		       : ASN1_STRING_to_UTF8(
				 &name, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
	const bool right =
		len > 0 && len <= NAME_BYTES && util_utf8_valid((const char *)name, (size_t)len);

	if (right)
		memcpy(work->auditor, name, (size_t)len);
	OPENSSL_free(name);
	work->start.auditor = work->auditor;
	return right ? EXIT_DONE
		     : refuse(work, EXIT_USAGE, ERR_INVALID, "cert",
			      lang("the auditor's certificate is needed: the video names him",
				   "監査人の証明書が必要です（動画に氏名が入ります）"));
}

static int take_key(struct work *work)
{
	const char *field = NULL, *wrong = NULL;
	enum err err = recording_key_load(value_of(work, "key"), value_of(work, "cert"), &work->key,
					  &field, &wrong);

	return err ? refuse(work, EXIT_REFUSED, err, field, wrong) : EXIT_DONE;
}

static int take_file(struct work *work)
{
	work->fd = open(value_of(work, "file"), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	enum err err = work->fd < 0 ? err_from_errno(errno)
				    : scan_init(&work->scan, work->fd, SCAN_HASHES);

	return err ? refuse(work, EXIT_REFUSED, err, "file", NULL) : EXIT_DONE;
}

/* Before any work: a name that is taken, or a place that is not there, is seen at once. */
static int check_out(struct work *work)
{
	work->child.out = value_of(work, "out");
	enum err err = output_check(work->child.out);

	return err ? refuse(work, EXIT_REFUSED, err, "out", NULL) : EXIT_DONE;
}

/* ---- the recording ---------------------------------------------------------------------- */

static enum err scan_whole(struct work *work)
{
	bool done = false;
	enum err err = OK;

	while (!err && !done) {
		err = scan_step(&work->scan, STEP_BYTES, &done);
		show_progress(work, lang("reading", "読み取り中"),
			      (unsigned)(work->scan.size * 1000 / MAX(work->scan.file_size, 1)));
	}
	return !err && !work->scan.count ? ERR_INVALID : err;
}

static enum err make_table(struct work *work)
{
	bool done = false;
	enum err err = table_init(&work->table, &work->scan, work->key.key, work->key.certificate);

	while (!err && !done) {
		err = table_step(&work->table, STEP_CHUNKS, &done);
		show_progress(work, lang("opening", "復号中"),
			      (unsigned)(work->table.count * 1000 / work->scan.count));
	}
	return err;
}

/* Of the first chunk: whose recording it is, and what it says of itself. */
static enum err read_first(struct work *work)
{
	struct chunk_reader reader;
	struct record record;
	enum err err = scan_read(&work->scan, 0, &work->der);

	if (!err)
		err = seal_open(work->key.key, work->key.certificate, work->der.data, work->der.len,
				&work->plain);
	if (!err)
		err = chunk_parse(work->plain.data, work->plain.len, &reader);
	if (err || !chunk_next(&reader, &record))
		return err ? err : ERR_PROTOCOL;
	memcpy(work->start.session, reader.head.session, sizeof(work->start.session));
	/* One that is too long is as good as none. */
	return buf_add(&work->meta, record.data, MIN(record.len, work->meta.max)) ? ERR_NOMEM : OK;
}

static int read_marks(struct work *work)
{
	char session[2 * WIRE_SESSION_ID + 1];
	const char *path = value_of(work, "marks");

	util_hex(work->start.session, WIRE_SESSION_ID, session);
	enum err err = path ? recording_marks_read(path, session, &work->marks) : OK;
	return err ? refuse(work, EXIT_REFUSED, err, "marks",
			    err == ERR_NOT_FOUND ? lang("no mark of this recording is in the file",
							"この録画の記録がファイルにありません")
						 : NULL)
		   : EXIT_DONE;
}

static enum err judge(struct work *work)
{
	struct verify_result result = { 0 };
	enum err err = verify_marks(&work->scan, work->marks.marks, work->marks.count, &result);

	work->feed.verdict = result.verdict == VERIFY_INTACT     ? VERDICT_GREEN
			     : result.verdict == VERIFY_TAMPERED ? VERDICT_RED
								 : VERDICT_AMBER;
	return err;
}

static int open_recording(struct work *work)
{
	enum err err = scan_whole(work);

	if (!err)
		err = make_table(work);
	if (!err)
		err = read_first(work);
	end_progress(work);
	if (err == ERR_DENIED)
		return refuse(work, EXIT_REFUSED, err, "key",
			      lang("the recording is not sealed to this key",
				   "この録画はこの鍵に宛てて封緘されていません"));
	if (err)
		return refuse(work, EXIT_REFUSED, err, "file",
			      err == ERR_INVALID || err == ERR_PROTOCOL || err == ERR_CRYPTO
				      ? lang("no recording, or its first chunk is damaged",
					     "録画ではないか、最初のチャンクが壊れています")
				      : NULL);
	int code = read_marks(work);
	err = code ? OK : judge(work);
	return err ? refuse(work, EXIT_REFUSED, err, "marks", NULL) : code;
}

/* ---- the audit log ---------------------------------------------------------------------- */

static json_t *pem_of(X509 *certificate)
{
	_cleanup_object_(bio) BIO *out = BIO_new(BIO_s_mem());
	char *data = NULL;

	if (!out || !PEM_write_bio_X509(out, certificate))
		return NULL;
	const long len = BIO_get_mem_data(out, &data);
	return json_stringn(data, (size_t)len);
}

static json_t *entry(const struct work *work)
{
	char session[2 * WIRE_SESSION_ID + 1];

	util_hex(work->start.session, WIRE_SESSION_ID, session);
	return json_pack("{s:s, s:s, s:o, s:o, s:s*, s:s*}", "session", session, "purpose",
			 work->start.purpose, "cert", pem_of(work->key.certificate), "recipient",
			 pem_of(work->recipient), "from", value_of(work, "from"), "to",
			 value_of(work, "to"));
}

static bool is_absent(enum err err)
{
	return err == ERR_NOT_FOUND || err == ERR_UNAVAILABLE;
}

static int without_gateway(struct work *work)
{
	if (!args_find(work->args, "unlogged"))
		return refuse(
			work, EXIT_UNREACHABLE, ERR_UNAVAILABLE, "unlogged",
			lang("no gateway runs here whose audit log could tell of it; with "
			     "--unlogged it is made all the same, and the video says so",
			     "監査ログに記録するゲートウェイがここで動いていません。--unlogged "
			     "を付けると書き出せますが、動画にその旨が入ります"));
	work->start.unlogged = 1;
	return EXIT_DONE;
}

/* What the gateway's audit log cannot hear of must not be made where there is one. */
static int tell_gateway(struct work *work)
{
	struct settings settings;
	unsigned status = 0;
	json_t *body = NULL, *order;

	if (access(work->args->config, F_OK) < 0 && errno == ENOENT)
		return without_gateway(work);
	if (!local_settings(work->args, &settings))
		return EXIT_USAGE;
	order = entry(work);
	if (!order)
		return refuse(work, EXIT_REFUSED, ERR_NOMEM, NULL, NULL);
	enum err err = admin_call(settings.gateway_runtime_dir, "recording export", order,
				  ADMIN_TIMEOUT_MS, &status, &body);
	json_decref(order);
	if (is_absent(err))
		return without_gateway(work);
	if (err)
		return refuse(work, EXIT_UNREACHABLE, err, NULL,
			      lang("the gateway's audit log could not be told of it",
				   "ゲートウェイの監査ログに記録できませんでした"));
	const bool refused = status >= STATUS_REFUSED;
	if (refused && work->args->json)
		show_json(stdout, json_incref(body));
	else if (refused)
		show_error(stderr, body);
	json_decref(body);
	return refused ? EXIT_REFUSED : EXIT_DONE;
}

/* ---- the video -------------------------------------------------------------------------- */

static const char *why_not(const struct work *work, enum err err)
{
	if (err == ERR_UNAVAILABLE)
		return lang("the program sekisho-export is not there",
			    "プログラム sekisho-export がありません");
	if (err == ERR_CLOSED)
		return lang("it was interrupted; nothing was written",
			    "中断されました。ファイルは残っていません");
	if (err != ERR_WRONG_STATE)
		return NULL;
	if (work->child.error == EXPORT_EMPTY)
		return lang("the recording shows nothing in that time",
			    "その時間には録画された画面がありません");
	if (work->child.error == EXPORT_TOO_LARGE)
		return lang("the video would pass 1.5 GiB: export it in parts with --from and --to",
			    "動画が 1.5 GiB を超えます。--from と --to で分けて書き出してください");
	if (work->child.error == EXPORT_FONT)
		return lang("the watermark's font is missing: install the package fonts-noto-cjk",
			    "透かしの書体がありません。パッケージ fonts-noto-cjk を入れてください");
	return lang("the video could not be made", "動画を作れませんでした");
}

static int show_report(const struct work *work)
{
	char hash[2 * CHUNK_HASH + 1];
	json_t *body;

	util_hex(work->child.sha256, CHUNK_HASH, hash);
	body = json_pack("{s:s, s:I, s:s, s:s, s:b}", "file", work->child.out, "size",
			 (json_int_t)work->child.bytes, "sha256", hash, "verdict",
			 verdict_code(work->feed.verdict), "unlogged", work->start.unlogged);
	if (work->args->json) {
		show_json(stdout, body);
	} else {
		show_reply(stdout, body);
		json_decref(body);
	}
	return EXIT_DONE;
}

static int make_video(struct work *work)
{
	work->start.lang = lang("en", "ja");
	work->start.zone = "";
	work->feed.scan = &work->scan;
	work->feed.table = &work->table;
	work->feed.key = work->key.key;
	work->feed.certificate = work->key.certificate;
	work->feed.meta = &work->meta;
	memcpy(work->feed.session, work->start.session, sizeof(work->feed.session));
	work->child.progress = on_progress;
	work->child.ctx = work;
	enum err err = recording_child_run(&work->child, &work->feed, &work->start);
	end_progress(work);
	return err ? refuse(work, EXIT_REFUSED, err, err == ERR_WRONG_STATE ? NULL : "out",
			    why_not(work, err))
		   : show_report(work);
}

static void finish(struct work *work)
{
	buf_wipe(&work->plain);
	buf_finish(&work->plain);
	buf_wipe(&work->meta);
	buf_finish(&work->meta);
	buf_finish(&work->der);
	buf_finish(&work->recipient_der);
	X509_free(work->recipient);
	if (work->table.rows)
		table_finish(&work->table);
	recording_key_finish(&work->key);
	recording_marks_finish(&work->marks);
	scan_finish(&work->scan);
	util_closep(&work->fd);
}

/* Everything that can be wrong is found before the audit log is told, and that is before the first
 * byte. */
int recording_export(const struct args *args)
{
	static int (*const steps[])(struct work *) = {
		take_times, take_purpose, check_out,      take_recipient, take_file,
		take_key,   take_auditor, open_recording, tell_gateway,   make_video,
	};
	struct work work = { .args = args, .fd = -1 };
	int code = EXIT_DONE;

	buf_init(&work.der, SEAL_DER_MAX);
	buf_init(&work.plain, SEAL_DER_MAX);
	buf_init(&work.meta, 4096);
	buf_init(&work.recipient_der, RECIPIENT_DER_MAX);
	for (size_t i = 0; !code && i < ARRAY_SIZE(steps); i++)
		code = steps[i](&work);
	finish(&work);
	return code;
}
