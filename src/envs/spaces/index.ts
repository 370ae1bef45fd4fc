/** The spaces that come with Troupe. To name a file here is all it takes to have its space. */
export { Box, type BoxOptions } from "./Box.ts"
export { Dict } from "./Dict.ts"
export { Discrete } from "./Discrete.ts"
export { MultiBinary } from "./MultiBinary.ts"
export { MultiDiscrete, type MultiDiscreteOptions } from "./MultiDiscrete.ts"
export type { Sampler } from "./Sampler.ts"
export {
  type ActionOf,
  type ActionSpace,
  type AnySpace,
  type FlatArray,
  InvalidSpace,
  type Observation,
  type ObservationOf,
  type ObservationSpace,
  type Space,
  spaceFromJson,
  spaceProblem
} from "./Space.ts"
export { Text, type TextMask, type TextOptions } from "./Text.ts"
export { Tuple } from "./Tuple.ts"
