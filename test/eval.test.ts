/** The verb `eval`, as people use it: the episodes of training, and what is wrong with an environment told alike. */
import { assert, describe } from "@effect/vitest"
import { Effect, FileSystem } from "effect"
import { fileURLToPath } from "node:url"
import { live, temporary, troupe } from "./program.ts"

const fixture = (name: string) => fileURLToPath(new URL(`./runtime/fixtures/${name}`, import.meta.url))
const golden = (name: string) => fileURLToPath(new URL(`./runtime/golden/folders/${name}`, import.meta.url))

const trained = Effect.fnUntraced(function*(cwd: string, args: ReadonlyArray<string>) {
  const { code, stderr } = yield* troupe(cwd, [...args, "--placement", "fiber", "--total-timesteps", "400"])
  assert.strictEqual(code, 0, stderr)
  const [run] = yield* (yield* FileSystem.FileSystem).readDirectory(`${cwd}/runs`)
  return `runs/${run}`
})

const evaluated = Effect.fnUntraced(function*(cwd: string, args: ReadonlyArray<string>) {
  const { code, stderr, stdout } = yield* troupe(cwd, ["eval", ...args, "--episodes", "3", "--json"])
  assert.strictEqual(code, 0, stderr)
  return JSON.parse(stdout.trim().split("\n").at(-1)!)
})

describe("eval", () => {
  live(
    "cuts episodes where training did, whatever it is given of the run, and elsewhere where it is told",
    Effect.gen(function*() {
      const cwd = yield* temporary
      const five = ["--env-id", fixture("starts-at-five.ts")]
      const run = yield* trained(cwd, [...five, "--episode-limit", "20"])
      for (const file of [run, `${run}/policy.safetensors`]) {
        const { max } = yield* evaluated(cwd, [file, ...five])
        assert.isAtMost(max, 20 * 0.94 + 1e-9)
        assert.isAtLeast(max, 20 * 0.85 - 1e-9)
      }
      const once = yield* evaluated(cwd, [run, ...five, "--episode-limit", "1"])
      assert.oneOf(once.mean, [0.85, 0.94])
      // Digits that tell the one from the other.
      const said = yield* troupe(cwd, ["eval", run, ...five, "--episode-limit", "1"])
      assert.match(
        said.stdout,
        new RegExp(`^StartsAtFive-v0: ${once.mean.toFixed(3)} ± 0\\.000 \\(${once.mean.toFixed(3)} to `)
      )
      const endless = yield* troupe(cwd, ["eval", run, ...five, "--episode-limit", "0"])
      assert.match(
        endless.stderr,
        /^Environment StartsAtFive-v0 .* in episode 0, at step 100000, it has not ended .*--episode-limit\.\n$/
      )
      assert.strictEqual(endless.code, 1)
      const shown = yield* troupe(cwd, ["eval", run, ...five, "--render", "ansi"])
      assert.match(shown.stdout, /^step 20\n/)
    })
  )

  live(
    "cuts the episodes of an environment with a limit of its own as training did",
    Effect.gen(function*() {
      const cwd = yield* temporary
      const run = yield* trained(cwd, ["--episode-limit", "9"])
      const { max } = yield* evaluated(cwd, [run])
      assert.isAtMost(max, 9)
      // What a version before this one has left says so in its settings.
      const old = yield* troupe(cwd, ["eval", golden("notebook-a3c"), "--episodes", "20", "--json"])
      assert.strictEqual(old.code, 0, old.stderr)
      assert.isAtMost(JSON.parse(old.stdout).max, 300)
    })
  )

  live(
    "says what is wrong with an environment, its step and its pictures among it",
    Effect.gen(function*() {
      const cwd = yield* temporary
      const five = ["--env-id", fixture("starts-at-five.ts")]
      const run = yield* trained(cwd, [...five, "--episode-limit", "20"])
      for (
        const [WRONG, said] of [
          [
            "done",
            /^Environment StartsAtFive-v0 .* in episode 0, at step 3, terminated is undefined, .*\(done is not read\)\.\n$/
          ],
          [
            "draw",
            /^StartsAtFive-v0 cannot be drawn: its ansi rendering threw Error: no ink \(at .*starts-at-five\.ts:\d+:\d+\)\.\n$/
          ],
          ["blank", /^StartsAtFive-v0 cannot be drawn: its ansi rendering gave null, where text belongs\.\n$/]
        ] as const
      ) {
        const { code, stderr } = yield* troupe(cwd, ["eval", run, ...five, "--render", "ansi"], { env: { WRONG } })
        assert.match(stderr, said)
        assert.strictEqual(code, 1)
      }
    })
  )
})
