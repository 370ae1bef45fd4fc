/**
 * Whose turn it is in an asynchronous run. Work is handed out to EnvWorkers, and taken back one piece at a time, in an
 * order that comes from one of three sources: the *clock* (who is ready first; written down as it happens), the *seed*
 * (every piece of work is given a duration drawn from the root seed), or a *recording* of an earlier run.
 *
 * Everything else follows from that order: a worker pulls the weights that its own last push led to. So an asynchronous
 * run with the same order of arrivals is the same run, on any number of workers and however often they die.
 */
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import * as Schema from "effect/Schema"
import { Pcg64 } from "../../random/Pcg64.ts"
import { scheduleStream } from "../../random/streams.ts"
import { CurrentConfig } from "../config/RunConfig.ts"
import { Seed } from "../config/Seed.ts"
import { Learner } from "../learning/Learner.ts"
import type { Fragment } from "../workers/dataPlaneLayout.ts"
import { EnvWorkerGroup, type WorkFailure } from "../workers/EnvWorkerGroup.ts"

/** A recording that does not fit the run it is replayed in. */
export class ReplayMismatch
  extends Schema.TaggedError<ReplayMismatch>()("ReplayMismatch", { message: Schema.String })
{}

/** Where the order of arrivals goes, or comes from. By default nobody writes it down. */
export class ArrivalLog extends Context.Reference<{
  /** Called for every arrival, in order. */
  readonly write: (environment: number, staleness: number) => void
  /** The order to repeat, and the staleness that each arrival must have; absent: the configuration's schedule decides. */
  readonly replay?: { readonly environments: ArrayLike<number>; readonly staleness: ArrayLike<number> }
}>("troupe/runtime/ArrivalLog", { defaultValue: () => ({ write: () => {} }) }) {}

const Count = Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))

/** What a checkpoint keeps of whose turn it is. */
export const ArrivalsStateHead = Schema.Struct({
  /** The pieces of work that are out, oldest first. */
  out: Schema.Array(Schema.Struct({ environment: Count, version: Count })),
  /** Who waits for one, in order. */
  waiting: Schema.Array(Count),
  /** Arrivals so far. */
  position: Count
})

/** Whose turn it is, between two arrivals. */
export interface ArrivalsState {
  readonly out: ReadonlyArray<{ readonly environment: number; readonly version: number }>
  readonly waiting: ReadonlyArray<number>
  readonly position: number
  /** The present, and when each piece of work that is out is due; empty where the seed does not decide. */
  readonly times: Float64Array
  /** The stream that the seed's durations are drawn from; empty likewise. */
  readonly random: Uint32Array
}

/** What a resumed run's arrivals go on from; undefined in a run that begins. */
export class SavedArrivals extends Context.Reference<ArrivalsState | undefined>("troupe/runtime/SavedArrivals", {
  defaultValue: () => undefined
}) {}

/** A piece of work that was handed out. */
interface Granted {
  readonly environment: number
  readonly version: number
  readonly result: Deferred.Deferred<Fragment, WorkFailure>
}

/** How the next arrival is chosen. */
interface Source {
  /** A piece of work was handed out. */
  readonly granted: (work: Granted) => void
  /** Chooses one of those that may be next. */
  readonly next: (may: ReadonlyMap<number, Granted>) => Effect.Effect<Granted, ReplayMismatch>
  /** Whether what was chosen is as old as it must be. */
  readonly check: (staleness: number) => Effect.Effect<void, ReplayMismatch>
  readonly more: () => boolean
  /** What it remembers, beside what is out. */
  readonly save?: (out: Iterable<Granted>) => Pick<ArrivalsState, "times" | "random">
}

export class Arrivals extends Context.Service<Arrivals, {
  /** Hands a first piece of work to every environment; in a resumed run, those that were out and waiting. */
  readonly begin: Effect.Effect<void>
  /** Hands the next piece of work to an environment, or lets it wait while others are too far behind. */
  readonly grant: (environment: number) => Effect.Effect<void>
  /** The next piece of work to arrive. */
  readonly take: Effect.Effect<Fragment, WorkFailure | ReplayMismatch>
  /** Whether there is a next: a recording comes to an end. */
  readonly more: Effect.Effect<boolean>
  /** A copy of all it remembers, as it is between two iterations. */
  readonly save: Effect.Effect<ArrivalsState>
}>()("troupe/runtime/Arrivals") {
  static readonly layer: Layer.Layer<Arrivals, never, CurrentConfig | EnvWorkerGroup | Learner | Seed> = Layer.effect(
    Arrivals,
    Effect.gen(function*() {
      const config = yield* CurrentConfig
      const workers = yield* EnvWorkerGroup
      const learner = yield* Learner
      const { root } = yield* Seed
      const log = yield* ArrivalLog
      const saved = yield* SavedArrivals
      const scope = yield* Effect.scope
      const ready = yield* Queue.unbounded<Granted>()
      const byClock = log.replay === undefined && config.schedule === "async"
      const source = log.replay !== undefined
        ? recorded(log.replay, saved?.position ?? 0)
        : byClock
        ? clock(ready)
        : seeded(root, saved)
      const bound = config.whenStale === "wait" && config.maxStaleness !== "none" ? config.maxStaleness : undefined

      /** What is out, oldest first. */
      const out = new Map<number, Granted>()
      const waiting: Array<number> = []
      let position = saved?.position ?? 0

      const hand = Effect.fnUntraced(function*(environment: number, version: number) {
        const work: Granted = { environment, version, result: Deferred.makeUnsafe() }
        out.set(environment, work)
        source.granted(work)
        yield* workers.explore(environment, version).pipe(
          Effect.onExit((exit) =>
            Effect.andThen(Deferred.done(work.result, exit), byClock ? Queue.offer(ready, work) : Effect.void)
          ),
          Effect.exit,
          Effect.forkIn(scope)
        )
      })

      const send = Effect.fnUntraced(function*(environment: number) {
        const version = yield* learner.version
        // At once: the next update overwrites what is published now.
        yield* workers.pull(environment, version)
        yield* hand(environment, version)
      })

      /** Updates that one arrival leads to. */
      const each = config.ship === "experience" ? config.nEpochs : 1

      // No more may be out than can come back, one after the other, within the bound.
      const most = bound === undefined ? config.nEnvs : Math.floor(bound / each) + 1
      const release = Effect.suspend(() =>
        Effect.forEach(waiting.splice(0, Math.max(0, most - out.size)), send, { discard: true })
      )

      /** Those that may be next: whoever it is, all the others can still come back within the bound, oldest first. */
      const candidates = Effect.map(learner.version, (version) => {
        if (bound === undefined) return out
        const may = new Map<number, Granted>()
        for (const work of out.values()) {
          may.set(work.environment, work)
          // If a younger one came first, this one would be this old, those before it having come too.
          if (version + may.size * each - work.version > bound) break
        }
        return may
      })

      return Arrivals.of({
        begin: Effect.suspend(() => {
          if (saved === undefined) {
            for (let environment = 0; environment < config.nEnvs; environment++) waiting.push(environment)
            return release
          }
          waiting.push(...saved.waiting)
          // Their environments and the weights that they pulled lie where they left them.
          return Effect.forEach(saved.out, ({ environment, version }) => hand(environment, version), { discard: true })
        }),
        grant: (environment) =>
          Effect.suspend(() => {
            waiting.push(environment)
            return release
          }),
        more: Effect.sync(() => source.more()),
        take: Effect.gen(function*() {
          const may = log.replay === undefined ? yield* candidates : out
          // An algorithm is interrupted where it waits, and nowhere else: there its state is that between iterations.
          const work = yield* Effect.interruptible(source.next(may))
          const staleness = (yield* learner.version) - work.version
          yield* source.check(staleness)
          const fragment = yield* Effect.interruptible(Deferred.await(work.result))
          position++
          out.delete(work.environment)
          log.write(work.environment, staleness)
          return fragment
        }),
        save: Effect.sync(() => ({
          out: Array.from(out.values(), ({ environment, version }) => ({ environment, version })),
          waiting: [...waiting],
          position,
          ...(source.save?.(out.values()) ?? { times: new Float64Array(), random: new Uint32Array() })
        }))
      })
    })
  )
}

/** Who is ready first. */
const clock = (ready: Queue.Queue<Granted>): Source => {
  /** Ready, and not to be taken yet. */
  const early: Array<Granted> = []
  return {
    granted: () => {},
    check: () => Effect.void,
    next: Effect.fnUntraced(function*(may) {
      while (true) {
        const first = early.findIndex(({ environment }) => may.has(environment))
        if (first >= 0) return early.splice(first, 1)[0]!
        early.push(yield* Queue.take(ready))
      }
    }),
    more: () => true
  }
}

/** Every piece of work takes between half and one and a half of a unit of time, drawn from the seed. */
const seeded = (seed: number, saved?: ArrivalsState): Source => {
  const random = saved === undefined ? scheduleStream(seed) : Pcg64.view(saved.random.slice())
  const due = new WeakMap<Granted, number>()
  let now = saved?.times[0] ?? 0
  /** When the pieces of work that were out are due, in their order; they are handed out again first. */
  const again = [...(saved?.times.subarray(1) ?? [])]
  return {
    granted: (work) => due.set(work, again.shift() ?? now + 0.5 + random.random()),
    save: (out) => ({
      times: Float64Array.of(now, ...Array.from(out, (work) => due.get(work)!)),
      random: random.state.slice()
    }),
    check: () => Effect.void,
    next: (may) =>
      Effect.sync(() => {
        let first: Granted | undefined
        let soonest = Number.POSITIVE_INFINITY
        for (const work of may.values()) {
          const time = due.get(work)!
          if (time < soonest) {
            soonest = time
            first = work
          }
        }
        now = Math.max(now, soonest)
        return first!
      }),
    more: () => true
  }
}

/** As it was written down. */
const recorded = (
  { environments, staleness }: { readonly environments: ArrayLike<number>; readonly staleness: ArrayLike<number> },
  position: number
): Source => {
  let at = position - 1
  const mismatch = (what: string) =>
    new ReplayMismatch({
      message: `The recording does not fit this run: its arrival ${at + 1} ${what}. ` +
        "Replay it with the settings it was recorded with."
    })
  return {
    granted: () => {},
    next: (out) =>
      Effect.suspend(() => {
        at++
        const environment = environments[at]!
        const work = out.get(environment)
        return work === undefined
          ? Effect.fail(mismatch(`is of environment ${environment}, which has no work`))
          : Effect.succeed(work)
      }),
    check: (found) =>
      Effect.suspend(() =>
        found === staleness[at]
          ? Effect.void
          : Effect.fail(mismatch(`was ${staleness[at]} updates old and is now ${found}`))
      ),
    more: () => at + 1 < environments.length
  }
}
