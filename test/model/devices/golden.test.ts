/**
 * Every device that this machine offers, against the float64 of PyTorch (`learner.json`): outputs, losses, gradients and
 * five updates of Adam. The devices with native parts run in a process of their own, and only where they are installed, or
 * `test/devices/setup.ts` has brought them.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { spawnSync } from "node:child_process"
import { fileURLToPath } from "node:url"
import { learnerFile } from "../learnerFile.ts"
import { type Distance, measure, measureContinuous } from "./golden.ts"
import { isInstalled, isSetUp, opened, swiftShader } from "./opening.ts"

const tolerance = 1e-5

const assertGolden = (distance: Distance) => {
  assert.isAbove(distance.compared, 0)
  for (const what of ["forward", "losses", "gradients", "weights"] as const) {
    assert.isAtMost(distance[what], tolerance, what)
  }
}

const assertContinuous = (distance: Distance) => {
  assert.isAbove(distance.compared, 0)
  assert.isAtMost(distance.losses, tolerance, "losses")
  assert.isAtMost(distance.weights, tolerance, "weights")
}

describe("PPO on actions that are real numbers", () => {
  for (const name of ["cpu", "tfjs-cpu", "tfjs-wasm"] as const) {
    it.live(`is on ${name} what it is in float64`, () =>
      Effect.scoped(
        Effect.gen(function*() {
          const device = yield* opened(name)
          const reference = yield* opened("reference")
          assertContinuous(yield* device.use((d) => reference.use((r) => measureContinuous(d, r))))
        })
      ))
  }
})

describe.skipIf(learnerFile === undefined)("the recorded learner", () => {
  for (const name of ["cpu", "reference", "tfjs-cpu", "tfjs-wasm"] as const) {
    it.live(`is what ${name} computes`, () =>
      Effect.scoped(
        Effect.gen(function*() {
          const device = yield* opened(name)
          assertGolden(yield* device.use(measure))
        })
      ))
  }

  const program = fileURLToPath(new URL("measureGolden.ts", import.meta.url))
  for (const name of ["tfjs-node", "cuda", "webgpu"] as const) {
    it.skipIf(!isInstalled(name))(`is what ${name} computes`, (test) => {
      const { status, stderr, stdout } = spawnSync(process.execPath, [program, name], {
        encoding: "utf8",
        env: { ...process.env, ...(name === "webgpu" && isSetUp(name) ? swiftShader : {}) },
        timeout: 240_000
      })
      assert.strictEqual(status, 0, stderr)
      const { golden, many, real, unavailable } = JSON.parse(stdout)
      if (unavailable !== undefined) return test.skip(unavailable)
      assertGolden(golden)
      assert.isAtMost(many.distance, tolerance, "gradients of many rows")
      assertContinuous(real)
      if (name === "webgpu") assert.isTrue(many.repeats, "the same bits each time")
    }, 250_000)
  }
})
