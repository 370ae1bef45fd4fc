/**
 * Runs a simulation on any number of hosts, as fibers, in threads, in processes or on runners, with one result: rounds of windows, between which all
 * hosts are at one edge, where what they have is kept. A host that dies is replaced; then all go back to the last edge that
 * was kept, and go on from there as if nothing had been.
 */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import type { Scope } from "effect/Scope"
import type { ActorRef } from "../../actors/ActorRef.ts"
import { type ActorInfo, ActorSystem, type RunnerSystemOptions } from "../../actors/ActorSystem.ts"
import type * as Fault from "../../actors/Fault.ts"
import type { Observer } from "../../actors/Observer.ts"
import * as Supervision from "../../actors/Supervision.ts"
import { missing } from "../../companions.ts"
import { Pcg64, SeedSequence } from "../../random/index.ts"
import { plainLine, thrownText } from "../../text/plainLine.ts"
import { attempt } from "../attempt.ts"
import { checkpointOf, decodeBytes, encode, type ForkOptions, originsOf, restore, type Whole } from "../Checkpoint.ts"
import { Engine } from "../Engine.ts"
import { HostsFailed, InvalidModel, isSimulationFault, type SimulationFault, SimulationStuck } from "../errors.ts"
import type { AnyModel, Model } from "../Model.ts"
import { save, type ShareState } from "../ShareState.ts"
import { stateSha256 } from "../stateHash.ts"
import { Tally } from "../Tally.ts"
import { merged, type Result, type RunOptions, summaries } from "../World.ts"
import { abort, allocate, clockWords, type ExchangeMemory, reset } from "./Exchange.ts"
import { buildId, hostEntry } from "./hostEntry.ts"
import type { HostOutcome, Progress } from "./HostShares.ts"
import { type HostsPlacement, placements } from "./placements.ts"
import {
  ModelSource,
  plainBytes,
  plainValue,
  type Rejections,
  SimulationHost,
  SimulationHostBehavior
} from "./SimulationHost.ts"
import { told } from "./telemetry.ts"

export interface HostsOptions<Config> extends RunOptions<Config> {
  /** How many hosts, up to 16. Default 1. A model without a lookahead, or with one share, has one whatever is said. */
  readonly hosts?: number
  /** Where they are. Default: `fiber` for one, else `thread`. */
  readonly placement?: HostsPlacement
  /** For hosts on runners: which these are, and how they are spoken to. They have the model by its name. */
  readonly runners?: Omit<RunnerSystemOptions, "hosts" | "heartbeat" | "observer">
  /** Address of the module whose default export is the model, for threads and processes. Default: the model's own. */
  readonly module?: string
  /** Bytes of a checkpoint to go on from; with a seed or a configuration beside it, it is a fork. */
  readonly checkpoint?: Uint8Array
  /** Gets a checkpoint at about every multiple of this virtual time, and at the end. */
  readonly checkpointEvery?: number
  readonly onCheckpoint?: (bytes: Uint8Array<ArrayBuffer>, now: number) => Effect.Effect<void>
  /** Kills this many hosts amid their work, drawn from the seed. */
  readonly chaos?: number
  /** Watches the actors that are its hosts. */
  readonly observer?: Observer
  /** Gets to know them when they are up; what it leaves in the scope lasts as long as they do. */
  readonly onHosts?: (actors: Effect.Effect<ReadonlyArray<ActorInfo>>) => Effect.Effect<void, never, Scope>
  /** Gets to know, at the end, how often hosts that share no memory have told each other what there is. */
  readonly onExchanges?: (count: number) => void
  /**
   * How long time may stand still in a thread before that is a fault (`SimulationStuck`), or a window may take in a process or on
   * a runner before its host is replaced. Default 30 s.
   */
  readonly heartbeat?: Duration.Input
}

/** What a simulation on hosts has come to. */
export interface HostsResult extends Result {
  readonly hosts: number
  /** Why there is one host only, though more were asked for. */
  readonly unsplit: string | undefined
  /** How often a host has died. */
  readonly restarts: number
}

/** As many hosts as there may be. */
export const mostHosts = 16

/** Real time between two edges that are kept: at least this, and so many times as long as keeping takes. */
const keepMillis = 200
const keepRatio = 20

/** A kill comes at most so much later than the work it is amid. */
const chaosMillis = 40

/** Fibers let the event loop have a turn after so much work. */
const breathMillis = 10

/** First number of the spawn key of what kills are drawn from. */
const chaosRole = 10

/** Runs a model to its end. */
export const run = <Config>(
  model: Model<Config>,
  options: HostsOptions<Config> = {}
): Effect.Effect<HostsResult, SimulationFault> =>
  Effect.suspend(() => {
    const { checkpointEvery, chaos = 0, hosts = 1, until } = options
    const invalid = (problem: string) => Effect.fail(new InvalidModel({ model: model.modelName, problem }))
    if (!(Number.isInteger(hosts) && hosts >= 1 && hosts <= mostHosts)) {
      return invalid(`${hosts} hosts: give an integer from 1 to ${mostHosts}`)
    }
    if (until !== undefined && !(until > 0)) return invalid(`until ${until}: give a number above 0`)
    if (checkpointEvery !== undefined && !(checkpointEvery > 0)) {
      return invalid(`a checkpoint every ${checkpointEvery}: give a number above 0`)
    }
    if (!(Number.isInteger(chaos) && chaos >= 0)) return invalid(`${chaos} kills: give an integer of at least 0`)
    const unsplit = hosts === 1 ? undefined : unsplitReason(model)
    const used = unsplit === undefined ? Math.min(hosts, model.shares) : 1
    const placement = options.placement ?? (hosts === 1 ? "fiber" : "thread")
    const module = options.module ?? model.module
    const { hasModule } = placements[placement]
    if (hasModule && module === undefined) {
      return invalid(
        "its hosts cannot load it in threads or processes: give it `module: import.meta.url`, and export it as default"
      )
    }
    if (placement === "runner" && options.runners === undefined) return invalid("no runners are given for its hosts")
    const noEntry = hasModule ? missing(hostEntry) : undefined
    if (noEntry !== undefined) return Effect.fail(new HostsFailed({ model: model.modelName, reason: noEntry }))
    const running = Effect.scoped(Effect.flatMap(open(model, options, used, placement, module ?? ""), (hosts) =>
      Effect.map(hosts.finish, (result) => ({ ...result, hosts: used, unsplit }))))
    return told(model.modelName, running)
  })

const unsplitReason = ({ lookahead, shares }: AnyModel): string | undefined =>
  lookahead === undefined
    ? "the model has no lookahead, so it runs on one host"
    : shares === 1
    ? "the model has one share, so it runs on one host"
    : undefined

/** Promises that are rejected in this thread, from now on until the scope closes. */
const watchRejections: Effect.Effect<Rejections, never, Scope> = Effect.map(
  Effect.acquireRelease(
    Effect.sync(() => {
      const rejections: Rejections = { first: undefined }
      const listener = (reason: unknown) => {
        rejections.first ??= plainLine(thrownText(reason))
      }
      process.on("unhandledRejection", listener)
      return { rejections, listener }
    }),
    ({ listener }) => Effect.sync(() => process.off("unhandledRejection", listener))
  ),
  ({ rejections }) => rejections
)

/** The event loop has had a turn. */
const eventLoop: Effect.Effect<void> = Effect.callback<void>((resume) => {
  const turn = setImmediate(() => resume(Effect.void))
  return Effect.sync(() => clearImmediate(turn))
})

/** A host has died; what it was asked has no answer. */
class HostDied {
  readonly _tag = "HostDied"
  readonly reason: string

  constructor(reason: string) {
    this.reason = reason
  }
}

type Ref = ActorRef<typeof SimulationHost>

/** What each host has told of its shares, at one edge. */
interface Edge {
  readonly now: number
  readonly saves: ReadonlyArray<Uint8Array>
}

const patient = { deadline: "Infinity" } as const

/** The hosts of one run, and what is kept of them. */
const open = <Config>(
  model: Model<Config>,
  options: HostsOptions<Config>,
  hosts: number,
  placement: HostsPlacement,
  module: string
) =>
  Effect.gen(function*() {
    const { chaos = 0, checkpointEvery = Infinity, onCheckpoint } = options
    const failed = (reason: string) => new HostsFailed({ model: model.modelName, reason })
    const given = yield* attempt(() => options.checkpoint === undefined ? undefined : reopened(model, options))
    const origins: Whole["origins"] = given?.origins ??
      [{ since: 0, seed: options.seed ?? 0, config: { ...options.config } }]
    const origin = origins.at(-1)!
    // No share lives here: it knows what hosts have in common, and its set-up fails here rather than in a thread.
    const common = yield* attempt(() => new Engine(model, { ...origin, owns: () => false }))
    const until = options.until ?? model.until ?? Infinity
    const endless = until === Infinity

    // Who shares none has its own.
    const memory = allocate(placements[placement].sharesMemory ? hosts : 1)
    const rejections = yield* watchRejections
    const source = Layer.succeed(ModelSource, { load: () => Effect.succeed(model), rejections })
    const observed = options.observer === undefined ? {} : { observer: options.observer }
    const { isThisThread, sharesMemory } = placements[placement]
    const heartbeat = options.heartbeat ?? "30 seconds"
    const children = { ...observed, entry: hostEntry, hosts, buildId, spares: chaos > 0 ? 1 : 0 }
    const layers = {
      fiber: () => ActorSystem.layerFiber([SimulationHostBehavior], observed).pipe(Layer.provide(source)),
      // A round takes longer than a sign of life should: clocks are looked at instead.
      thread: () => ActorSystem.layerThread({ ...children, heartbeat: "Infinity" }),
      process: () => ActorSystem.layerProcess({ ...children, heartbeat }),
      // Who is given none has been told so.
      runner: () => ActorSystem.layerRunner({ ...observed, ...options.runners!, hosts, heartbeat })
    } satisfies Record<HostsPlacement, unknown>
    const layer: Layer.Layer<ActorSystem, { readonly message: string }> = layers[placement]()
    const context = yield* Layer.build(layer).pipe(Effect.mapError((cause) => failed(cause.message)))
    const system = Context.get(context, ActorSystem)
    const refs = yield* Effect.forEach(Array.from({ length: hosts }, (_, host) => host), (host) =>
      system.spawn(SimulationHost, {
        name: `simulation/${host}`,
        ...(isThisThread ? {} : { host }),
        supervision: Supervision.oneForOne({ maxRestarts: Infinity }),
        config: {
          module: placements[placement].hasModule ? module : "",
          model: model.modelName,
          origin: plainBytes(origin),
          host,
          hosts,
          memory: sharesMemory ? memory : null
        }
      }), { concurrency: "unbounded" }).pipe(Effect.mapError((cause) =>
        failed(wordsOf(cause))
      ))
    if (options.onHosts !== undefined) {
      yield* options.onHosts(system.actors)
    }
    // Runs before the system is closed: whoever waits for other hosts no longer does.
    yield* Effect.addFinalizer(() =>
      Effect.sync(() => abort(memory))
    )

    /** How often hosts have begun. */
    let generation = 0

    /** Asks all hosts at once. Ends when all have, so that nobody is left behind in a window. */
    const all = <A>(
      ask: (ref: Ref, host: number) => Effect.Effect<A, { readonly message: string }>
    ): Effect.Effect<ReadonlyArray<A>, SimulationFault | HostDied> =>
      Effect.flatMap(
        Effect.forEach(refs, (ref, host) =>
          Effect.tap(Effect.exit(ask(ref, host)), (exit) =>
            Exit.isFailure(exit)
              ? Effect.sync(() => abort(memory))
              : Effect.void), { concurrency: "unbounded" }),
        (exits): Effect.Effect<ReadonlyArray<A>, SimulationFault | HostDied> => {
          const errors = exits.flatMap((exit) => Exit.isFailure(exit) ? [Cause.squash(exit.cause)] : [])
          const fault = errors.find(isSimulationFault)
          if (fault !== undefined) {
            return Effect.fail(fault)
          }
          if (errors.length > 0) return Effect.fail(new HostDied(plainLine(thrownText(errors[0]))))
          return Effect.succeed(exits.flatMap((exit) => Exit.isSuccess(exit) ? [exit.value] : []))
        }
      )

    /** In threads side by side. */
    const rounds = (target: number, millis: number): Effect.Effect<Arrived, SimulationFault | HostDied> =>
      Effect.map(all((ref) => ref.Round({ generation, until: target, endless, millis }, patient)), arrived)
    /** In fibers by turns. */
    const turns = Effect.fnUntraced(function*(target: number, millis: number) {
      const end = performance.now() + millis
      let breath = performance.now() + breathMillis
      for (;;) {
        const stop = performance.now() >= end
        yield* all((ref) => ref.Publish({ generation, stop }, patient))
        const now = arrived(yield* all((ref) => ref.Advance({ generation, until: target, endless }, patient)))
        if (now.progress !== "running") return now
        if (performance.now() > breath) {
          yield* eventLoop
          breath = performance.now() + breathMillis
        }
      }
    })
    let exchanges = 0
    /** Where no memory is shared, by messages: what each host tells goes to the others with the next window. */
    const messages = Effect.fnUntraced(function*(target: number, millis: number) {
      const end = performance.now() + millis
      let told = yield* all((ref) => ref.Tell({ generation }, patient))
      for (;;) {
        const stop = performance.now() >= end
        const heard = told
        exchanges++
        const replies = yield* all((ref, host) =>
          ref.Hear({ generation, until: target, endless, stop, told: heard.map((by) => by[host]!) }, patient)
        )
        const now = arrived(replies)
        if (now.progress !== "running") return now
        told = replies.map(({ told }) => told)
      }
    })
    /** Windows up to `target`, or until so much time is over. */
    const windows = sharesMemory ? (isThisThread ? turns : rounds) : messages

    let edge: Edge = given === undefined ? { now: 0, saves: [] } : { now: given.now, saves: [given.save] }
    const checkpointed = (): Uint8Array<ArrayBuffer> => {
      const saves = edge.saves.map(plainValue) as ReadonlyArray<Save>
      return encode(checkpointOf(common, {
        now: edge.now,
        events: sum(saves, ({ events }) => events),
        undelivered: sum(saves, ({ undelivered }) => undelivered),
        origins
      }, saves.flatMap(({ shares }) => shares).toSorted((a, b) => a.share - b.share)))
    }
    const keep = (now: number) =>
      Effect.map(all((ref) => ref.Save({ generation }, patient)), (saves) => {
        edge = { now, saves }
      })
    /** All hosts go back to what is kept; where nothing is, they have just been set up. */
    const begin = Effect.suspend(() => {
      reset(memory)
      generation++
      const checkpoint = edge.saves.length === 0 ? undefined : checkpointed()
      return all((ref) => ref.Begin({ generation, checkpoint }, patient))
    })

    const random = Pcg64.fromSeed(new SeedSequence(origin.seed, { spawnKey: [chaosRole] }))
    let killsLeft = chaos
    /** Kills a host amid the work, or right after it. */
    const amid = <A, E>(work: Effect.Effect<A, E>): Effect.Effect<A, E> =>
      Effect.suspend(() => {
        if (killsLeft === 0) return work
        killsLeft--
        const victim = random.integers(0, hosts)
        const delay = random.uniform(0, chaosMillis)
        const harms = isThisThread ? (["terminate"] as const) : (["terminate", "exit", "throw"] as const)
        const how: Fault.Fault = harms[random.integers(0, harms.length)]!
        return Effect.gen(function*() {
          const over = yield* Deferred.make<void>()
          const worker = yield* Effect.forkChild(Effect.ensuring(work, Deferred.succeed(over, undefined)))
          yield* Effect.raceFirst(Effect.sleep(delay), Deferred.await(over))
          yield* Effect.ignore(system.kill(refs[victim]!, how))
          return yield* Fiber.join(worker)
        })
      })

    const watched = placement === "thread"
      ? watch(memory, common, Duration.toMillis(heartbeat))
      : Effect.never

    // Where nobody can die, and nobody wants checkpoints, nothing is kept.
    const isMortal = !isThisThread || chaos > 0
    let isReady = false
    let due = checkpointEvery === Infinity ? Infinity : (Math.floor(edge.now / checkpointEvery) + 1) * checkpointEvery
    let millis = chaos > 0 ? chaosMillis / 2 : keepMillis
    /** A round, and what is kept after it. Answers what all have come to, when nothing is left to do. */
    const piece = Effect.gen(function*() {
      if (!isReady) {
        yield* begin
        if (edge.saves.length === 0 && isMortal) yield* keep(0)
        isReady = true
      }
      reset(memory)
      const target = Math.min(until, due)
      const { now, progress } = yield* windows(target, millis)
      const isDue = progress === "done" && target === due
      const isOver = progress === "over" || (progress === "done" && target === until)
      if (isMortal || ((isDue || isOver) && onCheckpoint !== undefined)) {
        const began = performance.now()
        yield* keep(now)
        if (chaos === 0) millis = Math.max(keepMillis, keepRatio * (performance.now() - began))
      }
      // Multiples, since a sum would drift.
      if (isDue) due = (Math.round(due / checkpointEvery) + 1) * checkpointEvery
      if ((isDue || isOver) && onCheckpoint !== undefined) yield* onCheckpoint(checkpointed(), now)
      if (!isOver) return undefined
      // A rejection is told by the event loop only.
      yield* eventLoop
      const outcomes = yield* all((ref) => ref.Outcome({ generation }, patient))
      return { now, outcomes: outcomes.map(plainValue) as ReadonlyArray<HostOutcome> }
    })

    const finish = Effect.gen(function*() {
      let restarts = 0
      let deaths = 0
      for (;;) {
        const killsBefore = killsLeft
        const exit = yield* Effect.exit(amid(piece))
        if (Exit.isSuccess(exit)) {
          deaths = 0
          if (exit.value === undefined) continue
          options.onExchanges?.(exchanges)
          return { ...resultOf(model, exit.value.now, exit.value.outcomes), restarts }
        }
        const error = Cause.squash(exit.cause)
        if (!(error instanceof HostDied)) {
          return yield* Effect.failCause(exit.cause as Cause.Cause<SimulationFault>)
        }
        restarts++
        isReady = false
        if (!isMortal || (killsLeft === killsBefore && ++deaths > placements[placement].mostDeaths)) {
          return yield* Effect.fail(failed(`one has died at time ${edge.now}: ${error.reason}`))
        }
      }
    })
    return { finish: Effect.raceFirst(finish, watched) }
  })

interface Arrived {
  readonly progress: Progress
  readonly now: number
}

/** All have come equally far; where there is no end to come to, the last of them says how far. */
const arrived = (all: ReadonlyArray<Arrived>): Arrived => ({
  progress: all[0]!.progress,
  now: all.reduce((latest, { now }) => Math.max(latest, now), 0)
})

/** What a host has saved. */
interface Save {
  readonly shares: ReadonlyArray<ShareState>
  readonly events: number
  readonly undelivered: number
}

const sum = <T>(entries: ReadonlyArray<T>, of: (entry: T) => number): number =>
  entries.reduce((total, entry) => total + of(entry), 0)

const wordsOf = (cause: { readonly message: string }): string => plainLine(cause.message)

/** A world to go on from, its forks in it, as one host would have saved it. */
const reopened = <Config>(model: Model<Config>, options: HostsOptions<Config>) => {
  const fork: ForkOptions = {
    ...(options.seed === undefined ? {} : { seed: options.seed }),
    ...(options.config === undefined ? {} : { config: { ...options.config } })
  }
  const checkpoint = decodeBytes(options.checkpoint!)
  const engine = restore(model, checkpoint, fork)
  const saved: Save = { shares: save(engine), events: checkpoint.events, undelivered: checkpoint.undelivered }
  return { now: checkpoint.now, origins: originsOf(checkpoint, fork), save: plainBytes(saved) }
}

const resultOf = (model: AnyModel, now: number, outcomes: ReadonlyArray<HostOutcome>): Result => {
  const shares = outcomes.flatMap(({ shares }) => shares).toSorted((a, b) => a.digest.share - b.digest.share)
  return {
    model: model.modelName,
    now,
    events: sum(outcomes, ({ events }) => events),
    undelivered: sum(outcomes, ({ undelivered }) => undelivered),
    agents: sum(outcomes, ({ agents }) => agents),
    ...merged(shares.map(({ counts, tallies }) => ({
      counts,
      tallies: tallies.map(([name, words]) => [name, new Tally(words)] as const)
    }))),
    monitors: summaries(outcomes.flatMap(({ averages }) => averages), now),
    stateSha256: stateSha256(model, now, shares.map(({ digest }) => digest))
  }
}

/** Fails when time stands still in a thread that computes. Time in which this program did not run counts as one look. */
const watch = (
  memory: ExchangeMemory,
  common: Engine,
  heartbeat: number
): Effect.Effect<never, SimulationStuck> =>
  Effect.gen(function*() {
    const clocks = new Float64Array(memory.clocks)
    const looks = 8
    const seen = Array.from({ length: memory.hosts }, () => ({ time: NaN, looks: 0 }))
    for (;;) {
      yield* Effect.sleep(heartbeat / looks)
      for (const [host, last] of seen.entries()) {
        const [time, agent, computes] = clocks.subarray(host * clockWords, (host + 1) * clockWords)
        last.looks = computes === 1 && time === last.time ? last.looks + 1 : 0
        last.time = time!
        if (last.looks >= looks) {
          return yield* new SimulationStuck({ agent: common.describe(agent!), at: time!, seconds: heartbeat / 1000 })
        }
      }
    }
  })
