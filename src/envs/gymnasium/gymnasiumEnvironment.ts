/**
 * A real Gymnasium environment as a definition: `gymnasium:LunarLander-v3`, or `gymnasium:my_module:Maze-v0` for one that a
 * Python module registers. What it is (spaces, limits) is asked of Python when it is loaded.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { EnvironmentDefinition, JsonRecord } from "../EnvironmentDefinition.ts"
import { spaceFromJson } from "../spaces/index.ts"
import type { ActionSpace, Space } from "../spaces/Space.ts"
import { EnvironmentMistake } from "../thrown.ts"
import { TimeLimit } from "../wrappers/TimeLimit.ts"
import { Bridge, Gone, type Opening } from "./Bridge.ts"
import { listen } from "./children.ts"
import { gymnasiumId } from "./reference.ts"
import { Crowd, type Kind, stateSizeOf } from "./World.ts"

/** Why there is no such environment, as the end of a sentence. */
export class GymnasiumProblem extends Schema.TaggedError<GymnasiumProblem>()("GymnasiumProblem", {
  problem: Schema.String,
  /** Its process was lost: the next may do better. */
  lost: Schema.Boolean
}) {
  override get message(): string {
    return this.problem
  }
}

const Description = Schema.Struct({
  gymnasium: Schema.String,
  observation: Schema.Unknown,
  action: Schema.Unknown,
  limit: Schema.NullOr(Schema.Int),
  threshold: Schema.NullOr(Schema.Finite),
  shares_stream: Schema.Boolean
})

/** Actions that are kept of an episode without a limit, and numbers of actions that are kept at most. */
const usualCapacity = 10_000
const mostNumbers = 262_144

/** Milliseconds between two looks at whether the process is ready. */
const lookMillis = 5

/** By real time, also where a program has put another clock in place. */
const nap = Effect.callback<void>((resume) => {
  const timer = setTimeout(() => resume(Effect.void), lookMillis)
  return Effect.sync(() => clearTimeout(timer))
})

const problemOf = (cause: unknown): GymnasiumProblem =>
  new GymnasiumProblem({
    lost: cause instanceof Gone,
    problem: cause instanceof Gone
      ? `its Python process was lost while it made the environment: ${cause.message}`
      : cause instanceof Error
      ? cause.message
      : String(cause)
  })

/** Processes that are lost while they begin before it is given up. */
const mostLosses = 10

const opened = Effect.fnUntraced(function*(opening: Opening) {
  const bridge = yield* Effect.try({ try: () => new Bridge(opening), catch: problemOf })
  const begin = Effect.gen(function*() {
    const started = performance.now()
    yield* Effect.try({ try: () => bridge.start(), catch: problemOf })
    while (!(yield* Effect.try({ try: () => bridge.advance(), catch: problemOf }))) {
      yield* nap
      yield* Effect.try({ try: () => bridge.checkStart(performance.now() - started), catch: problemOf })
    }
  })
  yield* begin.pipe(
    Effect.retry({ times: mostLosses - 1, while: ({ lost }) => lost }),
    Effect.onError(() => Effect.sync(() => bridge.end()))
  )
  return bridge
})

const spaceOf = (json: unknown, what: string) =>
  Effect.try({
    try: (): Space => spaceFromJson(json),
    catch: (cause) =>
      new GymnasiumProblem({
        lost: false,
        problem: `its ${what} are none of this program's: ${cause instanceof Error ? cause.message : ""}`
      })
  })

const widthOf = (space: ActionSpace): number => {
  switch (space._tag) {
    case "Discrete":
      return 1
    case "MultiDiscrete":
      return space.nvec.length
    case "Box":
    case "MultiBinary":
      return space.size
    case "Text":
    case "Tuple":
    case "Dict":
      return 0
  }
}

const define = Effect.fnUntraced(function*(base: string, kwargs: JsonRecord, limit: number) {
  listen()
  const { id, module } = gymnasiumId(base)
  const bridge = yield* opened({ id, module: module ?? null, kwargs, limit })
  const description = yield* Schema.decodeUnknownEffect(Description)(bridge.described).pipe(
    Effect.mapError(() =>
      new GymnasiumProblem({ lost: false, problem: "its Python process says what no version of this program knows" })
    )
  )
  const observationSpace = yield* spaceOf(description.observation, "observations")
  const actionSpace = yield* spaceOf(description.action, "actions")
  const width = widthOf(actionSpace)
  const kind: Kind = {
    bridge,
    size: observationSpace.size,
    width,
    capacity: Math.min(description.limit ?? usualCapacity, Math.floor(mostNumbers / Math.max(1, width))),
    sharesStream: description.shares_stream
  }
  const crowd = new Crowd(kind)
  const definition: EnvironmentDefinition = {
    id: `gymnasium:${id}`,
    observationSpace,
    actionSpace,
    ...(description.limit === null ? {} : { maxEpisodeSteps: description.limit }),
    ...(description.threshold === null ? {} : { rewardThreshold: description.threshold }),
    ...(Object.keys(kwargs).length === 0 ? {} : { configured: kwargs }),
    stateSize: stateSizeOf(kind),
    create: (state) => {
      if (width === 0) throw new EnvironmentMistake(`actions of ${actionSpace} cannot be taken by way of Python`)
      return crowd.world(state)
    }
  }
  return TimeLimit.keptBy(definition)
})

/** What this thread has loaded: an environment has one process in each thread, whoever asks for it. */
const loaded = new Map<string, EnvironmentDefinition>()

/** The environment of a reference's base and options, its episodes cut after `limit` steps where that is not 0. */
export const loadGymnasium = Effect.fnUntraced(function*(base: string, kwargs: JsonRecord, limit: number) {
  const key = JSON.stringify([base, kwargs, limit])
  const before = loaded.get(key)
  if (before !== undefined) return before
  const definition = yield* define(base, kwargs, limit)
  loaded.set(key, definition)
  return definition
})
