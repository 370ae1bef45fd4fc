/** Runners and trainers that meet in a database: who is gone is replaced, and the run ends with the weights of any other. */
import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Layer, Schedule } from "effect"
import { spawn } from "node:child_process"
import { mkdirSync, readdirSync, readFileSync, rmdirSync, statSync } from "node:fs"
import * as path from "node:path"
import { fileURLToPath } from "node:url"
import { Cluster } from "../src/runtime/cluster/Cluster.ts"
import { onePostgres } from "./onePostgres.ts"
import * as postgres from "./postgres.ts"
import { live, type Outcome, temporary, troupe } from "./program.ts"
import { runner } from "./runnerProcess.ts"

const cli = fileURLToPath(new URL("../dist/cli.js", import.meta.url))
/** Long enough to be stopped in the middle, on any machine. */
const flags = "--n-envs 10 --seed 1 --keep-going --total-timesteps 30000 --eval-episodes 5 --json".split(" ")

const hashOf = ({ stderr, stdout }: Outcome): string => {
  const last = stdout.trimEnd().split("\n").at(-1) ?? ""
  assert.include(last, `"event":"finished"`, stderr)
  return /"weights_sha256":"(\w+)"/.exec(last)![1]!
}

/** Everything in the one folder of a run, by name. */
const contents = (cwd: string): Record<string, string> => {
  const runs = path.join(cwd, "runs")
  const [folder, ...others] = readdirSync(runs)
  assert.deepStrictEqual(others, [])
  const run = path.join(runs, folder!)
  return Object.fromEntries(
    readdirSync(run, { recursive: true, encoding: "utf8" })
      .filter((name) => statSync(path.join(run, name)).isFile())
      .map((name) => [name, readFileSync(path.join(run, name), "latin1")])
  )
}

/** The rows of a run, but for how long things took. */
const rowsOf = (files: Record<string, string>) => ({
  episodes: files["monitor.csv"]!.split("\n").map((row) => row.split(",").toSpliced(2, 1)).slice(1),
  updates: [...files["progress.jsonl"]!.matchAll(/"time\/iterations":(\d+)/g)].map(([, update]) => update)
})

/** A run that nothing befalls. */
const undisturbed = Effect.runSync(Effect.cached(
  Effect.gen(function*() {
    const cwd = yield* temporary
    const outcome = yield* troupe(cwd, [...flags, "--placement", "fiber"])
    return { hash: hashOf(outcome), rows: rowsOf(contents(cwd)) }
  }).pipe(Effect.scoped)
))

interface Trainer {
  readonly kill: (signal: NodeJS.Signals) => void
  /** Completes when it has said this. */
  readonly says: (what: string) => Effect.Effect<void>
  readonly ended: Effect.Effect<Outcome>
}

const trainer = (cwd: string, cluster: string): Effect.Effect<Trainer> =>
  Effect.sync(() => {
    const args = [
      cli,
      ...flags,
      ..."--placement runner --runners cluster --workers 2 --checkpoint-interval 50".split(" "),
      "--cluster",
      cluster,
      "--runner-secret-file",
      path.join(cwd, "secret")
    ]
    const child = spawn(process.execPath, args, { cwd, stdio: ["ignore", "pipe", "pipe"] })
    let stdout = ""
    let stderr = ""
    child.stdout.on("data", (chunk) => stdout += chunk)
    child.stderr.on("data", (chunk) => stderr += chunk)
    const ended = new Promise<Outcome>((resolve) => child.on("close", (code) => resolve({ code, stdout, stderr })))
    return {
      kill: (signal) => void child.kill(signal),
      says: (what) =>
        Effect.sync(() => stdout.includes(what) || stderr.includes(what)).pipe(
          Effect.repeat({ until: (said) => said, schedule: Schedule.spaced(5) }),
          Effect.timeoutOrElse({ duration: "20 seconds", orElse: () => Effect.die(`never said ${what}: ${stderr}`) }),
          Effect.asVoid
        ),
      ended: Effect.promise(() => ended)
    }
  })

const scopedTrainer = (cwd: string, cluster: string) =>
  Effect.acquireRelease(trainer(cwd, cluster), ({ kill }) => Effect.sync(() => kill("SIGKILL")))

const server = onePostgres()

const databases = {
  SQLite: { isThere: true, clusterIn: (cwd: string) => Effect.succeed(`sqlite:${path.join(cwd, "cluster.db")}`) },
  PostgreSQL: { isThere: postgres.isThere, clusterIn: () => postgres.database(server.url()) }
}

describe("a runner in a cluster", () => {
  live(
    "says where it is found, and is refused in one sentence where that is nowhere",
    Effect.gen(function*() {
      const cwd = yield* temporary
      const cluster = ["--cluster", `sqlite:${path.join(cwd, "cluster.db")}`]
      yield* runner(cwd, [...cluster, "--advertise", "runner-1.example:4100"])
      const context = yield* Layer.build(Cluster.layer(cluster[1]!))
      const known = yield* Context.get(context, Cluster).runners
      assert.deepStrictEqual(known, [{ host: "runner-1.example", port: 4100 }])
      const cases: ReadonlyArray<readonly [ReadonlyArray<string>, RegExp]> = [
        [["--listen", "0.0.0.0:0", ...cluster], /^--listen 0\.0\.0\.0:0 is no address at which [^\n]*\.\n$/],
        [["--advertise", "runner-1:4100"], /^--advertise goes with --cluster\.\n$/],
        [[...cluster, "--advertise", "here"], /^--advertise must be an address [^\n]*\.\n$/]
      ]
      for (const [args, said] of cases) {
        const { code, stderr } = yield* troupe(cwd, ["runner", "--secret-file", "secret", ...args])
        assert.match(stderr, said)
        assert.strictEqual(code, 2)
      }
    })
  )
})

describe("a run of a cluster", () => {
  live(
    "is not over before all that is to be kept of it is kept",
    Effect.gen(function*() {
      const cwd = yield* temporary
      const args = "--n-envs 10 --seed 1 --total-timesteps 2000 --json --cluster sqlite:cluster.db".split(" ")
      const runs = path.join(cwd, "runs")
      // Its picture, which comes last, finds no place.
      const curve = () => path.join(runs, readdirSync(runs)[0]!, "curve.svg")
      const failed = yield* troupe(cwd, args, {
        onOutput: (stdout) => {
          if (stdout.includes(`"event":"started"`)) mkdirSync(curve(), { recursive: true })
        }
      })
      assert.strictEqual(failed.code, 1)
      assert.match(failed.stderr, /curve\.svg/)
      rmdirSync(curve())
      const outcome = yield* troupe(cwd, args)
      assert.match(outcome.stderr, /^Taking over the run run, term 2,/m)
      assert.strictEqual(outcome.code, 0, outcome.stderr)
      assert.match((yield* troupe(cwd, args)).stderr, /^The run run is over, weights \w+\./)
    })
  )
})

for (const [database, { clusterIn, isThere }] of Object.entries(databases)) {
  describe(`a trainer in a cluster in ${database}`, () => {
    for (const signal of ["SIGKILL", "SIGSTOP"] as const) {
      const name = `is replaced after ${signal}, and the run ends as if nothing had been`
      if (!isThere) {
        it.skip(`${name} (no PostgreSQL here: install Debian's postgresql, or set TROUPE_POSTGRES)`, () => {})
        continue
      }
      live(
        name,
        Effect.gen(function*() {
          const cwd = yield* temporary
          const cluster = yield* clusterIn(cwd)
          yield* Effect.all(Array.from({ length: 2 }, () => runner(cwd, ["--cluster", cluster])), {
            concurrency: "unbounded"
          })
          const first = yield* scopedTrainer(cwd, cluster)
          yield* first.says(`"event":"started"`)
          const second = yield* scopedTrainer(cwd, cluster)
          yield* first.says(`"event":"checkpoint"`)
          first.kill(signal)
          const outcome = yield* second.ended
          const alone = yield* undisturbed
          assert.strictEqual(hashOf(outcome), alone.hash)
          assert.strictEqual(outcome.code, 0)
          assert.match(outcome.stderr, /Taking over the run run, term 2/)
          const before = contents(cwd)
          if (signal === "SIGSTOP") {
            first.kill("SIGCONT")
            const woken = yield* first.ended
            assert.strictEqual(woken.code, 1, woken.stderr)
            assert.match(woken.stderr, /term 1/)
            assert.notInclude(woken.stdout, `"event":"finished"`)
          }
          assert.deepStrictEqual(contents(cwd), before)
          // Each row once, whoever wrote it.
          assert.deepStrictEqual(rowsOf(before), alone.rows)
        })
      )
    }
  })
}
