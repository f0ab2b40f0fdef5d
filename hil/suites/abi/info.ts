// SPDX-License-Identifier: MIT
/** INFO. @module */

import { unpackInfo } from "../../../driver/info.ts";
import {
  ABI_VERSION,
  CHAN_INFO,
  DIRECTIONS,
  INFO,
  MAX_POLICIES,
  POLICIES,
  POLICY_INFO,
} from "../../../driver/uapi.ts";
import { assert, group, same } from "./check.ts";
import { type Raw, Struct } from "./raw.ts";

function info(raw: Raw, fill = 0): Struct<keyof typeof INFO.at> {
  const argument = new Struct(INFO, {}, fill);
  raw.call("INFO", argument);
  return argument;
}

function zero(bytes: Uint8Array, what: string): void {
  assert(bytes.every((byte) => byte === 0), `${what} is not zero`);
}

function isPowerOfTwo(value: number): boolean {
  return value > 0 && Number.isInteger(Math.log2(value));
}

export const infoChecks = group("INFO", (check) => {
  check("reports the version of the ABI", (raw) => {
    same(info(raw).get("abi_version"), ABI_VERSION, "abi_version");
  });

  check("writes every byte", (raw) => {
    assert(
      info(raw, 0).bytes.toHex() === info(raw, 0xff).bytes.toHex(),
      "some bytes were not written",
    );
  });

  check("zeroes reserved members and everything after the last policy", (raw) => {
    const { bytes } = info(raw, 0xff);
    zero(bytes.subarray(INFO.at.reserved), "reserved");
    const end = INFO.at.policy + MAX_POLICIES * POLICY_INFO.size;
    zero(bytes.subarray(INFO.at.policy + POLICIES.length * POLICY_INFO.size, end), "policy[11]");
    DIRECTIONS.forEach((name, i) => {
      const at = INFO.at.chan + i * CHAN_INFO.size + CHAN_INFO.at.reserved;
      zero(bytes.subarray(at, at + 4), `reserved of ${name}`);
    });
  });

  check("ends the names of engine and channel with NUL, and zeroes the rest", (raw) => {
    const { bytes } = info(raw, 0xff);
    for (const i of DIRECTIONS.keys()) {
      for (const member of ["engine", "channel"] as const) {
        const at = INFO.at.chan + i * CHAN_INFO.size + CHAN_INFO.at[member];
        const name = bytes.subarray(at, at + 32);
        const end = name.indexOf(0);
        assert(end > 0, `${member}: expected a name that ends with NUL, found ${name.toHex()}`);
        zero(name.subarray(end), `the rest of ${member}`);
      }
    }
  });

  check("sets no flag that the header does not define", (raw) => {
    const { bytes } = info(raw);
    const view = new DataView(bytes.buffer);
    for (const i of DIRECTIONS.keys()) {
      const base = INFO.at.chan + i * CHAN_INFO.size;
      same(view.getUint32(base, true) >>> 8, 0, "flags of a channel");
      same(view.getUint32(base + CHAN_INFO.at.quirks, true) >>> 5, 0, "quirks of a channel");
    }
    for (const i of POLICIES.keys()) {
      const flags = view.getUint32(INFO.at.policy + i * POLICY_INFO.size, true);
      same(flags >>> 3, 0, `flags of ${POLICIES[i]}`);
    }
  });

  check("reports alignments that are powers of two, and consistent depths", (raw) => {
    const { cacheAlign, pageSize, tx, rx } = unpackInfo(info(raw).bytes);
    assert(isPowerOfTwo(pageSize) && pageSize >= 4096, `page_size ${pageSize}`);
    assert(isPowerOfTwo(cacheAlign) && cacheAlign <= pageSize, `cache_align ${cacheAlign}`);
    for (const chan of [tx, rx]) {
      if (chan === null) continue;
      assert(isPowerOfTwo(chan.addressAlign), `address_align ${chan.addressAlign}`);
      assert(isPowerOfTwo(chan.lengthAlign), `length_align ${chan.lengthAlign}`);
      assert(chan.engineDepth >= 1, "engine_depth is 0");
      assert(chan.queueDepth >= chan.engineDepth, "queue_depth is less than engine_depth");
      assert(chan.maxSegment > 0, "max_segment is 0");
      assert(chan.dmaMask > 0n, "dma_mask is 0");
    }
  });

  check("reports limits that are consistent with each other", (raw) => {
    const { maxBlocks, maxBytes, pageSize, policies } = unpackInfo(info(raw).bytes);
    assert(maxBlocks > 0, "max_blocks is 0");
    for (const [name, { tx, rx, maxBlock }] of Object.entries(policies)) {
      same(maxBlock > 0, tx || rx, `${name} has a largest block, and is offered`);
      assert(maxBlock <= maxBytes, `the largest block of ${name} exceeds max_bytes`);
      same(maxBlock % pageSize, 0, `largest block of ${name} modulo page_size`);
    }
  });

  check("reports the memory attribute of each policy", (raw) => {
    const { policies, tx, rx } = unpackInfo(info(raw).bytes);
    for (const name of POLICIES) {
      const { attribute, alias } = policies[name];
      if (name === "coherent" || name === "write-combine") continue;
      same(
        attribute,
        name === "bounce" || name === "dma-buf" ? "none" : "cached",
        `attribute of ${name}`,
      );
      same(alias, false, `alias flag of ${name}`);
    }
    const { coherent, "write-combine": combine } = policies;
    // the driver reports one attribute for both directions, which share a device or have devices alike
    const cached = (rx ?? tx)?.devCoherent === true;
    if (coherent.tx || coherent.rx) {
      same(coherent.attribute, cached ? "cached" : "uncached", "attribute of coherent");
    }
    if (combine.tx || combine.rx) {
      same(combine.attribute === "cached", cached, "write-combine is cached");
    }
    if (combine.tx || combine.rx) {
      same(combine.alias, combine.attribute === coherent.attribute, "alias flag of write-combine");
    }
  });

  check("reports the same with blocks as without", (raw) => {
    const before = info(raw).bytes.toHex();
    raw.alloc("streaming", "tx", 4096, 3);
    raw.enqueue(raw.alloc("streaming", "rx").id);
    assert(info(raw).bytes.toHex() === before, "INFO changed");
  });
});
