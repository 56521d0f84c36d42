/*
 * pages.h - answers that come in several pages, "next" saying that there is more, put together into
 * one.
 */
#ifndef SEKISHO_CLI_PAGES_H
#define SEKISHO_CLI_PAGES_H

#include <jansson.h>
#include <stdbool.h>

#include "base/err.h"

/* Whether there is more after page; arguments are then set to ask for it. ERR_PROTOCOL: the gateway
 * would have us ask for the same again. */
nodiscard enum err pages_next(const json_t *page, json_t *arguments, bool *ret_more);

/* Adds page's rows, or its text "csv", to whole, and whole's "next" goes. ERR_PROTOCOL: the two do
 * not fit. */
nodiscard enum err pages_add(json_t *whole, const json_t *page);

#endif
