/**
 * The shares of one host, and the windows in which they move: what lies before the edge happens, then all hosts exchange
 * what they have sent. The edge is the next event of all hosts and the lookahead, so nothing that is sent in a window arrives
 * in it.
 */
import { type Checkpoint, restore } from "../Checkpoint.ts"
import { Engine, type EngineOptions } from "../Engine.ts"
import type { AnyModel } from "../Model.ts"
import { save, type ShareState } from "../ShareState.ts"
import { digestOf, type ShareDigest } from "../stateHash.ts"
import { averagesOf } from "../World.ts"
import { clockOf, Exchange, type ExchangeMemory, type Told } from "./Exchange.ts"

/**
 * Where a round has come to. `done`: what is left lies at its end or later. `over`: nothing is left, in a run that has no end
 * otherwise. `paused`: time for it was over.
 */
export type Progress = "done" | "over" | "paused" | "running" | "aborted"

/** Events that a single host lets happen before it looks at the clock. */
const slice = 20_000

export interface HostOptions {
  readonly seed: number | bigint
  readonly config: Readonly<Record<string, unknown>>
  readonly host: number
  readonly memory: ExchangeMemory
}

/** What a host's shares have come to. */
export interface HostOutcome {
  readonly events: number
  readonly undelivered: number
  readonly agents: number
  readonly shares: ReadonlyArray<{
    readonly digest: ShareDigest
    readonly counts: ReadonlyArray<readonly [string, number]>
    readonly tallies: ReadonlyArray<readonly [string, Float64Array]>
  }>
  readonly averages: ReadonlyArray<readonly [string, Float64Array]>
}

/** Which host a share lives on: neighbors together. */
export const hostOf = (share: number, shares: number, hosts: number): number => Math.floor(share * hosts / shares)

export class HostShares {
  readonly #model: AnyModel
  readonly #host: number
  readonly #hosts: number
  readonly #exchange: Exchange
  readonly #layout: Pick<EngineOptions, "clock" | "owns" | "post">
  readonly #clock: Float64Array
  #engine: Engine
  /** The edge of the last window. */
  #edge = 0

  /** Sets the model up. Throws a `SimulationFault`. */
  constructor(model: AnyModel, { config, host, memory, seed }: HostOptions) {
    const { hosts } = memory
    this.#model = model
    this.#host = host
    this.#hosts = hosts
    this.#exchange = new Exchange(memory, host)
    const owners = Int32Array.from({ length: model.shares }, (_, share) => hostOf(share, model.shares, hosts))
    this.#clock = clockOf(memory, host)
    this.#layout = {
      clock: this.#clock,
      ...(hosts === 1 ? {} : {
        owns: (share: number) => owners[share] === host,
        post: (share, entry, kind, payload) => this.#exchange.post(owners[share]!, entry, kind, payload)
      })
    }
    this.#engine = new Engine(model, { ...this.#layout, seed, config })
  }

  get engine(): Engine {
    return this.#engine
  }

  /** Goes on from a checkpoint. Throws a `SimulationFault`. */
  restore(checkpoint: Checkpoint): void {
    this.#exchange.clear()
    this.#engine = restore(this.#model, checkpoint, {}, this.#layout)
    this.#edge = checkpoint.now
  }

  /** Tells the other hosts what is for them. */
  publish(stop: boolean): void {
    this.#exchange.publish(this.#engine.next, stop && this.#host === 0)
  }

  /**
   * When all have published: the next window, up to `until`. An `endless` run is over when nothing is left, at the time of the
   * last event. Throws a `SimulationFault`.
   */
  advance(until: number, endless: boolean): Progress {
    const engine = this.#engine
    const { more, next, stop } = this.#exchange.collect(engine)
    if (more) return "running"
    if (next === Infinity && endless) return "over"
    if (next >= until) {
      if (until < Infinity) engine.advance(until)
      return "done"
    }
    if (stop) {
      engine.advance(this.#edge)
      return "paused"
    }
    this.#clock[2] = 1
    if (this.#hosts === 1) {
      engine.run(until, slice)
      this.#edge = engine.now
    } else {
      this.#edge = Math.min(next + (this.#model.lookahead ?? Infinity), until)
      engine.run(this.#edge)
    }
    this.#clock[2] = 0
    return "running"
  }

  /** Windows up to `until`, or until this time is over, side by side with the other hosts. Throws a `SimulationFault`. */
  round(until: number, endless: boolean, millis: number): Progress {
    const end = performance.now() + millis
    for (;;) {
      this.publish(performance.now() >= end)
      if (!this.#exchange.arrive()) return "aborted"
      const progress = this.advance(until, endless)
      if (progress !== "running") return progress
    }
  }

  /** Tells the other hosts what is for them, by way of whoever carries it. */
  tell(): ReadonlyArray<Told> {
    this.#exchange.publish(this.#engine.next, false)
    return this.#exchange.told()
  }

  /** The next window, when all have told: up to `until`; `stop`: not any more. Throws a `SimulationFault`. */
  hear(told: ReadonlyArray<Told>, stop: boolean, until: number, endless: boolean): Progress {
    this.#exchange.hear(told, stop)
    return this.advance(until, endless)
  }

  save(): ReadonlyArray<ShareState> {
    return save(this.#engine)
  }

  get outcome(): HostOutcome {
    const engine = this.#engine
    return {
      events: engine.handled,
      undelivered: engine.undelivered,
      agents: engine.table.living,
      shares: save(engine).map((state) => ({
        digest: digestOf(state),
        counts: state.counts,
        tallies: state.tallies
      })),
      averages: averagesOf(engine)
    }
  }
}
