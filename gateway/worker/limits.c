#include "worker/limits.h"

#include "base/util.h"

enum { SECOND_US = 1000000 };

void limits_init(struct limits *limits, const struct limits_config *config, uint64_t now_us)
{
	*limits = (struct limits){ .config = *config,
				   .started_us = now_us,
				   .input_us = now_us,
				   .alone_us = now_us,
				   .alone = true };
}

bool limits_input(struct limits *limits, uint64_t now_us)
{
	bool warned = limits->warned_idle;
	limits->input_us = now_us;
	limits->warned_idle = false;
	return warned;
}

void limits_viewer_came(struct limits *limits)
{
	limits->alone = false;
	limits->seen = true;
}

void limits_viewer_left(struct limits *limits, uint64_t now_us)
{
	limits->alone = true;
	limits->alone_us = now_us;
}

void limits_unlocked(struct limits *limits, uint64_t now_us)
{
	limits->locked = false;
	limits_input(limits, now_us);
	/* The viewer that unlocked comes in a moment. */
	limits_viewer_left(limits, now_us);
	limits->seen = false;
}

void limits_broker_left(struct limits *limits, uint64_t now_us)
{
	limits->brokerless = true;
	limits->broker_us = now_us;
}

void limits_broker_came(struct limits *limits)
{
	limits->brokerless = false;
}

static uint64_t after(uint64_t from_us, uint32_t seconds)
{
	return from_us + (uint64_t)seconds * SECOND_US;
}

static uint64_t length_warning(const struct limits *limits)
{
	uint32_t length = limits->config.length_s;
	return after(limits->started_us,
		     length > LIMITS_LENGTH_WARN_S ? length - LIMITS_LENGTH_WARN_S : 0);
}

static uint64_t resume_end(const struct limits *limits)
{
	uint32_t seconds = limits->config.resume_s;
	if (!limits->seen)
		seconds = MAX(seconds, (uint32_t)LIMITS_FIRST_VIEWER_S);
	return after(limits->alone_us, seconds);
}

enum limits_event limits_next(struct limits *limits, uint64_t now_us, uint64_t *ret_wait_us)
{
	const struct limits_config *config = &limits->config;
	bool warn_length = !limits->warned_length && config->length_s > 0;
	const struct {
		enum limits_event event;
		bool on;
		uint64_t due_us;
		bool *done;
	} rules[] = {
		{ LIMITS_END_BROKER, limits->brokerless, after(limits->broker_us, LIMITS_BROKER_S),
		  NULL },
		{ LIMITS_END_LENGTH, true, after(limits->started_us, config->length_s), NULL },
		{ LIMITS_END_IDLE, true, after(limits->input_us, config->idle_logoff_s), NULL },
		{ LIMITS_END_RESUME, limits->alone, resume_end(limits), NULL },
		{ LIMITS_LOCK, !limits->locked, after(limits->input_us, config->idle_lock_s),
		  &limits->locked },
		{ LIMITS_WARN_LENGTH, warn_length, length_warning(limits), &limits->warned_length },
		{ LIMITS_WARN_IDLE, !limits->warned_idle && !limits->locked,
		  after(limits->input_us, config->idle_warn_s), &limits->warned_idle },
	};
	uint64_t next = UINT64_MAX;

	for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
		if (!rules[i].on)
			continue;
		if (rules[i].due_us <= now_us) {
			if (rules[i].done)
				*rules[i].done = true;
			return rules[i].event;
		}
		next = MIN(next, rules[i].due_us);
	}
	*ret_wait_us = next - now_us;
	return LIMITS_NOTHING;
}

static uint32_t seconds_until(uint64_t due_us, uint64_t now_us)
{
	return due_us <= now_us ? 0 : (uint32_t)((due_us - now_us + SECOND_US - 1) / SECOND_US);
}

uint32_t limits_idle_left(const struct limits *limits, uint64_t now_us)
{
	uint32_t seconds = MIN(limits->config.idle_lock_s, limits->config.idle_logoff_s);
	return seconds_until(after(limits->input_us, seconds), now_us);
}

uint32_t limits_length_left(const struct limits *limits, uint64_t now_us)
{
	return seconds_until(after(limits->started_us, limits->config.length_s), now_us);
}
