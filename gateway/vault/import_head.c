#include "vault/import_head.h"

#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "vault/index.h"
#include "vault/template.h"

static const struct {
	const char *name;
	enum import_column what;
} names[] = {
	{ "種別", IMPORT_KIND },         { "kind", IMPORT_KIND },
	{ "顧問先", IMPORT_CLIENT },     { "client", IMPORT_CLIENT },
	{ "氏名", IMPORT_NAME },         { "名称", IMPORT_NAME },
	{ "name", IMPORT_NAME },         { "フリガナ", IMPORT_KANA },
	{ "reading", IMPORT_KANA },      { "kana", IMPORT_KANA },
	{ "番号", IMPORT_NUMBER },       { "個人番号", IMPORT_NUMBER },
	{ "法人番号", IMPORT_NUMBER },   { "マイナンバー", IMPORT_NUMBER },
	{ "number", IMPORT_NUMBER },     { "利用目的", IMPORT_PURPOSES },
	{ "purposes", IMPORT_PURPOSES }, { "保存区分", IMPORT_CLASS },
	{ "class", IMPORT_CLASS },       { "本人", IMPORT_PARENT },
	{ "parent", IMPORT_PARENT },     { "employee", IMPORT_PARENT },
};

const char *import_column_name(enum import_column what)
{
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (names[i].what == what)
			return names[i].name;
	return "";
}

static bool is_blank(const char *at, size_t *ret_len)
{
	*ret_len = *at == ' ' || *at == '\t' ? 1 : !strncmp(at, "\xe3\x80\x80", 3) ? 3 : 0;
	return *ret_len > 0;
}

char *import_trim(char *text)
{
	size_t step, len;

	while (is_blank(text, &step))
		text += step;
	for (len = strlen(text); len; len -= step) {
		if (is_blank(text + len - 1, &step))
			continue;
		if (len < 3 || !is_blank(text + len - 3, &step) || step != 3)
			break;
	}
	text[len] = '\0';
	return text;
}

/* Compared as names are: wide or narrow, big or small. */
static enum err same(const char *folded, const char *name, bool *ret)
{
	char *other = NULL;
	enum err err = index_fold(name, &other);

	if (!err)
		*ret = util_streq(folded, other);
	index_text_free(&other);
	return err;
}

static enum err known(const char *folded, enum import_column *ret)
{
	enum err err = OK;
	bool found = false;

	for (size_t i = 0; !err && !found && i < ARRAY_SIZE(names); i++) {
		err = same(folded, names[i].name, &found);
		if (found)
			*ret = names[i].what;
	}
	return err;
}

static enum err field_key(const json_t *template, const char *folded, const char **ret)
{
	static const char *const called[] = { "ja", "en", "key" };
	const json_t *field;
	enum err err = OK;
	bool found = false;
	size_t i;

	json_array_foreach(template, i, field)
	{
		for (size_t k = 0; !err && !found && k < ARRAY_SIZE(called); k++) {
			const char *name = json_string_value(json_object_get(field, called[k]));

			if (name && *name)
				err = same(folded, name, &found);
		}
		if (err || found) {
			*ret = json_string_value(json_object_get(field, "key"));
			return err;
		}
	}
	return err;
}

static void keep_name(const char *name, char ret[IMPORT_COLUMN_NAME + 1])
{
	size_t len = strlen(name);

	if (len > IMPORT_COLUMN_NAME)
		len = IMPORT_COLUMN_NAME;
	while (len && name[len] && (name[len] & 0xc0) == 0x80)
		len--;
	memcpy(ret, name, len);
	ret[len] = '\0';
}

static enum err read_column(struct import_head *head, char *cell, size_t at)
{
	char *folded = NULL;
	const char *name = import_trim(cell);
	enum err err = index_fold(name, &folded);

	keep_name(name, head->columns[at].name);
	head->columns[at].what = IMPORT_UNKNOWN;
	if (!err)
		err = known(folded, &head->columns[at].what);
	for (size_t kind = KIND_CLIENT; !err && kind <= KIND_PAYEE; kind++) {
		if (head->columns[at].what < IMPORT_FIELD || !head->templates[kind])
			continue;
		err = field_key(head->templates[kind], folded, &head->columns[at].keys[kind]);
		if (head->columns[at].keys[kind])
			head->columns[at].what = IMPORT_FIELD;
	}
	index_text_free(&folded);
	return err;
}

static bool same_column(const struct import_head *head, size_t a, size_t b)
{
	if (head->columns[a].what != head->columns[b].what ||
	    head->columns[a].what == IMPORT_UNKNOWN)
		return false;
	if (head->columns[a].what != IMPORT_FIELD)
		return true;
	for (size_t kind = KIND_CLIENT; kind <= KIND_PAYEE; kind++)
		if (head->columns[a].keys[kind] && head->columns[b].keys[kind] &&
		    util_streq(head->columns[a].keys[kind], head->columns[b].keys[kind]))
			return true;
	return false;
}

enum err import_head_read(struct db *db, int64_t kind, char *const *cells, size_t count,
			  struct import_head *ret)
{
	enum err err = OK;

	*ret = (struct import_head){ .count = count };
	for (int64_t one = KIND_CLIENT; !err && one <= KIND_PAYEE; one++)
		if (!kind || kind == one)
			err = template_of(db, one, &ret->templates[one]);
	for (size_t i = 0; !err && i < count; i++)
		err = read_column(ret, cells[i], i);
	for (size_t i = 0; !err && i < count; i++)
		for (size_t k = 0; k < i; k++)
			ret->columns[i].twice = ret->columns[i].twice || same_column(ret, i, k);
	return err;
}

void import_head_finish(struct import_head *head)
{
	for (size_t i = 0; i < ARRAY_SIZE(head->templates); i++)
		json_decref(head->templates[i]);
	*head = (struct import_head){ 0 };
}

int import_head_find(const struct import_head *head, enum import_column what)
{
	for (size_t i = 0; i < head->count; i++)
		if (head->columns[i].what == what)
			return (int)i;
	return -1;
}
