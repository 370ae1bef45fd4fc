/**
 * What the dashboard's server tells its page, as JSON: a list of these a frame. A page that has just connected is told `hello`
 * and then everything; from then on what is new. Types alone: the page is compiled with them too.
 */

/** A number, or none. */
export type Cell = number | null

/** A picture that the page may ask for. */
export interface Picture {
  readonly title: string
  readonly path: string
}

/** How a simulation that can be held up goes. */
export interface Control {
  readonly paused: boolean
  /** Looks a second at most; 0: as they come. */
  readonly pace: number
}

/** What is known of a run, or of a simulation, beside its numbers. */
export interface Head {
  readonly is: "run" | "simulation"
  readonly name: string
  /** One word: starting, running, solved, ... */
  readonly state: string
  readonly folder: string | null
  readonly facts: ReadonlyArray<readonly [label: string, value: string]>
  /** The return at which it is solved. */
  readonly threshold: number | null
  readonly pictures: ReadonlyArray<Picture>
  /** Null where nobody can hold it up from here. */
  readonly control: Control | null
}

export interface LogLine {
  /** Seconds of the run, or virtual time; null where nobody knows. */
  readonly at: number | null
  readonly kind: "notice" | "evaluation" | "death" | "checkpoint" | "state"
  readonly text: string
}

export interface Actor {
  readonly name: string
  /** Where it lives, for people: `this thread`, `thread 0`, `process 1`. */
  readonly place: string
  readonly status: string
  /** Messages taken and not yet answered. */
  readonly mailbox: number
  readonly message: { readonly method: string; readonly millis: number } | null
  readonly restarts: number
  /** Milliseconds of its last restarts, the latest last. */
  readonly recoveries: ReadonlyArray<number>
}

/** What a thread or a process takes of the machine. */
export interface Load {
  readonly name: string
  /** Processor time over time: 1 is one core. */
  readonly cores: number
  /** Bytes; null where it has none of its own. */
  readonly memory: number | null
}

/** Who is where at one time: groups by their index. */
export interface View {
  readonly name: string
  readonly width: number
  readonly height: number
  readonly groups: ReadonlyArray<string>
  /** Of a grid, row by row: the group in each cell, -1 where nobody is. */
  readonly cells: ReadonlyArray<number> | null
  /** Of a grid with a layer: shades of the ground, 0 to 1. */
  readonly ground: ReadonlyArray<number> | null
  /** Of a plane: x, y and group, one after the other. */
  readonly points: ReadonlyArray<number> | null
}

export type Message =
  /** Forget all that was told before. */
  | { readonly is: "hello"; readonly program: string }
  | { readonly is: "head"; readonly id: string; readonly head: Head }
  | { readonly is: "gone"; readonly id: string }
  /** More rows of a table, the columns in the order of `columns`. */
  | {
    readonly is: "rows"
    readonly id: string
    readonly table: string
    readonly columns: ReadonlyArray<string>
    readonly rows: ReadonlyArray<ReadonlyArray<Cell>>
  }
  /** The newest row, which is not among the rows kept. */
  | { readonly is: "latest"; readonly id: string; readonly table: string; readonly row: ReadonlyArray<Cell> }
  | { readonly is: "log"; readonly id: string; readonly lines: ReadonlyArray<LogLine> }
  | { readonly is: "actors"; readonly id: string; readonly actors: ReadonlyArray<Actor>; readonly others: number }
  | { readonly is: "load"; readonly load: ReadonlyArray<Load> }
  | { readonly is: "world"; readonly id: string; readonly time: number; readonly views: ReadonlyArray<View> }
  /** The program is about to end. */
  | { readonly is: "bye" }

/** Columns that rows are drawn over, as the metrics have them; of a simulation it is `time`. */
export const axes = ["time/total_timesteps", "time/iterations", "time/time_elapsed", "time"] as const

/** Where the page finds what it is told, and where it says what is to be done. */
export const paths = { events: "/events", control: "/control" } as const

/** What can be done with a simulation that was started with a dashboard. */
export const orders = ["pause", "resume", "step", "pace"] as const
export type Order = typeof orders[number]
