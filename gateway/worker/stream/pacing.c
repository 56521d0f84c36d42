#include "worker/stream/pacing.h"

#include "base/util.h"

void pacing_init(struct pacing *pacing)
{
	*pacing = (struct pacing){ 0 };
	flow_init(&pacing->flow);
}

/* Sequence numbers wrap; at 60 frames a second after two years. */
static uint32_t on_their_way(const struct pacing *pacing)
{
	return pacing->sent - pacing->acked;
}

void pacing_damaged(struct pacing *pacing, uint64_t now_us, uint64_t max_wait_us)
{
	uint64_t due = MAX(now_us + max_wait_us, pacing->not_before_us);
	if (!pacing->due_us || due < pacing->due_us)
		pacing->due_us = due;
}

void pacing_resized(struct pacing *pacing, uint64_t until_us)
{
	pacing->due_us = until_us;
	pacing->not_before_us = until_us;
}

void pacing_frame_done(struct pacing *pacing, uint64_t now_us)
{
	pacing->not_before_us = 0;
	if (!pacing->due_us)
		return;
	uint64_t due = on_their_way(pacing) ? now_us + PACING_GATHER_US : now_us;
	pacing->due_us = MIN(pacing->due_us, due);
}

bool pacing_open(const struct pacing *pacing)
{
	size_t budget;

	return flow_room(&pacing->flow, &budget);
}

size_t pacing_budget(const struct pacing *pacing)
{
	size_t budget;

	return flow_room(&pacing->flow, &budget) ? budget : 0;
}

bool pacing_due(const struct pacing *pacing, uint64_t now_us, uint64_t *ret_wait_us)
{
	uint64_t due_us = MAX(pacing->due_us, pacing->flow.next_us);

	*ret_wait_us = 0;
	if (!pacing->due_us || !pacing_open(pacing))
		return false;
	if (due_us <= now_us)
		return true;
	*ret_wait_us = due_us - now_us;
	return false;
}

uint32_t pacing_next(const struct pacing *pacing)
{
	return pacing->sent + 1;
}

void pacing_sent(struct pacing *pacing, uint64_t now_us, size_t bytes, bool wanting)
{
	pacing->due_us = 0;
	if (!bytes)
		return;
	pacing->sent++;
	flow_sent(&pacing->flow, now_us, bytes, wanting);
}

enum err pacing_ack(struct pacing *pacing, uint32_t sequence, uint64_t now_us, uint32_t decode_us)
{
	uint32_t ahead = sequence - pacing->acked;

	if (ahead == 0 || ahead > on_their_way(pacing))
		return ERR_PROTOCOL;
	pacing->acked = sequence;
	flow_acked(&pacing->flow, ahead, now_us, decode_us);
	return OK;
}
