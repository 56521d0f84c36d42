#include "base/config.h"

#include <arpa/inet.h>
#include <ini.h>
#include <stdarg.h>
#include <string.h>

#include "base/util.h"

enum { CONFIG_FILE_MAX = 64 * 1024, CONFIG_KEYS_MAX = 256 };

struct parse {
	const char *name;
	const char *rest; /* of the text, at the next line */
	int line;         /* the one that inih has now */
	const struct config_key *keys;
	size_t count;
	char *target;
	bool seen[CONFIG_KEYS_MAX];
	struct config_error *error;
};

void config_complain(struct config_error *error, const char *where, const char *en, const char *ja,
		     ...)
{
	va_list args, again;

	va_start(args, ja);
	va_copy(again, args);
	snprintf(error->where, sizeof(error->where), "%s", where);
	vsnprintf(error->en, sizeof(error->en), en, args);
	vsnprintf(error->ja, sizeof(error->ja), ja, again);
	va_end(again);
	va_end(args);
}

/* What somebody else wrote, as it may stand in a message. */
struct shown {
	char text[64];
};

static struct shown show(const char *text)
{
	struct shown shown;
	size_t len = strnlen(text, sizeof(shown.text) - 1);

	while (len && text[len] && ((unsigned char)text[len] & 0xc0) == 0x80)
		len--; /* not half a character */
	bool valid = util_utf8_valid(text, len);
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];
		bool control = c < 0x20 || c == 0x7f || (!valid && c >= 0x80);

		shown.text[i] = control ? '?' : text[i];
	}
	shown.text[len] = 0;
	return shown;
}

static bool parse_bool(const char *text, bool *ret)
{
	static const char *const yes[] = { "true", "yes", "on", "1" }, *const no[] = { "false",
										       "no", "off",
										       "0" };

	for (size_t i = 0; i < ARRAY_SIZE(yes); i++) {
		if (util_streq(text, yes[i]) || util_streq(text, no[i])) {
			*ret = util_streq(text, yes[i]);
			return true;
		}
	}
	return false;
}

bool config_parse_listen(const char *text, struct config_listen *ret)
{
	bool v6 = text[0] == '[';
	const char *end = v6 ? strstr(text, "]:") : strrchr(text, ':');
	unsigned char binary[sizeof(struct in6_addr)];
	struct config_listen listen = { 0 };
	int64_t port;
	size_t len;

	if (!end)
		return false;
	len = (size_t)(end - text) - (v6 ? 1 : 0);
	if (len >= sizeof(listen.address))
		return false;
	memcpy(listen.address, text + (v6 ? 1 : 0), len);
	if (inet_pton(v6 ? AF_INET6 : AF_INET, listen.address, binary) != 1)
		return false;
	if (util_parse_i64(end + (v6 ? 2 : 1), 1, 65535, &port))
		return false;
	listen.port = (uint16_t)port;
	*ret = listen;
	return true;
}

static bool refuse_value(struct parse *parse, const struct config_key *key, const char *where,
			 const char *value)
{
	const struct shown shown = show(value);
	const char *text = shown.text;
	long long least = (long long)key->min, most = (long long)key->max;
	char place[sizeof(parse->error->where)];

	snprintf(place, sizeof(place), "%s: %s.%s", where, key->section, key->name);
	switch (key->type) {
	case CONFIG_STRING:
		config_complain(parse->error, place,
				"\"%s\" is not allowed: %lld to %lld bytes of UTF-8",
				"「%s」は使えません。UTF-8 で %lld～%lld バイトにしてください",
				text, least, most);
		break;
	case CONFIG_INT:
		config_complain(parse->error, place,
				"\"%s\" is not allowed: a whole number from %lld to %lld",
				"「%s」は使えません。%lld～%lld の整数を指定してください", text,
				least, most);
		break;
	case CONFIG_BOOL:
		config_complain(parse->error, place, "\"%s\" is not allowed: yes or no",
				"「%s」は使えません。yes か no を指定してください", text);
		break;
	case CONFIG_LISTEN:
		config_complain(parse->error, place,
				"\"%s\" is not allowed: ADDRESS:PORT or [IPV6]:PORT, as in "
				"0.0.0.0:443",
				"「%s」は使えません。0.0.0.0:443 "
				"のように「アドレス:ポート」か「[IPv6アドレス]:ポート」を指定して"
				"ください",
				text);
		break;
	}
	return false;
}

/* Sets one value; where: "file:line" or "fallback". False after complaining. */
static bool set(struct parse *parse, const struct config_key *key, const char *where,
		const char *value)
{
	void *at = parse->target + key->offset;
	size_t len = strlen(value);
	bool good = false;

	switch (key->type) {
	case CONFIG_STRING:
		good = len >= (size_t)key->min && len <= (size_t)key->max &&
		       util_utf8_valid(value, len);
		if (good)
			memcpy(at, value, len + 1);
		break;
	case CONFIG_INT:
		good = util_parse_i64(value, key->min, key->max, at) == OK;
		break;
	case CONFIG_BOOL:
		good = parse_bool(value, at);
		break;
	case CONFIG_LISTEN:
		good = config_parse_listen(value, at);
		break;
	}
	return good || refuse_value(parse, key, where, value);
}

static int on_value(void *user, const char *section, const char *name, const char *value)
{
	const struct shown wrong_section = show(section), wrong_name = show(name ? name : "");
	struct parse *parse = user;
	char where[300];

	snprintf(where, sizeof(where), "%.255s:%d", parse->name, parse->line);
	if (parse->error->en[0])
		return 0;
	if (!name)
		return 1;
	for (size_t i = 0; i < parse->count; i++) {
		const struct config_key *key = &parse->keys[i];

		if (!util_streq(section, key->section) || !util_streq(name, key->name))
			continue;
		if (parse->seen[i]) {
			config_complain(parse->error, where, "%s.%s stands there twice: keep one",
					"%s.%s が 2 回あります。一方を消してください", section,
					name);
			return 0;
		}
		parse->seen[i] = true;
		return set(parse, key, where, value ? value : "");
	}
	config_complain(parse->error, where,
			"unknown key %s.%s: see sekisho config check --help for the list",
			"%s.%s という項目はありません。sekisho config check --help "
			"の一覧を見てください",
			wrong_section.text, wrong_name.text);
	return 0;
}

/* inih's reader: one line a call, counted, because Debian's build does not tell the handler the
 * line. */
static char *next_line(char *line, int room, void *stream)
{
	struct parse *parse = stream;
	size_t len = strcspn(parse->rest, "\n");

	if (!*parse->rest || parse->error->en[0])
		return NULL;
	parse->line++;
	if (len + 2 > (size_t)room) {
		char where[300];

		snprintf(where, sizeof(where), "%.255s:%d", parse->name, parse->line);
		config_complain(parse->error, where, "the line is over %d bytes: make it shorter",
				"1 行が %d バイトを超えています。短くしてください", room - 2);
		return NULL;
	}
	memcpy(line, parse->rest, len);
	memcpy(line + len, "\n", 2);
	parse->rest += len + (parse->rest[len] == '\n');
	return line;
}

static void refuse_missing(struct parse *parse, const struct config_key *key)
{
	struct config_error *error = parse->error;

	snprintf(error->where, sizeof(error->where), "%.255s: %s.%s", parse->name, key->section,
		 key->name);
	snprintf(error->en, sizeof(error->en), "is missing: %s", key->en);
	snprintf(error->ja, sizeof(error->ja), "指定が必要です（%s）", key->ja);
}

static enum err fill_rest(struct parse *parse)
{
	for (size_t i = 0; i < parse->count; i++) {
		const struct config_key *key = &parse->keys[i];

		if (parse->seen[i])
			continue;
		if (!key->fallback) {
			refuse_missing(parse, key);
			return ERR_INVALID;
		}
		if (!set(parse, key, "fallback", key->fallback))
			return ERR_INTERNAL;
	}
	return OK;
}

static enum err fill(struct parse *parse, const char *text)
{
	char where[300];
	int bad;

	parse->rest = text;
	bad = ini_parse_stream(next_line, parse, on_value, parse);
	if (bad < 0)
		return ERR_NOMEM;
	if (parse->error->en[0])
		return ERR_INVALID;
	if (bad > 0) {
		snprintf(where, sizeof(where), "%.255s:%d", parse->name, bad);
		config_complain(parse->error, where,
				"not a line of the form [section], key = value or # comment",
				"[節]、項目 = 値、# 注釈 のどの形でもない行です");
		return ERR_INVALID;
	}
	return fill_rest(parse);
}

enum err config_parse(const char *name, const char *text, const struct config_key *keys,
		      size_t count, void *target, size_t size, struct config_error *ret_error)
{
	struct parse parse = { .name = name, .keys = keys, .count = count, .error = ret_error };
	enum err err;

	*ret_error = (struct config_error){ 0 };
	if (count > CONFIG_KEYS_MAX)
		return ERR_INTERNAL;
	parse.target = calloc(1, size);
	err = parse.target ? fill(&parse, text) : ERR_NOMEM;
	if (err == ERR_NOMEM)
		config_complain(ret_error, name, "out of memory", "メモリーが足りません");
	if (!err)
		memcpy(target, parse.target, size);
	free(parse.target);
	return err;
}

enum err config_read(const char *path, const struct config_key *keys, size_t count, void *target,
		     size_t size, struct config_error *ret_error)
{
	_cleanup_free_ char *text = NULL;
	size_t len;
	enum err err = util_read_file(path, CONFIG_FILE_MAX, &text, &len);

	if (err) {
		snprintf(ret_error->where, sizeof(ret_error->where), "%s", path);
		snprintf(ret_error->en, sizeof(ret_error->en),
			 "cannot be read: %s; a file of at most %d bytes is needed",
			 err_text_en(err), CONFIG_FILE_MAX);
		snprintf(ret_error->ja, sizeof(ret_error->ja),
			 "読み込めません（%s）。%d バイトまでのファイルが必要です",
			 err_text_ja(err), CONFIG_FILE_MAX);
		return err;
	}
	if (strlen(text) != len) {
		config_complain(ret_error, path, "holds a NUL byte: a text file is needed",
				"NUL バイトが含まれています。テキストファイルが必要です");
		return ERR_INVALID;
	}
	return config_parse(path, text, keys, count, target, size, ret_error);
}
