/** Keeps the timeline of a run in a file: written when its window is over, or the run is, whichever comes first. */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import { plainLine } from "../../text/plainLine.ts"
import { explain } from "../files/reason.ts"
import * as wholeFile from "../files/wholeFile.ts"
import { mostEvents, Timeline, type Window } from "./Timeline.ts"

/** The file of a timeline cannot be written. */
export class TimelineFault extends Schema.TaggedError<TimelineFault>()("TimelineFault", { message: Schema.String }) {}

/** A timeline in that file; `start` is second 0, in milliseconds of the running time, and `notice` hears when it is written. */
export const keep = Effect.fnUntraced(function*(
  path: string,
  window: Window,
  start: number,
  notice: (message: string) => Effect.Effect<void>
): Effect.fn.Return<Timeline, TimelineFault, FileSystem.FileSystem | Scope.Scope> {
  const fs = yield* FileSystem.FileSystem
  const timeline = new Timeline(window, start)
  const write = Effect.suspend(() => wholeFile.write(path, timeline.toJson(), { durable: false })).pipe(
    Effect.provideService(FileSystem.FileSystem, fs),
    Effect.mapError((error) =>
      new TimelineFault({ message: `The timeline ${plainLine(path)} cannot be written: ${explain(error)}.` })
    )
  )
  // What cannot be written is found out before anybody has waited for it.
  yield* write
  let written = false
  const last = Effect.suspend(() => {
    if (written) return Effect.void
    written = true
    return write
  })
  yield* Effect.addFinalizer(() => Effect.catch(last, ({ message }) => Effect.logError(message)))
  const rest = Math.max(0, timeline.remaining)
  yield* Effect.sleep(rest).pipe(
    Effect.andThen(last),
    Effect.andThen(Effect.suspend(() => {
      const full = timeline.dropped === 0
        ? ""
        : `; it is full: ${timeline.dropped} of its events found no room among ${mostEvents}, take fewer --trace-seconds`
      return notice(`the timeline is in ${path}${full}`)
    })),
    Effect.catch(({ message }) => notice(message)),
    Effect.forkScoped
  )
  return timeline
})
