/*
 * fixture.h - a real database file in a temporary folder, with the few rows that most tests need.
 */
#ifndef SEKISHO_TESTS_STORE_FIXTURE_H
#define SEKISHO_TESTS_STORE_FIXTURE_H

#include "unit/folder.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "store/accounts.h"
#include "store/certificates.h"
#include "store/devices.h"
#include "store/hosts.h"

struct fixture {
	char folder[UNIT_FOLDER];
	char path[128];
	struct db *db;
	int64_t account, device, host;
};

/* A second connection to the same file. */
__attribute__((unused)) static struct db *fixture_connect(const struct fixture *fixture)
{
	struct db *db = NULL;

	assert_ok(db_open(fixture->path, &db));
	return db;
}

__attribute__((unused)) static int64_t fixture_account(struct db *db, const char *name)
{
	struct account account = { .role = ACCOUNT_STAFF };
	int64_t id = 0;

	snprintf(account.name, sizeof(account.name), "%s", name);
	snprintf(account.full_name, sizeof(account.full_name), "佐藤 花子");
	snprintf(account.password, sizeof(account.password), "$argon2id$none");
	assert_ok(account_add(db, &account, &id));
	return id;
}

/* One more certificate of a device, of issuing CA 1, with a key and a serial of that byte. */
__attribute__((unused)) static int64_t fixture_certificate(struct db *db, int64_t device,
							   uint8_t key, uint8_t serial)
{
	struct certificate certificate = {
		.device = device, .issuer = 1, .key_type = "EC P-256", .key_place = 1
	};
	int64_t id = 0;

	memset(certificate.key, key, sizeof(certificate.key));
	memset(certificate.serial, serial, sizeof(certificate.serial));
	certificate.issued_s = certificate.not_before_s = clock_wall_s();
	certificate.not_after_s = certificate.issued_s + 3600;
	assert_ok(certificate_add(db, &certificate, &id));
	return id;
}

__attribute__((unused)) static int64_t fixture_device(struct db *db, int64_t owner, uint8_t key)
{
	struct device device = { .name = "laptop", .owner = owner };
	int64_t id = 0;

	memset(device.key, key, sizeof(device.key));
	assert_ok(device_add(db, &device, &id));
	fixture_certificate(db, id, key, key);
	return id;
}

__attribute__((unused)) static int64_t fixture_host(struct db *db, const char *name)
{
	struct host_row host = {
		.protocol = 2, .address = "127.0.0.1", .port = 5900, .broadcast = "255.255.255.255"
	};
	int64_t id = 0;

	snprintf(host.name, sizeof(host.name), "%s", name);
	assert_ok(host_add(db, &host, NULL, 0, &id));
	return id;
}

__attribute__((unused)) static int fixture_setup(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	unit_folder(fixture->folder);
	snprintf(fixture->path, sizeof(fixture->path), "%s/sekisho.db", fixture->folder);
	fixture->db = fixture_connect(fixture);
	fixture->account = fixture_account(fixture->db, "sato");
	fixture->device = fixture_device(fixture->db, fixture->account, 7);
	fixture->host = fixture_host(fixture->db, "経理PC");
	*state = fixture;
	return 0;
}

__attribute__((unused)) static int fixture_teardown(void **state)
{
	struct fixture *fixture = *state;

	db_close(fixture->db);
	unit_folder_remove(fixture->folder);
	free(fixture);
	return 0;
}

#define fixture_test(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

#endif
