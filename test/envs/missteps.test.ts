/** Environments that are a little wrong: whoever steps one says so, in the same words. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { check, Environment, EnvironmentFault } from "../../src/envs/index.ts"
import { Stepper } from "../../src/envs/Stepper.ts"
import { TimeLimit } from "../../src/envs/wrappers/TimeLimit.ts"
import { Pcg64 } from "../../src/random/index.ts"
import { wrapped, wrongs } from "./fixtures/wrong.ts"

const play = Effect.fnUntraced(function*(definition: Parameters<typeof check>[0]) {
  const environment = yield* Environment.make(definition)
  yield* environment.reset({ seed: 1 })
  for (let step = 0; step < 10; step++) yield* environment.step(0)
})

for (const [definition, step, reason] of [...wrongs, ...wrapped]) {
  describe(definition.id, () => {
    it.effect("is a fault of Environment.make, with its step", () =>
      Effect.gen(function*() {
        const fault = yield* Effect.flip(play(definition))
        assert(fault instanceof EnvironmentFault, String(fault))
        assert.match(fault.reason, reason)
        assert.strictEqual(fault.step, step)
        assert.match(fault.message, /^The environment "\w+-v0" failed at step \d of its episode: [^\n]*\.$/)
      }))

    it.effect("is an error that the checker finds", () =>
      Effect.gen(function*() {
        const errors = (yield* check(definition, { steps: 20 })).filter(({ severity }) => severity === "error")
        assert.strictEqual(errors.length, 1, JSON.stringify(errors))
        assert.match(errors[0]!.message, new RegExp(reason.source.replaceAll(/^\^|\$$/g, "")))
      }))

    it("is found behind a time limit, also at the very step that it cuts", () => {
      const state = new Float64Array(2)
      const random = Pcg64.view(new Uint32Array(Pcg64.words))
      const observation = new Float32Array(2)
      const stepper = Stepper.create(TimeLimit.wrap({ ...definition, maxEpisodeSteps: 3 }), state)
      const first = stepper instanceof Stepper ? stepper.reset(random) ?? stepper.observe(observation) : stepper
      const step = (): ReturnType<Stepper["step"]> =>
        stepper instanceof Stepper ? stepper.step(0, random) ?? stepper.observe(observation) : stepper
      const misstep = first ?? step() ?? step() ?? step()
      assert.match(misstep?.reason ?? "nothing", reason)
    })
  })
}
