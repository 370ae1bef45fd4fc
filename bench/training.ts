/**
 * How fast a run is, as its user meets it: `npm run bench`. Prints Markdown tables.
 *
 * - *to solved*: whole processes (`troupe --n-envs 10 --seed S`, S = 1 to 10), from the start of the node process.
 * - *throughput*: long runs of fixed work, environment steps a second from the first training step to the last, for
 *   each placement; median of three.
 *
 * Two busy cores move these figures by tens of percent: compare rows of one table.
 */
import { spawnSync } from "node:child_process"
import * as os from "node:os"
import { fileURLToPath } from "node:url"
import { ensureBuilt } from "../scripts/build.ts"

const cli = fileURLToPath(new URL("../dist/cli.js", import.meta.url))

interface Finished {
  readonly env_steps: number
  readonly solved: boolean
  readonly wall_seconds: number
  readonly startup_seconds: number
  readonly steps_per_second: number
  readonly weights_sha256: string
}

const run = (...args: ReadonlyArray<string>): Finished => {
  const { status, stderr, stdout } = spawnSync(process.execPath, [cli, "train", "--json", "--no-run-folder", ...args], {
    encoding: "utf8",
    maxBuffer: 2 ** 28
  })
  if (status !== 0) throw new Error(`troupe ${args.join(" ")} failed: ${stderr}`)
  return JSON.parse(stdout.trimEnd().split("\n").at(-1)!)
}

const median = (values: ReadonlyArray<number>): number => {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

const thousands = (value: number): string => `${Math.round(value / 1000)}k`

const table = (head: ReadonlyArray<string>, rows: ReadonlyArray<ReadonlyArray<string>>): void => {
  console.log(`| ${head.join(" | ")} |\n| ${head.map(() => "---").join(" | ")} |`)
  for (const row of rows) console.log(`| ${row.join(" | ")} |`)
  console.log()
}

const { problems } = await ensureBuilt()
if (problems.length > 0) process.exit(1)
console.log(`Node ${process.version}, ${os.availableParallelism()} cores (${os.cpus()[0]?.model.trim()})\n`)

const seeds = Array.from({ length: 10 }, (_, i) => i + 1)
const solved = seeds.map((seed) => run("--n-envs", "10", "--seed", String(seed)))
if (!solved.every((finished) => finished.solved)) throw new Error("a run was not solved")
const summary = (values: ReadonlyArray<number>, show: (value: number) => string) => [
  show(median(values)),
  show(Math.min(...values)),
  show(Math.max(...values))
]
console.log("CartPole-v1 solved by `troupe --n-envs 10`, seeds 1 to 10\n")
table(["", "median", "least", "most"], [
  ["start of the process to solved, s", ...summary(solved.map((f) => f.wall_seconds), (v) => v.toFixed(2))],
  ["start of the process to first step, s", ...summary(solved.map((f) => f.startup_seconds), (v) => v.toFixed(2))],
  ["environment steps to solved", ...summary(solved.map((f) => f.env_steps), (v) => String(v))]
])

const notebook = ["--n-steps", "20", "--hidden", "256", "--activation", "relu", "--optimizer", "adam", "--lr", "0.0003"]
const works = [
  { name: "a2c (10 x 5 steps, 2 x 64 tanh)", flags: [] },
  { name: "the notebook's work (10 x 20 steps, 2 x 256 ReLU)", flags: notebook }
]
const layouts = [
  { name: "fibers of one thread", flags: ["--placement", "fiber"] },
  { name: "1 thread", flags: ["--workers", "1"] },
  { name: "2 threads", flags: ["--workers", "2"] }
]
console.log("Training, environment steps a second\n")
table(
  ["work", ...layouts.map(({ name }) => name)],
  works.map((work) => [
    work.name,
    ...layouts.map((layout) => {
      const long = ["--keep-going", "--total-timesteps", "400000", ...work.flags, ...layout.flags]
      return thousands(median([1, 2, 3].map(() => run(...long).steps_per_second)))
    })
  ])
)
