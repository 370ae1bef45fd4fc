/** The owner's side alone, with a host that does what the test says. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Schema } from "effect"
import * as Actor from "../../../src/actors/Actor.ts"
import { Rpc } from "../../../src/actors/Actor.ts"
import { Death } from "../../../src/actors/Death.ts"
import type { Envelope, Host, Tenant } from "../../../src/actors/hosts/Host.ts"
import type { Address } from "../../../src/actors/InHand.ts"
import type { LifecycleEvent } from "../../../src/actors/LifecycleEvent.ts"
import { requests, systemAddress } from "../../../src/actors/messages/requests.ts"
import { Alarms } from "../../../src/actors/owner/Alarms.ts"
import { Guardian } from "../../../src/actors/owner/Guardian.ts"
import { Siblings } from "../../../src/actors/owner/Siblings.ts"
import * as Supervision from "../../../src/actors/Supervision.ts"

class Sum extends Actor.make("Sum", {
  state: Schema.Struct({ total: Schema.Int }),
  protocol: [
    Rpc.make("Add", { payload: { n: Schema.Int }, success: Schema.Int }),
    Rpc.make("Once", {}).annotate(Actor.NonReplayable, true),
    Rpc.make("Search", {}).annotate(Actor.Cancellable, true)
  ]
}) {}

const add = Sum.methods.get("Add")!
const once = Sum.methods.get("Once")!
const search = Sum.methods.get("Search")!

const setUp = (
  supervision = Supervision.oneForOne(),
  capacity = 4,
  fork = (effect: Effect.Effect<void>) => Effect.runSync(effect)
) => {
  const heard: Array<string> = []
  const events: Array<LifecycleEvent> = []
  const placedWith: Array<unknown> = []
  const host: Host = {
    index: 0,
    placement: "fiber",
    border: false,
    population: 1,
    queued: 0,
    place: (tenant: Tenant) => {
      heard.push(`place ${tenant.incarnation}`)
      placedWith.push(tenant.hasState ? tenant.state : "none")
    },
    deliver: (tenant: Tenant, { seq }: Envelope) => heard.push(`deliver ${tenant.incarnation}:${seq}`),
    withdraw: (_, { seq }) => heard.push(`withdraw ${seq}`),
    forsake: (_, seq) => heard.push(`forsake ${seq}`),
    answered: (_tenant, _seq, call) => heard.push(`answered ${call}`),
    stop: () => heard.push("stop"),
    halt: () => heard.push("halt"),
    kill: () => Effect.void,
    evict: () => heard.push("evict")
  }
  const siblings = new Siblings(supervision, () => 0, fork)
  const guardian = new Guardian({
    id: 1,
    name: "sum",
    definition: Sum,
    config: undefined,
    host,
    siblings,
    capacity,
    surroundings: {
      now: () => 0,
      checks: false,
      observer: undefined,
      askMillis: 60_000,
      serve: () => undefined,
      system: "",
      referred: () => {},
      alarms: new Alarms({ now: () => 0, after: () => () => {} }),
      publish: (event) => events.push(event),
      expect: () => {},
      ended: () => {}
    }
  })
  const outcomes: Array<Exit.Exit<unknown, unknown>> = []
  const ask = (method: Actor.Method) =>
    guardian.send(method, { n: 1 }, 1000, false, false, (outcome) => outcomes.push(outcome))
  guardian.place()
  guardian.started(1)
  return { guardian, heard, events, outcomes, ask, placedWith }
}

const killed = new Death({ kind: "Killed", message: "killed" })

describe("Guardian", () => {
  it("commits reply and state together, and replays what is left after a death", () => {
    const { ask, guardian, heard, outcomes, placedWith } = setUp()
    ask(add)
    ask(add)
    ask(add)
    guardian.replied(1, 1, Exit.succeed("one"), { total: 1 })
    guardian.died(1, killed, undefined)
    guardian.started(2)
    assert.deepStrictEqual(heard, [
      "place 1",
      "deliver 1:1",
      "deliver 1:2",
      "deliver 1:3",
      "place 2",
      "deliver 2:2",
      "deliver 2:3"
    ])
    assert.deepStrictEqual(placedWith, ["none", { total: 1 }])
    assert.deepStrictEqual(outcomes, [Exit.succeed("one")])
  })

  it("does not hear a dead incarnation", () => {
    const { ask, guardian, outcomes } = setUp()
    ask(add)
    guardian.died(1, killed, undefined)
    guardian.started(2)
    guardian.replied(1, 1, Exit.succeed("late"), { total: 99 })
    guardian.died(1, killed, undefined)
    guardian.stopped(1)
    assert.deepStrictEqual(outcomes, [])
    assert.isFalse(guardian.hasState)
    assert.strictEqual(guardian.incarnation, 2)
    guardian.replied(2, 1, Exit.succeed("in time"), { total: 1 })
    assert.deepStrictEqual(outcomes, [Exit.succeed("in time")])
    guardian.replied(2, 1, Exit.succeed("again"), { total: 2 })
    assert.deepStrictEqual(guardian.state, { total: 1 })
    assert.strictEqual(outcomes.length, 1)
  })

  it("does not die again with its host while it waits for its next incarnation", () => {
    const { events, guardian } = setUp(Supervision.oneForOne(), 4, () => {})
    guardian.died(1, new Death({ kind: "Defect", message: "mishap" }), 0)
    guardian.died(2, new Death({ kind: "HostExited", message: "gone" }), undefined)
    assert.strictEqual(guardian.incarnation, 2)
    assert.strictEqual(events.filter(({ _tag }) => _tag === "Died").length, 1)
  })

  it("lets in who waits for room where what may not run twice has left some", () => {
    const { ask, guardian, heard } = setUp(Supervision.oneForOne(), 1)
    ask(once)
    ask(add)
    guardian.died(1, killed, 1)
    guardian.started(2)
    assert.include(heard, "deliver 2:2")
  })

  it("takes back what nobody waits for: at once where no incarnation has it, else where its host has not begun it", () => {
    const { ask, guardian, heard, outcomes } = setUp(Supervision.oneForOne(), 2, () => {})
    const [first, second, third, fourth] = [ask(add), ask(add), ask(add), ask(add)]
    guardian.abandon(third!)
    assert.strictEqual(guardian.unanswered, 3)
    guardian.abandon(second!)
    assert.strictEqual(guardian.unanswered, 3)
    guardian.withdrawn(1, 2)
    // Its room is the next one's.
    assert.deepStrictEqual(heard, ["place 1", "deliver 1:1", "deliver 1:2", "withdraw 2", "deliver 1:4"])
    guardian.withdrawn(1, 2)
    guardian.abandon(first!)
    guardian.died(1, killed, undefined)
    guardian.abandon(fourth!)
    assert.deepStrictEqual([guardian.owes(1), guardian.owes(4), guardian.unanswered], [true, false, 1])
    assert.deepStrictEqual(outcomes, [])
  })

  it("after a death delivers nothing that was given up, except what was in hand", () => {
    const { ask, guardian, heard } = setUp()
    const [first, second] = [ask(add), ask(add)]
    ask(add)
    guardian.abandon(first!)
    guardian.abandon(second!)
    guardian.died(1, killed, undefined)
    guardian.started(2)
    assert.deepStrictEqual(heard.slice(-3), ["place 2", "deliver 2:1", "deliver 2:3"])
  })

  it("a cancelled incarnation is followed by the next, and nobody has counted", () => {
    const { ask, guardian, heard } = setUp(Supervision.never)
    const given = ask(search)
    ask(add)
    guardian.abandon(given!)
    guardian.died(1, new Death({ kind: "Cancelled", message: "given up" }), 1)
    guardian.started(2)
    assert.deepStrictEqual(heard.slice(-3), ["withdraw 1", "place 2", "deliver 2:2"])
    assert.deepStrictEqual([guardian.restarts, guardian.status], [0, "running"])
  })

  it("tells what a call has ended with when it returns, after what its message was told meanwhile", () => {
    const { ask, guardian, heard } = setUp()
    ask(add)
    const resumes: Array<(outcome: Exit.Exit<unknown, unknown>) => void> = []
    const other: Address = {
      ...systemAddress((_method, _payload, _millis, _tell, _failWhenFull, resume) => {
        resumes.push(resume)
        // The second is answered at once, and then the first.
        for (const each of resumes.length === 2 ? resumes.toReversed() : []) each(Exit.succeed(1))
        return undefined
      }),
      id: 7
    }
    const when = { heard: 0, slept: 0, began: 0, millis: 0, failWhenFull: false } as const
    for (const call of [1, 2]) {
      guardian.asking(1, { ...when, seq: 1, call, mode: "ask", to: other, method: add, payload: {}, value: {} })
    }
    assert.deepStrictEqual(heard.slice(-2), ["answered 1", "answered 2"])
  })

  it("answers later, once, and forgets who gave up", () => {
    const { ask, guardian, heard, outcomes } = setUp()
    ask(add)
    const second = ask(add)!
    guardian.replied(1, 1, "later", { total: 1 })
    guardian.replied(1, 2, "later", { total: 2 })
    assert.deepStrictEqual(guardian.later, [[1, "Add"], [2, "Add"]])
    assert.deepStrictEqual(outcomes, [])
    ask(once)
    // An answer counts with the reply that it comes with.
    guardian.replied(1, 3, Exit.void, { total: 3 }, undefined, [[1, "success", 7]])
    assert.deepStrictEqual(outcomes, [Exit.void, Exit.succeed(7)])
    guardian.abandon(second)
    assert.strictEqual(heard.at(-1), "forsake 2")
    assert.deepStrictEqual(guardian.later, [])
  })

  it("does not commit what answers one who had given up: the message runs again, and nothing is counted", () => {
    const { ask, guardian, heard, outcomes } = setUp()
    const first = ask(add)!
    guardian.replied(1, 1, "later", { total: 1 })
    ask(add)
    guardian.abandon(first)
    guardian.replied(1, 2, Exit.succeed("in error"), { total: 99 }, undefined, [[1, "success", 7]])
    assert.strictEqual(heard.at(-1), "halt")
    assert.isTrue(guardian.deaf)
    // What it still says is not heard.
    guardian.replied(1, 2, Exit.succeed("in error"), { total: 99 })
    guardian.died(1, killed, 2)
    guardian.started(2)
    assert.deepStrictEqual(heard.slice(-2), ["place 2", "deliver 2:2"])
    guardian.replied(2, 2, Exit.succeed("kept"), { total: 2 })
    assert.deepStrictEqual(outcomes, [Exit.succeed("kept")])
    assert.deepStrictEqual(guardian.state, { total: 2 })
    assert.strictEqual(guardian.restarts, 0)
  })

  it("lets an answer stand once a call has followed it", () => {
    const { ask, guardian, heard, outcomes } = setUp()
    const first = ask(add)!
    guardian.replied(1, 1, "later", { total: 1 })
    ask(add)
    const call = {
      seq: 2,
      call: 1,
      mode: "tell",
      millis: 0,
      failWhenFull: false,
      heard: 0,
      slept: 0,
      began: 0
    } as const
    const to = systemAddress(() => undefined)
    guardian.asking(1, { ...call, to, method: requests.lookup, payload: {}, value: {}, answered: [1] })
    guardian.abandon(first)
    assert.notInclude(heard, "forsake 1")
    guardian.replied(1, 2, Exit.succeed("done"), { total: 2 }, undefined, [[1, "success", 7]])
    // Nobody is there to be told; it counts all the same.
    assert.deepStrictEqual(outcomes, [Exit.succeed("done")])
    assert.deepStrictEqual(guardian.later, [])
  })

  it("to resume leaves out the message in hand, and is to restart where there is none", () => {
    const { ask, guardian, outcomes } = setUp(Supervision.oneForOne({ maxRestarts: 0, decide: () => "resume" }))
    const mishap = new Death({ kind: "Defect", message: "mishap" })
    for (let incarnation = 1; incarnation <= 20; incarnation++) {
      ask(add)
      guardian.died(incarnation, mishap, incarnation)
      guardian.started(incarnation + 1)
    }
    assert.isTrue(outcomes.every((outcome) => String(outcome).includes("ActorDied")))
    assert.deepStrictEqual([outcomes.length, guardian.restarts, guardian.unanswered], [20, 0, 0])
    guardian.died(21, mishap, 0)
    assert.strictEqual(guardian.status, "ended")
  })

  it("fails what may not run twice if it may have started, whichever those are", () => {
    const known = setUp()
    known.ask(once)
    known.ask(add)
    known.ask(once)
    known.guardian.died(1, killed, 1)
    assert.deepStrictEqual(known.outcomes.map((exit) => exit._tag), ["Failure"])
    assert.deepStrictEqual(known.heard.slice(-3), ["place 2", "deliver 2:2", "deliver 2:3"])

    const idle = setUp()
    idle.ask(once)
    idle.guardian.died(1, killed, 0)
    assert.deepStrictEqual(idle.outcomes, [])

    const unknown = setUp()
    unknown.ask(once)
    unknown.ask(add)
    unknown.ask(once)
    unknown.guardian.died(1, killed, undefined)
    assert.strictEqual(unknown.outcomes.length, 2)
    assert.deepStrictEqual(unknown.heard.slice(-2), ["place 2", "deliver 2:2"])
  })

  it("a first incarnation that cannot start is not tried again; a later one is", () => {
    const { guardian, heard } = setUp()
    const cannot = new Death({ kind: "StartFailed", message: "no" })
    guardian.died(1, cannot, 0)
    assert.strictEqual(heard.at(-1), "place 2")
    assert.strictEqual(guardian.status, "starting")
  })

  it("delivers no more than the capacity, and admits in order", () => {
    const { ask, guardian, heard } = setUp(undefined, 2)
    ask(add)
    ask(add)
    const third = ask(add)
    ask(add)
    assert.strictEqual(heard.at(-1), "deliver 1:2")
    if (third !== undefined) guardian.abandon(third)
    guardian.replied(1, 1, Exit.void, { total: 1 })
    assert.strictEqual(heard.at(-1), "deliver 1:4")
    assert.strictEqual(guardian.unanswered, 2)
  })
})
