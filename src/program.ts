/**
 * The command line: `troupe <verb> [flags]`, `train` when no verb is given. Usage errors are one sentence on
 * stderr and exit code 2; a run that cannot go on is one sentence and 1; an interrupted one ends
 * with 130 (Ctrl-C) or 143 (SIGTERM). The process around it is `cli.ts`.
 */
import * as Cause from "effect/Cause"
import * as CliError from "effect/cli/CliError"
import * as CliOutput from "effect/cli/CliOutput"
import * as Command from "effect/cli/Command"
import { TerminalCapabilities } from "effect/cli/TerminalCapabilities"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { styleText } from "node:util"
import { childrenGone } from "./envs/gymnasium/children.ts"
import { InvalidOption } from "./envs/options.ts"
import { UnknownEnvironment } from "./envs/Registry.ts"
import { InvalidWrapper } from "./envs/wrappers/derive.ts"
import { UnknownWrapper } from "./envs/wrappers/namedWrappers.ts"
import { checkCommand } from "./runtime/commands/check.ts"
import { chosenAlgorithm } from "./runtime/commands/chosenAlgorithm.ts"
import * as commandLine from "./runtime/commands/commandLine.ts"
import { dashboardCommand } from "./runtime/commands/dashboard.ts"
import { diffCommand } from "./runtime/commands/diff.ts"
import { evalCommand } from "./runtime/commands/eval.ts"
import { exportCommand } from "./runtime/commands/export.ts"
import { helpPage } from "./runtime/commands/helpPage.ts"
import { plotCommand } from "./runtime/commands/plot.ts"
import { psCommand } from "./runtime/commands/ps.ts"
import { pushCommand } from "./runtime/commands/push.ts"
import { runnerCommand } from "./runtime/commands/runner.ts"
import { simulateCommand } from "./runtime/commands/simulate.ts"
import { sweepCommand } from "./runtime/commands/sweep.ts"
import { trainCommand } from "./runtime/commands/train.ts"
import { zooCommand } from "./runtime/commands/zoo.ts"
import { ConfigError } from "./runtime/config/configSources.ts"
import { UnconfirmedEnvironment } from "./runtime/config/confirmEnvironment.ts"
import { plainLine, thrownText } from "./text/plainLine.ts"
import { version } from "./version.ts"

/** A line on standard error, whatever the text holds. */
const tell = (text: string) => Console.error(plainLine(text))

const commands = [
  trainCommand,
  evalCommand,
  exportCommand,
  plotCommand,
  checkCommand,
  sweepCommand,
  zooCommand,
  simulateCommand,
  diffCommand,
  psCommand,
  dashboardCommand,
  pushCommand,
  runnerCommand
] as const

const root = Command.make("troupe").pipe(
  Command.withDescription("Actor-model simulation and reinforcement learning"),
  Command.withSubcommands(commands)
)

const verbs = [
  ...commands.map(({ description = "", name }) => ({ name, description })),
  { name: "help", description: "This page, or that of a verb: help eval" }
]

/** Columns of the page of help: those of the terminal, where they are neither too few nor too many to read. */
const columns = () => Math.min(100, Math.max(60, process.stdout.columns ?? 80))

/** Help as a page; a wrong invocation as sentences, without the page around them. */
const presenter: CliOutput.Presenter = {
  present: (event) => {
    switch (event._tag) {
      case "InvalidInvocation": {
        // `-n10` is `-n -1 -0` to the parser: the letter is what is wrong.
        const errors = event.errors.filter((error, i) =>
          i === 0 || error._tag !== "UnrecognizedOption" || !/^-\d$/.test(error.option)
        )
        const flags = event.helpDoc.flags.flatMap((
          { aliases, name }
        ) => [name, ...aliases.map((alias) => alias.slice(2))])
        return Effect.forEach(
          errors,
          (error) => tell(commandLine.sentence(error, flags, commandLine.npmOf(process.env))),
          { discard: true }
        )
      }
      case "Help":
        return Effect.flatMap(TerminalCapabilities, ({ canColor }) => {
          const strong = (title: string) => canColor ? styleText("bold", title) : title
          const general = event.commandPath.at(-1) === "train" || event.commandPath.length < 2
          return Console.log(
            helpPage(event.helpDoc, general ? verbs : [], columns(), strong, chosenAlgorithm(process.argv).algo)
          )
        })
      case "Version":
        return CliOutput.defaultPresenter.present(event)
    }
  }
}

/** The sentence a failure is told with. */
const explain = (cause: Cause.Cause<unknown>): string => thrownText(Cause.squash(cause))

const usage = (error: unknown): boolean =>
  CliError.isCliError(error) || error instanceof ConfigError || error instanceof UnknownEnvironment ||
  error instanceof InvalidOption || error instanceof InvalidWrapper || error instanceof UnknownWrapper ||
  error instanceof UnconfirmedEnvironment

const run = (args: ReadonlyArray<string>) => {
  const taken = commandLine.takenByNpm(args, process.env)
  return taken === undefined
    ? Command.runWith(root, { version })(commandLine.toParse(args))
    : Effect.fail(new ConfigError({ source: "npm", message: taken }))
}

/** Does what the arguments say; a failure has been told when it comes. */
export const program = (args: ReadonlyArray<string>) =>
  Effect.suspend(() => run(args)).pipe(
    Effect.tapCause((cause) =>
      Cause.hasInterruptsOnly(cause) || CliError.isCliError(Cause.squash(cause))
        ? Effect.void
        : tell(explain(cause))
    ),
    Effect.ensuring(childrenGone),
    Effect.provideService(CliOutput.Presenter, presenter)
  )

/** The exit code of what came of it; that of an interruption is `interrupted`. */
export const codeOf = (exit: Exit.Exit<unknown, unknown>, interrupted: number): number => {
  if (Exit.isSuccess(exit)) return 0
  if (Cause.hasInterruptsOnly(exit.cause)) return interrupted
  return usage(Cause.squash(exit.cause)) ? 2 : 1
}
