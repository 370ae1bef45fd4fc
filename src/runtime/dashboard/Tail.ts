/** A file that somebody appends to, read line by line as it grows. */
import * as ByteSize from "effect/ByteSize"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"

/** Bytes that are read at a time; a line that is longer is none of ours. */
const most = 8 * 1024 * 1024

export class Tail {
  private readonly path: string
  private offset = 0

  constructor(path: string) {
    this.path = path
  }

  /**
   * The whole lines that have come since the last call; `anew` where the file has become shorter, and is read from its
   * beginning. A file that is not there, or cannot be read, has none.
   */
  readonly read = Effect.gen({ self: this }, function*() {
    const fs = yield* FileSystem.FileSystem
    const info = yield* Effect.option(fs.stat(this.path))
    if (Option.isNone(info) || info.value.type !== "File") return { anew: false, lines: [] }
    const size = Number(ByteSize.toBigInt(info.value.size))
    const anew = size < this.offset
    if (anew) this.offset = 0
    if (size === this.offset) return { anew, lines: [] }
    const bytes = yield* Effect.gen({ self: this }, function*() {
      const file = yield* fs.open(this.path)
      yield* file.seek(BigInt(this.offset), "start")
      return yield* file.readAlloc(Math.min(most, size - this.offset))
    }).pipe(Effect.scoped, Effect.orElseSucceed(() => Option.none<Uint8Array>()))
    if (Option.isNone(bytes)) return { anew, lines: [] }
    const end = bytes.value.lastIndexOf(10) + 1
    this.offset += end === 0 && bytes.value.length === most ? most : end
    const text = new TextDecoder().decode(bytes.value.subarray(0, end))
    return { anew, lines: text.split("\n").filter((line) => line !== "") }
  })
}
