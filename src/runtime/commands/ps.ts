/** The verb `ps`: what the actors of running programs do, as a table. */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import { TerminalCapabilities } from "effect/cli/TerminalCapabilities"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import * as Schema from "effect/Schema"
import * as Inspection from "../../actors/inspection/Inspection.ts"
import { plainJson, plainLine } from "../../text/plainLine.ts"
import { duration, plural, whole } from "../reporting/formatting.ts"

/** Nobody is there who could be asked. */
export class NobodyRuns extends Schema.TaggedError<NobodyRuns>()("NobodyRuns", { message: Schema.String }) {}

const titles = ["actor", "lives in", "state", "mailbox", "at work on", "for", "restarts"] as const

/** Which columns are numbers, and stand on the right. */
const numbers: ReadonlySet<(typeof titles)[number]> = new Set(["mailbox", "for", "restarts"])

/** For how long: the milliseconds of a message are worth seeing. */
const shortly = (millis: number): string => millis < 1000 ? `${Math.round(millis)} ms` : duration(millis / 1000)

const cellsOf = (actor: Inspection.ActorLine): ReadonlyArray<string> => [
  plainLine(actor.name, 60),
  actor.placement === "fiber" ? "fiber" : `${plainLine(actor.placement, 20)} ${actor.host}`,
  plainLine(actor.status, 20),
  whole(actor.unanswered),
  actor.message === null ? "-" : plainLine(actor.message.method, 40),
  actor.message === null ? "-" : shortly(actor.message.millis),
  whole(actor.restarts)
]

/** Rows below their titles, each column as wide as it must be. */
const table = (rows: ReadonlyArray<ReadonlyArray<string>>): ReadonlyArray<string> => {
  const all = [titles, ...rows]
  const widths = titles.map((_, column) => Math.max(...all.map((row) => row[column]!.length)))
  return all.map((row) =>
    row.map((cell, column) =>
      numbers.has(titles[column]!) ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!)
    ).join("  ").trimEnd()
  )
}

/** More actors than this are counted, not shown: the busiest first. */
const most = 200

const linesOf = (answer: Inspection.Answer): ReadonlyArray<string> => {
  if (answer instanceof Inspection.InspectionFault) return [answer.message]
  const { actors, folder, millis, pid, what } = answer
  const head = [
    plainLine(what, 200),
    ...(folder === null ? [] : [plainLine(folder, 300)]),
    `process ${pid}`,
    `for ${duration(millis / 1000)}`,
    plural(actors.length, "actor")
  ].join(", ")
  const busiest = actors.length <= most
    ? actors
    : actors.toSorted((a, b) => (b.message?.millis ?? -1) - (a.message?.millis ?? -1)).slice(0, most)
  const left = actors.length - busiest.length
  return [
    head,
    ...(actors.length === 0 ? [] : table(busiest.map(cellsOf))),
    ...(left === 0 ? [] : [`and ${whole(left)} more`])
  ]
}

/** The programs that are meant: all, or those that write into a folder. */
const asked = Effect.fnUntraced(function*(folder: Option.Option<string>) {
  const paths = yield* Path.Path
  const answers = yield* Inspection.programs
  if (Option.isNone(folder)) {
    return answers.length > 0 ? answers : yield* new NobodyRuns({
      message: "No program with actors runs here under this user."
    })
  }
  const wanted = paths.resolve(folder.value)
  const found = answers.filter((answer) => !(answer instanceof Inspection.InspectionFault) && answer.folder === wanted)
  return found.length > 0 ? found : yield* new NobodyRuns({
    message: `No run that writes into ${
      plainLine(folder.value)
    } is under way. Without a folder, ps shows all there are.`
  })
})

export const psCommand = Command.make(
  "ps",
  {
    folder: Argument.String("folder").pipe(
      Argument.withDescription("a run's folder; without one, all programs of this user"),
      Argument.optional
    ),
    watch: Flag.Boolean("watch").pipe(
      Flag.withDescription("look again every second, until nobody runs any more"),
      Flag.withDefault(false)
    ),
    json: Flag.Boolean("json").pipe(
      Flag.withDescription("print one line of JSON a program, and nothing else"),
      Flag.withDefault(false)
    )
  },
  Effect.fnUntraced(function*({ folder, json, watch }) {
    const { canAnimate } = yield* TerminalCapabilities
    const show = Effect.fnUntraced(function*(answers: ReadonlyArray<Inspection.Answer>) {
      if (json) {
        for (const answer of answers) {
          const value = answer instanceof Inspection.InspectionFault ? { error: answer.message } : answer
          yield* Console.log(plainJson(JSON.stringify(value)))
        }
        return
      }
      const lines = answers.flatMap((answer, i) => i === 0 ? linesOf(answer) : ["", ...linesOf(answer)])
      // Home, and what was there is erased.
      const clear = watch && canAnimate ? "\u001b[H\u001b[2J" : ""
      yield* Console.log(clear + lines.join("\n"))
    })
    yield* show(yield* asked(folder))
    if (!watch) return
    while (true) {
      yield* Effect.sleep("1 second")
      const answers = yield* Effect.option(asked(folder))
      if (Option.isNone(answers)) return
      yield* show(answers.value)
    }
  })
).pipe(Command.withDescription("Show what the actors of running programs do"))
