/**
 * The remote actor that owns one environment, as Ray's `EnvWorker` in the notebook: it steps the environment with the
 * weights it is told and leaves the fragment in its slot of the data plane. Its state, what a restart restores, is
 * the number of the bank that holds the last whole state of the environment and its random streams.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
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
  index: Schema.Int,
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

/** What a restart restores: the committed bank, and the steps taken so far. */
export const EnvWorkerState = Schema.Struct({ bank: Schema.Literals([0, 1]), steps: Schema.Int })

/** One environment as an actor. */
export class EnvWorker extends Actor.make("EnvWorker", {
  config: EnvWorkerConfig,
  state: EnvWorkerState,
  protocol: [
    /** Acts up to `steps` steps with weights `version`; with `gradients`, computes their mean gradient too. */
    Actor.Rpc.make("Collect", {
      payload: { version: Schema.Int, steps: Schema.Int, gradients: Schema.Boolean },
      success: Schema.Struct({
        /** Steps of the fragment. */
        rows: Schema.Int,
        /** Steps of the worker's whole life, committed with this reply. */
        total: Schema.Int
      }),
      error: EnvFault
    }),
    /** Computes the gradient of the last fragment with weights `version`, each row counting `scale`. */
    Actor.Rpc.make("Gradient", { payload: { version: Schema.Int, scale: Schema.Finite, rows: Schema.Int } })
  ]
}) {}

/** Steps the environment in its slot. Works in any placement that shares memory with the trainer. */
export const EnvWorkerBehavior = EnvWorker.behavior(Effect.fnUntraced(function*({ config, restored }) {
  const definition = yield* learnableEnvironment(config.environment, config.episodeLimit)
  const kernels = yield* Kernels.instantiate(config.memory)
  const rollout = Rollout.make(kernels, config.layout, definition, { ...config, untilEpisodeEnd: config.ownPace })
  const gradient = config.gradients === null
    ? undefined
    : FragmentGradient.make(kernels, config.layout, config.index, config.gradients)
  const weightsOf = (version: number) => config.ownPace ? rollout.ownWeights : config.layout.weights[bankOf(version)]
  let bank: 0 | 1 = 0
  let steps = 0

  const toFault = (fault: Rollout.RolloutFault) =>
    new EnvFault({
      environment: definition.id,
      index: config.index,
      step: steps + fault.step,
      reason: fault.reason
    })

  let broken: EnvFault | undefined
  if (Option.isSome(restored)) {
    bank = restored.value.bank
    steps = restored.value.steps
    rollout.restore(bank)
  } else {
    const fault = rollout.initialise()
    if (fault !== undefined) broken = toFault(fault)
  }

  return {
    handlers: {
      Collect: (
        request: { readonly version: number; readonly steps: number; readonly gradients: boolean }
      ): Effect.Effect<{ readonly rows: number; readonly total: number }, EnvFault> =>
        Effect.suspend(() => {
          if (broken !== undefined) return Effect.fail(broken)
          const weights = weightsOf(request.version)
          const rows = rollout.collect(weights, request.steps)
          if (typeof rows !== "number") return Effect.fail(toFault(rows))
          if (request.gradients) gradient?.(weights, rows, 1 / rows)
          bank = bank === 0 ? 1 : 0
          rollout.save(bank)
          steps += rows
          return Effect.succeed({ rows, total: steps })
        }),
      Gradient: ({ rows, scale, version }: {
        readonly version: number
        readonly scale: number
        readonly rows: number
      }) => Effect.sync(() => gradient?.(weightsOf(version), rows, scale))
    },
    snapshot: () => ({ bank, steps })
  }
}))
