/*
 * template.h - pages to print that lie in the program, with {{name}} where something goes.
 */
#ifndef SEKISHO_CLI_TEMPLATE_H
#define SEKISHO_CLI_TEMPLATE_H

#include "base/buf.h"

/* Appends what stands for a name. ERR_PROTOCOL: there is nothing. */
typedef enum err template_value(void *ctx, const char *name, struct buf *buf);

/* Appends the template with the values in it. Errors of value and of buf_add. */
nodiscard enum err template_fill(const char *text, template_value *value, void *ctx,
				 struct buf *buf);

/* Appends text so that HTML shows it as it is. */
nodiscard enum err template_escape(struct buf *buf, const char *text);

#endif
