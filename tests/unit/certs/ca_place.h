/*
 * ca_place.h - a folder with a CA, opened anew as often as a test likes.
 */
#ifndef SEKISHO_TESTS_CERTS_CA_PLACE_H
#define SEKISHO_TESTS_CERTS_CA_PLACE_H

#include "fixture.h"

#include "certs/ca_store.h"

static const int64_t now_s = 1800000000, year_s = 31557600;

struct office {
	struct fixture_folder folder;
	struct ca_place place;
	struct ca_store store;
	struct secret *passphrase, *wrong;
};

static inline enum err open_at(struct office *office, const struct secret *passphrase, int64_t at_s,
			       bool may_make, bool *ret_made)
{
	*ret_made = false;
	return ca_store_open(&office->store, &office->place, passphrase, at_s, may_make, ret_made);
}

static inline int setup(void **state)
{
	struct office *office = calloc(1, sizeof(*office));

	folder_make(&office->folder);
	office->place =
		(struct ca_place){ .folder = office->folder.path, .office = FIXTURE_OFFICE };
	assert_ok(secret_new("correct horse", 13, &office->passphrase));
	assert_ok(secret_new("wrong horse", 11, &office->wrong));
	*state = office;
	return 0;
}

static inline int teardown(void **state)
{
	struct office *office = *state;

	ca_store_finish(&office->store);
	secret_free(office->passphrase);
	secret_free(office->wrong);
	folder_remove(&office->folder);
	free(office);
	return 0;
}

static inline bool is_there(const struct office *office, const char *name)
{
	char path[128];

	folder_file(&office->folder, name, path);
	return access(path, F_OK) == 0;
}

static inline struct ca *newest(const struct office *office)
{
	return ca_store_newest(&office->store);
}

#endif
