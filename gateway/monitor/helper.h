/*
 * helper.h - processes that are started for one task: sekisho-export for the broker, one for each
 * video that is made of a recording, and sekisho-preview for the vault, one for each document that
 * somebody leafs through. Their owner asks for them, and gives each its channel; they are not
 * started again, and none outlives its owner.
 */
#ifndef SEKISHO_MONITOR_HELPER_H
#define SEKISHO_MONITOR_HELPER_H

#include "monitor/process.h"

struct helper;

struct helper_kind {
	const char *name; /* its program, its user and its log */
	enum wire_role owner;
	uint16_t exited; /* the message to the owner: msg_export_exited or one like it */
	size_t most;     /* at once */
	int nice;        /* desktops come first */
};

/* Two videos, as each takes a processor for as long as it runs; the vault's four previews (vault/
 * document_preview.h), and as many that were killed for others and are not gone yet. */
extern const struct helper_kind helper_export, helper_preview;

struct helpers {
	const struct helper_kind *kind;
	struct processes *processes; /* to find the owner */
	struct spawn_user user;
	struct helper *first;
	size_t count;
	bool stopping;
};

/* The status in the message for one that could not be started (too many, no memory); see
 * waitpid(2). */
#define HELPER_NOT_STARTED UINT32_MAX

nodiscard enum err helpers_init(struct helpers *helpers, const struct helper_kind *kind,
				struct processes *processes);
/* Only after every one has been reaped. */
void helpers_finish(struct helpers *helpers);

/* The order to start one, whose descriptor is taken over. */
void helpers_spawn(struct helpers *helpers, uint32_t number, int fd);
/* The order to end one. */
void helpers_kill(struct helpers *helpers, uint32_t number);

/* There is another owner: what the one before wanted ends. */
void helpers_end_all(struct helpers *helpers);

/* One of ours died? Then the owner is told. */
bool helpers_reaped(struct helpers *helpers, pid_t pid, int status);

/* Sends the signal to all; from then on none is started. */
void helpers_stop(struct helpers *helpers, int signal);

#endif
