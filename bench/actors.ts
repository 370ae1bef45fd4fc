/**
 * What an actor costs: `node bench/actors.ts` prints Markdown tables (`report.ts` says how else).
 *
 * Asks a second one after another and with 100 in flight, for a stateless and a stateful actor, with small and large
 * payloads, as a fiber, in a thread and in a child process; rounds of ten actors on two hosts asked together; the time to
 * spawn; the time from a kill to the next answer; an array put and read by another thread; and what idle actors cost. Every
 * figure is the median of repeated stretches.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { isMainThread } from "node:worker_threads"
import * as Actor from "../src/actors/Actor.ts"
import { Rpc } from "../src/actors/Actor.ts"
import type { ActorRef } from "../src/actors/ActorRef.ts"
import { ActorSystem } from "../src/actors/ActorSystem.ts"
import { ObjectReleased } from "../src/actors/errors.ts"
import * as ActorHost from "../src/actors/hosts/ActorHost.ts"
import * as ObjectStore from "../src/actors/messages/ObjectStore.ts"
import * as Supervision from "../src/actors/Supervision.ts"
import { bundled } from "./bundled.ts"
import { type Figure, figure, isQuick, print, say } from "./report.ts"

class Adder extends Actor.make("Adder", {
  protocol: [
    Rpc.make("Add", { payload: { n: Schema.Int }, success: Schema.Int }),
    Rpc.make("Nothing", {}),
    // Holds its mailbox up.
    Rpc.make("Rest", { payload: { millis: Schema.Int } }),
    Rpc.make("Length", { payload: { text: Schema.String }, success: Schema.Int }),
    Rpc.make("Read", {
      payload: { numbers: ObjectStore.Ref("Uint8Array") },
      success: Schema.Int,
      error: ObjectReleased
    })
  ]
}) {}

const AdderBehavior = Adder.behavior(() =>
  Effect.sync(() => {
    let total = 0
    return {
      handlers: {
        Add: ({ n }) => Effect.sync(() => (total += n)),
        Nothing: () => Effect.void,
        Rest: ({ millis }) => Effect.sleep(millis),
        Length: ({ text }) => Effect.sync(() => text.length),
        Read: ({ numbers }) => Effect.map(ObjectStore.get(numbers), (array) => array[array.length - 1]!)
      }
    }
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

/** Answers what another one answers. */
class Relay extends Actor.make("Relay", {
  config: Schema.Struct({ to: Actor.Ref(Adder) }),
  protocol: [Rpc.make("Add", { payload: { n: Schema.Int }, success: Schema.Int })]
}) {}

const RelayBehavior = Relay.behavior(({ config: { to } }) =>
  Effect.succeed({ handlers: { Add: ({ n }) => Effect.orDie(to.Add({ n })) } })
)

const behaviors = [AdderBehavior, KeeperBehavior, RelayBehavior] as const

const seconds = isQuick ? 0.05 : 1

/** Stretches that are measured, after one that only warms up. */
const stretches = isQuick ? 1 : 5

/** The rate (calls a second) of each stretch. */
const rate = (calls: number, effect: Effect.Effect<unknown, unknown>): Effect.Effect<ReadonlyArray<number>, unknown> =>
  Effect.gen(function*() {
    const rates: Array<number> = []
    for (let stretch = 0; stretch <= stretches; stretch++) {
      let done = 0
      const start = performance.now()
      while (performance.now() - start < 200 * seconds) {
        yield* effect
        done += calls
      }
      rates.push(done / (performance.now() - start) * 1000)
    }
    return rates.slice(1)
  })

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
  for (let i = 0; i < (isQuick ? 1 : 7); i++) {
    yield* victim.Add({ n: 1 })
    yield* Effect.sleep(300)
    times.push(yield* time(Effect.andThen(system.kill(victim), victim.Add({ n: 1 }))))
  }
  return times
}).pipe(Effect.scoped)

const tells = (adder: ActorRef<typeof Adder>, calls: number) =>
  Effect.gen(function*() {
    const tell = adder.tell.Add({ n: 1 })
    for (let i = 0; i < calls; i++) yield* tell
  })

const measure = (hosts: number) =>
  Effect.gen(function*() {
    const system = yield* ActorSystem
    const adder = yield* system.spawn(Adder, { name: "adder", host: 0 })
    const beside = yield* system.spawn(Relay, { name: "beside", config: { to: adder }, host: 0 })
    const apart = hosts > 1 ? yield* system.spawn(Relay, { name: "apart", config: { to: adder }, host: 1 }) : undefined
    // One handles its messages in turn: what is to be under way together is of many.
    const relays = (host: number) =>
      Effect.forEach(Array.from({ length: 100 }), () => system.spawn(Relay, { config: { to: adder }, host }))
    const [manyBeside, manyApart] = [yield* relays(0), hosts > 1 ? yield* relays(1) : []]
    const keeper = yield* system.spawn(Keeper, { name: "keeper" })
    const sequential = <E>(ask: Effect.Effect<unknown, E>, calls = 1000) =>
      rate(
        calls,
        Effect.gen(function*() {
          for (let i = 0; i < calls; i++) yield* ask
        })
      )
    const together = <E>(ask: Effect.Effect<unknown, E>, calls = 100) =>
      rate(calls, Effect.forEach(Array.from({ length: calls }), () => ask, all))
    const each = (relays: ReadonlyArray<ActorRef<typeof Relay>>) =>
      rate(relays.length, Effect.forEach(relays, (relay) => relay.Add({ n: 1 }), all))
    const kilobyte = { text: "k".repeat(1024) }
    const megabyte = { text: "m".repeat(1024 * 1024) }
    const ten = yield* Effect.forEach(Array.from({ length: 10 }), () => system.spawn(Keeper, {}))
    const spawns: Array<number> = []
    const rates: ReadonlyArray<readonly [string, ReadonlyArray<number>]> = [
      ["asks, one after another", yield* sequential(adder.Add({ n: 1 }))],
      ["one after another, with committed state", yield* sequential(keeper.Add({ n: 1 }))],
      ["one after another, without payload or reply", yield* sequential(adder.Nothing())],
      ["one after another, with 1 KiB of text", yield* sequential(adder.Length(kilobyte))],
      ["one after another, with 1 MiB of text", yield* sequential(adder.Length(megabyte), 10)],
      ["tells, until all are handled", yield* rate(1001, Effect.andThen(tells(adder, 1000), adder.Add({ n: 1 })))],
      ["asks, 100 in flight", yield* together(adder.Add({ n: 1 }))],
      ["100 in flight, with 1 KiB of text", yield* together(adder.Length(kilobyte))],
      ["rounds of ten actors asked together", yield* rate(1, Effect.forEach(ten, (actor) => actor.Add({ n: 1 }), all))],
      ["asks that ask another of their host", yield* sequential(beside.Add({ n: 1 }))],
      ["the same, by 100 at once", yield* each(manyBeside)],
      ...(apart === undefined ? [] : [
        ["asks that ask another of another host", yield* sequential(apart.Add({ n: 1 }))] as const,
        ["the same to another host, by 100 at once", yield* each(manyApart)] as const
      ])
    ]
    for (let i = 0; i < (isQuick ? 5 : 50); i++) {
      spawns.push(
        yield* Effect.scoped(time(Effect.flatMap(system.spawn(Keeper, {}), (spawned) => spawned.Add({ n: 1 }))))
      )
    }
    const enqueued: Array<number> = []
    for (let stretch = 0; stretch <= stretches; stretch++) {
      const calls = isQuick ? 1000 : 100_000
      const resting = yield* system.spawn(Adder, { mailbox: calls + 1 })
      yield* resting.tell.Rest({ millis: 60_000 })
      const start = performance.now()
      yield* tells(resting, calls)
      if (stretch > 0) enqueued.push(calls / (performance.now() - start) * 1000)
      yield* system.stop(resting)
    }
    return [
      ["tells, enqueuing alone", "/s", enqueued] as const,
      ...rates.map(([row, values]) => [row, "/s", values] as const),
      ["spawn to first answer", "ms", spawns] as const,
      ["kill to next answer", "ms", yield* killing] as const
    ]
  }).pipe(Effect.scoped)

/** 100 MB put, and its first reading by an actor in another thread. */
const sharing = Effect.gen(function*() {
  const adder = yield* ActorSystem.spawn(Adder, {})
  const array = new Uint8Array(isQuick ? 1_000_000 : 100_000_000).fill(1)
  const puts: Array<number> = []
  const gets: Array<number> = []
  for (let i = 0; i < (isQuick ? 1 : 7); i++) {
    yield* Effect.scoped(Effect.gen(function*() {
      const start = performance.now()
      const numbers = yield* ObjectStore.put(array)
      puts.push(performance.now() - start)
      gets.push(yield* time(adder.Read({ numbers })))
    }))
  }
  return { puts, gets }
}).pipe(Effect.scoped)

const mebibytes = (): number => process.memoryUsage.rss() / 2 ** 20

/** What the program's own threads take while `count` actors wait: share of a core, and resident memory with them. */
const idling = (count: number) =>
  Effect.gen(function*() {
    const system = yield* ActorSystem
    for (let i = 0; i < count; i++) yield* system.spawn(Keeper, {})
    // What is left of the spawning is collected first.
    yield* Effect.sleep(2000 * seconds)
    const shares: Array<number> = []
    for (let i = 0; i < 5; i++) {
      const before = process.cpuUsage()
      yield* Effect.sleep(1000 * seconds)
      const { system, user } = process.cpuUsage(before)
      shares.push((system + user) / (10_000 * seconds))
    }
    return { shares, resident: mebibytes() }
  }).pipe(Effect.scoped)

const program = Effect.gen(function*() {
  say("actors: at rest")
  // First, while the process holds nothing else.
  const parked = yield* Effect.provide(idling(isQuick ? 1000 : 100_000), ActorSystem.layerFiber(behaviors))
  const entry = yield* bundled(import.meta.filename)
  const hosts = { entry, hosts: 2 }
  const columns = [
    ["fiber", 1, ActorSystem.layerFiber(behaviors)],
    ["2 threads", 2, ActorSystem.layerThread(hosts)],
    ["2 processes", 2, ActorSystem.layerProcess(hosts)]
  ] as const
  const figures: Array<Figure> = []
  for (const [column, count, layer] of columns) {
    say(`actors: ${column}`)
    for (const [row, unit, values] of yield* Effect.provide(measure(count), layer)) {
      figures.push(figure("Actors", row, column, unit, values))
    }
  }
  const start = yield* time(Effect.scoped(Layer.build(ActorSystem.layerThread(hosts))))
  const shared = yield* Effect.provide(sharing, ActorSystem.layerThread(hosts))
  const idle = yield* Effect.provide(idling(200), ActorSystem.layerThread(hosts))
  const other = (row: string, unit: Figure["unit"], values: ReadonlyArray<number> | number) =>
    figures.push(figure("Actors, what else", row, "median", unit, values))
  const spared = yield* Effect.provide(killing, ActorSystem.layerThread({ ...hosts, spares: 1 }))
  other("kill to next answer, with a spare thread", "ms", spared)
  other("two threads up and down", "ms", start)
  other("put of 100 MB", "ms", shared.puts)
  other("get of 100 MB in another thread, asked and answered", "ms", shared.gets)
  other("two idle threads with 200 actors, of a core", "%", idle.shares)
  other("100,000 idle fiber actors, of a core", "%", parked.shares)
  other("resident memory with them", "MiB", parked.resident)
  print(figures)
}).pipe(Effect.scoped)

if (isMainThread && process.argv[2] !== "troupe-host") await Effect.runPromise(program)
else ActorHost.launch(behaviors)
