/**
 * A queue whose getters wait for what is put: answers that are given later, to programs and to actors that give up, die and run
 * again, while the queue dies, too. Each item must come to one getter or stay, and to no other: nothing is lost with who gave up.
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Actor from "../../../src/actors/Actor.ts"
import { Rpc } from "../../../src/actors/Actor.ts"
import { ActorSystem } from "../../../src/actors/ActorSystem.ts"
import * as Supervision from "../../../src/actors/Supervision.ts"
import type { Token } from "../../../src/actors/Token.ts"
import { Simulation } from "../../../src/testing/Simulation.ts"
import { one } from "../one.ts"

const How = Schema.Literals(["at once", "yield", "sleep", "die", "tell"])

/** Is told what was put, so that a queue has somebody to call. */
class Witness extends Actor.make("Witness", {
  state: Schema.Struct({ seen: Schema.Array(Schema.Int) }),
  protocol: [
    Rpc.make("See", { payload: { item: Schema.Int } }),
    Rpc.make("Seen", { success: Schema.Array(Schema.Int) })
  ]
}) {}

const WitnessBehavior = Witness.behavior(({ restored }) =>
  Effect.sync(() => {
    const seen: Array<number> = Option.match(restored, { onNone: () => [], onSome: (state) => [...state.seen] })
    return {
      handlers: {
        See: ({ item }) => Effect.sync(() => void seen.push(item)),
        Seen: () => Effect.sync(() => [...seen])
      },
      snapshot: () => ({ seen })
    }
  })
)

class Queue extends Actor.make("Queue", {
  config: Schema.Struct({ witness: Actor.Ref(Witness) }),
  state: Schema.Struct({ items: Schema.Array(Schema.Int), getters: Schema.Array(Actor.Token) }),
  protocol: [
    // Where its asker gives up when it has just taken one, it has not.
    Rpc.make("Get", { success: Schema.Int }).annotate(Actor.Cancellable, true),
    Rpc.make("Put", { payload: { item: Schema.Int, how: How } }),
    Rpc.make("Read", { success: Schema.Array(Schema.Int) })
  ]
}) {}

const QueueBehavior = Queue.behavior(({ answer, config, incarnation, restored }) =>
  Effect.sync(() => {
    const items: Array<number> = Option.match(restored, { onNone: () => [], onSome: (state) => [...state.items] })
    const getters: Array<Token> = Option.match(restored, { onNone: () => [], onSome: (state) => [...state.getters] })
    return {
      handlers: {
        Get: (_, token) => items.length > 0 ? Effect.succeed(items.shift()!) : (getters.push(token), Actor.later),
        Put: ({ how, item }) =>
          Effect.gen(function*() {
            let given = false
            while (!given && getters.length > 0) given = answer(getters.shift()!, Exit.succeed(item))
            if (!given) items.push(item)
            if (how === "yield") yield* Effect.yieldNow
            if (how === "sleep") yield* Effect.sleep(4)
            if (how === "tell" && given) yield* Effect.orDie(config.witness.tell.See({ item }))
            if (how === "die" && incarnation < 4) return yield* Effect.die(new RangeError("mishap"))
          }),
        Read: () => Effect.sync(() => [...items])
      },
      snapshot: () => ({ items, getters })
    }
  })
)

class Consumer extends Actor.make("Consumer", {
  config: Schema.Struct({ queue: Actor.Ref(Queue) }),
  state: Schema.Struct({ got: Schema.Array(Schema.Int) }),
  protocol: [
    Rpc.make("Consume", { payload: { millis: Schema.Int, how: How } }),
    Rpc.make("Got", { success: Schema.Array(Schema.Int) })
  ]
}) {}

const ConsumerBehavior = Consumer.behavior(({ config: { queue }, incarnation, restored }) =>
  Effect.sync(() => {
    const got: Array<number> = Option.match(restored, { onNone: () => [], onSome: (state) => [...state.got] })
    return {
      handlers: {
        Consume: ({ how, millis }) =>
          Effect.gen(function*() {
            const item = yield* Effect.exit(queue.Get(undefined, { deadline: millis }))
            if (how === "yield") yield* Effect.yieldNow
            if (how === "sleep") yield* Effect.sleep(4)
            if (Exit.isSuccess(item)) got.push(item.value)
            if (how === "die" && incarnation < 4) return yield* Effect.die(new RangeError("mishap"))
          }),
        Got: () => Effect.sync(() => [...got])
      },
      snapshot: () => ({ got })
    }
  })
)

const supervision = Supervision.oneForOne({ maxRestarts: Number.POSITIVE_INFINITY, maxConsecutive: 60 })

export const queues = Effect.gen(function*() {
  const { choose, violated } = yield* Simulation
  const system = yield* ActorSystem
  const place = (index: number) =>
    choose(3, "placement") === 2 ? { placement: "fiber" as const } : { placement: "thread" as const, host: index % 2 }
  const witness = yield* system.spawn(Witness, { name: "witness", supervision, ...place(1) })
  const queue = yield* system.spawn(Queue, {
    name: "queue",
    config: { witness },
    supervision,
    mailbox: one([1024, 2], choose, "mailbox"),
    ...place(0)
  })
  const consumers = yield* Effect.forEach(
    [0, 1],
    (index) => system.spawn(Consumer, { name: `consumer/${index}`, config: { queue }, supervision, ...place(index) })
  )
  const put: Array<number> = []
  const told: Array<number> = []
  const got: Array<number> = []
  const how = () => one(["at once", "at once", "yield", "sleep", "die", "tell"] as const, choose, "how")
  const maybeKill = Effect.suspend(() => {
    if (choose(8, "kill") !== 7) return Effect.void
    return Effect.ignore(system.kill(one([queue, ...consumers], choose, "whom")))
  })
  const rest = Effect.suspend(() => Effect.sleep(choose(12, "how long")))
  const producer = (from: number) =>
    Effect.gen(function*() {
      for (let item = from; item < from + 6; item++) {
        const way = how()
        put.push(item)
        if (way === "tell") told.push(item)
        yield* queue.Put({ item, how: way })
        yield* maybeKill
        yield* rest
      }
    })
  const patience = () => one([3, 10, 40, 400], choose, "patience")
  const program = Effect.gen(function*() {
    for (let asks = 0; asks < 5; asks++) {
      const item = yield* Effect.exit(queue.Get(undefined, { deadline: patience() }))
      if (Exit.isSuccess(item)) got.push(item.value)
      yield* rest
    }
  })
  const through = (consumer: typeof consumers[0]) =>
    Effect.gen(function*() {
      for (let asks = 0; asks < 4; asks++) {
        yield* consumer.Consume({ millis: patience(), how: how() })
        yield* maybeKill
        yield* rest
      }
    })
  const all = yield* Effect.forEach(
    [producer(100), producer(200), program, ...consumers.map(through)],
    (each) => Effect.forkChild(each)
  )
  yield* Effect.forEach(all, (fiber) => Fiber.join(fiber))
  // Who has given up while it died may still be waited for.
  yield* Effect.sleep(1000)
  for (const consumer of consumers) got.push(...yield* consumer.Got())
  got.push(...yield* queue.Read())
  const sorted = (items: ReadonlyArray<number>) => items.toSorted((a, b) => a - b).join()
  // Where a call has followed an answer that stands, though its asker gives up before it is committed.
  const lost = told.filter((item) => !got.includes(item))
  if (sorted([...got, ...lost]) !== sorted(put)) violated(`${sorted(put)} were put, and ${sorted(got)} are there`)
  const seen = yield* witness.Seen()
  if (new Set(seen).size !== seen.length || seen.some((item) => !told.includes(item))) {
    violated(`${sorted(told)} may have been told, and ${sorted(seen)} were seen`)
  }
  for (const { later, name } of yield* system.actors) if (later > 0) violated(`${name} still owes ${later} answers`)
}).pipe(
  Effect.scoped,
  Effect.provide(
    Simulation.layer([WitnessBehavior, QueueBehavior, ConsumerBehavior], {
      hosts: 2,
      fibers: true,
      heartbeat: "900 millis",
      startDeadline: "2 seconds",
      askDeadline: "10 minutes"
    })
  )
)
