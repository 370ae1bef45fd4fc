import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as PlatformError from "effect/PlatformError"
import * as RunFolder from "../../../src/runtime/reporting/RunFolder.ts"

const temporary = Effect.flatMap(FileSystem.FileSystem, (fs) => fs.makeTempDirectoryScoped())

const options = (logDir: string): RunFolder.RunFolderOptions => ({
  logDir,
  envId: "CartPole-v1",
  preset: "a2c",
  seed: 7,
  rewardThreshold: 475,
  startedMillis: Date.UTC(2026, 0, 31, 12, 34, 56),
  config: { nEnvs: 10, hidden: [256] }
})

layer(NodeServices.layer)("RunFolder", (it) => {
  it.effect("is named after the run and reads back", () =>
    Effect.gen(function*() {
      const fs = yield* FileSystem.FileSystem
      const dir = yield* temporary
      const folder = yield* RunFolder.create(options(`${dir}/deep/runs`))
      assert.strictEqual(folder.path, `${dir}/deep/runs/CartPole-v1__a2c__7__2026-01-31T12-34-56`)
      const config = JSON.parse(yield* fs.readFileString(folder.file("config.json")))
      assert.deepStrictEqual(config.config, { nEnvs: 10, hidden: [256] })
      const read = Option.getOrThrow(yield* RunFolder.read(folder.path))
      assert.deepStrictEqual({ ...read, file: folder.file }, folder)
      assert.isTrue(Option.isNone(yield* RunFolder.read(dir)))
    }))

  it.effect("runs that start in one second get a folder each", () =>
    Effect.gen(function*() {
      const dir = yield* temporary
      const folders = yield* Effect.forEach(
        Array.from({ length: 8 }, () => options(`${dir}/runs`)),
        RunFolder.create,
        { concurrency: "unbounded" }
      )
      assert.strictEqual(new Set(folders.map(({ path }) => path)).size, 8)
    }))

  it.effect("an id with separators stays one folder", () =>
    Effect.gen(function*() {
      const dir = yield* temporary
      const folder = yield* RunFolder.create({ ...options(dir), envId: "../../my envs/grid.ts:Grid-v0" })
      assert.strictEqual(folder.path, `${dir}/my-envs-grid.ts-Grid-v0__a2c__7__2026-01-31T12-34-56`)
    }))

  it.effect("an impossible log directory is one clear error and leaves nothing", () =>
    Effect.gen(function*() {
      const fs = yield* FileSystem.FileSystem
      const dir = yield* temporary
      yield* fs.writeFileString(`${dir}/file`, "")
      const cases = {
        "": "the name is empty",
        [`${dir}/file`]: "a part of the path is a file, not a folder",
        [`${dir}/file/below/runs`]: "a part of the path is a file, not a folder",
        [`${dir}/new/${"x".repeat(300)}`]: "the name is too long",
        [`${dir}/zero\0byte`]: "it is not a possible path",
        "/proc/troupe/runs": "there is no such folder"
      }
      for (const [path, reason] of Object.entries(cases)) {
        const fault = yield* Effect.flip(RunFolder.create(options(path)))
        assert.strictEqual(fault._tag, "RunFolderFault")
        assert.strictEqual(fault.path, path)
        assert.strictEqual(
          fault.message,
          `Cannot create a run folder in "${path}": ${reason}. Name another folder with --log-dir.`
        )
      }
      assert.deepStrictEqual(yield* fs.readDirectory(dir), ["file"])
    }))

  it.effect("takes everything back when config.json cannot be written, but no folder of somebody else", () =>
    Effect.gen(function*() {
      const fs = yield* FileSystem.FileSystem
      const dir = yield* temporary
      const broken: FileSystem.FileSystem = {
        ...fs,
        open: () =>
          Effect.andThen(
            Effect.orDie(fs.makeDirectory(`${dir}/a/theirs`)),
            Effect.fail(PlatformError.systemError({
              _tag: "Unknown",
              module: "FileSystem",
              method: "open",
              cause: Object.assign(new Error("ENOSPC: no space left on device, write"), { code: "ENOSPC" })
            }))
          )
      }
      const fault = yield* RunFolder.create(options(`${dir}/a/b/c`)).pipe(
        Effect.provideService(FileSystem.FileSystem, broken),
        Effect.flip
      )
      assert.strictEqual(fault.reason, "the disk is full")
      assert.deepStrictEqual(yield* fs.readDirectory(`${dir}/a`), ["theirs"])
    }))
})
