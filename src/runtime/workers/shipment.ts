/**
 * What travels from workers that share no memory with the trainer: their experience, or the gradients that they make of it.
 * In step the numbers are the same either way, so where nobody chose, it is what is smaller. That is known before the run
 * begins, from where its data lies.
 */
import { firstPass, type Plan } from "../plan/UpdatePlan.ts"
import { type ColumnsOf, namesOf } from "./columns.ts"
import { slotSpans, unitBytesOf, unitCount } from "./dataPlaneLayout.ts"
import { type DataPlaneSpec, weightsLength } from "./DataPlaneSpec.ts"

/** What a run tells of experience that it does not learn from itself. */
export const toldColumns = [
  "moments",
  "values",
  "rewards",
  "terminated",
  "truncated",
  "episodeReturns",
  "episodeLengths",
  "returns"
] as const satisfies ReadonlyArray<ColumnsOf<"experience">>

/** Whether workers are asked for further gradients of the same experience: whoever takes a dead one's place needs it. */
export const asksAgain = (plan: Plan): boolean => firstPass(plan) === null || plan.epochs > 1

/** Bytes that travel for a step of an environment, there and back, the one way and the other. */
export interface Travels {
  readonly experience: number
  readonly gradients: number
}

/** For a layout that has room for gradients. */
const travelsOf = (spec: DataPlaneSpec, plan: Plan): Travels => {
  const { live, pulled, experience } = slotSpans(spec)
  const columns = (names: ReadonlyArray<ColumnsOf<"experience">>) =>
    names.reduce((sum, name) => sum + experience(name).bytes, 0)
  const weights = spec.pulled > 0 ? 0 : spec.workers * weightsLength(spec) * 4
  const states = spec.slots * (2 * live.bytes + pulled.bytes)
  const whole = spec.slots * columns(namesOf("experience"))
  const gradients = unitCount(spec) * unitBytesOf(spec)
  const asked = plan.epochs * plan.minibatches - (firstPass(plan) === null ? 0 : 1)
  const told = asksAgain(plan) ? whole : spec.slots * columns(toldColumns)
  const steps = spec.slots * spec.steps
  return {
    experience: (weights + states + whole) / steps,
    gradients: (weights + states + told + gradients + asked * (weights + whole + gradients)) / steps
  }
}

/** What is smaller. */
export const smallerOf = (
  spec: DataPlaneSpec,
  plan: Plan
): { readonly ship: "experience" | "gradients"; readonly travels: Travels } => {
  const travels = travelsOf(spec, plan)
  return { ship: travels.experience < travels.gradients ? "experience" : "gradients", travels }
}
