/** Gives the last observations together, the oldest first (Gymnasium's `FrameStackObservation`). */
import type { EnvironmentDefinition } from "../EnvironmentDefinition.ts"
import { Box } from "../spaces/Box.ts"
import { MultiBinary } from "../spaces/MultiBinary.ts"
import { MultiDiscrete } from "../spaces/MultiDiscrete.ts"
import type { ActionSpace, AnySpace, ObservationSpace } from "../spaces/Space.ts"
import { Tuple } from "../spaces/Tuple.ts"
import { derive, refuse } from "./derive.ts"

export interface FrameStackObservationOptions {
  /** How many observations, the present one included. */
  readonly stack_size: number
  /** What stands for those before the first: the first itself, or zeros. "reset" by default. */
  readonly padding_type?: "reset" | "zero"
}

/** The space of `count` elements of a space. */
const stacked = (space: ObservationSpace, count: number): ObservationSpace => {
  const times = <Value>(values: ArrayLike<Value>) => Array.from({ length: count }, () => Array.from(values)).flat()
  switch (space._tag) {
    case "Box": {
      const { boundedAbove, boundedBelow, dtype, high, low, shape } = space
      return new Box({
        low: times(low.map((bound, i) => boundedBelow[i] === 1 ? bound : -Infinity)),
        high: times(high.map((bound, i) => boundedAbove[i] === 1 ? bound : Infinity)),
        shape: [count, ...shape],
        dtype
      })
    }
    case "Discrete":
      return new MultiDiscrete(times([space.n]), { start: times([space.start]) })
    case "MultiDiscrete":
      return new MultiDiscrete(times(space.nvec), { start: times(space.start), shape: [count, ...space.shape] })
    case "MultiBinary":
      return new MultiBinary([count, ...space.shape])
    case "Text":
    case "Tuple":
    case "Dict":
      return new Tuple(times([space]))
  }
}

/** The element of a space that is nearest to nothing at all (Gymnasium's `create_zero_array`). */
const zeroOf = (space: AnySpace): unknown => {
  const known = space as ObservationSpace
  switch (known._tag) {
    case "Box":
      return known.low.map((low, i) => Math.min(known.high[i]!, Math.max(low, 0)))
    case "Discrete":
      return known.start
    case "MultiDiscrete":
      return known.start
    case "MultiBinary":
      return new Int8Array(known.size)
    case "Text":
      return (known.characters[0] ?? "").repeat(known.minLength)
    case "Tuple":
      return known.spaces.map(zeroOf)
    case "Dict":
      return Object.fromEntries(known.keys.map((key) => [key, zeroOf(known.spaces[key]!)]))
  }
}

/** Throws an InvalidWrapper for options that cannot be. */
const wrap = <A extends ActionSpace>(
  definition: EnvironmentDefinition<A>,
  { padding_type = "reset", stack_size }: FrameStackObservationOptions
): EnvironmentDefinition<A> => {
  if (!Number.isSafeInteger(stack_size) || stack_size < 1) {
    refuse(definition, "FrameStackObservation", `stack_size is ${stack_size}: give a whole number from 1`)
  }
  const { observationSpace } = definition
  const { size } = observationSpace
  const frames = stack_size * size
  const zero = new Float64Array(size)
  const space: AnySpace = observationSpace
  space.encode(zeroOf(space), zero)
  return derive(definition, {
    actionSpace: definition.actionSpace,
    observationSpace: stacked(observationSpace, stack_size),
    ownSize: frames,
    create: (inner, own) => ({
      ...inner,
      reset: (random, options) => {
        inner.reset(random, options)
        const first = inner.observe()
        for (let at = 0; at < frames; at += size) own.set(padding_type === "reset" ? first : zero, at)
        own.set(first, frames - size)
      },
      step: (action, random) => {
        const outcome = inner.step(action, random)
        own.copyWithin(0, size)
        own.set(inner.observe(), frames - size)
        return outcome
      },
      observe: (observation) => observation.set(own)
    })
  })
}

export const FrameStackObservation = { wrap }
