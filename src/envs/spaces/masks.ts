/** Drawing among the elements that a mask leaves, for the spaces of integers. */
import type { Pcg64 } from "../../random/index.ts"

/** Of each element whether it may be drawn: 1, or 0. */
export type Mask = ArrayLike<number>

/** The index of an element that `mask` leaves, each as likely; 0 when it leaves none, as in Gymnasium. Throws a RangeError for no such mask. */
export const drawAllowed = (random: Pcg64, mask: Mask, n: number): number => {
  if (mask.length !== n) {
    throw new RangeError(`The mask has ${mask.length} numbers where the space has ${n} elements: give one each.`)
  }
  let allowed = 0
  for (let i = 0; i < n; i++) {
    if (mask[i] === 1) allowed += 1
    else if (mask[i] !== 0) throw new RangeError(`The mask is ${mask[i]} at ${i}: give 1 (may be drawn) or 0.`)
  }
  if (allowed === 0) return 0
  let left = random.integers(0, allowed)
  let i = 0
  while (mask[i] !== 1 || left-- > 0) i++
  return i
}
