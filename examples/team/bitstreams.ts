// SPDX-License-Identifier: MIT
// The folder of the bitstreams: TEAM_BITSTREAMS, or the one that make_bitstreams.ts writes here.

/** Returns the path of a design's bitstream. */
export function bitstream(name: string): string {
  const dir = Deno.env.get("TEAM_BITSTREAMS") ??
    decodeURIComponent(new URL("bitstreams", import.meta.url).pathname);
  return `${dir}/${name}.bit`;
}
