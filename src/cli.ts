/**
 * The command line: `troupe [train|eval|export|plot] [flags]`, `train` when no verb is given. Usage errors are one sentence on
 * stderr and exit code 2; a run that cannot go on is one sentence and 1; an interrupted one ends
 * with 130 (Ctrl-C) or 143 (SIGTERM).
 */
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
import { runMain } from "./runtime/commands/ending.ts"
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

runMain(program, (exit, by) => {
  if (Exit.isSuccess(exit)) return 0
  if (Cause.hasInterruptsOnly(exit.cause)) return by
  return usage(Cause.squash(exit.cause)) ? 2 : 1
})
