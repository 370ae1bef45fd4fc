/**
 * How fast a run trains: `node bench/training.ts`. Environment steps a second of warm runs in processes of their own.
 *
 * - the notebook's work (`throughput.ts`), in every placement, beside the same kernels in a loop without actors
 *   (`bare-loop.ts`); all take their turns, round after round, so that whatever else runs on the machine hits all alike;
 * - networks against numbers of environments, and the presets.
 */
import { execFile } from "node:child_process"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { ensureBuilt } from "../scripts/build.ts"
import { type Figure, figure, isQuick, median, print, say } from "./report.ts"
import { flagsOf, measuring, notebook, ratesBySecond, settling, throughput } from "./throughput.ts"

const { problems } = await ensureBuilt()
if (problems.length > 0) process.exit(1)

const fromHere = (path: string) => fileURLToPath(new URL(path, import.meta.url))

const bareRate = async (settings: object, threads: 1 | 2): Promise<number> => {
  const args = [fromHere("./bare-loop.ts"), JSON.stringify(settings), String(threads), String(measuring)]
  const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: 60_000 })
  return Number(stdout)
}

const rounds = isQuick ? 1 : 4
const presetRounds = isQuick ? 1 : 3
const batch = notebook.nEnvs * notebook.nSteps
const fourEpochs = { ...notebook, nEpochs: 4 }
const plain = { ...notebook, envId: fromHere("./fixtures/plain-cart-pole.ts") }

const placements = {
  "fiber": ["--placement", "fiber"],
  "1 thread": ["--workers", "1"],
  "2 threads": ["--workers", "2"],
  "default": []
} as const

/** The notebook's work: who does it, how, and what is measured. */
const works: ReadonlyArray<readonly [row: string, column: string, measure: () => Promise<number>]> = [
  ["one update an iteration", notebook] as const,
  ["four epochs", fourEpochs] as const,
  ["environment in plain TypeScript", plain] as const
].flatMap(([row, settings]) => [
  // A smoke has each work, and one of them in every way.
  ...Object.entries(placements).filter(([column]) => !isQuick || settings === notebook || column === "default").map((
    [column, flags]
  ) => [row, column, () => throughput([...flagsOf(settings), ...flags], batch, settling)] as const),
  ...(settings === notebook
    ? [
      [
        row,
        "2 processes",
        () => throughput([...flagsOf(settings), "--placement", "process", "--workers", "2"], batch, settling)
      ] as const
    ]
    : []),
  ...(!isQuick || settings === notebook
    ? [
      [row, "bare loop, 1 thread", () => bareRate(settings, 1)] as const,
      [row, "bare loop, 2 threads", () => bareRate(settings, 2)] as const
    ]
    : [])
])

const figures: Array<Figure> = []

const rates = works.map((): Array<number> => [])
for (let round = 0; round < rounds; round++) {
  say(`training: the notebook's work, round ${round + 1} of ${rounds}`)
  for (const [i, [, , measure]] of works.entries()) rates[i]!.push(await measure())
}
const work = "Training on the notebook's work (10 environments × 20 steps, hidden 256, Adam)"
works.forEach(([row, column], i) => figures.push(figure(work, row, column, "/s", rates[i]!)))

/** The rates of a row by column, a number a round. */
type Row = (column: string) => ReadonlyArray<number>

const loops = "The run's rate by the bare loop's, within a round"

/** One rate by another, within the same round. */
const ratio = (row: string, column: string, of: ReadonlyArray<number>, by: ReadonlyArray<number>): Figure =>
  figure(
    loops,
    row,
    column,
    "x",
    of.map((rate, round) => rate / by[round]!)
  )

/** What a run without a word about placement gets of the best that it could have had, the medians of all rounds. */
const ofTheBest = (row: string, of: Row): Figure => {
  const best = Math.max(...(["fiber", "1 thread", "2 threads"] as const).map((column) => median(of(column))))
  return figure("The rate of the default by the best of fibers, one and two threads", row, "default", "x", [
    median(of("default")) / best
  ])
}

for (const row of new Set(works.flatMap(([row, column]) => column === "fiber" ? [row] : []))) {
  const of: Row = (column) => rates[works.findIndex(([r, c]) => r === row && c === column)]!
  figures.push(
    ratio(row, "fiber", of("fiber"), of("bare loop, 1 thread")),
    ratio(row, "2 threads", of("2 threads"), of("bare loop, 2 threads")),
    ratio(row, "bare loop, 2 threads by 1", of("bare loop, 2 threads"), of("bare loop, 1 thread")),
    ofTheBest(row, of)
  )
}

const networks = isQuick ? ["64,64"] : ["64,64", "256"]
const counts = isQuick ? [1, 100] : [1, 10, 100, 1000, 10_000]
for (const hidden of networks) {
  say(`training: hidden ${hidden}`)
  for (const nEnvs of counts) {
    for (const column of ["fiber", "2 threads"] as const) {
      // One environment has work for one thread only.
      if (nEnvs === 1 && column === "2 threads") continue
      // A policy that does not learn: long episodes cost fewer resets, and few environments learn in more updates.
      const still = ["--lr", "0.0000000001"]
      const flags = [...placements[column], "--n-envs", String(nEnvs), "--hidden", hidden, ...still]
      figures.push(
        figure(
          "Training with the preset a2c, by network and number of environments",
          `${hidden}: ${nEnvs}`,
          column,
          "/s",
          await throughput(flags, nEnvs * 5)
        )
      )
    }
  }
}

const presets = { "a2c": 50, "ppo": 200, "a3c": 20, "notebook-ray": 200, "notebook-a3c": 100 }
const columns = isQuick ? ["fiber"] as const : ["fiber", "1 thread", "2 threads", "default"] as const
for (const [preset, batch] of Object.entries(presets)) {
  say(`training: preset ${preset}`)
  const found = columns.map((): Array<number> => [])
  for (let round = 0; round < presetRounds; round++) {
    for (const [i, column] of columns.entries()) {
      found[i]!.push(await throughput(["--preset", preset, ...placements[column]], batch, settling))
    }
  }
  for (const [i, column] of columns.entries()) {
    figures.push(figure("Training with each preset", preset, column, "/s", found[i]!))
  }
  if (!isQuick) figures.push(ofTheBest(preset, (column) => found[columns.findIndex((c) => c === column)]!))
}

say("training: seconds of a run")
for (const [row, flags, batch] of [["notebook's work", flagsOf(notebook), 200], ["preset a2c", [], 50]] as const) {
  const bySecond = await ratesBySecond(flags, batch)
  figures.push(
    figure("The slowest second of a run by its median second", row, "default", "x", [
      Math.min(...bySecond) / median(bySecond)
    ])
  )
}

print(figures)
