/** What is particular to threads: their ways to die, the border, the fence, and how they start and end. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Layer, Schema, type Scope } from "effect"
import { ActorSystem, type ThreadSystemOptions } from "../../src/actors/ActorSystem.ts"
import * as Supervision from "../../src/actors/Supervision.ts"
import { Finalized } from "./fixtures/finalized.ts"
import { bump, makeGate, Probe, reached } from "./fixtures/probe.ts"
import { thread } from "./placements.ts"

const live = <A, E>(
  name: string,
  body: () => Effect.Effect<A, E, ActorSystem | Scope.Scope>,
  options: Partial<ThreadSystemOptions> = {}
) => it.live(name, () => body().pipe(Effect.scoped, Effect.provide(thread(options))))

const spawn = (name: string, host?: number, supervision?: Supervision.Supervision) =>
  Effect.gen(function*() {
    const gate = makeGate()
    const probe = yield* ActorSystem.spawn(Probe, {
      name,
      config: { gate, start: 0 },
      ...(host === undefined ? {} : { host }),
      ...(supervision === undefined ? {} : { supervision })
    })
    return { gate, probe }
  })

const fork = Effect.forkChild({ startImmediately: true })

/** Living threads, and what else keeps this process alive (without the test runner's own timers). */
const handles = () => {
  const report: unknown = process.report.getReport()
  const { workers } = Schema.decodeUnknownSync(Schema.Struct({ workers: Schema.Array(Schema.Unknown) }))(report)
  return [workers.length, ...process.getActiveResourcesInfo().filter((name) => name !== "Timeout").toSorted()]
}

describe("death of a thread", () => {
  for (const mode of ["exit", "uncaught", "rejection"] as const) {
    live(`${mode}: all actors of the thread go on as if nothing had been`, () =>
      Effect.gen(function*() {
        const a = yield* spawn("a", 0)
        const b = yield* spawn("b", 0)
        const c = yield* spawn("c", 1)
        yield* b.probe.Append({ n: 1 })
        const results = yield* Effect.all([
          a.probe.Append({ n: 1 }),
          a.probe.Crash({ n: 2, times: 2, mode }),
          a.probe.Append({ n: 3 }),
          b.probe.Append({ n: 2 }),
          c.probe.Append({ n: 1 })
        ], { concurrency: "unbounded" })
        assert.deepStrictEqual(results, [2, 3, 4, 3, 2])
        assert.deepStrictEqual(yield* a.probe.Log(), [0, 1, 2, 3])
        assert.deepStrictEqual(yield* b.probe.Log(), [0, 1, 2])
        assert.deepStrictEqual(
          yield* Effect.all([a.probe.Incarnation(), b.probe.Incarnation(), c.probe.Incarnation()]),
          [3, 3, 1]
        )
      }))
  }

  live("the cause of the end is readable on this side", () =>
    Effect.gen(function*() {
      const { probe } = yield* spawn("a", 0, Supervision.never)
      const failure = yield* Effect.flip(probe.Crash({ n: 3, times: 9, mode: "uncaught" }))
      assert.strictEqual(failure._tag, "RestartLimitReached")
      if (failure._tag !== "RestartLimitReached") return
      assert.strictEqual(failure.death.kind, "HostExited")
      assert.strictEqual(failure.death.message, "crash 3")
      assert.strictEqual(failure.death.tag, "RangeError")
      assert.include(failure.death.stack, "probe.ts")
    }))

  const untiring = (maxConsecutive: number) =>
    Supervision.oneForOne({ maxRestarts: Number.POSITIVE_INFINITY, maxConsecutive })

  for (const mode of ["exit", "uncaught"] as const) {
    live(
      `a message that always ends the thread (${mode}) fails its actor, not the neighbor`,
      () =>
        Effect.gen(function*() {
          const a = yield* spawn("a", 0, untiring(4))
          const b = yield* spawn("b", 0, untiring(4))
          const [failure, length] = yield* Effect.all([
            Effect.flip(a.probe.Crash({ n: 1, times: 999, mode })),
            b.probe.Append({ n: 1 })
          ], { concurrency: "unbounded" })
          assert.strictEqual(failure._tag, "RestartLimitReached")
          if (failure._tag === "RestartLimitReached") {
            assert.strictEqual(failure.death.kind, "HostExited")
            assert.strictEqual(failure.death.method, "Crash")
            assert.strictEqual(failure.restarts, 3)
          }
          assert.strictEqual(length, 2)
          assert.deepStrictEqual(yield* b.probe.Log(), [0, 1])
        })
    )
  }

  live("who did nothing while a neighbor crashed spends none of its restarts", () =>
    Effect.gen(function*() {
      const a = yield* spawn("a", 0, untiring(20))
      const b = yield* spawn("b", 0, Supervision.oneForOne({ maxRestarts: 1 }))
      assert.strictEqual(yield* a.probe.Crash({ n: 1, times: 5, mode: "exit" }), 2)
      assert.isAbove(yield* b.probe.Incarnation(), 5)
      assert.strictEqual(yield* b.probe.Append({ n: 1 }), 2)
    }))

  live("what waits behind a neighbor's crash has not run, and is not failed for it", () =>
    Effect.gen(function*() {
      const a = yield* spawn("a", 0)
      const b = yield* spawn("b", 0)
      bump(b.gate, "released")
      yield* Effect.all([
        a.probe.Crash({ n: 1, times: 1, mode: "exit" }),
        b.probe.Send({ until: 1 })
      ], { concurrency: "unbounded" })
      assert.strictEqual(Atomics.load(b.gate, 3), 1)
    }))

  live("a thread that ends while an actor starts: the spawn fails, and later the actor", () =>
    Effect.gen(function*() {
      const system = yield* ActorSystem
      const supervision = untiring(3)
      const never = yield* Effect.flip(
        system.spawn(Probe, { config: { gate: makeGate(), start: 0, exitAtStart: 1 }, supervision, host: 0 })
      )
      assert.strictEqual(never._tag, "StartFailed")
      if (never._tag === "StartFailed") assert.strictEqual(never.death.kind, "HostExited")
      const probe = yield* system.spawn(Probe, {
        config: { gate: makeGate(), start: 0, exitAtStart: 2 },
        supervision,
        host: 0
      })
      yield* system.kill(probe)
      const failure = yield* Effect.flip(probe.Append({ n: 1 }))
      assert.strictEqual(failure._tag, "RestartLimitReached")
      if (failure._tag === "RestartLimitReached") assert.strictEqual(failure.restarts, 3)
    }))

  live("a blocked thread is killed from outside, and its other actors are served on", () =>
    Effect.gen(function*() {
      const system = yield* ActorSystem
      const a = yield* spawn("a", 0)
      const b = yield* spawn("b", 0)
      const blocked = yield* fork(a.probe.Block())
      yield* reached(a.gate, "entered", 1)
      const waiting = yield* fork(b.probe.Append({ n: 1 }))
      yield* system.kill(b.probe)
      yield* reached(a.gate, "entered", 2)
      assert.isUndefined(blocked.pollUnsafe())
      bump(a.gate, "released")
      yield* Fiber.join(blocked)
      assert.strictEqual(yield* Fiber.join(waiting), 2)
    }))

  live("who is stopped in an endless loop keeps no neighbor waiting for the heartbeat", () =>
    Effect.gen(function*() {
      const system = yield* ActorSystem
      const a = yield* spawn("a", 0)
      const b = yield* spawn("b", 0)
      yield* b.probe.Append({ n: 1 })
      yield* fork(a.probe.Block())
      yield* reached(a.gate, "entered", 1)
      yield* system.stop(a.probe)
      assert.strictEqual(yield* b.probe.Append({ n: 2 }, { deadline: "20 seconds" }), 3)
    }))

  live("a wedged thread is found by its silence", () =>
    Effect.gen(function*() {
      const { gate, probe } = yield* spawn("a", 0, Supervision.never)
      const failure = yield* Effect.flip(probe.Block())
      assert.strictEqual(Atomics.load(gate, 0), 1)
      assert.strictEqual(failure._tag, "RestartLimitReached")
      if (failure._tag === "RestartLimitReached") assert.strictEqual(failure.death.kind, "Unresponsive")
    }), { heartbeat: "300 millis" })

  live("a spare takes over", () =>
    Effect.gen(function*() {
      const system = yield* ActorSystem
      const { probe } = yield* spawn("a")
      for (let n = 1; n < 4; n++) {
        yield* probe.Append({ n })
        yield* system.kill(probe)
      }
      assert.deepStrictEqual(yield* probe.Log(), [0, 1, 2, 3])
    }), { spares: 1 })
})

describe("the border", () => {
  live("a payload that does not fit is refused, with its place", () =>
    Effect.gen(function*() {
      const { probe } = yield* spawn("a")
      const failure = yield* Effect.flip(probe.Append({ n: 1.5 }))
      assert.strictEqual(failure._tag, "MessageRefused")
      assert.strictEqual(
        failure.message,
        `the payload of a.Append was refused: Expected an integer at ["n"]`
      )
      assert.strictEqual(yield* probe.Append({ n: 1 }), 2)
    }))

  live("a reply that does not fit is refused, and the actor lives on", () =>
    Effect.gen(function*() {
      const { probe } = yield* spawn("a")
      const failure = yield* Effect.flip(probe.WrongReply())
      assert.strictEqual(failure._tag, "MessageRefused")
      assert.include(failure.message, "the reply of a.WrongReply was refused")
      assert.strictEqual(yield* probe.Incarnation(), 1)
    }))

  live("what cannot be cloned is refused alone", () =>
    Effect.gen(function*() {
      const { probe } = yield* spawn("a")
      const [before, refused, after] = yield* Effect.all([
        probe.Append({ n: 1 }),
        Effect.flip(probe.Unclonable({ value: () => 1 })),
        probe.Append({ n: 2 })
      ], { concurrency: "unbounded" })
      assert.deepStrictEqual([before, after], [2, 3])
      assert.strictEqual(refused._tag, "MessageRefused")
      assert.include(refused.message, "could not be cloned")
    }))

  live("a config that does not fit fails the spawn", () =>
    Effect.gen(function*() {
      const failure = yield* Effect.flip(
        ActorSystem.spawn(Probe, { name: "a", config: { gate: makeGate(), start: 1.5 } })
      )
      assert.strictEqual(failure._tag, "StartFailed")
      assert.include(failure.message, `Expected an integer at ["start"]`)
    }))

  live("typed arrays come as they went, and a payload survives to be sent again", () =>
    Effect.gen(function*() {
      const system = yield* ActorSystem
      const { gate, probe } = yield* spawn("a")
      const floats = Float32Array.of(1, 2.5)
      const held = yield* fork(probe.Hold({ n: 1, until: 1 }))
      const doubled = yield* fork(probe.Double({ floats }))
      yield* reached(gate, "entered", 1)
      yield* system.kill(probe)
      bump(gate, "released")
      yield* Fiber.join(held)
      assert.deepStrictEqual(yield* Fiber.join(doubled), Float32Array.of(2, 5))
      assert.deepStrictEqual(floats, Float32Array.of(1, 2.5))
    }))
})

describe("starting", () => {
  const failing = (options: Partial<ThreadSystemOptions>) =>
    Effect.gen(function*() {
      const before = handles()
      const failure = yield* Effect.flip(Effect.scoped(Layer.build(thread(options))))
      assert.deepStrictEqual(handles(), before)
      return failure
    })

  it.live("an entry that is not there", () =>
    Effect.gen(function*() {
      const failure = yield* failing({ entry: new URL("file:///nowhere/entry.ts") })
      assert.strictEqual(failure._tag, "HostStartFailed")
      assert.include(failure.message, "/nowhere/entry.ts")
    }))

  it.live("an entry that is no thread's", () =>
    Effect.gen(function*() {
      const failure = yield* failing({ entry: new URL("https://example.org/x.js") })
      assert.strictEqual(failure._tag, "HostStartFailed")
    }))

  it.live("another build", () =>
    Effect.gen(function*() {
      const failure = yield* failing({ buildId: "probe-2" })
      assert.include(failure.message, "its build is probe-1, the system's is probe-2")
    }))

  it.live("a layer that fails there", () =>
    Effect.gen(function*() {
      const failure = yield* failing({ entry: new URL("./fixtures/broken.host.ts", import.meta.url) })
      assert.include(failure.message, `its layer could not be built: NoDevice {"why":"no such device"}`)
    }))

  it.live("an entry that says nothing", () =>
    Effect.gen(function*() {
      const failure = yield* failing({
        entry: new URL("./fixtures/silent.host.ts", import.meta.url),
        startDeadline: "200 millis"
      })
      assert.include(failure.message, "not ready within 200 ms")
    }))

  live("a behavior the host does not offer", () =>
    Effect.gen(function*() {
      const failure = yield* Effect.flip(
        ActorSystem.spawn(Probe, { config: { gate: makeGate(), start: 0 } })
      )
      assert.strictEqual(failure._tag, "StartFailed")
      assert.include(failure.message, "no behavior of Probe")
    }), { entry: new URL("./fixtures/empty.host.ts", import.meta.url) })

  live("a host that is not there", () =>
    Effect.gen(function*() {
      const failure = yield* Effect.flip(spawn("a", 7))
      assert.include(failure.message, "there is no thread host 7; there are 2")
    }))
})

describe("ending", () => {
  it.live("leaves no thread and no handle, in whatever way it ends", () =>
    Effect.gen(function*() {
      const before = handles()
      const program = (end: Effect.Effect<void, string>) =>
        Effect.gen(function*() {
          const { gate, probe } = yield* spawn("a")
          const blocked = yield* fork(probe.Block())
          yield* reached(gate, "entered", 1)
          assert.strictEqual(handles()[0], 2)
          yield* end
          yield* Fiber.join(blocked)
        }).pipe(Effect.scoped, Effect.provide(thread()))
      const ends: ReadonlyArray<Effect.Effect<void, string>> = [
        Effect.fail("no"),
        Effect.die("no"),
        Effect.interrupt
      ]
      for (const end of ends) {
        const started = performance.now()
        let ended = 0
        const exit = yield* Effect.exit(
          program(Effect.andThen(Effect.sync(() => void (ended = performance.now())), end))
        )
        assert.isTrue(Exit.isFailure(exit))
        assert.isBelow(performance.now() - ended, 1000)
        assert.isAbove(ended, started)
      }
      assert.deepStrictEqual(handles(), before)
    }))

  it.live("interruption from outside while a thread is busy and while threads start", () =>
    Effect.gen(function*() {
      const before = handles()
      const starting = yield* fork(Effect.scoped(Layer.build(thread())))
      yield* Fiber.interrupt(starting)
      assert.deepStrictEqual(handles(), before)
    }))

  it.live("an orderly end runs the finalizers in the thread", () =>
    Effect.gen(function*() {
      const flag = new Int32Array(new SharedArrayBuffer(8))
      yield* Effect.scoped(Effect.gen(function*() {
        yield* ActorSystem.spawn(Finalized, { config: { flag } })
      })).pipe(
        Effect.provide(ActorSystem.layerThread({ entry: new URL("./fixtures/finalized.host.ts", import.meta.url) }))
      )
      assert.deepStrictEqual([...flag], [1, 1])
    }))
})
