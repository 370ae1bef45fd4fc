/** A simulation of this program on the board: its series, who is where, and a gate at which it waits when it is held up. */
import * as Effect from "effect/Effect"
import type { ActorInfo } from "../../actors/ActorSystem.ts"
import { linesOf } from "../../actors/inspection/Snapshot.ts"
import type { Onlooker, Seen } from "../simulations/Onlooker.ts"
import type { Row } from "../simulations/tables.ts"
import type { Scene } from "../simulations/worldPicture.ts"
import { actorsOf } from "./actorsOf.ts"
import type { Board, Subject } from "./Board.ts"
import type { Obey } from "./dashboardServer.ts"
import { Gate } from "./Gate.ts"
import { LoadWatch } from "./load.ts"
import type { View } from "./Message.ts"

/** Cells to a side, and points, of what a page is sent: more are not seen. */
const mostCells = 200
const mostPoints = 4000

const brief = (value: number): number => Number(value.toPrecision(4))

/** What the page is sent of a scene: of a large one every second, third, ... cell or agent. */
export const viewOf = (scene: Scene): View => {
  const { height, name, width } = scene
  const known = scene.is === "grid"
    ? scene.groups.filter((group) => group !== undefined)
    : scene.points.map(({ group }) => group)
  const groups = [...new Set(known)].toSorted()
  const indexOf = new Map(groups.map((group, i) => [group, i]))
  if (scene.is === "plane") {
    const every = Math.ceil(scene.points.length / mostPoints)
    const points = scene.points.filter((_, i) => i % every === 0)
      .flatMap(({ group, x, y }) => [brief(x), brief(y), indexOf.get(group)!])
    return { name, width, height, groups, points, cells: null, ground: null }
  }
  const every = Math.ceil(Math.max(width, height) / mostCells)
  const columns = Math.ceil(width / every)
  const rows = Math.ceil(height / every)
  const places = Array.from(
    { length: columns * rows },
    (_, i) => Math.floor(i / columns) * every * width + (i % columns) * every
  )
  const { ground } = scene
  const least = ground?.reduce((a, b) => Math.min(a, b), Infinity) ?? 0
  const greatest = ground?.reduce((a, b) => Math.max(a, b), -Infinity) ?? 0
  return {
    name,
    width: columns,
    height: rows,
    groups,
    cells: places.map((place) => {
      const group = scene.groups[place]
      return group === undefined ? -1 : indexOf.get(group)!
    }),
    ground: ground === undefined || !(greatest > least)
      ? null
      : places.map((place) => Number(((ground[place]! - least) / (greatest - least)).toFixed(2))),
    points: null
  }
}

/** The numbers of a row of a series. */
export const numbersOf = (row: Row): Readonly<Record<string, number>> =>
  Object.fromEntries(Object.entries(row).flatMap(([name, value]) => typeof value === "number" ? [[name, value]] : []))

/** The series as a table of the board: one for each set of columns that rows have had. */
export const addRow = (subject: Subject, row: Row): void => {
  const numbers = numbersOf(row)
  const columns = Object.keys(numbers)
  subject.row(columns.join(" "), columns, () => columns.map((name) => numbers[name]))
}

export class SimulationView implements Onlooker {
  private readonly board: Board
  private readonly gate: Gate
  private subject: Subject | undefined
  private readonly load = new LoadWatch()
  private actors: Effect.Effect<ReadonlyArray<ActorInfo>> = Effect.succeed([])

  constructor(board: Board, paused: boolean) {
    this.board = board
    this.gate = new Gate(paused)
  }

  readonly begin: Onlooker["begin"] = ({ config, folder, hosts, model, seed, until }) => {
    this.subject = this.board.add({
      is: "simulation",
      name: model,
      state: this.gate.paused ? "paused" : "running",
      folder,
      threshold: null,
      facts: [
        ["seed", String(seed)],
        ["until", until === undefined ? "it ends by itself" : String(until)],
        ["hosts", String(hosts)],
        ...Object.entries(config).map(([name, value]) => [name, JSON.stringify(value) ?? "-"] as const)
      ]
    })
    this.subject.say(null, "state", "the simulation begins")
    this.tellControl()
  }

  private tellControl(): void {
    const { pace, paused } = this.gate
    this.subject?.change({ state: paused ? "paused" : "running", control: { paused, pace } })
  }

  /** Shows it, then waits as long as it is held up. */
  readonly look: Onlooker["look"] = ({ row, scenes, time }: Seen) =>
    Effect.suspend(() => {
      const { subject } = this
      if (subject === undefined) return Effect.void
      addRow(subject, row)
      subject.setWorld(time, scenes.map(viewOf))
      return this.gate.pass
    })

  readonly end: Onlooker["end"] = (outcome) => {
    this.subject?.change({ state: "finished", control: null })
    this.subject?.say(null, "state", outcome)
  }

  /** The program ends. */
  readonly over = (): void => {
    if (this.subject?.state === "finished") return
    this.subject?.change({ state: "ended before its time", control: null })
  }

  readonly obey: Obey = (id, order, pace) => {
    const { gate, subject } = this
    if (subject === undefined || subject.id !== id || subject.state === "finished") return false
    switch (order) {
      case "pause":
        gate.pause()
        break
      case "resume":
        gate.resume()
        break
      case "step":
        gate.step()
        break
      case "pace":
        gate.setPace(pace)
        break
      default:
        return order satisfies never
    }
    this.tellControl()
    return true
  }

  readonly meet: Onlooker["meet"] = (actors) => {
    this.actors = actors
  }

  /** What is asked for only while somebody looks. */
  readonly refresh: Effect.Effect<void> = Effect.suspend(() => {
    const load = this.load.due
    if (load === undefined) return Effect.void
    this.board.setLoad(load)
    return Effect.map(this.actors, (actors) => {
      if (actors.length > 0) this.subject?.setActors(actorsOf(linesOf(actors)))
    })
  })
}
