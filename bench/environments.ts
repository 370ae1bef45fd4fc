/**
 * How fast environments step without a learner: `node bench/environments.ts`. One thread.
 *
 * - *vector*: many worlds on flat arrays, each reset where its episode ends, with random actions;
 * - *dynamics*: the numbers alone, as a worker steps them, with random actions and resets;
 * - *environment*: through Gymnasium's contract, every action and observation checked, each call an Effect;
 * - *rollout*: a worker's loop, with a policy that acts for all its environments at once and writes the fragments.
 */
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { ensureBuilt } from "../scripts/build.ts"
import { CartPoleV1 } from "../src/envs/cartpole/CartPole.ts"
import { Environment } from "../src/envs/Environment.ts"
import type { EnvironmentDefinition } from "../src/envs/EnvironmentDefinition.ts"
import { Registry } from "../src/envs/Registry.ts"
import { VectorEnvironment } from "../src/envs/VectorEnvironment.ts"
import { initialParameters } from "../src/model/initialize.ts"
import { Pcg64 } from "../src/random/Pcg64.ts"
import { initialWeightsStream } from "../src/random/streams.ts"
import { planLayer } from "../src/runtime/algorithms/index.ts"
import * as configSources from "../src/runtime/config/configSources.ts"
import { CurrentConfig } from "../src/runtime/config/RunConfig.ts"
import { DataPlane } from "../src/runtime/workers/DataPlane.ts"
import { blocksOf } from "../src/runtime/workers/dataPlaneLayout.ts"
import * as Rollout from "../src/runtime/workers/Rollout.ts"
import { type Figure, figure, isQuick, print } from "./report.ts"

const { problems } = await ensureBuilt()
if (problems.length > 0) process.exit(1)

const seconds = isQuick ? 0.02 : 0.5

/** Steps a second of five stretches, after one that warms up; `stretch` answers how many steps it took. */
const rates = (stretch: () => number): ReadonlyArray<number> =>
  Array.from({ length: 6 }, () => {
    let steps = 0
    const start = performance.now()
    while (performance.now() - start < seconds * 1000) steps += stretch()
    return steps / (performance.now() - start) * 1000
  }).slice(1)

const dynamics = (): ReadonlyArray<number> => {
  const random = Pcg64.fromSeed(1)
  const world = CartPoleV1.create(new Float64Array(CartPoleV1.stateSize))
  const observation = new Float32Array(4)
  // Actions drawn beforehand: their drawing is not the environment's.
  const actions = Uint8Array.from({ length: 4096 }, () => random.integers(0, 2))
  world.reset(random)
  return rates(() => {
    for (const action of actions) {
      const { terminated } = world.step(action, random)
      world.observe(observation)
      if (terminated === true) world.reset(random)
    }
    return actions.length
  })
}

const environment = (definition: EnvironmentDefinition): ReadonlyArray<number> => {
  const sampler = definition.actionSpace.sampler(1)
  const actions = Array.from({ length: 1024 }, () => sampler.sample())
  const world = Effect.runSync(Environment.make(definition))
  const episode = Effect.gen(function*() {
    for (const action of actions) {
      const { terminated, truncated } = yield* world.step(action)
      if (terminated || truncated) yield* world.reset()
    }
  })
  Effect.runSync(world.reset({ seed: 1 }))
  return rates(() => {
    Effect.runSync(episode)
    return actions.length
  })
}

const vector = (definition: EnvironmentDefinition, count: number): ReadonlyArray<number> => {
  const sampler = definition.actionSpace.sampler(1)
  const actions = Array.from({ length: 64 }, () => Array.from({ length: count }, () => sampler.sample()))
  const worlds = Effect.runSync(VectorEnvironment.make(definition, count))
  Effect.runSync(worlds.reset(1))
  return rates(() => {
    for (const chosen of actions) {
      const fault = worlds.step(chosen)
      if (fault !== undefined) throw fault
    }
    return actions.length * count
  })
}

const rollout = async (nEnvs: number): Promise<ReadonlyArray<number>> => {
  const config = await Effect.runPromise(
    configSources.resolve({ given: { nEnvs, nSteps: 20, placement: "fiber" } }).pipe(Effect.provide(NodeServices.layer))
  )
  const plane = await Effect.runPromise(
    DataPlane.use(Effect.succeed).pipe(
      Effect.provide(DataPlane.layer.pipe(Layer.provide(planLayer), Layer.provide(CurrentConfig.layer(config))))
    )
  )
  plane.weights[0].set(initialParameters(plane.policy, config.init, initialWeightsStream(1)))
  const blocks = blocksOf({ first: 0, count: nEnvs }, plane.layout.spec.unit).map((range) =>
    Rollout.make(plane.kernels, plane.layout, plane.definition, {
      ...range,
      worker: 0,
      environment: range.first,
      seed: 1,
      samplingSeed: 1,
      restartSameSeed: false,
      rewards: "environment",
      gamma: config.gamma,
      untilEpisodeEnd: false
    })
  )
  for (const block of blocks) block.initialize()
  return rates(() => {
    for (const block of blocks) block.collect(plane.layout.weights[0], config.nSteps)
    return nEnvs * config.nSteps
  })
}

const table = "CartPole-v1 without a learner, one thread"
const figures: Array<Figure> = [
  figure(table, "dynamics", "environment steps", "/s", dynamics()),
  figure(table, "environment, through Gymnasium's contract", "environment steps", "/s", environment(CartPoleV1))
]
for (const count of [10, 100, 1000]) {
  figures.push(figure(table, `vector of ${count}`, "environment steps", "/s", vector(CartPoleV1, count)))
}
for (const nEnvs of [1, 10, 100, 1000]) {
  const row = `rollout of ${nEnvs}, with a policy of 2 × 64 tanh`
  figures.push(figure(table, row, "environment steps", "/s", await rollout(nEnvs)))
}
const others = "Environments without a learner, one thread"
for (const id of Effect.runSync(Registry.ids)) {
  if (id === "CartPole-v0") continue
  const definition = Effect.runSync(Registry.lookup(id))
  figures.push(figure(others, id, "through Gymnasium's contract", "/s", environment(definition)))
  figures.push(figure(others, id, "vector of 100", "/s", vector(definition, 100)))
}
print(figures)
