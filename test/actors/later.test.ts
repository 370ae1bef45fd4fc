/** Answers that are given later, in every placement: committed with the state, through deaths of all, and told of who gave up. */
import { assert, layer } from "@effect/vitest"
import { Effect, Exit, Fiber, type Layer, type Scope } from "effect"
import { ActorSystem } from "../../src/actors/ActorSystem.ts"
import type { SystemFailure } from "../../src/actors/errors.ts"
import type { Placement } from "../../src/actors/Placement.ts"
import * as Supervision from "../../src/actors/Supervision.ts"
import { Consumer, ConsumerBehavior, Forgetful, ForgetfulBehavior, Queue, QueueBehavior } from "./fixtures/waiting.ts"
import { runner } from "./placements.ts"
import { until } from "./until.ts"

const entry = new URL("./fixtures/waiting.host.ts", import.meta.url)

const layers: Record<Placement, Layer.Layer<ActorSystem, SystemFailure>> = {
  fiber: ActorSystem.layerFiber([QueueBehavior, ConsumerBehavior, ForgetfulBehavior]),
  thread: ActorSystem.layerThread({ entry, hosts: 2, spares: 1 }),
  process: ActorSystem.layerProcess({ entry, hosts: 2 }),
  runner: runner({ entry }, { hosts: 2 })
}

const supervision = Supervision.oneForOne({ maxRestarts: 50 })

const queueing = Effect.gen(function*() {
  const system = yield* ActorSystem
  const queue = yield* system.spawn(Queue, { name: "queue", supervision })
  const laterOf = (name: string) =>
    Effect.map(system.actors, (actors) => actors.find((actor) => actor.name === name)?.later)
  return { later: laterOf("queue"), laterOf, queue, system }
})

const fork = <A, E>(effect: Effect.Effect<A, E>) => Effect.forkChild(Effect.exit(effect), { startImmediately: true })

for (const [placement, system] of Object.entries(layers)) {
  layer(system, { excludeTestServices: true, timeout: "60 seconds" })(`answers given later, ${placement}`, (it) => {
    const live = <A, E>(name: string, body: () => Effect.Effect<A, E, ActorSystem | Scope.Scope>) =>
      it.effect(name, () => Effect.scoped(body()), 30_000)

    live("a getter waits for what is put, through deaths, and each item counts once", () =>
      Effect.gen(function*() {
        const { later, queue, system } = yield* queueing
        const gets = yield* Effect.forEach([1, 2, 3], () => fork(queue.Get()))
        yield* until(later, (count) => count === 3)
        assert.deepStrictEqual(yield* queue.Read(), { items: [], getters: 3 })
        yield* system.kill(queue)
        assert.deepStrictEqual(yield* queue.Read(), { items: [], getters: 3 })
        // Dies after it has answered, and answers once all the same.
        yield* queue.Put({ item: 10, until: 3 })
        yield* queue.Put({ item: 20, until: 0 })
        yield* queue.Put({ item: 30, until: 0 })
        const got = yield* Effect.forEach(gets, (get) => Fiber.join(get))
        assert.deepStrictEqual(got, [Exit.succeed(10), Exit.succeed(20), Exit.succeed(30)])
        yield* queue.Put({ item: 40, until: 0 })
        assert.deepStrictEqual(yield* queue.Read(), { items: [40], getters: 0 })
        assert.strictEqual(yield* queue.Get(), 40)
        assert.strictEqual(yield* later, 0)
      }))

    live("who has given up is not answered, and what was for it is kept", () =>
      Effect.gen(function*() {
        const { later, queue } = yield* queueing
        const interrupted = yield* Effect.forkChild(queue.Get(), { startImmediately: true })
        const patient = yield* fork(queue.Get())
        // Nobody waits for a tell, so there is nobody to answer later.
        yield* queue.tell.Get()
        yield* until(later, (count) => count === 2)
        const exit = yield* Effect.exit(queue.Get(undefined, { deadline: 30 }))
        assert.match(String(exit), /AskTimeout/)
        yield* Fiber.interrupt(interrupted)
        yield* until(later, (count) => count === 1)
        yield* queue.Put({ item: 1, until: 0 })
        yield* queue.Put({ item: 2, until: 0 })
        assert.deepStrictEqual(yield* Fiber.join(patient), Exit.succeed(1))
        assert.deepStrictEqual(yield* queue.Read(), { items: [2], getters: 0 })
      }))

    live("a failure, a second answer, and one that does not fit", () =>
      Effect.gen(function*() {
        const { later, queue, system } = yield* queueing
        const first = yield* fork(queue.Get())
        yield* until(later, (count) => count === 1)
        assert.deepStrictEqual(yield* queue.Twice(), [true, false])
        assert.deepStrictEqual(yield* Fiber.join(first), Exit.succeed(1))
        const answered = (what: string) => `it was answered with ${what}; an answer is Exit.succeed or Exit.fail`
        const refusals = {
          "no item": "Expected number",
          "no exit": answered("5"),
          defect: answered("a defect (mishap)"),
          interruption: answered("an interruption")
        }
        for (const [how, refusal] of Object.entries(refusals)) {
          const second = yield* fork(Effect.flip(queue.Get()))
          yield* until(later, (count) => count === 1)
          yield* queue.Nonsense({ how: how as keyof typeof refusals })
          const refused = yield* Effect.flatten(Fiber.join(second))
          assert.strictEqual(refused.message, `the reply of queue.Get was refused: ${refusal}`)
        }
        const third = yield* fork(queue.Get())
        yield* until(later, (count) => count === 1)
        assert.isFalse(yield* queue.Forge())
        yield* system.kill(queue)
        assert.isFalse(yield* queue.Forge())
        yield* queue.Close({ reason: "night" })
        assert.match(String(yield* Fiber.join(third)), /Closed/)
      }))

    live(
      "an answer that cannot cross is refused, and the reply that it comes with is not",
      () =>
        Effect.gen(function*() {
          const { later, queue } = yield* queueing
          const memory = yield* fork(queue.Memory())
          yield* until(later, (count) => count === 1)
          assert.strictEqual(yield* queue.Give(), 8)
          const exit = yield* Fiber.join(memory)
          if (placement !== "fiber" && placement !== "thread") assert.match(String(exit), /MessageRefused/)
          else assert.deepStrictEqual(Exit.isSuccess(exit) ? exit.value.byteLength : String(exit), 8)
        })
    )

    live("who waits when its actor ends, or forgets, is told so", () =>
      Effect.gen(function*() {
        const { later, laterOf, queue, system } = yield* queueing
        const get = yield* fork(queue.Get())
        yield* until(later, (count) => count === 1)
        yield* system.stop(queue)
        assert.match(String(yield* Fiber.join(get)), /ActorStopped/)
        const forgetful = yield* system.spawn(Forgetful, { name: "forgetful", supervision })
        const wait = yield* fork(forgetful.Wait())
        yield* until(laterOf("forgetful"), (count) => count === 1)
        yield* system.kill(forgetful)
        assert.match(String(yield* Fiber.join(wait)), /ActorDied/)
      }))

    live(
      "a handler that waits is told once, whoever dies; one that gives up leaves what was for it",
      () =>
        Effect.gen(function*() {
          const { later, queue, system } = yield* queueing
          const consumer = yield* system.spawn(Consumer, { name: "consumer", supervision })
          const consumed = yield* fork(consumer.Consume({ queue, until: 3 }))
          yield* until(later, (count) => count === 1)
          yield* system.kill(consumer)
          yield* system.kill(queue)
          yield* queue.Put({ item: 7, until: 2 })
          yield* queue.Put({ item: 8, until: 0 })
          assert.deepStrictEqual(yield* Fiber.join(consumed), Exit.succeed([7]))
          assert.strictEqual(yield* consumer.Hurry({ queue, millis: 1000 }), "item 8")
          assert.strictEqual(yield* consumer.Hurry({ queue, millis: 5 }), "gave up")
          yield* until(later, (count) => count === 0)
          yield* queue.Put({ item: 9, until: 0 })
          assert.deepStrictEqual((yield* queue.Read()).items, [9])
        })
    )
  })
}
