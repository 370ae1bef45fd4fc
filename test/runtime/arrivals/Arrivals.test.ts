/**
 * The order of arrivals by itself: simulated workers that finish in any order the test likes, under every source of the
 * order and every bound. `algorithms/a3c.test.ts` has whole runs.
 */
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Layer, Schema, Stream } from "effect"
import { Pcg64 } from "../../../src/random/Pcg64.ts"
import { ArrivalLog, Arrivals } from "../../../src/runtime/arrivals/Arrivals.ts"
import { presets } from "../../../src/runtime/config/presets.ts"
import { CurrentConfig, type RunConfig } from "../../../src/runtime/config/RunConfig.ts"
import { Seed } from "../../../src/runtime/config/Seed.ts"
import { Learner } from "../../../src/runtime/learning/Learner.ts"
import { type EnvSlot, envSlot, type Fragment, layOut } from "../../../src/runtime/workers/dataPlaneLayout.ts"
import { EnvFault } from "../../../src/runtime/workers/EnvWorker.ts"
import { EnvWorkerGroup } from "../../../src/runtime/workers/EnvWorkerGroup.ts"
import type { Order } from "../running.ts"
import { smallestPlane } from "../workers/smallestPlane.ts"

const slot: EnvSlot = envSlot(new SharedArrayBuffer(4096), layOut(smallestPlane, 0), 0)

/** Which of the environments that are at work finishes next. */
type World = (atWork: ReadonlyArray<number>) => number

const inRandomOrder = (seed: number): World => {
  const random = Pcg64.fromSeed(seed)
  return (atWork) => atWork[random.integers(0, atWork.length)]!
}

/** Environment 0 finishes only when nobody else is at work. */
const withOneSlow = (seed: number): World => {
  const others = inRandomOrder(seed)
  return (atWork) => atWork.length === 1 ? atWork[0]! : others(atWork.filter((environment) => environment !== 0))
}

const never = () => Effect.die("not of use here")

/** What came in, and the version each environment pulled and worked with. */
interface Outcome extends Order {
  readonly consumed: ReadonlyArray<Fragment>
  /** Most pieces of work that were out at a time. */
  readonly mostOut: number
}

/** Takes up to `count` arrivals from a run of `given`, each of them an update (or `nEpochs`, where experience travels). */
const simulate = Effect.fnUntraced(function*(
  given: Partial<RunConfig>,
  count: number,
  world: World,
  replay?: Order,
  faulty?: number
) {
  const config: RunConfig = { ...presets.a3c, workers: 1, ...given }
  const each = config.ship === "experience" ? config.nEpochs : 1
  let version = 0
  const atWork = new Map<number, Deferred.Deferred<void>>()
  const pulled = new Map<number, number>()
  const consumed: Array<Fragment> = []
  const order: Order = { environments: [], staleness: [] }
  let mostOut = 0
  let out = 0

  const workers = EnvWorkerGroup.of({
    collect: never,
    stretch: never,
    gradients: never,
    chosen: Stream.empty,
    pull: (environment, of) => Effect.sync(() => void pulled.set(environment, of)),
    explore: Effect.fnUntraced(function*(environment, of) {
      assert.isFalse(atWork.has(environment), "an environment has one piece of work at a time")
      assert.strictEqual(pulled.get(environment), of, "it works with the weights it pulled")
      const done = Deferred.makeUnsafe<void>()
      atWork.set(environment, done)
      yield* Deferred.await(done)
      atWork.delete(environment)
      if (environment === faulty) {
        return yield* new EnvFault({ environment: "Faulty-v0", index: environment, step: 0, reason: "it broke" })
      }
      return { environment, rows: 1, total: 1, version: of, slot }
    })
  })
  const learner = Learner.of({
    version: Effect.sync(() => version),
    update: never,
    weights: never(),
    save: never()
  })

  /** Somebody finishes, as long as somebody waits for it. */
  const passing = Effect.gen(function*() {
    for (let idle = 0; idle < 1000;) {
      yield* Effect.yieldNow
      const busy = [...atWork].filter(([, done]) => !Deferred.isDoneUnsafe(done)).map(([environment]) => environment)
      if (busy.length === 0) idle++
      else yield* Deferred.succeed(atWork.get(world(busy))!, undefined)
    }
    return yield* Effect.die("nobody works, and still somebody is waited for")
  })

  const log = {
    write: (environment: number, staleness: number) => {
      order.environments.push(environment)
      order.staleness.push(staleness)
    },
    ...(replay === undefined ? {} : { replay })
  }
  yield* Effect.gen(function*() {
    const arrivals = yield* Arrivals
    yield* arrivals.begin
    while (consumed.length < count && (yield* arrivals.more)) {
      out = pulled.size
      mostOut = Math.max(mostOut, out)
      const fragment = yield* Effect.raceFirst(arrivals.take, passing)
      assert.strictEqual(pulled.get(fragment.environment), fragment.version)
      pulled.delete(fragment.environment)
      consumed.push(fragment)
      assert.strictEqual(order.staleness.at(-1), version - fragment.version)
      version += each
      yield* arrivals.grant(fragment.environment)
    }
  }).pipe(
    Effect.provide(Arrivals.layer),
    Effect.provide(Layer.mergeAll(
      CurrentConfig.layer(config),
      Layer.succeed(EnvWorkerGroup, workers),
      Layer.succeed(Learner, learner),
      Seed.layerTest(config.seed)
    )),
    Effect.provideService(ArrivalLog, log)
  )
  const outcome: Outcome = { ...order, consumed, mostOut }
  return outcome
})

const turns = (order: Order): ReadonlyMap<number, number> => {
  const counts = new Map<number, number>()
  for (const environment of order.environments) counts.set(environment, (counts.get(environment) ?? 0) + 1)
  return counts
}

const orderOf = ({ environments, staleness }: Order): Order => ({ environments, staleness })

const SeedSchema = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 1_000_000 }))
const Bound = Schema.Literals([0, 1, 2, 3, 7, 20])
const Schedule = Schema.Literals(["async", "seeded"])

describe("Arrivals", () => {
  it.effect.prop(
    "nothing that arrives is older than the bound, whoever is slow, and nobody starves",
    [SeedSchema, Bound, Schedule, Schema.Literals([1, 3]), Schema.Boolean],
    ([seed, maxStaleness, schedule, nEpochs, oneSlow]) =>
      Effect.gen(function*() {
        const nEnvs = 6
        const order = yield* simulate(
          { nEnvs, maxStaleness, schedule, seed, ship: nEpochs === 1 ? "gradients" : "experience", nEpochs },
          120,
          oneSlow ? withOneSlow(seed) : inRandomOrder(seed)
        )
        assert.strictEqual(order.consumed.length, 120)
        assert.isAtMost(Math.max(...order.staleness), maxStaleness)
        // No more than the bound has room for, and no fewer.
        assert.strictEqual(order.mostOut, Math.min(nEnvs, Math.floor(maxStaleness / nEpochs) + 1))
        // Whoever waits is let in first, and whoever is out comes back within the bound.
        const longest = nEnvs + maxStaleness + 1
        for (let environment = 0; environment < nEnvs; environment++) {
          assert.isAtLeast(turns(order).get(environment) ?? 0, Math.floor(120 / longest), `of ${environment}`)
        }
      }),
    { arbitrary: { runs: 60 } }
  )

  it.effect("without a bound, the clock takes whoever is ready, however old the others grow", () =>
    Effect.gen(function*() {
      const order = yield* simulate({ nEnvs: 4, schedule: "async" }, 50, withOneSlow(1))
      assert.isUndefined(turns(order).get(0))
      const refusing = yield* simulate(
        { nEnvs: 4, schedule: "async", maxStaleness: 1, whenStale: "refuse" },
        50,
        withOneSlow(1)
      )
      assert.deepStrictEqual(refusing.environments, order.environments)
    }))

  it.effect.prop("the seed's order does not depend on who is ready", [SeedSchema, Schema.Literals(["none", 2, 5])], ([
    seed,
    maxStaleness
  ]) =>
    Effect.gen(function*() {
      const given: Partial<RunConfig> = { nEnvs: 5, schedule: "seeded", maxStaleness, seed }
      const order = yield* simulate(given, 60, inRandomOrder(seed))
      assert.deepStrictEqual(orderOf(yield* simulate(given, 60, withOneSlow(seed + 1))), orderOf(order))
      // A bound leaves so little choice that two seeds may agree.
      if (maxStaleness !== "none") return
      const other = yield* simulate({ ...given, seed: seed + 1 }, 60, inRandomOrder(seed))
      assert.notDeepEqual(orderOf(other), orderOf(order))
    }), { arbitrary: { runs: 20 } })

  it.effect.prop(
    "by the seed nobody has three times the turns of another, nor lags far behind",
    [SeedSchema],
    ([seed]) =>
      Effect.gen(function*() {
        const order = yield* simulate({ nEnvs: 5, schedule: "seeded", seed }, 300, inRandomOrder(seed))
        const counts = [...turns(order).values()]
        assert.strictEqual(counts.length, 5)
        assert.isBelow(Math.max(...counts), 3 * Math.min(...counts))
        assert.isAtLeast(Math.max(...order.staleness), 4)
        // A piece of work takes 1.5 units at most, in which each of the others is done three times at most.
        assert.isAtMost(Math.max(...order.staleness), 3 * 4)
      }),
    { arbitrary: { runs: 20 } }
  )

  it.effect.prop("a recorded order is repeated, whoever is ready", [SeedSchema, Schema.Literals(["none", 3])], ([
    seed,
    maxStaleness
  ]) =>
    Effect.gen(function*() {
      const given: Partial<RunConfig> = { nEnvs: 5, schedule: "async", maxStaleness }
      const order = orderOf(yield* simulate(given, 60, inRandomOrder(seed)))
      const again = yield* simulate(given, 1000, withOneSlow(seed), order)
      assert.deepStrictEqual(orderOf(again), order)
    }), { arbitrary: { runs: 20 } })

  const recorded: Effect.Effect<Order> = Effect.map(
    simulate({ nEnvs: 5, schedule: "async" }, 40, inRandomOrder(4)),
    orderOf
  ).pipe(Effect.orDie)

  const replaying = (order: Order) => simulate({ nEnvs: 5, schedule: "async" }, 1000, inRandomOrder(5), order)

  it.effect("a recording that names an environment without work is refused", () =>
    Effect.gen(function*() {
      const order = yield* recorded
      const error = yield* Effect.flip(replaying({ ...order, environments: order.environments.with(10, 7) }))
      assert.strictEqual(error._tag, "ReplayMismatch")
      assert.match(error.message, /its arrival 11 is of environment 7, which has no work/)
    }))

  it.effect("a recording with two arrivals exchanged, or another staleness, is refused where it first differs", () =>
    Effect.gen(function*() {
      const order = yield* recorded
      for (let at = 0; at < order.environments.length; at++) {
        const mine = order.environments[at]!
        const environments = order.environments.with(at, (mine + 1) % 5)
        const error = yield* Effect.flip(replaying({ ...order, environments }))
        assert.strictEqual(error._tag, "ReplayMismatch", `environment of arrival ${at}`)

        const staleness = order.staleness.with(at, order.staleness[at]! + 1)
        const older = yield* Effect.flip(replaying({ ...order, staleness }))
        assert.strictEqual(older._tag, "ReplayMismatch", `staleness of arrival ${at}`)
        assert.match(older.message, new RegExp(`its arrival ${at + 1} was ${staleness[at]} updates old`))
      }
    }))

  it.effect("a recording that stops early ends early, and an empty one at once", () =>
    Effect.gen(function*() {
      const order = yield* recorded
      const first = { environments: order.environments.slice(0, 12), staleness: order.staleness.slice(0, 12) }
      assert.deepStrictEqual(orderOf(yield* replaying(first)), first)
      assert.strictEqual((yield* replaying({ environments: [], staleness: [] })).consumed.length, 0)
    }))

  it.effect("the failure of a worker is the failure of whoever takes its work", () =>
    Effect.gen(function*() {
      for (const schedule of ["async", "seeded"] as const) {
        const error = yield* Effect.flip(
          simulate({ nEnvs: 3, schedule }, 100, inRandomOrder(1), undefined, 1)
        )
        assert.strictEqual(error._tag, "EnvFault")
      }
    }))
})
