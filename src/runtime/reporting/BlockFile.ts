/**
 * An append-only file that takes whole records at once and writes them in blocks: when a block is full, every so
 * often, on request, and when its scope closes. A record is never split between what is written and what is lost, so
 * that an interrupted run leaves well-formed files.
 */
import * as ByteSize from "effect/ByteSize"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import type * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import { faultAt, type ReportFault } from "./ReportFault.ts"

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
    const file = yield* Effect.mapError(fs.open(path, { flag: "a" }), fault)
    const { size: bytes } = yield* Effect.mapError(file.stat, fault)
    const lock = Semaphore.makeUnsafe(1)
    let length = Number(ByteSize.toBigInt(bytes))
    let held: Array<Record> = []
    let size = 0
    let failed: ReportFault | undefined

    const flush = Semaphore.withPermit(
      lock,
      Effect.suspend(() => {
        if (failed !== undefined) return Effect.fail(failed)
        if (held.length === 0) return Effect.void
        const block = join(held, size)
        held = []
        size = 0
        return Effect.mapBoth(file.writeAll(block), {
          onSuccess: () => {
            length += block.length
          },
          onFailure: (error) => {
            failed = fault(error)
            return failed
          }
        })
      })
    ).pipe(Effect.uninterruptible)

    yield* Effect.addFinalizer(() => Effect.catch(flush, (fault) => Effect.logWarning(fault.message)))
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
