/**
 * The checkpoints of a run folder, `checkpoints/<update>.ckpt`. One is written whole or not at all
 * (`files/wholeFile.ts`), whenever the program or the machine stops.
 */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import type { PlatformError } from "effect/PlatformError"
import * as Fence from "../files/Fence.ts"
import * as wholeFile from "../files/wholeFile.ts"

/** The name of the folder in a run folder. */
export const name = "checkpoints"

/** The name of the file of an update. */
export const fileOf = (update: number): string => `${update}.ckpt`

const pattern = /^(\d+)\.ckpt$/

/** The updates that there are checkpoints of, in order. */
export const list = (path: string): Effect.Effect<ReadonlyArray<number>, never, FileSystem.FileSystem> =>
  FileSystem.FileSystem.use((fs) =>
    fs.readDirectory(path).pipe(
      Effect.map((names) =>
        names.flatMap((name) => pattern.exec(name)?.[1] ?? []).map(Number).toSorted((a, b) => a - b)
      ),
      // No folder, no checkpoints.
      Effect.orElseSucceed(() => [])
    )
  )

/** Writes the checkpoint of an update, and then deletes all but the newest `keep`. */
export const write: (
  path: string,
  update: number,
  bytes: Uint8Array,
  keep: number
) => Effect.Effect<void, PlatformError, FileSystem.FileSystem> = Effect.fnUntraced(
  function*(path, update, bytes, keep) {
    const fs = yield* FileSystem.FileSystem
    // Only itself: a run folder that is gone is not made anew.
    yield* Effect.catchIf(
      fs.makeDirectory(path),
      (error) => error.reason._tag === "AlreadyExists",
      () => Effect.void
    )
    yield* wholeFile.write(`${path}/${fileOf(update)}`, bytes)
    const updates = yield* list(path)
    yield* Fence.stand
    yield* Effect.forEach(
      updates.filter((other) => other <= update).slice(0, -keep),
      (old) => fs.remove(`${path}/${fileOf(old)}`, { force: true }),
      { discard: true }
    )
  }
)

/** Goes back to an update: deletes the later checkpoints, and what a write left that did not come to its end. */
export const goBackTo = Effect.fnUntraced(function*(path: string, update: number) {
  const fs = yield* FileSystem.FileSystem
  const names = yield* Effect.orElseSucceed(fs.readDirectory(path), () => [])
  yield* Fence.stand
  const gone = names.filter((name) =>
    name.endsWith(wholeFile.partSuffix) || Number(pattern.exec(name)?.[1] ?? -1) > update
  )
  yield* Effect.forEach(gone, (name) => fs.remove(`${path}/${name}`, { force: true }), { discard: true })
})
