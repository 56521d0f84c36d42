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

static void printf_like(2, 3) complain(struct parse *parse, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(parse->error->text, sizeof(parse->error->text), fmt, args);
	va_end(args);
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

static bool parse_listen(const char *text, struct config_listen *ret)
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

/* Sets one value; where: "file:line" or "fallback". False after complaining. */
static bool set(struct parse *parse, const struct config_key *key, const char *where,
		const char *value)
{
	char *at = parse->target + key->offset;
	int64_t number;

	switch (key->type) {
	case CONFIG_STRING:
		if (strlen(value) < (size_t)key->min || strlen(value) > (size_t)key->max ||
		    !util_utf8_valid(value, strlen(value))) {
			complain(parse,
				 "%s: %s.%s: \"%.60s\" is not allowed: %lld to %lld bytes of UTF-8",
				 where, key->section, key->name, value, (long long)key->min,
				 (long long)key->max);
			return false;
		}
		memcpy(at, value, strlen(value) + 1);
		return true;
	case CONFIG_INT:
		if (util_parse_i64(value, key->min, key->max, &number)) {
			complain(parse,
				 "%s: %s.%s: \"%.60s\" is not allowed: a whole number from %lld to "
				 "%lld",
				 where, key->section, key->name, value, (long long)key->min,
				 (long long)key->max);
			return false;
		}
		memcpy(at, &number, sizeof(number));
		return true;
	case CONFIG_BOOL:
		if (!parse_bool(value, (bool *)(void *)at)) {
			complain(parse, "%s: %s.%s: \"%.60s\" is not allowed: yes or no", where,
				 key->section, key->name, value);
			return false;
		}
		return true;
	case CONFIG_LISTEN:
		if (!parse_listen(value, (struct config_listen *)(void *)at)) {
			complain(parse,
				 "%s: %s.%s: \"%.60s\" is not allowed: ADDRESS:PORT or "
				 "[IPV6]:PORT, as in 0.0.0.0:443",
				 where, key->section, key->name, value);
			return false;
		}
		return true;
	}
	return false;
}

static int on_value(void *user, const char *section, const char *name, const char *value)
{
	struct parse *parse = user;
	char where[300];

	snprintf(where, sizeof(where), "%.255s:%d", parse->name, parse->line);
	if (parse->error->text[0])
		return 0;
	if (!name)
		return 1;
	for (size_t i = 0; i < parse->count; i++) {
		const struct config_key *key = &parse->keys[i];

		if (!util_streq(section, key->section) || !util_streq(name, key->name))
			continue;
		if (parse->seen[i]) {
			complain(parse, "%s: %s.%s stands there twice: keep one", where, section,
				 name);
			return 0;
		}
		parse->seen[i] = true;
		return set(parse, key, where, value ? value : "");
	}
	complain(parse, "%s: unknown key %.60s.%.60s: see sekisho config check --help for the list",
		 where, section, name);
	return 0;
}

/* inih's reader: one line a call, counted, because Debian's build does not tell the handler the
 * line. */
static char *next_line(char *line, int room, void *stream)
{
	struct parse *parse = stream;
	size_t len = strcspn(parse->rest, "\n");

	if (!*parse->rest || parse->error->text[0])
		return NULL;
	parse->line++;
	if (len + 2 > (size_t)room) {
		complain(parse, "%.255s:%d: the line is over %d bytes", parse->name, parse->line,
			 room - 2);
		return NULL;
	}
	memcpy(line, parse->rest, len);
	memcpy(line + len, "\n", 2);
	parse->rest += len + (parse->rest[len] == '\n');
	return line;
}

static enum err fill(struct parse *parse, const char *text)
{
	int bad;

	parse->rest = text;
	bad = ini_parse_stream(next_line, parse, on_value, parse);
	if (bad < 0)
		return ERR_NOMEM;
	if (bad > 0 || parse->error->text[0]) {
		if (!parse->error->text[0])
			complain(
				parse,
				"%s:%d: not a line of the form [section], key = value or # comment",
				parse->name, bad);
		return ERR_INVALID;
	}
	for (size_t i = 0; i < parse->count; i++) {
		const struct config_key *key = &parse->keys[i];

		if (parse->seen[i])
			continue;
		if (!key->fallback) {
			complain(parse, "%s: %s.%s is missing: %s", parse->name, key->section,
				 key->name, key->help);
			return ERR_INVALID;
		}
		if (!set(parse, key, "fallback", key->fallback))
			return ERR_INTERNAL;
	}
	return OK;
}

enum err config_parse(const char *name, const char *text, const struct config_key *keys,
		      size_t count, void *target, size_t size, struct config_error *ret_error)
{
	struct parse parse = { .name = name, .keys = keys, .count = count, .error = ret_error };
	enum err err;

	ret_error->text[0] = 0;
	if (count > CONFIG_KEYS_MAX)
		return ERR_INTERNAL;
	parse.target = calloc(1, size);
	if (!parse.target)
		return ERR_NOMEM;
	err = fill(&parse, text);
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
		snprintf(ret_error->text, sizeof(ret_error->text),
			 "%s: cannot be read: %s; a file of at most %d bytes is needed", path,
			 err_text_en(err), CONFIG_FILE_MAX);
		return err;
	}
	if (strlen(text) != len) {
		snprintf(ret_error->text, sizeof(ret_error->text),
			 "%s: holds a NUL byte: a text file is needed", path);
		return ERR_INVALID;
	}
	return config_parse(path, text, keys, count, target, size, ret_error);
}
