/** Interruption and resuming as people use them: real processes, signals, and folders that others have been at. */
import { NodeServices } from "@effect/platform-node"
import { assert, beforeAll, describe, it } from "@effect/vitest"
import { Effect, FileSystem } from "effect"
import { fileURLToPath } from "node:url"
import { live, type Outcome, temporary, troupe } from "./program.ts"
import { killing, rowsOf } from "./soak/kill9.ts"

const wedges = fileURLToPath(new URL("./runtime/fixtures/wedges.ts", import.meta.url))

/** Sends signals, once, when the run has said this so often; `millis`: from the first signal to the end. */
const interrupted = Effect.fnUntraced(function*(
  cwd: string,
  args: ReadonlyArray<string>,
  { env = {}, said, signals, times = 1 }: {
    readonly said: string
    readonly times?: number
    readonly signals: ReadonlyArray<NodeJS.Signals>
    readonly env?: Readonly<Record<string, string>>
  }
) {
  let signaled = Number.NaN
  const hear = (output: string, kill: (signal: NodeJS.Signals) => void) => {
    if (!Number.isNaN(signaled) || output.split(said).length <= times) return
    signaled = performance.now()
    for (const signal of signals) kill(signal)
  }
  const outcome = yield* troupe(cwd, args, { env, onError: hear, onOutput: hear })
  return { ...outcome, millis: performance.now() - signaled }
})

const hashOf = ({ stdout }: Outcome): string => /"weights_sha256":"(\w+)"/.exec(stdout)?.[1] ?? "none"

/** The one run folder in a log directory. */
const runIn = (logDir: string) =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const [name] = yield* fs.readDirectory(logDir)
    return `${logDir}/${name}`
  })

/** A run of 20 steps an update, with checkpoints at its end alone. */
const short = ["--n-envs=4", "--checkpoint-interval=0", "--json", "--placement=fiber"]

describe("resuming", () => {
  live(
    "says in one sentence what it cannot do, and what can be done",
    Effect.gen(function*() {
      const fs = yield* FileSystem.FileSystem
      const cwd = yield* temporary
      const calm = yield* troupe(cwd, [...short, "--total-timesteps=4000", "--log-dir=calm"])
      assert.strictEqual(calm.code, 0, calm.stderr)
      const rows = rowsOf(yield* runIn(`${cwd}/calm`))

      // The same by and by, at several layouts.
      yield* troupe(cwd, [...short, "--total-timesteps=1000", "--log-dir=runs"])
      const folder = yield* runIn(`${cwd}/runs`)
      const relative = folder.slice(cwd.length + 1)
      yield* troupe(cwd, ["--resume", relative, "--total-timesteps=2000", "--placement=thread"])
      yield* troupe(cwd, ["--resume", relative, "--total-timesteps=3000"])
      const whole = yield* troupe(cwd, ["--resume", relative, "--total-timesteps=4000", "--json"])
      assert.strictEqual(whole.code, 0, whole.stderr)
      assert.strictEqual(hashOf(whole), hashOf(calm))
      assert.deepStrictEqual(rowsOf(folder), rows)
      // The first of them was deleted: three are kept.
      assert.sameMembers([...(yield* fs.readDirectory(`${folder}/checkpoints`))], ["100.ckpt", "150.ckpt", "200.ckpt"])

      // It is over: said, and the outcome told again.
      const again = yield* troupe(cwd, ["--resume", relative, "--json"])
      assert.match(again.stdout, /This run has come to its end already/)
      assert.strictEqual(hashOf(again), hashOf(calm))
      assert.deepStrictEqual(rowsOf(folder), rows)

      const refused = (args: ReadonlyArray<string>, code: number, said: RegExp) =>
        Effect.gen(function*() {
          const outcome = yield* troupe(cwd, args)
          assert.match(outcome.stderr, said)
          assert.strictEqual(outcome.stdout, "")
          assert.strictEqual(outcome.code, code)
        })
      yield* refused(
        ["--resume", relative, "--lr", "0.1"],
        2,
        /^--lr cannot be changed by a resume: the run has 0\.008\. Leave it out, or train anew\.\n$/
      )
      yield* refused(["--resume", "nowhere"], 1, /^There is no run to resume at nowhere: .*\n$/)
      yield* refused(
        ["--resume", `${relative}/checkpoints/7`],
        1,
        /^There is no checkpoint .*7\.ckpt; there are those of the updates .*\n$/
      )
      // One is cut off, and the newest of a later version.
      yield* fs.truncate(`${folder}/checkpoints/150.ckpt`, 3000)
      const newest = `${folder}/checkpoints/200.ckpt`
      const bytes = yield* fs.readFile(newest)
      yield* fs.writeFile(newest, Buffer.from(Buffer.from(bytes).toString("latin1").replace("1\n", "9\n"), "latin1"))
      yield* refused(
        ["--resume", relative],
        1,
        /^runs\S*\/200\.ckpt cannot be resumed from: it was written by a newer version .* good: npm start -- --resume runs\S*\/100\.ckpt\n$/
      )
      yield* refused(
        ["--resume", `${relative}/checkpoints/150`],
        1,
        /150\.ckpt cannot be resumed from: it is cut off or/
      )

      // None at all: from the beginning.
      yield* fs.remove(`${folder}/checkpoints`, { recursive: true })
      const anew = yield* troupe(cwd, ["--resume", relative, "--json"])
      assert.match(anew.stdout, /There is no checkpoint yet: the run begins anew/)
      assert.strictEqual(hashOf(anew), hashOf(calm))
      assert.deepStrictEqual(rowsOf(folder), rows)
    })
  )

  live(
    "goes on with a run by the clock, whose recording then is the whole run's",
    Effect.gen(function*() {
      const cwd = yield* temporary
      const args = [
        "--algo=a3c",
        "--n-envs=3",
        "--total-timesteps=4000",
        "--keep-going",
        "--checkpoint-interval=20",
        "--json"
      ]
      const stopped = yield* interrupted(cwd, [...args, "--log-dir=runs"], {
        said: `"event":"checkpoint"`,
        signals: ["SIGINT"]
      })
      const folder = yield* runIn(`${cwd}/runs`)
      if (stopped.code !== 0) assert.strictEqual(stopped.code, 130)
      const resumed = yield* troupe(cwd, ["--resume", folder, "--json"])
      assert.strictEqual(resumed.code, 0, resumed.stderr)
      const replayed = yield* troupe(cwd, ["--replay", folder, "--json", "--no-run-folder"])
      assert.strictEqual(replayed.code, 0, replayed.stderr)
      assert.strictEqual(hashOf(replayed), hashOf(resumed))
    })
  )

  it.live("survives kill -9 at any moment", () =>
    Effect.gen(function*() {
      const { kills } = yield* Effect.promise(() => killing(3, 7))
      assert.strictEqual(kills, 3)
    }), 200_000)
})

describe("an interruption", () => {
  const slow = ["--env-id", wedges, "--n-envs=4", "--total-timesteps=6000", "--checkpoint-interval=50", "--json"]

  /** Of the same run when nothing wedges. */
  let calm = ""
  beforeAll(async () => {
    const whole = Effect.flatMap(temporary, (cwd) => troupe(cwd, [...slow, "--no-run-folder"]))
    calm = hashOf(await Effect.runPromise(Effect.scoped(Effect.provide(whole, NodeServices.layer))))
  }, 100_000)

  for (const [signal, code, ...more] of [["SIGINT", 130], ["SIGTERM", 143], ["SIGINT", 130, "SIGINT"]] as const) {
    live(
      `by ${[signal, ...more].join(" and ")} ends a run with a wedged worker, and leaves it whole`,
      Effect.gen(function*() {
        const fs = yield* FileSystem.FileSystem
        const cwd = yield* temporary
        const stopped = yield* interrupted(cwd, [...slow, "--log-dir=runs"], {
          // In the two hundredth update, 49 after a checkpoint.
          env: { WEDGE: "1000" },
          said: "wedged",
          signals: [signal, ...more]
        })
        assert.strictEqual(stopped.code, code, stopped.stderr)
        // A second, and what a busy machine may add.
        assert.isAtMost(stopped.millis, 4_000)
        const folder = yield* runIn(`${cwd}/runs`)
        const names = yield* fs.readDirectory(`${folder}/checkpoints`)
        assert.deepStrictEqual(names.filter((name) => !name.endsWith(".ckpt")), [])
        // A stretch that comes to no end is given up, and the state from before it is kept.
        const said = stopped.stderr.match(
          /Interrupted\. The last checkpoint is that of update (\d+); .* --resume runs\S*\n$/
        )
        const kept = Number(said?.[1])
        assert.isTrue(kept >= 150 && kept <= 199, stopped.stderr)
        const resumed = yield* troupe(cwd, ["--resume", folder, "--json"])
        assert.strictEqual(resumed.code, 0, resumed.stderr)
        assert.strictEqual(hashOf(resumed), calm)
      })
    )
  }
})
