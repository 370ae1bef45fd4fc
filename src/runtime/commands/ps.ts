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

/** A column of the table: the numbers stand on the right. */
interface Column {
  readonly title: string
  readonly right?: boolean
  readonly cell: (actor: Inspection.ActorLine) => string
  /** Whether it is left out where no actor has something to show in it. */
  readonly rare?: boolean
}

/** For how long: the milliseconds of a message are worth seeing. */
const shortly = (millis: number): string => millis < 1000 ? `${Math.round(millis)} ms` : duration(millis / 1000)

/** What waits to be sent. */
const kilobytes = (bytes: number): string => `${whole(Math.ceil(bytes / 1024))} KiB`

/** Whom it waits for: the first, and how many others. */
const asksOf = ({ asks: [first, ...others] }: Inspection.ActorLine): string => {
  if (first === undefined) return "-"
  const more = others.length === 0 ? "" : ` +${others.length}`
  return plainLine(`${first.actor}.${first.method}${more}`, 60)
}

const columns: ReadonlyArray<Column> = [
  { title: "actor", cell: ({ name }) => plainLine(name, 60) },
  {
    title: "lives in",
    cell: ({ host, placement }) => placement === "fiber" ? "fiber" : `${plainLine(placement, 20)} ${host}`
  },
  { title: "state", cell: ({ status }) => plainLine(status, 20) },
  { title: "mailbox", right: true, cell: ({ unanswered }) => whole(unanswered) },
  { title: "later", right: true, rare: true, cell: ({ later }) => later === 0 ? "-" : whole(later) },
  { title: "at work on", cell: ({ message }) => message === null ? "-" : plainLine(message.method, 40) },
  { title: "for", right: true, cell: ({ message }) => message === null ? "-" : shortly(message.millis) },
  { title: "waits for", rare: true, cell: asksOf },
  {
    title: "to be sent",
    right: true,
    rare: true,
    cell: ({ queuedBytes = 0 }) => queuedBytes === 0 ? "-" : kilobytes(queuedBytes)
  },
  { title: "restarts", right: true, cell: ({ restarts }) => whole(restarts) },
  { title: "child of", rare: true, cell: ({ parent }) => parent === null ? "-" : plainLine(parent, 60) }
]

/** Rows below their titles, each column as wide as it must be. */
const table = (actors: ReadonlyArray<Inspection.ActorLine>): ReadonlyArray<string> => {
  const shown = columns.flatMap(({ cell, rare, right, title }) => {
    const cells = actors.map(cell)
    if (rare === true && cells.every((text) => text === "-")) return []
    const width = Math.max(title.length, ...cells.map((text) => text.length))
    return [[title, ...cells].map((text) => right === true ? text.padStart(width) : text.padEnd(width))]
  })
  return [undefined, ...actors].map((_, row) => shown.map((column) => column[row]).join("  ").trimEnd())
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
    ...(actors.length === 0 ? [] : table(busiest)),
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
