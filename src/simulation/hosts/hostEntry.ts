/** Where a host thread of a simulation begins, and which build it belongs to. */
import { companion } from "../../companions.ts"

declare const __BUILD_ID__: string | undefined

/** The build these lines belong to; `source` when run from the sources. */
export const buildId = typeof __BUILD_ID__ === "undefined" ? "source" : __BUILD_ID__

/** The module that a host thread runs. */
export const hostEntry = companion("simulationHost.js", "simulation/hosts/host.ts")
