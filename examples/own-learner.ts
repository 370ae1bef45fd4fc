/**
 * A learner of one's own in Troupe's run: `node examples/own-learner.ts`. The environments are stepped by EnvWorkers on two
 * threads, monitor and evaluation are the run's; what is learned from the experience, and how, is this file's: here
 * actor-critic with generalized advantages, in float64 and plain TypeScript.
 */
import { NodeRuntime, NodeServices } from "@effect/platform-node"
import { Console, Effect, Layer } from "effect"
import { CurrentConfig, DataPlane, initialWeights, Learner, Run } from "troupe"
import { generalizedAdvantages, initialOptimizerState, rmsProp, updateOnRows } from "troupe/model"

const settings = { name: "a2c", valueCoefficient: 0.5, entropyCoefficient: 0.01 } as const

export const OwnLearner = Layer.effect(
  Learner,
  Effect.gen(function*() {
    const plane = yield* DataPlane
    const { gaeLambda, gamma, lr } = yield* CurrentConfig
    const optimizer = { ...rmsProp, epsilon: 1e-5 }
    const layout = plane.parameters
    const parameters = Float64Array.from(yield* initialWeights)
    const learning = { layout, parameters, optimizer, state: initialOptimizerState(optimizer, layout.size) }
    let version = 0
    plane.publish(version, parameters)

    return Learner.of({
      version: Effect.sync(() => version),
      weights: Effect.sync(() => Float32Array.from(parameters)),
      update: (fragments) =>
        Effect.sync(() => {
          const rows = fragments.flatMap(({ rows, slot }) => {
            const advantages = new Float64Array(rows)
            const returns = new Float64Array(rows)
            generalizedAdvantages(advantages, returns, slot, gamma, gaeLambda, 0, rows)
            return { slot, rows, advantages, returns }
          })
          const all = (column: (part: typeof rows[number]) => ArrayLike<number>) =>
            rows.flatMap((part) => Array.from(column(part)))
          const { gradientNorm, terms } = updateOnRows(
            learning,
            {
              observations: Float64Array.from(all(({ rows, slot }) => slot.observations.subarray(0, rows * 4))),
              actions: Int32Array.from(all(({ rows, slot }) => slot.actions.subarray(0, rows))),
              advantages: Float64Array.from(all(({ advantages }) => advantages)),
              returns: Float64Array.from(all(({ returns }) => returns))
            },
            settings,
            { learningRate: lr, maxGradNorm: 0.5 }
          )
          plane.publish(++version, parameters)
          return Learner.report({ version, loss: terms, gradNorm: gradientNorm, learningRate: lr })
        })
    })
  })
)

export const program = Run.use((run) => run.train()).pipe(
  Effect.provide(Run.layer({ seed: 1, workers: 2 }, { learner: OwnLearner }))
)

if (import.meta.main) {
  NodeRuntime.runMain(Effect.flatMap(program, Console.log).pipe(Effect.provide(NodeServices.layer)))
}
