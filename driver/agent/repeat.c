// SPDX-License-Identifier: MIT
/* Requests that are carried out again and again. */
#include "repeat.h"

#include <errno.h>
#include <string.h>
#include <sys/resource.h>

#include "clock.h"
#include "device.h"
#include "memory.h"
#include "protocol.h"

/* The reply has the records in its first half. The second half is room for what READ reads. */
#define RECORDS_SIZE	(AGENT_MAX_PAYLOAD / 2 - sizeof(struct agent_repeated))
#define READ_SIZE	(AGENT_MAX_PAYLOAD / 2)

/* What is under way. */
static struct {
	uint8_t *records, *room;
	size_t used;
	uint64_t wrong;
} run;

static int64_t fail(int error)
{
	errno = error;
	return -1;
}

static void record(const void *value, size_t size)
{
	memcpy(run.records + run.used, value, size);
	run.used += size;
}

static void record_now(void)
{
	uint64_t time = clock_ns();

	record(&time, sizeof(time));
}

/* Where an IOCTL has what it records: in its struct, after it was made. */
static uint32_t kept_at(const struct agent_request *step)
{
	return (uint32_t)step->arg[4];
}

/* How many bytes a step records. */
static uint64_t recorded(const struct agent_request *step)
{
	if (step->op == AGENT_CLOCK)
		return 8;
	return step->op == AGENT_IOCTL ? (step->arg[4] >> 32) * 8 : 0;
}

static int64_t do_ioctl(const struct agent_request *step, uint8_t *payload)
{
	static _Alignas(16) uint8_t argument[DEVICE_MAX_STRUCT];
	uint32_t items = (uint32_t)step->arg[3], size = step->length - items;
	int64_t result;

	memcpy(argument, payload, size);
	/* the kernel reads as much as the request says */
	memset(argument + size, 0, device_room(step->arg[1], size) - size);
	result = device_ioctl(step->arg[0], step->arg[1], argument, size, payload + size, items);
	if (result < 0)
		return -1;
	record(argument + kept_at(step), (size_t)recorded(step));
	return device_transferred(step->arg[1], argument) ? 0 : fail(EIO);
}

static int64_t compared(int64_t different)
{
	if (different > 0)
		run.wrong++;
	return different;
}

static int64_t do_step(const struct agent_request *step, uint8_t *payload)
{
	const uint64_t *arg = step->arg;
	struct agent_difference where;

	switch (step->op) {
	case AGENT_IOCTL:
		return do_ioctl(step, payload);
	case AGENT_POLL:
		return device_poll(arg[0], arg[1], arg[2]);
	case AGENT_READ:
		return device_read(arg[0], run.room, arg[1]);
	case AGENT_WRITE:
		return device_write(arg[0], payload, step->length);
	case AGENT_CLOCK:
		record_now();
		return 0;
	case AGENT_PUT:
		return memory_put(arg[0], payload, step->length);
	case AGENT_COPY:
		return memory_copy(arg[0], arg[1], arg[2]);
	case AGENT_COMPARE:
		return compared(memory_compare(arg[0], arg[1], arg[2], &where));
	case AGENT_COMPARE_WITH:
		return compared(memory_compare_with(arg[0], payload, step->length, &where));
	case AGENT_FILL:
		return memory_fill(arg[0], arg[1], arg[2]);
	case AGENT_CRC:
		return memory_crc(arg[0], arg[1]);
	default:
		return memory_sum(arg[0], arg[1], arg[2]);
	}
}

/* Whether a step is one that can be repeated, with arguments that need no check each time. */
static int is_valid(const struct agent_request *step)
{
	const uint64_t *arg = step->arg;

	switch (step->op) {
	case AGENT_IOCTL:
		return arg[2] == 0 && arg[3] <= step->length &&
		       step->length - arg[3] <= DEVICE_MAX_STRUCT &&
		       kept_at(step) + recorded(step) <= DEVICE_MAX_STRUCT;
	case AGENT_POLL:
		return arg[2] <= 0x7fffffff;
	case AGENT_READ:
		return arg[1] <= READ_SIZE;
	case AGENT_WRITE:
	case AGENT_CLOCK:
	case AGENT_PUT:
	case AGENT_COPY:
	case AGENT_COMPARE:
	case AGENT_COMPARE_WITH:
	case AGENT_FILL:
	case AGENT_CRC:
	case AGENT_SUM:
		return 1;
	default:
		return 0;
	}
}

/* Checks a program. Returns how many bytes a pass records, or -1 and sets errno. */
static int64_t check(const uint8_t *program, uint32_t size)
{
	uint64_t records = 0;

	for (uint32_t at = 0; at < size;) {
		struct agent_request step;

		if (size - at < sizeof(step))
			return fail(EINVAL);
		memcpy(&step, program + at, sizeof(step));
		at += (uint32_t)sizeof(step);
		if (step.length > size - at || !is_valid(&step))
			return fail(EINVAL);
		at += step.length;
		records += recorded(&step);
	}
	return records > RECORDS_SIZE ? fail(EINVAL) : (int64_t)records;
}

/* Makes one pass. Sets `failed` to the step that failed, if one did. */
static int64_t pass(uint8_t *program, uint32_t size, uint32_t *failed)
{
	uint32_t number = 0;

	for (uint32_t at = 0; at < size; number++) {
		struct agent_request step;
		uint8_t *payload = program + at + sizeof(step);

		memcpy(&step, program + at, sizeof(step));
		if (do_step(&step, payload) < 0) {
			*failed = number;
			return -1;
		}
		at += (uint32_t)sizeof(step) + step.length;
	}
	return 0;
}

static uint64_t nanoseconds(const struct timeval *time)
{
	return (uint64_t)time->tv_sec * 1000000000u + (uint64_t)time->tv_usec * 1000u;
}

int64_t repeat_run(const uint64_t *arg, uint8_t *program, uint32_t size, uint8_t *reply,
		   uint32_t *length)
{
	struct agent_repeated done = { 0 };
	struct rusage before, after;
	int64_t records, times = 0;
	uint64_t start;
	int error = 0;

	if (size == 0 || arg[1] == 0 || arg[1] > RECORDS_SIZE || arg[2] > AGENT_MAX_REPEAT_NS)
		return fail(EINVAL);
	records = check(program, size);
	if (records < 0)
		return -1;
	/* of one time, with the clock at its end */
	records = records * (int64_t)arg[1] + 8;
	if ((uint64_t)records > RECORDS_SIZE - 8)
		return fail(EINVAL);
	run.records = reply + sizeof(done);
	run.room = reply + READ_SIZE;
	run.used = 0;
	run.wrong = 0;
	getrusage(RUSAGE_SELF, &before);
	start = clock_ns();
	record(&start, sizeof(start));
	while ((uint64_t)times < arg[0] && !error && run.used + (uint64_t)records <= RECORDS_SIZE) {
		uint64_t end = 0;

		for (uint64_t i = 0; i < arg[1] && !error; i++) {
			if (pass(program, size, &done.failed_step))
				error = errno;
			/* a desk that asks for too many passes gets an answer, too */
			if (!error && (i & 63) == 63 && clock_ns() - start > 2 * AGENT_MAX_REPEAT_NS)
				error = ETIMEDOUT;
		}
		if (error)
			break;
		end = clock_ns();
		record(&end, sizeof(end));
		times++;
		if (end - start >= arg[2])
			break;
	}
	getrusage(RUSAGE_SELF, &after);
	done.wrong = run.wrong;
	done.user_ns = nanoseconds(&after.ru_utime) - nanoseconds(&before.ru_utime);
	done.system_ns = nanoseconds(&after.ru_stime) - nanoseconds(&before.ru_stime);
	memcpy(reply, &done, sizeof(done));
	*length = (uint32_t)(sizeof(done) + run.used);
	return error ? fail(error) : times;
}
