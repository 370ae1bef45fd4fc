/**
 * What an actor costs: `node bench/actors.ts` prints a Markdown table.
 *
 * Asks a second one after another and with 100 in flight, for a stateless and a stateful actor, as a fiber and in a
 * thread; rounds of ten actors on two threads asked together; the time to spawn; the time from a kill to the next answer.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { mkdtemp, rm } from "node:fs/promises"
import { availableParallelism, tmpdir } from "node:os"
import { join } from "node:path"
import { pathToFileURL } from "node:url"
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

const seconds = process.argv.includes("--quick") ? 0.1 : 1

/** The best rate (calls a second) of five stretches: what else runs on the machine only ever slows it down. */
const rate = (calls: number, effect: Effect.Effect<unknown, unknown>): Effect.Effect<number, unknown> =>
  Effect.gen(function*() {
    let best = 0
    for (let stretch = 0; stretch < 5; stretch++) {
      let done = 0
      const start = performance.now()
      while (performance.now() - start < 200 * seconds) {
        yield* effect
        done += calls
      }
      best = Math.max(best, done / (performance.now() - start) * 1000)
    }
    return best
  })

const median = (values: ReadonlyArray<number>): number => values.toSorted((a, b) => a - b)[values.length >> 1] ?? NaN
const perSecond = (value: number): string => `${Math.round(value).toLocaleString("en-GB")}/s`
const millis = (value: number): string => `${value.toFixed(value < 1 ? 3 : 1)} ms`

const time = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<number, E, R> =>
  Effect.suspend(() => {
    const start = performance.now()
    return Effect.map(effect, () => performance.now() - start)
  })

const all = { concurrency: "unbounded", discard: true } as const
const supervision = Supervision.oneForOne({ maxRestarts: 1000 })

/** From a kill until the next answer; so far apart that a spare has had time to come up. */
const killing = Effect.gen(function*() {
  const system = yield* ActorSystem
  const victim = yield* system.spawn(Keeper, { supervision })
  const times: Array<number> = []
  for (let i = 0; i < 7; i++) {
    yield* victim.Add({ n: 1 })
    yield* Effect.sleep(300)
    times.push(yield* time(Effect.andThen(system.kill(victim), victim.Add({ n: 1 }))))
  }
  return millis(median(times))
}).pipe(Effect.scoped)

const measure = Effect.gen(function*() {
  const system = yield* ActorSystem
  const adder = yield* system.spawn(Adder, { name: "adder" })
  const keeper = yield* system.spawn(Keeper, { name: "keeper" })
  const sequential = <E>(ask: Effect.Effect<unknown, E>) =>
    rate(
      1000,
      Effect.gen(function*() {
        for (let i = 0; i < 1000; i++) yield* ask
      })
    )
  const stateless = yield* sequential(adder.Add({ n: 1 }))
  const stateful = yield* sequential(keeper.Add({ n: 1 }))
  const inFlight = yield* rate(100, Effect.forEach(Array.from({ length: 100 }), () => adder.Add({ n: 1 }), all))
  const ten = yield* Effect.forEach(Array.from({ length: 10 }), () => system.spawn(Keeper, {}))
  const rounds = yield* rate(1, Effect.forEach(ten, (actor) => actor.Add({ n: 1 }), all))
  const spawns: Array<number> = []
  for (let i = 0; i < 50; i++) spawns.push(yield* Effect.scoped(time(system.spawn(Keeper, {}))))
  return [
    perSecond(stateless),
    perSecond(stateful),
    perSecond(inFlight),
    perSecond(rounds),
    millis(median(spawns)),
    yield* killing
  ]
}).pipe(Effect.scoped)

/** The thread's entry as it ships: this very file, bundled. */
const bundled = Effect.acquireRelease(
  Effect.promise(() => mkdtemp(join(tmpdir(), "troupe-bench-"))),
  (folder) => Effect.promise(() => rm(folder, { recursive: true }))
).pipe(Effect.flatMap((folder) =>
  Effect.promise(async () => {
    const { build } = await import("rolldown")
    const file = join(folder, "host.mjs")
    await build({
      input: import.meta.filename,
      platform: "node",
      external: ["rolldown"],
      output: { file, format: "esm" }
    })
    return pathToFileURL(file)
  })
))

const program = Effect.gen(function*() {
  const entry = yield* bundled
  const threads = { entry, hosts: 2 }
  const fiber = yield* Effect.provide(measure, ActorSystem.layerFiber(behaviors))
  const start = yield* time(Effect.scoped(Layer.build(ActorSystem.layerThread(threads))))
  const thread = yield* Effect.provide(measure, ActorSystem.layerThread(threads))
  const spared = yield* Effect.provide(killing, ActorSystem.layerThread({ ...threads, spares: 1 }))
  const rows = [
    "asks, one after another",
    "the same, with committed state",
    "asks, 100 in flight",
    "rounds of ten actors asked together",
    "spawn",
    "kill to next answer"
  ].map((name, i) => [name, fiber[i], thread[i]])
  rows.push(["the same, with a spare thread", "", spared], ["system up and down", "", millis(start)])
  console.log(`Node ${process.version}, ${availableParallelism()} cores\n`)
  console.log("| | fiber | two threads |\n| --- | ---: | ---: |")
  for (const row of rows) console.log(`| ${row.join(" | ")} |`)
}).pipe(Effect.scoped)

if (isMainThread) await Effect.runPromise(program)
else ActorHost.launch(behaviors)
