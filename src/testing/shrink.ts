/**
 * Makes a failed run small: takes decisions back, so that what remains is what the failure needs.
 *
 * First all decisions of one label, which costs little and often suffices: the order of tasks, how long things travel. Then
 * halves, quarters and so on down to single ones, as long as that helps; then smaller values. A run of fewer decisions may
 * come by other places and fail otherwise: any failure counts.
 */
import type { Decision } from "./Decisions.ts"
import type { Outcome } from "./simulate.ts"

/** The smallest failing run that was found with at most so many runs. */
export const shrink = (
  failed: Outcome,
  run: (decisions: ReadonlyArray<Decision>) => Outcome,
  most: number
): Outcome => {
  let best = failed
  let runs = 0
  /** Whether the run by these decisions fails too; then it is the best so far. */
  const tries = (decisions: ReadonlyArray<Decision>): boolean => {
    if (runs >= most) return false
    runs++
    const outcome = run(decisions)
    // What a run decides may be fewer, or others, than it was told.
    if (outcome.failure === undefined || weight(outcome.decisions) >= weight(best.decisions)) return false
    best = outcome
    return true
  }
  for (const label of new Set(failed.decisions.map(({ label }) => label))) {
    tries(best.decisions.filter((decision) => decision.label !== label))
  }
  for (let size = best.decisions.length >> 1; size >= 1;) {
    let helped = false
    for (let at = 0; at < best.decisions.length;) {
      if (tries(best.decisions.toSpliced(at, size))) helped = true
      else at += size
    }
    // Single ones are tried again as long as that helps.
    if (size > 1) size >>= 1
    else if (!helped) break
  }
  for (let at = 0; at < best.decisions.length; at++) {
    while (at < best.decisions.length && best.decisions[at]!.value > 1) {
      const { label, nth, value } = best.decisions[at]!
      const smaller = (to: number) => tries(best.decisions.toSpliced(at, 1, { label, nth, value: to }))
      if (!smaller(1) && !smaller(value - 1)) break
    }
  }
  return best
}

/** Fewer decisions are better, then smaller ones. */
const weight = (decisions: ReadonlyArray<Decision>): number =>
  decisions.reduce((sum, { value }) => sum + 1 + Math.min(value, 1000) / 1e6, 0)
