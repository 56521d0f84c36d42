/*
 * exporter.h - the table of exporters, one process for each video that is made of a recording. The
 * broker asks for them, and gives each its channel; they are not started again, and none outlives
 * its broker.
 */
#ifndef SEKISHO_MONITOR_EXPORTER_H
#define SEKISHO_MONITOR_EXPORTER_H

#include "monitor/process.h"

enum {
	EXPORTERS_MOST = 2, /* each takes a processor for as long as it runs */
	EXPORTER_NICE = 10, /* desktops come first */
};

struct exporter;

struct exporters {
	struct processes *processes; /* to find the broker */
	struct spawn_user user;
	struct exporter *first;
	size_t count;
	bool stopping;
};

/* The status in export_exited for one that could not be started (too many, no memory); see
 * waitpid(2). */
#define EXPORTER_NOT_STARTED UINT32_MAX

nodiscard enum err exporters_init(struct exporters *exporters, struct processes *processes);
/* Only after every one has been reaped. */
void exporters_finish(struct exporters *exporters);

/* MSG_export_spawn, whose descriptor is taken over. */
void exporters_spawn(struct exporters *exporters, uint32_t number, int fd);
/* MSG_export_kill. */
void exporters_kill(struct exporters *exporters, uint32_t number);

/* There is another broker: what the one before wanted ends. */
void exporters_end_all(struct exporters *exporters);

/* One of ours died? Then the broker is told. */
bool exporters_reaped(struct exporters *exporters, pid_t pid, int status);

/* Sends the signal to all; from then on none is started. */
void exporters_stop(struct exporters *exporters, int signal);

#endif
