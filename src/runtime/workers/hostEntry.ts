/**
 * Where a host thread begins, and which build it belongs to. From the sources the entry is the TypeScript file
 * `runtime/host.ts`; a bundle finds the bundled entry beside itself. Both carry the build's id, and a host of another build is
 * refused: different kernels or algorithms would change the weights without a word.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { companion, missing } from "../../companions.ts"

declare const __BUILD_ID__: string | undefined

/** The build these lines belong to; `source` when run from the sources. */
export const buildId = typeof __BUILD_ID__ === "undefined" ? "source" : __BUILD_ID__

/** The module that a host thread runs. */
export const hostEntry = companion("host.js", "runtime/host.ts")

/** The module that a host thread runs is not where this program looks for it. */
export class HostMissing extends Schema.TaggedError<HostMissing>()("HostMissing", { message: Schema.String }) {}

/** Fails where the module that hosts run is not there. */
export const hostIsThere = (entry: URL = hostEntry): Effect.Effect<void, HostMissing> =>
  Effect.suspend(() => {
    const message = missing(entry)
    return message === undefined ? Effect.void : Effect.fail(new HostMissing({ message }))
  })
