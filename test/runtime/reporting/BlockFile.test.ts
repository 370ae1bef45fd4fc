import { assert, describe, it } from "@effect/vitest"
import * as ByteSize from "effect/ByteSize"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as PlatformError from "effect/PlatformError"
import * as TestClock from "effect/testing/TestClock"
import * as BlockFile from "../../../src/runtime/reporting/BlockFile.ts"

const fail = (method: string) => Effect.fail(PlatformError.badArgument({ module: "FileSystem", method }))

/** A file system of one file, which says what was written to it and can be made to fail. */
const fakeFileSystem = () => {
  const disk = { written: [] as Array<string>, full: false, gone: false, open: 0 }
  const none = Option.none()
  const file: FileSystem.File = {
    [FileSystem.FileTypeId]: FileSystem.FileTypeId,
    stat: Effect.sync(() => ({
      type: "File",
      mtime: none,
      atime: none,
      birthtime: none,
      dev: 0n,
      ino: none,
      mode: 0,
      nlink: none,
      uid: none,
      gid: none,
      rdev: none,
      size: ByteSize.fromInputUnsafe(0),
      blksize: none,
      blocks: none
    })),
    seek: () => fail("seek"),
    sync: fail("sync"),
    read: () => fail("read"),
    readAlloc: () => fail("readAlloc"),
    truncate: () => fail("truncate"),
    write: () => fail("write"),
    writeAll: (bytes) =>
      disk.full
        ? fail("writeAll")
        : Effect.sync(() => {
          assert.strictEqual(disk.open, 1, "written after it was closed")
          disk.written.push(new TextDecoder().decode(bytes))
        })
  }
  const fs = FileSystem.makeNoop({
    lstat: () => disk.gone ? fail("lstat") : file.stat,
    open: () =>
      Effect.acquireRelease(
        Effect.sync(() => {
          disk.open++
          return file
        }),
        () => Effect.sync(() => disk.open--)
      )
  })
  return { disk, provide: Effect.provideService(FileSystem.FileSystem, fs) }
}

describe("BlockFile", () => {
  it.effect("writes full blocks at once, the rest after a second and at the close", () =>
    Effect.gen(function*() {
      const { disk, provide } = fakeFileSystem()
      yield* Effect.gen(function*() {
        const file = yield* BlockFile.text("progress.csv", { blockSize: 10 })
        file.append("1234\n")
        yield* file.settle
        assert.deepStrictEqual(disk.written, [])
        file.append("5678\n")
        yield* file.settle
        assert.deepStrictEqual(disk.written, ["1234\n5678\n"])
        file.append("timed\n")
        yield* TestClock.adjust("999 millis")
        assert.strictEqual(disk.written.length, 1)
        yield* TestClock.adjust("1 millis")
        assert.deepStrictEqual(disk.written.slice(1), ["timed\n"])
        file.append("timed again\n")
        yield* TestClock.adjust("1 seconds")
        assert.deepStrictEqual(disk.written.slice(2), ["timed again\n"])
        file.append("asked\n")
        yield* file.flush
        assert.deepStrictEqual(disk.written.slice(3), ["asked\n"])
        file.append("last\n")
      }).pipe(Effect.scoped, provide)
      assert.deepStrictEqual(disk.written.slice(4), ["last\n"])
      assert.strictEqual(disk.open, 0)
    }))

  it.effect("says at the next write that the file is not there any more", () =>
    Effect.gen(function*() {
      const { disk, provide } = fakeFileSystem()
      yield* Effect.gen(function*() {
        const file = yield* BlockFile.text("progress.csv")
        disk.gone = true
        file.append("lost\n")
        yield* TestClock.adjust("1 seconds")
        const fault = yield* Effect.flip(file.settle)
        assert.match(fault.message, /^Cannot write progress\.csv: it was deleted or moved while the run went on\.$/)
        assert.deepStrictEqual(disk.written, [])
      }).pipe(Effect.scoped, provide)
    }))

  it.effect("a timed write that fails is told to the next who asks, and the close does not hang", () =>
    Effect.gen(function*() {
      const { disk, provide } = fakeFileSystem()
      yield* Effect.gen(function*() {
        const file = yield* BlockFile.text("progress.csv")
        disk.full = true
        file.append("lost\n")
        yield* TestClock.adjust("1 seconds")
        const fault = yield* Effect.flip(file.settle)
        assert.strictEqual(fault._tag, "ReportFault")
        assert.match(fault.message, /^Cannot write progress\.csv: /)
      }).pipe(Effect.scoped, provide)
      assert.strictEqual(disk.open, 0)
    }))
})
