/**
 * A runner that is killed alone, its hosts left behind, and started again at once on the same port, again and again, while a
 * run asks for it without a pause: each successor must listen and take the work within six seconds.
 *
 *     node test/soak/successors.ts --cycles 120
 *
 * The first that does not ends it, with what it said.
 */
import { type ChildProcess, spawn } from "node:child_process"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import * as path from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { fileURLToPath } from "node:url"
import { parseArgs } from "node:util"
import { ensureBuilt } from "../../scripts/build.ts"

const cli = fileURLToPath(new URL("../../dist/cli.js", import.meta.url))
const { values } = parseArgs({ options: { cycles: { type: "string", default: "120" } } })

const folder = mkdtempSync(path.join(tmpdir(), "troupe-successors-"))
const secretFile = path.join(folder, "secret")
writeFileSync(secretFile, "a secret of these successors\n")

/** A program, and what it says. */
const program = (args: ReadonlyArray<string>) => {
  const child: ChildProcess = spawn(process.execPath, [cli, ...args], { stdio: ["ignore", "pipe", "pipe"] })
  const state = { said: "", complained: "" }
  child.stdout?.on("data", (chunk) => state.said += chunk)
  child.stderr?.on("data", (chunk) => state.complained += chunk)
  /** How often it has said it. */
  const count = (what: string): number => state.said.split(what).length - 1
  const until = async (what: string, times: number, millis: number): Promise<number> => {
    const began = performance.now()
    while (count(what) < times) {
      if (performance.now() - began > millis || child.exitCode !== null) {
        throw new Error(`no ${what} within ${millis} ms: ${state.said.slice(-300)} ${state.complained.slice(-600)}`)
      }
      await sleep(2)
    }
    return performance.now() - began
  }
  return { child, count, until, said: () => state.said }
}

const runner = (listen: string) => program(["runner", "--listen", listen, "--secret-file", secretFile, "--json"])
const told = (said: string): string | undefined => /"listening":"([^"]+)"/.exec(said)?.[1]

await ensureBuilt()
let present = runner("127.0.0.1:0")
await present.until("\"listening\"", 1, 30_000)
const address = told(present.said())!
const run = program([
  ..."--n-envs 4 --seed 1 --keep-going --total-timesteps 1000000000 --no-run-folder --json --placement runner".split(
    " "
  ),
  ...`--max-restarts 1000 --runner-secret-file ${secretFile} --runners ${address}`.split(" ")
])
const listening: Array<number> = []
const serving: Array<number> = []
try {
  await run.until("\"event\":\"progress\"", 1, 30_000)
  for (let cycle = 1; cycle <= Number(values.cycles); cycle++) {
    const restarts = run.count("\"kind\":\"restarted\"")
    present.child.kill("SIGKILL")
    present = runner(address)
    listening.push(await present.until("\"listening\"", 1, 6000))
    const began = performance.now()
    await run.until("\"kind\":\"restarted\"", restarts + 1, 6000)
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
