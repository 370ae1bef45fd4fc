/**
 * Hosts on other machines, which are processes on loopback here: whatever befalls a runner or the way to it, messages
 * count once, and how long it takes is bounded by the lease.
 */
import { assert, describe, it, layer as itLayer } from "@effect/vitest"
import { Context, Effect, Fiber, Layer, Metric, Redacted, Schedule, type Scope, Stream } from "effect"
import { spawn as spawnProcess } from "node:child_process"
import { readFileSync } from "node:fs"
import * as net from "node:net"
import { fileURLToPath } from "node:url"
import { ActorSystem, type RunnerSystemOptions } from "../../src/actors/ActorSystem.ts"
import * as Runner from "../../src/actors/hosts/Runner.ts"
import type { LifecycleEvent } from "../../src/actors/LifecycleEvent.ts"
import * as Handshake from "../../src/actors/links/Handshake.ts"
import { connect } from "../../src/actors/links/RunnerLink.ts"
import * as Supervision from "../../src/actors/Supervision.ts"
import { metrics as telemetry } from "../../src/actors/telemetry.ts"
import { type Cable, cable } from "./fixtures/cable.ts"
import { build, type RunnerFixture, secret } from "./fixtures/runner.ts"
import { Tally } from "./fixtures/tally.ts"

const program = fileURLToPath(new URL("./fixtures/runner.ts", import.meta.url))

/** What was compiled for one process is kept for the next. */
const compiled = fileURLToPath(new URL("../../dist/.compiled", import.meta.url))

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
        stdio: ["ignore", "pipe", "inherit"],
        env: { ...process.env, NODE_COMPILE_CACHE: compiled }
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

/** Two machines that most of the tests share: what befalls them there, they survive. */
class Pair extends Context.Service<Pair, { readonly one: RunnerProcess; readonly two: RunnerProcess }>()("test/Pair") {
  static readonly layer = Layer.effect(
    Pair,
    Effect.all({ one: runner({ spares: 1 }), two: runner({ spares: 1 }) }, { concurrency: "unbounded" })
  )
}

const cableTo = ({ port }: RunnerProcess) =>
  Effect.acquireRelease(Effect.promise(() => cable(() => port)), (made) => Effect.sync(made.close))

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

/** On a busy machine the first of two runners may not answer in time, and then the second has the actor. */
const again = { times: 5, while: (error: unknown) => error === "elsewhere" }

/**
 * Adds one after the other while something befalls the first of two runners, until another incarnation answers: each counts
 * once, and no answer takes longer than `within` milliseconds.
 */
const befalls = (
  within: number,
  one: RunnerProcess,
  two: RunnerProcess,
  harm: (wire: Cable) => Effect.Effect<void>,
  after: (wire: Cable) => void = () => {}
) =>
  Effect.gen(function*() {
    const wire = yield* cableTo(one)
    yield* Effect.gen(function*() {
      const tally = yield* ActorSystem.spawn(Tally, { name: "a", config: { start: 0 } })
      let longest = 0
      let total = 0
      const add = Effect.gen(function*() {
        const sent = performance.now()
        assert.strictEqual(yield* tally.Add({ n: 1 }), ++total)
        longest = Math.max(longest, performance.now() - sent)
        if (total % 5 === 0) yield* Effect.sleep(2)
      })
      for (let i = 0; i < 20; i++) yield* add
      if (!one.children().includes((yield* tally.Read()).pid)) return yield* Effect.fail("elsewhere" as const)
      yield* harm(wire)
      while ((yield* tally.Read()).incarnation < 2) yield* add
      after(wire)
      for (let i = 0; i < 20; i++) yield* add
      // What comes back late changes nothing.
      yield* Effect.sleep(50)
      assert.strictEqual((yield* tally.Read()).total, total)
      assert.isBelow(longest, within)
    }).pipe(Effect.scoped, Effect.provide(layer([wire.port, two.port])))
  }).pipe(Effect.scoped, Effect.retry(again))

// What a loaded machine may take beyond what the lease bounds.
const slack = 6000

itLayer(Pair.layer, { excludeTestServices: true })("two machines", (it) => {
  it.effect("one that freezes is replaced, and nothing is lost", () =>
    Effect.flatMap(Pair, ({ one, two }) =>
      befalls(
        2 * lease + slack,
        one,
        two,
        () => Effect.sync(() => one.signalAll("SIGSTOP")),
        () => one.signalAll("SIGCONT")
      ).pipe(Effect.ensuring(Effect.sync(() => one.signalAll("SIGCONT"))))), 30_000)

  it.effect(
    "one that is cut off without a word is replaced, and nothing is lost",
    () =>
      Effect.flatMap(
        Pair,
        ({ one, two }) => befalls(2 * lease + slack, one, two, ({ cut }) => Effect.sync(cut), ({ mend }) => mend())
      ),
    30_000
  )

  it.effect("a lost host is waited for where it might still do something", () =>
    Effect.scoped(
      Effect.gen(function*() {
        const { one, two } = yield* Pair
        const wire = yield* cableTo(one)
        const seen: Array<{ readonly tag: string; readonly at: number }> = []
        yield* Effect.gen(function*() {
          const system = yield* ActorSystem
          yield* Effect.forkScoped(
            Stream.runForEach(
              system.events,
              (event: LifecycleEvent) => Effect.sync(() => seen.push({ tag: event._tag, at: performance.now() }))
            ),
            { startImmediately: true }
          )
          const tally = yield* ActorSystem.spawn(Tally, { name: "a", config: { start: 0 } })
          const before = yield* tally.Add({ n: 1 })
          if (!one.children().includes((yield* tally.Read()).pid)) return yield* Effect.fail("elsewhere" as const)
          const cut = performance.now()
          wire.cut()
          assert.strictEqual(yield* tally.Add({ n: 1 }), before + 1)
          const exited = seen.find(({ tag, at }) => tag === "HostExited" && at > cut)!
          // It last heard of us before the cut, and ends its host a lease after that: only then is it taken for gone.
          assert.isAtLeast(exited.at - cut, 2 * lease - lease / 4 - 50)
        }).pipe(Effect.scoped, Effect.provide(layer([wire.port, two.port], { fence: true })))
      }).pipe(Effect.retry(again))
    ), 30_000)

  it.effect(
    "an owner of a later term ends what those before it had, and they are not heard any more",
    () =>
      Effect.scoped(Effect.gen(function*() {
        const { one } = yield* Pair
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
      })),
    30_000
  )

  const refused = (options: Partial<RunnerSystemOptions>, said: RegExp) =>
    Effect.gen(function*() {
      const { one } = yield* Pair
      const failure = yield* Effect.flip(Effect.scoped(Effect.provide(ActorSystem, layer([one.port], options))))
      assert.strictEqual(failure._tag, "HostStartFailed")
      assert.match(failure.message, said)
      assert.notInclude(failure.message, "\n")
    })

  it.effect(
    "another secret is one sentence, and nothing is tried again",
    () => refused({ secret: Redacted.make("a secret of nobody else") }, /its secret is another than ours/),
    30_000
  )
  it.effect(
    "another build is one sentence, and nothing is tried again",
    () => refused({ build: "yesterday's" }, /it is of build of the tests, we of yesterday's/),
    30_000
  )

  it.effect("a stranger who says what nobody says harms nobody", () =>
    Effect.scoped(Effect.gen(function*() {
      const { port } = (yield* Pair).one
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
        for (const metric of [telemetry.sentBytes, telemetry.receivedBytes]) {
          assert.isAbove((yield* Metric.value(metric)).count, 100)
        }
      }).pipe(Effect.scoped, Effect.provide(layer([port])))
    })), 30_000)

  it.effect(
    "an answer that cannot leave its machine is refused, and its host lives on",
    () =>
      Effect.scoped(Effect.gen(function*() {
        const { port } = (yield* Pair).one
        yield* Effect.gen(function*() {
          const tally = yield* ActorSystem.spawn(Tally, { name: "a", config: { start: 1 } })
          const refused = yield* Effect.flip(tally.Borrow())
          assert.strictEqual(refused._tag, "MessageRefused")
          assert.match(
            refused.message,
            /the reply of a\.Borrow was refused: it holds what cannot go to another machine/
          )
          assert.deepInclude(yield* tally.Read(), { total: 1, incarnation: 1 })
        }).pipe(Effect.scoped, Effect.provide(layer([port])))
      })),
    30_000
  )

  it.effect(
    "a runner that is killed, and leaves its hosts behind, is replaced",
    () =>
      Effect.flatMap(Pair, ({ one, two }) => befalls(slack, one, two, () => Effect.sync(() => one.signal("SIGKILL")))),
    30_000
  )
})

describe("a slow way", () => {
  it.live(
    "is no lost one: a message may take longer than a lease, and what waits is seen",
    () =>
      Effect.scoped(Effect.gen(function*() {
        const one = yield* runner()
        const wire = yield* cableTo(one)
        yield* Effect.gen(function*() {
          const system = yield* ActorSystem
          const tally = yield* ActorSystem.spawn(Tally, { name: "a", config: { start: 0 } })
          wire.slow(4)
          // 12 MiB there and back, in chunks of 64 KiB at most.
          const floats = new Float32Array(3 << 20).fill(1)
          const began = performance.now()
          const asked = yield* Effect.forkChild(tally.Double({ floats }), { startImmediately: true })
          const queued = yield* Effect.repeat(
            Effect.map(system.actors, ([actor]) => actor!.queuedBytes),
            { until: (bytes) => bytes > 0, schedule: Schedule.spaced(1) }
          ).pipe(Effect.timeout("5 seconds"))
          assert.isBelow(queued, 13 * 1024 * 1024)
          assert.strictEqual((yield* Fiber.join(asked))[1 << 20], 2)
          assert.isAbove(performance.now() - began, 2 * lease)
          const [actor] = yield* system.actors
          assert.deepInclude(actor, { incarnation: 1, queuedBytes: 0 })
        }).pipe(Effect.scoped, Effect.provide(layer([wire.port])))
      })),
    60_000
  )
})

describe("where nobody listens", () => {
  it.live("nobody meets himself, and the port is free for who comes", () =>
    Effect.gen(function*() {
      const port = yield* freePort
      // As the system may choose it by chance for any connection.
      const address = { host: "127.0.0.1", port, localPort: port }
      const { problem } = yield* Effect.callback<{ readonly problem: string }>((resume) => {
        const request = {
          ...Handshake.factsOf(build),
          want: "probe",
          system: "nobody",
          term: 0,
          need: "",
          beat: 1000,
          silence: 1000
        } as const
        const refused = (refused: Handshake.Refused) => resume(Effect.succeed(refused))
        connect(address, { secret, ca: undefined }, request, 2000, () => {}, refused)
      })
      assert.strictEqual(problem, "nobody listens there")
      yield* Effect.scoped(runner({ port }))
    }), 30_000)
})

describe("work moves", () => {
  it.live(
    "to a runner that comes, and from one that is drained, and nothing is lost or counted against anybody",
    () =>
      Effect.scoped(Effect.gen(function*() {
        const one = yield* runner({ spares: 1 })
        // Where the second will listen.
        const port = yield* freePort
        const state = { done: false }
        yield* Effect.gen(function*() {
          const system = yield* ActorSystem
          const never = Supervision.never
          const spawn = (name: string, host: number) =>
            ActorSystem.spawn(Tally, { name, config: { start: 0 }, supervision: never, host })
          const tallies = [yield* spawn("a", 0), yield* spawn("b", 1)]
          const totals = [0, 0]
          const fibers = yield* Effect.forEach(tallies, (tally, i) =>
            Effect.forkChild(
              Effect.gen(function*() {
                while (!state.done) {
                  assert.strictEqual(yield* tally.Add({ n: 1 }), ++totals[i]!)
                  yield* Effect.sleep(1)
                }
              }),
              { startImmediately: true }
            ))
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
          state.done = true
          yield* Effect.forEach(fibers, Fiber.join)
          assert.isTrue(totals.every((total) => total > 0))
          for (const { restarts } of yield* system.actors) assert.strictEqual(restarts, 0)
        }).pipe(Effect.scoped, Effect.provide(layer([one.port, port], { hosts: 2 })))
      })),
    40_000
  )
})

const freePort = Effect.callback<number>((resume) => {
  const server = net.createServer()
  server.listen(0, "127.0.0.1", () => {
    const { port } = server.address() as net.AddressInfo
    server.close(() => resume(Effect.succeed(port)))
  })
})

describe("what is no runner", () => {
  it.live("is one sentence", () =>
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
