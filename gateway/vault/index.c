#include "vault/index.h"

#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#include "base/secret.h"
#include "wire/enums.h"

/* Above this, sorting all is cheaper than putting each in its place. */
enum { FEW = 64 };

struct note {
	struct index_entry *entry; /* owned */
	bool names;                /* they are new */
};

struct index {
	struct index_entry **by_id, **by_name;
	size_t count, room; /* room is for count and notes */
	struct note *notes;
	size_t note_count, note_room;
};

/* ---- how names are compared -------------------------------------------------------------------
 */

/* Katakana as hiragana; both have three bytes. */
static void write_kana(char *at, utf8proc_int32_t c)
{
	if ((c >= 0x30a1 && c <= 0x30f6) || c == 0x30fd || c == 0x30fe)
		utf8proc_encode_char(c - 0x60, (utf8proc_uint8_t *)at);
}

static void squeeze(char *text)
{
	char *to = text;
	utf8proc_int32_t c;
	size_t len;

	for (; *text; text += len) {
		len = (size_t)utf8proc_iterate((const utf8proc_uint8_t *)text, -1, &c);
		if (c == ' ' || c == '\t')
			continue;
		write_kana(text, c);
		memmove(to, text, len);
		to += len;
	}
	*to = '\0';
}

enum err index_fold(const char *text, char **ret)
{
	const int options = UTF8PROC_NULLTERM | UTF8PROC_STABLE | UTF8PROC_COMPOSE |
			    UTF8PROC_COMPAT | UTF8PROC_CASEFOLD | UTF8PROC_IGNORE;
	utf8proc_uint8_t *made = NULL;
	utf8proc_ssize_t len = utf8proc_map((const utf8proc_uint8_t *)text, 0, &made, options);

	if (len < 0)
		return len == UTF8PROC_ERROR_NOMEM ? ERR_NOMEM : ERR_INVALID;
	squeeze((char *)made);
	*ret = (char *)made;
	return OK;
}

void index_text_free(char **text)
{
	if (!*text)
		return;
	secret_wipe(*text, strlen(*text));
	free(*text);
	*text = NULL;
}

bool index_has(const struct index_entry *entry, const char *folded)
{
	return strstr(entry->folded, folded) != NULL;
}

/* ---- entries ----------------------------------------------------------------------------------
 */

/* One block: name, kana, and both folded in two lines. */
static enum err set_text(struct index_entry *entry, const char *name, const char *kana)
{
	_cleanup_(index_text_free) char *name_folded = NULL, *kana_folded = NULL;
	enum err err = index_fold(name, &name_folded);

	if (!err)
		err = index_fold(kana, &kana_folded);
	if (err)
		return err;
	size_t name_len = strlen(name) + 1, kana_len = strlen(kana) + 1,
	       first = strlen(name_folded) + 1, second = strlen(kana_folded) + 1;
	char *text = secret_malloc(name_len + kana_len + first + second);
	if (!text)
		return ERR_NOMEM;
	entry->text = text;
	entry->name = memcpy(text, name, name_len);
	entry->kana = memcpy(text + name_len, kana, kana_len);
	char *folded = memcpy(text + name_len + kana_len, kana_folded, second);
	folded[second - 1] = '\n'; /* the reading comes first, and with it the order */
	memcpy(folded + second, name_folded, first);
	entry->folded = folded;
	entry->key = second > 1 ? folded : folded + 1;
	return OK;
}

static void entry_free(struct index_entry *entry)
{
	secret_malloc_free(entry->text);
	free(entry);
}

static int compare(const struct index_entry *a, const struct index_entry *b)
{
	int order = strcmp(a->key, b->key);

	return order ? order : a->id < b->id ? -1 : a->id > b->id;
}

static int compare_pointers(const void *a, const void *b)
{
	return compare(*(struct index_entry *const *)a, *(struct index_entry *const *)b);
}

/* The first that is not before the entry. */
size_t index_place(const struct index *index, const struct index_entry *entry)
{
	size_t low = 0, high = index->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (compare(index->by_name[middle], entry) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static size_t place_of_id(const struct index *index, uint64_t id)
{
	size_t low = 0, high = index->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (index->by_id[middle]->id < id)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static struct index_entry *find(const struct index *index, uint64_t id)
{
	size_t place = place_of_id(index, id);

	return place < index->count && index->by_id[place]->id == id ? index->by_id[place] : NULL;
}

const struct index_entry *index_find(const struct index *index, uint64_t id)
{
	return find(index, id);
}

size_t index_count(const struct index *index)
{
	return index->count;
}

const struct index_entry *index_at(const struct index *index, size_t place)
{
	return index->by_name[place];
}

/* ---- changes ----------------------------------------------------------------------------------
 */

static size_t more_room(size_t room, size_t need)
{
	size_t more = room ? room : FEW;

	while (more < need)
		more *= 2;
	return more;
}

/* Keeping cannot fail: there is room before anything is noted. */
static enum err grow_lists(struct index_entry ***by_id, struct index_entry ***by_name, size_t *room,
			   size_t need)
{
	size_t more = more_room(*room, need);
	struct index_entry **grown;

	if (need <= *room)
		return OK;
	grown = reallocarray(*by_id, more, sizeof(struct index_entry *));
	if (!grown)
		return ERR_NOMEM;
	*by_id = grown;
	grown = reallocarray(*by_name, more, sizeof(struct index_entry *));
	if (!grown)
		return ERR_NOMEM;
	*by_name = grown;
	*room = more;
	return OK;
}

static enum err make_room(struct index *index)
{
	size_t notes = index->note_count + 1;

	if (notes > index->note_room) {
		size_t room = more_room(index->note_room, notes);
		struct note *grown = reallocarray(index->notes, room, sizeof(*grown));

		if (!grown)
			return ERR_NOMEM;
		index->notes = grown;
		index->note_room = room;
	}
	return grow_lists(&index->by_id, &index->by_name, &index->room, index->count + notes);
}

enum err index_note(struct index *index, const struct record_row *row, const char *name,
		    const char *kana, bool damaged)
{
	bool gone = row->disposed || row->version == 0;
	const struct index_entry entry = {
		.id = row->id,
		.client = row->client,
		.parent = row->parent,
		.removed = row->removed,
		.kind = (uint8_t)row->kind,
		.state = (uint8_t)row->state,
		.has_number = row->number_version != 0,
		.damaged = damaged,
		.name = "",
		.kana = "",
		.folded = "\n",
		.key = "",
	};
	struct note note = { .entry = calloc(1, sizeof(entry)), .names = gone || name };
	enum err err = note.entry ? make_room(index) : ERR_NOMEM;

	if (!err)
		*note.entry = entry;
	if (!err && !gone && name)
		err = set_text(note.entry, name, kana);
	if (err) {
		free(note.entry);
		return err;
	}
	index->notes[index->note_count++] = note;
	return OK;
}

static void move_up(struct index_entry **entries, size_t place, size_t count)
{
	memmove(entries + place + 1, entries + place, (count - place) * sizeof(*entries));
}

/* ordered: by_name is in order, and stays so. */
static void add(struct index *index, struct index_entry *entry, bool ordered)
{
	size_t place = place_of_id(index, entry->id), named = index->count;

	if (ordered)
		named = index_place(index, entry);
	move_up(index->by_id, place, index->count);
	move_up(index->by_name, named, index->count);
	index->by_id[place] = entry;
	index->by_name[named] = entry;
	index->count++;
}

static void take_names(struct index_entry *to, struct index_entry *from)
{
	secret_malloc_free(to->text);
	to->text = from->text;
	to->name = from->name;
	to->kana = from->kana;
	to->folded = from->folded;
	to->key = from->key;
	to->damaged = from->damaged;
	from->text = NULL;
}

static void rename_entry(struct index *index, struct index_entry *entry, struct index_entry *fresh,
			 bool ordered)
{
	size_t from = ordered ? index_place(index, entry) : 0;

	take_names(entry, fresh);
	if (!ordered)
		return;
	memmove(index->by_name + from, index->by_name + from + 1,
		(index->count - from - 1) * sizeof(*index->by_name));
	index->count--;
	size_t to = index_place(index, entry);
	move_up(index->by_name, to, index->count);
	index->by_name[to] = entry;
	index->count++;
}

static void keep(struct index *index, const struct note *note, bool ordered)
{
	struct index_entry *entry = find(index, note->entry->id);

	if (!entry) {
		add(index, note->entry, ordered);
		return;
	}
	entry->client = note->entry->client;
	entry->parent = note->entry->parent;
	entry->removed = note->entry->removed;
	entry->kind = note->entry->kind;
	entry->state = note->entry->state;
	entry->has_number = note->entry->has_number;
	if (note->names)
		rename_entry(index, entry, note->entry, ordered);
	entry_free(note->entry);
}

void index_keep(struct index *index)
{
	bool ordered = index->note_count <= FEW;

	for (size_t i = 0; i < index->note_count; i++)
		keep(index, &index->notes[i], ordered);
	if (!ordered)
		qsort(index->by_name, index->count, sizeof(*index->by_name), compare_pointers);
	index->note_count = 0;
}

void index_drop(struct index *index)
{
	for (size_t i = 0; i < index->note_count; i++)
		entry_free(index->notes[i].entry);
	index->note_count = 0;
}

/* ---- put aside --------------------------------------------------------------------------------
 */

enum { RUNS = 64 };

/* by_name is in runs that are in order, each more than twice as long as the next one: so joining
 * them costs each entry but a few comparisons, and a little each time. */
struct index_aside {
	struct index_entry **by_id, **by_name, **spare;
	size_t count, room, spare_room;
	size_t runs[RUNS], run_count;
};

typedef int entry_order(const struct index_entry *a, const struct index_entry *b);

static int compare_ids(const struct index_entry *a, const struct index_entry *b)
{
	return a->id < b->id ? -1 : a->id > b->id;
}

/* What is more comes behind what is there; from the end, so that nothing is overwritten. */
static void join(struct index_entry **there, size_t count, struct index_entry *const *more,
		 size_t more_count, entry_order *order)
{
	size_t to = count + more_count;

	while (more_count) {
		if (count && order(there[count - 1], more[more_count - 1]) > 0)
			there[--to] = there[--count];
		else
			there[--to] = more[--more_count];
	}
}

static void join_runs(struct index_aside *aside, bool all)
{
	while (aside->run_count >= 2) {
		size_t *runs = &aside->runs[aside->run_count - 2];

		if (!all && runs[0] > 2 * runs[1])
			return;
		struct index_entry **first = aside->by_name + aside->count - runs[0] - runs[1];
		memcpy(aside->spare, first + runs[0], runs[1] * sizeof(struct index_entry *));
		join(first, runs[0], aside->spare, runs[1], compare);
		runs[0] += runs[1];
		aside->run_count--;
	}
}

static enum err aside_room(struct index_aside *aside, size_t more)
{
	enum err err =
		grow_lists(&aside->by_id, &aside->by_name, &aside->room, aside->count + more);

	if (err || aside->spare_room >= aside->room)
		return err;
	struct index_entry **spare =
		reallocarray(aside->spare, aside->room, sizeof(struct index_entry *));
	if (!spare)
		return ERR_NOMEM;
	aside->spare = spare;
	aside->spare_room = aside->room;
	return OK;
}

/* A record's notes come one after another, its names with the last. */
static void put_aside(struct index_aside *aside, const struct note *note, size_t begin)
{
	struct index_entry *last = aside->count > begin ? aside->by_id[aside->count - 1] : NULL;

	if (!last || last->id != note->entry->id) {
		aside->by_id[aside->count++] = note->entry;
		return;
	}
	if (note->names)
		take_names(last, note->entry);
	entry_free(note->entry);
}

enum err index_set_aside(struct index *index, struct index_aside **aside)
{
	if (!*aside)
		*aside = calloc(1, sizeof(**aside));
	struct index_aside *to = *aside;
	enum err err = to ? aside_room(to, index->note_count) : ERR_NOMEM;
	if (err) {
		index_drop(index);
		return err;
	}
	const size_t begin = to->count;
	for (size_t i = 0; i < index->note_count; i++)
		put_aside(to, &index->notes[i], begin);
	index->note_count = 0;
	if (to->count == begin)
		return OK;
	memcpy(to->by_name + begin, to->by_id + begin,
	       (to->count - begin) * sizeof(struct index_entry *));
	qsort(to->by_name + begin, to->count - begin, sizeof(struct index_entry *),
	      compare_pointers);
	to->runs[to->run_count++] = to->count - begin;
	join_runs(to, to->run_count == RUNS);
	return OK;
}

enum err index_make_room(struct index *index, const struct index_aside *aside)
{
	return grow_lists(&index->by_id, &index->by_name, &index->room,
			  index->count + index->note_count + (aside ? aside->count : 0));
}

void index_take_back(struct index *index, struct index_aside *aside)
{
	if (!aside)
		return;
	join_runs(aside, true);
	join(index->by_id, index->count, aside->by_id, aside->count, compare_ids);
	join(index->by_name, index->count, aside->by_name, aside->count, compare);
	index->count += aside->count;
	aside->count = 0;
	index_aside_free(aside);
}

void index_aside_free(struct index_aside *aside)
{
	if (!aside)
		return;
	for (size_t i = 0; i < aside->count; i++)
		entry_free(aside->by_id[i]);
	free(aside->by_id);
	free(aside->by_name);
	free(aside->spare);
	free(aside);
}

/* ---- life -------------------------------------------------------------------------------------
 */

enum err index_new(struct index **ret)
{
	struct index *index = calloc(1, sizeof(*index));

	*ret = index ? index : *ret;
	return index ? OK : ERR_NOMEM;
}

void index_free(struct index *index)
{
	if (!index)
		return;
	index_drop(index);
	for (size_t i = 0; i < index->count; i++)
		entry_free(index->by_id[i]);
	free(index->by_id);
	free(index->by_name);
	free(index->notes);
	free(index);
}
