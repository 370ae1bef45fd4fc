/**
 * Hosts on other machines, which are processes on loopback here: whatever befalls a runner or the way to it, messages
 * count once, and how long it takes is bounded by the lease.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Redacted, Schedule, type Scope, Stream } from "effect"
import { spawn as spawnProcess } from "node:child_process"
import { readFileSync } from "node:fs"
import * as net from "node:net"
import { fileURLToPath } from "node:url"
import { ActorSystem, type RunnerSystemOptions } from "../../src/actors/ActorSystem.ts"
import * as Runner from "../../src/actors/hosts/Runner.ts"
import type { LifecycleEvent } from "../../src/actors/LifecycleEvent.ts"
import * as Supervision from "../../src/actors/Supervision.ts"
import { cable } from "./fixtures/cable.ts"
import { build, type RunnerFixture, secret } from "./fixtures/runner.ts"
import { Tally } from "./fixtures/tally.ts"

const program = fileURLToPath(new URL("./fixtures/runner.ts", import.meta.url))

interface RunnerProcess {
  readonly port: number
  /** The runner alone. */
  readonly signal: (signal: NodeJS.Signals) => void
  /** The runner and its children: the machine. */
  readonly signalAll: (signal: NodeJS.Signals) => void
  /** The processes of its hosts and spares. */
  readonly children: () => ReadonlyArray<number>
}

const childrenOf = (pid: number): ReadonlyArray<number> => {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ").filter(Boolean).map(Number)
  } catch {
    return []
  }
}

const send = (pid: number, signal: NodeJS.Signals): void => {
  try {
    process.kill(pid, signal)
  } catch {
    // It is gone.
  }
}

const runner = (options: RunnerFixture = {}): Effect.Effect<RunnerProcess, Error, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.callback<RunnerProcess, Error>((resume) => {
      const child = spawnProcess(process.execPath, [program, JSON.stringify(options)], {
        stdio: ["ignore", "pipe", "inherit"]
      })
      const pid = child.pid!
      let said = ""
      child.on("exit", () => resume(Effect.fail(new Error("the runner ended"))))
      child.stdout.on("data", (chunk) => {
        said += chunk
        const port = /port (\d+)/.exec(said)?.[1]
        if (port === undefined) return
        resume(Effect.succeed({
          port: Number(port),
          children: () => childrenOf(pid),
          signal: (signal) => send(pid, signal),
          signalAll: (signal) => [pid, ...childrenOf(pid)].forEach((one) => send(one, signal))
        }))
      })
    }),
    ({ signalAll }) => Effect.sync(() => signalAll("SIGKILL"))
  )

const cableTo = ({ port }: RunnerProcess) =>
  Effect.acquireRelease(Effect.promise(() => cable(port)), (made) => Effect.sync(made.close))

const layer = (ports: ReadonlyArray<number>, options: Partial<RunnerSystemOptions> = {}) =>
  ActorSystem.layerRunner({
    runners: ports.map((port) => `127.0.0.1:${port}`),
    secret: Redacted.make(secret),
    build,
    lease: 500,
    runnerDeadline: "15 seconds",
    fence: false,
    ...options
  })

const lease = 500

/** Adds one after the other until `enough`; answers the longest time between two answers, and that each counted once. */
const counting = (enough: () => boolean, name = "a") =>
  Effect.gen(function*() {
    const tally = yield* ActorSystem.spawn(Tally, {
      name,
      config: { start: 0 },
      supervision: Supervision.oneForOne({ maxRestarts: 100 })
    })
    let longest = 0
    let last = performance.now()
    let answered = 0
    while (!enough()) {
      const total = yield* tally.Add({ n: 1 })
      answered++
      assert.strictEqual(total, answered)
      const now = performance.now()
      longest = Math.max(longest, now - last)
      last = now
      if (answered % 5 === 0) yield* Effect.sleep(2)
    }
    return { longest, answered, ...(yield* tally.Read()) }
  })

/** What befalls the first of two runners while messages go to it, and how long that may hold them up (milliseconds). */
const befalls = (
  name: string,
  within: number,
  harm: (
    one: RunnerProcess,
    wire: { readonly cut: () => void; readonly mend: () => void }
  ) => Effect.Effect<void>,
  options: Partial<RunnerSystemOptions> = {}
) =>
  it.live(name, () =>
    Effect.scoped(Effect.gen(function*() {
      const [one, two] = yield* Effect.all([runner(), runner({ spares: 1 })], { concurrency: "unbounded" })
      const wire = yield* cableTo(one)
      let done = false
      yield* Effect.gen(function*() {
        const fiber = yield* Effect.forkChild(counting(() => done), { startImmediately: true })
        yield* Effect.sleep(300)
        yield* harm(one, wire)
        yield* Effect.sleep(within)
        done = true
        const { incarnation, longest } = yield* Fiber.join(fiber)
        assert.isAtLeast(incarnation, 2)
        assert.isBelow(longest, within)
      }).pipe(Effect.scoped, Effect.provide(layer([wire.port, two.port], options)))
    })), 30_000)

const after = (effect: () => void) => Effect.sync(effect)

describe("nothing is lost, and it takes no longer than it must", () => {
  // The last of each is how long a loaded machine may take, not the lease.
  befalls("when a runner is killed", 3000, (one) => after(() => one.signal("SIGKILL")))
  befalls("when a machine is gone", 3000, (one) => after(() => one.signalAll("SIGKILL")))
  befalls("when a machine freezes, and comes back", 2 * lease + 3000, (one) =>
    Effect.gen(function*() {
      one.signalAll("SIGSTOP")
      yield* Effect.sleep(3 * lease)
      one.signalAll("SIGCONT")
    }))
  befalls("when the way to it is cut without a word, and mended", 2 * lease + 3000, (_, wire) =>
    Effect.gen(function*() {
      wire.cut()
      yield* Effect.sleep(3 * lease)
      wire.mend()
    }))
  befalls("when it is cut, and the old host must be gone first", 3 * lease + 3000, (_, wire) => after(wire.cut), {
    fence: true
  })
})

describe("fences", () => {
  it.live("a lost host is waited for where it might still do something", () =>
    Effect.scoped(Effect.gen(function*() {
      const [one, two] = yield* Effect.all([runner(), runner({ spares: 1 })], { concurrency: "unbounded" })
      const wire = yield* cableTo(one)
      const seen: Array<{ readonly tag: string; readonly at: number }> = []
      yield* Effect.gen(function*() {
        const system = yield* ActorSystem
        yield* Effect.forkScoped(
          Stream.runForEach(system.events, (event: LifecycleEvent) =>
            Effect.sync(() => seen.push({ tag: event._tag, at: performance.now() }))),
          { startImmediately: true }
        )
        const tally = yield* ActorSystem.spawn(Tally, { name: "a", config: { start: 0 } })
        const before = yield* tally.Add({ n: 1 })
        const cut = performance.now()
        wire.cut()
        assert.strictEqual(yield* tally.Add({ n: 1 }), before + 1)
        const exited = seen.find(({ tag, at }) => tag === "HostExited" && at > cut)!
        // It last heard of us before the cut, and ends its host a lease after that: only then is it taken for gone.
        assert.isAtLeast(exited.at - cut, 2 * lease - lease / 4 - 50)
      }).pipe(Effect.scoped, Effect.provide(layer([wire.port, two.port], { fence: true })))
    })), 30_000)

  it.live("an owner of a later term ends what those before it had, and they are not heard any more", () =>
    Effect.scoped(Effect.gen(function*() {
      const one = yield* runner({ spares: 1 })
      const owner = (term: number) => layer([one.port], { system: "a run", term })
      const outcome = yield* Effect.gen(function*() {
        const tally = yield* ActorSystem.spawn(Tally, { name: "a", config: { start: 0 } })
        yield* tally.Add({ n: 1 })
        const later = yield* Effect.gen(function*() {
          const tally = yield* ActorSystem.spawn(Tally, { name: "a", config: { start: 10 } })
          return yield* tally.Add({ n: 1 })
        }).pipe(Effect.scoped, Effect.provide(owner(2)))
        return { later, mine: yield* Effect.flip(tally.Add({ n: 1 })) }
      }).pipe(Effect.scoped, Effect.provide(owner(1)))
      assert.strictEqual(outcome.later, 11)
      assert.match(outcome.mine.message, /our term 1 is over: it has heard of term 2/)
    })), 30_000)
})

describe("work moves", () => {
  it.live("to a runner that comes, and from one that is drained, and nothing is lost or counted against anybody", () =>
    Effect.scoped(Effect.gen(function*() {
      const one = yield* runner({ spares: 1 })
      // Where the second will listen.
      const port = yield* freePort
      let done = false
      yield* Effect.gen(function*() {
        const system = yield* ActorSystem
        const never = Supervision.never
        const spawn = (name: string, host: number) =>
          ActorSystem.spawn(Tally, { name, config: { start: 0 }, supervision: never, host })
        const tallies = [yield* spawn("a", 0), yield* spawn("b", 1)]
        const totals = [0, 0]
        const fibers = yield* Effect.forEach(tallies, (tally, i) =>
          Effect.forkChild(Effect.gen(function*() {
            while (!done) {
              assert.strictEqual(yield* tally.Add({ n: 1 }), ++totals[i]!)
              yield* Effect.sleep(1)
            }
          }), { startImmediately: true }))
        const pids = Effect.forEach(tallies, (tally) => Effect.map(tally.Read(), ({ pid }) => pid))
        const before = yield* pids
        assert.isTrue(before.every((pid) => one.children().includes(pid)))
        const two = yield* runner({ spares: 1, port })
        const waitFor = (what: string, is: (pids: ReadonlyArray<number>) => boolean) =>
          Effect.repeat(pids, { until: is, schedule: Schedule.spaced(20) }).pipe(
            Effect.timeoutOrElse({ duration: "12 seconds", orElse: () => Effect.die(`not within 12 s: ${what}`) })
          )
        yield* waitFor("one of both moves", (now) => now.filter((pid) => two.children().includes(pid)).length === 1)
        yield* Runner.drain({ host: "127.0.0.1", port: one.port }, { secret: Redacted.make(secret) })
        yield* waitFor("both have moved", (now) => now.every((pid) => two.children().includes(pid)))
        done = true
        yield* Effect.forEach(fibers, Fiber.join)
        assert.isTrue(totals.every((total) => total > 0))
        for (const { restarts } of yield* system.actors) assert.strictEqual(restarts, 0)
      }).pipe(Effect.scoped, Effect.provide(layer([one.port, port], { hosts: 2 })))
    })), 40_000)
})

const freePort = Effect.callback<number>((resume) => {
  const server = net.createServer()
  server.listen(0, "127.0.0.1", () => {
    const { port } = server.address() as net.AddressInfo
    server.close(() => resume(Effect.succeed(port)))
  })
})

describe("final refusals are one sentence, and nothing is tried again", () => {
  const refused = (options: Partial<RunnerSystemOptions>, fixture: RunnerFixture, said: RegExp) =>
    Effect.scoped(Effect.gen(function*() {
      const { port } = yield* runner(fixture)
      const failure = yield* Effect.flip(Effect.scoped(Effect.provide(ActorSystem, layer([port], options))))
      assert.strictEqual(failure._tag, "HostStartFailed")
      assert.match(failure.message, said)
      assert.notInclude(failure.message, "\n")
    }))

  it.live("another secret", () =>
    refused({ secret: Redacted.make("a secret of nobody else") }, {}, /its secret is another than ours/), 30_000)
  it.live("another build", () => refused({}, { build: "of yesterday" }, /it is of build of yesterday, we of/), 30_000)

  it.live("what is no runner", () =>
    Effect.scoped(Effect.gen(function*() {
      const server = net.createServer((socket) => void socket.end("HTTP/1.1 400 Bad Request\r\n\r\n"))
      yield* Effect.acquireRelease(
        Effect.callback<void>((resume) => void server.listen(0, "127.0.0.1", () => resume(Effect.void))),
        () => Effect.sync(() => server.close())
      )
      const { port } = server.address() as net.AddressInfo
      const failure = yield* Effect.flip(Effect.scoped(Effect.provide(ActorSystem, layer([port]))))
      assert.match(failure.message, /what listens there is no runner of Troupe/)
    })))
})

describe("a stranger", () => {
  it.live("who says what nobody says harms nobody", () =>
    Effect.scoped(Effect.gen(function*() {
      const { port } = yield* runner({ spares: 1 })
      /** Connects, says it, and waits for the end. */
      const say = (bytes: Uint8Array) =>
        Effect.callback<void>((resume) => {
          const socket = net.connect({ port, host: "127.0.0.1" }, () => void socket.write(bytes))
          socket.on("error", () => {})
          socket.on("data", () => {})
          socket.on("close", () => resume(Effect.void))
        })
      const garbage = [
        Uint8Array.of(255, 255, 255, 255, 1),
        new TextEncoder().encode("GET / HTTP/1.1\r\n\r\n"),
        Uint8Array.of(2, 0, 0, 0, 1, 0x7b, 0x7d),
        new Uint8Array(5)
      ]
      yield* Effect.forEach(garbage, say, { concurrency: "unbounded" }).pipe(Effect.timeout("10 seconds"))
      yield* Effect.gen(function*() {
        const tally = yield* ActorSystem.spawn(Tally, { name: "a", config: { start: 1 } })
        assert.strictEqual(yield* tally.Add({ n: 1 }), 2)
        const doubled = yield* tally.Double({ floats: Float32Array.of(1, 2.5) })
        assert.deepStrictEqual(doubled, Float32Array.of(2, 5))
      }).pipe(Effect.scoped, Effect.provide(layer([port])))
    })), 30_000)
})
