#include "vault/requests.h"

#include <string.h>

#include "base/util.h"
#include "vault/grants.h"
#include "vault/sealing.h"

static struct sealing_of sealing_of(const struct request_row *request, const struct record_row *row)
{
	return (struct sealing_of){ .what = SEALING_REQUEST, .row = row, .part = request->id };
}

static void json_freep(json_t **json)
{
	json_decref(*json);
}

/* ---- rows --------------------------------------------------------------------------------------
 */

enum err requests_add(struct records *records, const struct record_row *row, enum request_kind kind,
		      bool ready, int64_t number, const char *why, const struct change_by *by,
		      uint64_t *ret)
{
	struct request_row request = { .kind = kind,
				       .record = row->id,
				       .version = number,
				       .asked = by->now_s,
				       .asked_by = by->account,
				       .state = REQUEST_OPEN,
				       .ready = ready };
	enum err err = request_next_id(records->db, &request.id);

	if (!err)
		err = requests_put_words(records, &request, row, why, "");
	if (!err)
		err = request_insert(records->db, &request);
	if (err == ERR_EXISTS)
		return ERR_WRONG_STATE;
	if (!err)
		err = guard_after_id(&records->guard, GUARDED_REQUEST, request.id);
	if (!err)
		*ret = request.id;
	return err;
}

enum err requests_get(struct records *records, uint64_t id, struct request_row *ret)
{
	enum err err = guard_check_id(&records->guard, GUARDED_REQUEST, id);

	return err ? err : request_by_id(records->db, id, ret);
}

enum err requests_open_of(struct records *records, uint64_t record, struct request_row *ret)
{
	enum err err = request_open_of(records->db, record, ret);

	return err ? err : guard_check_id(&records->guard, GUARDED_REQUEST, ret->id);
}

enum err requests_set(struct records *records, const struct request_row *request)
{
	enum err err = guard_before_id(&records->guard, GUARDED_REQUEST, request->id);

	if (!err)
		err = request_update(records->db, request);
	return err ? err : guard_after_id(&records->guard, GUARDED_REQUEST, request->id);
}

enum err requests_entered(struct records *records, struct record_row *row)
{
	struct request_row request;
	enum err err = requests_open_of(records, row->id, &request);

	if (err == ERR_NOT_FOUND ||
	    (!err && (request.kind != REQUEST_COLLECT || row->state != STATE_REQUESTED)))
		return ERR_WRONG_STATE;
	if (err)
		return err;
	request.ready = true;
	row->state = STATE_WAITING;
	err = requests_set(records, &request);
	return err ? err : records_set_row(records, row);
}

/* ---- who is in it ------------------------------------------------------------------------------
 */

/* Did he enter one of them? Of a version 0 all are looked at. */
static enum err made_by(struct query *query, uint64_t account,
			enum err next(struct query *, struct record_sealed *, bool *), bool *ret)
{
	struct record_sealed sealed;
	bool more = true;
	enum err err = OK;

	while (!err && more) {
		err = next(query, &sealed, &more);
		if (!err && more && sealed.made_by == account)
			*ret = true;
	}
	return err;
}

static enum err has_entered(struct records *records, uint64_t account,
			    const struct request_row *request, bool *ret)
{
	_cleanup_query_ struct query versions, numbers;
	enum err err = OK;

	record_version_select(&versions, records->db, request->record, 0);
	record_number_select(&numbers, records->db, request->record, request->version);
	if (request->kind == REQUEST_COLLECT)
		err = made_by(&versions, account, record_version_next, ret);
	return err || request->kind == REQUEST_DISPOSE
		       ? err
		       : made_by(&numbers, account, record_number_next, ret);
}

enum err requests_part(struct records *records, const struct desk_person *who,
		       const struct request_row *request, const struct record_row *row,
		       struct life_part *ret)
{
	struct life_part part = { .manages = who->duty == DUTY_MANAGE,
				  .asked = request->asked_by == who->account };
	struct grant_rights rights = { 0 };
	enum err err = grants_of(records, who, row->id, &rights);

	part.edits = rights.level >= GRANT_EDIT;
	if (!err)
		err = has_entered(records, who->account, request, &part.entered);
	if (!err)
		*ret = part;
	return err;
}

/* ---- words -------------------------------------------------------------------------------------
 */

enum err requests_words(struct records *records, const struct request_row *request,
			const struct record_row *row, json_t **ret)
{
	const struct sealing_of of = sealing_of(request, row);
	_cleanup_secret_ struct secret *text = NULL;
	_cleanup_(json_freep) json_t *words = NULL;
	enum err err = OK;

	if (request->has_words)
		err = sealing_get(records, &of, request->data_key, request->sealed,
				  request->sealed_len, &text);
	if (err)
		return err;
	words = text ? json_loadb(secret_text(text), secret_len(text), JSON_REJECT_DUPLICATES, NULL)
		     : json_pack("{s:s, s:s}", "why", "", "answer", "");
	if (!json_is_string(json_object_get(words, "why")) ||
	    !json_is_string(json_object_get(words, "answer")))
		return ERR_INVALID;
	*ret = util_take_ptr(words);
	return OK;
}

enum err requests_put_words(struct records *records, struct request_row *request,
			    const struct record_row *row, const char *why, const char *answer)
{
	const struct sealing_of of = sealing_of(request, row);
	_cleanup_(json_freep) json_t *words = json_pack("{s:s, s:s}", "why", why, "answer", answer);
	_cleanup_secret_ struct secret *text = NULL;
	size_t len = 0;

	request->has_words = *why || *answer;
	if (!request->has_words)
		return OK;
	enum err err = words ? secret_random(REQUEST_SEALED - SEALING_MORE, &text) : ERR_NOMEM;
	if (!err)
		len = json_dumpb(words, (char *)secret_data(text), secret_len(text), JSON_COMPACT);
	if (!err && (len == 0 || len > secret_len(text)))
		err = ERR_TOO_BIG;
	if (!err)
		err = sealing_put(records, &of, secret_text(text), len, request->data_key,
				  request->sealed);
	request->sealed_len = len + SEALING_MORE;
	return err;
}

/* What is done with the words of each request about a record. */
typedef enum err each_words(struct records *records, struct request_row *request, uint64_t from,
			    uint64_t to);

static enum err each(struct records *records, uint64_t record, each_words *change, uint64_t from,
		     uint64_t to)
{
	uint64_t after = 0;
	enum err err = OK;

	/* One at a time, as what is being read must not change. */
	while (!err) {
		struct request_row request;
		_cleanup_query_ struct query query;
		bool more = false;

		request_select_record(&query, records->db, record, after);
		err = request_next(&query, &request, &more);
		query_finish(&query);
		if (err || !more)
			break;
		after = request.id;
		if (request.has_words)
			err = change(records, &request, from, to);
	}
	return err;
}

static enum err rewrap_one(struct records *records, struct request_row *request, uint64_t from,
			   uint64_t to)
{
	uint8_t data_key[REQUEST_DATA_KEY];
	enum err err = sealing_rewrap(records, from, to, request->data_key, data_key);

	if (err)
		return err;
	memcpy(request->data_key, data_key, sizeof(data_key));
	return requests_set(records, request);
}

static enum err wipe_one(struct records *records, struct request_row *request, uint64_t from,
			 uint64_t to)
{
	(void)from;
	(void)to;
	request->has_words = false;
	return requests_set(records, request);
}

enum err requests_rewrap(struct records *records, const struct record_row *row, uint64_t from)
{
	return each(records, row->id, rewrap_one, from, row->key);
}

enum err requests_wipe(struct records *records, uint64_t record)
{
	return each(records, record, wipe_one, 0, 0);
}
