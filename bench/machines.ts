/**
 * What work on runners costs: `node bench/machines.ts`. For environments whose step takes 100 and 10 microseconds, the steps a
 * second of one fiber, and of two runners on loopback with a host each, by turns; and what part that is of twice the fiber's
 * rate. Two cores that nobody else uses are wanted.
 *
 * A second table: how long an actor is away whose runner is killed, with and without a spare on the other, or is frozen or
 * cut off. A third, where it is installed (`--python`): RLlib's IMPALA with two environment runners, on environments that take
 * as long (`bench/peers/README.md`).
 */
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { type ChildProcess, execFile, spawn } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import * as path from "node:path"
import { fileURLToPath } from "node:url"
import { parseArgs, promisify } from "node:util"
import { ensureBuilt } from "../scripts/build.ts"
import { ActorSystem } from "../src/actors/ActorSystem.ts"
import * as Supervision from "../src/actors/Supervision.ts"
import { cable } from "../test/actors/fixtures/cable.ts"
import { build, secret } from "../test/actors/fixtures/runner.ts"
import { Tally } from "../test/actors/fixtures/tally.ts"
import { type Figure, figure, isQuick, median, print, say } from "./report.ts"

const fromHere = (file: string) => fileURLToPath(new URL(file, import.meta.url))
const cli = fromHere("../dist/cli.js")
const busy = fromHere("./fixtures/busy.ts")

const { values: flags } = parseArgs({
  options: { python: { type: "string", default: fromHere("../.venv-peers/bin/python") } },
  strict: false
})
const rounds = isQuick ? 1 : 3
const seconds = isQuick ? 0.1 : 4
const kills = isQuick ? 1 : 10

const folder = mkdtempSync(path.join(tmpdir(), "troupe-machines-"))
const secretFile = path.join(folder, "secret")
writeFileSync(secretFile, "a secret of this measurement\n")

/** A process that says where it listens, and what it says that by. */
const listening = (
  args: ReadonlyArray<string>,
  said: RegExp,
  env: Record<string, string> = {}
): Promise<{ readonly child: ChildProcess; readonly at: string }> =>
  new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, {
      stdio: ["ignore", "pipe", "inherit"],
      // What was compiled for one process is kept for the next, as the command line has it.
      env: { NODE_COMPILE_CACHE: fromHere("../dist/.compiled"), ...process.env, ...env }
    })
    let text = ""
    child.stdout.on("data", (chunk) => {
      text += chunk
      const at = said.exec(text)?.[1]
      if (at !== undefined) resolve({ child, at })
    })
    child.on("exit", () => reject(new Error(`a runner ended: ${text}`)))
  })

/** Steps a second of a run of so many steps. */
const rate = (micros: number, steps: number, flags: ReadonlyArray<string>): Promise<number> =>
  new Promise((resolve, reject) => {
    const args = [
      cli,
      ...`train --env-id ${busy} --n-envs 16 --n-steps 20 --seed 1 --keep-going --no-run-folder --json`.split(" "),
      ...`--log-interval 1000000 --total-timesteps ${steps}`.split(" "),
      ...flags
    ]
    const child = spawn(process.execPath, args, {
      stdio: ["ignore", "pipe", "inherit"],
      env: { ...process.env, BUSY: String(micros) }
    })
    let text = ""
    child.stdout.on("data", (chunk) => text += chunk)
    child.on("close", () => {
      const found = /"steps_per_second":([\d.]+)/.exec(text.trimEnd().split("\n").at(-1) ?? "")?.[1]
      if (found === undefined) reject(new Error(`a run did not come to its end: ${text.slice(-300)}`))
      else resolve(Number(found))
    })
  })

const figures: Array<Figure> = []

/** A row of what one makes, what two make, and what part that is of twice the one. */
const put = (
  table: string,
  micros: number,
  [one, ofOne]: readonly [string, ReadonlyArray<number>],
  [two, ofTwo]: readonly [string, ReadonlyArray<number>]
): void => {
  const row = `a step of ${micros} µs`
  figures.push(
    figure(table, row, one, "/s", ofOne),
    figure(table, row, two, "/s", ofTwo),
    figure(table, row, "of twice the one", "x", median(ofTwo) / median(ofOne) / 2)
  )
}

const efficiency = async () => {
  for (const micros of [100, 10]) {
    say(`machines: steps of ${micros} µs`)
    const runner = () =>
      listening(
        [cli, "runner", "--listen", "127.0.0.1:0", "--secret-file", secretFile, "--env-id", busy, "--json"],
        /"listening":"([^"]+)"/,
        { BUSY: String(micros) }
      )
    const pair = [await runner(), await runner()]
    const there = [
      "--placement",
      "runner",
      "--runners",
      pair.map(({ at }) => at).join(","),
      "--runner-secret-file",
      secretFile
    ]
    const fibers: Array<number> = []
    const runners: Array<number> = []
    const steps = Math.round(seconds * 1e6 / (micros + 3))
    for (let round = 0; round < rounds; round++) {
      fibers.push(await rate(micros, steps, ["--placement", "fiber"]))
      runners.push(await rate(micros, 2 * steps, there))
    }
    for (const { child } of pair) child.kill("SIGKILL")
    put("Environments on two runners", micros, ["one fiber", fibers], ["two runners", runners])
  }
}

/** Milliseconds without a sign of life after which a runner is given up, here. */
const lease = 500

/** What befalls a runner: its process ends, it and its hosts stop, or nothing comes through any more. */
type Harm = "killed" | "frozen" | "cut off"

/** Its process, and those of its hosts. */
const machineOf = ({ child }: { readonly child: ChildProcess }): ReadonlyArray<number> => [
  child.pid!,
  ...readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, "utf8").trim().split(" ").filter(Boolean).map(Number)
]

/** Milliseconds from what befalls a runner to the next answer, from another. */
const away = (how: Harm, spares: number) =>
  Effect.gen(function*() {
    const runner = () =>
      listening([fromHere("../test/actors/fixtures/runner.ts"), JSON.stringify({ spares })], /port (\d+)/)
    const pair = [yield* Effect.promise(runner), yield* Effect.promise(runner)] as const
    const wire = yield* Effect.promise(() => cable(() => Number(pair[0].at)))
    let frozen: ReadonlyArray<number> = []
    const harm = (): void => {
      if (how === "killed") pair[0].child.kill("SIGKILL")
      else if (how === "cut off") wire.cut()
      else for (const pid of frozen = machineOf(pair[0])) process.kill(pid, "SIGSTOP")
    }
    yield* Effect.addFinalizer(() =>
      Effect.sync(() => {
        for (const pid of frozen) process.kill(pid, "SIGKILL")
        for (const { child } of pair) child.kill("SIGKILL")
        wire.close()
      })
    )
    // Until spares are there.
    yield* Effect.sleep("2 seconds")
    return yield* Effect.gen(function*() {
      const tally = yield* ActorSystem.spawn(Tally, { config: { start: 0 }, supervision: Supervision.oneForOne() })
      yield* tally.Add({ n: 1 })
      const start = performance.now()
      harm()
      // The first of both has it: its runner was named first.
      if ((yield* tally.Add({ n: 1 })) !== 2) return yield* Effect.die("a message was lost")
      while ((yield* tally.Read()).incarnation < 2) yield* Effect.sleep(1)
      return performance.now() - start
    }).pipe(
      Effect.scoped,
      Effect.provide(ActorSystem.layerRunner({
        runners: [`127.0.0.1:${wire.port}`, `127.0.0.1:${pair[1].at}`],
        secret: Redacted.make(secret),
        build,
        lease,
        fence: false
      }))
    )
  }).pipe(Effect.scoped)

const recovery = async () => {
  say("machines: runners that are lost")
  for (const [how, spares] of [["killed", 0], ["killed", 1], ["frozen", 1], ["cut off", 1]] as const) {
    const times: Array<number> = []
    for (let i = 0; i < kills; i++) times.push(await Effect.runPromise(away(how, spares)))
    const table = `Until the next answer of an actor whose runner is lost, with a lease of ${lease} ms`
    const row = `${how}, ${spares === 0 ? "no spare" : "a spare"} on the other`
    figures.push(figure(table, row, "median", "ms", times), figure(table, row, "slowest", "ms", Math.max(...times)))
  }
}

/** What a peer prints of itself. */
type Rows = ReadonlyArray<{ readonly row: string; readonly values: ReadonlyArray<number> }>

const rllib = async () => {
  if (isQuick) return
  say("machines: RLlib")
  const python = String(flags.python)
  const ran = promisify(execFile)(python, [fromHere("./peers/rllib_impala.py"), "100", "10"], {
    timeout: 300_000,
    maxBuffer: 2 ** 26
  })
  const said = await ran.then(({ stdout }) => stdout, (error: Error) => {
    say(`RLlib is left out: ${error.message.trim().split("\n").at(-1)}`)
  })
  const line = said?.split("\n").findLast((line) => line.startsWith("[{"))
  if (line === undefined) return
  const rows: Rows = JSON.parse(line)
  for (const micros of [100, 10]) {
    const of = (where: string) => rows.find(({ row }) => row.includes(`of ${micros} µs, ${where}`))?.values ?? []
    put("RLlib's IMPALA", micros, ["one process", of("one process")], ["two env runners", of("2 env runners")])
  }
}

const { problems } = await ensureBuilt()
if (problems.length > 0) process.exit(1)
await efficiency()
await recovery()
await rllib()
rmSync(folder, { recursive: true })
print(figures)
