#include "wire/settings.h"

#include <stdio.h>
#include <string.h>

const struct config_key settings_keys[] = {
#define SETTING(section, field, type, min, max, fallback, en, ja)                                  \
	{ #section, #field, CONFIG_##type, offsetof(struct settings, section##_##field),           \
	  min,      max,    fallback,      en,                                                     \
	  ja },
#include "wire/settings.def"
#undef SETTING
};
const size_t settings_count = ARRAY_SIZE(settings_keys);

static enum err check_client(const struct settings *settings, const char *path,
			     struct config_error *ret_error)
{
	static const char *const known[] = { "no", "optional", "required" };

	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (util_streq(settings->session_ask_client, known[i]))
			return OK;
	config_complain(ret_error, path,
			"session.ask_client must be no, optional or required, but is \"%s\"",
			"session.ask_client は no、optional、required のどれかにしてください。"
			"いまの値は「%s」です",
			settings->session_ask_client);
	return ERR_INVALID;
}

static enum err check_collector(const struct settings *settings, const char *path,
				struct config_error *ret_error)
{
	if (!settings->siem_address[0] || settings->siem_certificate_dir[0])
		return OK;
	config_complain(ret_error, path,
			"siem.address needs siem.certificate_dir, the folder with ca.pem",
			"siem.address を使うには、ca.pem のあるフォルダーを "
			"siem.certificate_dir に指定してください");
	return ERR_INVALID;
}

/* What is protected does not leave this machine to be looked at. */
static enum err check_clamd(const struct settings *settings, const char *path,
			    struct config_error *ret_error)
{
	const char *where = settings->vault_clamd;
	struct config_listen listen;

	if (!*where || *where == '/' ||
	    (config_parse_listen(where, &listen) &&
	     (!strncmp(listen.address, "127.", 4) || util_streq(listen.address, "::1"))))
		return OK;
	config_complain(
		ret_error, path,
		"vault.clamd must be the path of a socket or a port of the loopback address "
		"as 127.0.0.1:3310, but is \"%s\"",
		"vault.clamd はソケットのパスか、127.0.0.1:3310 のような"
		"ループバックのポートにしてください。いまの値は「%s」です",
		where);
	return ERR_INVALID;
}

enum err settings_read(const char *path, struct settings *ret, struct config_error *ret_error)
{
	struct settings settings;
	enum err err = config_read(path, settings_keys, settings_count, &settings, sizeof(settings),
				   ret_error);

	if (err)
		return err;
	if (settings.session_idle_warn_minutes > settings.session_idle_lock_minutes ||
	    settings.session_idle_lock_minutes > settings.session_idle_logoff_minutes) {
		config_complain(
			ret_error, path,
			"session.idle_warn_minutes <= idle_lock_minutes <= "
			"idle_logoff_minutes must hold, but they are %lld, %lld, %lld",
			"session.idle_warn_minutes ≦ idle_lock_minutes ≦ "
			"idle_logoff_minutes にしてください。いまの値は %lld、%lld、%lld です",
			(long long)settings.session_idle_warn_minutes,
			(long long)settings.session_idle_lock_minutes,
			(long long)settings.session_idle_logoff_minutes);
		return ERR_INVALID;
	}
	err = check_client(&settings, path, ret_error);
	if (err)
		return err;
	err = check_collector(&settings, path, ret_error);
	if (!err)
		err = check_clamd(&settings, path, ret_error);
	if (err)
		return err;
	*ret = settings;
	return OK;
}

void settings_recordings(const struct settings *settings, char ret_path[SETTINGS_PATH])
{
	if (settings->recording_dir[0])
		snprintf(ret_path, SETTINGS_PATH, "%s", settings->recording_dir);
	else
		snprintf(ret_path, SETTINGS_PATH, "%s/recordings", settings->gateway_state_dir);
}
