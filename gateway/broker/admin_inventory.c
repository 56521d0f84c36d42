/*
 * admin_inventory.c - every device once, with its certificate and its owners.
 */
#include "broker/admin_inventory.h"

#include "base/clock.h"
#include "wire/enums.h"

static const struct {
	enum disposal disposal;
	const char *code;
} disposals[] = {
	{ DISPOSAL_WIPED, "wiped" },
	{ DISPOSAL_DESTROYED, "destroyed" },
	{ DISPOSAL_RETURNED, "returned" },
	{ DISPOSAL_LOST, "lost" },
};

const char *inventory_disposal_code(int64_t disposal)
{
	for (size_t i = 0; i < ARRAY_SIZE(disposals); i++)
		if (disposals[i].disposal == (enum disposal)disposal)
			return disposals[i].code;
	return "";
}

enum err inventory_disposal_parse(const char *code, enum disposal *ret)
{
	for (size_t i = 0; i < ARRAY_SIZE(disposals); i++) {
		if (util_streq(disposals[i].code, code)) {
			*ret = disposals[i].disposal;
			return OK;
		}
	}
	return ERR_INVALID;
}

static const char *state_code(const struct broker *broker, const struct device *device)
{
	if (device->retired_s)
		return "retired";
	if (device->state == DEVICE_REVOKED)
		return "revoked";
	if (clock_wall_s() >= device->not_after_s)
		return "expired";
	if (device->state == DEVICE_LOCKED || device->failures >= broker->policy.failures)
		return "locked";
	return "active";
}

static enum err fill(struct broker *broker, struct inventory_row *row)
{
	int64_t id = row->device.id;
	enum err err = certificate_newest(broker->db, id, &row->certificate);

	if (err == ERR_NOT_FOUND) {
		row->certificate = (struct certificate){ 0 };
		err = OK;
	}
	if (!err)
		err = device_owners(broker->db, id, row->owners, sizeof(row->owners));
	util_hex(row->certificate.serial, row->certificate.id ? CERTIFICATE_SERIAL : 0,
		 row->serial);
	row->state = state_code(broker, &row->device);
	row->place = key_place_code((unsigned)row->certificate.key_place);
	return err;
}

enum err inventory_each(struct broker *broker, int64_t after, inventory_func *func, void *ctx)
{
	_cleanup_query_ struct query query = { 0 };
	struct inventory_row row;
	bool more, stop = false;
	enum err err;

	device_list(&query, broker->db, after);
	while (!stop && !(err = device_next(&query, &row.device, &more)) && more) {
		err = fill(broker, &row);
		if (!err)
			err = func(ctx, &row, &stop);
		if (err)
			return err;
	}
	return err;
}
