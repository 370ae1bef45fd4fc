/**
 * What it is worth not to wait: `node bench/asynchronous.ts` trains on `examples/slow-environment.ts`, CartPole in which
 * one of the ten environments takes 5 ms a step, once in step and once at each environment's own pace. Prints the
 * Markdown table of `docs/asynchronous.md`, and ends with an error where `--async` is not at least as fast.
 *
 * Environment steps a second from the first training step to the last, median of three runs, and how many updates old
 * the experience was on average. The settings are those of the preset a3c in every row, the schedule apart.
 */
import { spawnSync } from "node:child_process"
import * as os from "node:os"
import { fileURLToPath } from "node:url"
import { ensureBuilt } from "../scripts/build.ts"
import { median, show } from "./report.ts"

const fromHere = (path: string) => fileURLToPath(new URL(path, import.meta.url))
const cli = fromHere("../dist/cli.js")

/** What is read of a run's lines. */
interface Line {
  readonly event: string
  readonly staleness: number
  readonly steps_per_second: number
}

interface Measured {
  readonly perSecond: number
  readonly staleness: number
}

const run = (flags: ReadonlyArray<string>): Measured => {
  const { status, stderr, stdout } = spawnSync(
    process.execPath,
    [cli, "train", "--json", "--no-run-folder", "--keep-going", "--algo", "a3c", "--n-envs", "10", ...flags],
    { encoding: "utf8", maxBuffer: 2 ** 28 }
  )
  if (status !== 0) throw new Error(`troupe ${flags.join(" ")} failed: ${stderr}`)
  const lines: ReadonlyArray<Line> = stdout.trimEnd().split("\n").map((line) => JSON.parse(line))
  const progress = lines.filter((line) => line.event === "progress")
  return {
    perSecond: lines.at(-1)!.steps_per_second,
    staleness: progress.reduce((sum, line) => sum + line.staleness, 0) / Math.max(1, progress.length)
  }
}

const measure = (flags: ReadonlyArray<string>): Measured => {
  const runs = [1, 2, 3].map(() => run(flags))
  return {
    perSecond: median(runs.map(({ perSecond }) => perSecond)),
    staleness: median(runs.map(({ staleness }) => staleness))
  }
}

const shown = (value: number): string => show({ unit: "/s", value }).replace("/s", "")

const { problems } = await ensureBuilt()
if (problems.length > 0) process.exit(1)
console.log(`Node ${process.version}, ${os.availableParallelism()} cores (${os.cpus()[0]?.model.trim()})\n`)
console.log("| environments | threads | `--sync` | `--async --max-staleness 100` | `--async` | ratio |")
console.log("| --- | --- | --- | --- | --- | --- |")

const slow = ["--env-id", fromHere("../examples/slow-environment.ts")]
/** Enough steps for a second or two each. */
const works = [
  { name: "ten of CartPole", environment: [], sync: 100_000, bounded: 100_000, async: 100_000 },
  { name: "one of ten slow", environment: slow, sync: 4_000, bounded: 10_000, async: 60_000 }
]
let held = true
for (const { environment, name, ...steps } of works) {
  for (const workers of ["10", "2"]) {
    const of = (total: number, ...flags: ReadonlyArray<string>) =>
      measure([...environment, "--workers", workers, "--total-timesteps", String(total), ...flags])
    const sync = of(steps.sync, "--sync")
    const bounded = of(steps.bounded, "--async", "--max-staleness", "100")
    const async = of(steps.async, "--async")
    const ratio = async.perSecond / sync.perSecond
    const cell = ({ perSecond, staleness }: Measured) => `${shown(perSecond)} (${staleness.toFixed(1)})`
    console.log(
      `| ${name} | ${workers} | ${shown(sync.perSecond)} | ${cell(bounded)} | ${cell(async)} | ${ratio.toFixed(1)} |`
    )
    if (environment === slow) held &&= ratio >= 1
  }
}
console.log("\nIn brackets: how many updates old what arrived was, on average. Ratio: `--async` to `--sync`.")
if (!held) throw new Error("--async is slower than --sync where one environment is slow")
