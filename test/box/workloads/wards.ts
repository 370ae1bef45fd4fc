/**
 * Parents whose start spawns a child in another host: they die at any time, while the child works on, whatever it is told. The next
 * incarnation spawns one of the same name, which must not work beside the old one.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { Scope } from "effect/Scope"
import * as Actor from "../../../src/actors/Actor.ts"
import { Rpc } from "../../../src/actors/Actor.ts"
import { ActorSystem } from "../../../src/actors/ActorSystem.ts"
import type { SpawnFailure } from "../../../src/actors/errors.ts"
import * as Supervision from "../../../src/actors/Supervision.ts"
import { Simulation } from "../../../src/testing/Simulation.ts"
import { one } from "../one.ts"

/** The last of each name that has begun, and those that worked on after it had. */
const latest = new Map<string, number>()
const overlapping: Array<string> = []
let begun = 0

class Ward extends Actor.make("Ward", {
  protocol: [Rpc.make("Work", { payload: { steps: Schema.Int } })]
}) {}

const WardBehavior = Ward.behavior(({ name }) =>
  Effect.sync(() => {
    const nth = ++begun
    latest.set(name, nth)
    return {
      handlers: {
        // Nobody can call it off.
        Work: ({ steps }) =>
          Effect.uninterruptible(Effect.gen(function*() {
            for (let step = 0; step < steps; step++) {
              if (latest.get(name) !== nth) overlapping.push(name)
              yield* Effect.sleep(1)
            }
          }))
      }
    }
  })
)

const supervision = Supervision.oneForOne({ maxRestarts: Number.POSITIVE_INFINITY, maxConsecutive: 60 })

class Parent extends Actor.make("Parent", {
  config: Schema.Struct({ host: Schema.Int, placement: Schema.Literals(["thread", "fiber"]), deep: Schema.Boolean }),
  protocol: [Rpc.make("Do", { payload: { pause: Schema.Int, dies: Schema.Boolean }, success: Schema.Int })]
}) {}

const ParentBehavior = Parent.behavior<SpawnFailure, ActorSystem | Scope>((
  { config: { deep, host, placement }, incarnation, name }
) =>
  Effect.gen(function*() {
    const system = yield* ActorSystem
    const where = placement === "thread" ? { placement, host } as const : { placement } as const
    // Its child is to work all the time, or that of its child.
    if (deep) {
      yield* system.spawn(Parent, {
        name: `${name}/deep`,
        supervision,
        config: { host, placement, deep: false },
        ...where
      })
    } else {
      const ward = yield* system.spawn(Ward, { name: `${name}/ward`, supervision, ...where })
      yield* Effect.forkScoped(Effect.forever(ward.Work({ steps: 12 })))
    }
    return {
      handlers: {
        Do: ({ dies, pause }) =>
          Effect.gen(function*() {
            yield* Effect.sleep(pause)
            if (dies && incarnation <= 8) return yield* Effect.die(new RangeError("mishap"))
            return pause
          })
      }
    }
  })
)

export const wards = Effect.gen(function*() {
  latest.clear()
  overlapping.length = 0
  const { choose, violated } = yield* Simulation
  const system = yield* ActorSystem
  const parents = yield* Effect.forEach([0, 1], (index) =>
    system.spawn(Parent, {
      name: `parent/${index}`,
      supervision,
      config: {
        host: choose(2, "host of the child"),
        placement: one(["thread", "thread", "fiber"] as const, choose, "placement of the child"),
        deep: choose(3, "deep") === 2
      },
      placement: "thread",
      host: index
    }))
  yield* Effect.forEach(parents, (parent) =>
    Effect.gen(function*() {
      for (let message = 0; message < 3; message++) {
        const pause = choose(20, "pause")
        const done = yield* parent.Do({ pause, dies: choose(2, "dies") === 1 })
        if (done !== pause) violated(`${parent.name} has waited ${done} of ${pause}`)
        if (choose(4, "kill") === 3) yield* Effect.ignore(system.kill(parent))
      }
    }), { concurrency: "unbounded" })
  for (const name of overlapping) violated(`two of ${name} were at work`)
}).pipe(
  Effect.scoped,
  Effect.provide(
    Simulation.layer([ParentBehavior, WardBehavior], {
      hosts: 2,
      fibers: true,
      heartbeat: "900 millis",
      startDeadline: "2 seconds",
      askDeadline: "10 minutes"
    })
  )
)
