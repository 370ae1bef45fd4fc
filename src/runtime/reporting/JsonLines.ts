/** `--json`: every event of the run as one line of JSON on standard output, and nothing else. */
import * as Effect from "effect/Effect"
import * as Terminal from "effect/Terminal"
import { toJsonLine } from "../monitoring/RunEvent.ts"
import type { Reporter } from "./Reporter.ts"
import { faultAt, standardOutput } from "./ReportFault.ts"

/** Lines leave with the chunk they came in, so that a program that reads them is never behind. */
export const reporter: Effect.Effect<Reporter, never, Terminal.Terminal> = Effect.map(
  Terminal.Terminal,
  (terminal) => ({
    on: (events) => {
      let text = ""
      for (const event of events) text += `${toJsonLine(event)}\n`
      return text === "" ? Effect.void : Effect.mapError(terminal.display(text), faultAt(standardOutput))
    }
  })
)
