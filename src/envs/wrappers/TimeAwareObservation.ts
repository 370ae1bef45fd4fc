/** Gives beside every observation how far the episode is (Gymnasium's `TimeAwareObservation`). */
import type { EnvironmentDefinition } from "../EnvironmentDefinition.ts"
import { Box } from "../spaces/Box.ts"
import { Dict } from "../spaces/Dict.ts"
import type { ActionSpace, AnySpace, ObservationSpace } from "../spaces/Space.ts"
import { Tuple } from "../spaces/Tuple.ts"
import { derive, refuse } from "./derive.ts"
import { flattened } from "./FlattenObservation.ts"
import { TimeLimit } from "./TimeLimit.ts"

export interface TimeAwareObservationOptions {
  /** Whether the space is a Box of all numbers, or says what is what. True by default. */
  readonly flatten?: boolean
  /** Steps over the limit, from 0 to 1, rather than steps. False by default. */
  readonly normalize_time?: boolean
  /** The name of the time where observations are a Dict; "time" by default. */
  readonly dict_time_key?: string
}

/** The space with the time, and where among its numbers the time is. */
interface Timed {
  readonly space: ObservationSpace
  readonly at: number
}

const timed = (space: ObservationSpace, time: Box, key: string): Timed => {
  if (space._tag === "Tuple") return { space: new Tuple([...space.spaces, time]), at: space.size }
  if (space._tag !== "Dict") return { space: new Dict({ obs: space, time }), at: space.size }
  const parts: Record<string, AnySpace> = { [key]: time, ...space.spaces }
  const sorted = new Dict(space.spaces).keys.every((name, i) => name === space.keys[i])
  const outer = sorted ? new Dict(parts) : new Dict(parts, { keys: [key, ...space.keys] })
  const before = outer.keys.slice(0, outer.keys.indexOf(key))
  return { space: outer, at: before.reduce((sum, name) => sum + parts[name]!.size, 0) }
}

/** For an environment with a limit. Throws an InvalidWrapper for others. */
const wrap = <A extends ActionSpace>(
  definition: EnvironmentDefinition<A>,
  { dict_time_key = "time", flatten = true, normalize_time = false }: TimeAwareObservationOptions = {}
): EnvironmentDefinition<A> => {
  const { maxEpisodeSteps, observationSpace } = definition
  const limit = maxEpisodeSteps ??
    refuse(
      definition,
      "TimeAwareObservation",
      "its episodes have no limit: give it maxEpisodeSteps, or --episode-limit"
    )
  if (observationSpace._tag === "Dict" && observationSpace.keys.includes(dict_time_key)) {
    refuse(definition, "TimeAwareObservation", `its observations have a "${dict_time_key}" already: give dict_time_key`)
  }
  const time = normalize_time
    ? new Box({ low: 0, high: 1, shape: [1] })
    : new Box({ low: 0, high: limit, shape: [1], dtype: "int32" })
  const { at, space } = timed(observationSpace, time, dict_time_key)
  const { size } = observationSpace
  return derive(TimeLimit.wrap(definition), {
    actionSpace: definition.actionSpace,
    observationSpace: flatten ? flattened(space) : space,
    ownSize: 1,
    create: (inner, own) => ({
      ...inner,
      reset: (random, options) => {
        own[0] = 0
        inner.reset(random, options)
      },
      step: (action, random) => {
        own[0] = own[0]! + 1
        return inner.step(action, random)
      },
      observe: (observation) => {
        const observed = inner.observe()
        for (let i = 0; i < size; i++) observation[i < at ? i : i + 1] = observed[i]!
        observation[at] = normalize_time ? own[0]! / limit : own[0]!
      }
    })
  })
}

export const TimeAwareObservation = { wrap }
