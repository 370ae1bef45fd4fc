/**
 * When a run has come to its goal: a rule says which evaluation is due, and what its outcome means. Rules are values: they
 * see counts and give verdicts, they do nothing. The monitor counts, plays the evaluations and asks the rule. Totals of
 * steps and episodes end a run whatever its rule.
 */
import * as Schema from "effect/Schema"

/** Where a run stands, between two iterations. */
export interface Standing {
  readonly updates: number
  readonly episodes: number
  /** Mean return of the last 20 training episodes; undefined before there are 20. */
  readonly train20: number | undefined
}

const Count = Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))

/** What rules remember, and a checkpoint keeps; each uses what it needs. */
export const StoppingState = {
  solved: Schema.Boolean,
  /** Episodes before which no further evaluation is worth while. */
  patientUntil: Count,
  /** Episodes at the last evaluation. */
  evaluatedAt: Count,
  /** How often an evaluation has reached its threshold. */
  thresholdCount: Count
}
export type StoppingState = Schema.Struct<typeof StoppingState>["Type"]

/** What rules remember, out of whatever holds it. */
export const stateOf = ({ evaluatedAt, patientUntil, solved, thresholdCount }: StoppingState): StoppingState => ({
  solved,
  patientUntil,
  evaluatedAt,
  thresholdCount
})

export const initialState: StoppingState = { solved: false, patientUntil: 0, evaluatedAt: 0, thresholdCount: 0 }

/** An evaluation that is due. */
export interface Play {
  readonly episodes: number
  /** Steps after which an episode is cut, beside the environment's own limit. */
  readonly cap?: number
  /** Samples actions instead of taking the likeliest. */
  readonly sampled?: boolean
}

/** What an evaluation led to. */
export interface Verdict {
  readonly state: StoppingState
  /** The run has reached its goal just now. */
  readonly reached: boolean
}

export interface StoppingRule {
  /** The evaluation that is due after an iteration; undefined: none. */
  readonly due: (standing: Standing, state: StoppingState) => Play | undefined
  /** What the mean return of that evaluation means. */
  readonly judge: (mean: number, standing: Standing, state: StoppingState) => Verdict
  /** Whether the goal is reached: the run is over, unless it is to keep going. */
  readonly reached: (state: StoppingState) => boolean
  /** What to say where the goal is reached and the run goes on, or where people should know why it stops. */
  readonly notice?: string
  /** The last evaluation of a run that went on after its goal. */
  readonly last?: Play
}

/** What rules are made from. */
export interface StoppingOptions {
  /** The environment's reward threshold, where it has one. */
  readonly threshold: number | undefined
  /** Episodes of the evaluation that confirms a solved run. */
  readonly evalEpisodes: number
}
