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

/** What may be left of a checkpoint that was taken away. */
const taken = "taken away\n"

/** The updates that the files of a folder are of, in order, and whether the checkpoint was taken away. */
const files = Effect.fnUntraced(function*(path: string) {
  const fs = yield* FileSystem.FileSystem
  // No folder, no checkpoints.
  const names = yield* Effect.orElseSucceed(fs.readDirectory(path), () => [])
  return yield* Effect.forEach(
    names.flatMap((name) => pattern.exec(name)?.[1] ?? []).map(Number).toSorted((a, b) => a - b),
    Effect.fnUntraced(function*(update) {
      const file = `${path}/${fileOf(update)}`
      const isShort = yield* Effect.orElseSucceed(
        Effect.map(fs.stat(file), ({ size }) => Number(size) === taken.length),
        () => false
      )
      const isTaken = isShort && (yield* Effect.orElseSucceed(fs.readFileString(file), () => "")) === taken
      return { update, isTaken }
    })
  )
})

/** The updates that there are checkpoints of, in order. */
export const list = (path: string): Effect.Effect<ReadonlyArray<number>, never, FileSystem.FileSystem> =>
  Effect.map(files(path), (found) => found.flatMap(({ isTaken, update }) => isTaken ? [] : [update]))

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
    const before = (yield* files(path)).filter((file) => file.update <= update)
    yield* Fence.stand
    // Whoever comes after goes on from this one or a later one, and writes none of these anew.
    const kept = before.filter(({ isTaken }) => !isTaken).slice(-keep)
    yield* Effect.forEach(
      before.filter((file) => !kept.includes(file)),
      (old) => fs.remove(`${path}/${fileOf(old.update)}`, { force: true }),
      { discard: true }
    )
  }
)

/** Goes back to an update: takes the later checkpoints away, and what a write left that did not come to its end. */
export const goBackTo = Effect.fnUntraced(function*(path: string, update: number) {
  yield* wholeFile.sweep(path)
  const later = (yield* list(path)).filter((other) => other > update)
  yield* Effect.forEach(later, (other) => wholeFile.discard(`${path}/${fileOf(other)}`, taken), { discard: true })
})
