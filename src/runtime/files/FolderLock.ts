/**
 * A run's folder belongs to one program at a time: `.lock` in it says which, and since when. One that was left by a program
 * that is gone is recognized and taken over: on the same machine by its process, elsewhere by its age, for its owner touches
 * it now and then.
 *
 * The lock of a trainer that may be replaced carries its term, `.lock.<term>`. A higher term takes it, whatever the owner does:
 * who sees that its own is not there any more is not the owner (`Fence.ts`). Each term has a file of its own, so that nobody
 * who was stopped in the middle of taking or leaving one can take another's away.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import type { PlatformError } from "effect/PlatformError"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import { randomUUID } from "node:crypto"
import { readFileSync } from "node:fs"
import { hostname } from "node:os"
import * as path from "node:path"
import { fromJson } from "../../text/json.ts"
import { plainLine } from "../../text/plainLine.ts"
import * as Fence from "./Fence.ts"

const Owner = Schema.Struct({
  /** The lock itself: two programs of one process are two owners. */
  id: Schema.String,
  host: Schema.String,
  pid: Schema.Int,
  /** When the process began, as the operating system has it: numbers of processes come again. Null where it says nothing. */
  begun: Schema.NullOr(Schema.String),
  /** When the lock was taken. */
  since: Schema.String,
  term: Schema.optionalKey(Schema.Int)
})
type Owner = typeof Owner.Type

const decodeOwner = Schema.decodeUnknownOption(fromJson(Owner))

/** The folder belongs to another program. */
export class FolderInUse extends Schema.TaggedError<FolderInUse>()("FolderInUse", {
  folder: Schema.String,
  /** The file that says so. */
  lock: Schema.String,
  owner: Schema.NullOr(Owner)
}) {
  override get message(): string {
    const { folder, lock, owner } = this
    const by = owner === null
      ? "another program"
      : `process ${owner.pid} on ${plainLine(owner.host, 80)} since ${plainLine(owner.since, 40)}`
    return `${plainLine(folder, 300)} is in use by ${by}. End that program, or wait for its end; ` +
      `if there is none, remove ${plainLine(path.join(folder, lock), 300)}.`
  }
}

const name = ".lock"
const pattern = /^\.lock(?:\.(\d+))?$/

/** Seconds between two signs of life, and after how many without one a lock of another machine is nobody's. */
const beat = 10
const staleSeconds = 60

/** When a process began, counted from the machine's start, and which start that was. Linux only. */
const begunOf = (pid: number): string | null => {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1")
    // The name of the program is in parentheses and may hold anything; the start is the twentieth field after it.
    const ticks = stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19]
    return `${readFileSync("/proc/sys/kernel/random/boot_id", "latin1").trim()} ${ticks}`
  } catch {
    return null
  }
}

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0)
  } catch (cause) {
    return cause instanceof Error && "code" in cause && cause.code === "EPERM"
  }
}

/** Whether the owner is gone. `silent`: seconds since its last sign of life. */
const isGone = (owner: Owner | null, silent: number): boolean => {
  // Not readable: perhaps it is being written just now.
  if (owner === null) return silent > 5
  if (owner.host !== hostname()) return silent > staleSeconds
  if (!isAlive(owner.pid)) return true
  const begun = begunOf(owner.pid)
  return owner.begun !== null && begun !== null && owner.begun !== begun
}

/** Takes the folder for the scope. */
export const take = (
  folder: string
): Effect.Effect<void, FolderInUse | PlatformError, FileSystem.FileSystem | Scope.Scope> =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const fence = yield* Fence.CurrentFence
    const own = fence === null ? name : `${name}.${fence.term}`
    const file = path.join(folder, own)
    const owner: Owner = {
      id: randomUUID(),
      host: hostname(),
      pid: process.pid,
      begun: begunOf(process.pid),
      since: new Date(yield* Clock.currentTimeMillis).toISOString(),
      ...(fence === null ? {} : { term: fence.term })
    }
    const text = `${JSON.stringify(owner)}\n`

    const ownerAt = (place: string) =>
      Effect.map(
        Effect.orElseSucceed(fs.readFileString(place), () => ""),
        (text) => Option.getOrNull(decodeOwner(text))
      )
    const silence = Effect.fnUntraced(function*(file: string) {
      const now = yield* Clock.currentTimeMillis
      const info = yield* Effect.option(fs.lstat(file))
      const touched = Option.flatMap(info, ({ mtime }) => mtime)
      return Option.isSome(touched) ? (now - touched.value.getTime()) / 1000 : 0
    })

    /**
     * Puts the lock of one that is gone away, and only that one. Of several who have found it gone one may do so, by a file of
     * its own name: who comes later must not take away the lock that has come into its place meanwhile.
     */
    const bury = Effect.fnUntraced(function*(file: string, gone: Owner | null) {
      const spade = `${file}.${(gone?.id ?? "unreadable").replaceAll(/[^\w-]/g, "").slice(0, 64)}.part`
      const dig = Effect.gen(function*() {
        // One that cannot be read may be another's by now, who is writing it.
        const now = yield* ownerAt(file)
        if (now?.id === gone?.id && isGone(now, yield* silence(file))) yield* fs.remove(file, { force: true })
        yield* fs.remove(spade, { force: true })
      })
      yield* fs.writeFileString(spade, text, { flag: "wx" }).pipe(
        Effect.andThen(dig),
        Effect.catchIf((error) => error.reason._tag === "AlreadyExists", () =>
          Effect.gen(function*() {
            if (isGone(yield* ownerAt(spade), yield* silence(spade))) yield* fs.remove(spade, { force: true })
            else yield* Effect.sleep(20)
          }))
      )
    })
    /** Puts a lock away whose owner is gone; fails where it is not. */
    const clear = Effect.fnUntraced(function*(lock: string) {
      const file = path.join(folder, lock)
      const other = yield* ownerAt(file)
      if (!isGone(other, yield* silence(file))) return yield* new FolderInUse({ folder, lock, owner: other })
      yield* bury(file, other)
    })

    const leave = Effect.gen(function*() {
      const now = yield* ownerAt(file)
      if (now?.id === owner.id) yield* Effect.ignore(fs.remove(file, { force: true }))
    })
    const attempt = (left: number): Effect.Effect<void, FolderInUse | PlatformError> =>
      fs.writeFileString(file, text, { flag: "wx" }).pipe(
        Effect.catchIf((error) => error.reason._tag === "AlreadyExists", () =>
          Effect.gen(function*() {
            if (left === 0) return yield* new FolderInUse({ folder, lock: own, owner: yield* ownerAt(file) })
            yield* clear(own)
            yield* attempt(left - 1)
          }))
      )
    /** Those of other names: lower terms are over, whatever they do. */
    const clearOthers = Effect.gen(function*() {
      const terms = (yield* fs.readDirectory(folder)).flatMap((lock) => {
        const found = pattern.exec(lock)
        return found === null || lock === own
          ? []
          : [{ lock, term: found[1] === undefined ? undefined : Number(found[1]) }]
      })
      const isOver = (term: number | undefined) => fence !== null && term !== undefined && term < fence.term
      // First whoever may refuse: who is refused has changed nothing.
      yield* Effect.forEach(terms.filter(({ term }) => !isOver(term)), ({ lock }) => clear(lock), { discard: true })
      yield* Effect.forEach(
        terms.filter(({ term }) => isOver(term)),
        ({ lock }) => fs.remove(path.join(folder, lock), { force: true }),
        { discard: true }
      )
    })

    // Before the others' are taken away: a term that is over by now takes nobody's.
    const confirmed = fence === null ? Effect.void : Fence.raise(fence, { file: path.resolve(file), text })
    yield* Effect.acquireRelease(attempt(3), () => leave)
    // Whoever is asked may take a while to answer, and is not waited for when the program is to end.
    yield* Effect.onError(Effect.andThen(confirmed, clearOthers), () => leave)
    const touch = Effect.gen(function*() {
      const now = new Date(yield* Clock.currentTimeMillis)
      yield* Effect.ignore(fs.utimes(file, now, now))
    })
    yield* Effect.sleep(`${beat} seconds`).pipe(Effect.andThen(touch), Effect.forever, Effect.forkScoped)
  })
