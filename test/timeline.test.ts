/** `--trace`: the timeline of real runs, read back. */
import { assert, describe } from "@effect/vitest"
import { Effect, FileSystem, Schema } from "effect"
import { fileURLToPath } from "node:url"
import { fromJson } from "../src/text/json.ts"
import { live, temporary, troupe } from "./program.ts"

const Trace = Schema.Struct({
  traceEvents: Schema.Array(Schema.Struct({
    name: Schema.String,
    ph: Schema.Literals(["X", "i", "s", "f", "M"]),
    pid: Schema.Int,
    tid: Schema.Int,
    ts: Schema.Finite,
    dur: Schema.optionalKey(Schema.Finite.check(Schema.isGreaterThanOrEqualTo(0))),
    id: Schema.optionalKey(Schema.Int),
    args: Schema.optionalKey(Schema.Record(Schema.String, Schema.Union([Schema.String, Schema.Finite])))
  }))
})

const traced = Effect.fnUntraced(function*(args: ReadonlyArray<string>) {
  const fs = yield* FileSystem.FileSystem
  const folder = yield* temporary
  const outcome = yield* troupe(folder, [...args, "--no-run-folder", "--json", "--trace", "trace.json"])
  assert.strictEqual(outcome.code, 0, outcome.stderr)
  const { traceEvents } = yield* Schema.decodeUnknownEffect(fromJson(Trace))(
    yield* fs.readFileString(`${folder}/trace.json`)
  )
  const names = new Map(
    traceEvents.flatMap(({ args, name, pid, tid }) =>
      name === "thread_name" ? [[`${pid} ${tid}`, String(args?.["name"])] as const] : []
    )
  )
  const rows = traceEvents.map((event) => ({ ...event, row: names.get(`${event.pid} ${event.tid}`) }))
  const said: ReadonlyArray<{ readonly event: string; readonly [field: string]: unknown }> = outcome.stdout.trim()
    .split("\n").map((line) => JSON.parse(line))
  return { rows, said }
})

live(
  "a simulation: what its hosts were asked, each in its row",
  Effect.gen(function*() {
    const model = fileURLToPath(new URL("../examples/simulations/phold.ts", import.meta.url))
    const { rows } = yield* traced([
      "simulate",
      model,
      "--set",
      "processes=16",
      "--until",
      "10",
      "--hosts",
      "2",
      "--trace-seconds",
      "60"
    ])
    for (const row of ["simulation/0", "simulation/1"]) {
      assert.isTrue(rows.some((event) => event.row === row && event.name === "Round" && event.ph === "X"), row)
    }
  })
)

const few = ["--n-envs", "4", "--total-timesteps", "2000", "--trace-seconds", "60", "--seed", "1"]

describe("--trace", () => {
  live(
    "has every death, restart and update of a window with two kills once, and arrows that begin and end",
    Effect.gen(function*() {
      const { rows, said } = yield* traced([...few, "--workers", "1", "--chaos", "2"])
      const last = said.at(-1)!
      assert.strictEqual(last["restarts"], 2)
      const actors = rows.filter(({ pid }) => pid === 1)
      const of = (name: string) => actors.filter((event) => event.name.startsWith(name))
      assert.strictEqual(of("update").length, last["updates"])
      assert.strictEqual(of("died: ").length, 2)
      assert.strictEqual(of("restarted").length, 2)
      assert.isTrue([...of("died: "), ...of("restarted")].every(({ row }) => row === "env-worker/0"))
      // One piece of work for every update, however often it was begun anew.
      assert.strictEqual(of("Collect").length, last["updates"])
      // What an actor does lies in its row one after the other.
      const slices = of("Collect").toSorted((a, b) => a.ts - b.ts)
      for (const [i, { dur, ts }] of slices.entries()) {
        assert.isAtMost(ts + dur!, (slices[i + 1]?.ts ?? Infinity) + 0.002)
      }
      const starts = actors.filter(({ ph }) => ph === "s")
      const ends = new Map(actors.filter(({ ph }) => ph === "f").map((event) => [event.id, event]))
      assert.strictEqual(starts.length, ends.size)
      for (const { id, ts } of starts) assert.isAtLeast(ends.get(id)!.ts, ts)
      assert.includeMembers([...new Set(rows.filter(({ pid }) => pid === 2).map(({ row }) => row))], [
        "this thread",
        "thread 0"
      ])
    })
  )

  live(
    "has evaluations, and nothing from before or after its window",
    Effect.gen(function*() {
      const { rows } = yield* traced(["--placement", "fiber", "--n-envs", "10", "--seed", "1", "--trace-seconds", "60"])
      assert.isNotEmpty(rows.filter(({ name }) => name === "evaluation"))
      const { rows: none } = yield* traced([...few, "--trace-from", "1000"])
      assert.isTrue(none.every(({ ph }) => ph === "M"))
    })
  )

  live(
    "is refused where it cannot be, in one sentence",
    Effect.gen(function*() {
      const folder = yield* temporary
      const unwritable = yield* troupe(
        folder,
        [...few, "--no-run-folder", "--trace", "nowhere/trace.json"].filter((arg) =>
          arg !== "--trace-seconds" && arg !== "60"
        )
      )
      assert.strictEqual(unwritable.code, 1)
      assert.match(unwritable.stderr, /^The timeline \S*nowhere\/trace\.json cannot be written: [^\n]*\n$/)
      const alone = yield* troupe(folder, ["--trace-seconds", "3"])
      assert.strictEqual(alone.code, 2)
      assert.match(alone.stderr, /^--trace-from and --trace-seconds go with --trace[^\n]*\n$/)
      const nonsense = yield* troupe(folder, ["--trace", "t.json", "--trace-seconds", "-1"])
      assert.strictEqual(nonsense.code, 2)
    })
  )
})
