/** The command line (`program.ts`) as a process: what it prints, and how it ends. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import { keepCompiled } from "./compileCache.ts"
import { codeOf, program } from "./program.ts"
import { runMain } from "./runtime/commands/ending.ts"
import * as StandardOutput from "./runtime/reporting/StandardOutput.ts"
import { plainLine, thrownText } from "./text/plainLine.ts"

// Threads and processes that we start need not compile what an earlier one has.
keepCompiled()

/** What is worth a line of log is one on standard error: standard output is the run's own. */
const logger = Logger.make(({ message }) => {
  const words = Array.isArray(message) ? message : [message]
  process.stderr.write(`${plainLine(words.map(thrownText).join(" "))}\n`)
})

runMain(
  program(process.argv.slice(2)).pipe(
    Effect.provide(Logger.layer([logger])),
    Effect.provide(StandardOutput.layer.pipe(Layer.provideMerge(NodeServices.layer)))
  ),
  codeOf
)
