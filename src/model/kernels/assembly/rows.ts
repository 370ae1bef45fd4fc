// dprint-ignore-file: the formatter drops decorators of functions
/**
 * Rows in the lanes of a vector: four rows at a time; where fewer are left, the last row fills the others, so that a row
 * meets the same instructions wherever it stands.
 */

/** One number of each of four rows. */
@inline
export function gatherRows(r0: usize, r1: usize, r2: usize, r3: usize, at: usize): v128 {
  const two = v128.load32_lane(r1 + at, v128.load32_zero(r0 + at), 1)
  return v128.load32_lane(r3 + at, v128.load32_lane(r2 + at, two, 2), 3)
}

/** The same number of four rows, of which the last fills up where only `left` are there. */
@inline
export function loadRows(at: usize, stride: usize, left: i32): v128 {
  const r1 = left > 1 ? at + stride : at
  const r2 = left > 2 ? r1 + stride : r1
  return gatherRows(at, r1, r2, left > 3 ? r2 + stride : r2, 0)
}

/** One number to each of four rows. */
@inline
export function scatterRows(r0: usize, r1: usize, r2: usize, r3: usize, at: usize, v: v128): void {
  v128.store32_lane(r0 + at, v, 0)
  v128.store32_lane(r1 + at, v, 1)
  v128.store32_lane(r2 + at, v, 2)
  v128.store32_lane(r3 + at, v, 3)
}
