/*
 * admin_inventory.h - the devices with what is known of each, for lists and for the file that
 * auditors ask for.
 */
#ifndef SEKISHO_BROKER_ADMIN_INVENTORY_H
#define SEKISHO_BROKER_ADMIN_INVENTORY_H

#include "broker/admin.h"
#include "store/certificates.h"

enum { INVENTORY_OWNERS_MAX = 512 };

/* Why a device is revoked that was in use until its disposal was recorded. */
#define INVENTORY_WHY_RETIRED "retired"

struct inventory_row {
	struct device device;
	struct certificate certificate; /* the newest; all 0 when there is none */
	char owners[INVENTORY_OWNERS_MAX];
	char serial[2 * CERTIFICATE_SERIAL + 1];
	const char *state, *place; /* codes */
};

/* *ret_stop: enough. */
typedef enum err inventory_func(void *ctx, const struct inventory_row *row, bool *ret_stop);

/* Calls func for every device with a number above after, by number, until it fails or has enough.
 */
nodiscard enum err inventory_each(struct broker *broker, int64_t after, inventory_func *func,
				  void *ctx);

/* "" for none. */
const char *inventory_disposal_code(int64_t disposal);
/* ERR_INVALID; DISPOSAL_NONE has no name. */
nodiscard enum err inventory_disposal_parse(const char *code, enum disposal *ret);

#endif
