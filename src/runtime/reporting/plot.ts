/**
 * Draws `curve.svg` from the files of a run folder, at the end of a run and for the `plot` verb alike: one path, so
 * that both give the same picture, and a run carries no history in memory for it.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import { explain } from "../files/reason.ts"
import * as wholeFile from "../files/wholeFile.ts"
import { draw } from "./curve.ts"
import * as MonitorFile from "./MonitorFile.ts"
import type { Reporter } from "./Reporter.ts"
import { faultAt, ReportFault } from "./ReportFault.ts"
import * as RunFolder from "./RunFolder.ts"

/** There is nothing to draw in the folder. The message says what is missing. */
export class PlotFault extends Schema.TaggedError<PlotFault>()("PlotFault", {
  folder: Schema.String,
  reason: Schema.String
}) {
  override get message(): string {
    return `Cannot plot "${this.folder}": ${this.reason}.`
  }
}

/** Draws `curve.svg` anew from `monitor.csv`; gives its path. */
export const plot = (
  folder: string
): Effect.Effect<string, PlotFault | ReportFault, FileSystem.FileSystem | Path.Path> =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const paths = yield* Path.Path
    const fault = (reason: string) => new PlotFault({ folder, reason })
    const exists = yield* Effect.orElseSucceed(fs.exists(folder), () => false)
    if (!exists) return yield* fault("there is no such folder")
    const monitor = paths.join(folder, "monitor.csv")
    if (!(yield* Effect.orElseSucceed(fs.exists(monitor), () => false))) {
      return yield* fault("it holds no monitor.csv; name the folder of one run, such as runs/CartPole-v1__a2c__1__...")
    }
    const isFile = yield* Effect.map(fs.stat(monitor), ({ type }) => type === "File").pipe(
      Effect.orElseSucceed(() => false)
    )
    if (!isFile) return yield* fault("its monitor.csv is no file")
    const episodes = yield* Effect.mapError(
      MonitorFile.read(monitor),
      (error) => fault(`monitor.csv cannot be read: ${explain(error)}`)
    )
    if (episodes.returns.length === 0) return yield* fault("its monitor.csv holds no finished episode yet")
    const config = Option.getOrUndefined(yield* RunFolder.read(folder))
    const path = paths.join(folder, "curve.svg")
    const svg = yield* draw({
      ...episodes,
      title: config?.envId ?? paths.basename(paths.resolve(folder)),
      subtitle: config === undefined ? "" : `${config.preset}, seed ${config.seed}`,
      threshold: config?.rewardThreshold ?? null
    }).pipe(Effect.mapError(({ reason }) => new ReportFault({ path, reason })))
    yield* Effect.mapError(wholeFile.write(path, svg), faultAt(path))
    return path
  })

/**
 * Draws the curve when the run finishes, or when the scope closes on a run that failed; one that is interrupted has no
 * time for it. Make it before the reporters that write the folder's files, and put it after them in the list: it reads
 * what they have written.
 */
export const reporter = (
  folder: RunFolder.RunFolder
): Effect.Effect<Reporter, never, FileSystem.FileSystem | Path.Path | Scope.Scope> =>
  Effect.gen(function*() {
    const services = yield* Effect.context<FileSystem.FileSystem | Path.Path>()
    /** Whether there are episodes that the picture does not show yet: a run without any has no curve. */
    let undrawn = false
    const drawRest = Effect.suspend(() => {
      if (!undrawn) return Effect.void
      undrawn = false
      return plot(folder.path).pipe(
        Effect.asVoid,
        Effect.catchTag("PlotFault", ({ reason }) =>
          Effect.fail(new ReportFault({ path: folder.file("curve.svg"), reason }))),
        Effect.provideContext(services)
      )
    })
    yield* Effect.addFinalizer((exit) =>
      Exit.isFailure(exit) && Cause.hasInterruptsOnly(exit.cause)
        ? Effect.void
        // Why the run failed is told; that its last picture failed too is no news.
        : Exit.isFailure(exit)
        ? Effect.ignore(drawRest)
        : Effect.catch(drawRest, (fault) =>
          Effect.logWarning(fault.message))
    )
    return {
      on: (events) => {
        let finished = false
        for (const { event } of events) {
          undrawn ||= event === "episode"
          finished ||= event === "finished"
        }
        return finished ? drawRest : Effect.void
      }
    }
  })
