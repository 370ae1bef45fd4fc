/** The verb `ps`, asked of real runs. */
import { assert, describe } from "@effect/vitest"
import { Deferred, Effect, Fiber } from "effect"
import { fileURLToPath } from "node:url"
import { live, temporary, troupe } from "./program.ts"

/** A run that goes on until the test is over, once it trains. */
const underWay = Effect.fnUntraced(function*(folder: string, args: ReadonlyArray<string>) {
  const begun = yield* Deferred.make<void>()
  const run = yield* Effect.forkScoped(troupe(
    folder,
    ["--keep-going", "--total-timesteps", "1000000000000", "--json", "--env-id", "CartPole-v1", ...args],
    {
      env: { XDG_RUNTIME_DIR: folder },
      onOutput: (stdout) => {
        if (stdout.includes(`"event":"progress"`)) Deferred.doneUnsafe(begun, Effect.void)
      }
    }
  ))
  yield* Deferred.await(begun)
  return run
})

const ps = (folder: string, args: ReadonlyArray<string> = [], onOutput?: (stdout: string) => void) =>
  troupe(folder, ["ps", ...args], {
    env: { XDG_RUNTIME_DIR: folder },
    ...(onOutput === undefined ? {} : { onOutput })
  })

describe("ps", () => {
  live(
    "says in one sentence that nobody runs",
    Effect.gen(function*() {
      const folder = yield* temporary
      const nobody = yield* ps(folder)
      assert.deepStrictEqual(nobody, {
        code: 1,
        stdout: "",
        stderr: "No program with actors runs here under this user.\n"
      })
      const nothing = yield* ps(folder, ["runs/none"])
      assert.strictEqual(nothing.code, 1)
      assert.match(nothing.stderr, /^No run that writes into runs\/none is under way\. [^\n]*\n$/)
    })
  )

  for (const [placement, place] of [["thread", "thread 0"], ["process", "process 0"], ["fiber", "fiber"]] as const) {
    live(
      `shows the actors of a run in placement ${placement}`,
      Effect.gen(function*() {
        const folder = yield* temporary
        const run = yield* underWay(folder, ["--placement", placement, "--n-envs", "4", "--no-run-folder"])
        const shown = yield* ps(folder)
        assert.strictEqual(shown.code, 0, shown.stderr)
        const [head, titles, first] = shown.stdout.split("\n")
        assert.match(head!, /^train CartPole-v1, process \d+, for [\d.]+ s, \d actors?$/)
        assert.match(titles!, /^actor +lives in +state +mailbox +at work on +for +restarts$/)
        assert.match(
          first!,
          new RegExp(`^env-worker/0 +${place} +running +[01] +(Collect|Gradient|Stretch|-) +(\\d+ ms|-) +0$`)
        )
        const json = yield* ps(folder, ["--json"])
        const { actors, folder: written } = JSON.parse(json.stdout)
        assert.strictEqual(actors[0].name, "env-worker/0")
        assert.isNull(written)
        yield* Fiber.interrupt(run)
      })
    )
  }

  live(
    "shows the hosts of a simulation",
    Effect.gen(function*() {
      const folder = yield* temporary
      const begun = yield* Deferred.make<void>()
      const model = fileURLToPath(new URL("../examples/simulations/mmc.ts", import.meta.url))
      const args = ["simulate", model, "--until", "1000000000", "--every", "100", "--no-run-folder", "--json"]
      const run = yield* Effect.forkScoped(troupe(folder, args, {
        env: { XDG_RUNTIME_DIR: folder },
        onOutput: (stdout) => {
          if (stdout.includes(`"event":"series"`)) Deferred.doneUnsafe(begun, Effect.void)
        }
      }))
      yield* Deferred.await(begun)
      const shown = yield* ps(folder)
      assert.strictEqual(shown.code, 0, shown.stderr)
      assert.match(
        shown.stdout,
        /^simulate [\w/]+, process \d+, for [\d.]+ s, 1 actor\nactor[^\n]*\nsimulation\/0 +fiber +running /
      )
      yield* Fiber.interrupt(run)
    })
  )

  live(
    "finds a run by its folder, and watches it to its end",
    Effect.gen(function*() {
      const folder = yield* temporary
      yield* Effect.forkScoped(underWay(folder, ["--placement", "fiber", "--no-run-folder"]))
      const ended = yield* Effect.forkScoped(
        Effect.gen(function*() {
          const run = yield* underWay(folder, ["--placement", "fiber", "--log-dir", "logs"])
          const found = yield* Effect.map(
            ps(folder, ["--json"]),
            ({ stdout }) =>
              stdout.trim().split("\n").map((line) => JSON.parse(line)).find((program) => program.folder !== null)
          )
          const seen = yield* Deferred.make<void>()
          const watching = yield* Effect.forkScoped(ps(folder, ["--watch", found.folder], (stdout) => {
            if (stdout.includes("train CartPole-v1")) Deferred.doneUnsafe(seen, Effect.void)
          }))
          yield* Deferred.await(seen)
          yield* Fiber.interrupt(run)
          const watched = yield* Fiber.join(watching)
          assert.strictEqual(watched.code, 0, watched.stderr)
          const heads = watched.stdout.split("\n").filter((line) => line.startsWith("train CartPole-v1, "))
          assert.isAtLeast(heads.length, 1)
          assert.isTrue(heads.every((line) => line.includes(found.folder)))
        }).pipe(Effect.scoped)
      )
      yield* Fiber.join(ended)
    })
  )
})
