/**
 * The remote actor that owns environments, as Ray's `EnvWorker` in the notebook: it steps them with the weights it is
 * told and leaves the fragments, and where gradients travel their gradients, in their places of the data plane.
 *
 * It keeps nothing that would have to be restored: every piece of work has a number, begins from the bank that the one
 * before it left, and may be done again by whoever comes after.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Actor from "../actors/Actor.ts"
import * as Shared from "../actors/Shared.ts"
import { Kernels } from "../model/kernels/Kernels.ts"
import { bankOf, DataPlaneLayout } from "./dataPlaneLayout.ts"
import * as FragmentGradient from "./FragmentGradient.ts"
import { GradientSettings } from "./FragmentGradient.ts"
import { learnableEnvironment } from "./learnableEnvironment.ts"
import * as Rollout from "./Rollout.ts"
import { options } from "./RunConfig.ts"

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
  /** Its first environment, and how many it has. */
  first: Schema.Int,
  count: Schema.Int,
  seed: Schema.Int,
  samplingSeed: Schema.Int,
  restartSameSeed: Schema.Boolean,
  rewards: options.rewards.schema,
  /** Works at its own pace: with its own copy of the weights, and no further than its episode. */
  ownPace: Schema.Boolean,
  /** How to make gradients of its experience, where these travel. */
  gradients: Schema.NullOr(GradientSettings),
  memory: Shared.Memory,
  layout: DataPlaneLayout
})

/** Some environments as an actor. */
export class EnvWorker extends Actor.make("EnvWorker", {
  config: EnvWorkerConfig,
  protocol: [
    /**
     * Piece of work `round` (1, 2, ...): acts up to `steps` steps with weights `version`, and makes the gradients of what
     * came of it, where gradients travel. Answers the steps of the fragments.
     */
    Actor.Rpc.make("Collect", {
      payload: { round: Schema.Int, version: Schema.Int, steps: Schema.Int },
      success: Schema.Int,
      error: EnvFault
    }),
    /** Makes the gradients of the last fragments, of `rows` rows each, again, with weights `version`. */
    Actor.Rpc.make("Gradient", { payload: { version: Schema.Int, rows: Schema.Int } })
  ]
}) {}

/** Steps the environments in their slots. Works in any placement that shares memory with the trainer. */
export const EnvWorkerBehavior = EnvWorker.behavior(Effect.fnUntraced(function*({ config }) {
  const { first, gradients, layout, ownPace } = config
  const definition = yield* learnableEnvironment(config.environment, config.episodeLimit)
  const kernels = yield* Kernels.instantiate(config.memory)
  const rollout = Rollout.make(kernels, layout, definition, {
    ...config,
    environment: first,
    untilEpisodeEnd: ownPace
  })
  const gradient = gradients === null ? undefined : FragmentGradient.make(kernels, layout, config, gradients)
  const weightsOf = (version: number) => ownPace ? rollout.ownWeights : layout.weights[bankOf(version)]
  const toFault = ({ environment, reason, step }: Rollout.RolloutFault) =>
    Effect.fail(new EnvFault({ environment: definition.id, index: environment, step, reason }))

  /** The piece of work whose state the scratch regions hold; -1: nobody knows. */
  let at = -1

  return {
    handlers: {
      Collect: (
        { round, steps, version }: { readonly round: number; readonly version: number; readonly steps: number }
      ): Effect.Effect<number, EnvFault> =>
        Effect.suspend(() => {
          if (round === 1) {
            const fault = rollout.initialise()
            if (fault !== undefined) return toFault(fault)
          } else if (at !== round - 1) rollout.restore(round - 1)
          at = -1
          const weights = weightsOf(version)
          const rows = rollout.collect(weights, steps)
          if (typeof rows !== "number") return toFault(rows)
          gradient?.(weights, rows, true)
          rollout.save(round)
          at = round
          return Effect.succeed(rows)
        }),
      Gradient: ({ rows, version }: { readonly version: number; readonly rows: number }) =>
        Effect.sync(() => gradient?.(weightsOf(version), rows, false))
    }
  }
}))
