/** A folder belongs to one owner; one that is gone is recognized by its process, or elsewhere by its silence. */
import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, FileSystem, Scope } from "effect"
import { spawnSync } from "node:child_process"
import * as fs from "node:fs"
import { hostname } from "node:os"
import * as FolderLock from "../../../src/runtime/files/FolderLock.ts"

const test = (
  name: string,
  body: (folder: string) => Effect.Effect<unknown, unknown, FileSystem.FileSystem | Scope.Scope>
) =>
  it.live(name, () =>
    FileSystem.FileSystem.use((files) => Effect.flatMap(files.makeTempDirectoryScoped(), body)).pipe(
      Effect.scoped,
      Effect.provide(NodeServices.layer)
    ))

const { pid: dead } = spawnSync(process.execPath, ["-e", ""])

const leave = (folder: string, owner: object, secondsAgo = 0) => {
  const file = `${folder}/.lock`
  const whole = {
    id: "x",
    host: hostname(),
    pid: process.pid,
    begun: null,
    since: "2026-01-01T00:00:00.000Z",
    ...owner
  }
  fs.writeFileSync(file, JSON.stringify(whole))
  const then = Date.now() / 1000 - secondsAgo
  fs.utimesSync(file, then, then)
}

describe("the lock of a folder", () => {
  test("is one's own until the scope closes", (folder) =>
    Effect.gen(function*() {
      const scope = yield* Scope.make()
      yield* Scope.provide(FolderLock.take(folder), scope)
      const refused = yield* Effect.flip(FolderLock.take(folder))
      assert(refused._tag === "FolderInUse")
      assert.match(
        refused.message,
        new RegExp(`is in use by process ${process.pid} on .* since 20[^\\n]*remove .*\\.lock\\.$`)
      )
      yield* Scope.close(scope, Exit.void)
      assert.deepStrictEqual(fs.readdirSync(folder), [])
      yield* FolderLock.take(folder)
    }))

  const stale = {
    "its process is gone": [{ pid: dead }, 0],
    "its number is another process's now": [{ begun: "another start" }, 0],
    "it is another machine's, and silent": [{ host: "elsewhere" }, 61],
    "it cannot be read, and is old": [{ pid: "?" }, 6]
  } as const
  for (const [why, [owner, age]] of Object.entries(stale)) {
    test(`is taken over where ${why}`, (folder) =>
      Effect.gen(function*() {
        leave(folder, owner, age)
        yield* FolderLock.take(folder)
        assert.notStrictEqual(JSON.parse(fs.readFileSync(`${folder}/.lock`, "utf8")).id, "x")
        assert.deepStrictEqual(fs.readdirSync(folder), [".lock"])
      }))
  }

  test("is taken over where it carries a term, and its process is gone", (folder) =>
    Effect.gen(function*() {
      leave(folder, { pid: dead, term: 3 })
      fs.renameSync(`${folder}/.lock`, `${folder}/.lock.3`)
      yield* FolderLock.take(folder)
      assert.deepStrictEqual(fs.readdirSync(folder), [".lock"])
    }))

  const fresh = {
    "its process lives": [{}, 1000],
    "it is another machine's, and was touched": [{ host: "elsewhere" }, 30],
    "it is being written": [{ pid: "?" }, 0]
  } as const
  for (const [why, [owner, age]] of Object.entries(fresh)) {
    test(`is respected where ${why}`, (folder) =>
      Effect.gen(function*() {
        leave(folder, owner, age)
        const before = fs.readFileSync(`${folder}/.lock`, "utf8")
        assert.strictEqual((yield* Effect.flip(FolderLock.take(folder)))._tag, "FolderInUse")
        assert.strictEqual(fs.readFileSync(`${folder}/.lock`, "utf8"), before)
      }))
  }

  test("of many who find it stale one gets it", (folder) =>
    Effect.gen(function*() {
      for (let round = 0; round < 20; round++) {
        leave(folder, { pid: dead })
        const scope = yield* Scope.make()
        const outcomes = yield* Effect.forEach(
          Array.from({ length: 8 }),
          () => Effect.exit(Scope.provide(FolderLock.take(folder), scope)),
          { concurrency: "unbounded" }
        )
        assert.strictEqual(outcomes.filter(Exit.isSuccess).length, 1)
        yield* Scope.close(scope, Exit.void)
        assert.deepStrictEqual(fs.readdirSync(folder), [])
      }
    }))
})
