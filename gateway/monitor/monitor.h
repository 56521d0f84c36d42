/*
 * monitor.h - the process that starts all others and hands them their descriptors. It reads the
 * settings file and typed messages of the broker, nothing else, and holds no key.
 */
#ifndef SEKISHO_MONITOR_MONITOR_H
#define SEKISHO_MONITOR_MONITOR_H

#include "wire/settings.h"

/*
 * Opens the listeners, starts everything and runs until SIGTERM or SIGINT. program_dir: where the
 * programs sekisho-<role> are. Returns the exit code: 0 after a signal, 1 when it could not start,
 * which is said on stderr.
 */
int monitor_run(const char *settings_path, const struct settings *settings,
		const char *program_dir);

#endif
