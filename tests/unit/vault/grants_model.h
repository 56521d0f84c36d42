/*
 * grants_model.h - a small office of random grants, and what they mean, said the dull way: what
 * every answer about rights is compared with.
 */
#ifndef SEKISHO_TESTS_GRANTS_MODEL_H
#define SEKISHO_TESTS_GRANTS_MODEL_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/util.h"
#include "vault/grants_decide.h"

enum {
	MODEL_PEOPLE = 6,
	MODEL_PEOPLE_GROUPS = 3,
	MODEL_CLIENT_GROUPS = 3,
	MODEL_CLIENTS = 5,
	MODEL_RECORDS = 24, /* the clients are the first of them */
	MODEL_ROWS = 400,
	MODEL_MEMBERS = MODEL_PEOPLE * MODEL_PEOPLE_GROUPS,
	MODEL_GROUPED = MODEL_CLIENTS * MODEL_CLIENT_GROUPS,
};

/* Numbers are the places in the arrays: of people and records from 1. A group of clients is known
 * by its number among all groups. */
struct model {
	struct grant_row rows[MODEL_ROWS];
	size_t count;
	struct grant_member people[MODEL_MEMBERS], clients[MODEL_GROUPED];
	size_t people_count, client_count;
	struct grant_place places[MODEL_RECORDS + 1];
};

/* xorshift64*: the same numbers again for the same seed. */
static uint64_t model_state;

static uint64_t model_random(uint64_t below)
{
	model_state ^= model_state >> 12;
	model_state ^= model_state << 25;
	model_state ^= model_state >> 27;
	return (model_state * 0x2545f4914f6cdd1dULL >> 33) % below;
}

/* A new one each time, and the one in GRANTS_SEED to see a failure again. */
static uint64_t model_seed(void)
{
	const char *text = getenv("GRANTS_SEED");
	uint64_t seed = text ? strtoull(text, NULL, 10) : (uint64_t)time(NULL);

	model_state = seed * 0x9e3779b97f4a7c15ULL | 1;
	printf("GRANTS_SEED=%llu\n", (unsigned long long)seed);
	return seed;
}

static struct grant_rights model_rights(void)
{
	struct grant_rights rights = { .level = (uint8_t)model_random(GRANT_LEVELS) };

	if (rights.level != GRANT_NONE) {
		rights.number = model_random(2);
		rights.document = (uint8_t)model_random(DOCUMENT_ROLES);
	}
	return rights;
}

static bool model_in(const struct grant_member *members, size_t count, uint64_t group,
		     uint64_t member)
{
	for (size_t i = 0; i < count; i++) {
		if (members[i].group == group && members[i].member == member)
			return true;
	}
	return false;
}

static bool model_speaks_to(const struct model *m, const struct grant_row *row, uint64_t person)
{
	return row->subject_kind == GRANT_ACCOUNT
		       ? row->subject == person
		       : model_in(m->people, m->people_count, row->subject, person);
}

/* 1 to 5, the nearest first; 0: not about that record. */
static int model_distance(const struct model *m, const struct grant_row *row,
			  const struct grant_place *at)
{
	switch (row->object_kind) {
	case GRANT_RECORD:
		return row->object == at->record                 ? 1
		       : at->parent && row->object == at->parent ? 2
								 : 0;
	case GRANT_CLIENT:
		return row->object == at->client ? 3 : 0;
	case GRANT_CLIENTS:
		return model_in(m->clients, m->client_count, row->object, at->client) ? 4 : 0;
	default:
		return 5;
	}
}

/* One number to compare rows by: near, own, high. */
static int model_rank(const struct grant_row *row, int distance)
{
	return (((5 - distance) * 2 + (row->subject_kind == GRANT_ACCOUNT)) * 8 +
		row->rights.level) *
		       32 +
	       row->rights.number * 16 + (8 - row->rights.document) % 8;
}

static struct grant_rights model_decide(const struct model *m, uint64_t person, bool approver,
					const struct grant_place *at)
{
	struct grant_rights rights = { 0 };
	int best = -1;

	for (size_t i = 0; i < m->count; i++) {
		int distance = model_distance(m, &m->rows[i], at);
		int rank = distance && model_speaks_to(m, &m->rows[i], person)
				   ? model_rank(&m->rows[i], distance)
				   : -1;

		if (rank > best) {
			best = rank;
			rights = m->rows[i].rights;
		}
	}
	if (approver && rights.level == GRANT_NONE)
		rights.level = GRANT_VIEW;
	return rights;
}

/* The row of this subject and object, or a new one. */
static inline struct grant_row *model_row(struct model *m, const struct grant_row *like)
{
	for (size_t i = 0; i < m->count; i++) {
		if (m->rows[i].subject_kind == like->subject_kind &&
		    m->rows[i].subject == like->subject &&
		    m->rows[i].object_kind == like->object_kind &&
		    m->rows[i].object == like->object)
			return &m->rows[i];
	}
	if (m->count == MODEL_ROWS)
		return &m->rows[model_random(MODEL_ROWS)];
	return &m->rows[m->count++];
}

static struct grant_row model_some_row(void)
{
	struct grant_row row = {
		.subject_kind = (uint8_t)(1 + model_random(2)),
		.object_kind = (uint8_t)(1 + model_random(4)),
		.rights = model_rights(),
	};

	row.subject = 1 + model_random(row.subject_kind == GRANT_ACCOUNT ? MODEL_PEOPLE
									 : MODEL_PEOPLE_GROUPS);
	if (row.object_kind == GRANT_RECORD)
		row.object = 1 + model_random(MODEL_RECORDS);
	else if (row.object_kind == GRANT_CLIENT)
		row.object = 1 + model_random(MODEL_CLIENTS);
	else if (row.object_kind == GRANT_CLIENTS)
		row.object = MODEL_PEOPLE_GROUPS + 1 + model_random(MODEL_CLIENT_GROUPS);
	return row;
}

/* A record that is no client goes to some client, perhaps below some other record. */
static void model_move(struct model *m, uint64_t record)
{
	struct grant_place *place = &m->places[record];

	place->record = record;
	place->client = record <= MODEL_CLIENTS ? record : 1 + model_random(MODEL_CLIENTS);
	place->parent = 0;
	if (record > MODEL_CLIENTS + 4 && model_random(3) == 0) {
		place->parent = MODEL_CLIENTS + 1 + model_random(4);
		place->client = m->places[place->parent].client;
	}
}

static inline void model_toggle(struct grant_member *members, size_t *count, uint64_t group,
				uint64_t member)
{
	for (size_t i = 0; i < *count; i++) {
		if (members[i].group == group && members[i].member == member) {
			members[i] = members[--*count];
			return;
		}
	}
	members[(*count)++] = (struct grant_member){ group, member };
}

#endif
