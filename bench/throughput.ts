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
export const measuring = isQuick ? 0.1 : 1.5

interface Progress {
  readonly env_steps: number
  /** Steps a second since the first, evaluations left out. */
  readonly fps: number
}

/**
 * Seconds until all code is warm, in two threads, and the policy has learnt: until then episodes are short, and each costs a
 * reset and an event.
 */
export const settling = isQuick ? warming : 4

/** Trains with these flags; `batch` is how many environment steps an update takes, `after` the seconds of warming up. */
export const throughput = (flags: ReadonlyArray<string>, batch: number, after = warming): Promise<number> =>
  new Promise((resolve, reject) => {
    // Some twenty lines of progress a second at most speeds.
    const interval = Math.max(1, Math.round((isQuick ? 1000 : 10_000) / batch))
    const args = [cli, "train", "--json", "--no-run-folder", "--keep-going", "--eval-episodes", "1"]
    args.push("--evaluation", "solved", "--total-timesteps", "1000000000000", "--total-episodes", "0")
    const child = spawn(process.execPath, [...args, "--log-interval", String(interval), ...flags], {
      stdio: ["ignore", "pipe", "pipe"]
    })
    let said = ""
    let first: { readonly steps: number; readonly seconds: number } | undefined
    let rate: number | undefined
    const deadline = setTimeout(() => child.kill("SIGKILL"), 60_000)
    child.stderr.on("data", (text) => said += text)
    createInterface({ input: child.stdout }).on("line", (line) => {
      if (rate !== undefined || !line.startsWith(`{"event":"progress"`)) return
      const { env_steps: steps, fps }: Progress = JSON.parse(line)
      const seconds = steps / fps
      if (!(seconds >= after)) return
      if (first === undefined) first = { steps, seconds }
      else if (seconds - first.seconds >= measuring) {
        rate = (steps - first.steps) / (seconds - first.seconds)
        child.kill("SIGINT")
      }
    })
    child.on("error", reject)
    child.on("close", () => {
      clearTimeout(deadline)
      if (rate === undefined) reject(new Error(`troupe ${flags.join(" ")} gave no rate: ${said}`))
      else resolve(rate)
    })
  })
