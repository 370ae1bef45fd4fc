/** The dashboards there are: of a run, of a simulation, of folders. Each lasts as long as the scope. */
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import { plainLine } from "../../text/plainLine.ts"
import type { Reporter } from "../reporting/Reporter.ts"
import type { Run } from "../Run.ts"
import * as Audience from "./Audience.ts"
import { Board } from "./Board.ts"
import { type Obey, serveDashboard } from "./dashboardServer.ts"
import { FolderViews } from "./FolderViews.ts"
import { RunView } from "./RunView.ts"
import { SimulationView } from "./SimulationView.ts"

/** Milliseconds between two frames: what is told of a run, of a simulation that may be stepped, and of folders. */
const pace = { run: 500, simulation: 100, folders: 1000 } as const

const addressOf = (port: number): string => `http://127.0.0.1:${port}/`

/** Where something on standard error says what a person should know. */
const toldOnError = (message: string) => Console.error(plainLine(message))

interface Opened {
  readonly board: Board
  readonly refresh: Effect.Effect<void>
  readonly millis: number
  readonly port: number
  readonly notice: (message: string) => Effect.Effect<void>
  readonly obey?: Obey
  /** What is to be said when the program ends. */
  readonly over: () => void
}

const open = Effect.fnUntraced(function*({ millis, over, refresh, ...opened }: Opened) {
  const audience = yield* Audience.make(opened.board, { millis, refresh, notice: opened.notice })
  const port = yield* serveDashboard({ ...opened, audience })
  yield* Effect.addFinalizer(() => Effect.andThen(Effect.sync(over), audience.end))
  yield* opened.notice(`dashboard at ${addressOf(port)}`)
})

/** A dashboard for a run that is set up later. */
export const ofRun = Effect.fnUntraced(function*(port: number, notice: (message: string) => Effect.Effect<void>) {
  const board = new Board("train")
  let view: RunView | undefined
  yield* open({
    board,
    port,
    notice,
    millis: pace.run,
    refresh: Effect.suspend(() => view?.refresh ?? Effect.void),
    over: () => view?.over()
  })
  return {
    /** Shows the run; what it says is told to the reporter. */
    show: (run: Run["Service"], folder: string | null): Reporter => {
      view = new RunView(board, run, folder)
      return view.reporter
    }
  }
})

/** A dashboard for a simulation that is begun later. */
export const ofSimulation = Effect.fnUntraced(function*(port: number, paused: boolean) {
  const board = new Board("simulate")
  const view = new SimulationView(board, paused)
  yield* open({
    board,
    port,
    notice: toldOnError,
    millis: pace.simulation,
    refresh: view.refresh,
    over: view.over,
    obey: view.obey
  })
  return view
})

/** A dashboard for the runs and simulations in folders, over or under way, until it is interrupted. */
export const ofFolders = Effect.fnUntraced(function*(port: number, folders: ReadonlyArray<string>) {
  const board = new Board("dashboard")
  const views = new FolderViews(board, folders)
  yield* views.confirm
  const refresh = yield* views.refresh
  yield* refresh
  yield* open({ board, port, notice: toldOnError, millis: pace.folders, refresh, over: () => {} })
  if (views.size === 0) {
    yield* toldOnError("There is no run and no simulation there yet; the page shows them as they come.")
  }
  return yield* Effect.never
})
