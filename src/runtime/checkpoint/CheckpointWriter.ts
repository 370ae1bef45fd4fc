/**
 * Keeps a run's states in its folder: takes them over from the run, waits until all that was told before is in the
 * folder's files, and writes in the background, one at a time.
 */
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as FileSystem from "effect/FileSystem"
import * as Scope from "effect/Scope"
import type { Recorder } from "../arrivals/recording.ts"
import type { EnvironmentRecord } from "../config/EnvironmentRecord.ts"
import type { RunConfig } from "../config/RunConfig.ts"
import type { OnCheckpoint } from "../reporting/folderReporter.ts"
import { faultAt, type ReportFault } from "../reporting/ReportFault.ts"
import * as CheckpointFolder from "./CheckpointFolder.ts"
import type { CheckpointKeeper } from "./Checkpoints.ts"
import { encode, type RunState } from "./RunState.ts"

/** Writes what the keeper is given; `recorder` has the arrivals, where the clock decides. */
export const make = (config: RunConfig, recorder: Recorder | undefined) =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    // Its end is that of the scope as it is now: whoever waits for a write, and asks for that later, is heard first.
    const scope = yield* Scope.fork(yield* Effect.scope)
    const taken: Array<{ readonly state: RunState; readonly recorded: Uint8Array }> = []
    let writing: Fiber.Fiber<void, ReportFault> | undefined
    /** The update whose checkpoint was written last. */
    let written: number | undefined

    const keeper: CheckpointKeeper = {
      busy: () => taken.length > 0 || writing !== undefined,
      take: (state) => taken.push({ state, recorded: recorder?.arrivals ?? new Uint8Array() })
    }

    /** Waits for the write under way. */
    const settled = Effect.suspend(() => writing === undefined ? Effect.void : Fiber.join(writing))

    const writeInto = (path: string, environment: EnvironmentRecord): OnCheckpoint =>
      Effect.fnUntraced(function*(update, files) {
        const next = taken.shift()
        if (next === undefined) return
        const lengths = Object.fromEntries(files.map(({ length, name }) => [name, length()]))
        yield* settled
        const write = Effect.gen(function*() {
          const bytes = yield* encode({ ...next, config, environment, files: lengths })
          yield* Effect.forEach(files, ({ sync }) => sync, { discard: true })
          yield* CheckpointFolder.write(path, update, bytes, config.keepCheckpoints).pipe(
            Effect.mapError(faultAt(path)),
            Effect.provideService(FileSystem.FileSystem, fs)
          )
          written = update
          writing = undefined
        })
        writing = yield* Effect.forkIn(write, scope)
      })

    return { keeper, settled, writeInto, written: Effect.sync(() => written) }
  })
