/*
 * Signed notes, verifier keys and the lines of an exported audit log, which come from anywhere.
 */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "audit/export.h"
#include "audit/stamp.h"

static const char vkey[] = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct checkpoint checkpoint;
	struct audit_row row;
	struct note_key key;
	uint8_t digest[32];
	char *text = malloc(size + 1);

	memcpy(text, data, size);
	text[size] = '\0';
	if (note_key_parse(text, &key) == OK) {
		char again[NOTE_KEY_TEXT];
		if (note_key_format(&key, again))
			abort();
	}
	if (note_key_parse(vkey, &key))
		abort();
	(void)!checkpoint_open(text, size, &key, &checkpoint);
	(void)!checkpoint_read(text, size, &checkpoint);
	json_t *line = json_loadb(text, size, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
	(void)!export_entry_read(line, &row);
	json_decref(line);
	(void)!stamp_imprint(data, size, digest);
	free(text);
	return 0;
}
