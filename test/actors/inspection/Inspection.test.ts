/** Programs that are asked from outside what their actors do: at sockets of this machine, in a folder of the test's own. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Scope } from "effect"
import * as fs from "node:fs"
import * as net from "node:net"
import * as os from "node:os"
import * as path from "node:path"
import * as Inspection from "../../../src/actors/inspection/Inspection.ts"
import type { ActorInfo } from "../../../src/actors/owner/System.ts"

const told = {
  name: "counter/0",
  definition: "Counter",
  status: "running",
  incarnation: 3,
  restarts: 2,
  unanswered: 4,
  message: { method: "Add", seq: 9, sinceMillis: 12.5 },
  asks: [{ actor: "bank", method: "Pay" }],
  parent: "branch",
  later: 2,
  timers: 1,
  queuedBytes: 4096,
  host: 1,
  placement: "thread"
} as const

const actor: ActorInfo = told

/** Runs a test whose sockets lie in a new folder, which it is given. */
const there = <A, E>(test: (folder: string) => Effect.Effect<A, E, Scope.Scope>) =>
  Effect.gen(function*() {
    const base = yield* Effect.acquireRelease(
      Effect.sync(() => fs.mkdtempSync(path.join(os.tmpdir(), "ps-"))),
      (base) => Effect.sync(() => fs.rmSync(base, { recursive: true, force: true }))
    )
    const before = process.env["XDG_RUNTIME_DIR"]
    yield* Effect.acquireRelease(
      Effect.sync(() => {
        process.env["XDG_RUNTIME_DIR"] = base
      }),
      () =>
        Effect.sync(() => {
          if (before === undefined) delete process.env["XDG_RUNTIME_DIR"]
          else process.env["XDG_RUNTIME_DIR"] = before
        })
    )
    return yield* test(path.join(base, `troupe-${process.getuid?.()}`))
  }).pipe(Effect.scoped)

const serve = (what: string, actors: ReadonlyArray<ActorInfo> = [actor]) =>
  Inspection.serve({ what, folder: null }, Effect.succeed(actors))

const snapshots = Effect.map(
  Inspection.programs,
  (answers) =>
    answers.filter((answer): answer is Inspection.Snapshot => !(answer instanceof Inspection.InspectionFault))
)

const connected = (at: string): Effect.Effect<net.Socket> =>
  Effect.callback((resume) => {
    const socket = net.connect(at, () => resume(Effect.succeed(socket)))
    socket.on("error", () => resume(Effect.succeed(socket)))
  })

const only = (folder: string): string => path.join(folder, fs.readdirSync(folder)[0]!)

describe.skipIf(process.platform === "win32")("Inspection", () => {
  it.live("finds nobody where nobody is, and makes no folder for that", () =>
    there((folder) =>
      Effect.gen(function*() {
        assert.deepStrictEqual(yield* Inspection.programs, [])
        assert.isFalse(fs.existsSync(folder))
      })
    ))

  it.live("tells of every program while its scope is open, and leaves nothing behind", () =>
    there((folder) =>
      Effect.gen(function*() {
        const scope = yield* Scope.make()
        yield* Scope.provide(serve("one"), scope)
        yield* serve("two", [])
        const found = yield* snapshots
        assert.deepStrictEqual(found.map(({ what }) => what).toSorted(), ["one", "two"])
        const one = found.find(({ what }) => what === "one")!
        assert.isAbove(one.millis, 0)
        assert.deepStrictEqual(one, {
          format: "troupe-ps-1",
          pid: process.pid,
          what: "one",
          folder: null,
          millis: one.millis,
          actors: [{ ...told, message: { method: "Add", millis: 12.5 } }]
        })
        assert.strictEqual(fs.statSync(folder).mode & 0o777, 0o700)
        yield* Scope.close(scope, Exit.void)
        assert.deepStrictEqual((yield* snapshots).map(({ what }) => what), ["two"])
        assert.lengthOf(fs.readdirSync(folder), 1)
      })
    ))

  it.live("serves many, one that never reads and one that talks among them", () =>
    there((folder) =>
      Effect.gen(function*() {
        const long = Array.from({ length: 20_000 }, (_, i) => ({ ...actor, name: `counter/${i}` }))
        yield* serve("busy", long)
        const lazy = yield* connected(only(folder))
        lazy.pause()
        const talker = yield* connected(only(folder))
        talker.on("error", () => {})
        talker.write("x".repeat(10_000_000))
        for (let i = 0; i < 100; i++) {
          const hasty = yield* connected(only(folder))
          hasty.destroy()
        }
        const [found] = yield* snapshots
        assert.lengthOf(found!.actors, 20_000)
        lazy.destroy()
        talker.destroy()
      })
    ))

  it.live("takes away what a process that is gone has left", () =>
    there((folder) =>
      Effect.gen(function*() {
        yield* serve("alive")
        const left = path.join(folder, "999999999-0")
        fs.writeFileSync(left, "")
        assert.lengthOf(yield* snapshots, 1)
        assert.isFalse(fs.existsSync(left))
      })
    ))

  it.live("says who is of another version, and who does not answer", () =>
    there((folder) =>
      Effect.gen(function*() {
        yield* serve("alive")
        const stranger = (name: string, answer: (socket: net.Socket) => void) =>
          Effect.acquireRelease(
            Effect.callback<net.Server>((resume) => {
              const server = net.createServer(answer)
              server.listen(path.join(folder, name), () => resume(Effect.succeed(server)))
            }),
            (server) => Effect.sync(() => server.close())
          )
        yield* stranger(`${process.pid}-900`, (socket) => socket.end(`{"format":"troupe-ps-2"}`))
        const held: Array<net.Socket> = []
        yield* stranger(`${process.pid}-901`, (socket) => held.push(socket))
        const faults = (yield* Inspection.programs).flatMap((answer) =>
          answer instanceof Inspection.InspectionFault ? [answer.message] : []
        )
        assert.lengthOf(faults, 2)
        assert.match(faults[0]!, /-900 is of another version/)
        assert.match(faults[1]!, /-901 does not answer: it is stopped, or computes without a pause\.$/)
        for (const socket of held) socket.destroy()
      })
    ))

  it.live("neither listens nor asks in a folder that others may open", () =>
    there((folder) =>
      Effect.gen(function*() {
        fs.mkdirSync(folder, { mode: 0o755 })
        fs.chmodSync(folder, 0o755)
        yield* serve("careful")
        assert.deepStrictEqual(fs.readdirSync(folder), [])
        const fault = yield* Effect.flip(Inspection.programs)
        assert.match(fault.message, /^The programs cannot be found: .* can be opened by others\.$/)
      })
    ))
})
