#include "vault/content.h"

#include <string.h>

#include "base/util.h"
#include "vault/template.h"

void content_finish(struct content *content)
{
	json_decref(content->own);
	*content = (struct content){ 0 };
}

static void json_freep(json_t **json)
{
	json_decref(*json);
}

enum err content_of_body(struct records *records, const struct desk_ask *ask,
			 struct desk_reply *reply, int64_t kind, const json_t *old,
			 struct content *ret)
{
	_cleanup_(json_freep) json_t *template = NULL;
	struct content content = { .fields = json_object_get(ask->body, "fields") };
	enum err err = desk_text(ask, reply, "name", CONTENT_NAME, &content.name);

	if (!err)
		err = desk_text_or(ask, reply, "kana", CONTENT_NAME, &content.kana);
	if (!err)
		err = template_of(records->db, kind, &template);
	if (!err && template_fit(template, content.fields, old))
		err = desk_wrong(reply, "fields");
	if (!err)
		*ret = content;
	return err;
}

enum err content_write(const struct content *content, struct secret **ret)
{
	_cleanup_(json_freep) json_t *json =
		json_pack("{s:s, s:s, s:O*}", "name", content->name, "kana", content->kana,
			  "fields", (json_t *)(uintptr_t)content->fields);
	_cleanup_secret_ struct secret *data = NULL;

	if (!json)
		return ERR_NOMEM;
	size_t len = json_dumpb(json, NULL, 0, JSON_COMPACT);
	if (len == 0 || len > CONTENT_BYTES)
		return len ? ERR_TOO_BIG : ERR_NOMEM;
	enum err err = secret_new(NULL, len, &data);
	if (!err && json_dumpb(json, (char *)secret_data(data), len, JSON_COMPACT) != len)
		err = ERR_NOMEM;
	if (!err)
		*ret = util_take_ptr(data);
	return err;
}

enum err content_read(const struct secret *data, struct content *ret)
{
	_cleanup_content_ struct content content = {
		.own = json_loadb(secret_text(data), secret_len(data), JSON_REJECT_DUPLICATES,
				  NULL),
	};

	content.name = json_string_value(json_object_get(content.own, "name"));
	content.kana = json_string_value(json_object_get(content.own, "kana"));
	content.fields = json_object_get(content.own, "fields");
	if (json_is_null(content.fields))
		content.fields = NULL;
	if (!content.name || !content.kana || (content.fields && !json_is_object(content.fields)))
		return ERR_INVALID;
	*ret = content;
	content.own = NULL;
	return OK;
}
