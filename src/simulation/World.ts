/**
 * A simulation on one host: opened, run up to some time, looked at, run on.
 *
 * ```ts
 * const world = Simulation.open(Bank, { seed: 1, config: { clerks: 2 } })
 * world.run(480)
 * world.result.tallies["wait"]?.mean
 * ```
 */
import type { Agent, AgentRef } from "./Agent.ts"
import { decodeBytes, encode, type ForkOptions, originsOf, restore as reopen, take, type Whole } from "./Checkpoint.ts"
import { Engine } from "./Engine.ts"
import { InvalidTime } from "./errors.ts"
import type { Model } from "./Model.ts"
import { TimeAverage, type TimeSummary } from "./parts/TimeAverage.ts"
import { digestsOf, stateSha256 } from "./stateHash.ts"
import { type Summary, Tally } from "./Tally.ts"

export interface OpenOptions<Config> {
  /** Default 0. */
  readonly seed?: number | bigint
  /** What is not as the model's defaults have it. */
  readonly config?: Partial<Config>
}

export interface RunOptions<Config> extends OpenOptions<Config> {
  /** The time at which it ends. Default: the model's, else when nothing is left to happen. */
  readonly until?: number
}

/** What a simulation has come to. */
export interface Result {
  readonly model: string
  /** The time it has come to. */
  readonly now: number
  /** How many events have happened. */
  readonly events: number
  /** How many messages found their agent dead. */
  readonly undelivered: number
  /** How many agents live, the model itself among them. */
  readonly agents: number
  readonly counts: Readonly<Record<string, number>>
  readonly tallies: Readonly<Record<string, Summary>>
  /** What was watched over time: monitors, resources, stores, containers. */
  readonly monitors: Readonly<Record<string, TimeSummary>>
  /** Of all that is to come: equal for equal worlds, whatever hosts they were on. */
  readonly stateSha256: string
}

/** Counts and tallies of several shares, in the order of the shares. */
export const merged = (
  shares: Iterable<
    { readonly counts: Iterable<readonly [string, number]>; readonly tallies: Iterable<readonly [string, Tally]> }
  >
): Pick<Result, "counts" | "tallies"> => {
  const counts = new Map<string, number>()
  const tallies = new Map<string, Tally>()
  for (const share of shares) {
    for (const [name, count] of share.counts) counts.set(name, (counts.get(name) ?? 0) + count)
    for (const [name, tally] of share.tallies) {
      const all = tallies.get(name)
      if (all === undefined) tallies.set(name, new Tally(tally.words.slice()))
      else all.merge(tally)
    }
  }
  return {
    counts: Object.fromEntries(counts),
    tallies: Object.fromEntries(Array.from(tallies, ([name, tally]) => [name, tally.summary]))
  }
}

/** What the parts of an engine's shares watch over time. */
export const averagesOf = ({ owns, parts }: Engine): ReadonlyArray<readonly [string, Float64Array]> =>
  Array.from(parts.values()).filter(({ share }) => owns(share)).flatMap(({ part }) =>
    Object.entries(part.averages?.() ?? {}).map(([name, average]) => [name, average.save()] as const)
  )

/** The averages of all shares, by name, as they are at a time. */
export const summaries = (
  averages: ReadonlyArray<readonly [string, Float64Array]>,
  now: number
): Result["monitors"] => {
  const sorted = averages.toSorted(([a], [b]) => a < b ? -1 : 1)
  return Object.fromEntries(sorted.map(([name, words]) => [name, TimeAverage.of(words).summary(now)]))
}

export class World {
  readonly engine: Engine
  readonly #origins: Whole["origins"]

  constructor(engine: Engine, origins: Whole["origins"]) {
    this.engine = engine
    this.#origins = origins
  }

  get now(): number {
    return this.engine.now
  }

  /** Whether nothing is left to happen. */
  get isOver(): boolean {
    return this.engine.next === Infinity
  }

  /** Lets happen what lies before this time; what lies at it does not happen yet. Throws a `SimulationFault`. */
  run(until = Infinity): void {
    if (!(until >= this.now)) {
      throw new InvalidTime({ agent: this.engine.model.modelName, at: this.now, what: "time", given: String(until) })
    }
    this.engine.run(until)
    if (until < Infinity) this.engine.advance(until)
  }

  /** The next so many events. */
  step(events = 1): void {
    this.engine.run(Infinity, events)
  }

  /** The living agents of a kind, of all shares. */
  agents<S, P>(definition: Agent<S, P>): ReadonlyArray<AgentRef<P>> {
    return this.engine.everyone(definition)
  }

  /** An agent's state, to look at. */
  state<S, P>(definition: Agent<S, P>, agent: AgentRef<P>): S {
    return this.engine.stateOf(definition, agent)
  }

  /** The world at this moment, as bytes to go on from with `restore`. Throws a `CheckpointRefused`. */
  checkpoint(): Uint8Array<ArrayBuffer> {
    return encode(take(this.engine, this.#origins))
  }

  get stateSha256(): string {
    return stateSha256(this.engine.model, this.now, digestsOf(this.engine))
  }

  /** Counts, tallies and monitors. */
  get statistics(): Pick<Result, "counts" | "tallies" | "monitors"> {
    const { engine } = this
    return {
      ...merged(engine.table.shares.filter((share) => share !== undefined)),
      monitors: summaries(averagesOf(engine), engine.now)
    }
  }

  get result(): Result {
    const { engine } = this
    return {
      model: engine.model.modelName,
      now: engine.now,
      events: engine.handled,
      undelivered: engine.undelivered,
      agents: engine.table.living,
      ...this.statistics,
      stateSha256: this.stateSha256
    }
  }
}

/** Sets a model up. Throws a `SimulationFault`. */
export const open = <Config>(model: Model<Config>, options: OpenOptions<Config> = {}): World =>
  new World(new Engine(model, { seed: options.seed ?? 0, config: { ...options.config } }), [
    { since: 0, seed: options.seed ?? 0, config: { ...options.config } }
  ])

/**
 * Goes on from a checkpoint, with the same end as if it had never stopped; with another seed or configuration it is a fork.
 * Throws a `SimulationFault`.
 */
export const restore = <Config>(model: Model<Config>, bytes: Uint8Array, fork: OpenOptions<Config> = {}): World => {
  const checkpoint = decodeBytes(bytes)
  return new World(reopen(model, checkpoint, fork as ForkOptions), originsOf(checkpoint, fork as ForkOptions))
}

/** Runs a model on one host, in one go. Throws a `SimulationFault`. */
export const runSync = <Config>(model: Model<Config>, options: RunOptions<Config> = {}): Result => {
  const world = open(model, options)
  world.run(options.until ?? model.until)
  return world.result
}
