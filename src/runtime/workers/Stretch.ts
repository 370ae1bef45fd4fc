/**
 * A stretch: several iterations as one piece of work. The workers meet in shared memory (`Meeting.ts`) instead of being told
 * each; every one of them repeats the Learner's steps beside the others, in a replica of its own (`stretches/Replica.ts`), from
 * the same numbers in the same order, and so all have the same weights without sending any. The trainer's Learner is where
 * it was until the stretch is over, and so are the banks that the stretch began from: a stretch that is broken off, because
 * somebody died, parted, or found a fault, has changed nothing that counts, and its iterations are taken one by one.
 *
 * All see the same numbers, so all know alike when an iteration calls for the trainer, and end with that.
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { EnvironmentDefinition } from "../../envs/EnvironmentDefinition.ts"
import type { Kernels } from "../../model/kernels/Kernels.ts"
import { LossReport } from "../../model/losses/LossSettings.ts"
import type { PolicySpec } from "../../model/policy/PolicySpec.ts"
import { placements } from "../config/placements.ts"
import { RunConfig } from "../config/RunConfig.ts"
import { Loss, type PassOrder, type Plan } from "../plan/UpdatePlan.ts"
import { StandingState } from "../stopping/Progress.ts"
import { StoppingState } from "../stopping/StoppingRule.ts"
import type { DataPlaneLayout } from "./dataPlaneLayout.ts"

const Count = Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))

/** What a replica learns by: the settings, and the plan where it is the same in every iteration. */
export const StretchSettings = Schema.Struct({
  config: RunConfig,
  plan: Schema.Struct({
    loss: Loss,
    epochs: Count,
    minibatches: Count,
    normalizeAdvantage: Schema.Boolean
  })
})
export type StretchSettings = typeof StretchSettings.Type

/** What a Learner remembers beside the arrays that are handed over in shared memory. */
export const LearnerHead = Schema.Struct({
  version: Count,
  consumed: Count,
  scalars: Schema.Record(Schema.String, Schema.Number)
})
export type LearnerHead = typeof LearnerHead.Type

/** What a stretch begins from. */
export const StretchStart = Schema.Struct({
  learner: LearnerHead,
  standing: StandingState,
  stopping: Schema.Struct(StoppingState)
})
export type StretchStart = typeof StretchStart.Type

/** A stretch as a worker is told it. */
export const StretchOrder = Schema.Struct({
  /** The piece of work that it is. */
  round: Count,
  /** How many iterations at most. */
  iterations: Count,
  /** How many workers take part, and which of them this one is, from 0. */
  members: Count,
  member: Count,
  /** Its first environment, and how many it has. */
  first: Count,
  count: Count,
  ...StretchStart.fields
})
export type StretchOrder = typeof StretchOrder.Type

/** What came of a stretch. */
export const StretchReport = Schema.Struct({
  iterations: Count,
  learner: LearnerHead,
  /** What was found in the iterations that a line of progress is due after; all workers find the same, the first says it. */
  reports: Schema.Array(Schema.Struct({
    /** Which one, from 0. */
    iteration: Count,
    loss: LossReport,
    gradNorm: Schema.Number,
    learningRate: Schema.Number,
    explainedVariance: Schema.NullOr(Schema.Number),
    version: Count
  }))
})
export type StretchReport = typeof StretchReport.Type

/** What a worker does itself in an iteration: with its own environments. */
export interface OwnShare {
  /** Takes up the state after a piece of work. */
  readonly restore: (round: number) => void
  /** Acts with the weights at that address, and makes the gradients of the first pass, if it has one. False: it cannot. */
  readonly collect: (weights: number) => boolean
  /** The gradients of a pass over the same experience. */
  readonly gradients: (weights: number, pass: PassOrder) => void
  /** Leaves the state as that after a piece of work. */
  readonly save: (round: number) => void
}

/** What a replica is made from. */
export interface ReplicaPlace {
  readonly kernels: Kernels
  readonly layout: DataPlaneLayout
  readonly definition: EnvironmentDefinition
  readonly policy: PolicySpec
  /** Root seed: it decides the order of the rows in minibatches. */
  readonly seed: number
  readonly worker: number
  readonly own: OwnShare
  readonly settings: StretchSettings
}

/** A worker's replica of the Learner, with which it takes part in stretches. */
export interface Replica {
  /** Takes a stretch; `live`: the state that it begins from is live. Undefined: it was broken off. */
  readonly take: (order: StretchOrder, live: boolean) => StretchReport | undefined
  /** Takes no part. */
  readonly part: (member: number) => void
}

/** How replicas are made, where there may be some. */
export const Replicas = Context.Reference<((place: ReplicaPlace) => Effect.Effect<Replica>) | undefined>(
  "troupe/runtime/Replicas",
  { defaultValue: () => undefined }
)

/** No stretch is longer, */
const mostIterations = 128
/** nor has more steps: where an iteration has many, a message for each costs nothing. */
const mostSteps = 32_768

/** The most iterations of a stretch, as far as the settings decide it; 0: there are none. */
export const longestStretch = (config: RunConfig): number => {
  const { chaos, device, maxRestarts, nEnvs, nSteps, normalizeObservations, normalizeRewards } = config
  const possible = config.schedule === "sync" && config.ship === "gradients" && device === "cpu" &&
    placements[config.placement].sharesMemory &&
    // The trainer's own part between two iterations.
    !normalizeObservations && !normalizeRewards &&
    // Kills are counted by pieces of work. Who may not die once more leaves a trail of every step.
    chaos === 0 && maxRestarts !== 0
  const most = Math.min(mostIterations, Math.floor(mostSteps / (nEnvs * nSteps)))
  return possible && most > 1 ? most : 0
}

/** What replicas learn by; null where the trainer decides something in every iteration. */
export const stretchSettings = (config: RunConfig, plan: Plan): StretchSettings | null => {
  const { epochs, minibatches, normalizeAdvantage, scheduled, stops, vTrace } = plan
  return scheduled || stops !== undefined || vTrace !== undefined
    ? null
    : { config, plan: { loss: plan.loss(0), epochs, minibatches, normalizeAdvantage } }
}
