/**
 * Gives observations as a vector (Gymnasium's `FlattenObservation`). In a run they are vectors already; this says so in the
 * space, which is what people, and wrappers that want a Box, go by.
 */
import type { EnvironmentDefinition } from "../EnvironmentDefinition.ts"
import { Box } from "../spaces/Box.ts"
import type { Dtype } from "../spaces/dtypes.ts"
import type { ActionSpace, AnySpace, ObservationSpace } from "../spaces/Space.ts"
import { derive, refuse } from "./derive.ts"

/** The bounds of a space's elements, flattened (Gymnasium's `flatten_space`). */
const boundsOf = (space: ObservationSpace): { readonly low: ArrayLike<number>; readonly high: ArrayLike<number> } => {
  const all = (value: number) => new Float64Array(space.size).fill(value)
  switch (space._tag) {
    case "Box":
      return {
        low: space.low.map((bound, i) => space.boundedBelow[i] === 1 ? bound : -Infinity),
        high: space.high.map((bound, i) => space.boundedAbove[i] === 1 ? bound : Infinity)
      }
    case "Discrete":
    case "MultiDiscrete":
    case "MultiBinary":
      return { low: all(0), high: all(1) }
    case "Text":
      return { low: all(0), high: all(space.characters.length) }
    case "Tuple":
      return joined(space.spaces)
    case "Dict":
      return joined(space.keys.map((key) => space.spaces[key]!))
  }
}

const joined = (spaces: ReadonlyArray<AnySpace>) => {
  const bounds = spaces.map((space) => boundsOf(known(space)))
  return {
    low: bounds.flatMap(({ low }) => Array.from(low)),
    high: bounds.flatMap(({ high }) => Array.from(high))
  }
}

/** The dtype of those elements, as far as one Box has one. */
const dtypeOf = (space: ObservationSpace): Dtype => {
  switch (space._tag) {
    case "Box":
      return space.dtype
    case "Discrete":
    case "MultiDiscrete":
      return "int64"
    case "MultiBinary":
      return "int8"
    case "Text":
      return "int32"
    case "Tuple":
      return common(space.spaces)
    case "Dict":
      return common(space.keys.map((key) => space.spaces[key]!))
  }
}

const common = (spaces: ReadonlyArray<AnySpace>): Dtype => {
  const [first, ...others] = new Set(spaces.map((space) => dtypeOf(known(space))))
  return first !== undefined && others.length === 0 ? first : "float64"
}

/** A part of a space: every space is one of the known ones. */
const known = (space: AnySpace): ObservationSpace => space as ObservationSpace

/** The Box of a space's elements, flattened. */
export const flattened = (space: ObservationSpace): Box => new Box({ ...boundsOf(space), dtype: dtypeOf(space) })

const wrap = <A extends ActionSpace>(definition: EnvironmentDefinition<A>): EnvironmentDefinition<A> =>
  derive(definition, {
    actionSpace: definition.actionSpace,
    observationSpace: flattened(definition.observationSpace),
    create: (inner) => inner
  })

export const FlattenObservation = { wrap }

/** Gives an integer, or several, as a one-hot vector each: `FlattenObservation` for those who mean just that. */
const oneHot = <A extends ActionSpace>(definition: EnvironmentDefinition<A>): EnvironmentDefinition<A> => {
  const { observationSpace } = definition
  return observationSpace._tag === "Discrete" || observationSpace._tag === "MultiDiscrete" ? wrap(definition) : refuse(
    definition,
    "OneHotObservation",
    `its observations are those of ${observationSpace}, and not of a Discrete or MultiDiscrete`
  )
}

export const OneHotObservation = { wrap: oneHot }
