/** `--env-id gymnasium:...` as people use it. Skipped where Python has no Gymnasium. */
import { assert, describe } from "@effect/vitest"
import { Effect, FileSystem } from "effect"
import { spawnSync } from "node:child_process"
import { fileURLToPath } from "node:url"
import { live, temporary, troupe } from "./program.ts"

const python = process.env["TROUPE_PYTHON"] ?? "python3"
const installed = spawnSync(python, ["-c", "import gymnasium"], { stdio: "ignore" }).status === 0
const fixtures = fileURLToPath(new URL("envs/fixtures", import.meta.url))

describe.skipIf(!installed)(installed ? "gymnasium:" : `gymnasium: (${python} has no package gymnasium)`, () => {
  live(
    "trains as our own environment does, with one hash over layouts and kills",
    Effect.gen(function*() {
      const cwd = yield* temporary
      const hashes = new Set<unknown>()
      for (
        const args of [
          ["--env-id", "CartPole-v1", "--placement", "fiber"],
          ["--env-id", "gymnasium:CartPole-v1", "--workers", "2", "--chaos", "5"],
          ["--env-id", "gymnasium:CartPole-v1", "--placement", "process", "--workers", "1", "--run-folder", "false"]
        ]
      ) {
        const { code, stderr, stdout } = yield* troupe(cwd, [...args, "--total-timesteps", "3000", "--json"])
        assert.strictEqual(code, 0, stderr)
        hashes.add(JSON.parse(stdout.trim().split("\n").at(-1)!).weights_sha256)
      }
      assert.strictEqual(hashes.size, 1)
    })
  )

  live(
    "evaluates and resumes what a policy names, but for a module, which is to be typed again",
    Effect.gen(function*() {
      const cwd = yield* temporary
      const fs = yield* FileSystem.FileSystem
      const env = { PYTHONPATH: fixtures }
      const reference = "gymnasium:gymnasium_faults:Line-v0"
      const trained = yield* troupe(cwd, ["--env-id", reference, "--total-timesteps", "600", "--placement", "fiber"], {
        env
      })
      assert.strictEqual(trained.code, 0, trained.stderr)
      const [run] = yield* fs.readDirectory(`${cwd}/runs`)
      const refused = yield* troupe(cwd, ["eval", `runs/${run}`], { env })
      assert.match(refused.stderr, /it imports the Python module gymnasium_faults/)
      assert.strictEqual(refused.code, 2)
      const evaluated = yield* troupe(cwd, ["eval", `runs/${run}`, "--env-id", reference, "--episodes", "2"], { env })
      assert.strictEqual(evaluated.code, 0, evaluated.stderr)
      const broken = yield* troupe(cwd, ["--env-id", `${reference}?fault=nan`, "--total-timesteps", "600"], { env })
      assert.match(
        broken.stderr,
        /^Environment gymnasium:Line-v0 \(number [05]\) cannot be used: at its step 3 observation\[0\] is NaN[^\n]*\n/m
      )
    })
  )
})
