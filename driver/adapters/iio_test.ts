// SPDX-License-Identifier: MIT
// What needs no kernel. hil/suite_tests/iio/ has the adapter on the IIO core of Linux.
import { assertEquals } from "@std/assert";
import { runC } from "../testing/c_compiler.ts";
import { explainAdapted } from "./adapter.ts";
import { IioSyscalls } from "./iio.ts";
import { EXPORT_SYNC_FILE, IIO_DMABUF, REQUEST, SYNC_FILE_INFO } from "./iio_abi.ts";

const PATH = "/dev/iio:device0+/dev/iio:device1";

/** The structs, written from their description, because older headers lack them, and what a C compiler makes of them. */
const PROGRAM = `
#include <linux/ioctl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
struct iio { uint32_t fd, flags; uint64_t bytes_used; };
struct export { uint32_t flags; int32_t fd; };
struct info { char name[32]; int32_t status; uint32_t flags, num_fences, pad; uint64_t fences; };
#define EXPORT struct export
#define INFO struct info
int main(void)
{
	unsigned long all[] = {
		_IOWR('i', 0x91, int), _IOW('i', 0x92, int), _IOW('i', 0x93, int),
		_IOW('i', 0x94, struct iio), _IOWR('b', 2, EXPORT), _IOWR('>', 4, INFO),
		offsetof(struct iio, fd), offsetof(struct iio, flags), offsetof(struct iio, bytes_used),
		sizeof(struct iio),
		offsetof(EXPORT, flags), offsetof(EXPORT, fd), sizeof(EXPORT),
		offsetof(INFO, name), offsetof(INFO, status), offsetof(INFO, flags),
		offsetof(INFO, num_fences), offsetof(INFO, pad), offsetof(INFO, fences),
		sizeof(INFO),
	};
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		printf("%lu ", all[i]);
	return 0;
}
`;

Deno.test("REQUEST of IIO and its structs have the numbers that a C compiler computes", async () => {
  const printed = new TextDecoder().decode(await runC(PROGRAM)).trim().split(" ").map(Number);
  assertEquals(printed, [
    ...Object.values(REQUEST),
    ...[IIO_DMABUF, EXPORT_SYNC_FILE, SYNC_FILE_INFO]
      .flatMap(({ at, size }) => [...Object.values(at), size]),
  ]);
});

Deno.test("IioSyscalls.covers() accepts two IIO devices and a heap", () => {
  const covers = (path: string) => IioSyscalls.covers(path);
  assertEquals(covers(PATH), true);
  assertEquals(covers(`${PATH}+/dev/dma_heap/linux,cma`), true);
  assertEquals(covers("/dev/iio:device0"), false);
  assertEquals(covers(`${PATH}+/dev/uio0`), false);
  assertEquals(IioSyscalls.filesOf(PATH), [
    "/dev/iio:device0",
    "/dev/iio:device1",
    "/dev/dma_heap/system",
  ]);
});

Deno.test("explainAdapted() names the file that an IIO device lacks", () => {
  const there = ["/dev/iio:device0", "/dev/iio:device1", "/dev/dma_heap/system"];
  const without = (path: string) => explainAdapted(PATH, (file) => file !== path);
  assertEquals(explainAdapted(PATH, (file) => there.includes(file)), null);
  assertEquals(
    without("/dev/iio:device1"),
    "There is no /dev/iio:device1: load the driver of the IIO device",
  );
  assertEquals(
    without("/dev/dma_heap/system"),
    "There is no /dev/dma_heap/system: name another one behind a second +, or boot a kernel with " +
      "CONFIG_DMABUF_HEAPS_SYSTEM",
  );
});
