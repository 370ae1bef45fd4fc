/**
 * The command line: `troupe [train|eval|export|plot] [flags]`, `train` when no verb is given. Usage errors are one sentence on
 * stderr and exit code 2; a run that cannot go on is one sentence and 1; an interrupted one ends
 * with 130 (Ctrl-C) or 143 (SIGTERM).
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Cause from "effect/Cause"
import * as CliError from "effect/cli/CliError"
import * as CliOutput from "effect/cli/CliOutput"
import * as Command from "effect/cli/Command"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as module from "node:module"
import { UnknownEnvironment } from "./envs/Registry.ts"
import { evalCommand } from "./runtime/commands/eval.ts"
import { exportCommand } from "./runtime/commands/export.ts"
import { plotCommand } from "./runtime/commands/plot.ts"
import { trainCommand } from "./runtime/commands/train.ts"
import { ConfigError } from "./runtime/config/configSources.ts"
import * as StandardOutput from "./runtime/reporting/StandardOutput.ts"
import { plainLine, thrownText } from "./text/plainLine.ts"
import { version } from "./version.ts"

// Threads and processes that we start need not compile what an earlier one has.
const { directory } = module.enableCompileCache()
if (directory !== undefined) process.env["NODE_COMPILE_CACHE"] ??= directory

const verbs = ["train", "eval", "export", "plot"]
const globals = ["--version", "--completions", "--wizard"]

/** `--n-envs 10` alone means `train --n-envs 10`. */
const withVerb = (args: ReadonlyArray<string>): ReadonlyArray<string> => {
  const [first] = args
  const implied = first === undefined || (first.startsWith("-") && !globals.includes(first))
  return implied ? ["train", ...args] : args
}

/** `--async seeded` is read as `--async=seeded`: the value of `--async` may be left out. */
const withAttachedValue = (args: ReadonlyArray<string>): ReadonlyArray<string> => {
  const at = args.findIndex((arg, i) => arg === "--async" && ["async", "seeded"].includes(args[i + 1] ?? ""))
  return at < 0 ? args : [...args.slice(0, at), `--async=${args[at + 1]}`, ...args.slice(at + 2)]
}

/** One sentence for one mistake. */
const sentence = (error: CliError.CliError): string => {
  const meant = (suggestions: ReadonlyArray<string>) =>
    suggestions.length === 0 ? "See --help." : `Did you mean ${suggestions.join(" or ")}?`
  if (error._tag === "UnrecognizedOption") return `There is no flag ${error.option}. ${meant(error.suggestions)}`
  if (error._tag === "UnknownSubcommand") {
    return `There is no verb "${error.subcommand}"; there are ${verbs.join(", ")}. ${meant(error.suggestions)}`
  }
  return error.message.replaceAll(/\s*\n\s*/g, " ")
}

/** A line on standard error, whatever the text holds. */
const tell = (text: string) => Console.error(plainLine(text))

/** Help as it is; a wrong invocation as sentences, without the pages of help around them. */
const presenter: CliOutput.Presenter = {
  present: (event) =>
    event._tag === "InvalidInvocation"
      ? Effect.forEach(event.errors, (error) => tell(sentence(error)), { discard: true })
      : CliOutput.defaultPresenter.present(event)
}

const root = Command.make("troupe").pipe(
  Command.withDescription("Actor-model simulation and reinforcement learning"),
  Command.withSubcommands([trainCommand, evalCommand, exportCommand, plotCommand])
)

/** The sentence a failure is told with. */
const explain = (cause: Cause.Cause<unknown>): string => thrownText(Cause.squash(cause))

/** What is worth a line of log is one on standard error: standard output is the run's own. */
const logger = Logger.make(({ message }) => {
  const words = Array.isArray(message) ? message : [message]
  process.stderr.write(`${plainLine(words.map(thrownText).join(" "))}\n`)
})

const usage = (error: unknown): boolean =>
  CliError.isCliError(error) || error instanceof ConfigError || error instanceof UnknownEnvironment

const program = Command.runWith(root, { version })(withAttachedValue(withVerb(process.argv.slice(2)))).pipe(
  Effect.tapCause((cause) =>
    Cause.hasInterruptsOnly(cause) || CliError.isCliError(Cause.squash(cause))
      ? Effect.void
      : tell(explain(cause))
  ),
  Effect.provideService(CliOutput.Presenter, presenter),
  Effect.provide(Logger.layer([logger])),
  Effect.provide(StandardOutput.layer.pipe(Layer.provideMerge(NodeServices.layer)))
)

/** How the program ends when it is interrupted: with 128 and the signal's number. */
let interrupted = 130
/** Whether the program has come to its own end. */
let ended = false

const interrupt = (code: number) => {
  interrupted = code
  process.emit("SIGINT", "SIGINT")
}
process.once("SIGTERM", () => {
  interrupted = 143
})
process.once("SIGHUP", () => interrupt(129))
// The first asks for an orderly end; whoever asks again has waited long enough. What is written, is written whole. One
// that follows at once is the same: npm passes on what the terminal has sent us already.
const echo = 250
let asked: number | undefined
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.on(signal, () => {
    asked ??= performance.now()
    if (performance.now() - asked < echo) return
    ended = true
    process.exit(interrupted)
  })
}
// Whoever read our output has gone (`| head -1`), or there is no room for it: what was done is still written down.
for (const stream of [process.stdout, process.stderr]) {
  stream.once("error", (error: NodeJS.ErrnoException) => {
    stream.on("error", () => {})
    if (error.code === "EPIPE") return interrupt(141)
    process.stderr.write(`${plainLine(`The output cannot be written: ${error.message}.`)}\n`)
    interrupt(1)
  })
}
// What an environment throws in this thread when nobody waits for it: the run cannot be trusted to go on.
process.once("uncaughtException", (error) => {
  process.on("uncaughtException", () => {})
  process.stderr.write(`${plainLine(`The run is ended by what nobody caught: ${thrownText(error)}`)}\n`)
  interrupt(1)
})
process.once("exit", () => {
  if (ended) return
  process.stderr.write("The program was ended from within, by process.exit in an environment or a library.\n")
  process.exitCode = 1
})

NodeRuntime.runMain(program, {
  disableErrorReporting: true,
  teardown: (exit, onExit) => {
    ended = true
    if (Exit.isSuccess(exit)) return onExit(0)
    if (Cause.hasInterruptsOnly(exit.cause)) return onExit(interrupted)
    onExit(usage(Cause.squash(exit.cause)) ? 2 : 1)
  }
})
