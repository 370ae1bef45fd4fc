/**
 * What an actor costs: `node bench/actors.ts` prints a Markdown table.
 *
 * Asks a second one after another and with 100 in flight, for a stateless and a stateful actor, as a fiber and in a
 * thread; rounds of ten actors on two threads asked together; the time to spawn; the time from a kill to the next answer.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { isMainThread } from "node:worker_threads"
import * as Actor from "../src/actors/Actor.ts"
import { Rpc } from "../src/actors/Actor.ts"
import * as ActorHost from "../src/actors/ActorHost.ts"
import { ActorSystem } from "../src/actors/ActorSystem.ts"
import * as Supervision from "../src/actors/Supervision.ts"

class Adder extends Actor.make("Adder", {
  protocol: [Rpc.make("Add", { payload: { n: Schema.Int }, success: Schema.Int })]
}) {}

const AdderBehavior = Adder.behavior(() =>
  Effect.sync(() => {
    let total = 0
    return { handlers: { Add: ({ n }) => Effect.sync(() => (total += n)) } }
  })
)

class Keeper extends Actor.make("Keeper", {
  state: Schema.Struct({ total: Schema.Int }),
  protocol: [Rpc.make("Add", { payload: { n: Schema.Int }, success: Schema.Int })]
}) {}

const KeeperBehavior = Keeper.behavior(() =>
  Effect.sync(() => {
    let total = 0
    return { handlers: { Add: ({ n }) => Effect.sync(() => (total += n)) }, snapshot: () => ({ total }) }
  })
)

const behaviors = [AdderBehavior, KeeperBehavior] as const

const quick = process.argv.includes("--quick")
const seconds = quick ? 0.1 : 1

/** Calls a second, after a warm-up. */
const rate = (calls: number, effect: Effect.Effect<unknown, unknown>): Effect.Effect<number, unknown> =>
  Effect.gen(function*() {
    const run = function*(millis: number) {
      let done = 0
      const start = performance.now()
      while (performance.now() - start < millis) {
        yield* effect
        done += calls
      }
      return done / (performance.now() - start) * 1000
    }
    yield* run(300 * seconds)
    return yield* run(1000 * seconds)
  })

const median = (values: ReadonlyArray<number>): number =>
  values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN

const perSecond = (value: number): string => `${Math.round(value).toLocaleString("en-GB")}/s`
const millis = (value: number): string => `${value.toFixed(value < 1 ? 3 : 1)} ms`

const measure = Effect.gen(function*() {
  const system = yield* ActorSystem
  const adder = yield* system.spawn(Adder, { name: "adder" })
  const keeper = yield* system.spawn(Keeper, { name: "keeper" })
  const thousand = <E>(ask: Effect.Effect<unknown, E>) =>
    Effect.gen(function*() {
      for (let i = 0; i < 1000; i++) yield* ask
    })
  const hundred = <E>(ask: Effect.Effect<unknown, E>) =>
    Effect.forEach(Array.from({ length: 100 }), () => ask, { concurrency: "unbounded", discard: true })

  const sequential = yield* rate(1000, thousand(adder.Add({ n: 1 })))
  const stateful = yield* rate(1000, thousand(keeper.Add({ n: 1 })))
  const inFlight = yield* rate(100, hundred(adder.Add({ n: 1 })))

  const ten = yield* Effect.forEach(Array.from({ length: 10 }), () => system.spawn(Keeper, {}))
  const rounds = yield* rate(
    1,
    Effect.forEach(ten, (actor) => actor.Add({ n: 1 }), { concurrency: "unbounded", discard: true })
  )

  const spawns: Array<number> = []
  for (let i = 0; i < 50; i++) {
    const start = performance.now()
    yield* Effect.scoped(
      Effect.tap(system.spawn(Keeper, {}), () => Effect.sync(() => spawns.push(performance.now() - start)))
    )
  }

  const kills: Array<number> = []
  const supervision = Supervision.oneForOne({ maxRestarts: 1000 })
  const victim = yield* Effect.map(
    Effect.forEach(Array.from({ length: 1 }), () => system.spawn(Keeper, { supervision })),
    ([actor]) => actor!
  )
  for (let i = 0; i < 4; i++) {
    yield* victim.Add({ n: 1 })
    const start = performance.now()
    yield* system.kill(victim)
    yield* victim.Add({ n: 1 })
    kills.push(performance.now() - start)
  }
  return [
    perSecond(sequential),
    perSecond(stateful),
    perSecond(inFlight),
    perSecond(rounds),
    millis(median(spawns)),
    millis(median(kills))
  ]
})

if (isMainThread) {
  const started = performance.now()
  const program = Effect.gen(function*() {
    const fiber = yield* Effect.scoped(measure).pipe(Effect.provide(ActorSystem.layerFiber(behaviors)))
    const up = performance.now()
    const thread = yield* Effect.scoped(measure).pipe(
      Effect.provide(ActorSystem.layerThread({ entry: new URL(import.meta.url), hosts: 2 }))
    )
    const names = [
      "asks, one after another",
      "the same, stateful",
      "asks, 100 in flight",
      "rounds of ten actors",
      "spawn",
      "kill to answer"
    ]
    console.log(
      `Node ${process.version}, ${(performance.now() - started).toFixed(0)} ms in all (${
        (up - started).toFixed(0)
      } fiber)\n`
    )
    console.log("| | fiber | two threads |\n| --- | ---: | ---: |")
    names.forEach((name, i) => console.log(`| ${name} | ${fiber[i]} | ${thread[i]} |`))
  })
  await Effect.runPromise(program)
} else ActorHost.launch(behaviors)
