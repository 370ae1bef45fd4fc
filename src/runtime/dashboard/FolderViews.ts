/**
 * Runs and simulations by their folders, over or under way elsewhere: what their files say as they grow, and what the actors
 * of a program do that writes into one. Nothing that a file names is run; only an environment that comes with Troupe is
 * played for a picture.
 */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import * as Schema from "effect/Schema"
import * as Inspection from "../../actors/inspection/Inspection.ts"
import { Registry } from "../../envs/Registry.ts"
import { plainLine } from "../../text/plainLine.ts"
import { Policy } from "../evaluation/Policy.ts"
import { policyFile } from "../evaluation/policyPath.ts"
import * as readData from "../files/readData.ts"
import { plural, score, whole } from "../reporting/formatting.ts"
import * as RunFolder from "../reporting/RunFolder.ts"
import * as SimulationFolder from "../simulations/SimulationFolder.ts"
import { learnableEnvironment } from "../workers/learnableEnvironment.ts"
import { actorsOf } from "./actorsOf.ts"
import type { Board, Subject } from "./Board.ts"
import { greedyEpisode, PictureFault } from "./pictures.ts"
import { addRow } from "./SimulationView.ts"
import { Tail } from "./Tail.ts"

/** Folders that are shown, how deep they are searched for, and entries of a folder that are looked at. */
const mostFolders = 200
const deepest = 3
const mostEntries = 5000
/** Columns of a table that are taken. */
const mostColumns = 64
/** Pictures of a folder that are shown, and bytes of one. */
const mostPictures = 8
const mostBytes = 16 * 1024 * 1024
/** Looks at the files between two looks at the folders. */
const searchEvery = 5

/** There is nothing to show. */
export class NothingToShow extends Schema.TaggedError<NothingToShow>()("NothingToShow", { message: Schema.String }) {}

type Needs = FileSystem.FileSystem | Path.Path

interface View {
  readonly path: string
  readonly subject: Subject
  /** Takes in what its files say that is new. */
  readonly read: Effect.Effect<void, never, FileSystem.FileSystem>
}

const numberOf = (field: string | undefined): number | null => {
  const value = Number(field)
  return field === undefined || field === "" || !Number.isFinite(value) ? null : value
}

/** A picture that is a file. */
const fileOf = (path: string) =>
  Effect.mapError(
    readData.readText(path, mostBytes),
    () => new PictureFault({ message: "The picture cannot be read." })
  )

/** An episode of the policy in a folder. */
const episodeOf = (path: string) =>
  Effect.gen(function*() {
    const policy = yield* Policy.load(path)
    if (!Registry.isBuiltIn(policy.environment)) {
      return yield* new PictureFault({
        message: "Its environment does not come with Troupe, and is not run for a picture: play it with eval --video."
      })
    }
    return yield* greedyEpisode(policy, yield* learnableEnvironment(policy.environment, policy.episodeLimit ?? 0))
  }).pipe(Effect.mapError(({ message }) => new PictureFault({ message })))

const runView = Effect.fnUntraced(function*(board: Board, folder: RunFolder.RunFolder) {
  const context = yield* Effect.context<FileSystem.FileSystem>()
  const algo = folder.config["algo"]
  const subject = board.add({
    is: "run",
    name: plainLine(`${folder.envId} ${folder.preset} seed ${folder.seed}`, 120),
    state: "over",
    folder: folder.path,
    threshold: folder.rewardThreshold,
    facts: [
      ...(typeof algo === "string" ? [["algorithm", plainLine(algo, 40)] as const] : []),
      ["preset", plainLine(folder.preset, 40)],
      ["seed", String(folder.seed)],
      ["begun", new Date(folder.startedMillis).toISOString().slice(0, 19).replace("T", " ")]
    ]
  })
  const tail = new Tail(folder.file("progress.csv"))
  let columns: ReadonlyArray<string> | undefined
  let evaluated = -1
  let restarted = -1
  let pictured = false
  const at = (row: ReadonlyArray<number | null>, name: string) => row[columns!.indexOf(name)] ?? null

  const take = (line: string): void => {
    const fields = line.split(",", mostColumns)
    if (columns === undefined) {
      columns = fields.map((name) => plainLine(name, 60))
      evaluated = columns.indexOf("eval/mean_reward")
      restarted = columns.indexOf("actors/restarts")
      return
    }
    const row = columns.map((_, i) => numberOf(fields[i]))
    const mean = row[evaluated] ?? null
    if (mean === null) {
      subject.row("progress", columns, () => row)
      const restarts = row[restarted] ?? 0
      if (restarts > seen) {
        subject.say(at(row, "time/time_elapsed"), "death", `actors: ${plural(restarts - seen, "restart")}`)
        seen = restarts
      }
      return
    }
    subject.row("evaluation", columns, () => row)
    const steps = at(row, "time/total_timesteps")
    subject.say(
      at(row, "time/time_elapsed"),
      "evaluation",
      `evaluation${steps === null ? "" : ` at ${whole(steps)} steps`}: ${score(mean)}`
    )
  }
  let seen = 0

  const read = Effect.gen(function*() {
    const { anew, lines } = yield* tail.read
    if (anew) {
      columns = undefined
      seen = 0
      subject.empty()
    }
    for (const line of lines) take(line)
    if (pictured) return
    const fs = yield* FileSystem.FileSystem
    const policy = folder.file(policyFile)
    if (!(yield* Effect.orElseSucceed(fs.exists(policy), () => false))) return
    pictured = true
    const draw = Effect.provideContext(episodeOf(policy), context)
    subject.addPicture("episode.svg", "a greedy episode of its policy", draw, mostPictures)
  })
  return { path: folder.path, subject, read } satisfies View
})

const simulationView = Effect.fnUntraced(function*(board: Board, folder: SimulationFolder.SimulationFolder) {
  const context = yield* Effect.context<FileSystem.FileSystem>()
  const { config, model, seed, until } = folder.config
  const subject = board.add({
    is: "simulation",
    name: plainLine(`${model} seed ${seed}`, 120),
    state: "over",
    folder: folder.path,
    threshold: null,
    facts: [
      ["seed", String(seed)],
      ["until", until === null ? "it ends by itself" : String(until)],
      ...Object.entries(config).slice(0, mostColumns).map(([name, value]) =>
        [plainLine(name, 60), plainLine(JSON.stringify(value), 60)] as const
      )
    ]
  })
  const tail = new Tail(SimulationFolder.fileIn(folder, "series.jsonl"))
  const known = new Set<string>()
  const read = Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const { anew, lines } = yield* tail.read
    if (anew) subject.empty()
    for (const line of lines) {
      const row = Schema.decodeOption(SimulationFolder.RowFromJson)(line)
      if (Option.isSome(row)) addRow(subject, row.value)
    }
    const names = yield* Effect.orElseSucceed(fs.readDirectory(folder.path), (): Array<string> => [])
    // The series is drawn by the page itself.
    for (const name of names.toSorted()) {
      if (!/^[\w.-]+\.svg$/.test(name) || name === "series.svg" || known.has(name) || known.size === mostPictures) {
        continue
      }
      known.add(name)
      const draw = Effect.provideContext(fileOf(SimulationFolder.fileIn(folder, name)), context)
      subject.addPicture(name, name.slice(0, -".svg".length), draw, mostPictures)
    }
  })
  return { path: folder.path, subject, read } satisfies View
})

export class FolderViews {
  private readonly board: Board
  private readonly folders: ReadonlyArray<string>
  private readonly views = new Map<string, View>()
  private ticks = 0

  constructor(board: Board, folders: ReadonlyArray<string>) {
    this.board = board
    this.folders = folders
  }

  /** Fails where somebody has named what is no folder. */
  readonly confirm: Effect.Effect<void, NothingToShow, FileSystem.FileSystem> = Effect.gen({ self: this }, function*() {
    const fs = yield* FileSystem.FileSystem
    for (const folder of this.folders) {
      const found = yield* Effect.option(fs.stat(folder))
      if (Option.isSome(found) && found.value.type === "Directory") continue
      return yield* new NothingToShow({
        message: `There is no folder ${
          plainLine(folder, 200)
        }: name that of a run or a simulation, or one that holds such.`
      })
    }
  })

  /** How many are shown. */
  get size(): number {
    return this.views.size
  }

  /** Looks for runs and simulations that are new. */
  private readonly search = Effect.suspend(() =>
    Effect.forEach(this.folders, (folder) => this.searchIn(folder, deepest), { discard: true })
  )

  private searchIn(at: string, depth: number): Effect.Effect<void, never, Needs> {
    return Effect.gen({ self: this }, function*() {
      const fs = yield* FileSystem.FileSystem
      const paths = yield* Path.Path
      const path = paths.resolve(at)
      if (this.views.size >= mostFolders || this.views.has(path)) return
      const names = yield* Effect.orElseSucceed(fs.readDirectory(path), (): Array<string> => [])
      if (names.includes("config.json")) {
        const view = yield* this.viewOf(path)
        if (view !== undefined) this.views.set(path, view)
        return
      }
      if (depth === 0) return
      for (const name of names.toSorted().slice(0, mostEntries)) {
        if (!name.startsWith(".")) yield* this.searchIn(paths.join(path, name), depth - 1)
      }
    })
  }

  private viewOf(path: string): Effect.Effect<View | undefined, never, Needs> {
    return Effect.gen({ self: this }, function*() {
      const run = yield* RunFolder.read(path)
      if (Option.isSome(run)) return yield* runView(this.board, run.value)
      const simulation = yield* Effect.option(SimulationFolder.open(path))
      return Option.isSome(simulation) ? yield* simulationView(this.board, simulation.value) : undefined
    })
  }

  /** What the programs say that write into the folders. */
  private readonly inspect = Effect.gen({ self: this }, function*() {
    const programs = yield* Effect.orElseSucceed(Inspection.programs, () => [])
    const byFolder = new Map(
      programs.flatMap((program) =>
        program instanceof Inspection.InspectionFault || program.folder === null
          ? []
          : [[program.folder, program.actors] as const]
      )
    )
    for (const { path, subject } of this.views.values()) {
      const actors = byFolder.get(path)
      const state = actors === undefined ? "over" : "under way"
      if (state !== subject.state) subject.change({ state })
      if (actors !== undefined || state !== "over") subject.setActors(actorsOf(actors ?? []))
    }
  })

  /** Takes in what is new. */
  private readonly look: Effect.Effect<void, never, Needs> = Effect.gen({ self: this }, function*() {
    if (this.ticks++ % searchEvery === 0) yield* this.search
    yield* Effect.forEach(Array.from(this.views.values()), ({ read }) => Effect.andThen(read, Effect.yieldNow), {
      discard: true
    })
    yield* this.inspect
  })

  /** As `look`, for somebody who has no files at hand. */
  readonly refresh: Effect.Effect<Effect.Effect<void>, never, Needs> = Effect.map(
    Effect.context<Needs>(),
    (context) => Effect.provideContext(this.look, context)
  )
}
