/*
 * jobs.h - what takes the vault long: jobs, each with slices in turn (vault/work.h), and between
 * them whatever else the loop has to do. Of one person's that only look one goes on at a time, so
 * that nobody has more turns than others. One that changes records begins when no other one does,
 * and after what an import has left half entered (vault/staging.h) is gone.
 */
#ifndef SEKISHO_VAULT_JOBS_H
#define SEKISHO_VAULT_JOBS_H

#include "base/loop.h"
#include "vault/records.h"
#include "vault/work.h"

enum {
	JOBS_MAX = 24,
	JOBS_OF_ONE = 4, /* so that it takes many people to keep others out */
	JOBS_SLICE_US = 20000,
};

/* Embedded in its owner, who fills in what is above the line and has zeroed the rest. */
struct job {
	void (*run)(struct job *job);  /* the work itself, which pauses */
	void (*done)(struct job *job); /* from the loop; may free it */
	enum {
		JOB_LOOKS,
		JOB_CHANGES, /* records, in many transactions */
		JOB_WAITS,   /* changes them in one, when no other one is about to settle */
	} kind;
	uint64_t account;
	unsigned op; /* OP_… */
	/* ---- */
	struct job *next;
	struct work *work; /* NULL: it has not begun */
	bool swept;
};

struct jobs {
	struct records *records; /* borrowed */
	struct job *first;       /* whose turn is next */
	size_t count;
	uint64_t slice_us;
	bool sweeping;
	struct job sweep;
	struct loop_timer turn;
};

void jobs_init(struct jobs *jobs, struct records *records, struct loop *loop);
/* ERR_FULL with field "own": JOBS_OF_ONE are the account's; with "all": JOBS_MAX. */
nodiscard enum err jobs_add(struct jobs *jobs, struct job *job, const char **ret_field);
/* Ends one, whose owner frees it; done is not called. */
void jobs_drop(struct jobs *jobs, struct job *job);

/* Ends the clearing away, too; all others are dropped before. */
void jobs_clear(struct jobs *jobs);

/* The records are ready: what an import has left is cleared away. */
void jobs_sweep(struct jobs *jobs);

/* Within a job: is a slice over, and let the others go on. ERR_CLOSED: it has to end. */
bool jobs_is_over(const struct records *records);
nodiscard enum err jobs_pause(struct records *records);
/* That, when it is over. */
nodiscard enum err jobs_may_pause(struct records *records);

#endif
