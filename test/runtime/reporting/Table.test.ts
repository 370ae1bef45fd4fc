import { assert, describe, it } from "@effect/vitest"
import { TerminalCapabilities } from "effect/cli/TerminalCapabilities"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import * as Stream from "effect/Stream"
import * as Terminal from "effect/Terminal"
import { type RunEvent, toJsonLine } from "../../../src/runtime/monitoring/RunEvent.ts"
import * as JsonLines from "../../../src/runtime/reporting/JsonLines.ts"
import { consume } from "../../../src/runtime/reporting/Reporter.ts"
import * as Table from "../../../src/runtime/reporting/Table.ts"
import { finished, progress, restarted, started, wholeRun } from "./syntheticRun.ts"

/** A terminal that remembers each write. */
const recorder = (columns: number) => {
  const writes: Array<string> = []
  const terminal = Terminal.make({
    columns: Effect.succeed(columns),
    rows: Effect.succeed(24),
    size: Effect.flatMap(Queue.unbounded(), () => Effect.never),
    readInput: Effect.never,
    readLine: Effect.never,
    display: (text) => Effect.sync(() => writes.push(text))
  })
  return { writes, terminal }
}

const show = (
  events: ReadonlyArray<RunEvent>,
  options: Table.TableOptions & {
    readonly tty: boolean
    readonly color?: boolean
    readonly columns?: number
    readonly chunk?: number
  }
) =>
  Effect.gen(function*() {
    const { writes, terminal } = recorder(options.columns ?? 100)
    yield* Effect.gen(function*() {
      const table = yield* Table.reporter(options)
      yield* consume(Stream.rechunk(Stream.fromIterable(events), options.chunk ?? 8), [table])
    }).pipe(
      Effect.scoped,
      Effect.provideService(Terminal.Terminal, terminal),
      Effect.provideService(TerminalCapabilities, {
        canAnimate: options.tty,
        canColor: options.color ?? false,
        canPrompt: false
      })
    )
    return writes.join("")
  })

/** What stands on the screen at the end, given carriage returns and erased lines. */
const screen = (output: string): Array<string> => output.split("\n").map((line) => line.split("\r\x1b[2K").at(-1)!)

describe("the table elsewhere than on a terminal", () => {
  it.effect("is aligned rows without escape codes, ever more seldom", () =>
    Effect.gen(function*() {
      const output = yield* show(wholeRun, { tty: false, rewardThreshold: 475 })
      assert.notInclude(output, "\x1b")
      assert.notInclude(output, "\r")
      const lines = output.trimEnd().split("\n")
      assert.strictEqual(lines.filter((line) => line.includes("ep_rew_mean")).length, 1)
      const rows = lines.filter((line) => /^ +[\d,]+ +\d/.test(line))
      assert.isTrue(rows.length > 5 && rows.length < 20, `${rows.length} rows`)
      assert.strictEqual(new Set(rows.map((row) => row.length)).size, 1)
      // The last state is there although no row was due.
      assert.match(rows.at(-1)!, /^ +20,000 /)
      assert.include(output, "env-worker/3 restarted, back in 31.4 ms: the worker exited with code 137\n")
      assert.strictEqual(lines.at(-1), Table.finalLine(finished))
      assert.include(output, started.folder!)
    }))
})

/** The last percentage drawn. */
const percent = (events: ReadonlyArray<RunEvent>, rewardThreshold: number | null) =>
  Effect.map(
    show(events, { tty: true, chunk: 1, rewardThreshold }),
    (output) => output.match(/(\d+)%(?![\s\S]*%)/)?.[1]
  )

const at = (train20: number | null, env_steps: number, wall_seconds = 1) => ({
  ...progress,
  train20,
  env_steps,
  wall_seconds
})

describe("the table on a terminal", () => {
  it.effect("redraws one line that fits the width, and leaves the head and the summary", () =>
    Effect.gen(function*() {
      for (const columns of [20, 40, 80, 200]) {
        const output = yield* show(wholeRun, { tty: true, columns, rewardThreshold: 475 })
        const drawn = output.split("\n").flatMap((line) => line.split("\r\x1b[2K")).filter((part) => /[█░]/.test(part))
        assert.isAbove(drawn.length, 20)
        for (const line of drawn) assert.isBelow(line.length, columns)
        const left = screen(output)
        assert.isFalse(left.some((line) => /[█░]/.test(line)), "the bar is gone at the end")
        assert.strictEqual(left.at(-2), Table.finalLine(finished))
        assert.isTrue(left.some((line) => line.startsWith("env-worker/3 restarted")))
      }
    }))
  it.effect("shows the returns so far and what the actors do where there is room", () =>
    Effect.gen(function*() {
      const idle = {
        name: "env-worker/0",
        definition: "EnvWorker",
        status: "running",
        incarnation: 1,
        restarts: 0,
        unanswered: 0,
        message: undefined,
        asks: [],
        later: 0,
        parent: undefined,
        timers: 0,
        queuedBytes: 0,
        host: 0,
        placement: "fiber"
      } as const
      const busy = { ...idle, name: "env-worker/1", message: { method: "Collect", seq: 1, sinceMillis: 3 } }
      const back = { ...idle, name: "env-worker/2", status: "restarting" as const }
      const events = Array.from({ length: 200 }, (_, i) => ({ ...progress, ep_rew_mean: i, wall_seconds: i / 5 }))
      const actors = Effect.succeed([idle, busy, back])
      const output = yield* show(events, { tty: true, columns: 160, chunk: 1, actors })
      const last = output.split("\r\x1b[2K").at(-1)!.trimEnd().split("\n")
      assert.match(last[0]!, /▁▁?▂.*▇██?/)
      assert.strictEqual(last[1], "3 actors  env-worker/1 Collect  env-worker/0 idle  env-worker/2 restarting")
      for (const line of last) assert.isBelow(line.length, 160)
      // Both lines are erased before they are drawn again.
      assert.strictEqual(output.split("\x1b[1A").length, output.split("3 actors").length - 1)
      const narrow = yield* show(events, { tty: true, columns: 100, chunk: 1, actors })
      assert.notMatch(narrow, /▁|env-worker/)
    }))
  it.effect("draws at most ten times a second of the run", () =>
    Effect.gen(function*() {
      const events = Array.from({ length: 1000 }, (_, i) => ({ ...progress, wall_seconds: i / 1000 }))
      const output = yield* show(events, { tty: true, chunk: 1 })
      assert.isAtMost(output.split("\r").length, 11)
    }))
  it.effect("has color only where color is", () =>
    Effect.gen(function*() {
      // oxlint-disable-next-line no-control-regex
      const color = /\x1b\[\d*m/
      assert.notMatch(yield* show(wholeRun, { tty: true, color: false }), color)
      assert.match(yield* show(wholeRun, { tty: true, color: true }), color)
    }))
  it.effect("leaves the prompt a line of its own when the run is cut short", () =>
    Effect.gen(function*() {
      const output = yield* show([started, progress], { tty: true })
      assert.isTrue(output.endsWith("\n"))
      assert.match(screen(output).at(-2)!, /█|░/)
    }))
  it.effect("the bar runs to the threshold, the steps, or from where returns below zero begin", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* percent([started, at(95, 200)], 475), "20")
      assert.strictEqual(yield* percent([started, at(null, 5000)], 475), "25")
      assert.strictEqual(yield* percent([started, at(400, 5000)], null), "25")
      assert.strictEqual(yield* percent([started, at(-500, 0), at(-250, 1, 2)], -100), "62")
    }))
  it.effect("writes control characters of what it is told as escapes", () =>
    Effect.gen(function*() {
      const output = yield* show([{ event: "notice", message: "a\x1b[2Jb\nc" }], { tty: true })
      assert.strictEqual(output, "a\\x1b[2Jb\\nc\n")
    }))
  it.effect("counts restarts that come all at once", () =>
    Effect.gen(function*() {
      const output = yield* show(Array.from({ length: 12 }, () => restarted), { tty: false, chunk: 12 })
      assert.strictEqual(output.trimEnd().split("\n").length, 6)
      assert.include(output, "and 7 more actor events")
    }))
})

describe("--quiet and --json", () => {
  it.effect("quiet is the last line alone", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* show(wholeRun, { tty: true, quiet: true }), `${Table.finalLine(finished)}\n`)
      assert.strictEqual(yield* show([started, progress], { tty: true, quiet: true }), "")
    }))
  it.effect("json is an event a line and nothing else", () =>
    Effect.gen(function*() {
      const { writes, terminal } = recorder(80)
      const reporter = yield* Effect.provideService(JsonLines.reporter, Terminal.Terminal, terminal)
      yield* consume(Stream.rechunk(Stream.fromIterable(wholeRun), 16), [reporter])
      assert.strictEqual(writes.join(""), wholeRun.map((event) => `${toJsonLine(event)}\n`).join(""))
      assert.isBelow(writes.length, wholeRun.length / 8)
    }))
})
