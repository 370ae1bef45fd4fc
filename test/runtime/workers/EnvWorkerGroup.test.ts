/** Workers in real threads, killed in the middle of their work: what the dead one had begun counts for nothing. */
import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Layer } from "effect"
import { fileURLToPath } from "node:url"
import { ActorSystem } from "../../../src/actors/ActorSystem.ts"
import { planLayer } from "../../../src/runtime/algorithms/index.ts"
import * as configSources from "../../../src/runtime/config/configSources.ts"
import { CurrentConfig } from "../../../src/runtime/config/RunConfig.ts"
import { Seed } from "../../../src/runtime/config/Seed.ts"
import { DataPlane } from "../../../src/runtime/workers/DataPlane.ts"
import type { EnvSlot, Fragment, UnitSlot } from "../../../src/runtime/workers/dataPlaneLayout.ts"
import { EnvWorkerBehavior } from "../../../src/runtime/workers/EnvWorker.ts"
import { EnvWorkerGroup } from "../../../src/runtime/workers/EnvWorkerGroup.ts"
import { buildId, hostEntry } from "../../../src/runtime/workers/hostEntry.ts"
import { cells } from "../fixtures/stops-midway.ts"

const layer = (given: configSources.PartialConfig) =>
  Layer.unwrap(
    Effect.map(configSources.resolve({ given: { preset: "a3c", seed: 3, ...given } }), (config) =>
      EnvWorkerGroup.layer.pipe(
        Layer.provideMerge(
          config.placement === "fiber"
            ? ActorSystem.layerFiber([EnvWorkerBehavior])
            : ActorSystem.layerThread({ entry: hostEntry, hosts: config.workers, buildId })
        ),
        Layer.provideMerge(DataPlane.layer),
        Layer.provide(planLayer),
        Layer.provideMerge(Seed.layer),
        Layer.provide(CurrentConfig.layer(config))
      ))
  ).pipe(Layer.provide(NodeServices.layer))

const stopsMidway = fileURLToPath(new URL("../fixtures/stops-midway.ts", import.meta.url))
const midway: configSources.PartialConfig = {
  envId: stopsMidway,
  nEnvs: 2,
  workers: 2,
  nSteps: 5
}

/** Weights that let something flow everywhere. */
const publish = ({ weights }: DataPlane["Service"]) => {
  weights[0].forEach((_, k) => weights[0][k] = ((k * 7919) % 101 - 50) / 200)
}

const copyOf = ({ environment, rows, slot, total }: Fragment, { units }: DataPlane["Service"]) => ({
  rows,
  total,
  gradient: units[environment]!.gradient.slice(),
  statistics: units[environment]!.statistics.slice(),
  observations: slot.observations.slice(),
  actions: slot.actions.slice(),
  rewards: slot.rewards.slice()
})

const until = (condition: () => boolean) =>
  Effect.gen(function*() {
    while (!condition()) yield* Effect.yieldNow
  })

/** Two pieces of work of environment 0, and one of its neighbor's, killed in the middle of each where that is asked. */
const work = (killed: boolean) =>
  Effect.gen(function*() {
    const workers = yield* EnvWorkerGroup
    const system = yield* ActorSystem
    const plane = yield* DataPlane
    publish(plane)
    const [slot, neighbor] = plane.slots
    Atomics.store(cells(neighbor!.live.state).gate, 0, 1)
    const { gate, stopped } = cells(slot!.live.state)
    const pieces: Array<ReturnType<typeof copyOf>> = []
    for (let piece = 0; piece < 2; piece++) {
      Atomics.store(gate, 0, killed ? 0 : 1)
      Atomics.store(stopped, 0, 0)
      yield* workers.pull(0, 0)
      const mine = yield* Effect.forkChild(workers.explore(0, 0))
      if (killed) {
        yield* until(() => Atomics.load(stopped, 0) === 1)
        plane.units[0]!.gradient.fill(NaN)
        yield* system.kill("env-worker/0")
        // For its successor; nobody wakes the dead.
        Atomics.store(gate, 0, 1)
      }
      pieces.push(copyOf(yield* Fiber.join(mine), plane))
    }
    yield* workers.pull(1, 0)
    pieces.push(copyOf(yield* workers.explore(1, 0), plane))
    return pieces
  }).pipe(Effect.provide(layer(midway)))

type Region = readonly [name: string, start: number, end: number]

const regionsOf = (part: EnvSlot | UnitSlot, index: number): ReadonlyArray<Region> =>
  Object.entries({ ...part, ...("banks" in part ? { first: part.banks[0], second: part.banks[1] } : {}) }).flatMap((
    [name, view]
  ) =>
    // A column that this run does not have lies nowhere.
    name !== "taken" && ArrayBuffer.isView(view) && view.byteLength > 0
      ? [[`${index}.${name}`, view.byteOffset, view.byteOffset + view.byteLength]]
      : []
  )

describe("EnvWorkerGroup", () => {
  it.live(
    "a worker killed while it works leaves nothing: the piece of work is done again, to the bit",
    () =>
      Effect.gen(function*() {
        const undisturbed = yield* work(false)
        const disturbed = yield* work(true)
        assert.deepStrictEqual(undisturbed.map(({ rows, total }) => [rows, total]), [[5, 5], [5, 10], [5, 5]])
        for (const { gradient } of undisturbed) assert.isTrue(gradient.some((value) => value !== 0))
        assert.deepStrictEqual(disturbed, undisturbed)
      }),
    60_000
  )

  it.live("gradients in flight do not overlap, nor anything else that two environments own", () =>
    Effect.gen(function*() {
      const { slots, units } = yield* DataPlane
      const regions = [...slots, ...units].flatMap(regionsOf).toSorted(([, a], [, b]) => a - b)
      assert.isAbove(regions.filter(([name]) => name.endsWith(".gradient")).length, 1)
      for (const [k, [name, start, end]] of regions.entries()) {
        assert.isAbove(end, start, name)
        const next = regions[k + 1]
        if (next !== undefined) assert.isAtMost(end, next[1], `${name} and ${next[0]}`)
      }
    }).pipe(
      Effect.provide(
        layer({ nEnvs: 5, nSteps: 7, placement: "fiber", normalizeObservations: true, normalizeRewards: true })
      )
    ))

  it.live(
    "a gradient is that of its own experience and weights, whoever else works meanwhile",
    () =>
      Effect.gen(function*() {
        const alone = (environment: number) =>
          Effect.gen(function*() {
            const workers = yield* EnvWorkerGroup
            const plane = yield* DataPlane
            publish(plane)
            yield* workers.pull(environment, 0)
            return copyOf(yield* workers.explore(environment, 0), plane)
          }).pipe(Effect.provide(layer({ nEnvs: 4, workers: 2 })))
        const together = yield* Effect.gen(function*() {
          const workers = yield* EnvWorkerGroup
          const plane = yield* DataPlane
          publish(plane)
          const all = [0, 1, 2, 3]
          for (const environment of all) yield* workers.pull(environment, 0)
          // What is published next disturbs nobody who has pulled.
          plane.weights[0].fill(NaN)
          const fragments = yield* Effect.forEach(all, (environment) => workers.explore(environment, 0), {
            concurrency: "unbounded"
          })
          return fragments.map((fragment) => copyOf(fragment, plane))
        }).pipe(Effect.provide(layer({ nEnvs: 4, workers: 2 })))
        for (const environment of [0, 3]) assert.deepStrictEqual(yield* alone(environment), together[environment])
        assert.notDeepEqual(together[0]!.gradient, together[1]!.gradient)
      }),
    60_000
  )

  const notebook: configSources.PartialConfig = {
    preset: "notebook-a3c",
    nEnvs: 2,
    placement: "fiber",
    samplingSeed: "seed"
  }

  it.live("notebook 002: a worker keeps its own critic head for ever, and has all the rest from the learner", () =>
    Effect.gen(function*() {
      for (const syncCritic of [false, true]) {
        yield* Effect.gen(function*() {
          const workers = yield* EnvWorkerGroup
          const { parameters, slots, weights } = yield* DataPlane
          const head = parameters.critic.at(-1)!
          const headOf = (array: Float32Array) => array.slice(head.weight, head.bias + head.outputs)
          const restOf = (
            array: Float32Array
          ) => [...array.slice(0, head.weight), ...array.slice(head.bias + head.outputs)]
          assert.strictEqual(headOf(weights[0]).length, 21)
          weights[0].forEach((_, k) => weights[0][k] = k)
          const [first, second] = slots
          const own = headOf(first!.weights)
          if (!syncCritic) {
            // As the notebook's two networks, all draw their own first weights.
            assert.notDeepEqual(first!.weights.slice(), second!.weights.slice())
            const begun = first!.weights.slice()
            yield* workers.pull(0, 0)
            assert.deepStrictEqual(first!.weights.slice(), begun)
          }
          for (let version = 1; version < 5; version++) {
            const published = weights[version & 1 ? 1 : 0]
            published.forEach((_, k) => published[k] = 1000 * version + k)
            yield* workers.pull(0, version)
            assert.deepStrictEqual(restOf(first!.weights), restOf(published))
            assert.deepStrictEqual(headOf(first!.weights), syncCritic ? headOf(published) : own)
          }
        }).pipe(Effect.provide(layer({ ...notebook, syncCritic })))
      }
    }))

  it.live("notebook 002: an episode is paid 0.01 a step and -1 for its fall, and counts what the environment pays", () =>
    Effect.gen(function*() {
      for (const rewards of ["notebook", "environment"] as const) {
        yield* Effect.gen(function*() {
          const workers = yield* EnvWorkerGroup
          yield* workers.pull(0, 0)
          const { rows, slot } = yield* workers.explore(0, 0)
          // One piece of work is one whole episode.
          assert.isAbove(rows, 5)
          assert.strictEqual(slot.terminated[rows - 1], 1)
          assert.strictEqual(slot.episodeLengths[rows - 1], rows)
          assert.strictEqual(slot.episodeReturns[rows - 1], rows)
          const paid = [...slot.rewards.subarray(0, rows)]
          assert.deepStrictEqual(
            paid,
            paid.map((_, t) => rewards === "environment" ? 1 : t === rows - 1 ? -1 : 0.01)
          )
        }).pipe(Effect.provide(layer({ ...notebook, rewards })))
      }
    }))

  it.live("notebook 002: an episode is cut at 300 steps, which is no fall", () =>
    Effect.gen(function*() {
      const workers = yield* EnvWorkerGroup
      const { slots } = yield* DataPlane
      for (const { live } of slots) Atomics.store(cells(live.state).gate, 0, 1)
      yield* workers.pull(0, 0)
      for (let episode = 1; episode <= 2; episode++) {
        const { rows, slot, total } = yield* workers.explore(0, 0)
        assert.deepStrictEqual([rows, total], [300, 300 * episode])
        assert.strictEqual(slot.episodeLengths[299], 300)
        assert.strictEqual(slot.terminated[299], 0)
        assert.strictEqual(slot.truncated[299], 1)
        assert.isTrue(slot.rewards.subarray(0, 300).every((reward) => reward === 0.01))
      }
    }).pipe(Effect.provide(layer({ ...notebook, envId: stopsMidway }))))
})
