/**
 * FrozenLake: Gymnasium's `FrozenLake-v1` and `FrozenLake8x8-v1`, draw for draw.
 *
 * ## Description
 * A walk over a frozen lake from the start to the goal, without falling into a hole. The ice is slippery: one may
 * slide to either side of where one wants to go.
 *
 * ## Action space
 * `Discrete(4)`: 0 left, 1 down, 2 right, 3 up.
 *
 * ## Observation space
 * `Discrete(rows * columns)`: the place, `row * columns + column`, from the upper left: 16 places (`FrozenLake-v1`) or 64
 * (`FrozenLake8x8-v1`).
 *
 * ## Rewards
 * 1 for reaching the goal, 0 otherwise; `reward_schedule` changes that. Solved at a mean return of 0.7 (the best policy has
 * 0.74) or 0.85 (0.91).
 *
 * ## Starting state
 * The tile S, in the upper left.
 *
 * ## Episode end
 * 1. Termination: a hole, or the goal.
 * 2. Truncation: 100 steps (`FrozenLake-v1`) or 200 (`FrozenLake8x8-v1`).
 *
 * ## Information
 * `prob`: how likely the last outcome was; 1 after a reset.
 *
 * ## Arguments
 * - `map_name` (`"4x4"`; `"8x8"` for `FrozenLake8x8-v1`): one of the two maps.
 * - `desc` (none): a map of one's own instead, its rows as strings: S start, F frozen, H hole, G goal.
 * - `is_slippery` (`true`): whether one may slide to either side.
 * - `success_rate` (1/3): how likely one goes where one wants; each side is half as likely as the rest.
 * - `reward_schedule` (`[1, 0, 0]`): rewards for the goal, a hole, and frozen ice.
 *
 * ## Version history
 * - v1: rewards corrected, `reward_schedule` added.
 */
import * as Schema from "effect/Schema"
import { Environment } from "../Environment.ts"
import type { EnvironmentDefinition } from "../EnvironmentDefinition.ts"
import { InvalidOption, withOptions } from "../options.ts"
import { unhurried } from "../rendering/scene.ts"
import { Discrete } from "../spaces/Discrete.ts"
import { type Outcome, tabularDynamics, tabularStateSize, tabularWorld } from "../tabular/Tabular.ts"
import { renderLakeAnsi, renderLakeSvg } from "./rendering.ts"

const maps: Readonly<Record<"4x4" | "8x8", ReadonlyArray<string>>> = {
  "4x4": ["SFFF", "FHFH", "FFFH", "HFFG"],
  "8x8": ["SFFFFFFF", "FFFFFFFF", "FFFHFFFF", "FFFFFHFF", "FFFHFFFF", "FHHFFFHF", "FHFFHFHF", "FFFHFFFG"]
}

/** Rows and columns moved by each action. */
const moves: ReadonlyArray<readonly [number, number]> = [[0, -1], [1, 0], [0, 1], [-1, 0]]

const clamp = (value: number, below: number): number => Math.max(0, Math.min(below - 1, value))

interface LakeOptions {
  readonly desc: ReadonlyArray<string> | null
  readonly map_name: "4x4" | "8x8" | null
  readonly is_slippery: boolean
  readonly success_rate: number
  readonly reward_schedule: readonly [number, number, number]
}

/** What is wrong with a map, as the end of a sentence. */
const mapProblem = (map: ReadonlyArray<string>): string | undefined => {
  const columns = map[0]?.length ?? 0
  if (columns === 0) return "is empty: give its rows"
  const odd = map.findIndex((row) => row.length !== columns)
  if (odd >= 0) return `has ${map[odd]!.length} tiles in row ${odd} and ${columns} in the first: give as many`
  const tile = /[^SFHG]/.exec(map.join(""))
  if (tile !== null) return `has a tile "${tile[0]}": give S, F, H or G`
  return map.join("").includes("S") ? undefined : "has no start: give a tile S"
}

const lake = (
  id: string,
  limits: { readonly maxEpisodeSteps: number; readonly rewardThreshold: number },
  { desc, is_slippery, map_name, reward_schedule, success_rate }: LakeOptions
): EnvironmentDefinition<Discrete> => {
  if (desc === null && map_name === null) {
    const problem = "needs a map: give map_name=4x4, map_name=8x8, or desc"
    throw new InvalidOption({ id, option: "map_name", problem })
  }
  const map = desc ?? maps[map_name ?? "4x4"]
  const problem = mapProblem(map)
  if (problem !== undefined) throw new InvalidOption({ id, option: "desc", problem: `has a map that ${problem}` })
  const rows = map.length
  const columns = map[0]!.length
  const tiles = map.join("")
  const starts = [...tiles].map((tile) => tile === "S" ? 1 : 0)
  const count = starts.filter((start) => start === 1).length
  const [goal, hole, frozen] = reward_schedule
  const slip = (1 - success_rate) / 2

  const going = (state: number, direction: number, probability: number): Outcome => {
    const [down, right] = moves[direction]!
    const row = clamp(Math.floor(state / columns) + down, rows)
    const next = row * columns + clamp(state % columns + right, columns)
    const tile = tiles[next]
    const reward = tile === "G" ? goal : tile === "H" ? hole : frozen
    return { probability, state: next, reward, terminated: tile === "G" || tile === "H" }
  }
  const outcomes = (state: number, action: number): ReadonlyArray<Outcome> => {
    if (tiles[state] === "G" || tiles[state] === "H") return [{ probability: 1, state, reward: 0, terminated: true }]
    if (!is_slippery) return [going(state, action, 1)]
    return [(action + 3) % 4, action, (action + 1) % 4].map((direction) =>
      going(state, direction, direction === action ? success_rate : slip)
    )
  }
  const world = tabularWorld(starts.map((start) => start / count), 4, outcomes)
  return Environment.define({
    id,
    observationSpace: new Discrete(rows * columns),
    actionSpace: new Discrete(4),
    ...limits,
    stateSize: tabularStateSize,
    create: tabularDynamics(world),
    rendering: {
      pace: unhurried,
      ansi: (state) => renderLakeAnsi(map, state),
      svg: (states) => renderLakeSvg(map, states)
    }
  })
}

const Rewards = Schema.Tuple([Schema.Finite, Schema.Finite, Schema.Finite])

const options = (map: "4x4" | "8x8") => ({
  desc: {
    schema: Schema.NullOr(Schema.Array(Schema.String)),
    byDefault: null,
    about: "a map of one's own, its rows as strings of S, F, H and G"
  },
  map_name: {
    schema: Schema.NullOr(Schema.Literals(["4x4", "8x8"])),
    byDefault: map,
    about: "one of the two maps"
  },
  is_slippery: { schema: Schema.Boolean, byDefault: true, about: "whether one may slide to either side" },
  success_rate: {
    schema: Schema.Finite.check(Schema.isBetween({ minimum: 0, maximum: 1 })),
    byDefault: 1 / 3,
    about: "how likely one goes where one wants"
  },
  reward_schedule: {
    schema: Rewards,
    byDefault: [1, 0, 0] as const,
    about: "rewards for the goal, a hole, and frozen ice"
  }
})

const small = { maxEpisodeSteps: 100, rewardThreshold: 0.7 }
const large = { maxEpisodeSteps: 200, rewardThreshold: 0.85 }

export const FrozenLakeV1: EnvironmentDefinition<Discrete> = withOptions(
  "FrozenLake-v1",
  options("4x4"),
  (values) => lake("FrozenLake-v1", small, values)
)
export const FrozenLake8x8V1: EnvironmentDefinition<Discrete> = withOptions(
  "FrozenLake8x8-v1",
  options("8x8"),
  (values) => lake("FrozenLake8x8-v1", large, values)
)
