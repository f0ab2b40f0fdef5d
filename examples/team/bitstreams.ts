// SPDX-License-Identifier: MIT
// Where the bitstreams are: the board's own copy, else what make_bitstreams.ts wrote here.

/** The file of a design. */
export function bitstream(name: string): string {
  const dir = Deno.env.get("TEAM_BITSTREAMS") ??
    decodeURIComponent(new URL("bitstreams", import.meta.url).pathname);
  return `${dir}/${name}.bit`;
}
