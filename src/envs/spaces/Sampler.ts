/**
 * A space with random streams of its own, as Gymnasium's spaces have them. A simple space has one stream; each part of a
 * Tuple or Dict has its own, seeded from that of the whole.
 */
import { type Entropy, Pcg64 } from "../../random/index.ts"
import type { AnySpace } from "./Space.ts"

/** Samples one space. The same seed gives the samples of Gymnasium's `space.seed(seed)`. */
export interface Sampler<Value, Mask> {
  /** The words of all its streams: a copy is a snapshot. */
  readonly state: Uint32Array
  /** Starts the streams of another seed. */
  reseed(seed: Entropy): void
  /** An element; of those that `mask` leaves, in the form that the space documents. */
  sample(mask?: Mask): Value
}

const memory = (streams: number, into: Uint32Array | undefined): Uint32Array =>
  into ?? new Uint32Array(streams * Pcg64.words)

/** The sampler of a simple space. */
export const streamSampler = <Value, Mask>(
  sample: (random: Pcg64, mask: Mask | undefined) => Value,
  seed: Entropy,
  into: Uint32Array | undefined
): Sampler<Value, Mask> => {
  const random = Pcg64.fromSeed(seed, memory(1, into))
  return {
    state: random.state,
    reseed: (other) => random.reseed(other),
    sample: (mask) => sample(random, mask)
  }
}

/** Parts are seeded with integers below this one. */
const seeds = 2147483647

/** The samplers of a composite's parts, seeded as Gymnasium seeds them: with integers drawn from the whole's stream. */
export const partSamplers = (
  parts: ReadonlyArray<AnySpace>,
  seed: Entropy,
  into: Uint32Array | undefined
): Pick<Sampler<unknown, unknown>, "reseed" | "state"> & {
  readonly parts: ReadonlyArray<Sampler<unknown, unknown>>
} => {
  const state = memory(parts.reduce((sum, part) => sum + part.streams, 0), into)
  let at = 0
  const samplers = parts.map((part) => {
    const from = at
    at += part.streams * Pcg64.words
    return part.sampler(0, state.subarray(from, at))
  })
  const reseed = (other: Entropy) => {
    const random = Pcg64.fromSeed(other)
    for (const sampler of samplers) sampler.reseed(random.integers(0, seeds))
  }
  reseed(seed)
  return { state, reseed, parts: samplers }
}
