/**
 * Trainers of one run that are killed or frozen, by a seed, and replaced by others: the run ends with the weights of one that
 * nothing befalls, and who was frozen changes nothing in its folder when it wakes up. Tells how long it took until the next trained.
 *
 *     node test/soak/trainers.ts --database postgres --seeds 0..9 [--how SIGKILL|SIGSTOP] [--restart]
 *
 * `--restart`: the database is killed too, amid the run, and started again after three seconds.
 */
import { NodeServices } from "@effect/platform-node"
import { Effect, Exit, Scope } from "effect"
import { type ChildProcess, spawn } from "node:child_process"
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import * as path from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { fileURLToPath } from "node:url"
import { parseArgs } from "node:util"
import { ensureBuilt } from "../../scripts/build.ts"
import { Pcg64 } from "../../src/random/Pcg64.ts"
import * as postgres from "../postgres.ts"

const { values } = parseArgs({
  options: {
    database: { type: "string", default: "sqlite" },
    seeds: { type: "string", default: "0..9" },
    how: { type: "string" },
    restart: { type: "boolean", default: false }
  }
})
const [first = 0, last = first] = values.seeds.split("..").map(Number)

const cli = fileURLToPath(new URL("../../dist/cli.js", import.meta.url))
const flags = "--n-envs 10 --seed 1 --keep-going --total-timesteps 150000 --eval-episodes 1 --json".split(" ")

interface Program {
  readonly child: ChildProcess
  readonly said: () => string
  /** When it first said so, by the monotonic clock. */
  readonly says: (what: string) => Promise<number>
  readonly ended: Promise<number | null>
}

const program = (cwd: string, args: ReadonlyArray<string>): Program => {
  const child = spawn(process.execPath, [cli, ...args], { cwd, stdio: ["ignore", "pipe", "pipe"] })
  let said = ""
  const ended = new Promise<number | null>((resolve) => child.on("close", resolve))
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => said += chunk)
  const says = async (what: string) => {
    for (let waited = 0; !said.includes(what); waited += 2) {
      if (waited > 60_000 || child.exitCode !== null) throw new Error(`never said ${what}: ${said.slice(-1000)}`)
      await sleep(2)
    }
    return performance.now()
  }
  return { child, said: () => said, says, ended }
}

const hashOf = (said: string): string => /"weights_sha256":"(\w+)"/.exec(said)?.[1] ?? "none"

const contents = (folder: string): string =>
  JSON.stringify(
    readdirSync(folder, { recursive: true, encoding: "utf8" }).toSorted()
      .filter((name) => statSync(path.join(folder, name)).isFile())
      .map((name) => [name, readFileSync(path.join(folder, name), "latin1")])
  )

/** Answers the milliseconds from the end of the one to the first work of the other. */
const replaced = async (seed: number, clusterIn: (cwd: string) => Promise<string>, restart: () => Promise<void>) => {
  const random = Pcg64.fromSeed(seed)
  const cwd = mkdtempSync(path.join(tmpdir(), "trainers-"))
  const programs: Array<Program> = []
  const begin = (args: ReadonlyArray<string>) => {
    const begun = program(cwd, args)
    programs.push(begun)
    return begun
  }
  try {
    writeFileSync(path.join(cwd, "secret"), "of this soak, and of no other\n")
    const cluster = ["--cluster", await clusterIn(cwd)]
    const runners = [0, 1].map(() =>
      begin(["runner", "--listen", "127.0.0.1:0", "--secret-file", "secret", "--json", ...cluster])
    )
    await Promise.all(runners.map(({ says }) => says("listening")))
    const trains = [
      ...flags,
      ..."--placement runner --runners cluster --workers 2 --checkpoint-interval 20 --runner-secret-file secret".split(
        " "
      ),
      ...cluster
    ]
    const one = begin(trains)
    await one.says(`"event":"started"`)
    const two = begin(trains)
    await two.says("waiting to take it over")
    await one.says(`"event":"checkpoint"`)
    await sleep(random.uniform(0, 400))
    const how = values.how ?? (random.integers(0, 2) === 0 ? "SIGKILL" : "SIGSTOP")
    one.child.kill(how === "SIGSTOP" ? "SIGSTOP" : "SIGKILL")
    const gone = performance.now()
    if (values.restart) await restart()
    const elected = (await two.says("Taking over")) - gone
    const took = (await two.says(`"event":"started"`)) - gone
    const woken = how === "SIGSTOP" && random.integers(0, 2) === 0
    // Half of them wake up amid the other's work, half when that is over.
    if (woken) one.child.kill("SIGCONT")
    const code = await two.ended
    if (code !== 0) throw new Error(`seed ${seed}: the second ended with ${code}: ${two.said().slice(-1000)}`)
    const folder = path.join(cwd, "runs", readdirSync(path.join(cwd, "runs"))[0]!)
    const before = contents(folder)
    if (how === "SIGSTOP") {
      if (!woken) one.child.kill("SIGCONT")
      if ((await one.ended) !== 1) throw new Error(`seed ${seed}: who woke up did not fail: ${one.said().slice(-1000)}`)
      if (!/term 1/.test(one.said())) throw new Error(`seed ${seed}: without a word: ${one.said().slice(-1000)}`)
    }
    if (contents(folder) !== before) throw new Error(`seed ${seed}: who woke up has written into ${folder}`)
    return { how, elected, took, hash: hashOf(two.said()) }
  } finally {
    for (const { child } of programs) child.kill("SIGKILL")
    await Promise.all(programs.map(({ ended }) => ended))
    rmSync(cwd, { recursive: true, force: true })
  }
}

const median = (numbers: ReadonlyArray<number>): number =>
  numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? NaN

await ensureBuilt()
const scope = Scope.makeUnsafe()
const server = values.database === "postgres"
  ? await Effect.runPromise(postgres.server.pipe(Scope.provide(scope), Effect.provide(NodeServices.layer)))
  : undefined
const clusterIn = (cwd: string): Promise<string> =>
  server === undefined
    ? Promise.resolve(`sqlite:${path.join(cwd, "cluster.db")}`)
    : Effect.runPromise(postgres.database(server.url))
const restart = async () => {
  if (server === undefined) throw new Error("a file is not started again")
  await Effect.runPromise(server.kill)
  await sleep(3000)
  await Effect.runPromise(server.start)
}

const alone = program(tmpdir(), [...flags, "--placement", "fiber", "--no-run-folder"])
await alone.ended
const took: Record<string, Array<number>> = {}
for (let seed = first; seed <= last; seed++) {
  const outcome = await replaced(seed, clusterIn, restart)
  if (outcome.hash !== hashOf(alone.said())) {
    throw new Error(`seed ${seed}: ${outcome.hash}, alone ${hashOf(alone.said())}`)
  }
  const all = took[outcome.how] ??= []
  all.push(outcome.took)
  console.log(
    `seed ${seed}: ${outcome.how}, the next was elected after ${outcome.elected.toFixed(0)} ms, trained after ${
      outcome.took.toFixed(0)
    } ms`
  )
}
for (const [how, all] of Object.entries(took)) {
  console.log(
    `${values.database}, ${how}: ${all.length} times, median ${median(all).toFixed(0)} ms, at most ${
      Math.max(...all).toFixed(0)
    } ms`
  )
}
await Effect.runPromise(Scope.close(scope, Exit.void))
