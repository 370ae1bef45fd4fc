/**
 * How an algorithm learns from what was collected: with which loss, how often, and in which parts. A plan is made once, from
 * the settings (`algorithms/`); the Learner goes by it, and so do the EnvWorkers, where gradients travel.
 */
import * as Context from "effect/Context"
import * as Schema from "effect/Schema"
import { FragmentLossSettings, type LossReport, LossSettings } from "../../model/losses/LossSettings.ts"

/** The loss of a pass, with its numbers. */
export const Loss = Schema.Union([LossSettings, FragmentLossSettings])
export type Loss = typeof Loss.Type

const Count = Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))

/** One pass over experience: which rows, and what their gradient is of. */
export const PassOrder = Schema.Struct({
  loss: Loss,
  /** (A − mean) · scale of the advantages, before the loss; null: as they are. */
  advantage: Schema.NullOr(Schema.Struct({ mean: Schema.Finite, scale: Schema.Finite })),
  /** Which part of the rows (`minibatches.ts`); null: all of them, in their order. */
  minibatch: Schema.NullOr(Schema.Struct({
    /** Environment steps that were consumed before this experience: with the seed and the unit it decides the order. */
    consumed: Count,
    epoch: Count,
    index: Count,
    of: Count
  }))
})
export type PassOrder = typeof PassOrder.Type

/** The numbers of V-trace (`model/returns.ts`). */
export interface VTrace {
  readonly gamma: number
  readonly rhoBar: number
  readonly cBar: number
}

/** What an algorithm does with the experience of one iteration. */
export interface Plan {
  /** The loss at `progress`, the share of the run's steps that is consumed. */
  readonly loss: (progress: number) => Loss
  /** Whether the loss's numbers change over the run. */
  readonly scheduled: boolean
  /** Passes over all of it. */
  readonly epochs: number
  /** Updates in each pass. */
  readonly minibatches: number
  /** Whether the advantages of each minibatch are brought to mean 0 and deviation 1. */
  readonly normalizeAdvantage: boolean
  /**
   * V-trace: the Learner makes the targets, with its newest weights, before every epoch. Left out: they are made once, of
   * what acting left (`workers/targets.ts`).
   */
  readonly vTrace?: VTrace
  /** Whether what a pass reports ends the iteration before its step is taken; left out: never. */
  readonly stops?: (report: LossReport) => boolean
}

/** The plan of the run. */
export class UpdatePlan extends Context.Service<UpdatePlan, Plan>()("troupe/runtime/UpdatePlan") {}

/**
 * The first pass, where it depends on nothing but the fragments themselves: the workers then make its gradient as part of
 * their piece of work. Otherwise null: they are asked for each pass.
 */
export const firstPass = ({ loss, minibatches, normalizeAdvantage, scheduled }: Plan): PassOrder | null =>
  scheduled || normalizeAdvantage || minibatches > 1 ? null : { loss: loss(0), advantage: null, minibatch: null }
