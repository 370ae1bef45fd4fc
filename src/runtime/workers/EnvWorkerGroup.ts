/**
 * The environments of a run as a group of supervised actors. In step, `collect` asks all of them for fragments with the
 * same weights and waits for all; at their own pace, `explore` asks one. Who dies in between is restarted and its piece
 * of work done again; the caller sees only the fragments.
 */
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as PubSub from "effect/PubSub"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { ActorSystem } from "../../actors/ActorSystem.ts"
import { Death } from "../../actors/Death.ts"
import {
  type AskFailure,
  AskTimeout,
  RestartLimitReached,
  type SpawnFailure,
  StartFailed
} from "../../actors/errors.ts"
import * as Supervision from "../../actors/Supervision.ts"
import { environmentName, environmentReference } from "../../envs/loadEnvironment.ts"
import { untilDeadline } from "../../time/deadline.ts"
import { runningTime } from "../../time/runningTime.ts"
import { environmentOf } from "../config/environmentOf.ts"
import { placements } from "../config/placements.ts"
import { CurrentConfig, type RunConfig } from "../config/RunConfig.ts"
import { Seed } from "../config/Seed.ts"
import { firstPass, type PassOrder, UpdatePlan } from "../plan/UpdatePlan.ts"
import { pulling } from "../quirks/pulling.ts"
import type { Counted } from "../stopping/Progress.ts"
import { DataPlane } from "./DataPlane.ts"
import { bankOf, type Fragment, fragmentIn, meetingWords } from "./dataPlaneLayout.ts"
import * as EnvironmentStates from "./EnvironmentStates.ts"
import { SavedEnvironments } from "./EnvironmentStates.ts"
import { type EnvFault, EnvWorker } from "./EnvWorker.ts"
import { ExperienceListener } from "./Experience.ts"
import { canMeet, everySeat, isHere, type Layout, layoutsOf, type Seat } from "./layouts.ts"
import * as Meeting from "./Meeting.ts"
import * as Parcel from "./Parcel.ts"
import { QuickestOf } from "./QuickestOf.ts"
import { asksAgain } from "./shipment.ts"
import { type StretchReport, stretchSettings, type StretchStart } from "./Stretch.ts"
import { StretchLength } from "./StretchLength.ts"
import { StretchNotes } from "./StretchNotes.ts"
import * as Trail from "./Trail.ts"

/** Where a worker was, as part of a sentence. */
const Whereabouts = Schema.Struct({
  environment: Schema.String,
  /** Which environment of the run, and which step of its life, where that is known. */
  at: Schema.optionalKey(Schema.Struct({ environment: Schema.Int, step: Schema.Int }))
})

const whereabouts = ({ at, environment }: typeof Whereabouts.Type): string =>
  at === undefined
    ? `environment ${environment}`
    : `environment ${environment} (number ${at.environment}), at its step ${at.step}`

/** A worker that does not come to an end with its piece of work. */
export class WorkerTimeout extends Schema.TaggedError<WorkerTimeout>()("WorkerTimeout", {
  actor: Schema.String,
  where: Whereabouts,
  seconds: Schema.Finite
}) {
  override get message(): string {
    return `${this.actor} takes longer than ${this.seconds} s for one piece of work: ${whereabouts(this.where)}. ` +
      "If that is only slow, take fewer --n-steps or raise --collect-deadline; otherwise it hangs."
  }
}

/** A worker whose thread or process ended in the same piece of work again and again: there is no other to be had. */
export class WorkerLost extends Schema.TaggedError<WorkerLost>()("WorkerLost", {
  actor: Schema.String,
  where: Whereabouts,
  placement: Schema.String,
  deaths: Schema.Int,
  reason: Schema.String
}) {
  override get message(): string {
    const often = this.deaths === 1 ? "" : `, ${this.deaths} times in a row`
    return `The ${this.placement} of ${this.actor} ended with ${whereabouts(this.where)}${often}: ${this.reason}. ` +
      "--max-restarts says how often it is tried again."
  }
}

/** Every way in which a piece of work can fail. */
export type WorkFailure = EnvFault | Exclude<AskFailure, AskTimeout> | WorkerTimeout | WorkerLost

/**
 * How workers are supervised, and their hosts while they start. Who gets on with its work may die often; who dies of the
 * same piece of work again and again is given up soon.
 */
export const supervisionOf = ({ maxRestarts }: RunConfig): Supervision.Supervision => {
  const [within, inRow] = maxRestarts === "auto" ? [1000, 10] : [maxRestarts, maxRestarts]
  return Supervision.oneForOne({ maxRestarts: within, within: "1 minute", maxConsecutive: inRow + 1 })
}

/** A layout that was found to be quicker than the others that were tried. */
export interface Chosen extends Pick<Layout, "placement" | "workers"> {
  /** How many times as quick as the next best. */
  readonly speedup: number
}

/** What came of a stretch that was taken. */
export interface Stretched extends StretchReport {
  /** What is counted of each iteration. */
  readonly counted: ReadonlyArray<ReadonlyArray<Counted>>
}

export class EnvWorkerGroup extends Context.Service<EnvWorkerGroup, {
  /** One fragment of `config.nSteps` steps from every environment, in their order; good until the next call. */
  readonly collect: (version: number) => Effect.Effect<ReadonlyArray<Fragment>, WorkFailure>
  /**
   * A stretch of iterations, up to `most`, that the workers take by themselves: see `Stretch.ts`. `begin` is asked for what it
   * begins from, if it comes to that. Undefined: there was none, and all is as it was; one iteration is to be taken.
   */
  readonly stretch: <E>(
    most: number,
    begin: Effect.Effect<StretchStart, E>
  ) => Effect.Effect<Stretched | undefined, WorkFailure | E>
  /** The gradients of a pass over the last fragments, with weights `version`, each made by its worker. */
  readonly gradients: (version: number, pass: PassOrder) => Effect.Effect<void, WorkFailure>
  /** Copies the published weights, of `version`, into the environment's slot, for `explore`. */
  readonly pull: (environment: number, version: number) => Effect.Effect<void>
  /**
   * One environment at its own pace, with the weights it pulled: acts until the episode ends or for `config.nSteps`
   * steps, and computes the gradient where gradients travel. Good until it is asked again.
   */
  readonly explore: (environment: number, version: number) => Effect.Effect<Fragment, WorkFailure>
  /** Where the environments are stepped from now on, each time that another layout turns out to be quicker. */
  readonly chosen: Stream.Stream<Chosen>
}>()("troupe/runtime/EnvWorkerGroup") {
  static readonly layer: Layer.Layer<
    EnvWorkerGroup,
    SpawnFailure | EnvironmentStates.StateMismatch,
    ActorSystem | CurrentConfig | DataPlane | Seed | UpdatePlan
  > = Layer.effect(
    EnvWorkerGroup,
    Effect.gen(function*() {
      const system = yield* ActorSystem
      const config = yield* CurrentConfig
      const plane = yield* DataPlane
      const seed = yield* Seed
      const plan = yield* UpdatePlan
      const saved = yield* SavedEnvironments
      const pull = pulling(config, plane, seed.root)
      if (saved !== undefined) yield* EnvironmentStates.load(plane, saved)
      const supervision = supervisionOf(config)
      const trails = Trail.folder()
      yield* Effect.addFinalizer(() => Effect.sync(() => Trail.sweep(trails)))
      const every = { concurrency: "unbounded" } as const
      const layouts = layoutsOf(config, plane.layout.spec)
      const seats = everySeat(layouts)
      const { otherMachines, sharesMemory } = placements[config.placement]
      // A child process shares no memory, nor does another machine: there the data travels with the messages.
      const parcels = !sharesMemory
        ? seats.map(({ worker }) => Parcel.trainerEnd(plane.arena.buffer, plane.layout, worker))
        : undefined
      const learnsFromIt = plane.ship === "experience" || asksAgain(plan)
      // Whoever computes for too long is found out first, and given a second chance; then it is given up.
      const longest = Duration.seconds(2.5 * config.collectDeadline)
      const tooLate = Effect.gen(function*() {
        yield* untilDeadline(Duration.toMillis(longest))
        const waiting = (yield* system.actors).find(({ status }) => status !== "running")
        const message =
          `its environment does not come to the end of its loading there within ${config.collectDeadline} s; ` +
          "if it takes longer, raise --collect-deadline"
        const death = new Death({ kind: "StartFailed", message })
        return yield* new StartFailed({ actor: waiting?.name ?? seats[0]!.name, death })
      })
      const stretches = plane.layout.spec.stretch === 0 ? null : stretchSettings(config, plan)
      const spawn = (seat: Seat, index: number) =>
        Effect.map(
          system.spawn(EnvWorker, {
            name: seat.name,
            config: {
              // A thread loads the environment itself: by its module where it has one, otherwise as we were told.
              environment: plane.definition.module === undefined
                ? environmentOf(config)
                : otherMachines
                ? environmentName(plane.definition)
                : environmentReference(plane.definition),
              episodeLimit: config.episodeLimit,
              worker: seat.worker,
              first: seat.first,
              count: seat.count,
              trail: otherMachines ? null : { file: Trail.fileOf(trails, index), always: config.maxRestarts === 0 },
              resumed: saved?.begun[seat.first] === true,
              seed: seed.root,
              samplingSeed: seed.sampling,
              restartSameSeed: config.restartSameSeed,
              rewards: config.rewards,
              gamma: config.gamma,
              ownPace: config.schedule !== "sync",
              gradients: plane.ship === "experience"
                ? null
                : {
                  policy: plane.policy,
                  targets: config,
                  seed: seed.root,
                  units: plane.units.length,
                  first: firstPass(plan)
                },
              stretches,
              plane: parcels === undefined
                ? { memory: plane.arena.memory, layout: plane.layout }
                : parcels[index]!.ownPlane()
            },
            supervision,
            placement: seat.placement,
            host: seat.host
          }),
          (actor) => ({ name: seat.name, actor, index })
        )
      const spawned = Effect.forEach(seats, spawn, every)
      const everybody = yield* Effect.raceFirst(spawned, tooLate)
      /** Everybody with the environments of each layout. */
      const teams = layouts.map(({ seats }) =>
        seats.flatMap(({ count, first, name }) =>
          everybody.flatMap((worker) => worker.name === name ? [{ ...worker, first, count }] : [])
        )
      )
      type Worker = (typeof teams)[number][number]

      const byThen = { deadline: longest }
      const where = ({ index }: Worker): typeof Whereabouts.Type => {
        const at = Trail.follow(Trail.fileOf(trails, index))
        return { environment: plane.definition.id, ...(at === undefined ? {} : { at }) }
      }
      /** Work that is given up fails with where its worker was. */
      const toItsEnd = <A>(
        worker: Worker,
        work: Effect.Effect<A, EnvFault | AskFailure>
      ): Effect.Effect<A, WorkFailure> =>
        Effect.mapError(work, (error) => {
          if (error instanceof AskTimeout) {
            return new WorkerTimeout({ actor: error.actor, where: where(worker), seconds: config.collectDeadline })
          }
          if (!(error instanceof RestartLimitReached)) return error
          const { actor, death } = error
          const gone = death.kind === "HostExited" || death.kind === "Unresponsive"
          return gone
            ? new WorkerLost({
              actor,
              where: where(worker),
              placement: config.placement,
              deaths: error.poison?.deaths ?? 1,
              reason: death.message
            })
            : error
        })

      /** Pieces of work handed out so far, by the first environment of their worker; in step all are as far. */
      const rounds = new Int32Array(config.nEnvs)
      const work = (worker: Worker, version: number): Effect.Effect<number, WorkFailure> =>
        Effect.flatMap(ExperienceListener, (listener) => {
          const { count, first } = worker
          const round = rounds[first]! + 1
          rounds.fill(round, first, first + count)
          const parcel = parcels?.[worker.index]
          const given = parcel?.forWork(round, version, learnsFromIt || listener !== undefined) ?? null
          const collected = toItsEnd(
            worker,
            worker.actor.Collect({ first, count, round, version, steps: config.nSteps, given }, byThen)
          )
          return Effect.map(collected, ({ made, rows }) => {
            if (made !== null && given !== null) parcel?.worked(round, given, made)
            return rows
          })
        })
      const gradient = (worker: Worker, version: number, pass: PassOrder): Effect.Effect<void, WorkFailure> =>
        Effect.suspend(() => {
          const { count, first } = worker
          const parcel = parcels?.[worker.index]
          const given = parcel?.forGradient(version) ?? null
          const computed = toItsEnd(
            worker,
            worker.actor.Gradient({ first, count, version, rows: config.nSteps, pass, given }, byThen)
          )
          return Effect.map(computed, (made) => {
            if (made !== null) parcel?.gradient(made)
          })
        })
      const fragmentsOf = (version: number): ReadonlyArray<Fragment> =>
        plane.slots.map((slot, environment) => fragmentIn(slot, environment, config.nSteps, version))

      const choices = yield* PubSub.unbounded<Chosen>()
      const quickest = new QuickestOf(layouts.length, runningTime.now)
      const lengths = layouts.map(({ seats }) =>
        new StretchLength(canMeet(seats) ? plane.layout.spec.stretch : 0, seats.some(isHere))
      )
      const meeting = meetingWords(plane.arena.buffer, plane.layout)
      const notes = new StretchNotes(plane.slots, config.nSteps)
      let told = -1
      /** Whether the team of the next piece of work is chosen, and the iterations that were handed out since the last was. */
      let picked = false
      let done = 0
      /** The team of the next piece of work. */
      const team = Effect.suspend(() => {
        if (picked) return Effect.succeed(teams[quickest.way]!)
        picked = true
        const found = quickest.next(done)
        done = 0
        const members = teams[quickest.way]!
        if (found === undefined || found.way === told) return Effect.succeed(members)
        told = found.way
        const { placement, workers } = layouts[told]!
        return Effect.as(PubSub.publish(choices, { placement, workers, speedup: found.speedup }), members)
      })
      return EnvWorkerGroup.of({
        chosen: Stream.fromPubSub(choices),
        collect: (version) =>
          Effect.flatMap(team, (members) => {
            picked = false
            done++
            const began = runningTime.now()
            return Effect.map(
              // An algorithm is interrupted where it waits, and nowhere else: there its state is that between iterations.
              Effect.interruptible(
                Effect.forEach(members, (worker) => work(worker, version), { ...every, discard: true })
              ),
              () => {
                lengths[quickest.way]!.took(1, runningTime.now() - began)
                return fragmentsOf(version)
              }
            )
          }),
        stretch: Effect.fnUntraced(function*(most, begin) {
          if (stretches === null || rounds[0] === 0) return undefined
          const members = yield* team
          const length = lengths[quickest.way]!
          const iterations = length.next(most)
          if (iterations < 2) return undefined
          const order = { round: rounds[0]! + 1, iterations, members: members.length, ...(yield* begin) }
          picked = false
          Meeting.clear(meeting)
          const began = runningTime.now()
          const reports = yield* Effect.interruptible(
            Effect.forEach(members, (worker, member) => {
              const { count, first } = worker
              return toItsEnd(worker, worker.actor.Stretch({ ...order, member, first, count }, byThen))
            }, every)
          )
          const [report] = reports
          if (
            report === undefined || report === null || reports.some((other) => other?.iterations !== report.iterations)
          ) {
            length.brokenOff(iterations)
            // Another team may be next, whose members know nothing of it: what they left live has been stepped on.
            for (const { banks, liveBytes } of plane.slots) liveBytes.set(banks[bankOf(rounds[0]!)])
            return undefined
          }
          rounds.fill(order.round)
          done += report.iterations
          length.took(report.iterations, runningTime.now() - began)
          return { ...report, counted: notes.of(report.iterations) }
        }),
        gradients: (version, pass) =>
          Effect.forEach(teams[quickest.way]!, (worker) => gradient(worker, version, pass), {
            ...every,
            discard: true
          }),
        pull: (environment, version) => Effect.sync(() => pull(environment, version)),
        // At their own pace every environment has a worker to itself.
        explore: (environment, version) =>
          Effect.flatMap(
            team,
            (members) => {
              picked = false
              done++
              return Effect.map(work(members[environment]!, version), (rows) =>
                fragmentIn(plane.slots[environment]!, environment, rows, version))
            }
          )
      })
    })
  )
}
