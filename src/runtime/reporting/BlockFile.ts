/**
 * An append-only file that takes whole records at once and writes them in blocks: when a block is full, every so
 * often, on request, and when its scope closes. A record is never split between what is written and what is lost, so
 * that an interrupted run leaves well-formed files; of a block that the disk has no room for, nothing stays.
 *
 * It is the file of that name in its folder, no other that a link leads to; where it is not there any more, because the
 * folder was deleted or moved, the next write says so.
 */
import * as ByteSize from "effect/ByteSize"
import * as Cause from "effect/Cause"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import * as Exit from "effect/Exit"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import * as Fence from "../files/Fence.ts"
import { faultAt, gone, ReportFault } from "./ReportFault.ts"

export interface BlockFile<Record extends string | Uint8Array> {
  /** Whether the file had nothing in it when it was opened. */
  readonly fresh: boolean
  /** Keeps a record for the next block. Only memory. */
  readonly append: (record: Record) => void
  /** Writes the block if it is full; fails if an earlier write has failed. */
  readonly settle: Effect.Effect<void, ReportFault>
  /** Writes what is held. */
  readonly flush: Effect.Effect<void, ReportFault>
  /** Bytes of the file, without what is held. */
  readonly length: () => number
  /** Forces what was written to the disk. */
  readonly sync: Effect.Effect<void, ReportFault>
}

export interface BlockFileOptions {
  /** How many characters or bytes make a block. Default 65,536. */
  readonly blockSize?: number
  /** How long a record is held at most. Default one second. */
  readonly every?: Duration.Input
}

const make = <Record extends string | Uint8Array>(
  path: string,
  join: (records: ReadonlyArray<Record>, size: number) => Uint8Array,
  { blockSize = 65_536, every = "1 second" }: BlockFileOptions
): Effect.Effect<BlockFile<Record>, ReportFault, FileSystem.FileSystem | Scope.Scope> =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const fault = faultAt(path)
    const noFollow = process.platform !== "win32"
    const file = yield* Effect.mapError(fs.open(path, { flag: "a", noFollow }), fault)
    const { dev, ino, size: bytes } = yield* Effect.mapError(file.stat, fault)
    const lock = Semaphore.makeUnsafe(1)
    let length = Number(ByteSize.toBigInt(bytes))
    let held: Array<Record> = []
    let size = 0
    let failed: ReportFault | undefined
    /** Whether somebody has heard of the failure. */
    let told = false

    const isThere = Effect.map(
      Effect.option(Effect.suspend(() => fs.lstat(path))),
      (now) => Option.isSome(now) && now.value.dev === dev && Equal.equals(now.value.ino, ino)
    )
    const writeBlock = Effect.fnUntraced(function*(block: Uint8Array) {
      yield* Effect.mapError(Effect.provideService(Fence.stand, FileSystem.FileSystem, fs), fault)
      if (!(yield* isThere)) return yield* new ReportFault({ path, reason: gone })
      yield* Effect.mapError(
        Effect.onError(file.writeAll(block), () => Effect.ignore(file.truncate(length))),
        fault
      )
    })

    const flush = Semaphore.withPermit(
      lock,
      Effect.suspend(() => {
        if (failed !== undefined) {
          told = true
          return Effect.fail(failed)
        }
        if (held.length === 0) return Effect.void
        const block = join(held, size)
        held = []
        size = 0
        return Effect.mapBoth(writeBlock(block), {
          onSuccess: () => {
            length += block.length
          },
          onFailure: (fault) => failed = fault
        })
      })
    ).pipe(Effect.uninterruptible)

    yield* Effect.addFinalizer((exit) =>
      Effect.catch(flush, (fault) =>
        // A run that has failed has told why; one word more is no help.
        told || (Exit.isFailure(exit) && !Cause.hasInterruptsOnly(exit.cause))
          ? Effect.void
          : Effect.logWarning(fault.message))
    )
    // A failure of the timed flush is kept, and raised by the next `settle` or `flush`.
    yield* Effect.sleep(every).pipe(Effect.andThen(Effect.ignore(flush)), Effect.forever, Effect.forkScoped)

    return {
      fresh: length === 0,
      length: () => length,
      sync: Effect.mapError(file.sync, fault),
      append: (record) => {
        held.push(record)
        size += record.length
      },
      settle: Effect.suspend(() => size >= blockSize || failed !== undefined ? flush : Effect.void),
      flush
    }
  })

const encoder = new TextEncoder()

/** A file of text; records are whole lines with their line end. */
export const text = (path: string, options: BlockFileOptions = {}) =>
  make<string>(path, (records) => encoder.encode(records.join("")), options)

/** A file of bytes. */
export const bytes = (path: string, options: BlockFileOptions = {}) =>
  make<Uint8Array>(path, (records, size) => {
    const block = new Uint8Array(size)
    let offset = 0
    for (const record of records) {
      block.set(record, offset)
      offset += record.length
    }
    return block
  }, options)
