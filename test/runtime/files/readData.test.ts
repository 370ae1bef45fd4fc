/** What is read from anybody's file has bounds, and comes to an end. */
import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Effect, FileSystem } from "effect"
import { spawn, spawnSync } from "node:child_process"
import * as readData from "../../../src/runtime/files/readData.ts"

describe.skipIf(process.platform === "win32")("a file of data", () => {
  it.live("is read whole, or refused where it is too large or has no end", () =>
    Effect.gen(function*() {
      const fs = yield* FileSystem.FileSystem
      const folder = yield* fs.makeTempDirectoryScoped()
      yield* fs.writeFileString(`${folder}/a`, "text")
      assert.strictEqual(yield* readData.readText(`${folder}/a`), "text")
      yield* Effect.flip(readData.readText(`${folder}/a`, 3))
      yield* Effect.flip(readData.readText(folder))
      yield* Effect.flip(readData.readText("/dev/zero"))
      yield* Effect.flip(readData.read("/dev/zero"))
      assert.strictEqual(yield* readData.readText("/dev/null"), "")
    }).pipe(Effect.scoped, Effect.provide(NodeServices.layer)))

  it.live("may be a pipe, and one that nobody writes to is not waited for", () =>
    Effect.gen(function*() {
      const fs = yield* FileSystem.FileSystem
      const folder = yield* fs.makeTempDirectoryScoped()
      const pipe = `${folder}/pipe`
      assert.strictEqual(spawnSync("mkfifo", [pipe]).status, 0)
      assert.strictEqual(yield* readData.readText(pipe), "")
      const writer = spawn("sh", [
        "-c",
        `exec 3<>'${pipe}'; echo ready; sleep 0.2; printf te >&3; sleep 0.2; printf xt >&3; read x`
      ])
      yield* Effect.addFinalizer(() => Effect.sync(() => writer.kill("SIGKILL")))
      yield* Effect.callback<void>((resume) => void writer.stdout.once("data", () => resume(Effect.void)))
      const ends = setTimeout(() => writer.kill("SIGKILL"), 1500)
      assert.strictEqual(yield* readData.readText(pipe), "text")
      clearTimeout(ends)
    }).pipe(Effect.scoped, Effect.provide(NodeServices.layer)), 20_000)
})
