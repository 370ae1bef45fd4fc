/**
 * How the Learner learns: the passes over what was collected, the gradients of each, and the optimizer's steps. What it
 * works on is handed to it, so that the Learner of a run (`Learner.ts`) and those who repeat its steps beside it
 * (`stretches/Replica.ts`) are the same code.
 */
import * as Effect from "effect/Effect"
import {
  type Batch,
  DeviceFault,
  type DeviceName,
  type Gradients,
  gradientsNotFinite,
  type LearnerModel,
  type Pass
} from "../../model/Device.ts"
import type { LossReport } from "../../model/losses/LossSettings.ts"
import { linearSchedule } from "../../model/optimizers.ts"
import type { RunConfig } from "../config/RunConfig.ts"
import { normalizationOf } from "../plan/advantages.ts"
import { allRows, orderOf, rowsOf } from "../plan/minibatches.ts"
import { firstPass, type PassOrder, type Plan } from "../plan/UpdatePlan.ts"
import type { DataPlane } from "../workers/DataPlane.ts"
import type { EnvSlot, Fragment } from "../workers/dataPlaneLayout.ts"
import * as targets from "../workers/targets.ts"
import type { Learner, LearnerState } from "./Learner.ts"
import { ReportMeans } from "./ReportMeans.ts"

/** What it is made from. */
export interface LearningOptions {
  readonly config: RunConfig
  readonly plan: Plan
  readonly plane: Pick<DataPlane["Service"], "definition" | "layout" | "parameters" | "policy" | "units" | "weightsOf">
  readonly saved: LearnerState | undefined
  /** Root seed: it decides the order of the rows in minibatches. */
  readonly seed: number
}

export const make = Effect.fnUntraced(function*<D extends DeviceName>(
  { config, plan, plane, saved, seed }: LearningOptions,
  model: LearnerModel<D>
) {
  let version = saved?.version ?? 0
  let consumed = saved?.consumed ?? 0
  if (saved !== undefined) yield* model.load(saved.model)
  const toTargets = targets.make(config)
  const toCorrected = plan.vTrace === undefined ? undefined : targets.makeVTrace(config.nSteps, plan.vTrace)
  /** The gradients of a first pass come with the fragments. */
  const firstIsMade = firstPass(plan) !== null
  const orders = plane.units.map((_, unit) => orderOf(plane.policy, seed, unit, plane.units.length))

  // Two banks by turns: whoever still reads the old weights is not disturbed.
  const publish = Effect.suspend(() => model.read(plane.weightsOf(version)))
  yield* publish

  const rateNow = (): number => {
    if (config.lrSchedule === "constant") return config.lr
    return linearSchedule(config.lr, config.lrFinal, Math.min(1, consumed / config.lrDecaySteps))
  }

  const stalenessOf = (fragments: ReadonlyArray<Fragment>): number =>
    fragments.reduce((most, fragment) => Math.max(most, version - fragment.version), 0)

  /** The fragments by the units that they belong to, each with the rows that are learned from. */
  const unitsOf = (fragments: ReadonlyArray<Fragment>): ReadonlyArray<LearnedUnit> => {
    const units: Array<LearnedUnit> = []
    for (const fragment of fragments) {
      const index = Math.floor(fragment.environment / plane.layout.spec.unit)
      let unit = units.at(-1)
      if (unit?.index !== index) units.push(unit = { index, fragments: [] })
      unit.fragments.push({ slot: fragment.slot, rows: targets.rowsLearned(config, fragment) })
    }
    return units
  }

  /** The rows of a minibatch in each unit; all of them, in their order, where there is only one. */
  const select = (units: ReadonlyArray<LearnedUnit>, minibatch: PassOrder["minibatch"]): ReadonlyArray<Int32Array> =>
    units.map(({ fragments, index }) =>
      minibatch === null
        ? allRows(fragments, config.nSteps)
        : rowsOf(orders[index]!, fragments, config.nSteps, minibatch)
    )

  /**
   * Every pass over the fragments, with its step of the optimizer. `prepare` comes before each epoch, and answers what it
   * has to report.
   */
  const passes = Effect.fnUntraced(function*<E>(
    fragments: ReadonlyArray<Fragment>,
    gradientsOf: (order: PassOrder, selected: Pass["select"]) => Effect.Effect<Gradients<D>, E>,
    prepare: Effect.Effect<Partial<LossReport>, E> = Effect.succeed({})
  ) {
    const parts = plan.minibatches > 1
    const units = parts || plan.normalizeAdvantage ? unitsOf(fragments) : []
    const loss = plan.loss(Math.min(1, consumed / config.totalTimesteps))
    const reports = new ReportMeans()
    let gradNorm = 0
    for (let epoch = 0; epoch < plan.epochs; epoch++) {
      const prepared = yield* prepare
      for (let index = 0; index < plan.minibatches; index++) {
        const minibatch = parts ? { consumed, epoch, index, of: plan.minibatches } : null
        const selected = parts || plan.normalizeAdvantage ? select(units, minibatch) : null
        const advantage = plan.normalizeAdvantage && selected !== null
          ? normalizationOf(units, selected, config.nSteps)
          : null
        const gradients = yield* gradientsOf({ loss, advantage, minibatch }, parts ? selected : null)
        reports.add({ ...gradients.loss, ...prepared })
        if (plan.stops?.(gradients.loss) === true) return { loss: reports.means, gradNorm }
        gradNorm = yield* model.apply(gradients, { learningRate: rateNow(), maxGradNorm: config.maxGradNorm })
        version++
        yield* publish
      }
    }
    return { loss: reports.means, gradNorm }
  })

  /** V-trace: the fragments' targets, as the newest weights judge them; answers how far these are from those that acted. */
  const correct = Effect.fnUntraced(function*(
    fragments: ReadonlyArray<Fragment>,
    toCorrected: ReturnType<typeof targets.makeVTrace>
  ) {
    const segments = fragments.flatMap((fragment) => [
      targets.segmentOf(fragment, fragment.rows),
      targets.followingOf(fragment)
    ])
    const judged = yield* model.evaluate(yield* model.batch(segments))
    const divergence = { approxKl: 0, clipped: 0 }
    let first = 0
    let all = 0
    for (const fragment of fragments) {
      const { rows } = fragment
      const values = judged.values.subarray(first, first + rows + 1)
      const logProbabilities = judged.logProbabilities.subarray(first, first + rows)
      toCorrected(fragment, { logProbabilities, values }, divergence)
      first += rows + 1
      all += rows
    }
    return { approxKl: divergence.approxKl / all, clipFraction: divergence.clipped / all }
  })

  /** Experience travelled: the device makes the gradients. */
  const fromExperience = Effect.fnUntraced(function*(fragments: ReadonlyArray<Fragment>) {
    const batchOf = (rowsOf: (fragment: Fragment) => number) =>
      model.batch(fragments.map((fragment) => targets.segmentOf(fragment, rowsOf(fragment))))
    let batch: Batch<D>
    if (toCorrected === undefined) batch = yield* batchOf(toTargets)
    return yield* passes(
      fragments,
      ({ advantage, loss }, select) =>
        loss.name === "td"
          ? Effect.die(new Error("The td loss is computed by the workers."))
          : model.gradients(batch, { loss, advantage, select }),
      toCorrected === undefined ? undefined : Effect.gen(function*() {
        const report = yield* correct(fragments, toCorrected)
        batch = yield* batchOf(({ rows }) => rows)
        return report
      })
    )
  })

  /** Gradients travel: the first pass's came with the fragments where it could, the others' are asked for. */
  const fromGradients = <E>(
    fragments: ReadonlyArray<Fragment>,
    ask: (version: number, pass: PassOrder) => Effect.Effect<void, E>
  ) => {
    const contributions = fragments.length === config.nEnvs
      ? plane.units
      : fragments.map(({ environment }) => plane.units[environment]!)
    let there = firstIsMade
    return passes(fragments, (order) => {
      const gathered = model.gather(contributions, order.loss.name)
      if (!there) return Effect.andThen(ask(version, order), gathered)
      there = false
      return gathered
    })
  }

  const save = Effect.map(model.save, (model): LearnerState => ({ version, consumed, model }))
  const learner: Learner["Service"] = {
    version: Effect.sync(() => version),
    weights: Effect.suspend(() => {
      const copy = new Float32Array(plane.parameters.size)
      return Effect.as(model.read(copy), copy)
    }),
    save,
    update: Effect.fnUntraced(function*(fragments, gradients) {
      const staleness = stalenessOf(fragments)
      const refused = config.whenStale === "refuse" && config.maxStaleness !== "none" && staleness > config.maxStaleness
      const learningRate = rateNow()
      const done = refused
        ? undefined
        : yield* gradients === undefined
          ? blamingRewards(plane.definition.id, fragments, fromExperience(fragments))
          : blamingRewards(plane.definition.id, fragments, fromGradients(fragments, gradients))
      for (const { rows } of fragments) consumed += rows
      return {
        loss: done?.loss ?? { policyLoss: 0, valueLoss: 0, entropy: 0 },
        gradNorm: done?.gradNorm ?? 0,
        learningRate,
        explainedVariance: () => refused ? null : explainedVariance(fragments, config),
        staleness,
        refused,
        version
      }
    })
  }
  /** Goes on from where another Learner of the same settings has come to. */
  const adopt = Effect.fnUntraced(function*(state: LearnerState) {
    version = state.version
    consumed = state.consumed
    yield* model.load(state.model)
    yield* publish
  })
  return { learner, adopt, save }
})

/** Rewards from here on are too large for a network in float32, whatever the learning rate. */
const immense = 1e30

/** Where gradients are not finite and the rewards are to blame, says so. */
const blamingRewards = <A, E>(
  environment: string,
  fragments: ReadonlyArray<Fragment>,
  work: Effect.Effect<A, E | DeviceFault>
): Effect.Effect<A, E | DeviceFault> =>
  Effect.mapError(work, (error) => {
    if (!(error instanceof DeviceFault && error.message === gradientsNotFinite)) return error
    let largest = 0
    for (const { rows, slot } of fragments) {
      for (let t = 0; t < rows; t++) largest = Math.max(largest, Math.abs(slot.rewards[t]!))
    }
    if (largest < immense) return error
    const message = `the gradients are not finite: the rewards of ${environment} are as large as ` +
      `${largest.toPrecision(3)}, too much for sums in float32; scale them`
    return new DeviceFault({ device: error.device, message })
  })

/** The fragments of a unit, and how many rows of each are learned from. */
interface LearnedUnit {
  readonly index: number
  readonly fragments: Array<{ readonly slot: EnvSlot; readonly rows: number }>
}

/** 1 − Var[return − V] / Var[return], as Stable-Baselines3's `explained_variance`; null where there are no returns. */
const explainedVariance = (fragments: ReadonlyArray<Fragment>, settings: RunConfig): number | null => {
  // The td loss has no targets.
  if (settings.loss === "td") return null
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
