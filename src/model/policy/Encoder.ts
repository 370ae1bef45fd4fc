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

/**
 * A gated recurrent unit (Cho et al. 2014, in the form of PyTorch's `GRUCell`): the last of the `hidden` widths is what it
 * remembers, those before it are layers below it, with the activation. Both heads stand on what it remembers.
 */
export const GruSpec = Schema.Struct({
  kind: Schema.Literal("gru"),
  /** Numbers of one observation. */
  inputs: Width,
  hidden: Schema.Array(Width).check(Schema.isMinLength(1)),
  activation: Activation
})
/** The decoded value of the schema of the same name. */
export type GruSpec = typeof GruSpec.Type

/** Which encoder, and its sizes: plain data, part of a policy file. */
export const EncoderSpec = Schema.Union([MlpSpec, GruSpec])
/** The decoded value of the schema of the same name. */
export type EncoderSpec = typeof EncoderSpec.Type

/** What the rest of the program must know of an encoder. */
export interface Encoder {
  /** Numbers of one observation. */
  readonly inputs: number
  /** Widths of all that one row leaves for the backward pass, and of room for it: all towers. */
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
  /** The cell that remembers, on top of the trunk; null where nothing is remembered. */
  readonly memory: MemoryLayers | null
  readonly actor: ReadonlyArray<Layer>
  readonly critic: ReadonlyArray<Layer>
}

/** The layers of a recurrent cell: what its gates get from its input, and from what it remembers. */
export interface MemoryLayers {
  readonly input: Layer
  readonly recurrent: Layer
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
          memory: null,
          actor: [place("actor_head", "actor-head", last, outputs)],
          critic: [place("critic_head", "critic-head", last, 1)]
        }
      }
      // torch.nn.Sequential counts the activations too: actor.0 is a layer, actor.1 its activation.
      const network = (name: string, role: "actor-head" | "critic-head", outputs: number) => [
        ...tower(place, (index) => `${name}.${2 * index}`),
        place(`${name}.${2 * hidden.length}`, role, last, outputs)
      ]
      return {
        trunk: [],
        memory: null,
        actor: network("actor", "actor-head", outputs),
        critic: network("critic", "critic-head", 1)
      }
    }
  }
}

/** What a recurrent cell remembers, and the widths of the layers below it. */
export const cellOf = ({ hidden }: GruSpec): { readonly below: ReadonlyArray<number>; readonly width: number } => ({
  below: hidden.slice(0, -1),
  width: hidden.at(-1)!
})

const gru = (spec: GruSpec): Encoder => {
  const { below, width } = cellOf(spec)
  const { inputs } = spec
  const last = below.at(-1) ?? inputs
  return {
    inputs,
    // Both halves of the gates, then what is remembered before the row and after it, and the derivative by that.
    activationWidths: [...below, 3 * width, 3 * width, width, width, width],
    stateWords: width,
    layers: (outputs, place) => ({
      trunk: below.map((outputs, index) =>
        place(
          below.length === 1 ? "trunk" : `trunk.${2 * index}`,
          "hidden",
          index === 0 ? inputs : below[index - 1]!,
          outputs
        )
      ),
      memory: {
        input: place("gru", "memory", last, 3 * width, "_ih"),
        recurrent: place("gru", "memory", width, 3 * width, "_hh")
      },
      actor: [place("actor_head", "actor-head", width, outputs)],
      critic: [place("critic_head", "critic-head", width, 1)]
    })
  }
}

/** The encoder of a spec. */
export const encoderOf = (spec: EncoderSpec): Encoder => {
  switch (spec.kind) {
    case "mlp":
      return mlp(spec)
    case "gru":
      return gru(spec)
  }
}
