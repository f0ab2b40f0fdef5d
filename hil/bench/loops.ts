// SPDX-License-Identifier: MIT
/**
 * Loops that read memory byte by byte, or word by word, as a simple program in C does.
 *
 * They are machine code, because the same loop in JavaScript would measure its compiler: its speed depends on
 * when it is compiled, and it is compiled again whenever the view of a block is detached. A board needs no
 * compiler for these loops.
 *
 * @module
 */

const PROT_READ = 1;
const PROT_WRITE = 2;
const PROT_EXEC = 4;
const MAP_PRIVATE_ANONYMOUS = 0x22;
const PAGE = 65536; // the largest page of Linux on these processors
const MAP_FAILED = 0xffff_ffff_ffff_ffffn;

/** Functions of (address, count) that return the sum of `count` bytes or 64-bit words. */
const CODE: Readonly<Record<typeof Deno.build.arch, Readonly<Record<"byte" | "word", string>>>> = {
  x86_64: {
    // xor eax, eax; 1: movzx edx, byte [rdi]; inc rdi; add rax, rdx; dec rsi; jnz 1b; ret
    byte: "31c0 0fb617 48ffc7 4801d0 48ffce 75f2 c3",
    // xor eax, eax; 1: add rax, [rdi]; add rdi, 8; dec rsi; jnz 1b; ret
    word: "31c0 480307 4883c708 48ffce 75f4 c3",
  },
  aarch64: {
    // mov x2, 0; 1: ldrb w3, [x0], 1; add x2, x2, x3; subs x1, x1, 1; b.ne 1b; mov x0, x2; ret
    byte: "020080d2 03144038 4200038b 210400f1 a1ffff54 e00302aa c0035fd6",
    // the same with ldr x3, [x0], 8
    word: "020080d2 038440f8 4200038b 210400f1 a1ffff54 e00302aa c0035fd6",
  },
};

const SUM = { parameters: ["u64", "usize"], result: "u64" } as const;

/** Adds up memory from an address on. `count` is in bytes or words, and at least 1. */
export type Sum = (address: bigint, count: number) => bigint;

let made: { readonly byte: Sum; readonly word: Sum } | undefined;

/**
 * Returns the loops for this processor. The memory that they read must be mapped and readable.
 *
 * @returns `byte`: a loop over bytes; `word`: one over words of 64 bits, modulo 2^64
 * @throws {Error} If the system gives no executable memory
 */
export function loops(): { readonly byte: Sum; readonly word: Sum } {
  return made ??= make();
}

function make(): { readonly byte: Sum; readonly word: Sum } {
  // never closed: the code stays where it is
  const { symbols } = Deno.dlopen("libc.so.6", {
    mmap: { parameters: ["u64", "usize", "i32", "i32", "i32", "i64"], result: "u64" },
    mprotect: { parameters: ["u64", "usize", "i32"], result: "i32" },
  });
  const prot = PROT_READ | PROT_WRITE;
  const address = symbols.mmap(0n, BigInt(PAGE), prot, MAP_PRIVATE_ANONYMOUS, -1, 0n);
  const pointer = Deno.UnsafePointer.create(address);
  if (address === MAP_FAILED || pointer === null) throw new Error("mmap() failed");
  const page = new Uint8Array(Deno.UnsafePointerView.getArrayBuffer(pointer, PAGE));
  const code = CODE[Deno.build.arch];
  const places = { byte: 0n, word: 256n };
  for (const name of ["byte", "word"] as const) {
    page.set(Uint8Array.fromHex(code[name].replaceAll(" ", "")), Number(places[name]));
  }
  // the kernel syncs the instruction cache when pages become executable
  if (symbols.mprotect(address, BigInt(PAGE), PROT_READ | PROT_EXEC) !== 0) {
    throw new Error("mprotect() failed to make memory executable");
  }
  const sum = (at: bigint): Sum => {
    const place = Deno.UnsafePointer.create<typeof SUM>(address + at);
    if (place === null) throw new Error("Expected an address, found null");
    const code = new Deno.UnsafeFnPointer(place, SUM);
    return (from, count) => code.call(from, BigInt(count));
  };
  return { byte: sum(places.byte), word: sum(places.word) };
}
