/*
 * recording_export.h - `sekisho recording export`: an encrypted video of a recording that an
 * auditor has in hand, by the auditor's own key. On a gateway's machine the gateway's audit log
 * hears of it first; elsewhere it takes --unlogged, and the video says so.
 */
#ifndef SEKISHO_CLI_RECORDING_EXPORT_H
#define SEKISHO_CLI_RECORDING_EXPORT_H

#include "cli/args.h"

/* Returns the exit code: EXIT_DONE when the file is there. */
int recording_export(const struct args *args);

#endif
