#include "vault/jobs.h"

#include "base/log.h"
#include "vault/staging.h"

/* ---- the list --------------------------------------------------------------------------- */

static void append(struct jobs *jobs, struct job *job)
{
	struct job **link = &jobs->first;

	while (*link)
		link = &(*link)->next;
	job->next = NULL;
	*link = job;
	jobs->count++;
	if (!loop_timer_running(&jobs->turn))
		loop_timer_set(&jobs->turn, 1);
}

static bool take(struct jobs *jobs, const struct job *job)
{
	for (struct job **link = &jobs->first; *link; link = &(*link)->next) {
		if (*link != job)
			continue;
		*link = job->next;
		jobs->count--;
		return true;
	}
	return false;
}

enum err jobs_add(struct jobs *jobs, struct job *job, const char **ret_field)
{
	size_t own = 0;

	for (const struct job *at = jobs->first; at; at = at->next)
		own += at->account == job->account;
	if (own >= JOBS_OF_ONE || jobs->count >= JOBS_MAX) {
		*ret_field = own >= JOBS_OF_ONE ? "own" : "all";
		return ERR_FULL;
	}
	append(jobs, job);
	return OK;
}

void jobs_drop(struct jobs *jobs, struct job *job)
{
	if (!take(jobs, job))
		return;
	jobs->records->work = job->work;
	work_free(job->work);
	jobs->records->work = NULL;
	job->work = NULL;
	if (job->kind == JOB_CHANGES && job != &jobs->sweep)
		jobs_sweep(jobs);
}

/* ---- what was left half entered --------------------------------------------------------- */

static void sweep(struct job *job)
{
	struct jobs *jobs = container_of(job, struct jobs, sweep);
	enum err err = staging_sweep(jobs->records);

	/* It is tried again before the next change of many, and when the vault is opened. */
	if (err && err != ERR_CLOSED)
		log_error("vault-staging", "error=%s", err_code(err));
}

static void swept(struct job *job)
{
	container_of(job, struct jobs, sweep)->sweeping = false;
}

static bool others_change(const struct jobs *jobs)
{
	for (const struct job *job = jobs->first; job; job = job->next)
		if (job->kind == JOB_CHANGES && job->work)
			return true;
	return false;
}

void jobs_sweep(struct jobs *jobs)
{
	if (jobs->sweeping || jobs->records->state != RECORDS_READY ||
	    !jobs->records->staging.first || others_change(jobs))
		return;
	jobs->sweeping = true;
	jobs->sweep = (struct job){ .run = sweep, .done = swept, .kind = JOB_CHANGES };
	append(jobs, &jobs->sweep);
}

/* ---- turns ------------------------------------------------------------------------------ */

/* Whoever asks for much waits for himself: he gets one turn among those of others. */
static bool looks_already(const struct jobs *jobs, uint64_t account)
{
	for (const struct job *job = jobs->first; job; job = job->next)
		if (job->kind == JOB_LOOKS && job->work && job->account == account)
			return true;
	return false;
}

static bool may_run(struct jobs *jobs, struct job *job)
{
	if (job->work)
		return true;
	if (job->kind == JOB_LOOKS)
		return !looks_already(jobs, job->account);
	if (job->kind == JOB_WAITS)
		return !jobs->records->settling;
	if (others_change(jobs))
		return false;
	if (job == &jobs->sweep || job->swept || !jobs->records->staging.first)
		return !jobs->sweeping || job == &jobs->sweep;
	job->swept = true;
	jobs_sweep(jobs);
	return !jobs->sweeping;
}

static void run(void *ctx)
{
	struct job *job = ctx;

	job->run(job);
}

/* True: it is done. Without memory for it, it is done here and now. */
static bool slice(struct jobs *jobs, struct job *job)
{
	bool done = true;

	if (!job->work && work_new(run, job, &job->work)) {
		job->run(job);
		return true;
	}
	jobs->records->work = job->work;
	done = work_run(job->work, jobs->slice_us);
	jobs->records->work = NULL;
	if (done) {
		work_free(job->work);
		job->work = NULL;
	}
	return done;
}

static void turn(struct loop_timer *timer)
{
	struct jobs *jobs = container_of(timer, struct jobs, turn);
	struct job *job = jobs->first;

	while (job && !may_run(jobs, job))
		job = job->next;
	if (!job)
		return;
	if (slice(jobs, job)) {
		/* Not after a clearing away that failed: on a full disk it would have no end. */
		const bool changes = job->kind == JOB_CHANGES && job != &jobs->sweep;

		take(jobs, job);
		job->done(job);
		if (changes)
			jobs_sweep(jobs);
	} else {
		take(jobs, job);
		append(jobs, job);
	}
	if (jobs->first)
		loop_timer_set(&jobs->turn, 1);
}

void jobs_clear(struct jobs *jobs)
{
	if (jobs->sweeping)
		jobs_drop(jobs, &jobs->sweep);
	jobs->sweeping = false;
	loop_timer_cancel(&jobs->turn);
}

bool jobs_is_over(const struct records *records)
{
	return work_is_over(records->work);
}

enum err jobs_pause(struct records *records)
{
	return records->work ? work_pause(records->work) : OK;
}

enum err jobs_may_pause(struct records *records)
{
	return jobs_is_over(records) ? jobs_pause(records) : OK;
}

void jobs_init(struct jobs *jobs, struct records *records, struct loop *loop)
{
	*jobs = (struct jobs){ .records = records, .slice_us = JOBS_SLICE_US };
	loop_timer_init(loop, &jobs->turn, turn);
}
