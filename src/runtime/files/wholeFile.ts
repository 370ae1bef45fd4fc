/**
 * A file that is there whole or not at all, whoever reads it meanwhile and whenever the program, the machine or the disk
 * gives out: it is written under another name, forced to the disk, and renamed, and its folder is forced to the disk. A
 * symbolic link of its name is replaced, never followed. What is no file and no folder (a pipe, a terminal) is written to.
 */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import type { PlatformError } from "effect/PlatformError"
import { randomBytes } from "node:crypto"
import * as path from "node:path"
import * as Fence from "./Fence.ts"

/** How the names of files end that are not whole yet. */
export const partSuffix = ".part"

/** A name of its own for each write: two at the same time do not meet. Not longer than what names may be. */
const partOf = (file: string): string =>
  path.join(
    path.dirname(file),
    `.${path.basename(file).slice(0, 60)}.${randomBytes(6).toString("hex")}${partSuffix}`
  )

const syncFolder = (folder: string): Effect.Effect<void, PlatformError, FileSystem.FileSystem> =>
  FileSystem.FileSystem.use((fs) => Effect.scoped(Effect.flatMap(fs.open(folder, { flag: "r" }), (file) => file.sync)))
    .pipe(
      // Windows cannot open a folder; its file systems keep the order of renames by themselves.
      Effect.catchIf((error) => process.platform === "win32" && error._tag === "PlatformError", () => Effect.void)
    )

/**
 * Writes a file, all of it or none. Where nothing is lost with it, `durable: false` does not wait for the disk: a reader
 * still never sees a half, but a machine that stops within seconds may forget it.
 */
export const write = Effect.fnUntraced(function*(
  file: string,
  content: string | Uint8Array,
  { durable = true }: { readonly durable?: boolean } = {}
): Effect.fn.Return<
  void,
  PlatformError,
  FileSystem.FileSystem
> {
  const fs = yield* FileSystem.FileSystem
  const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content
  const before = yield* Effect.option(fs.stat(file))
  if (Option.isSome(before) && before.value.type !== "File" && before.value.type !== "Directory") {
    return yield* fs.writeFile(file, bytes)
  }
  yield* replace(
    file,
    Effect.fnUntraced(function*(part) {
      const mode = Option.isSome(before) && before.value.type === "File" ? before.value.mode & 0o777 : 0o666
      const handle = yield* fs.open(part, { flag: "wx", mode })
      yield* handle.writeAll(bytes)
      if (durable) yield* handle.sync
    }, Effect.scoped)
  )
  if (durable) yield* syncFolder(path.dirname(file))
})

/** Cuts a file back to so many bytes, by another in its place: who still has it open writes where nobody reads. */
export const cutBack = Effect.fnUntraced(function*(file: string, length: number) {
  const fs = yield* FileSystem.FileSystem
  yield* replace(
    file,
    Effect.fnUntraced(function*(part) {
      yield* fs.copyFile(file, part)
      const handle = yield* fs.open(part, { flag: "r+" })
      yield* handle.truncate(length)
      yield* handle.sync
    }, Effect.scoped)
  )
  yield* syncFolder(path.dirname(file))
})

/** Puts what `make` writes under another name in the place of a file, unless the folder is another's by then. */
const replace = (
  file: string,
  make: (part: string) => Effect.Effect<void, PlatformError>
): Effect.Effect<void, PlatformError, FileSystem.FileSystem> =>
  FileSystem.FileSystem.use((fs) => {
    const part = partOf(file)
    return make(part).pipe(
      Effect.andThen(Fence.stand),
      Effect.andThen(fs.rename(part, file)),
      Effect.onExit((exit) => exit._tag === "Failure" ? Effect.ignore(fs.remove(part, { force: true })) : Effect.void)
    )
  })

/**
 * Takes a file away. Where another trainer may have the folder by now, a file of `left` comes into its place instead: a name is
 * deleted whatever it stands for by then, and a rename fails where whoever took over has swept away what was to be renamed.
 */
export const discard = Effect.fnUntraced(function*(file: string, left: string) {
  const fs = yield* FileSystem.FileSystem
  yield* (yield* Fence.CurrentFence) === null ? fs.remove(file, { force: true }) : write(file, left, { durable: false })
})

/** Deletes what writes have left in a folder that did not come to their end. */
export const sweep = Effect.fnUntraced(function*(folder: string) {
  const fs = yield* FileSystem.FileSystem
  const names = yield* Effect.orElseSucceed(fs.readDirectory(folder), () => [])
  yield* Fence.stand
  yield* Effect.forEach(
    names.filter((name) => name.endsWith(partSuffix)),
    (name) => fs.remove(path.join(folder, name), { force: true }),
    { discard: true }
  )
})
