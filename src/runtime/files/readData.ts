/**
 * A file of data from anybody, read as a whole and with bounds: what is larger than such a file can be, or does not come to
 * an end (a device, a pipe that nobody writes to), is refused rather than waited for.
 */
import * as ByteSize from "effect/ByteSize"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import { badArgument, type PlatformError } from "effect/PlatformError"
import { closeSync, constants, openSync, readSync } from "node:fs"

/** Bytes of a file of text: settings, and the head of a run's folder. */
export const mostText = 4_194_304
/** Bytes of what is no plain file, whose size is known only when it has been read. */
const mostUnknown = 64_194_304
/** Milliseconds that it may have nothing to say. */
const longest = 10_000

const refused = (description: string) => badArgument({ module: "FileSystem", method: "readData", description })

/** The bytes of a file, `most` of them at most. */
export const read = Effect.fnUntraced(function*(
  path: string,
  most = Number.MAX_SAFE_INTEGER
): Effect.fn.Return<Uint8Array, PlatformError, FileSystem.FileSystem> {
  const fs = yield* FileSystem.FileSystem
  const { size, type } = yield* fs.stat(path)
  if (type === "File" || type === "Directory") {
    if (Number(ByteSize.toBigInt(size)) > most) return yield* refused(`more than ${most} bytes`)
    return yield* fs.readFile(path)
  }
  return yield* readEndless(path, Math.min(most, mostUnknown))
})

/** Milliseconds between two looks at whether there is more to read. */
const pause = 10

/**
 * Reads what is no plain file without ever waiting in the operating system, where no interruption is heard, nor the end of
 * the program: a named pipe that nobody writes to reads as empty.
 */
const readEndless = Effect.fnUntraced(function*(path: string, most: number) {
  const file = yield* Effect.acquireRelease(
    Effect.try({
      try: () => openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0)),
      catch: () => refused("cannot be opened")
    }),
    (file) => Effect.sync(() => closeSync(file))
  )
  const chunks: Array<Buffer> = []
  let taken = 0
  for (let waited = 0; waited < longest;) {
    const chunk = yield* Effect.try({ try: () => readSome(file), catch: () => refused("cannot be read") })
    if (chunk === undefined) {
      waited += pause
      yield* Effect.sleep(pause)
      continue
    }
    if (chunk.length === 0) return Buffer.concat(chunks)
    chunks.push(chunk)
    taken += chunk.length
    if (taken > most) return yield* refused("no end")
  }
  return yield* refused("nothing to read")
}, Effect.scoped)

/** What there is to read now; undefined where there may be more later. */
const readSome = (file: number): Buffer | undefined => {
  const chunk = Buffer.allocUnsafe(65_536)
  try {
    return chunk.subarray(0, readSync(file, chunk))
  } catch (cause) {
    if (cause instanceof Error && "code" in cause && cause.code === "EAGAIN") return undefined
    throw cause
  }
}

/** The text of a file. */
export const readText = (path: string, most = mostText): Effect.Effect<string, PlatformError, FileSystem.FileSystem> =>
  Effect.map(read(path, most), (bytes) => new TextDecoder().decode(bytes))
