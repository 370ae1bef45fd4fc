/**
 * A runner that is killed alone, its hosts left behind, and started again at once on the same port, again and again, while a
 * run asks for it without a pause: each successor must listen and take the work within so many seconds.
 *
 *     node test/soak/successors.ts --cycles 120 --within 6
 *
 * The first that does not ends it, with what it said.
 */
import { type ChildProcess, spawn } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import * as path from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { fileURLToPath } from "node:url"
import { parseArgs } from "node:util"
import { ensureBuilt } from "../../scripts/build.ts"

const cli = fileURLToPath(new URL("../../dist/cli.js", import.meta.url))
const { values } = parseArgs({
  options: { cycles: { type: "string", default: "120" }, within: { type: "string", default: "6" } }
})
const within = 1000 * Number(values.within)

const folder = mkdtempSync(path.join(tmpdir(), "troupe-successors-"))
const secretFile = path.join(folder, "secret")
writeFileSync(secretFile, "a secret of these successors\n")

const listening: Array<number> = []
const serving: Array<number> = []

const awaited = ["\"listening\"", "\"event\":\"progress\"", "\"kind\":\"restarted\""] as const
/** Where the first listened. */
let address: string | undefined

/** What a process is at, where the system tells. */
const stateOf = (pid: number | undefined): string => {
  try {
    return readFileSync(`/proc/${pid}/stat`, "utf8").split(" ").slice(2, 15).join(" ")
  } catch {
    return "gone"
  }
}

/** A program, and what it says. */
const program = (args: ReadonlyArray<string>) => {
  const child: ChildProcess = spawn(process.execPath, [cli, ...args], { stdio: ["ignore", "pipe", "pipe"] })
  const state = { said: "", complained: "" }
  const counts = new Map<string, number>()
  child.stdout?.on("data", (chunk) => {
    const lines = (state.said + chunk).split("\n")
    state.said = lines.pop() ?? ""
    for (const line of lines) {
      for (const what of awaited) if (line.includes(what)) counts.set(what, (counts.get(what) ?? 0) + 1)
      address ??= /"listening":"([^"]+)"/.exec(line)?.[1]
    }
  })
  child.stderr?.on("data", (chunk) => state.complained = (state.complained + chunk).slice(-600))
  /** How often it has said it. */
  const count = (what: (typeof awaited)[number]): number => counts.get(what) ?? 0
  const until = async (what: (typeof awaited)[number], times: number, millis: number): Promise<number> => {
    const began = performance.now()
    while (count(what) < times) {
      if (performance.now() - began > millis || child.exitCode !== null) {
        const cycle = `cycle ${listening.length}: no ${what} within ${millis} ms, exit ${child.exitCode}`
        throw new Error(`${cycle}: ${state.complained} ${stateOf(child.pid)}`)
      }
      await sleep(2)
    }
    return performance.now() - began
  }
  return { child, count, until }
}

const runner = (listen: string) => program(["runner", "--listen", listen, "--secret-file", secretFile, "--json"])

await ensureBuilt()
let present = runner("127.0.0.1:0")
await present.until("\"listening\"", 1, 30_000)
const run = program([
  ..."--n-envs 4 --seed 1 --keep-going --log-interval 1000 --total-timesteps 1000000000 --no-run-folder --json --placement runner"
    .split(
      " "
    ),
  ...`--max-restarts 1000 --runner-secret-file ${secretFile} --runners ${address}`.split(" ")
])
try {
  await run.until("\"event\":\"progress\"", 1, 30_000)
  for (let cycle = 1; cycle <= Number(values.cycles); cycle++) {
    const restarts = run.count("\"kind\":\"restarted\"")
    present.child.kill("SIGKILL")
    present = runner(address!)
    listening.push(await present.until("\"listening\"", 1, within))
    const began = performance.now()
    await run.until("\"kind\":\"restarted\"", restarts + 1, within)
    serving.push(performance.now() - began)
    // Sometimes while its spare begins, sometimes when all is quiet.
    await sleep(cycle % 4 * 100)
  }
} finally {
  run.child.kill("SIGKILL")
  present.child.kill("SIGKILL")
  rmSync(folder, { recursive: true, force: true })
}
const summary = (millis: Array<number>): string => {
  const sorted = millis.toSorted((a, b) => a - b)
  return `median ${sorted[sorted.length >> 1]!.toFixed(0)} ms, longest ${sorted.at(-1)!.toFixed(0)} ms`
}
console.log(`${listening.length} successors listened: ${summary(listening)}; they had the work: ${summary(serving)}`)
