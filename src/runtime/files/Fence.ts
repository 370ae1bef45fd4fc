/**
 * Keeps a trainer that was replaced from writing into the run's folder. It may have been stopped anywhere, between a look at
 * the lock and what it was about to write too, so looking alone is not enough. Three rules make that harmless:
 *
 * - Whoever takes a folder over has the newest term by then, asks once more whether that is so when it has made its own lock, and
 *   removes that of the one before (`FolderLock.ts`). Only then it looks at what there is.
 * - Whoever writes has its hand on a thing of its own, then looks whether its lock is still there, then acts: a file under another
 *   name that is renamed into place, a file that is open, names from a list.
 * - Whoever takes over makes these hands empty: it deletes the files with other names, puts copies in the place of the files that
 *   are appended to, and writes under no name that an old list may hold.
 *
 * So what an old trainer does after its last look either came before the new one looked, or fails, or goes into a file that nobody
 * reads any more.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import { type PlatformError, systemError } from "effect/PlatformError"
import * as path from "node:path"

export class Fence {
  /** Grows with every trainer of a run. */
  readonly term: number
  /** Tells whoever gives terms where the run is; fails where this term is not the newest any more. */
  readonly confirm: (folder: string) => Effect.Effect<void, TermOver>
  /** The lock of the folder that was taken, and what it says. */
  lock: { readonly file: string; readonly text: string } | undefined
  /** Whether another trains the run now, by whatever it was found out. */
  isPassed = false

  constructor(term: number, confirm: (folder: string) => Effect.Effect<void, TermOver>) {
    this.term = term
    this.confirm = confirm
  }
}

/** Why a term is none any more, or nobody says whether it is. */
export interface TermOver {
  readonly message: string
}

/** The fence of this run; null where nobody may take its place. */
export const CurrentFence = Context.Reference<Fence | null>("troupe/runtime/Fence", { defaultValue: () => null })

const refused = (why: string): PlatformError =>
  systemError({ _tag: "PermissionDenied", module: "Fence", method: "stand", cause: new Error(why) })

/** The folder is locked by this trainer: from now on it looks at that lock, if its term is still the newest. */
export const raise = (
  fence: Fence,
  lock: { readonly file: string; readonly text: string }
): Effect.Effect<void, PlatformError> =>
  Effect.mapError(fence.confirm(path.dirname(lock.file)), ({ message }) => refused(message.replace(/\.$/, ""))).pipe(
    Effect.andThen(Effect.sync(() => {
      fence.lock = lock
    }))
  )

/** Looks whether the folder is still this trainer's. Opened anew: what a network's file system remembers of it may be old. */
export const stand: Effect.Effect<void, PlatformError, FileSystem.FileSystem> = Effect.gen(function*() {
  const fence = yield* CurrentFence
  if (fence === null) return
  const fs = yield* FileSystem.FileSystem
  const { isPassed, lock, term } = fence
  const isThere = lock === undefined ||
    (yield* Effect.orElseSucceed(fs.readFileString(lock.file), () => "")) === lock.text
  if (isThere && !isPassed) return
  fence.isPassed = true
  return yield* refused(`term ${term} is over, and another trainer has the folder`)
})
