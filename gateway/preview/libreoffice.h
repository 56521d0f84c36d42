/*
 * libreoffice.h - where LibreOffice is, for what runs it and for who says whether it is there.
 */
#ifndef SEKISHO_PREVIEW_LIBREOFFICE_H
#define SEKISHO_PREVIEW_LIBREOFFICE_H

#include <stdbool.h>
#include <unistd.h>

#define LIBREOFFICE "/usr/lib/libreoffice/program"
#define LIBREOFFICE_PACKAGES                                                                       \
	"libreoffice-writer-nogui libreoffice-calc-nogui libreoffice-impress-nogui"

static inline bool libreoffice_installed(void)
{
	return access(LIBREOFFICE "/libmergedlo.so", R_OK) == 0 ||
	       access(LIBREOFFICE "/libsofficeapp.so", R_OK) == 0;
}

#endif
