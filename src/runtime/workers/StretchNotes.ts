/** What workers note of each iteration of a stretch, for the trainer to count: it lies in the slots, one iteration after the other. */
import type { Counted } from "../stopping/Progress.ts"
import type { EnvSlot } from "./dataPlaneLayout.ts"

/** Notes of an environment what came of an iteration of `steps` steps, the last that it has done. */
export const note = (slot: EnvSlot, iteration: number, steps: number): void => {
  const at = iteration * steps
  slot.pastReturns.set(slot.episodeReturns, at)
  slot.pastLengths.set(slot.episodeLengths, at)
  slot.pastTerminated.set(slot.terminated, at)
  slot.pastTotals[iteration] = slot.live.tally[2]!
}

/** The trainer's end. */
export class StretchNotes {
  private readonly slots: ReadonlyArray<EnvSlot>
  private readonly steps: number
  /** Views of what there is of each iteration and environment, once they are asked for. */
  private readonly views: Array<ReadonlyArray<Omit<Counted, "total">>> = []

  constructor(slots: ReadonlyArray<EnvSlot>, steps: number) {
    this.slots = slots
    this.steps = steps
  }

  /** What is counted of the first `count` iterations. Good until the next stretch. */
  of(count: number): ReadonlyArray<ReadonlyArray<Counted>> {
    return Array.from({ length: count }, (_, iteration) =>
      this.at(iteration).map((counted) => ({
        ...counted,
        total: this.slots[counted.environment]!.pastTotals[iteration]!
      })))
  }

  private at(iteration: number): ReadonlyArray<Omit<Counted, "total">> {
    const [start, end] = [iteration * this.steps, (iteration + 1) * this.steps]
    return this.views[iteration] ??= this.slots.map(({ pastLengths, pastReturns, pastTerminated }, environment) => ({
      environment,
      rows: this.steps,
      slot: {
        episodeLengths: pastLengths.subarray(start, end),
        episodeReturns: pastReturns.subarray(start, end),
        terminated: pastTerminated.subarray(start, end)
      }
    }))
  }
}
