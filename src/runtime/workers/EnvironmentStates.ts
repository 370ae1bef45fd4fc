/**
 * The states of a run's environments in a checkpoint: each environment's own state, its random streams, its observation
 * and its counts, and where they work at their own pace the weights that they pulled. They are taken from the banks of
 * the data plane, which stay as they are while the next piece of work is under way, and put back into the first one.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { Pcg64 } from "../../random/Pcg64.ts"
import type { DataPlane } from "./DataPlane.ts"
import { bankOf, type DataPlaneSpec, stateRegion } from "./dataPlaneLayout.ts"

export const EnvironmentStatesHead = Schema.Struct({
  /** Whether an environment has done any work; of one that has not there is no state: its seed has it. */
  begun: Schema.Array(Schema.Boolean)
})

/** The numbers of all environments, one after the other. */
export interface EnvironmentStates {
  readonly begun: ReadonlyArray<boolean>
  readonly state: Float64Array
  readonly random: Uint32Array
  readonly sampling: Uint32Array
  readonly observation: Float32Array
  readonly tally: Float64Array
  /** The pulled weights; empty where all work in step. */
  readonly weights: Float32Array
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

const tallies = 3

/** Numbers of one environment in each part. */
const widths = (spec: DataPlaneSpec) => ({
  state: spec.stateSize,
  random: Pcg64.words,
  sampling: Pcg64.words,
  observation: spec.inputs,
  tally: tallies,
  weights: spec.pulled
})

/** The parts of a bank as typed arrays. */
const viewsOf = (bank: Uint8Array, spec: DataPlaneSpec) => {
  const { buffer, byteOffset } = bank
  const region = stateRegion(spec)
  return {
    state: new Float64Array(buffer, byteOffset + region.state, spec.stateSize),
    random: new Uint32Array(buffer, byteOffset + region.random, Pcg64.words),
    sampling: new Uint32Array(buffer, byteOffset + region.sampling, Pcg64.words),
    observation: new Float32Array(buffer, byteOffset + region.observation, spec.inputs),
    tally: new Float64Array(buffer, byteOffset + region.tally, tallies)
  }
}

/**
 * Copies the states after `pieces[e]` pieces of work of environment `e`, counted since the run was set up. `saved` is
 * what it was set up from.
 */
export const save = (
  { layout: { spec }, slots }: DataPlane["Service"],
  pieces: ReadonlyArray<number>,
  saved: EnvironmentStates | undefined
): EnvironmentStates => {
  const width = widths(spec)
  const states = {
    begun: pieces.map((count, e) => count > 0 || saved?.begun[e] === true),
    state: new Float64Array(slots.length * width.state),
    random: new Uint32Array(slots.length * width.random),
    sampling: new Uint32Array(slots.length * width.sampling),
    observation: new Float32Array(slots.length * width.observation),
    tally: new Float64Array(slots.length * width.tally),
    weights: new Float32Array(slots.length * width.weights)
  }
  slots.forEach((slot, e) => {
    states.weights.set(slot.weights, e * width.weights)
    if (!states.begun[e]) return
    const bank = viewsOf(slot.banks[bankOf(pieces[e]!)], spec)
    states.state.set(bank.state, e * width.state)
    states.random.set(bank.random, e * width.random)
    states.sampling.set(bank.sampling, e * width.sampling)
    states.observation.set(bank.observation, e * width.observation)
    states.tally.set(bank.tally, e * width.tally)
  })
  return states
}

/** Puts the states where a first piece of work begins. */
export const load = Effect.fnUntraced(function*(
  { definition, layout: { spec }, slots }: DataPlane["Service"],
  saved: EnvironmentStates
) {
  const width = widths(spec)
  const parts = ["state", "random", "sampling", "observation", "tally", "weights"] as const
  const wrong = parts.find((part) => saved[part].length !== slots.length * width[part])
  if (wrong !== undefined || saved.begun.length !== slots.length) {
    return yield* new StateMismatch({ environment: definition.id, part: wrong ?? "number" })
  }
  slots.forEach((slot, e) => {
    const own = <N extends Float64Array | Float32Array | Uint32Array>(numbers: N, width: number) =>
      numbers.subarray(e * width, (e + 1) * width)
    slot.weights.set(own(saved.weights, width.weights))
    const bank = viewsOf(slot.banks[bankOf(0)], spec)
    bank.state.set(own(saved.state, width.state))
    bank.random.set(own(saved.random, width.random))
    bank.sampling.set(own(saved.sampling, width.sampling))
    bank.observation.set(own(saved.observation, width.observation))
    bank.tally.set(own(saved.tally, width.tally))
  })
})
