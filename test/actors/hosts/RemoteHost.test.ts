/** Who is believed: a host of another build does no work, and what a refused or ending one says is not heard. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { ActorSystem } from "../../../src/actors/ActorSystem.ts"
import { type EventLoop, real } from "../../../src/actors/EventLoop.ts"
import type { Tenant } from "../../../src/actors/hosts/Host.ts"
import { RemoteHost } from "../../../src/actors/hosts/RemoteHost.ts"
import type { Command, LinkEvents, Report } from "../../../src/actors/links/HostLink.ts"
import { systemAddress } from "../../../src/actors/messages/requests.ts"
import { makeGate, Probe, reached } from "../fixtures/probe.ts"
import { thread } from "../placements.ts"

/** A host whose other side says what the test says. */
const setUp = (
  pending: (seq: number) => boolean = () => true,
  loop: EventLoop = real,
  heartbeatMillis = Number.POSITIVE_INFINITY
) => {
  const posted: Array<Command[0]> = []
  const heard: Array<string> = []
  const links: Array<LinkEvents> = []
  const way = { queued: 0 }
  const host = new RemoteHost({
    index: 0,
    placement: "thread",
    entry: "entry",
    buildId: "A",
    startMillis: 10_000,
    heartbeatMillis,
    publish: () => {},
    called: () => {
      throw new Error("nobody calls here")
    },
    loop,
    open: (events) => {
      links.push(events)
      return {
        post: (batch) => void posted.push(...batch.map(([kind]) => kind)),
        terminate: () => heard.push("end"),
        get queued() {
          return way.queued
        }
      }
    }
  })
  const tenant: Tenant = {
    id: 1,
    name: "a",
    parentName: undefined,
    system: "",
    later: [],
    taken: 0,
    deaf: false,
    address: systemAddress(() => undefined),
    definition: Probe,
    config: undefined,
    state: undefined,
    hasState: false,
    incarnation: 1,
    working: true,
    pending: (seq) => pending(seq) ? Probe.methods.get("Append") : undefined,
    started: () => heard.push("started"),
    replied: () => heard.push("replied") > 0,
    toldThere: () => {},
    mistaken: () => heard.push("mistaken"),
    heardThere: () => 0,
    withdrawn: () => {},
    timed: () => heard.push("timed"),
    answered: () => heard.push("answered"),
    refused: () => heard.push("refused"),
    died: () => heard.push("died"),
    stopped: () => heard.push("stopped"),
    home: heard,
    hasMade: () => true,
    asking: () => {},
    abandoned: () => {},
    slept: () => {},
    unfit: ({ message }) => {
      heard.push(message)
      host.evict(tenant)
    }
  }
  host.place(tenant)
  return { heard, host, link: links[0]!, posted, tenant, way }
}

/** A loop whose time the test moves. */
const slowLoop = () => {
  let now = 0
  let timers: Array<{ readonly at: number; readonly task: (paused: boolean) => void }> = []
  const loop: EventLoop = {
    ...real,
    now: () => now,
    after: (millis, task) => {
      const timer = { at: now + millis, task }
      timers.push(timer)
      return () => {
        timers = timers.filter((other) => other !== timer)
      }
    }
  }
  const until = (time: number): void => {
    while (true) {
      const next = timers.toSorted((a, b) => a.at - b.at).find(({ at }) => at <= time)
      if (next === undefined) break
      now = Math.max(now, next.at)
      timers = timers.filter((other) => other !== next)
      next.task(false)
    }
    now = time
  }
  return { loop, until }
}

describe("RemoteHost, in silence", () => {
  it("ends the other side when the heartbeat's time is over, neither sooner nor a beat later", () => {
    for (const last of [0, 100, 950, 1000, 1001, 1499, 2999]) {
      const { loop, until } = slowLoop()
      const { heard, link } = setUp(undefined, loop, 3000)
      link.received([["ready", "A"]])
      until(last)
      link.received([["started", 1, 1]])
      until(last + 2999)
      assert.deepStrictEqual(heard, ["started"], `after ${last}`)
      until(last + 3000)
      assert.deepStrictEqual(heard, ["started", "end"], `after ${last}`)
      link.exited("over", undefined)
    }
  })

  it("asks at once who is to end now, and ends the other side where no answer comes", () => {
    const { loop, until } = slowLoop()
    const { heard, host, link, posted, tenant } = setUp(undefined, loop, 30_000)
    link.received([["ready", "A"], ["started", 1, 1]])
    host.halt(tenant)
    real.turn.settle()
    assert.deepStrictEqual(posted, ["start", "halt", "ping"])
    until(999)
    assert.deepStrictEqual(heard, ["started"])
    until(1000)
    assert.deepStrictEqual(heard, ["started", "end"])
    host.evict(tenant)
    link.exited("over", undefined)
  })

  it("asks so too where what may be given up is given up, and not where it may not", () => {
    for (const [method, ends] of [["Search", true], ["Append", false]] as const) {
      const { loop, until } = slowLoop()
      const { heard, host, link, tenant } = setUp(undefined, loop, 30_000)
      link.received([["ready", "A"], ["started", 1, 1]])
      host.withdraw(tenant, {
        seq: 1,
        method: Probe.methods.get(method)!,
        sent: 0,
        payload: undefined,
        millis: 1,
        expires: 1,
        tell: false,
        resume: undefined
      })
      real.turn.settle()
      until(1100)
      assert.deepStrictEqual(heard, ends ? ["started", "end"] : ["started"])
      host.evict(tenant)
      link.exited("over", undefined)
    }
  })

  it("leaves the other side alone where it answers, or says something, or the one to end did not work", () => {
    const { loop, until } = slowLoop()
    const { heard, host, link, posted, tenant } = setUp(undefined, loop, 30_000)
    link.received([["ready", "A"], ["started", 1, 1]])
    host.halt({ ...tenant, working: false })
    host.halt(tenant)
    real.turn.settle()
    assert.deepStrictEqual(posted.filter((kind) => kind === "ping"), ["ping"])
    until(900)
    link.received([["replied", 1, 1, 1, "success", 1, undefined]])
    until(1900)
    // Its answer to the start, two halts and the ping; it has said: ready, started, replied and this.
    link.received([["alive", 4, 4, 4]])
    until(9000)
    assert.deepStrictEqual(heard, ["started", "replied"])
    host.evict(tenant)
    link.exited("over", undefined)
  })
})

describe("RemoteHost", () => {
  it.live("tells a host nothing before it is ready, then everything", () =>
    Effect.gen(function*() {
      const { host, link, posted, tenant } = setUp()
      host.stop(tenant)
      yield* Effect.yieldNow
      assert.deepStrictEqual(posted, [])
      link.received([["ready", "A"]])
      assert.deepStrictEqual(posted, ["start", "stop"])
      host.evict(tenant)
      link.exited("over", undefined)
    }))

  it("holds back what it has to say while much waits to be sent, and forgets of it what nobody wants any more", () => {
    const { host, link, posted, tenant, way } = setUp()
    link.received([["ready", "A"]])
    posted.length = 0
    way.queued = 9 * 1024 * 1024
    assert.strictEqual(host.queued, way.queued)
    host.place({ ...tenant, id: 2 })
    host.place({ ...tenant, id: 3 })
    real.turn.settle()
    assert.deepStrictEqual(posted, [])
    host.evict({ ...tenant, id: 2 })
    way.queued = 0
    link.drained?.()
    assert.deepStrictEqual(posted, ["start"])
    for (const id of [1, 3]) host.evict({ ...tenant, id })
    link.exited("over", undefined)
  })

  it("does not tell a host that comes up of who has ended meanwhile", () => {
    const { host, link, posted, tenant } = setUp()
    host.stop(tenant)
    host.halt(tenant)
    host.evict(tenant)
    link.received([["ready", "A"]])
    assert.deepStrictEqual(posted, [])
    link.exited("over", undefined)
  })

  it("does not hear a host before it is ready, nor of another build", () => {
    const { heard, link, posted } = setUp()
    link.received([["started", 1, 1], ["replied", 1, 1, 1, "success", 1, undefined]])
    link.received([["ready", "B"], ["replied", 1, 1, 1, "success", 1, undefined]])
    link.received([["replied", 1, 1, 1, "success", 1, undefined], ["ready", "A"]])
    link.exited("terminated", undefined)
    assert.deepStrictEqual(heard, ["end", "its build is B, the system's is A: rebuild the entry"])
    assert.deepStrictEqual(posted, [])
  })

  it("does not hear a host whose end is decided", () => {
    const { heard, host, link, tenant } = setUp()
    link.received([["ready", "A"], ["started", 1, 1]])
    Effect.runFork(host.kill(tenant, "terminate"))
    link.received([["replied", 1, 1, 1, "success", 1, undefined], ["stopped", 1, 1]])
    host.evict(tenant)
    link.exited("terminated", undefined)
    assert.deepStrictEqual(heard, ["started", "end"])
  })

  it("does not hear an earlier link, nor its end again", () => {
    const { heard, link, tenant } = setUp()
    link.received([["ready", "A"], ["started", 1, 1]])
    link.exited("over", undefined)
    link.received([["started", 1, tenant.incarnation], ["stopped", 1, tenant.incarnation]])
    link.exited("over", undefined)
    assert.deepStrictEqual(heard, ["started", "died"])
  })

  const broken: Readonly<Record<string, ReadonlyArray<Report>>> = {
    "a reply that came twice, or before its turn": [["replied", 1, 1, 2, "success", 1, undefined]],
    "a report that was lost": [["alive", 0, 0, 5]],
    "a message that was lost": [["alive", 2, 1, 3]],
    "what is no report": [["nonsense" as "stopped", 1, 1]]
  }
  for (const [name, reports] of Object.entries(broken)) {
    it(`ends a link when it hears ${name}`, () => {
      const { heard, host, link, tenant } = setUp((seq) => seq === 1)
      link.received([["ready", "A"], ["started", 1, 1]])
      link.received(reports)
      link.received([["replied", 1, 1, 1, "success", 1, undefined]])
      assert.deepStrictEqual(heard, ["started", "end"])
      host.evict(tenant)
      link.exited("terminated", undefined)
    })
  }

  it.live("a thread that comes again with another build: nothing of it counts, and everyone is told", () =>
    Effect.gen(function*() {
      process.env["PROBE_BUILD"] = "A"
      yield* Effect.gen(function*() {
        const system = yield* ActorSystem
        const gates = [makeGate(), makeGate()]
        const probes = yield* Effect.forEach(
          gates,
          (gate) => system.spawn(Probe, { config: { gate, start: 0 }, host: 0 })
        )
        const asks = yield* Effect.forEach(
          probes,
          (probe) => Effect.forkChild(Effect.flip(probe.Hold({ n: 1, until: 1 })), { startImmediately: true })
        )
        yield* reached(gates[0]!, "entered", 1)
        yield* reached(gates[1]!, "entered", 1)
        process.env["PROBE_BUILD"] = "B"
        yield* system.kill(probes[0]!)
        for (const fiber of asks) {
          const failure = yield* Fiber.join(fiber)
          assert.strictEqual(failure._tag, "RestartLimitReached")
          assert.include(failure.message, "its build is B, the system's is A: rebuild the entry")
        }
        assert.deepStrictEqual(gates.map((gate) => Atomics.load(gate, 0)), [1, 1])
        const late = yield* Effect.flip(system.spawn(Probe, { config: { gate: makeGate(), start: 0 }, host: 0 }))
        assert.strictEqual(late._tag, "StartFailed")
        assert.include(late.message, "its build is B, the system's is A: rebuild the entry")
      }).pipe(
        Effect.scoped,
        Effect.provide(
          thread({ hosts: 1, buildId: "A", entry: new URL("../fixtures/builds.host.ts", import.meta.url) })
        )
      )
    }).pipe(Effect.ensuring(Effect.sync(() => delete process.env["PROBE_BUILD"]))))
})
