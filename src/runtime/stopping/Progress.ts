/**
 * What a run has done so far: steps, episodes, their returns, and whether the environment is solved. Plain counting,
 * always in the order of the environments, so that it decides the same for every layout of workers.
 */
import * as Schema from "effect/Schema"
import type { EnvSlot, Fragment } from "../workers/dataPlaneLayout.ts"

const Count = Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))

/** What a window remembers: how many numbers it has seen, and the last of them by position. */
const WindowState = (size: number) =>
  Schema.Struct({
    count: Count,
    values: Schema.Array(Schema.Finite).check(Schema.isMinLength(size), Schema.isMaxLength(size))
  })

/** What decides whether a run is over. */
export const StandingState = Schema.Struct({
  envSteps: Count,
  updates: Count,
  episodes: Count,
  last20: WindowState(20)
})
export type StandingState = typeof StandingState.Type

/** What a checkpoint keeps of a run's progress. */
export const ProgressState = Schema.Struct({
  ...StandingState.fields,
  returns100: WindowState(100),
  lengths100: WindowState(100)
})
export type ProgressState = typeof ProgressState.Type

/** Means over the last `size` numbers. */
class Window {
  private readonly values: Float64Array
  private count = 0

  constructor(size: number, saved?: { readonly count: number; readonly values: ReadonlyArray<number> }) {
    this.values = new Float64Array(size)
    if (saved === undefined) return
    this.values.set(saved.values)
    this.count = saved.count
  }

  save() {
    return { count: this.count, values: [...this.values] }
  }

  push(value: number): void {
    this.values[this.count % this.values.length] = value
    this.count++
  }

  get full(): boolean {
    return this.count >= this.values.length
  }

  /** Summed in order of position, so that equal contents give equal bits. `undefined` before the first value. */
  get mean(): number | undefined {
    const n = Math.min(this.count, this.values.length)
    if (n === 0) return undefined
    let sum = 0
    for (let i = 0; i < n; i++) sum += this.values[i]!
    return sum / n
  }
}

/** An episode that ended in a fragment. */
export interface FinishedEpisode {
  readonly environment: number
  readonly return: number
  readonly length: number
  readonly terminated: boolean
  /** Steps of the whole run at which it ended, counted in the order of time, then environment. */
  readonly envSteps: number
}

/** What is counted of a fragment. */
export interface Counted extends Pick<Fragment, "environment" | "rows" | "total"> {
  readonly slot: Pick<EnvSlot, "episodeLengths" | "episodeReturns" | "terminated">
}

/** Counts of a run and the windows of its last episodes. */
export class Progress {
  envSteps: number
  updates: number
  episodes: number
  private readonly last20: Window
  private readonly returns100: Window
  private readonly lengths100: Window

  /** From the beginning, or from what another saved; without its last hundred where they are left out. */
  constructor(saved?: StandingState & Partial<ProgressState>) {
    this.envSteps = saved?.envSteps ?? 0
    this.updates = saved?.updates ?? 0
    this.episodes = saved?.episodes ?? 0
    this.last20 = new Window(20, saved?.last20)
    this.returns100 = new Window(100, saved?.returns100)
    this.lengths100 = new Window(100, saved?.lengths100)
  }

  /** A copy of all it has counted. */
  save(): ProgressState {
    return {
      ...this.standing,
      returns100: this.returns100.save(),
      lengths100: this.lengths100.save()
    }
  }

  /** Of that, what decides whether the run is over. */
  get standing(): StandingState {
    const { envSteps, episodes, updates } = this
    return { envSteps, updates, episodes, last20: this.last20.save() }
  }

  /** Mean return of the last 20 training episodes; `undefined` before there are 20. */
  get train20(): number | undefined {
    return this.last20.full ? this.last20.mean : undefined
  }

  /** Mean return and length of the last 100 episodes. */
  get rollout(): { readonly return: number; readonly length: number } | undefined {
    const mean = this.returns100.mean
    const length = this.lengths100.mean
    return mean === undefined || length === undefined ? undefined : { return: mean, length }
  }

  /** Takes in the fragments of one iteration, in the order of time, then environment. */
  add(fragments: ReadonlyArray<Counted>): ReadonlyArray<FinishedEpisode> {
    const finished: Array<FinishedEpisode> = []
    const longest = fragments.reduce((most, { rows }) => Math.max(most, rows), 0)
    for (let t = 0; t < longest; t++) {
      for (const { environment, rows, slot } of fragments) {
        if (t >= rows) continue
        this.envSteps++
        const length = slot.episodeLengths[t]!
        if (length === 0) continue
        const episode = {
          environment,
          return: slot.episodeReturns[t]!,
          length,
          terminated: slot.terminated[t] === 1,
          envSteps: this.envSteps
        }
        this.last20.push(episode.return)
        this.returns100.push(episode.return)
        this.lengths100.push(length)
        finished.push(episode)
      }
    }
    this.episodes += finished.length
    return finished
  }
}
