/**
 * What stands between an observation and a policy's heads: an encoder turns the observation into the features that the
 * policy's head (the distribution's parameters) and the value head are linear in.
 */
import * as Schema from "effect/Schema"
import { Activation } from "./activations.ts"
import type { Layer, PlaceLayer } from "./Layer.ts"

/** How many numbers go into something, or come out. */
export const Width = Schema.Int.check(Schema.isGreaterThanOrEqualTo(1))

/**
 * A multilayer perceptron: hidden layers of the widths given, each with the activation. `towers`: policy and value have
 * hidden layers of their own (`separate`), or both heads stand on the same (`shared`). `hidden` may be empty: both heads
 * are then linear in the observation.
 */
export const MlpSpec = Schema.Struct({
  kind: Schema.Literal("mlp"),
  towers: Schema.Literals(["separate", "shared"]),
  /** Numbers of one observation. */
  inputs: Width,
  hidden: Schema.Array(Width),
  activation: Activation
})
/** The decoded value of the schema of the same name. */
export type MlpSpec = typeof MlpSpec.Type

/** Which encoder, and its sizes: plain data, part of a policy file. */
export const EncoderSpec = Schema.Union([MlpSpec])
/** The decoded value of the schema of the same name. */
export type EncoderSpec = typeof EncoderSpec.Type

/** What the rest of the program must know of an encoder. */
export interface Encoder {
  /** Numbers of one observation. */
  readonly inputs: number
  /** Widths of the layers whose outputs the backward pass needs, of one row: all towers. */
  readonly activationWidths: ReadonlyArray<number>
  /** 32-bit words of memory from one step of an environment to the next: 0 for what remembers nothing. */
  readonly stateWords: number
  /** Its layers and the two heads, placed in flat order; `outputs` is how many numbers the policy's head gives. */
  readonly layers: (outputs: number, place: PlaceLayer) => PolicyLayers
}

/**
 * The layers of a policy: an observation goes through `trunk`, and what comes out of it through `actor` and through
 * `critic`; the last layer of each of these two is a head. Separate towers have an empty trunk, shared ones have nothing
 * but the heads above it.
 */
export interface PolicyLayers {
  readonly trunk: ReadonlyArray<Layer>
  readonly actor: ReadonlyArray<Layer>
  readonly critic: ReadonlyArray<Layer>
}

const mlp = ({ hidden, inputs, towers }: MlpSpec): Encoder => {
  const last = hidden.at(-1) ?? inputs
  const tower = (place: PlaceLayer, name: (index: number) => string) =>
    hidden.map((outputs, index) => place(name(index), "hidden", index === 0 ? inputs : hidden[index - 1]!, outputs))
  return {
    inputs,
    activationWidths: towers === "shared" ? hidden : [...hidden, ...hidden],
    stateWords: 0,
    layers: (outputs, place) => {
      if (towers === "shared") {
        return {
          // One hidden layer is a plain `trunk`; a deeper trunk is a Sequential.
          trunk: tower(place, (index) => hidden.length === 1 ? "trunk" : `trunk.${2 * index}`),
          actor: [place("actor_head", "actor-head", last, outputs)],
          critic: [place("critic_head", "critic-head", last, 1)]
        }
      }
      // torch.nn.Sequential counts the activations too: actor.0 is a layer, actor.1 its activation.
      const network = (name: string, role: "actor-head" | "critic-head", outputs: number) => [
        ...tower(place, (index) => `${name}.${2 * index}`),
        place(`${name}.${2 * hidden.length}`, role, last, outputs)
      ]
      return { trunk: [], actor: network("actor", "actor-head", outputs), critic: network("critic", "critic-head", 1) }
    }
  }
}

/** The encoder of a spec. */
export const encoderOf = (spec: EncoderSpec): Encoder => {
  switch (spec.kind) {
    case "mlp":
      return mlp(spec)
  }
}
