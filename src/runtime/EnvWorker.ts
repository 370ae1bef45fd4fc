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
import { DataPlaneLayout } from "./dataPlaneLayout.ts"
import { learnableEnvironment } from "./learnableEnvironment.ts"
import * as Rollout from "./Rollout.ts"

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
  index: Schema.Int,
  seed: Schema.Int,
  samplingSeed: Schema.Int,
  restartSameSeed: Schema.Boolean,
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
    /** Acts `steps` steps with weights `version`; succeeds with the steps of its whole life, committed. */
    Actor.Rpc.make("Collect", {
      payload: { version: Schema.Int, steps: Schema.Int },
      success: Schema.Int,
      error: EnvFault
    })
  ]
}) {}

/** Steps the environment in its slot. Works in any placement that shares memory with the trainer. */
export const EnvWorkerBehavior = EnvWorker.behavior(Effect.fnUntraced(function*({ config, restored }) {
  const definition = yield* learnableEnvironment(config.environment)
  const kernels = yield* Kernels.instantiate(config.memory)
  const rollout = Rollout.make(kernels, config.layout, definition, config)
  let bank: 0 | 1 = 0
  let steps = 0

  const toFault = (fault: Rollout.RolloutFault | undefined) =>
    fault === undefined ? undefined : new EnvFault({
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
    broken = toFault(rollout.initialise())
  }

  return {
    handlers: {
      Collect: (request: { readonly version: number; readonly steps: number }) =>
        Effect.suspend(() => {
          const fault = broken ?? toFault(rollout.collect(request.version, request.steps))
          if (fault !== undefined) return Effect.fail(fault)
          bank = bank === 0 ? 1 : 0
          rollout.save(bank)
          steps += request.steps
          return Effect.succeed(steps)
        })
    },
    snapshot: () => ({ bank, steps })
  }
}))
