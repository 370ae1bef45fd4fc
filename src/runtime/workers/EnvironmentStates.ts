/**
 * The states of a run's environments in a checkpoint: each environment's own state, its random streams, its observation
 * and its counts, and where they work at their own pace the weights that they pulled. They are taken from the banks of
 * the data plane, which stay as they are while the next piece of work is under way, and put back into the first one.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { type ColumnsOf, lengthOf, namesOf, type Views, viewsAt, viewsBy } from "./columns.ts"
import type { DataPlane } from "./DataPlane.ts"
import { bankOf, type EnvSlot, stateLayout } from "./dataPlaneLayout.ts"
import type { DataPlaneSpec } from "./DataPlaneSpec.ts"

export const EnvironmentStatesHead = Schema.Struct({
  /** Whether an environment has done any work; of one that has not there is no state: its seed has it. */
  begun: Schema.Array(Schema.Boolean)
})

/** The columns that a checkpoint keeps. */
export const kept = [...namesOf("state"), ...namesOf("pulled")] as const

/** The numbers of all environments, one after the other, by column; empty where the run has no such column. */
export interface EnvironmentStates extends Views<"state">, Views<"pulled"> {
  readonly begun: ReadonlyArray<boolean>
}

/** What a resumed run's environments go on from; undefined in a run that begins. */
export class SavedEnvironments extends Context.Reference<EnvironmentStates | undefined>(
  "troupe/runtime/SavedEnvironments",
  { defaultValue: () => undefined }
) {}

/** A checkpoint whose environments are not those of the run. */
export class StateMismatch extends Schema.TaggedError<StateMismatch>()("StateMismatch", {
  environment: Schema.String,
  part: Schema.String
}) {
  override get message(): string {
    return `The checkpoint does not fit environment ${this.environment}: its ${this.part} has another size than when ` +
      "it was saved. Resume with the environment it was trained with."
  }
}

/** The columns of a bank. */
const bankOfSlot = ({ banks }: EnvSlot, piece: number, spec: DataPlaneSpec): Views<"state"> => {
  const { buffer, byteOffset } = banks[bankOf(piece)]
  return viewsAt("state", spec, buffer, byteOffset, stateLayout(spec).offsets)
}

/** Copies numbers of environment `e`; both arrays are of the column's type. */
const copyInto = (to: Numbers, at: number, from: Numbers): void => to.set(from, at)
type Numbers = Views<"state">[ColumnsOf<"state">] | Views<"pulled">[ColumnsOf<"pulled">]

/**
 * Copies the states after `pieces[e]` pieces of work of environment `e`, counted since the run was set up. `saved` is
 * what it was set up from.
 */
export const save = (
  { layout: { spec }, slots }: DataPlane["Service"],
  pieces: ReadonlyArray<number>,
  saved: EnvironmentStates | undefined
): EnvironmentStates => {
  const states = {
    begun: pieces.map((count, e) => count > 0 || saved?.begun[e] === true),
    ...viewsBy("state", (name, Numbers) => new Numbers(slots.length * lengthOf(name, spec))),
    ...viewsBy("pulled", (name, Numbers) => new Numbers(slots.length * lengthOf(name, spec)))
  }
  slots.forEach((slot, e) => {
    for (const name of namesOf("pulled")) copyInto(states[name], e * lengthOf(name, spec), slot[name])
    if (!states.begun[e]) return
    const bank = bankOfSlot(slot, pieces[e]!, spec)
    for (const name of namesOf("state")) copyInto(states[name], e * lengthOf(name, spec), bank[name])
  })
  return states
}

/** Puts the states where a first piece of work begins. */
export const load = Effect.fnUntraced(function*(
  { definition, layout: { spec }, slots }: DataPlane["Service"],
  saved: EnvironmentStates
) {
  const wrong = kept.find((name) => saved[name].length !== slots.length * lengthOf(name, spec))
  if (wrong !== undefined || saved.begun.length !== slots.length) {
    return yield* new StateMismatch({ environment: definition.id, part: wrong ?? "number" })
  }
  slots.forEach((slot, e) => {
    const own = (name: typeof kept[number]): Numbers =>
      saved[name].subarray(e * lengthOf(name, spec), (e + 1) * lengthOf(name, spec))
    for (const name of namesOf("pulled")) copyInto(slot[name], 0, own(name))
    const bank = bankOfSlot(slot, 0, spec)
    for (const name of namesOf("state")) copyInto(bank[name], 0, own(name))
  })
})
