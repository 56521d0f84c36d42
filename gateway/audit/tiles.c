#include "audit/tiles.h"

#include <stdio.h>
#include <string.h>

/* 1234067 is x001/x234/067. */
static int put_index(char *text, size_t size, uint64_t index)
{
	char parts[96];
	size_t at = sizeof(parts) - 1;

	parts[at] = '\0';
	for (bool last = true; last || index; last = false, index /= 1000) {
		char part[8];
		int len = snprintf(part, sizeof(part), last ? "%03u" : "x%03u/",
				   (unsigned)(index % 1000));
		at -= (size_t)len;
		memcpy(parts + at, part, (size_t)len);
	}
	return snprintf(text, size, "%s", parts + at);
}

enum err tiles_path(const char *folder, int level, uint64_t index, unsigned width,
		    char ret_path[TILES_PATH])
{
	char number[96], name[16] = "entries", part[16] = "";
	int len;

	if (level != TILES_ENTRIES)
		snprintf(name, sizeof(name), "%d", level);
	if (width && width < TILES_WIDTH)
		snprintf(part, sizeof(part), ".p/%u", width);
	put_index(number, sizeof(number), index);
	len = snprintf(ret_path, TILES_PATH, "%s/tile/%s/%s%s", folder, name, number, part);
	return len > 0 && len < TILES_PATH ? OK : ERR_TOO_BIG;
}
