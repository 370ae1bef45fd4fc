/**
 * The Learner: consumes the fragments of all environments, updates the model on its device, and publishes the new
 * weights where the EnvWorkers read them. In the notebook this is `Policy.learn` and `compute_returns_for_exps`.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import {
  Device,
  type DeviceFault,
  type DeviceName,
  type Gradients,
  type LearnerModel,
  type ModelState
} from "../../model/Device.ts"
import type { LossReport, LossSettings } from "../../model/losses/LossSettings.ts"
import { linearSchedule, type OptimizerSpec } from "../../model/optimizers.ts"
import { CurrentConfig, type RunConfig } from "../config/RunConfig.ts"
import { DataPlane } from "../workers/DataPlane.ts"
import { bankOf, type Fragment } from "../workers/dataPlaneLayout.ts"
import { StateMismatch } from "../workers/EnvironmentStates.ts"
import * as targets from "../workers/targets.ts"
import { initialWeights } from "./initialWeights.ts"

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
  /** Consumes experience: `config.nEpochs` updates. */
  readonly learn: (fragments: ReadonlyArray<Fragment>) => Effect.Effect<LearnReport, DeviceFault>
  /**
   * Consumes gradients: `config.nEpochs` updates with what lies in the units' places. They came with the fragments;
   * before each further update `compute` leaves those of the version it is told.
   */
  readonly apply: <E = never>(
    fragments: ReadonlyArray<Fragment>,
    compute?: (version: number) => Effect.Effect<void, E>
  ) => Effect.Effect<LearnReport, DeviceFault | E>
  /** A copy of the current weights, in the flat order of `model/policy/ParameterLayout.ts`. */
  readonly weights: Effect.Effect<Float32Array, DeviceFault>
  /** A copy of all it remembers, as it is between two iterations. */
  readonly save: Effect.Effect<LearnerState, DeviceFault>
}>()("troupe/runtime/Learner") {
  static readonly layer: Layer.Layer<
    Learner,
    DeviceFault | StateMismatch | Effect.Error<typeof initialWeights>,
    CurrentConfig | Device | DataPlane | Effect.Services<typeof initialWeights>
  > = Layer.effect(
    Learner,
    Effect.gen(function*() {
      const device = yield* Device
      const config = yield* CurrentConfig
      const plane = yield* DataPlane
      const saved = yield* SavedLearner
      // A run that goes on does not need the file that it began with.
      if (saved !== undefined && saved.model.parameters.length !== plane.parameters.size) {
        return yield* new StateMismatch({ environment: plane.definition.id, part: "observation or action" })
      }
      const initial = saved === undefined ? yield* initialWeights : saved.model.parameters
      return yield* device.use((d) =>
        Effect.flatMap(
          d.model({
            policy: plane.policy,
            optimizer: optimizerSpecOf(config),
            maxRows: config.nSteps,
            unit: plane.layout.spec.unit
          }, initial),
          (model) => make(config, plane, model, saved)
        )
      )
    })
  )
}

/** The optimizer of the configuration. */
export const optimizerSpecOf = (config: RunConfig): OptimizerSpec =>
  config.optimizer === "adam"
    ? { kind: "adam", beta1: config.adamBeta1, beta2: config.adamBeta2, epsilon: config.optimizerEps }
    : {
      kind: "rmsprop",
      alpha: config.rmspropAlpha,
      epsilon: config.optimizerEps,
      epsilonPlacement: config.rmspropEps
    }

const make = Effect.fnUntraced(function*<D extends DeviceName>(
  config: RunConfig,
  plane: DataPlane["Service"],
  model: LearnerModel<D>,
  saved: LearnerState | undefined
) {
  let version = saved?.version ?? 0
  let consumed = saved?.consumed ?? 0
  if (saved !== undefined) yield* model.load(saved.model)
  const lossSettings: LossSettings = {
    name: "a2c",
    valueCoefficient: config.vfCoef,
    entropyCoefficient: config.entCoef
  }
  const toSegments = targets.make(config, config.nEnvs)

  // Two banks by turns: whoever still reads the old weights is not disturbed.
  const publish = Effect.suspend(() => model.read(plane.weights[bankOf(version)]))
  yield* publish

  const rateNow = (): number => {
    if (config.lrSchedule === "constant") return config.lr
    return linearSchedule(config.lr, config.lrFinal, Math.min(1, consumed / config.lrDecaySteps))
  }

  const step = Effect.fnUntraced(function*(gradients: Gradients<D>) {
    const gradNorm = yield* model.apply(gradients, { learningRate: rateNow(), maxGradNorm: config.maxGradNorm })
    version++
    yield* publish
    return gradNorm
  })

  const stalenessOf = (fragments: ReadonlyArray<Fragment>): number =>
    fragments.reduce((most, fragment) => Math.max(most, version - fragment.version), 0)

  /** An update as both ways of shipping report it. `undefined` instead of an update: the fragments were too old. */
  const consume = Effect.fnUntraced(function*<E>(
    fragments: ReadonlyArray<Fragment>,
    updates: Effect.Effect<{ readonly loss: LossReport; readonly gradNorm: number }, E>
  ) {
    const staleness = stalenessOf(fragments)
    const refused = config.whenStale === "refuse" && config.maxStaleness !== "none" && staleness > config.maxStaleness
    const learningRate = rateNow()
    const done = refused ? undefined : yield* updates
    for (const { rows } of fragments) consumed += rows
    return {
      loss: done?.loss ?? { policyLoss: 0, valueLoss: 0, entropy: 0 },
      gradNorm: done?.gradNorm ?? 0,
      learningRate,
      // The td loss has no targets, and what was refused got none.
      explainedVariance: () => refused || config.loss === "td" ? null : explainedVariance(fragments, config),
      staleness,
      refused,
      version
    }
  })

  return Learner.of({
    version: Effect.sync(() => version),
    weights: Effect.suspend(() => {
      const copy = new Float32Array(plane.weights[0].length)
      return Effect.as(model.read(copy), copy)
    }),
    save: Effect.map(model.save, (model) => ({ version, consumed, model })),
    learn: (fragments) =>
      consume(
        fragments,
        Effect.gen(function*() {
          const batch = yield* model.batch(toSegments(fragments))
          let loss: LossReport = { policyLoss: 0, valueLoss: 0, entropy: 0 }
          let gradNorm = 0
          for (let epoch = 0; epoch < config.nEpochs; epoch++) {
            const gradients = yield* model.gradients(batch, { loss: lossSettings, advantage: null, select: null })
            gradNorm = yield* step(gradients)
            loss = gradients.loss
          }
          return { loss, gradNorm }
        })
      ),
    apply: (fragments, compute) =>
      consume(
        fragments,
        Effect.gen(function*() {
          let loss: LossReport = { policyLoss: 0, valueLoss: 0, entropy: 0 }
          let gradNorm = 0
          for (let epoch = 0; epoch < config.nEpochs; epoch++) {
            if (epoch > 0 && compute !== undefined) yield* compute(version)
            const gradients = yield* model.gather(
              fragments.length === config.nEnvs
                ? plane.units
                : fragments.map(({ environment }) => plane.units[environment]!),
              config.loss
            )
            gradNorm = yield* step(gradients)
            loss = gradients.loss
          }
          return { loss, gradNorm }
        })
      )
  })
})

/** 1 − Var[return − V] / Var[return], as Stable-Baselines3's `explained_variance`. */
const explainedVariance = (fragments: ReadonlyArray<Fragment>, settings: targets.TargetSettings): number => {
  let n = 0
  let sum = 0
  let squares = 0
  let errorSum = 0
  let errorSquares = 0
  for (const fragment of fragments) {
    const { slot } = fragment
    const rows = targets.rowsLearned(settings, fragment)
    for (let t = 0; t < rows; t++) {
      const target = slot.returns[t]!
      const error = target - slot.values[t]!
      n++
      sum += target
      squares += target * target
      errorSum += error
      errorSquares += error * error
    }
  }
  const variance = squares - sum * sum / n
  return variance <= 0 ? 0 : 1 - (errorSquares - errorSum * errorSum / n) / variance
}
