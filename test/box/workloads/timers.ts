/**
 * Timers that actors set for themselves, while those and their hosts die. What a timer sends must come once for each one that
 * was set by an answered message, no sooner than it was to; a beat goes on through deaths until it is ended.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Actor from "../../../src/actors/Actor.ts"
import { Rpc } from "../../../src/actors/Actor.ts"
import { ActorSystem } from "../../../src/actors/ActorSystem.ts"
import * as Supervision from "../../../src/actors/Supervision.ts"
import { Simulation } from "../../../src/testing/Simulation.ts"
import { one } from "../one.ts"

const Rung = Schema.Struct({ id: Schema.Int, nonce: Schema.Int, at: Schema.Finite })

class Clockwork extends Actor.make("Clockwork", {
  state: Schema.Struct({ rung: Schema.Array(Rung), beats: Schema.Int }),
  protocol: [
    // Answers the number that what it sends later must hold.
    Rpc.make("Set", {
      payload: {
        id: Schema.Int,
        key: Schema.Int,
        millis: Schema.Int,
        how: Schema.Literals(["at once", "yield", "die"])
      },
      success: Schema.Int
    }),
    Rpc.make("Ring", { payload: { id: Schema.Int, nonce: Schema.Int, dies: Schema.Boolean } }),
    Rpc.make("Start", { payload: { millis: Schema.Int } }),
    Rpc.make("Beat", {}),
    Rpc.make("Stop", {}),
    Rpc.make("Read", { success: Schema.Struct({ rung: Schema.Array(Rung), beats: Schema.Int }) })
  ]
}) {}

/** Drawn anew by each run of a handler, on purpose: a timer of a run that was not answered is told from one that was. */
let drawn = 0

const ClockworkBehavior = Clockwork.behavior(({ incarnation, restored, self }) =>
  Effect.gen(function*() {
    const { rung, beats } = Option.getOrElse(restored, () => ({ rung: [], beats: 0 }))
    const all = [...rung]
    let count = beats
    // While it waits, no further start sets it anew.
    yield* self.after(5, { key: "start" }).Ring({ id: 0, nonce: 0, dies: false })
    return {
      handlers: {
        Set: ({ how, id, key, millis }) =>
          Effect.gen(function*() {
            const nonce = ++drawn
            yield* self.after(millis, { key: `${key}` }).Ring({ id, nonce, dies: how === "die" })
            if (how !== "at once") yield* Effect.yieldNow
            if (how === "die" && incarnation < 3) return yield* Effect.die(new RangeError("mishap"))
            return nonce
          }),
        Ring: ({ dies, id, nonce }) =>
          Effect.gen(function*() {
            const at = yield* Clock.currentTimeMillis
            all.push({ id, nonce, at })
            if (dies && incarnation < 5) return yield* Effect.die(new RangeError("mishap"))
          }),
        Start: ({ millis }) => self.every(millis).Beat(),
        Beat: () => Effect.sync(() => void count++),
        Stop: () => self.cancel("Beat"),
        Read: () => Effect.sync(() => ({ rung: [...all], beats: count }))
      },
      snapshot: () => ({ rung: all, beats: count })
    }
  })
)

const supervision = Supervision.oneForOne({ maxRestarts: Number.POSITIVE_INFINITY, maxConsecutive: 50 })

export const timers = Effect.gen(function*() {
  drawn = 0
  const { choose, struck, violated } = yield* Simulation
  const system = yield* ActorSystem
  const placements = ["thread", "fiber", "thread"] as const
  const clients = yield* Effect.forEach(placements, (placement, index) =>
    Effect.forkChild(Effect.gen(function*() {
      const name = `${placement}/${index}`
      const clockwork = yield* system.spawn(Clockwork, {
        name,
        placement,
        supervision,
        mailbox: one([1024, 1], choose, "mailbox")
      })
      /** What must come, or may have been replaced: by key, as it was set. */
      const set: Array<{
        readonly id: number
        readonly key: number
        readonly nonce: number
        readonly due: number
        readonly answered: number
      }> = []
      const period = one([100, 40, 300], choose, "period")
      yield* clockwork.Start({ millis: period })
      for (let id = 1; id <= 6; id++) {
        const sent = yield* Clock.currentTimeMillis
        const millis = one([0, 3, 20, 500], choose, "when")
        const key = choose(4, "another's key") === 3 ? choose(id, "whose") : id
        const how = one(["at once", "at once", "yield", "die"] as const, choose, "how")
        const nonce = yield* clockwork.Set({ id, key, millis, how })
        set.push({ id, key, nonce, due: sent + millis, answered: yield* Clock.currentTimeMillis })
        if (choose(8, "kill") === 7) {
          yield* Effect.ignore(system.kill(clockwork, one(["terminate", "throw"] as const, choose, "how it is killed")))
        }
        if (choose(3, "rest") === 2) yield* Effect.sleep(choose(60, "how long"))
      }
      yield* Effect.sleep(2500)
      yield* clockwork.Stop()
      const before = yield* clockwork.Read()
      yield* Effect.sleep(1000)
      const { beats, rung } = yield* clockwork.Read()
      if (beats === 0) violated(`${name} has not beaten once`)
      if (beats > before.beats + 1) violated(`${name} has beaten ${beats - before.beats} times after its end`)
      if (!rung.some(({ id }) => id === 0)) violated(`${name}: what its start has set never rang`)
      for (const { at, id, nonce } of rung) {
        if (id === 0) continue
        const its = set.find((timer) => timer.id === id)
        if (its?.nonce !== nonce) violated(`${name}: ${id} rang for ${nonce}, and ${its?.nonce} was set`)
        else if (at < its.due - 0.001 && struck("pause") === 0) {
          violated(`${name}: ${id} rang ${its.due - at} ms too soon`)
        }
      }
      for (const [index, { due, id, key }] of set.entries()) {
        const times = rung.filter((ring) => ring.id === id).length
        const other = set.slice(index + 1).find((later) => later.key === key)
        if (times > 1 || (times === 0 && other === undefined)) violated(`${name}: ${id} rang ${times} times`)
        // It may have come due before the other took its place.
        if (times > 0 && other !== undefined && due > other.answered) violated(`${name}: ${id} rang, and was replaced`)
      }
    })))
  yield* Effect.forEach(clients, (fiber) => Fiber.join(fiber))
}).pipe(
  Effect.scoped,
  Effect.provide(
    Simulation.layer([ClockworkBehavior], {
      hosts: 2,
      fibers: true,
      heartbeat: "900 millis",
      startDeadline: "2 seconds",
      askDeadline: "10 minutes"
    })
  )
)
