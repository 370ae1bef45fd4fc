/**
 * The Learner: consumes the fragments of all environments, updates the model on its device, and publishes the new
 * weights where the EnvWorkers read them. In the notebook this is `Policy.learn` and `compute_returns_for_exps`.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import {
  Device,
  type DeviceFault,
  type DeviceName,
  type LearnerModel,
  type LossReport,
  type Segment
} from "../model/Device.ts"
import { initialParameters } from "../model/initialise.ts"
import type { OptimiserSpec } from "../model/optimisers.ts"
import { initialWeightsStream } from "../random/streams.ts"
import { DataPlane } from "./DataPlane.ts"
import type { EnvSlot } from "./dataPlaneLayout.ts"
import { CurrentConfig, type RunConfig } from "./RunConfig.ts"
import { Seed } from "./Seed.ts"
import * as targets from "./targets.ts"

/** What one consumption of experience did. */
export interface LearnReport extends LossReport {
  readonly rows: number
  /** Global gradient norm before clipping. */
  readonly gradNorm: number
  readonly learningRate: number
  /** 1 − Var[return − V] / Var[return]; 0 where the returns do not vary. */
  readonly explainedVariance: number
}

export class Learner extends Context.Service<Learner, {
  /** How often the weights have been published: the version that the next fragments must be collected with. */
  readonly version: Effect.Effect<number>
  /** Consumes one fragment of every environment: `config.nEpochs` updates, then the new weights are published. */
  readonly learn: (fragments: ReadonlyArray<EnvSlot>) => Effect.Effect<LearnReport, DeviceFault>
  /** A copy of the current weights, in the flat order of `model/Network.ts`. */
  readonly weights: Effect.Effect<Float32Array, DeviceFault>
}>()("troupe/runtime/Learner") {
  static readonly layer: Layer.Layer<Learner, DeviceFault, CurrentConfig | Device | DataPlane | Seed> = Layer.effect(
    Learner,
    Effect.gen(function*() {
      const device = yield* Device
      const config = yield* CurrentConfig
      const plane = yield* DataPlane
      const { root } = yield* Seed
      const initial = initialParameters(plane.network, config.init, initialWeightsStream(root))
      return yield* device.use((d) =>
        Effect.flatMap(
          d.model({ network: plane.network, optimiser: optimiserOf(config), maxRows: config.nSteps }, initial),
          (model) => make(config, plane, model)
        )
      )
    })
  )
}

const optimiserOf = (config: RunConfig): OptimiserSpec =>
  config.optimizer === "adam"
    ? { kind: "adam", beta1: config.adamBeta1, beta2: config.adamBeta2, epsilon: config.optimizerEps }
    : { kind: "rmsprop", alpha: config.rmspropAlpha, epsilon: config.optimizerEps }

const make = Effect.fnUntraced(function*<D extends DeviceName>(
  config: RunConfig,
  plane: DataPlane["Service"],
  model: LearnerModel<D>
) {
  let version = 0
  const coefficients = { valueCoefficient: config.vfCoef, entropyCoefficient: config.entCoef }
  const stepsAnIteration = config.nEnvs * config.nSteps
  const toSegments = targets.make(config, plane.slots)

  // Two banks by turns: whoever still reads the old weights is not disturbed.
  const publish = Effect.suspend(() => model.read(plane.weights[version & 1 ? 1 : 0]))
  yield* publish

  return Learner.of({
    version: Effect.sync(() => version),
    weights: Effect.suspend(() => {
      const copy = new Float32Array(plane.weights[0].length)
      return Effect.as(model.read(copy), copy)
    }),
    learn: Effect.fnUntraced(function*(fragments) {
      const segments = toSegments(fragments)
      const left = Math.max(0, 1 - version * stepsAnIteration / config.totalTimesteps)
      const learningRate = config.lrSchedule === "linear" ? config.lr * left : config.lr
      const step = { learningRate, maxNorm: config.maxGradNorm }
      const batch = yield* model.batch(segments)
      let loss: LossReport = { policyLoss: 0, valueLoss: 0, entropy: 0 }
      let gradNorm = 0
      for (let epoch = 0; epoch < config.nEpochs; epoch++) {
        const gradients = yield* model.gradients(batch, coefficients)
        gradNorm = yield* model.apply(gradients, step)
        loss = gradients.loss
      }
      version++
      yield* publish
      return {
        ...loss,
        rows: batch.rows,
        gradNorm,
        learningRate,
        explainedVariance: explainedVariance(segments, fragments)
      }
    })
  })
})

/** 1 − Var[return − V] / Var[return], as Stable-Baselines3's `explained_variance`. */
const explainedVariance = (segments: ReadonlyArray<Segment>, fragments: ReadonlyArray<EnvSlot>): number => {
  let n = 0
  let sum = 0
  let squares = 0
  let errorSum = 0
  let errorSquares = 0
  for (let e = 0; e < segments.length; e++) {
    const { returns, rows } = segments[e]!
    const { values } = fragments[e]!
    for (let t = 0; t < rows; t++) {
      const target = returns[t]!
      const error = target - values[t]!
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
