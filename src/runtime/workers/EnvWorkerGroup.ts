/**
 * The environments of a run as a group of supervised actors. In step, `collect` asks all of them for fragments with the
 * same weights and waits for all; at their own pace, `explore` asks one. Who dies in between is restarted and its piece
 * of work done again; the caller sees only the fragments.
 */
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { ActorSystem } from "../../actors/ActorSystem.ts"
import { type AskFailure, AskTimeout, type SpawnFailure } from "../../actors/errors.ts"
import * as Fault from "../../actors/Fault.ts"
import * as Supervision from "../../actors/Supervision.ts"
import { environmentReference } from "../../envs/loadEnvironment.ts"
import { initialParameters } from "../../model/initialize.ts"
import { chaosStream, workerWeightsStream } from "../../random/streams.ts"
import { CurrentConfig, type RunConfig } from "../config/RunConfig.ts"
import { Seed } from "../config/Seed.ts"
import { DataPlane } from "./DataPlane.ts"
import { bankOf, type Fragment, shareOf } from "./dataPlaneLayout.ts"
import * as EnvironmentStates from "./EnvironmentStates.ts"
import { SavedEnvironments } from "./EnvironmentStates.ts"
import { type EnvFault, EnvWorker } from "./EnvWorker.ts"
import type { GradientSettings } from "./FragmentGradient.ts"
import * as Parcel from "./Parcel.ts"

const gradientSettings = (config: RunConfig): GradientSettings | null =>
  config.ship === "experience" ? null : {
    targets: config,
    loss: config.loss,
    detachBootstrap: config.detachBootstrap,
    valueCoefficient: config.vfCoef,
    entropyCoefficient: config.entCoef
  }

/** A worker that does not come to an end with its piece of work. */
export class WorkerTimeout extends Schema.TaggedError<WorkerTimeout>()("WorkerTimeout", {
  actor: Schema.String,
  seconds: Schema.Finite
}) {
  override get message(): string {
    return `${this.actor} takes longer than ${this.seconds} s for one piece of work. ` +
      "If its environment is only slow, take fewer --n-steps or raise --collect-deadline; otherwise it hangs."
  }
}

/** Every way in which a piece of work can fail. */
export type WorkFailure = EnvFault | Exclude<AskFailure, AskTimeout> | WorkerTimeout

export class EnvWorkerGroup extends Context.Service<EnvWorkerGroup, {
  /** One fragment of `config.nSteps` steps from every environment, in their order; good until the next call. */
  readonly collect: (version: number) => Effect.Effect<ReadonlyArray<Fragment>, WorkFailure>
  /** The gradients of the last fragments again, with weights `version`, each made by its worker. */
  readonly gradients: (version: number) => Effect.Effect<void, WorkFailure>
  /** Copies the published weights, of `version`, into the environment's slot, for `explore`. */
  readonly pull: (environment: number, version: number) => Effect.Effect<void>
  /**
   * One environment at its own pace, with the weights it pulled: acts until the episode ends or for `config.nSteps`
   * steps, and computes the gradient where gradients travel. Good until it is asked again.
   */
  readonly explore: (environment: number, version: number) => Effect.Effect<Fragment, WorkFailure>
}>()("troupe/runtime/EnvWorkerGroup") {
  static readonly layer: Layer.Layer<
    EnvWorkerGroup,
    SpawnFailure | EnvironmentStates.StateMismatch,
    ActorSystem | CurrentConfig | DataPlane | Seed
  > = Layer.effect(
    EnvWorkerGroup,
    Effect.gen(function*() {
      const system = yield* ActorSystem
      const config = yield* CurrentConfig
      const plane = yield* DataPlane
      const seed = yield* Seed
      const saved = yield* SavedEnvironments
      const pull = pulling(config, plane, seed.root)
      if (saved !== undefined) yield* EnvironmentStates.load(plane, saved)
      const supervision = Supervision.oneForOne({ maxRestarts: config.maxRestarts, within: "1 minute" })
      const every = { concurrency: "unbounded" } as const
      const indices = Array.from({ length: plane.layout.spec.workers }, (_, worker) => worker)
      // A child process shares no memory: there the data travels with the messages.
      const parcels = config.placement === "process"
        ? indices.map((worker) => Parcel.trainerEnd(plane.arena.buffer, plane.layout, worker))
        : undefined
      const workers = yield* Effect.forEach(
        indices,
        (worker) =>
          system.spawn(EnvWorker, {
            name: nameOf(worker),
            config: {
              // A thread loads the environment itself: by its module where it has one, otherwise as we were told.
              environment: plane.definition.module === undefined
                ? config.envId
                : environmentReference(plane.definition),
              episodeLimit: config.episodeLimit,
              worker,
              ...shareOf(plane.layout.spec, worker),
              resumed: saved?.begun[shareOf(plane.layout.spec, worker).first] === true,
              seed: seed.root,
              samplingSeed: seed.sampling,
              restartSameSeed: config.restartSameSeed,
              rewards: config.rewards,
              ownPace: config.schedule !== "sync",
              gradients: gradientSettings(config),
              plane: parcels === undefined
                ? { memory: plane.arena.memory, layout: plane.layout }
                : parcels[worker]!.ownPlane()
            },
            supervision,
            ...placeOf(config, worker)
          }),
        every
      )

      const kill = chaos(
        config,
        workers.length,
        seed.root,
        (victim, how) =>
          Effect.flatMap(
            system.actors,
            (actors) =>
              actors.find(({ name }) => name === nameOf(victim))?.status === "running"
                ? Effect.as(Effect.ignore(system.kill(nameOf(victim), how)), true)
                : Effect.succeed(false)
          )
      )
      // Its thread is found out first, and given a second chance; then the work is given up.
      const patience = { deadline: Duration.seconds(2.5 * config.collectDeadline) }
      const inTime = <A, E>(work: Effect.Effect<A, E>) =>
        Effect.catchIf(
          work,
          (error): error is Extract<E, AskTimeout> => error instanceof AskTimeout,
          ({ actor }) => Effect.fail(new WorkerTimeout({ actor, seconds: config.collectDeadline }))
        )

      /** Pieces of work handed out so far, by worker. */
      const rounds = new Int32Array(workers.length)
      const work = (worker: number, version: number): Effect.Effect<number, WorkFailure> =>
        Effect.suspend(() => {
          const round = rounds[worker]! + 1
          rounds[worker] = round
          const given = parcels?.[worker]?.pack(version) ?? null
          const collected = inTime(workers[worker]!.Collect({ round, version, steps: config.nSteps, given }, patience))
          return Effect.map(collected, ({ made, rows }) => {
            if (made !== null) parcels?.[worker]?.unpack(made)
            return rows
          })
        })
      const gradient = (worker: number, version: number): Effect.Effect<void, WorkFailure> =>
        Effect.suspend(() => {
          const given = parcels?.[worker]?.pack(version) ?? null
          const computed = inTime(workers[worker]!.Gradient({ version, rows: config.nSteps, given }, patience))
          return Effect.map(computed, (made) => {
            if (made !== null) parcels?.[worker]?.unpack(made)
          })
        })
      const fragmentOf = (environment: number, rows: number, version: number): Fragment => {
        const slot = plane.slots[environment]!
        return { environment, rows, total: slot.live.tally[2]!, version, slot }
      }
      const amid = <A, E>(work: Effect.Effect<A, E>): Effect.Effect<A, E> => {
        const victim = kill()
        return victim === undefined ? work : Effect.map(Effect.all([work, victim], every), ([result]) => result)
      }

      return EnvWorkerGroup.of({
        collect: (version) =>
          Effect.map(
            // An algorithm is interrupted where it waits, and nowhere else: there its state is that between iterations.
            Effect.interruptible(
              amid(Effect.forEach(indices, (worker) => work(worker, version), { ...every, discard: true }))
            ),
            () => plane.slots.map((_, environment) => fragmentOf(environment, config.nSteps, version))
          ),
        gradients: (version) =>
          Effect.forEach(indices, (worker) => gradient(worker, version), { ...every, discard: true }),
        pull: (environment, version) => Effect.sync(() => pull(environment, version)),
        // At their own pace every environment has a worker to itself.
        explore: (environment, version) =>
          Effect.suspend(() =>
            Effect.map(amid(work(environment, version)), (rows) => fragmentOf(environment, rows, version))
          )
      })
    })
  )
}

/**
 * Workers go round the hosts. This thread, where it is one, is the last: what goes to the others is on its way before it
 * begins to work itself.
 */
const placeOf = ({ localWorker, placement, workers }: RunConfig, worker: number) => {
  const host = worker % workers
  const local = placement === "fiber" || (localWorker === true && host === workers - 1)
  return local ? { placement: "fiber", host: 0 } as const : { placement, host }
}

const nameOf = (worker: number): string => `env-worker/${worker}`

/**
 * Copies the published weights into a worker's slot, so that the Learner may go on while the worker uses them. Without
 * `syncCritic` the workers begin with weights of their own and keep the critic's head of these for ever, as in notebook
 * 002, where the two networks name it differently and loading is not strict.
 */
const pulling = (config: RunConfig, plane: DataPlane["Service"], seed: number) => {
  if (config.schedule !== "sync" && !config.syncCritic) {
    plane.slots.forEach(({ weights }, index) =>
      weights.set(initialParameters(plane.network, config.init, workerWeightsStream(seed, index)))
    )
  }
  const length = config.syncCritic ? plane.parameters.size : plane.parameters.critic.at(-1)!.weight
  return (environment: number, version: number): void => {
    if (version === 0 && !config.syncCritic) return
    plane.slots[environment]!.weights.set(plane.weights[bankOf(version)].subarray(0, length))
  }
}

/**
 * The kills of `--chaos`: which worker dies at which piece of work, and of what, is drawn from the seed, one to ten pieces
 * apart, so that a run with kills can be repeated. Only what is noticed at once: who waits for a heartbeat would spend
 * most of the run on waiting. Whoever is still coming up from another death is killed at a later piece (at which, depends on
 * the clock), so that as many die as were asked for, if the run is long enough; `strike` says whether it hit.
 */
const chaos = (
  config: RunConfig,
  workers: number,
  seed: number,
  strike: (victim: number, how: Fault.Fault) => Effect.Effect<boolean>
): () => Effect.Effect<void> | undefined => {
  const random = chaosStream(seed)
  const draw = () => {
    const wait = random.integers(1, 11)
    const victim = random.integers(0, workers)
    const faults = Fault.quick[placeOf(config, victim).placement]
    return { wait, victim, how: faults[random.integers(0, faults.length)]! }
  }
  let left = config.chaos
  let next = draw()
  let at = 0
  let striking = false
  return () => {
    if (striking || left === 0 || ++at < next.wait) return undefined
    striking = true
    const struck = Effect.map(strike(next.victim, next.how), (hit) => {
      if (!hit) return
      left--
      at = 0
      next = draw()
    })
    return Effect.ensuring(struck, Effect.sync(() => striking = false))
  }
}
