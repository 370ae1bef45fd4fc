/** Environments that take their thread or process along: which one, at which step, and as often as was asked for. */
import { assert, describe } from "@effect/vitest"
import { Effect, FileSystem } from "effect"
import { readdirSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { live, temporary, troupe } from "./program.ts"

const fixture = fileURLToPath(new URL("./runtime/fixtures/dies.ts", import.meta.url))

const run = Effect.fnUntraced(
  function*(how: string, placement: string, restarts: string, more: ReadonlyArray<string> = []) {
    const cwd = yield* temporary
    const args = [
      "--env-id",
      fixture,
      "--n-envs",
      "4",
      "--placement",
      placement,
      "--max-restarts",
      restarts,
      "--json",
      ...more
    ]
    const outcome = yield* troupe(cwd, args, { env: { DIES: how, TMPDIR: cwd } })
    // No trail is left behind.
    assert.deepStrictEqual(readdirSync(cwd).filter((name) => name.startsWith("troupe-")), [])
    return {
      ...outcome,
      restarts: outcome.stdout.split("\n").filter((line) => line.includes(`"kind":"restarted"`)).length
    }
  }
)

describe("an environment that ends its worker", () => {
  const ends: ReadonlyArray<readonly [how: string, placement: "thread" | "process", said: RegExp]> = [
    ["exit", "process", /exited with code 3/],
    ["abort", "process", /ended by SIGABRT/],
    ["signal", "process", /ended by SIGSEGV/],
    ["exit", "thread", /exited with code 3/]
  ]
  for (const [how, placement, said] of ends) {
    live(
      `is named with its step after as many restarts as were allowed: ${how}, ${placement}`,
      Effect.gen(function*() {
        const { code, restarts, stderr } = yield* run(how, placement, "2", ["--workers", "1"])
        const last = stderr.trimEnd().split("\n").at(-1)!
        assert.match(
          last,
          new RegExp(
            `^The ${placement} of env-worker/0 ended with environment Dies-v0 .number 0., at its step 7, 3 times in a row: `
          )
        )
        assert.match(last, said)
        assert.match(last, /--max-restarts/)
        // Who dies of a signal has not always told before that it serves.
        if (how === "exit") assert.strictEqual(restarts, 2)
        assert.strictEqual(code, 1)
      })
    )
  }

  for (const [how, placement] of [["timer", "thread"], ["rejection", "process"]] as const) {
    live(
      `goes on where the work is done all the same: ${how}, ${placement}`,
      Effect.gen(function*() {
        const { code, restarts, stdout } = yield* run(how, placement, "2", [
          "--workers",
          "1",
          "--total-timesteps",
          "400"
        ])
        assert.strictEqual(code, 0)
        assert.isAtLeast(restarts, 1)
        assert.match(stdout, /"cause":"too late"/)
        assert.match(stdout.trimEnd().split("\n").at(-1)!, /"event":"finished","env_steps":400,.*"lost_steps":0,/)
      })
    )
  }

  live(
    "is named with its step where nothing is tried again",
    Effect.gen(function*() {
      const { code, restarts, stderr } = yield* run("exit", "process", "0", ["--workers", "2"])
      assert.match(
        stderr,
        /ended with environment Dies-v0 \(number [02]\), at its step 7: exited with code 3\. --max-restarts .*\n$/
      )
      assert.strictEqual(restarts, 0)
      assert.strictEqual(code, 1)
    })
  )

  live(
    "is tried again as often as --max-restarts says, beyond ten too",
    Effect.gen(function*() {
      const { restarts, stderr } = yield* run("exit", "thread", "13", ["--workers", "1"])
      assert.match(stderr, /at its step 7, 14 times in a row/)
      assert.strictEqual(restarts, 13)
    })
  )

  live(
    "is named where it hangs",
    Effect.gen(function*() {
      const { code, stderr } = yield* run("hang", "thread", "5", ["--workers", "1", "--collect-deadline", "3"])
      assert.match(
        stderr,
        /^env-worker\/0 takes longer than 3 s for one piece of work: environment Dies-v0 \(number 0\), at its step 7\. .*\n$/
      )
      assert.strictEqual(code, 1)
    })
  )
})

describe("an environment that throws in this thread when nobody listens", () => {
  for (const how of ["timer", "rejection"]) {
    live(
      `ends the run with one sentence and its place, and what was learned is kept: ${how}`,
      Effect.gen(function*() {
        const fs = yield* FileSystem.FileSystem
        const cwd = yield* temporary
        const args = ["--env-id", fixture, "--placement", "fiber", "--keep-going", "--total-timesteps", "1000000000"]
        const { code, stderr } = yield* troupe(cwd, args, { env: { DIES: how, AT: "4000" } })
        const [first, ...more] = stderr.trimEnd().split("\n")
        assert.match(first!, /^The run is ended by what nobody caught: Error: too late \(at .*dies\.ts:\d+:\d+\)\.$/)
        assert.deepStrictEqual(more, [])
        assert.strictEqual(code, 1)
        const [folder] = yield* fs.readDirectory(`${cwd}/runs`)
        const files = yield* fs.readDirectory(`${cwd}/runs/${folder}`)
        assert.includeMembers(files, ["policy.safetensors", "curve.svg", "progress.csv", "checkpoints"])
        assert.isNotEmpty(yield* fs.readDirectory(`${cwd}/runs/${folder}/checkpoints`))
      })
    )
  }
})
