/**
 * How many environment steps a second a run trains on, as its user starts it: a process of the command line, measured from
 * the time when its code is warm, and stopped when it has been measured.
 */
import { spawn } from "node:child_process"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"
import { isQuick } from "./report.ts"

export const cli = fileURLToPath(new URL("../dist/cli.js", import.meta.url))

/** Settings of the notebook's work: 10 environments, 20 steps, hidden 256, Adam, one update an iteration. */
export const notebook = {
  nEnvs: 10,
  nSteps: 20,
  hidden: [256],
  activation: "relu",
  optimizer: "adam",
  lr: 0.0003
} as const

/** The same settings as flags of the command line. */
export const flagsOf = (settings: Readonly<Record<string, unknown>>): ReadonlyArray<string> =>
  Object.entries(settings).flatMap(([name, value]) => [
    `--${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`,
    String(value)
  ])

/** Seconds of warming up, and of being measured. */
const warming = isQuick ? 0.05 : 1
export const measuring = isQuick ? 0.1 : 1

interface Progress {
  readonly env_steps: number
  /** Steps a second since the first, evaluations left out. */
  readonly fps: number
}

/**
 * Seconds until all code is warm, in two threads, and the policy has learnt: until then episodes are short, and each costs a
 * reset and an event.
 */
export const settling = isQuick ? warming : 2

/** Trains with these flags, and gives `enough` the progress that is made until it has what it wanted. */
const watch = <A>(
  flags: ReadonlyArray<string>,
  interval: number,
  deadlineMillis: number,
  enough: (steps: number, seconds: number) => A | undefined
): Promise<A> =>
  new Promise((resolve, reject) => {
    const args = [cli, "train", "--json", "--no-run-folder", "--keep-going", "--eval-episodes", "1"]
    args.push("--evaluation", "solved", "--total-timesteps", "1000000000000", "--total-episodes", "0")
    const child = spawn(process.execPath, [...args, "--log-interval", String(interval), ...flags], {
      stdio: ["ignore", "pipe", "pipe"]
    })
    let said = ""
    let found: A | undefined
    const deadline = setTimeout(() => child.kill("SIGKILL"), deadlineMillis)
    child.stderr.on("data", (text) => said += text)
    createInterface({ input: child.stdout }).on("line", (line) => {
      if (found !== undefined || !line.startsWith(`{"event":"progress"`)) return
      const { env_steps: steps, fps }: Progress = JSON.parse(line)
      found = enough(steps, steps / fps)
      if (found !== undefined) child.kill("SIGINT")
    })
    child.on("error", reject)
    child.on("close", () => {
      clearTimeout(deadline)
      if (found === undefined) reject(new Error(`troupe ${flags.join(" ")} gave no rate: ${said}`))
      else resolve(found)
    })
  })

/** Some twenty lines of progress a second at most speeds. */
const intervalOf = (batch: number): number => Math.max(1, Math.round((isQuick ? 1000 : 10_000) / batch))

/** Trains with these flags; `batch` is how many environment steps an update takes, `after` the seconds of warming up. */
export const throughput = (flags: ReadonlyArray<string>, batch: number, after = warming): Promise<number> => {
  let first: { readonly steps: number; readonly seconds: number } | undefined
  return watch(flags, intervalOf(batch), 60_000, (steps, seconds) => {
    if (!(seconds >= after)) return undefined
    if (first === undefined) {
      first = { steps, seconds }
      return undefined
    }
    return seconds - first.seconds >= measuring ? (steps - first.steps) / (seconds - first.seconds) : undefined
  })
}

/** Seconds over which the scatter of a run's rate is looked at. */
const scatterSeconds = isQuick ? 0.4 : 15

/** The rate of each second of a run, the first one after its warming up. */
export const ratesBySecond = (
  flags: ReadonlyArray<string>,
  batch: number,
  after = settling
): Promise<ReadonlyArray<number>> => {
  const rates: Array<number> = []
  let last: { readonly steps: number; readonly seconds: number } | undefined
  const length = isQuick ? 0.2 : 1
  return watch(flags, intervalOf(batch), 120_000, (steps, seconds) => {
    if (!(seconds >= after)) return undefined
    if (last === undefined || seconds - last.seconds >= length) {
      if (last !== undefined) rates.push((steps - last.steps) / (seconds - last.seconds))
      last = { steps, seconds }
    }
    return rates.length >= scatterSeconds / length ? rates : undefined
  })
}
