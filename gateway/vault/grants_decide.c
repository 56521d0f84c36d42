#include "vault/grants_decide.h"

#include <stdlib.h>
#include <string.h>

#include "base/util.h"

/* Box's roles; see docs/architecture.md, "Who may see a record". */
static const uint8_t document_rights[DOCUMENT_ROLES] = {
	[DOCUMENT_CO_OWNER] = DOCUMENT_UPLOAD | DOCUMENT_DOWNLOAD | DOCUMENT_PREVIEW |
			      DOCUMENT_LINK | DOCUMENT_EDIT | DOCUMENT_DELETE | DOCUMENT_OWN,
	[DOCUMENT_EDITOR] = DOCUMENT_UPLOAD | DOCUMENT_DOWNLOAD | DOCUMENT_PREVIEW | DOCUMENT_LINK |
			    DOCUMENT_EDIT | DOCUMENT_DELETE,
	[DOCUMENT_VIEWER_UPLOADER] = DOCUMENT_UPLOAD | DOCUMENT_DOWNLOAD | DOCUMENT_PREVIEW |
				     DOCUMENT_LINK | DOCUMENT_EDIT,
	[DOCUMENT_PREVIEWER_UPLOADER] = DOCUMENT_UPLOAD | DOCUMENT_PREVIEW,
	[DOCUMENT_VIEWER] = DOCUMENT_DOWNLOAD | DOCUMENT_PREVIEW | DOCUMENT_LINK,
	[DOCUMENT_PREVIEWER] = DOCUMENT_PREVIEW,
	[DOCUMENT_UPLOADER] = DOCUMENT_UPLOAD,
};

/* The number right is in none of them. Files leave from Lv4 on. */
static const struct grant_rights presets[GRANT_PRESETS] = {
	{ .level = GRANT_VIEW },
	{ .level = GRANT_EDIT },
	{ .level = GRANT_EDIT, .document = DOCUMENT_PREVIEWER_UPLOADER },
	{ .level = GRANT_EXPORT, .document = DOCUMENT_EDITOR },
	{ .level = GRANT_PERMISSIONS, .document = DOCUMENT_CO_OWNER },
};

uint8_t grants_document_rights(unsigned role)
{
	return role < DOCUMENT_ROLES ? document_rights[role] : 0;
}

bool grants_document_may(const struct grant_rights *rights, uint8_t right)
{
	return rights->level != GRANT_NONE &&
	       (grants_document_rights(rights->document) & right) == right;
}

enum err grants_preset(unsigned preset, struct grant_rights *ret)
{
	if (preset < 1 || preset > GRANT_PRESETS)
		return ERR_INVALID;
	*ret = presets[preset - 1];
	return OK;
}

bool grants_rights_valid(const struct grant_rights *rights)
{
	if (rights->level == GRANT_NONE)
		return !rights->number && rights->document == DOCUMENT_NO_ROLE;
	return rights->level < GRANT_LEVELS && rights->document < DOCUMENT_ROLES;
}

bool grants_rights_within(const struct grant_rights *small, const struct grant_rights *large)
{
	return small->level <= large->level && (!small->number || large->number) &&
	       !(grants_document_rights(small->document) &
		 ~grants_document_rights(large->document));
}

bool grants_rights_same(const struct grant_rights *a, const struct grant_rights *b)
{
	return a->level == b->level && a->number == b->number && a->document == b->document;
}

bool grants_row_same(const struct grant_row *a, const struct grant_row *b)
{
	return a->subject_kind == b->subject_kind && a->subject == b->subject &&
	       a->object_kind == b->object_kind && a->object == b->object;
}

/* An object, and which of the view's rows speaks for it. */
struct spoken {
	uint64_t object;
	const struct grant_row *row;
};

struct spoken_list {
	struct spoken *items;
	size_t count;
};

struct grants_view {
	struct grant_row *rows;
	size_t count;
	struct spoken_list records, clients, grouped; /* sorted; grouped: clients by their groups */
	const struct grant_row *everything;
	enum grants_sight sight;
	size_t owners;
};

/* Negative: a counts before b, which is for the same object. */
static int compare_rows(const struct grant_row *a, const struct grant_row *b)
{
	if (a->subject_kind != b->subject_kind)
		return a->subject_kind < b->subject_kind ? -1 : 1;
	if (a->rights.level != b->rights.level)
		return a->rights.level > b->rights.level ? -1 : 1;
	if (a->rights.number != b->rights.number)
		return a->rights.number ? -1 : 1;
	if (a->rights.document != b->rights.document) {
		/* The roles begin with the highest; none is the lowest. */
		return (a->rights.document + DOCUMENT_ROLES - 1) % DOCUMENT_ROLES <
				       (b->rights.document + DOCUMENT_ROLES - 1) % DOCUMENT_ROLES
			       ? -1
			       : 1;
	}
	/* The same rights either way: always name the same row. */
	if (a->subject != b->subject)
		return a->subject < b->subject ? -1 : 1;
	return a->object < b->object ? -1 : a->object > b->object;
}

static int compare_spoken(const void *left, const void *right)
{
	const struct spoken *a = left, *b = right;

	if (a->object != b->object)
		return a->object < b->object ? -1 : 1;
	return compare_rows(a->row, b->row);
}

static int compare_members(const void *left, const void *right)
{
	const struct grant_member *a = left, *b = right;

	return a->group < b->group ? -1 : a->group > b->group;
}

/* Leaves of each object the row that counts. */
static void settle(struct spoken_list *list)
{
	size_t kept = 0;

	if (list->count)
		qsort(list->items, list->count, sizeof(*list->items), compare_spoken);
	for (size_t i = 0; i < list->count; i++) {
		if (!kept || list->items[kept - 1].object != list->items[i].object)
			list->items[kept++] = list->items[i];
	}
	list->count = kept;
}

/* The members of a group in the sorted array; *ret_count of them. */
static const struct grant_member *members_of(const struct grant_member *members, size_t count,
					     uint64_t group, size_t *ret_count)
{
	size_t low = 0, high = count, end;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (members[middle].group < group)
			low = middle + 1;
		else
			high = middle;
	}
	for (end = low; end < count && members[end].group == group; end++)
		continue;
	*ret_count = end - low;
	return members + low;
}

struct sizes {
	size_t records, clients, grouped;
};

static struct sizes measure(const struct grants_view *view, const struct grant_member *members,
			    size_t member_count)
{
	struct sizes sizes = { 0 };
	size_t of_group;

	for (size_t i = 0; i < view->count; i++) {
		if (view->rows[i].object_kind == GRANT_RECORD) {
			sizes.records++;
		} else if (view->rows[i].object_kind == GRANT_CLIENT) {
			sizes.clients++;
		} else if (view->rows[i].object_kind == GRANT_CLIENTS) {
			members_of(members, member_count, view->rows[i].object, &of_group);
			sizes.grouped += of_group;
		}
	}
	return sizes;
}

static void spread(struct grants_view *view, const struct grant_member *members,
		   size_t member_count)
{
	for (size_t i = 0; i < view->count; i++) {
		const struct grant_row *row = &view->rows[i];
		const struct grant_member *member;
		size_t of_group;

		if (row->object_kind == GRANT_RECORD) {
			view->records.items[view->records.count++] =
				(struct spoken){ row->object, row };
		} else if (row->object_kind == GRANT_CLIENT) {
			view->clients.items[view->clients.count++] =
				(struct spoken){ row->object, row };
		} else if (row->object_kind == GRANT_CLIENTS) {
			member = members_of(members, member_count, row->object, &of_group);
			for (size_t k = 0; k < of_group; k++) {
				view->grouped.items[view->grouped.count++] =
					(struct spoken){ member[k].member, row };
			}
		} else if (row->object_kind == GRANT_EVERYTHING &&
			   (!view->everything || compare_rows(row, view->everything) < 0)) {
			view->everything = row;
		}
	}
	settle(&view->records);
	settle(&view->clients);
	settle(&view->grouped);
}

static bool make_room(struct spoken_list *list, size_t count)
{
	list->items = calloc(count ? count : 1, sizeof(*list->items));
	return list->items != NULL;
}

enum err grants_view_new(const struct grant_row *rows, size_t count,
			 const struct grant_member *members, size_t member_count,
			 enum grants_sight sight, struct grants_view **ret)
{
	_cleanup_grants_view_ struct grants_view *view = calloc(1, sizeof(*view));
	_cleanup_free_ struct grant_member *sorted =
		calloc(member_count ? member_count : 1, sizeof(*sorted));

	if (view)
		view->owners = 1;
	if (!view || !sorted || !(view->rows = calloc(count ? count : 1, sizeof(*view->rows))))
		return ERR_NOMEM;
	view->sight = sight;
	view->count = count;
	if (count)
		memcpy(view->rows, rows, count * sizeof(*rows));
	if (member_count) {
		memcpy(sorted, members, member_count * sizeof(*members));
		qsort(sorted, member_count, sizeof(*sorted), compare_members);
	}
	struct sizes sizes = measure(view, sorted, member_count);
	if (!make_room(&view->records, sizes.records) ||
	    !make_room(&view->clients, sizes.clients) || !make_room(&view->grouped, sizes.grouped))
		return ERR_NOMEM;
	spread(view, sorted, member_count);
	*ret = util_take_ptr(view);
	return OK;
}

struct grants_view *grants_view_share(struct grants_view *view)
{
	view->owners++;
	return view;
}

void grants_view_free(struct grants_view *view)
{
	if (!view || --view->owners > 0)
		return;
	free(view->rows);
	free(view->records.items);
	free(view->clients.items);
	free(view->grouped.items);
	free(view);
}

void grants_view_freep(struct grants_view **view)
{
	grants_view_free(*view);
}

static const struct grant_row *find(const struct spoken_list *list, uint64_t object)
{
	size_t low = 0, high = list->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (list->items[middle].object == object)
			return list->items[middle].row;
		if (list->items[middle].object < object)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

static const struct grant_row *row_of(const struct grants_view *view,
				      const struct grant_place *place)
{
	const struct grant_row *row = find(&view->records, place->record);

	if (!row && place->parent)
		row = find(&view->records, place->parent);
	if (!row)
		row = find(&view->clients, place->client);
	if (!row)
		row = find(&view->grouped, place->client);
	return row ? row : view->everything;
}

/* Whatever the role is, but for these two, it has previews. */
static void look_in(struct grant_rights *rights)
{
	rights->number = true;
	if (rights->document == DOCUMENT_NO_ROLE)
		rights->document = DOCUMENT_PREVIEWER;
	else if (rights->document == DOCUMENT_UPLOADER)
		rights->document = DOCUMENT_PREVIEWER_UPLOADER;
}

void grants_decide(const struct grants_view *view, const struct grant_place *place,
		   struct grant_rights *ret, const struct grant_row **ret_row)
{
	const struct grant_row *row = row_of(view, place);

	*ret = row ? row->rights : (struct grant_rights){ 0 };
	if (view->sight != SIGHT_GIVEN && ret->level < GRANT_VIEW)
		ret->level = GRANT_VIEW;
	if (view->sight == SIGHT_GLASS)
		look_in(ret);
	if (ret_row)
		*ret_row = row;
}

bool grants_may_see(const struct grants_view *view, const struct grant_place *place)
{
	const struct grant_row *row;

	if (view->sight != SIGHT_GIVEN)
		return true;
	row = row_of(view, place);
	return row && row->rights.level >= GRANT_VIEW;
}

size_t grants_view_rows(const struct grants_view *view, const struct grant_row **ret_rows)
{
	*ret_rows = view->rows;
	return view->count;
}
