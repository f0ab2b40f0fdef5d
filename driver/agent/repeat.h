/* SPDX-License-Identifier: MIT */
/* Requests that are carried out again and again, so that a measurement contains no network. */
#ifndef PLUMBLINE_AGENT_REPEAT_H
#define PLUMBLINE_AGENT_REPEAT_H

#include <stdint.h>

/*
 * Carries out the requests in `program`, in their order, up to arg[0] times. Each time is arg[1] passes of
 * the program. Stops after the first time that ends arg[2] nanoseconds after the start or later, and if a
 * request fails. Returns how often it did so, or -1 and sets errno.
 *
 * In both cases `reply` gets a struct agent_repeated and the records: the clock at the start, then for each
 * time what its steps record, and the clock at its end. `length` is set to its length.
 */
int64_t repeat_run(const uint64_t *arg, uint8_t *program, uint32_t size, uint8_t *reply,
		   uint32_t *length);

#endif
