/**
 * The Learner: consumes the fragments of all environments, updates the model on its device, and publishes the new
 * weights where the EnvWorkers read them. In the notebook this is `Policy.learn` and `compute_returns_for_exps`.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { CpuDevice } from "../../model/CpuDevice.ts"
import { Device, type DeviceFault, type ModelState } from "../../model/Device.ts"
import type { LossReport } from "../../model/losses/LossSettings.ts"
import { CurrentConfig } from "../config/RunConfig.ts"
import { Seed } from "../config/Seed.ts"
import { optimizerSpecOf } from "../plan/optimizerSpecOf.ts"
import { type PassOrder, UpdatePlan } from "../plan/UpdatePlan.ts"
import { DataPlane } from "../workers/DataPlane.ts"
import type { Fragment } from "../workers/dataPlaneLayout.ts"
import { StateMismatch } from "../workers/EnvironmentStates.ts"
import { initialWeights } from "./initialWeights.ts"
import * as Learning from "./Learning.ts"

/** What one consumption of experience did. */
export interface LearnReport {
  readonly loss: LossReport
  /** Global gradient norm before clipping. */
  readonly gradNorm: number
  readonly learningRate: number
  /**
   * 1 − Var[return − V] / Var[return]; 0 where the returns do not vary, null where there are none. Computed when asked, as
   * long as the experience is good.
   */
  readonly explainedVariance: () => number | null
  /** Updates between the weights the experience was collected with and those it was applied to. */
  readonly staleness: number
  /** The experience was older than allowed and was dropped. */
  readonly refused: boolean
  /** The version of the weights now. */
  readonly version: number
}

const Count = Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))

/** What a checkpoint keeps of a Learner, beside its model. */
export const LearnerStateHead = Schema.Struct({
  version: Count,
  /** Environment steps consumed: the learning rate may follow them. */
  consumed: Count
})

/** What a Learner remembers. */
export interface LearnerState {
  readonly version: number
  readonly consumed: number
  readonly model: ModelState
}

/** What a resumed run's Learner goes on from; undefined in a run that begins. */
export class SavedLearner extends Context.Reference<LearnerState | undefined>("troupe/runtime/SavedLearner", {
  defaultValue: () => undefined
}) {}

export class Learner extends Context.Service<Learner, {
  /** How often the weights have changed: the version that the next fragments must be collected with. */
  readonly version: Effect.Effect<number>
  /**
   * Consumes experience: as many updates as the plan says. Where gradients travel, `gradients` is there: it has the workers
   * leave those of a pass in the units, made with the weights of a version. Those of the first pass came with the
   * fragments, if `firstPass` says so.
   */
  readonly update: <E = never>(
    fragments: ReadonlyArray<Fragment>,
    gradients?: (version: number, pass: PassOrder) => Effect.Effect<void, E>
  ) => Effect.Effect<LearnReport, DeviceFault | E>
  /** A copy of the current parameters, in the flat order of `model/policy/ParameterLayout.ts`. */
  readonly weights: Effect.Effect<Float32Array, DeviceFault>
  /** A copy of all it remembers, as it is between two iterations. Without it a run keeps no checkpoints. */
  readonly save?: Effect.Effect<LearnerState, DeviceFault>
}>()("troupe/runtime/Learner") {
  /** A report, for learners of one's own: what is left out is as if nothing were late and nothing measured. */
  static readonly report = (
    report: Pick<LearnReport, "version" | "loss"> & Partial<LearnReport>
  ): LearnReport => ({
    gradNorm: 0,
    learningRate: 0,
    explainedVariance: () => null,
    staleness: 0,
    refused: false,
    ...report
  })

  static readonly layer: Layer.Layer<
    Learner,
    DeviceFault | StateMismatch | Effect.Error<typeof initialWeights>,
    CurrentConfig | Device | DataPlane | Seed | UpdatePlan | Effect.Services<typeof initialWeights>
  > = Layer.effect(
    Learner,
    Effect.gen(function*() {
      const device = yield* Device
      const config = yield* CurrentConfig
      const plane = yield* DataPlane
      const plan = yield* UpdatePlan
      const { root } = yield* Seed
      const saved = yield* SavedLearner
      // A run that goes on does not need the file that it began with.
      if (saved !== undefined && saved.model.parameters.length !== plane.parameters.size) {
        return yield* new StateMismatch({ environment: plane.definition.id, part: "observation or action" })
      }
      const initial = saved === undefined
        ? (yield* initialWeights).subarray(0, plane.parameters.size)
        : saved.model.parameters
      return yield* device.use((d) =>
        Effect.flatMap(
          d.model({
            policy: plane.policy,
            optimizer: optimizerSpecOf(config),
            maxRows: config.nSteps,
            unit: plane.layout.spec.unit
          }, initial),
          (model) =>
            Effect.map(Learning.make({ config, plan, plane, saved, seed: root }, model), ({ adopt, learner }) => {
              if (CpuDevice.made(model)) adopting.set(learner, adopt)
              return learner
            })
        )
      )
    })
  )
}

/**
 * The Learners of runs whose steps the workers can take too, to the same bits: the runs' own, on the `cpu` device that comes
 * with Troupe. Whoever wraps one has another, which is not among them.
 */
const adopting = new WeakMap<Learner["Service"], (state: LearnerState) => Effect.Effect<void, DeviceFault>>()

/** Brings a Learner to where others have come to in its place; undefined where its steps are its own alone. */
export const adoptOf = (learner: Learner["Service"]) => adopting.get(learner)
