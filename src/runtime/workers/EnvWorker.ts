/**
 * The remote actor that owns environments, as Ray's `EnvWorker` in the notebook: it steps them with the weights it is
 * told and leaves the fragments, and where gradients travel their gradients, in their places of the data plane.
 *
 * It keeps nothing that would have to be restored: every piece of work has a number, begins from the bank that the one
 * before it left, and may be done again by whoever comes after.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Actor from "../../actors/Actor.ts"
import * as Shared from "../../actors/messages/Shared.ts"
import { Kernels } from "../../model/kernels/Kernels.ts"
import { options } from "../config/RunConfig.ts"
import { PassOrder } from "../plan/UpdatePlan.ts"
import { bankOf, blocksOf, DataPlaneLayout, type Range } from "./dataPlaneLayout.ts"
import * as FragmentGradient from "./FragmentGradient.ts"
import { GradientSettings } from "./FragmentGradient.ts"
import { learnableEnvironment } from "./learnableEnvironment.ts"
import { offeredReference, Offers } from "./offers.ts"
import * as Parcel from "./Parcel.ts"
import * as Rollout from "./Rollout.ts"
import { type OwnShare, type Replica, Replicas, StretchOrder, StretchReport, StretchSettings } from "./Stretch.ts"
import * as Trail from "./Trail.ts"

/** An environment did what no environment may: which one, at which step of its life, and what. */
export class EnvFault extends Schema.TaggedError<EnvFault>()("EnvFault", {
  environment: Schema.String,
  index: Schema.Int,
  step: Schema.Int,
  reason: Schema.String
}) {
  override get message(): string {
    return `Environment ${this.environment} (number ${this.index}) cannot be used: at its step ${this.step} ${this.reason}.`
  }
}

/** What a worker is made from. */
export const EnvWorkerConfig = Schema.Struct({
  /** An id, or the module that exports the environment (`envs/loadEnvironment.ts`). */
  environment: Schema.String,
  /** Steps after which an episode is truncated; 0: the environment's own limit. */
  episodeLimit: Schema.Int,
  /** Which of the workers it is. */
  worker: Schema.Int,
  /** The first of the environments that it may be given, and how many these are. */
  first: Schema.Int,
  count: Schema.Int,
  seed: Schema.Int,
  samplingSeed: Schema.Int,
  restartSameSeed: Schema.Boolean,
  rewards: options.rewards.schema,
  /** By which the returns are discounted whose variance normalizes rewards. */
  gamma: options.gamma.schema,
  /** Works at its own pace: with its own copy of the weights, and no further than its episode. */
  ownPace: Schema.Boolean,
  /** Goes on from the states that lie in the banks before its first piece of work. */
  resumed: Schema.Boolean,
  /**
   * The file of its trail, which it leaves in work that is done again, and in all work where none would be; null where its
   * owner could not read it.
   */
  trail: Schema.NullOr(Schema.Struct({ file: Schema.String, always: Schema.Boolean })),
  /** How to make gradients of its experience, where these travel. */
  gradients: Schema.NullOr(GradientSettings),
  /** How it learns in stretches; null: there are none. */
  stretches: Schema.NullOr(StretchSettings),
  /** The run's data plane, or where the worker cannot see it, what it needs for one of its own. */
  plane: Schema.Union([Schema.Struct({ memory: Shared.Memory, layout: DataPlaneLayout }), Parcel.OwnPlane])
})

/** A worker with a plane of its own gets what it needs with each message, and sends back what it made. */
const Given = Schema.NullOr(Parcel.Parcel)

interface Collect extends Range {
  readonly round: number
  readonly version: number
  readonly steps: number
  readonly given: Parcel.Parcel | null
}
interface Collected {
  readonly rows: number
  readonly made: Parcel.Made | null
}
interface Gradient extends Range {
  readonly version: number
  readonly rows: number
  readonly pass: PassOrder
  readonly given: Parcel.Parcel | null
}

/** Which environments a piece of work is done with. */
const share = { first: Schema.Int, count: Schema.Int }

/** Some environments as an actor. */
export class EnvWorker extends Actor.make("EnvWorker", {
  config: EnvWorkerConfig,
  protocol: [
    /**
     * Piece of work `round` (1, 2, ...): acts up to `steps` steps with weights `version`, and where gradients travel, makes
     * the targets of what came of it, and the gradients of the first pass, if it has one. Answers the steps of the fragments.
     */
    Actor.Rpc.make("Collect", {
      payload: { ...share, round: Schema.Int, version: Schema.Int, steps: Schema.Int, given: Given },
      success: Schema.Struct({ rows: Schema.Int, made: Schema.NullOr(Parcel.Made) }),
      error: EnvFault
    }),
    /** Makes the gradients of a pass over the last fragments, of `rows` rows each, with weights `version`. */
    Actor.Rpc.make("Gradient", {
      payload: { ...share, version: Schema.Int, rows: Schema.Int, pass: PassOrder, given: Given },
      success: Schema.NullOr(Shared.Bytes)
    }),
    /** Takes several iterations with the other workers, as one piece of work. Null: the stretch was broken off. */
    Actor.Rpc.make("Stretch", { payload: StretchOrder, success: Schema.NullOr(StretchReport) })
  ]
}) {}

/** Steps the environments in their slots. */
export const EnvWorkerBehavior = EnvWorker.behavior(Effect.fnUntraced(function*({ config, incarnation }) {
  const { gradients, ownPace } = config
  const offered = yield* Offers
  // On a runner nobody from elsewhere names a file.
  const trailed = offered === null ? config.trail : null
  /** Until its first piece of work is done: then it is not what the one before died of. */
  let trail = trailed !== null && (incarnation > 1 || trailed.always) ? Trail.begin(trailed.file) : undefined
  trail?.mark(config.first, 0)
  const reference = offered === null ? config.environment : yield* offeredReference(offered, config.environment)
  const definition = yield* learnableEnvironment(reference, config.episodeLimit)
  const { kernels, layout, own, slots, worker } = yield* placeOf(config)
  const all = blocksOf(slots, layout.spec.unit).map((range) => {
    const environment = config.first + range.first - slots.first
    return {
      environment,
      count: range.count,
      rollout: Rollout.make(kernels, layout, definition, {
        ...config,
        ...range,
        worker,
        environment,
        untilEpisodeEnd: ownPace
      }),
      gradient: gradients === null
        ? undefined
        : FragmentGradient.make(kernels, layout, { ...range, worker, unit: environment / layout.spec.unit }, gradients)
    }
  })
  /** Which environments the present piece of work is done with, and the blocks that have some of them. */
  let present: Range = { first: config.first, count: config.count }
  let blocks = all
  /** The piece of work whose state is live in their slots; -1: nobody knows. */
  let at = -1
  const take = ({ count, first }: Range): void => {
    if (first === present.first && count === present.count) return
    present = { first, count }
    at = -1
    blocks = all.filter((block) => {
      const from = Math.max(0, first - block.environment)
      const to = Math.min(block.count, first + count - block.environment)
      if (from >= to) return false
      block.rollout.take(from, to)
      block.gradient?.take(from, to)
      return true
    })
  }
  const weightsOf = (version: number) => ownPace ? all[0]!.rollout.ownWeights : layout.weights[bankOf(version)]
  const toFault = ({ environment, reason, step }: Rollout.RolloutFault) =>
    Effect.fail(new EnvFault({ environment: definition.id, index: environment, step, reason }))

  let replica: Replica | undefined
  /** Made with the first stretch: who comes up after a death is soon back at work. */
  const replicaOf = Effect.gen(function*() {
    const makeReplica = yield* Replicas
    const { gradients, stretches } = config
    if (replica !== undefined || makeReplica === undefined || gradients === null || stretches === null) return replica
    const { policy, seed } = gradients
    const own: OwnShare = {
      restore: (round) => {
        for (const { rollout } of blocks) rollout.restore(round)
      },
      collect: (weights) =>
        blocks.every(({ gradient, rollout }) => {
          const rows = rollout.collect(weights, layout.spec.steps)
          if (typeof rows !== "number") return false
          gradient?.first(weights, rows)
          return true
        }),
      gradients: (weights, pass) => {
        for (const { gradient } of blocks) gradient?.again(weights, layout.spec.steps, pass)
      },
      save: (round) => {
        for (const { rollout } of blocks) rollout.save(round)
      }
    }
    replica = yield* makeReplica({ kernels, layout, definition, policy, seed, worker, own, settings: stretches })
    return replica
  })

  return {
    handlers: {
      Collect: ({ given, round, steps, version, ...share }: Collect): Effect.Effect<Collected, EnvFault> =>
        Effect.suspend(() => {
          take(share)
          if (given !== null) own?.forWork(given, round, version)
          const fresh = round === 1 && !config.resumed
          const stale = at !== round - 1
          at = -1
          const weights = weightsOf(version)
          let rows = steps
          for (const { gradient, rollout } of blocks) {
            const fault = fresh ? rollout.initialize(trail) : undefined
            if (fault !== undefined) return toFault(fault)
            if (stale && !fresh) rollout.restore(round - 1)
            const collected = rollout.collect(weights, steps, trail)
            if (typeof collected !== "number") return toFault(collected)
            rows = collected
            gradient?.first(weights, rows)
            rollout.save(round)
          }
          at = round
          if (trail !== undefined && trailed?.always === false) {
            trail.end()
            trail = undefined
          }
          return Effect.succeed({ rows, made: given === null || own === undefined ? null : own.worked(round, given) })
        }),
      Gradient: ({ given, pass, rows, version, ...share }: Gradient): Effect.Effect<Uint8Array | null> =>
        Effect.sync(() => {
          take(share)
          if (given !== null) own?.forGradient(given, version)
          for (const { gradient } of blocks) gradient?.again(weightsOf(version), rows, pass)
          return own?.gradient() ?? null
        }),
      Stretch: (order: StretchOrder): Effect.Effect<StretchReport | null> =>
        Effect.map(replicaOf, (replica) => {
          take(order)
          const live = at === order.round - 1
          at = -1
          // Who leaves a trail takes one iteration after the other.
          if (trail !== undefined) {
            replica?.part(order.member)
            return null
          }
          const report = replica?.take(order, live)
          if (report === undefined) return null
          at = order.round
          return report
        })
    }
  }
}))

/** Where a worker works: in the run's plane, or alone in one of its own. */
const placeOf = Effect.fnUntraced(function*({ count, first, plane, worker }: typeof EnvWorkerConfig.Type) {
  if ("memory" in plane) {
    const kernels = yield* Kernels.instantiate(plane.memory)
    return { kernels, layout: plane.layout, own: undefined, worker, slots: { first, count } }
  }
  const own = yield* Parcel.workerEnd(plane)
  return { kernels: own.kernels, layout: own.layout, own, worker: 0, slots: { first: 0, count } }
})
