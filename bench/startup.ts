/**
 * From nothing to solved, and what it takes of memory: `node bench/startup.ts`. Whole processes of `--n-envs 10`, seeds 1 to
 * 10, one after the other.
 *
 * Times to the first training step and to solved are of the process's own clock, which begins when Node does; the others
 * are read from outside, from before the process is asked for until the line that says `finished`. Memory is the most that
 * was resident, as the process itself says when it ends.
 */
import { spawn } from "node:child_process"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"
import { ensureBuilt } from "../scripts/build.ts"
import { type Figure, figure, isQuick, print, say } from "./report.ts"
import { cli } from "./throughput.ts"

const { problems } = await ensureBuilt()
if (problems.length > 0) process.exit(1)

interface Finished {
  readonly event: string
  readonly env_steps: number
  readonly solved: boolean
  readonly wall_seconds: number
  readonly startup_seconds: number
}

interface Outcome {
  readonly finished: Finished
  /** Seconds until `finished` was read. */
  readonly outside: number
  /** Most MiB resident; NaN where nothing said so. */
  readonly resident: number
}

/** Says at its end how much was resident. */
const telling =
  `data:text/javascript,process.on("exit",()=>process.stderr.write(\`maxRSS=\${process.resourceUsage().maxRSS}\`))`

const run = (command: string, args: ReadonlyArray<string>): Promise<Outcome> =>
  new Promise((resolve, reject) => {
    const start = performance.now()
    const child = spawn(command, args, {
      cwd: fileURLToPath(new URL("..", import.meta.url)),
      stdio: ["ignore", "pipe", "pipe"],
      shell: process.platform === "win32" && command === "npm"
    })
    const deadline = setTimeout(() => child.kill("SIGKILL"), 60_000)
    let said = ""
    let finished: Finished | undefined
    let outside = Number.NaN
    child.stderr.on("data", (text) => said += text)
    createInterface({ input: child.stdout }).on("line", (line) => {
      if (!line.startsWith(`{"event":"finished"`)) return
      outside = (performance.now() - start) / 1000
      finished = JSON.parse(line)
    })
    child.on("error", reject)
    child.on("close", () => {
      clearTimeout(deadline)
      if (finished === undefined) return reject(new Error(`${command} ${args.join(" ")} did not finish: ${said}`))
      resolve({ finished, outside, resident: Number(/maxRSS=(\d+)/.exec(said)?.[1]) / 1024 })
    })
  })

const flags = (seed: number, nEnvs = 10) => [
  "--n-envs",
  String(nEnvs),
  "--seed",
  String(seed),
  "--json",
  "--no-run-folder"
]
const seeds = Array.from({ length: isQuick ? 1 : 10 }, (_, i) => i + 1)

say("start-up: node")
const alone: Array<Outcome> = []
for (const seed of seeds) alone.push(await run(process.execPath, [cli, "train", ...flags(seed)]))
if (!alone.every(({ finished }) => finished.solved)) throw new Error("a run was not solved")

say("start-up: npm")
const throughNpm: Array<Outcome> = []
for (const seed of seeds) throughNpm.push(await run("npm", ["start", "--silent", "--", ...flags(seed)]))

say("start-up: memory")
const resident = async (nEnvs: number, ...more: ReadonlyArray<string>): Promise<ReadonlyArray<number>> => {
  const all: Array<number> = []
  for (const seed of seeds.slice(0, 3)) {
    const { resident } = await run(process.execPath, [
      "--import",
      telling,
      cli,
      "train",
      ...flags(seed, nEnvs),
      ...more
    ])
    all.push(resident)
  }
  return all
}

const summary = (table: string, row: string, unit: Figure["unit"], values: ReadonlyArray<number>): Array<Figure> => [
  figure(table, row, "median", unit, values),
  figure(table, row, "least", unit, Math.min(...values)),
  figure(table, row, "most", unit, Math.max(...values))
]
const times = "CartPole-v1 solved by `--n-envs 10`, seeds 1 to 10"
const memory = "Most memory resident"
print([
  ...summary(times, "node's start to the first training step", "s", alone.map((o) => o.finished.startup_seconds)),
  ...summary(times, "node's start to solved", "s", alone.map((o) => o.finished.wall_seconds)),
  ...summary(times, "the same, seen from outside", "s", alone.map((o) => o.outside)),
  ...summary(times, "`npm start` to solved, seen from outside", "s", throughNpm.map((o) => o.outside)),
  ...summary(times, "environment steps to solved", "steps", alone.map((o) => o.finished.env_steps)),
  ...summary(memory, "the default run, 10 environments in 2 threads", "MiB", await resident(10)),
  ...summary(memory, "the same in fibers", "MiB", await resident(10, "--placement", "fiber")),
  ...summary(
    memory,
    "10,000 environments, 500,000 steps",
    "MiB",
    await resident(isQuick ? 100 : 10_000, "--keep-going", "--total-timesteps", isQuick ? "5000" : "500000")
  )
])
