/** A file is there whole or not at all: for readers beside a writer, on a full disk, and where a link has its name. */
import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Effect, FileSystem, type Scope } from "effect"
import { systemError } from "effect/PlatformError"
import { spawn } from "node:child_process"
import * as fs from "node:fs"
import * as wholeFile from "../../../src/runtime/files/wholeFile.ts"

const test = (
  name: string,
  body: (folder: string) => Effect.Effect<unknown, unknown, FileSystem.FileSystem | Scope.Scope>
) =>
  it.live(name, () =>
    FileSystem.FileSystem.use((files) => Effect.flatMap(files.makeTempDirectoryScoped(), body)).pipe(
      Effect.scoped,
      Effect.provide(NodeServices.layer)
    ), 60_000)

/** The disk has room for `room` bytes more. */
const withRoom = (room: number) =>
  Effect.updateService(FileSystem.FileSystem, (files) => ({
    ...files,
    open: (path, options) =>
      Effect.map(files.open(path, options), (file) =>
        Object.assign(Object.create(file), {
          writeAll: (bytes: Uint8Array) =>
            Effect.andThen(
              file.writeAll(bytes.subarray(0, room)),
              bytes.length <= room ? Effect.void : Effect.fail(systemError({
                _tag: "Unknown",
                module: "FileSystem",
                method: "writeAll",
                cause: Object.assign(new Error("ENOSPC"), { code: "ENOSPC" })
              }))
            )
        }))
  }))

describe("a whole file", () => {
  test("is never half there for a reader beside the writer", (folder) =>
    Effect.gen(function*() {
      const file = `${folder}/a.bin`
      yield* wholeFile.write(file, new Uint8Array(3_000_000).fill(1))
      const reader = spawn(process.execPath, [
        "-e",
        `
        const fs = require("node:fs"); let reads = 0
        process.on("message", () => { process.send(reads); process.exit(0) })
        const read = () => {
          const bytes = fs.readFileSync(process.argv[1])
          if (bytes.length !== 3000000 || bytes.some((byte) => byte !== bytes[0])) process.exit(1)
          reads++
          setImmediate(read)
        }
        read()`,
        file
      ], { stdio: ["ignore", "inherit", "inherit", "ipc"] })
      yield* Effect.addFinalizer(() => Effect.sync(() => reader.kill()))
      for (let i = 2; i < 40; i++) yield* wholeFile.write(file, new Uint8Array(3_000_000).fill(i))
      const reads = yield* Effect.callback<number, string>((resume) => {
        reader.on("message", (reads) => resume(Effect.succeed(Number(reads))))
        reader.on("exit", (code) => resume(Effect.fail(`the reader saw a half (${code})`)))
        reader.send("enough")
      })
      assert.isAbove(reads, 0)
    }))

  test("leaves the file as it was where the disk is full, and nothing beside it", (folder) =>
    Effect.gen(function*() {
      const file = `${folder}/a.txt`
      yield* wholeFile.write(file, "before")
      const { cause } = yield* Effect.flip(withRoom(3)(wholeFile.write(file, "afterwards")))
      assert.instanceOf(cause, Error)
      assert.strictEqual(fs.readFileSync(file, "utf8"), "before")
      assert.deepStrictEqual(fs.readdirSync(folder), ["a.txt"])
    }))

  test("takes the place of a link, and leaves what it led to", (folder) =>
    Effect.gen(function*() {
      fs.writeFileSync(`${folder}/victim`, "mine")
      fs.symlinkSync(`${folder}/victim`, `${folder}/link`)
      fs.symlinkSync(`${folder}/nowhere`, `${folder}/dangling`)
      for (const name of ["link", "dangling"]) {
        yield* wholeFile.write(`${folder}/${name}`, "new")
        assert.isTrue(fs.lstatSync(`${folder}/${name}`).isFile())
        assert.strictEqual(fs.readFileSync(`${folder}/${name}`, "utf8"), "new")
      }
      assert.strictEqual(fs.readFileSync(`${folder}/victim`, "utf8"), "mine")
      assert.isFalse(fs.existsSync(`${folder}/nowhere`))
    }))

  test("keeps who may read it", (folder) =>
    Effect.gen(function*() {
      fs.writeFileSync(`${folder}/a`, "", { mode: 0o600 })
      yield* wholeFile.write(`${folder}/a`, "new")
      assert.strictEqual(fs.statSync(`${folder}/a`).mode & 0o777, 0o600)
    }))

  test("may have the longest name there is, and goes to what is no file", (folder) =>
    Effect.gen(function*() {
      yield* wholeFile.write(`${folder}/${"n".repeat(255)}`, "new")
      yield* wholeFile.write("/dev/null", "new")
      assert.isTrue(fs.statSync("/dev/null").isCharacterDevice())
      yield* Effect.flip(wholeFile.write(folder, "new"))
      assert.strictEqual(fs.readdirSync(folder).length, 1)
    }))
})
