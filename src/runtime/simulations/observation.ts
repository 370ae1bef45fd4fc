/**
 * What is told of a simulation at a time: a row of its series, its agents, and what is drawn of it. All is read from a copy
 * of the world, so that looking changes nothing.
 */
import type { AgentRef } from "../../simulation/Agent.ts"
import { birthOf, shareOf } from "../../simulation/AgentTable.ts"
import type { Engine } from "../../simulation/Engine.ts"
import { isLattice, sceneOf } from "../../simulation/Lattice.ts"
import { Grid } from "../../simulation/parts/Grid.ts"
import { Space } from "../../simulation/parts/Space.ts"
import type { World } from "../../simulation/World.ts"
import type { Row } from "./tables.ts"
import type { Scene } from "./worldPicture.ts"

/** Living agents by kind, collectors, counts, what monitors stand at, and means of tallies. */
export const seriesRow = ({ engine, statistics }: World): Row => {
  const row: Record<string, number> = { time: engine.now, events: engine.handled, agents: engine.table.living }
  for (const [kind, { is, name }] of engine.kinds.entries()) {
    if (is !== "agent") continue
    row[name] = engine.table.shares.reduce((sum, share) => sum + (share?.members[kind]?.size ?? 0), 0)
  }
  for (const [name, { last }] of Object.entries(statistics.monitors)) row[name] = last
  for (const [name, count] of Object.entries(statistics.counts)) row[name] = count
  for (const [name, { mean }] of Object.entries(statistics.tallies)) row[`${name}.mean`] = mean
  engine.look(() => {
    for (const [name, of] of engine.collectors) row[name] = of()
  })
  return row
}

/** The fields of a state that are one number, text or flag each. */
const scalars = (state: unknown): Row => {
  const row: Record<string, number | string | boolean> = {}
  if (typeof state !== "object" || state === null) return row
  for (const [name, value] of Object.entries(state)) {
    if (typeof value === "number" || typeof value === "string" || typeof value === "boolean") row[name] = value
  }
  return row
}

/** A row for each agent of each kind, by the kind's name; for a population, one for each of its rows. */
export const agentRows = ({ engine, now }: World): ReadonlyMap<string, ReadonlyArray<Row>> => {
  const tables = new Map<string, Array<Row>>()
  for (const [index, kind] of engine.kinds.entries()) {
    if (kind.is !== "agent") continue
    const rows: Array<Row> = []
    for (const share of engine.table.shares) {
      for (const agent of share?.members[index] ?? []) {
        const state = engine.table.states[engine.table.find(agent)]
        const head = { time: now, share: shareOf(agent), agent: birthOf(agent) }
        if ("columns" in kind.definition) rows.push(...populationRows(kind.definition.save(state), head))
        else if (state !== undefined) rows.push({ ...head, ...scalars(state) })
      }
    }
    if (rows.length > 0) tables.set(kind.name, rows)
  }
  return tables
}

const populationRows = (saved: unknown, head: Row): ReadonlyArray<Row> => {
  const columns = Object.entries(saved as Readonly<Record<string, ArrayLike<number>>>)
  const length = columns[0]?.[1].length ?? 0
  return Array.from({ length }, (_, i) => ({
    ...head,
    row: i,
    ...Object.fromEntries(columns.map(([name, column]) => [name, column[i]!]))
  }))
}

const kindOf = (engine: Engine, agent: number): string => {
  const place = engine.table.find(agent)
  return place < 0 ? "" : engine.kinds[engine.table.kinds[place]!]!.name
}

/** Lattices: what the first layer has is a group, where it is not 0. Each share has a copy; the first that lives here is drawn. */
const lattices = ({ kinds, table }: Engine): ReadonlyArray<Scene> =>
  kinds.flatMap((kind, index): ReadonlyArray<Scene> => {
    if (kind.is !== "agent" || !isLattice(kind.definition)) return []
    const [agent] = table.shares.flatMap((share) => [...share?.members[index] ?? []])
    if (agent === undefined) return []
    const { height, layers, width } = sceneOf(table.states[table.find(agent)])
    const [first] = layers
    const groups = Array.from({ length: width * height }, (_, cell) => {
      const value = first?.[cell] ?? 0
      return value === 0 ? undefined : String(value)
    })
    return [{ is: "grid", name: kind.name, width, height, groups, ground: undefined }]
  })

/** The grids, lattices and planes of a world as they are now. */
export const scenes = (world: World): ReadonlyArray<Scene> => [...parts(world), ...lattices(world.engine)]

const parts = ({ engine }: World): ReadonlyArray<Scene> =>
  engine.look(() =>
    Array.from(engine.parts.values(), ({ part }): ReadonlyArray<Scene> => {
      if (part instanceof Grid) {
        const { at, layers } = part.look
        const groupOf = part.groupOf ?? ((agent) => kindOf(engine, agent))
        const [layer] = layers.values()
        return [{
          is: "grid",
          name: part.name,
          width: part.width,
          height: part.height,
          groups: Array.from({ length: part.size }, (_, cell) => {
            const [first] = at(cell)
            return first === undefined ? undefined : String(groupOf(first))
          }),
          ground: layer === undefined ? undefined : Array.from(layer)
        }]
      }
      if (!(part instanceof Space)) return []
      const groupOf = part.groupOf ?? ((agent) => kindOf(engine, agent))
      // Those in a plane are agents.
      const points = part.look.map(({ agent, x, y }) => ({ x, y, group: String(groupOf(agent as AgentRef)) }))
      return [{ is: "plane", name: part.name, width: part.width, height: part.height, points }]
    }).flat()
  )
