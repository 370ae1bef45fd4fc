import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, layer } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as FileSystem from "effect/FileSystem"
import * as Stream from "effect/Stream"
import type { RunEvent } from "../../../src/runtime/monitoring/RunEvent.ts"
import { folderReporter } from "../../../src/runtime/reporting/folderReporter.ts"
import { metricNames } from "../../../src/runtime/reporting/metrics.ts"
import * as MonitorFile from "../../../src/runtime/reporting/MonitorFile.ts"
import { consume } from "../../../src/runtime/reporting/Reporter.ts"
import * as RunFolder from "../../../src/runtime/reporting/RunFolder.ts"
import { readEvents } from "./readEvents.ts"
import { evaluation, finished, middle, progress, started, wholeRun } from "./syntheticRun.ts"

const startedMillis = Date.UTC(2026, 0, 31, 12, 0, 0)

const makeFolder = Effect.gen(function*() {
  const fs = yield* FileSystem.FileSystem
  return yield* RunFolder.create({
    logDir: yield* fs.makeTempDirectoryScoped(),
    envId: "CartPole-v1",
    preset: "a2c",
    seed: 1,
    rewardThreshold: 475,
    startedMillis,
    config: {}
  })
})

/** Every file of a run folder, checked for form and against the events that were sent. */
const checkFolder = (folder: RunFolder.RunFolder, events: ReadonlyArray<RunEvent>, drawn = true) =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const measured = events.filter(({ event }) => event === "progress" || event === "evaluation")
    const episodes = events.filter((event) => event.event === "episode")

    const csv = yield* fs.readFileString(folder.file("progress.csv"))
    assert.isTrue(csv.endsWith("\n"))
    const [header, ...rows] = csv.trimEnd().split("\n").map((line) => line.split(","))
    assert.deepStrictEqual(header, [...metricNames])
    assert.strictEqual(rows.length, measured.length)
    for (const row of rows) {
      assert.strictEqual(row.length, metricNames.length)
      for (const field of row) assert.isTrue(field === "" || Number.isFinite(Number(field)), field)
    }

    const jsonl = yield* fs.readFileString(folder.file("progress.jsonl"))
    assert.isTrue(jsonl.endsWith("\n") || jsonl === "")
    const objects = jsonl.split("\n").filter((line) => line !== "").map((line) => JSON.parse(line))
    assert.strictEqual(objects.length, measured.length)
    objects.forEach((object, i) => {
      for (const [name, value] of Object.entries(object)) {
        const field = rows[i]![metricNames.findIndex((known) => known === name)]
        assert.strictEqual(field, value === null ? "" : String(value))
      }
    })

    const monitor = yield* fs.readFileString(folder.file("monitor.csv"))
    const [first, second, ...monitorRows] = monitor.trimEnd().split("\n")
    assert.strictEqual(first?.[0], "#")
    assert.deepStrictEqual(JSON.parse((first ?? "").slice(1)), { t_start: startedMillis / 1000, env_id: "CartPole-v1" })
    assert.strictEqual(second, "r,l,t,env_steps")
    assert.deepStrictEqual(
      monitorRows,
      episodes.map((event) =>
        `${event.return},${event.length},${Math.round(event.wall_seconds * 1e6) / 1e6},${event.env_steps}`
      )
    )

    const names = yield* fs.readDirectory(folder.path)
    const eventFiles = names.filter((name) => /^events\.out\.tfevents\.\d{10}\.[^/]+\.\d+\.0$/.test(name))
    assert.strictEqual(eventFiles.length, 1)
    const [version, settings, table, ...rest] = readEvents(yield* fs.readFile(folder.file(eventFiles[0]!)))
    assert.strictEqual(version?.fileVersion, "brain.Event:2")
    const { plugin } = settings!.plugins["_hparams_/session_start_info"]!
    assert.strictEqual(plugin, "hparams")
    assert.strictEqual(table!.plugins["settings"]!.plugin, "text")
    assert.match(table!.plugins["settings"]!.text, /^\| setting \| value \|\n\| --- \| --- \|/)
    for (const name of Object.keys(folder.config)) assert.include(table!.plugins["settings"]!.text, `\n| ${name} | `)
    const tfevents = rest.filter(({ plugins }) => Object.keys(plugins).length === 0)
    const ends = rest.flatMap(({ plugins }) => Object.keys(plugins))
    const over = events.some(({ event }) => event === "finished")
    assert.deepStrictEqual(ends, over ? ["_hparams_/session_end_info"] : [])
    assert.strictEqual(tfevents.length, measured.length)
    tfevents.forEach((event, i) => {
      const finite = Object.entries(objects[i]!).filter(([, value]) => value !== null)
      assert.deepStrictEqual(
        event.scalars,
        Object.fromEntries(finite.map(([name, v]) => [name, Math.fround(Number(v))]))
      )
      assert.strictEqual(event.step, objects[i]!["time/total_timesteps"])
      assert.closeTo(event.wallTime, startedMillis / 1000 + objects[i]!["time/time_elapsed"], 1e-6)
    })

    if (drawn && episodes.length > 0) {
      const svg = yield* fs.readFileString(folder.file("curve.svg"))
      assert.match(svg, /^<svg [\s\S]*<\/svg>$/)
    } else {
      assert.isFalse(names.includes("curve.svg"))
    }
    return objects
  })

layer(NodeServices.layer)("a whole run", (it) => {
  it.effect("is in the folder's files when it has finished, before the scope closes", () =>
    Effect.gen(function*() {
      const folder = yield* makeFolder
      const reporter = yield* folderReporter(folder)
      yield* consume(Stream.fromIterable(wholeRun).pipe(Stream.rechunk(7)), [reporter])
      const objects = yield* checkFolder(folder, wholeRun)
      assert.strictEqual(objects.at(-1)["eval/mean_reward"], evaluation.mean)
      assert.strictEqual(objects[0]["train/entropy_loss"], -progress.entropy!)
      assert.strictEqual(objects[0]["train/n_updates"], 1)
      const read = yield* MonitorFile.read(folder.file("monitor.csv"))
      assert.deepStrictEqual(
        read.returns,
        wholeRun.filter((event) => event.event === "episode").map((event) => event.return)
      )
      assert.deepStrictEqual(
        read.steps,
        wholeRun.filter((event) => event.event === "episode").map((event) => event.env_steps)
      )
    }))

  it.effect("cut short at any event leaves well-formed files with all that was sent", () =>
    Effect.gen(function*() {
      for (const sent of [0, 1, 2, 57, 200]) {
        const events = wholeRun.slice(0, sent)
        const folder = yield* makeFolder
        const seen = yield* Deferred.make<void>()
        const fiber = yield* Effect.gen(function*() {
          const reporter = yield* folderReporter(folder)
          const marked = {
            on: (chunk: ReadonlyArray<RunEvent>) =>
              Effect.andThen(
                reporter.on(chunk.filter(({ event }) => event !== "notice")),
                chunk.some(({ event }) => event === "notice") ? Deferred.succeed(seen, undefined) : Effect.void
              )
          }
          const mark: RunEvent = { event: "notice", message: "all sent" }
          yield* consume(Stream.concat(Stream.fromIterable([...events, mark]), Stream.never), [marked])
        }).pipe(Effect.scoped, Effect.forkChild)
        yield* Deferred.await(seen)
        yield* Fiber.interrupt(fiber)
        // There was no time to draw.
        yield* checkFolder(folder, events, false)
      }
    }))

  it.effect("that fails leaves well-formed files", () =>
    Effect.gen(function*() {
      const folder = yield* makeFolder
      const events = [started, ...middle(3000)]
      const exit = yield* Effect.gen(function*() {
        const reporter = yield* folderReporter(folder)
        yield* consume(Stream.concat(Stream.fromIterable(events), Stream.fail("worker lost")), [reporter])
      }).pipe(Effect.scoped, Effect.exit)
      assert.isTrue(Exit.isFailure(exit))
      yield* checkFolder(folder, events)
    }))

  it.effect("that diverges writes no NaN", () =>
    Effect.gen(function*() {
      const fs = yield* FileSystem.FileSystem
      const folder = yield* makeFolder
      const bad = { ...progress, policy_loss: NaN, value_loss: Infinity, grad_norm: -Infinity, entropy: NaN, fps: NaN }
      const events = [started, bad, { ...evaluation, mean: NaN }, finished]
      yield* Effect.scoped(
        Effect.flatMap(folderReporter(folder), (reporter) => consume(Stream.fromIterable(events), [reporter]))
      )
      const [object] = yield* checkFolder(folder, events)
      assert.isNull(object["train/policy_loss"])
      for (const name of ["progress.csv", "progress.jsonl"]) {
        assert.notMatch(yield* fs.readFileString(folder.file(name)), /NaN|Infinity/)
      }
    }))

  it.effect("resumed in the same folder goes on in the same files", () =>
    Effect.gen(function*() {
      const fs = yield* FileSystem.FileSystem
      const folder = yield* makeFolder
      const part = (events: ReadonlyArray<RunEvent>) =>
        Effect.scoped(
          Effect.flatMap(folderReporter(folder), (reporter) => consume(Stream.fromIterable(events), [reporter]))
        )
      yield* part(wholeRun.slice(0, 300))
      yield* part(wholeRun.slice(300))
      for (const [name, lines] of [["progress.csv", 1 + 101], ["monitor.csv", undefined]] as const) {
        const text = yield* fs.readFileString(folder.file(name))
        assert.strictEqual(text.match(/^(rollout|r,l,t)/gm)?.length, 1)
        if (lines !== undefined) assert.strictEqual(text.trimEnd().split("\n").length, lines)
      }
    }))
})
