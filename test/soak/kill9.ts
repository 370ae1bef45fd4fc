/**
 * kill -9 of the whole program at random moments of a run, resumed each time until its end: the same weights, and the
 * same rows in the folder, as if nothing had been.
 *
 *     node test/soak/kill9.ts --kills 100 --seed 1 [-- flags of train]
 *
 * The moments are drawn from the seed, the outcome does not depend on them. A run that reaches its end before the last
 * kill is checked, and another begun.
 */
import { spawn } from "node:child_process"
import * as fs from "node:fs"
import { tmpdir } from "node:os"
import * as path from "node:path"
import { fileURLToPath } from "node:url"
import { ensureBuilt } from "../../scripts/build.ts"
import { Pcg64 } from "../../src/random/Pcg64.ts"

const cli = fileURLToPath(new URL("../../dist/cli.js", import.meta.url))

/** A run of a second or so that keeps a checkpoint every few milliseconds. */
export const flags: ReadonlyArray<string> = [
  "--n-envs=6",
  "--seed=1",
  "--keep-going",
  "--total-timesteps=60000",
  "--eval-episodes=10",
  "--checkpoint-interval=25",
  "--log-interval=10"
]

interface Ended {
  /** Null where it was killed. */
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs the program, and kills it after so many milliseconds. */
const troupe = (args: ReadonlyArray<string>, killAfter?: number): Promise<Ended> =>
  new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [cli, "train", ...args], { stdio: ["ignore", "pipe", "pipe"] })
    let stdout = ""
    let stderr = ""
    child.stdout.on("data", (chunk) => stdout += chunk)
    child.stderr.on("data", (chunk) => stderr += chunk)
    const timer = setTimeout(() => child.kill("SIGKILL"), killAfter ?? 120_000)
    child.on("error", reject)
    child.on("close", (code) => {
      clearTimeout(timer)
      if (code === null && killAfter === undefined) reject(new Error("a run did not come to its end in two minutes"))
      else if (code !== null && code !== 0) reject(new Error(`the program ended with ${code}: ${stderr}`))
      else resolve({ code, stdout, stderr })
    })
  })

const finalHash = (stdout: string): string => /"weights_sha256":"(\w+)"/.exec(stdout)?.[1] ?? "none"

/** A run folder's rows, without what the clock or the layout decides. */
export const rowsOf = (folder: string): unknown => {
  const fluctuating = new Set(["time/fps", "time/time_elapsed", "actors/restarts"])
  const jsonl = fs.readFileSync(path.join(folder, "progress.jsonl"), "utf8").trimEnd().split("\n").map((line) => {
    const row: unknown = JSON.parse(line)
    return Object.entries(row ?? {}).filter(([name]) => !fluctuating.has(name))
  })
  const [names = "", ...csv] = fs.readFileSync(path.join(folder, "progress.csv"), "utf8").trimEnd().split("\n")
  const columns = names.split(",")
  const [, header, ...episodes] = fs.readFileSync(path.join(folder, "monitor.csv"), "utf8").trimEnd().split("\n")
  return {
    jsonl,
    columns,
    csv: csv.map((row) => row.split(",").filter((_, i) => !fluctuating.has(columns[i] ?? ""))),
    header,
    episodes: episodes.map((row) => row.split(",").filter((_, i) => i !== 2)),
    // Its records hold times, all of the same length.
    tensorBoard: fs.readdirSync(folder)
      .filter((name) => name.startsWith("events.out.tfevents."))
      .map((name) => lengthsOf(fs.readFileSync(path.join(folder, name))))
  }
}

/** The lengths of the records of an event file; the settings, which name folders, are only told to be there. */
const lengthsOf = (bytes: Buffer): ReadonlyArray<number | string> => {
  const lengths: Array<number | string> = []
  for (let at = 0; at < bytes.length;) {
    const length = Number(bytes.readBigUInt64LE(at))
    const isSettings = bytes.subarray(at, at + 16 + length).includes("settings") ||
      bytes.subarray(at, at + 16 + length).includes("session_start_info")
    lengths.push(isSettings ? "settings" : length)
    at += 16 + length
  }
  return lengths
}

/** What came of it. */
export interface Outcome {
  readonly kills: number
  /** Runs that reached their end. */
  readonly runs: number
  /** Kills after which there was no checkpoint, or not even a folder. */
  readonly early: number
}

/** Kills as often; throws where a run ends with other weights or rows than the undisturbed one. */
export const killing = async (kills: number, seed: number, given: ReadonlyArray<string> = flags): Promise<Outcome> => {
  await ensureBuilt()
  const home = fs.mkdtempSync(path.join(tmpdir(), "troupe-kill9-"))
  const folderIn = (place: string): string | undefined => {
    const [name] = fs.existsSync(place) ? fs.readdirSync(place) : []
    const folder = name === undefined ? undefined : path.join(place, name)
    return folder !== undefined && fs.existsSync(path.join(folder, "config.json")) ? folder : undefined
  }
  try {
    const calm = path.join(home, "calm")
    const began = performance.now()
    const expected = finalHash((await troupe([...given, "--json", "--log-dir", calm])).stdout)
    // As long as a whole run takes: some kills come too late.
    const longest = performance.now() - began
    const rows = JSON.stringify(rowsOf(folderIn(calm)!))
    const random = Pcg64.fromSeed(seed)
    let killed = 0
    let runs = 0
    let early = 0
    for (let run = 0; killed < kills || runs === 0; run++) {
      const place = path.join(home, String(run))
      while (true) {
        const folder = folderIn(place)
        if (folder === undefined) fs.rmSync(place, { recursive: true, force: true })
        const args = folder === undefined
          ? [...given, "--json", "--log-dir", place]
          : ["--resume", folder, "--json", `--workers=${1 + random.integers(0, 2)}`]
        const { code, stdout } = await troupe(args, killed < kills ? random.uniform(0.1, 1) * longest : undefined)
        if (code === 0) {
          runs++
          const hash = finalHash(stdout)
          if (hash !== expected) throw new Error(`seed ${seed}: ended with ${hash}, not with ${expected}`)
          if (JSON.stringify(rowsOf(folderIn(place)!)) !== rows) throw new Error(`seed ${seed}: ended with other rows`)
          break
        }
        killed++
        const left = folderIn(place)
        if (left === undefined || !fs.existsSync(path.join(left, "checkpoints"))) early++
      }
      fs.rmSync(place, { recursive: true, force: true })
    }
    return { kills: killed, runs, early }
  } finally {
    fs.rmSync(home, { recursive: true, force: true })
  }
}

if (process.argv[1] !== undefined && fs.realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const at = (name: string, otherwise: number): number => {
    const i = process.argv.indexOf(name)
    return i < 0 ? otherwise : Number(process.argv[i + 1])
  }
  const own = process.argv.indexOf("--")
  const began = performance.now()
  const { early, kills, runs } = await killing(
    at("--kills", 100),
    at("--seed", 1),
    own < 0 ? flags : process.argv.slice(own + 1)
  )
  process.stdout.write(
    `${kills} kills, ${early} of them before the first checkpoint, ${runs} runs to their end, all with the same weights and rows; ` +
      `${((performance.now() - began) / 1000).toFixed(0)} s\n`
  )
}
