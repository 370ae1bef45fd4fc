/**
 * A trainer that was stopped and wakes up when another has its run changes nothing in the folder, wherever it was stopped: it is
 * stopped before each single thing that it asks the file system for.
 */
import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Fiber, FileSystem } from "effect"
import * as fs from "node:fs"
import * as path from "node:path"
import * as CheckpointFolder from "../../../src/runtime/checkpoint/CheckpointFolder.ts"
import { CurrentFence, Fence } from "../../../src/runtime/files/Fence.ts"
import * as FolderLock from "../../../src/runtime/files/FolderLock.ts"
import * as wholeFile from "../../../src/runtime/files/wholeFile.ts"
import * as BlockFile from "../../../src/runtime/reporting/BlockFile.ts"

/** Whoever gives terms: the newest is the highest that anybody has begun with. */
const terms = () => {
  let newest = 0
  const fence = (term: number) => {
    newest = Math.max(newest, term)
    return new Fence(
      term,
      () => Effect.suspend(() => term < newest ? Effect.fail({ message: `Term ${term} is over.` }) : Effect.void)
    )
  }
  return { fence, of: (term: number) => Effect.provideService(CurrentFence, fence(term)) }
}

/** A file system that is stopped before what it is asked for the `stop`-th time, until somebody lets it go on. */
const stopping = (real: FileSystem.FileSystem, stop: number) => {
  const stopped = Deferred.makeUnsafe<void>()
  const goOn = Deferred.makeUnsafe<void>()
  let asked = 0
  const gate = Effect.suspend(() =>
    ++asked === stop ? Effect.andThen(Deferred.succeed(stopped, undefined), Deferred.await(goOn)) : Effect.void
  )
  const gated = <A extends object>(target: A): A =>
    new Proxy(target, {
      get: (target, name) => {
        const value: unknown = Reflect.get(target, name)
        if (Effect.isEffect(value)) return Effect.andThen(gate, value)
        if (typeof value !== "function") return value
        return (...args: ReadonlyArray<unknown>): unknown => {
          const result: unknown = Reflect.apply(value, target, args)
          if (!Effect.isEffect(result)) return result
          const late = Effect.andThen(gate, result)
          return name === "open" ? Effect.map(late, (file) => gated(file as object)) : late
        }
      }
    })
  return { files: gated(real), stopped, goOn, count: () => asked }
}

/** What is in a folder, but for its lock. */
const contents = (folder: string): Record<string, string> =>
  Object.fromEntries(
    fs.readdirSync(folder, { recursive: true, encoding: "utf8" }).toSorted()
      .filter((name) => fs.statSync(path.join(folder, name)).isFile())
      .map((name) => [name, fs.readFileSync(path.join(folder, name), "utf8")])
  )

/**
 * What a trainer does with a folder that has a run in it, which the one before has left after update 1. With `back` it is told to
 * go on from that update, and not from the newest.
 */
const trains = (folder: string, who: string, keep: number, back?: number) =>
  Effect.gen(function*() {
    const checkpoints = path.join(folder, CheckpointFolder.name)
    const monitor = path.join(folder, "monitor.csv")
    yield* FolderLock.take(folder)
    yield* Effect.forEach([folder, checkpoints], wholeFile.sweep)
    const newest = back ?? (yield* CheckpointFolder.list(checkpoints)).at(-1) ?? 0
    yield* CheckpointFolder.goBackTo(checkpoints, newest)
    yield* wholeFile.cutBack(monitor, 2)
    yield* wholeFile.write(path.join(folder, "config.json"), who)
    const rows = yield* BlockFile.text(monitor)
    for (let update = newest + 1; update < newest + 3; update++) {
      rows.append(`${who}${update}\n`)
      yield* rows.flush
      yield* CheckpointFolder.write(checkpoints, update, new TextEncoder().encode(who), keep)
    }
    yield* wholeFile.write(path.join(folder, "policy"), who)
  }).pipe(Effect.scoped)

const begunWith = Effect.fnUntraced(function*(updates: ReadonlyArray<number>) {
  const files = yield* FileSystem.FileSystem
  const folder = yield* files.makeTempDirectoryScoped()
  fs.mkdirSync(path.join(folder, CheckpointFolder.name))
  for (const update of updates) fs.writeFileSync(path.join(folder, CheckpointFolder.name, `${update}.ckpt`), "0")
  fs.writeFileSync(path.join(folder, "monitor.csv"), "0\nlost")
  return folder
})
const begun = begunWith([1])

interface Way {
  /** The checkpoints that there are. */
  readonly updates: ReadonlyArray<number>
  readonly keep: number
  /** The update that the one who is stopped goes back to. */
  readonly back?: number
}

/** Stopped before the `stop`-th thing; answers whether it came to that. */
const replacedAt = ({ back, keep, updates }: Way, stop: number) =>
  Effect.gen(function*() {
    const real = yield* FileSystem.FileSystem
    const folder = yield* begunWith(updates)
    const { of } = terms()
    const { files, goOn, stopped } = stopping(real, stop)
    const old = yield* Effect.forkChild(
      Effect.exit(trains(folder, "old", keep, back).pipe(of(1), Effect.provideService(FileSystem.FileSystem, files)))
    )
    const hasEnded = yield* Effect.raceFirst(
      Effect.as(Deferred.await(stopped), false),
      Effect.as(Fiber.await(old), true)
    )
    if (hasEnded) return false
    yield* of(2)(trains(folder, "new", keep))
    const before = contents(folder)
    yield* Deferred.succeed(goOn, undefined)
    yield* Fiber.join(old)
    const after = contents(folder)
    assert.deepStrictEqual(after, before, `stopped at ${stop}`)
    assert.strictEqual(after["policy"], "new")
    assert.match(after["monitor.csv"]!, /^0\n(?:new\d\n){2}$/)
    return true
  }).pipe(Effect.scoped)

describe("a trainer that was replaced while it was stopped", () => {
  const ways: Readonly<Record<string, Way>> = {
    "from the newest checkpoint": { updates: [1], keep: 1 },
    // What it was about to take away, whoever comes after may go on from, or write anew.
    "from one before the newest": { updates: [1, 2], keep: 3, back: 1 }
  }
  for (const [name, way] of Object.entries(ways)) {
    it.live(`changes nothing, wherever that was: it had gone on ${name}`, () =>
      Effect.gen(function*() {
        let stop = 1
        while (yield* replacedAt(way, stop)) stop++
        // There is a lot that it asks for.
        assert.isAbove(stop, 50)
      }).pipe(Effect.provide(NodeServices.layer)), 60_000)
  }

  it.live("has left no checkpoint where it took one away, and what was left of it goes with the old ones", () =>
    Effect.gen(function*() {
      const folder = path.join(yield* begunWith([1, 2, 3]), CheckpointFolder.name)
      const { of } = terms()
      yield* of(1)(CheckpointFolder.goBackTo(folder, 1))
      assert.deepStrictEqual(yield* CheckpointFolder.list(folder), [1])
      yield* of(1)(CheckpointFolder.write(folder, 2, Uint8Array.of(1), 2))
      assert.deepStrictEqual(yield* CheckpointFolder.list(folder), [1, 2])
      yield* of(1)(CheckpointFolder.write(folder, 4, Uint8Array.of(1), 2))
      assert.deepStrictEqual(fs.readdirSync(folder), ["2.ckpt", "4.ckpt"])
    }).pipe(Effect.scoped, Effect.provide(NodeServices.layer)))

  it.live("is refused with a word", () =>
    Effect.gen(function*() {
      const folder = yield* begun
      const { fence: fenceOf, of } = terms()
      const fence = fenceOf(1)
      const own = Effect.provideService(CurrentFence, fence)
      yield* own(FolderLock.take(folder))
      const rows = yield* own(BlockFile.text(path.join(folder, "monitor.csv")))
      yield* of(2)(FolderLock.take(folder))
      const refused = yield* Effect.flip(own(wholeFile.write(path.join(folder, "policy"), "old")))
      assert.match(String(refused.cause), /term 1 is over, and another trainer has the folder/)
      assert.isTrue(fence.isPassed)
      rows.append("old")
      assert.match((yield* Effect.flip(own(rows.flush))).message, /monitor\.csv: term 1 is over/)
      // Nor does it get it back.
      assert.match(String((yield* Effect.flip(own(FolderLock.take(folder)))).cause), /Term 1 is over$/)
      assert.deepStrictEqual(fs.readdirSync(folder).filter((name) => name.startsWith(".")), [".lock.2"])
    }).pipe(Effect.scoped, Effect.provide(NodeServices.layer)))

  it.live("is not waited for, where nobody says whether its term is over and it is to end", () =>
    Effect.gen(function*() {
      const folder = yield* begun
      const asked = Deferred.makeUnsafe<void>()
      const silent = new Fence(1, () => Effect.andThen(Deferred.succeed(asked, undefined), Effect.never))
      const taking = yield* Effect.forkChild(Effect.provideService(FolderLock.take(folder), CurrentFence, silent))
      yield* Deferred.await(asked)
      yield* Fiber.interrupt(taking).pipe(Effect.timeout("5 seconds"))
      assert.deepStrictEqual(fs.readdirSync(folder).filter((name) => name.startsWith(".")), [])
    }).pipe(Effect.scoped, Effect.provide(NodeServices.layer)))

  it.live("is not there for who comes without a term, and they are not for it", () =>
    Effect.gen(function*() {
      const folder = yield* begun
      const { of } = terms()
      yield* Effect.scoped(Effect.gen(function*() {
        yield* of(1)(FolderLock.take(folder))
        assert.strictEqual((yield* Effect.flip(FolderLock.take(folder)))._tag, "FolderInUse")
      }))
      yield* Effect.scoped(Effect.gen(function*() {
        yield* FolderLock.take(folder)
        const refused = yield* Effect.flip(of(2)(FolderLock.take(folder)))
        assert.match(refused.message, /is in use by process \d+ .*\.lock\.$/)
      }))
      assert.deepStrictEqual(fs.readdirSync(folder).filter((name) => name.startsWith(".")), [])
    }).pipe(Effect.scoped, Effect.provide(NodeServices.layer)))
})
