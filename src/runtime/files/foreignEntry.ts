/**
 * A run's folder may come from anybody, and a run writes into it. What is no plain file or folder there (a symbolic link
 * above all, which would lead the writing elsewhere) is found before anything is written.
 */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as path from "node:path"

/** The first entry of a folder, or of the folders in it, that is no plain file or folder; undefined where all are. */
export const foreignEntry = (
  folder: string,
  depth = 2
): Effect.Effect<string | undefined, never, FileSystem.FileSystem> =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    for (const name of yield* Effect.orElseSucceed(fs.readDirectory(folder), () => [])) {
      const entry = path.join(folder, name)
      const info = yield* Effect.option(fs.lstat(entry))
      if (Option.isNone(info)) continue
      if (info.value.type === "Directory") {
        const within = depth > 1 ? yield* foreignEntry(entry, depth - 1) : undefined
        if (within !== undefined) return within
      } else if (info.value.type !== "File") return entry
    }
    return undefined
  })
