// SPDX-License-Identifier: MIT

/**
 * Layouts of C structs, computed by the rule of C: each member has its natural alignment.
 *
 * @module
 */

/** The type of a member: a scalar, or a nested struct. */
export type MemberType = "u8" | "u32" | "s32" | "u64" | Layout<string>;

/** A member: its type, or for an array its type and length. */
export type Member = MemberType | readonly [type: MemberType, count: number];

/** Size of a struct and offsets of its members. */
export interface Layout<Name extends string> {
  /** Name of the struct in C. */
  readonly name: string;
  /** Size of the struct, bytes. */
  readonly size: number;
  /** Alignment of the struct, bytes. */
  readonly align: number;
  /** Offset of each member, bytes. */
  readonly at: Readonly<Record<Name, number>>;
}

const scalars = { u8: 1, u32: 4, s32: 4, u64: 8 } as const;

/**
 * Compute the layout of a struct.
 *
 * @param name Name of the struct in C.
 * @param members Its members, in order.
 * @returns The layout.
 * @throws {Error} If C would insert padding, because no struct of the ABI has any.
 *
 * @example A struct of 16 bytes
 * ```ts
 * import { struct } from "./layout.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const { size, at } = struct("example", { id: "u32", flags: "u32", length: "u64" });
 * assertEquals([size, at.length], [16, 8]);
 * ```
 */
export function struct<const Name extends string>(
  name: string,
  members: Readonly<Record<Name, Member>>,
): Layout<Name> {
  const at: Record<string, number> = {};
  let offset = 0;
  let align = 1;
  for (const [member, description] of Object.entries<Member>(members)) {
    const [type, count] = Array.isArray(description) ? description : [description, 1];
    const { size, align: natural } = typeof type === "string"
      ? {
        size: scalars[type as keyof typeof scalars],
        align: scalars[type as keyof typeof scalars],
      }
      : type;
    if (offset % natural !== 0) {
      throw new Error(`Expected no padding before ${name}.${member}, found offset ${offset}`);
    }
    at[member] = offset;
    offset += size * count;
    align = Math.max(align, natural);
  }
  if (offset % align !== 0) {
    throw new Error(`Expected no padding at the end of ${name}, found size ${offset}`);
  }
  return { name, size: offset, align, at: at as Record<Name, number> };
}
