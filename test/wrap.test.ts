/** `--wrap` as people use it: said in config.json and in the policy, the same weights in every layout, and `eval` wraps alike. */
import { assert, describe } from "@effect/vitest"
import { Effect, FileSystem } from "effect"
import { live, temporary, troupe } from "./program.ts"

const wrapped = [
  "--wrap",
  "time-aware:normalize_time=True",
  "--wrap",
  "FrameStackObservation:2",
  "--wrap",
  "normalize-observation",
  "--total-timesteps",
  "2000"
]

describe("--wrap", () => {
  live(
    "trains and evaluates in the same wrappers, with one hash over layouts and kills",
    Effect.gen(function*() {
      const cwd = yield* temporary
      const fs = yield* FileSystem.FileSystem
      const hashes = new Set<unknown>()
      for (
        const layout of [
          ["--placement", "fiber"],
          ["--workers", "2", "--chaos", "3", "--run-folder", "false"],
          ["--placement", "process", "--workers", "2", "--run-folder", "false"]
        ]
      ) {
        const { code, stderr, stdout } = yield* troupe(cwd, [...wrapped, ...layout, "--json"])
        assert.strictEqual(code, 0, stderr)
        hashes.add(JSON.parse(stdout.trim().split("\n").at(-1)!).weights_sha256)
      }
      assert.strictEqual(hashes.size, 1)
      const [run] = yield* fs.readDirectory(`${cwd}/runs`)
      const { config } = JSON.parse(yield* fs.readFileString(`${cwd}/runs/${run}/config.json`))
      assert.deepStrictEqual(config.wrap, [
        "TimeAwareObservation:normalize_time=true",
        "FrameStackObservation:stack_size=2",
        "NormalizeObservation"
      ])
      const eval_ = (...args: ReadonlyArray<string>) => troupe(cwd, ["eval", ...args, "--episodes", "3"])
      for (
        const args of [[`runs/${run}`], [`runs/${run}/policy.safetensors`], [`runs/${run}`, "--env-id", "CartPole-v0"]]
      ) {
        const { code, stderr } = yield* eval_(...args)
        assert.strictEqual(code, 0, stderr)
      }
      // The settings of a run are a file of settings.
      const again = yield* troupe(cwd, ["--config", `runs/${run}/config.json`, "--placement", "fiber", "--json"])
      assert.isTrue(hashes.has(JSON.parse(again.stdout.trim().split("\n").at(-1)!).weights_sha256))
      const resumed = yield* troupe(cwd, ["--resume", `runs/${run}`, "--wrap", "frame-stack:3"])
      assert.match(resumed.stderr, /--wrap cannot be changed by a resume/)
    })
  )

  live(
    "refuses what is no wrapper, or does not go with the environment, in one sentence",
    Effect.gen(function*() {
      const cwd = yield* temporary
      yield* (yield* FileSystem.FileSystem).writeFileString(`${cwd}/settings.json`, `{ "wrap": ["./evil.ts"] }`)
      for (
        const [args, said] of [
          [["--wrap", "frame-stak:4"], /^[^\n]*did you mean FrameStackObservation[^\n]*\n$/],
          [["--wrap", "clip-action"], /^ClipAction cannot wrap [^\n]*Discrete\(2\)[^\n]*\n$/],
          [["--config", "settings.json"], /^[^\n]*"\.\/evil\.ts"[^\n]*none of that name[^\n]*\n$/],
          [["check", "CartPole-v1", "--wrap", "max-and-skip:0"], /^[^\n]*skip is 0[^\n]*\n$/]
        ] as const
      ) {
        const { code, stderr } = yield* troupe(cwd, args)
        assert.match(stderr, said)
        assert.oneOf(code, [1, 2])
      }
    })
  )
})
