/*
 * vectors.h - runs vectors of Project Wycheproof; VECTORS is the folder beside this file.
 */
#ifndef SEKISHO_TESTS_VECTORS_H
#define SEKISHO_TESTS_VECTORS_H

#include "unit/unit.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/secret.h"
#include "base/util.h"

static inline json_t *vectors(const char *name)
{
	char path[512];

	snprintf(path, sizeof(path), VECTORS "/%s", name);
	json_t *json = json_load_file(path, 0, NULL);
	assert_non_null(json);
	return json;
}

struct octets {
	uint8_t *data;
	size_t len;
};

static inline struct octets octets_of(const json_t *test, const char *name)
{
	const char *text = json_string_value(json_object_get(test, name));
	struct octets octets = { .len = strlen(text) / 2 };

	octets.data = malloc(octets.len + 1);
	assert_ok(util_unhex(text, octets.data, octets.len));
	return octets;
}

static inline struct secret *secret_of(const json_t *test, const char *name)
{
	struct octets octets = octets_of(test, name);
	struct secret *secret = NULL;

	assert_ok(secret_new(octets.data, octets.len, &secret));
	free(octets.data);
	return secret;
}

static inline bool is_valid(const json_t *test)
{
	return util_streq(json_string_value(json_object_get(test, "result")), "valid");
}

typedef void run_vector(const json_t *group, const json_t *test);

static inline void run_all(const char *name, run_vector *run, size_t least)
{
	json_t *json = vectors(name), *group, *test;
	size_t i, k, count = 0;

	json_array_foreach(json_object_get(json, "testGroups"), i, group)
	{
		json_array_foreach(json_object_get(group, "tests"), k, test)
		{
			run(group, test);
			count++;
		}
	}
	assert_true(count >= least);
	json_decref(json);
}

#endif
