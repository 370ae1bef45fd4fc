/** What is particular to child processes: their ways to die, their memory, the border, and that none is left behind. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Layer, Schema, type Scope } from "effect"
import { spawn as spawnProcess } from "node:child_process"
import { once } from "node:events"
import { createInterface } from "node:readline"
import { setTimeout as sleep } from "node:timers/promises"
import { fileURLToPath } from "node:url"
import { ActorSystem, type ProcessSystemOptions } from "../../src/actors/ActorSystem.ts"
import * as Supervision from "../../src/actors/Supervision.ts"
import { type Mishap, Tally, TallyBehavior } from "./fixtures/tally.ts"

const entry = new URL("./fixtures/tally.host.ts", import.meta.url)

const live = <A, E>(
  name: string,
  body: () => Effect.Effect<A, E, ActorSystem | Scope.Scope>,
  options: Partial<ProcessSystemOptions> = {}
) => it.live(name, () => body().pipe(Effect.scoped, Effect.provide(ActorSystem.layerProcess({ entry, ...options }))))

const spawn = (name: string, host = 0, supervision = Supervision.oneForOne()) =>
  ActorSystem.spawn(Tally, { name, config: { start: 0 }, host, supervision })

const fork = Effect.forkChild({ startImmediately: true })

/** Whether a process is there; a zombie counts. */
const exists = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

const gone = async (pids: ReadonlyArray<number>, millis: number): Promise<void> => {
  const deadline = performance.now() + millis
  while (pids.some(exists)) {
    if (performance.now() > deadline) {
      throw new Error(`still there after ${millis} ms: ${pids.filter(exists).join(", ")}`)
    }
    await sleep(20)
  }
}

/** Ends the first so many hosts as soon as they are started; counts all. */
const mowing = (count: number) => {
  const opened = { links: 0 }
  const wrapLink: ProcessSystemOptions["wrapLink"] = (open) => (events) => {
    const link = open(events)
    if (opened.links++ < count) link.terminate()
    return link
  }
  return { opened, wrapLink }
}

describe("death at the start", () => {
  it.live("is tried again like a restart", () =>
    Effect.gen(function*() {
      const { opened, wrapLink } = mowing(4)
      const layer = ActorSystem.layerProcess({ entry, hosts: 2, wrapLink })
      const total = yield* Effect.scoped(Effect.provide(
        Effect.gen(function*() {
          const [a, b] = [yield* spawn("a"), yield* spawn("b", 1)]
          yield* a.Add({ n: 1 })
          return yield* b.Add({ n: 2 })
        }),
        layer
      ))
      assert.strictEqual(total, 2)
      assert.strictEqual(opened.links, 6)
    }))

  it.live("is tried within the limits of the supervision, and no more", () =>
    Effect.gen(function*() {
      for (
        const [supervision, tries] of [
          [Supervision.oneForOne({ maxRestarts: 2 }), 3],
          [Supervision.oneForOne({ maxConsecutive: 4 }), 4],
          [Supervision.oneForOne({ decide: () => "stop" }), 1],
          [Supervision.never, 1]
        ] as const
      ) {
        const { opened, wrapLink } = mowing(Number.POSITIVE_INFINITY)
        const layer = ActorSystem.layerProcess({ entry, wrapLink, supervision })
        const failure = yield* Effect.flip(Effect.scoped(Layer.build(layer)))
        assert.strictEqual(failure._tag, "HostStartFailed")
        assert.match(failure.message, /did not start: terminated$/)
        assert.strictEqual(opened.links, tries)
      }
    }))

  it.live("before an actor has started is tried again too", () =>
    Effect.gen(function*() {
      let left = 3
      // Ends the host when its actor is to start, once it is up.
      const wrapLink: ProcessSystemOptions["wrapLink"] = (open) => (events) => {
        const link = open(events)
        return {
          ...link,
          post: (batch) => {
            if (batch.some(([kind]) => kind === "start") && left-- > 0) return link.terminate()
            link.post(batch)
          }
        }
      }
      const total = yield* Effect.scoped(Effect.provide(
        Effect.flatMap(spawn("a"), (a) => a.Add({ n: 5 })),
        ActorSystem.layerProcess({ entry, wrapLink })
      ))
      assert.strictEqual(total, 5)
    }))
})

describe("death of a process", () => {
  const deaths: ReadonlyArray<readonly [Mishap, RegExp]> = [
    ["exit", /^exited with code 7$/],
    ["uncaught", /^mishap$/],
    ["rejection", /^mishap$/],
    ["SIGKILL", /^ended by SIGKILL$/]
  ]
  for (const [mishap, message] of deaths) {
    live(`${mishap}: its actors go on as if nothing had been`, () =>
      Effect.gen(function*() {
        const a = yield* spawn("a")
        const b = yield* spawn("b")
        const c = yield* spawn("c", 1)
        const before = yield* a.Read()
        assert.notStrictEqual(before.pid, process.pid)
        yield* b.Add({ n: 5 })
        const results = yield* Effect.all([
          a.Add({ n: 1 }),
          a.Suffer({ n: 2, mishap, until: 1 }),
          a.Add({ n: 3 }),
          b.Add({ n: 5 }),
          c.Add({ n: 7 })
        ], { concurrency: "unbounded" })
        assert.deepStrictEqual(results, [1, 3, 6, 10, 7])
        const after = yield* a.Read()
        assert.deepInclude(after, { total: 6, seen: 3, incarnation: 2 })
        assert.isFalse(exists(before.pid))
        assert.strictEqual((yield* c.Read()).incarnation, 1)
        const stern = yield* spawn("d", 0, Supervision.never)
        const failure = yield* Effect.flip(stern.Suffer({ n: 1, mishap, until: 9 }))
        assert.strictEqual(failure._tag, "RestartLimitReached")
        if (failure._tag !== "RestartLimitReached") return
        assert.strictEqual(failure.death.kind, "HostExited")
        assert.match(failure.death.message, message)
        if (mishap === "uncaught" || mishap === "rejection") {
          assert.strictEqual(failure.death.tag, "RangeError")
          assert.include(failure.death.stack, "tally.ts")
        }
      }), { hosts: 2 })
  }

  for (const mishap of ["loop", "SIGSTOP"] as const) {
    live(`${mishap}: it is found by its silence and ended`, () =>
      Effect.gen(function*() {
        const a = yield* spawn("a")
        const { pid } = yield* a.Read()
        assert.strictEqual(yield* a.Suffer({ n: 2, mishap, until: 1 }), 2)
        assert.isFalse(exists(pid))
        const stern = yield* spawn("b", 0, Supervision.never)
        const failure = yield* Effect.flip(stern.Suffer({ n: 1, mishap, until: 9 }))
        assert.strictEqual(failure._tag, "RestartLimitReached")
        if (failure._tag === "RestartLimitReached") assert.strictEqual(failure.death.kind, "Unresponsive")
      }), { heartbeat: "600 millis" })
  }

  live("too much of the heap, or of all memory, ends the process and says so", () =>
    Effect.gen(function*() {
      for (
        const [mishap, message] of [
          ["heap", /^its JavaScript heap was full at 64 MiB$/],
          ["native", /^its process held \d+ MiB of memory, more than the 256 MiB it may$/]
        ] as const
      ) {
        const a = yield* spawn("a", 0, Supervision.never)
        const failure = yield* Effect.flip(a.Suffer({ n: 1, mishap, until: 9 }))
        assert.strictEqual(failure._tag, "RestartLimitReached")
        if (failure._tag !== "RestartLimitReached") return
        assert.strictEqual(failure.death.tag, "MemoryLimitReached")
        assert.match(failure.death.message, message)
      }
    }), { memoryLimit: { heap: 64, resident: 256 } })

  live("a kill completes when the process is gone, and a spare takes over", () =>
    Effect.gen(function*() {
      const system = yield* ActorSystem
      const a = yield* spawn("a")
      const held = yield* fork(a.Slow({ millis: 50 }))
      const { pid } = yield* a.Read()
      yield* system.kill(a)
      assert.isFalse(exists(pid))
      assert.strictEqual(yield* Fiber.join(held), 0)
      const after = yield* a.Read()
      assert.notStrictEqual(after.pid, pid)
      assert.strictEqual(after.incarnation, 2)
    }), { spares: 1 })
})

describe("the border of a process", () => {
  live("typed arrays are copied, shared ones too", () =>
    Effect.gen(function*() {
      const a = yield* spawn("a")
      const floats = new Float32Array(new SharedArrayBuffer(8))
      floats.set([1, 2.5])
      const doubled = yield* a.Double({ floats })
      assert.deepStrictEqual(doubled, Float32Array.of(2, 5))
      assert.deepStrictEqual([...floats], [1, 2.5])
    }))

  live("what is memory itself is refused by name, and nobody suffers", () =>
    Effect.gen(function*() {
      const a = yield* spawn("a")
      const [before, lent, after] = yield* Effect.all([
        a.Add({ n: 1 }),
        Effect.flip(a.Lend({ deep: { buffer: new SharedArrayBuffer(8) } })),
        a.Add({ n: 1 })
      ], { concurrency: "unbounded" })
      assert.deepStrictEqual([before, after], [1, 2])
      assert.strictEqual(
        lent.message,
        "the payload of a.Lend was refused: payload.deep.buffer is a SharedArrayBuffer, " +
          "and a child process shares no memory: send a typed array, which is copied"
      )
      const borrowed = yield* Effect.flip(a.Borrow())
      assert.strictEqual(borrowed._tag, "MessageRefused")
      assert.strictEqual((yield* a.Read()).incarnation, 1)
    }))
})

describe("starting a process", () => {
  const failing = (options: Partial<ProcessSystemOptions>) =>
    Effect.map(
      Effect.flip(Effect.scoped(Layer.build(ActorSystem.layerProcess({ entry, ...options })))),
      ({ message }) => message
    )

  it.live("what cannot start says why", () =>
    Effect.gen(function*() {
      assert.include(yield* failing({ entry: new URL("file:///nowhere/entry.ts") }), "there is no file")
      assert.include(yield* failing({ entry: new URL("https://example.org/x.js") }), "is no file")
      assert.include(yield* failing({ buildId: "tally-2" }), "its build is tally-1, the system's is tally-2")
      assert.include(
        yield* failing({ entry: new URL("./fixtures/broken.host.ts", import.meta.url) }),
        "no such device"
      )
      assert.include(
        yield* failing({
          entry: new URL("./fixtures/silent.host.ts", import.meta.url),
          startDeadline: "300 millis"
        }),
        "not ready within 300 ms"
      )
      assert.include(yield* failing({ execArgv: ["--no-such-flag"] }), "exited with code 9")
    }))

  it.live("three placements in one system", () =>
    Effect.gen(function*() {
      const pids = yield* Effect.forEach(["fiber", "thread", "process", undefined] as const, (placement) =>
        Effect.gen(function*() {
          const tally = yield* ActorSystem.spawn(Tally, {
            config: { start: 0 },
            ...(placement === undefined ? {} : { placement })
          })
          return (yield* tally.Read()).pid === process.pid
        }))
      assert.deepStrictEqual(pids, [true, true, false, false])
    }).pipe(
      Effect.scoped,
      Effect.provide(
        ActorSystem.layer({ fiber: [TallyBehavior], thread: { entry }, process: { entry }, placement: "process" })
      )
    ))
})

describe("nobody is left behind", () => {
  it.live("when the scope closes, also with a child in an endless loop", () =>
    Effect.gen(function*() {
      const pids = yield* Effect.gen(function*() {
        const a = yield* spawn("a")
        const b = yield* spawn("b", 1)
        const pids = [(yield* a.Read()).pid, (yield* b.Read()).pid]
        yield* b.tell.Suffer({ n: 1, mishap: "loop", until: 9 })
        return pids
      }).pipe(Effect.scoped, Effect.provide(ActorSystem.layerProcess({ entry, hosts: 2, spares: 1 })))
      assert.deepStrictEqual(pids.filter(exists), [])
    }))

  const parent = (...args: ReadonlyArray<string>) => {
    const child = spawnProcess(
      process.execPath,
      [fileURLToPath(new URL("./fixtures/parent.ts", import.meta.url)), ...args],
      { stdio: ["ignore", "pipe", "ignore"], detached: true }
    )
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
    const line = async () =>
      Schema.decodeUnknownSync(Schema.fromJsonString(Schema.Array(Schema.Int)))((await lines.next()).value)
    return { child, line }
  }

  it("when the parent is killed, also with a child in an endless loop", async () => {
    const { child, line } = parent("loop")
    const pids = await line()
    assert.isTrue(pids.every(exists))
    child.kill("SIGKILL")
    await gone(pids, 5000)
  })

  it("Ctrl-C is the parent's to decide: its children still answer, then all end", async () => {
    const { child, line } = parent()
    const pids = await line()
    // A terminal sends it to the whole group.
    process.kill(-child.pid!, "SIGINT")
    assert.deepStrictEqual(await line(), pids)
    const [code] = await once(child, "exit")
    assert.strictEqual(code, 0)
    await gone(pids, 1000)
  })
})
