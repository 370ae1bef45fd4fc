/** Runners and trainers that meet in a database: who is gone is replaced, and the run ends with the weights of any other. */
import { assert, describe } from "@effect/vitest"
import { Effect, Schedule } from "effect"
import { spawn } from "node:child_process"
import { readdirSync } from "node:fs"
import * as path from "node:path"
import { fileURLToPath } from "node:url"
import { live, type Outcome, temporary, troupe } from "./program.ts"
import { runner } from "./runnerProcess.ts"

const cli = fileURLToPath(new URL("../dist/cli.js", import.meta.url))
/** Long enough to be stopped in the middle, on any machine. */
const flags = "--n-envs 10 --seed 1 --keep-going --total-timesteps 100000 --eval-episodes 5 --json".split(" ")

const hashOf = ({ stderr, stdout }: Outcome): string => {
  const last = stdout.trimEnd().split("\n").at(-1) ?? ""
  assert.include(last, `"event":"finished"`, stderr)
  return /"weights_sha256":"(\w+)"/.exec(last)![1]!
}

interface Trainer {
  readonly kill: (signal: NodeJS.Signals) => void
  /** Completes when it has said this. */
  readonly says: (what: string) => Effect.Effect<void>
  readonly ended: Effect.Effect<Outcome>
}

const trainer = (cwd: string): Effect.Effect<Trainer> =>
  Effect.sync(() => {
    const args = [
      cli,
      ...flags,
      ..."--placement runner --runners cluster --workers 2 --checkpoint-interval 50".split(" "),
      "--cluster",
      `sqlite:${path.join(cwd, "cluster.db")}`,
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

const scopedTrainer = (cwd: string) =>
  Effect.acquireRelease(trainer(cwd), ({ kill }) => Effect.sync(() => kill("SIGKILL")))

describe("a trainer in a cluster", () => {
  for (const signal of ["SIGKILL", "SIGSTOP"] as const) {
    live(
      `is replaced after ${signal}, and the run ends as if nothing had been`,
      Effect.gen(function*() {
        const cwd = yield* temporary
        const cluster = ["--cluster", `sqlite:${path.join(cwd, "cluster.db")}`]
        yield* Effect.all([runner(cwd, cluster), runner(cwd, cluster)], { concurrency: "unbounded" })
        const first = yield* scopedTrainer(cwd)
        yield* first.says(`"event":"started"`)
        const second = yield* scopedTrainer(cwd)
        yield* first.says(`"event":"checkpoint"`)
        first.kill(signal)
        const outcome = yield* second.ended
        const undisturbed = yield* troupe(cwd, [...flags, "--placement", "fiber", "--no-run-folder"])
        assert.strictEqual(hashOf(outcome), hashOf(undisturbed))
        assert.strictEqual(outcome.code, 0)
        assert.match(outcome.stderr, /Taking over the run run, term 2/)
        if (signal === "SIGSTOP") {
          first.kill("SIGCONT")
          const woken = yield* first.ended
          assert.strictEqual(woken.code, 1, woken.stderr)
          assert.match(woken.stderr, /term 1/)
          assert.notInclude(woken.stdout, `"event":"finished"`)
        }
        assert.strictEqual(readdirSync(path.join(cwd, "runs")).filter((name) => name.endsWith("__term2")).length, 1)
      })
    )
  }
})
