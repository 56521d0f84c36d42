/*
 * js_main.c - messages-js: writes core/messages.js, the viewer's side of messages.def, enums.def
 * and record_ops.def, as an ES module with JSDoc types. With --sample: one JSON line per message
 * type, encoded by the C codec, for the tests of the codec in JavaScript.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "wire/enums.h"
#include "wire/record_ops.h"
#include "wire/wire.h"

static const char *const type_names[] = {
	[WIRE_U8] = "u8",   [WIRE_U16] = "u16", [WIRE_I16] = "i16",   [WIRE_U32] = "u32",
	[WIRE_U64] = "u64", [WIRE_STR] = "str", [WIRE_BLOB] = "blob", [WIRE_FIXED] = "fixed",
};

static const char *const js_types[] = {
	[WIRE_U8] = "number",       [WIRE_U16] = "number",       [WIRE_I16] = "number",
	[WIRE_U32] = "number",      [WIRE_U64] = "bigint",       [WIRE_STR] = "string",
	[WIRE_BLOB] = "Uint8Array", [WIRE_FIXED] = "Uint8Array",
};

static bool between(const struct wire_type *type, enum wire_role from, enum wire_role to)
{
	return type->from == from && type->to == to;
}

/* ---- the module
 * ----------------------------------------------------------------------------------- */

struct direction {
	enum wire_role from, to;
};

static void print_typedef(const struct wire_type *type, void *ctx)
{
	const struct direction *direction = ctx;

	if (!between(type, direction->from, direction->to))
		return;
	printf(" * @property {{");
	for (size_t i = 0; i < type->field_count; i++)
		printf("%s%s: %s", i ? ", " : "", type->fields[i].name,
		       js_types[type->fields[i].type]);
	printf("}} %s\n", type->name);
}

static void print_table(const struct wire_type *type, void *ctx)
{
	const struct direction *direction = ctx;

	if (!between(type, direction->from, direction->to))
		return;
	printf("\t%s: {\n\t\tid: 0x%04x,\n\t\tfields: [\n", type->name, type->id);
	for (size_t i = 0; i < type->field_count; i++) {
		const struct wire_field *field = &type->fields[i];

		printf("\t\t\t{ name: \"%s\", type: \"%s\", max: %zu },\n", field->name,
		       type_names[field->type], field->max);
	}
	printf("\t\t],\n\t},\n");
}

static void print_direction(const char *name, const char *type_name, const char *about,
			    enum wire_role from, enum wire_role to)
{
	struct direction direction = { from, to };

	printf("\n/**\n * %s\n * @typedef {object} %s\n", about, type_name);
	wire_each(print_typedef, &direction);
	printf(" */\n\n/** @type {Record<keyof %s, MessageType>} */\nexport const %s = {\n",
	       type_name, name);
	wire_each(print_table, &direction);
	printf("};\n");
}

static void print_enum_head(const char *name)
{
	printf("\n/** enum %s: number to code.\n * @type {Readonly<Record<number, string>>} "
	       "*/\nexport const ",
	       name);
	for (const char *c = name; *c; c++)
		putchar(*c >= 'a' && *c <= 'z' ? *c - 'a' + 'A' : *c);
	printf(" = Object.freeze({\n");
}

static void print_enums(void)
{
#define ENUM(name)                print_enum_head(#name);
#define VALUE(number, NAME, code) printf("\t%d: \"%s\",\n", number, code);
#define END(name)                 printf("});\n");
#include "wire/enums.def"
#undef ENUM
#undef VALUE
#undef END
}

static void print_record_ops(void)
{
	printf("\n/** What may be asked of the vault's records: words of record_ops.def.\n"
	       " * @type {readonly string[]} */\nexport const RECORD_OPS = Object.freeze([\n");
	for (size_t i = 0; i < record_op_count; i++)
		printf("\t\"%s\",\n", record_ops[i].words);
	printf("]);\n");
}

static void print_module(void)
{
	printf("// Written by messages-js from messages.def, enums.def and record_ops.def: do not "
	       "edit.\n\n"
	       "/**\n * max: bytes a str or blob may have, bytes a fixed has; 0 for numbers.\n"
	       " * @typedef {{name: string, type: "
	       "\"u8\"|\"u16\"|\"i16\"|\"u32\"|\"u64\"|\"str\"|\"blob\"|\"fixed\",\n"
	       " *   max: number}} Field\n"
	       " * @typedef {{id: number, fields: readonly Field[]}} MessageType\n */\n");
	print_direction("TO_VIEWER", "ToViewer", "What the worker sends.", WIRE_WORKER,
			WIRE_VIEWER);
	print_direction("FROM_VIEWER", "FromViewer", "What the viewer sends.", WIRE_VIEWER,
			WIRE_WORKER);
	print_direction("TO_PLAYER", "ToPlayer", "What the vault sends.", WIRE_VAULT, WIRE_PLAYER);
	print_direction("FROM_PLAYER", "FromPlayer", "What the player sends.", WIRE_PLAYER,
			WIRE_VAULT);
	print_direction("TO_SAVER", "ToSaver", "What an export sends to who keeps the file.",
			WIRE_EXPORT, WIRE_PLAYER);
	print_direction("TO_PAGE", "ToPage", "What the vault sends of documents.", WIRE_VAULT,
			WIRE_PAGE);
	print_direction("FROM_PAGE", "FromPage", "What a page sends of documents.", WIRE_PAGE,
			WIRE_VAULT);
	print_enums();
	print_record_ops();
}

/* ---- samples
 * -------------------------------------------------------------------------------------- */

enum { SAMPLE_BLOB = 300 };

static uint8_t sample_blob[SAMPLE_BLOB];

static void print_hex(const uint8_t *data, size_t len)
{
	for (size_t i = 0; i < len; i++)
		printf("%02x", data[i]);
}

/* Fills one field with a value that shows wrong byte order, sign and length, and prints it. */
static void sample_field(const struct wire_field *field, size_t index, uint8_t *place)
{
	static const char *const text = "関所 sekisho 😀";
	uint64_t number = 0x8192a3b4c5d6e7f8 + index;
	struct bytes blob = { sample_blob, MIN(field->max, (size_t)SAMPLE_BLOB) };

	printf("%s\"%s\":", index ? "," : "", field->name);
	switch (field->type) {
	case WIRE_U8:
		*place = (uint8_t)number;
		printf("%u", *place);
		break;
	case WIRE_U16:
		memcpy(place, &(uint16_t){ (uint16_t)number }, sizeof(uint16_t));
		printf("%u", (uint16_t)number);
		break;
	case WIRE_I16:
		memcpy(place, &(int16_t){ (int16_t)(-300 - (int16_t)index) }, sizeof(int16_t));
		printf("%d", -300 - (int16_t)index);
		break;
	case WIRE_U32:
		memcpy(place, &(uint32_t){ (uint32_t)number }, sizeof(uint32_t));
		printf("%" PRIu32, (uint32_t)number);
		break;
	case WIRE_U64:
		memcpy(place, &number, sizeof(number));
		printf("\"%" PRIu64 "\"", number);
		break;
	case WIRE_STR:
		memcpy(place, &text, sizeof(text));
		printf("\"%s\"", text);
		break;
	case WIRE_BLOB:
		memcpy(place, &blob, sizeof(blob));
		printf("\"");
		print_hex(blob.data, blob.len);
		printf("\"");
		break;
	case WIRE_FIXED:
		memcpy(place, sample_blob, field->max);
		printf("\"");
		print_hex(sample_blob, field->max);
		printf("\"");
		break;
	}
}

static void print_sample(const struct wire_type *type, void *ctx)
{
	union wire_any msg;
	struct buf buf;

	(void)ctx;
	if (!between(type, WIRE_WORKER, WIRE_VIEWER) && !between(type, WIRE_VIEWER, WIRE_WORKER) &&
	    !between(type, WIRE_VAULT, WIRE_PLAYER) && !between(type, WIRE_PLAYER, WIRE_VAULT) &&
	    !between(type, WIRE_EXPORT, WIRE_PLAYER))
		return;
	memset(&msg, 0, sizeof(msg));
	printf("{\"name\":\"%s\",\"fields\":{", type->name);
	for (size_t i = 0; i < type->field_count; i++)
		sample_field(&type->fields[i], i, (uint8_t *)&msg + type->fields[i].offset);
	buf_init(&buf, WIRE_MESSAGE_MAX);
	if (wire_encode(type->id, &msg, &buf)) {
		fprintf(stderr, "messages-js: %s does not encode\n", type->name);
		exit(1);
	}
	printf("},\"hex\":\"");
	print_hex(buf.data, buf.len);
	printf("\"}\n");
	buf_finish(&buf);
}

int main(int argc, char **argv)
{
	if (argc == 2 && util_streq(argv[1], "--sample")) {
		for (size_t i = 0; i < sizeof(sample_blob); i++)
			sample_blob[i] = (uint8_t)(i * 7 + 1);
		wire_each(print_sample, NULL);
	} else if (argc == 1) {
		print_module();
	} else {
		fprintf(stderr, "usage: messages-js [--sample]\n");
		return 2;
	}
	if (fflush(stdout) || ferror(stdout)) {
		fprintf(stderr, "messages-js: standard output cannot be written\n");
		return 1;
	}
	return 0;
}
