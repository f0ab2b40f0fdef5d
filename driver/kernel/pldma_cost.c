// SPDX-License-Identifier: GPL-2.0
/*
 * pldma: what the calls that sync, map, pin and copy memory cost
 */
#include <linux/ktime.h>

#include "pldma_priv.h"

/**
 * pldma_cost_add() - add one call to the counters
 * @chan: direction
 * @kind: enum pldma_cost_kind
 * @verify: count it as part of VERIFY, RESET, REGISTER or release
 * @bytes: bytes that the call processed
 * @start_ns: ktime_get_ns() before the call
 *
 * Return: duration of the call in nanoseconds.
 */
u64 pldma_cost_add(struct pldma_chan *chan, u32 kind, bool verify, size_t bytes, u64 start_ns)
{
	struct pldma_cost *cost = verify ? &chan->stats.verify[kind] : &chan->stats.cost[kind];
	u64 ns = ktime_get_ns() - start_ns;

	spin_lock_irq(&chan->done_lock);
	cost->calls++;
	cost->bytes += bytes;
	cost->total_ns += ns;
	if (ns > cost->max_ns)
		cost->max_ns = ns;
	spin_unlock_irq(&chan->done_lock);
	return ns;
}
