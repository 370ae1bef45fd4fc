/** Episodes as files of pictures: what is in them, and what is said where they cannot be made. */
import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Effect, FileSystem, type Scope } from "effect"
import * as fs from "node:fs"
import * as path from "node:path"
import sharp from "sharp"
import { CartPoleV1, TaxiV4 } from "../../../src/envs/index.ts"
import { PackageFolders } from "../../../src/model/devices/packages.ts"
import { Pcg64 } from "../../../src/random/index.ts"
import { formatOf, paceOf, type VideoError, writeVideo } from "../../../src/runtime/reporting/video.ts"

const statesOf = (definition: typeof CartPoleV1, steps: number): ReadonlyArray<Float64Array> => {
  const state = new Float64Array(definition.stateSize)
  const dynamics = definition.create(state)
  const random = Pcg64.fromSeed(1)
  dynamics.reset(random)
  return Array.from({ length: steps + 1 }, (_, i) => {
    if (i > 0) dynamics.step(i % 2, random)
    return state.slice()
  })
}

const write = (file: string, definition: typeof CartPoleV1, steps: number) =>
  Effect.gen(function*() {
    const draw = (states: ReadonlyArray<Float64Array>) => Effect.succeed(definition.rendering?.svg?.(states) ?? "")
    const drawing = { draw, pace: paceOf(definition) }
    yield* writeVideo(file, yield* formatOf(file), statesOf(definition, steps), drawing)
  })

const inFolder = <E>(
  name: string,
  test: (folder: string) => Effect.Effect<void, E, FileSystem.FileSystem | Scope.Scope>
) =>
  it.live(name, () =>
    Effect.scoped(
      Effect.flatMap(Effect.flatMap(FileSystem.FileSystem, (files) => files.makeTempDirectoryScoped()), test).pipe(
        Effect.provide(NodeServices.layer)
      )
    ), 60_000)

const message = (file: string) => Effect.map(Effect.flip(write(file, TaxiV4, 2)), (error: VideoError) => error.message)

describe("writeVideo", () => {
  inFolder(
    "writes a GIF with a frame for each state, in the environment's own time",
    (folder) =>
      Effect.gen(function*() {
        const file = path.join(folder, "a.gif")
        yield* write(file, TaxiV4, 9)
        const { delay, format, height, pageHeight, pages, width } = yield* Effect.promise(() => sharp(file).metadata())
        // Frames that show the same may be one, shown longer.
        assert.isAtMost(pages ?? 0, 10)
        assert.strictEqual(delay?.reduce((sum, one) => sum + one, 0), 10 * 250)
        assert.deepStrictEqual([format, width, pageHeight ?? height], ["gif", 320, 320])
      })
  )

  inFolder("leaves states of a long episode out, and keeps its time", (folder) =>
    Effect.gen(function*() {
      const file = path.join(folder, "a.gif")
      yield* write(file, CartPoleV1, 400)
      const { delay, pages } = yield* Effect.promise(() => sharp(file).metadata())
      assert.isAtMost(pages ?? 0, 201)
      assert.strictEqual(delay?.reduce((sum, one) => sum + one, 0), 201 * 40)
    }))

  inFolder("writes up to twelve states as a PNG, and all of them as an SVG", (folder) =>
    Effect.gen(function*() {
      const file = path.join(folder, "a.png")
      yield* write(file, TaxiV4, 40)
      const { format, height, width } = yield* Effect.promise(() => sharp(file).metadata())
      // 41 states, every fourth: eleven, in rows of four.
      assert.deepStrictEqual([format, width, height], ["png", 4 * 328 + 8, 3 * 328 + 8])
      yield* write(path.join(folder, "a.svg"), TaxiV4, 40)
      assert.match(fs.readFileSync(path.join(folder, "a.svg"), "utf8"), /^<svg .*an episode of 40 steps/s)
    }))

  inFolder(
    "hands the frames to ffmpeg for an MP4, and says where that is missing or fails",
    (folder) =>
      Effect.gen(function*() {
        const before = process.env["PATH"]
        yield* Effect.addFinalizer(() => Effect.sync(() => void (process.env["PATH"] = before)))
        process.env["PATH"] = folder
        const file = path.join(folder, "a.mp4")
        assert.match(yield* message(file), /made by ffmpeg, which is not installed: install it, or name a \.gif/)
        const program = (body: string) =>
          fs.writeFileSync(path.join(folder, "ffmpeg"), `#!/bin/sh\n${body}\n`, { mode: 0o755 })
        program("PATH=/usr/bin:/bin; for last; do :; done; wc -c > \"$last\"; echo \"$@\" >> \"$last\"")
        yield* write(file, TaxiV4, 4)
        const [bytes, args] = fs.readFileSync(file, "utf8").trim().split("\n")
        assert.strictEqual(Number(bytes), 5 * 320 * 320 * 4)
        assert.match(args ?? "", /-s 320x320 -r 4 -i - .*-pix_fmt yuv420p/)
        program("echo no such codec >&2; exit 1")
        assert.match(yield* message(file), /ffmpeg could not make .*a\.mp4: no such codec\./)
      })
  )

  inFolder("says what is missing", (folder) =>
    Effect.gen(function*() {
      const without = Effect.provideService(message(path.join(folder, "a.gif")), PackageFolders, [])
      assert.match(yield* without, /painted by sharp, which is not installed: npm install sharp, or name an \.svg\./)
      assert.match(yield* message(path.join(folder, "a.bmp")), /ends in \.svg, \.gif, \.png, \.mp4; .*a\.bmp does not/)
      assert.match(
        yield* message(path.join(folder, "no", "a.gif")),
        /cannot be written: .*\. Name another file with --video/
      )
    }))
})
