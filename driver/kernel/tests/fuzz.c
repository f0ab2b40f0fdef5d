// SPDX-License-Identifier: GPL-2.0
/*
 * fuzz: call /dev/pldma0 in every way that a hostile program could
 *
 *	fuzz model SEED CALLS		one thread, and a model that says what each call
 *					must answer; stops at the first wrong answer,
 *					leaves out what does not matter to it, and writes
 *					the rest to /tmp/fuzz.replay
 *	fuzz failing SEED CALLS		the same, while an allocation of each call fails, on
 *					a kernel with fault injection
 *	fuzz replay FILE [failing]	the operations of such a file again
 *	fuzz storm SEED ROUNDS [unbind]	four threads on one device, killed at a random
 *					time; with unbind, the device is removed meanwhile.
 *					After each round the device must work and hold
 *					nothing
 *
 * Needs root and a loopback design. Prints figures. Exits with 1 after a wrong answer.
 */
#define _GNU_SOURCE
#include "contents.h"
#include "fuzz_model.h"
#include "fuzz_storm.h"

#define OPERATIONS 300		/* in a session */
#define REPLAY "/tmp/fuzz.replay"

static void write_replay(__u64 seed, const unsigned char *keep, int count, const char *why)
{
	FILE *file = fopen(REPLAY, "w");
	int i, kept = 0;

	expect(!!file, "open " REPLAY);
	fprintf(file, "seed %llu\n", (unsigned long long)seed);
	for (i = 0; i < count; i++)
		if (keep[i] && ++kept)
			fprintf(file, "operation %d\n", i);
	fclose(file);
	printf("to see it again: fuzz replay %s%s, which holds:\n", REPLAY,
	       fail_nth >= 0 ? " failing" : "");
	fflush(stdout);
	if (system("cat " REPLAY))
		printf("(it cannot be read)\n");
	printf("wrong answer in session %llu after %d operations: %s\n",
	       (unsigned long long)seed, kept, why);
}

/* leave out operations as long as the session still ends with a wrong answer */
static void minimise(struct session *s, struct stage *stage, __u64 seed)
{
	unsigned char keep[OPERATIONS] = {}, tried[OPERATIONS];
	int count = s->op + 1, step, i, k;
	char why[sizeof(s->why)];

	memcpy(why, s->why, sizeof(why));
	memset(keep, 1, count);
	for (step = count / 2; step; step /= 2) {
		for (i = 0; i < count; i += step) {
			memcpy(tried, keep, sizeof(tried));
			for (k = i; k < i + step && k < count; k++)
				tried[k] = 0;
			if (memcmp(tried, keep, sizeof(tried)) &&
			    run_session(s, stage, seed, count, tried)) {
				memcpy(keep, tried, sizeof(keep));
				memcpy(why, s->why, sizeof(why));
			}
		}
	}
	write_replay(seed, keep, count, why);
}

static int run_model(__u64 seed, __u64 calls)
{
	static struct session session;
	static struct stage stage;
	long before = available();
	__u64 number;

	stage_open(&stage);
	for (number = 0; calls_made < calls; number++) {
		struct rng rng = seeded(seed, number);
		__u64 own = draw(&rng);

		if (run_session(&session, &stage, own, OPERATIONS, NULL)) {
			minimise(&session, &stage, own);
			return 1;
		}
	}
	printf("model: seed %llu, %llu calls in %llu sessions, %llu frames of %llu bytes right\n",
	       (unsigned long long)seed, (unsigned long long)calls_made,
	       (unsigned long long)number, (unsigned long long)frames_compared,
	       (unsigned long long)bytes_compared);
	no_leak(before, number);
	if (fail_nth >= 0)
		printf("%llu of these calls lacked memory\n", (unsigned long long)failures);
	return 0;
}

/* let an allocation of each call fail from here on */
static void arm_failures(void)
{
	put("/sys/kernel/debug/failslab/ignore-gfp-wait", "N");
	put("/sys/kernel/debug/failslab/verbose", "0");
	put("/sys/kernel/debug/fail_page_alloc/ignore-gfp-wait", "N");
	put("/sys/kernel/debug/fail_page_alloc/min-order", "0");
	put("/sys/kernel/debug/fail_page_alloc/verbose", "0");
	fail_nth = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
	expect(fail_nth >= 0, "open /proc/thread-self/fail-nth");
}

static int run_replay(const char *path)
{
	static struct session session;
	static struct stage stage;
	unsigned char keep[OPERATIONS] = {};
	unsigned long long seed;
	FILE *file = fopen(path, "r");
	int operation;

	expect(!!file, path);
	expect(fscanf(file, "seed %llu", &seed) == 1, "the file must begin with: seed NUMBER");
	while (fscanf(file, " operation %d", &operation) == 1) {
		expect(operation >= 0 && operation < OPERATIONS, "there is no such operation");
		keep[operation] = 1;
	}
	fclose(file);
	stage_open(&stage);
	if (run_session(&session, &stage, seed, OPERATIONS, keep)) {
		printf("wrong answer in operation %d: %s\n", session.op, session.why);
		return 1;
	}
	puts("every answer was right");
	return 0;
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	__u64 seed = argc > 2 ? strtoull(argv[2], NULL, 0) : 1;
	__u64 count = argc > 3 ? strtoull(argv[3], NULL, 0) : 1000;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (!strcmp(what, "model"))
		return run_model(seed, count);
	if (!strcmp(what, "failing")) {
		arm_failures();
		return run_model(seed, count);
	}
	if (!strcmp(what, "replay") && argc > 2) {
		if (argc > 3 && !strcmp(argv[3], "failing"))
			arm_failures();
		return run_replay(argv[2]);
	}
	if (!strcmp(what, "storm"))
		return run_storm(seed, count, argc > 4 && !strcmp(argv[4], "unbind"));
	fail("expected model|failing SEED CALLS, replay FILE [failing], storm SEED N [unbind]");
	return 1;
}
