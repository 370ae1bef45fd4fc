/** The verb `simulate`: its folder, its last line, resume, rewind and fork, experiments, and what is refused. */
import { assert } from "@effect/vitest"
import { Effect, FileSystem } from "effect"
import * as path from "node:path"
import { fileURLToPath } from "node:url"
import { estimate, studentT } from "../src/runtime/simulations/estimates.ts"
import { live, temporary, troupe } from "./program.ts"

const bank = fileURLToPath(new URL("../examples/simulations/bank.ts", import.meta.url))
const faulty = fileURLToPath(new URL("simulation/fixtures/faulty.ts", import.meta.url))
const town = fileURLToPath(new URL("simulation/fixtures/town.ts", import.meta.url))

const events = (stdout: string): ReadonlyArray<Record<string, unknown>> =>
  stdout.trim().split("\n").map((line) => JSON.parse(line))

const last = (stdout: string) => events(stdout).at(-1)!

live(
  "writes a folder, and comes to the same end rewound, resumed, and elsewhere when forked",
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const cwd = yield* temporary
    const args = ["simulate", bank, "--set", "customers=50", "--seed", "1", "--until", "480"]
    const straight = yield* troupe(cwd, [...args, "--json", "--agents"])
    assert.strictEqual(straight.code, 0, straight.stderr)
    const finished = last(straight.stdout)
    assert.strictEqual(events(straight.stdout).filter(({ event }) => event === "series").length, 50)
    const folder = path.join(cwd, String(finished["folder"]))
    const read = (name: string) => fs.readFileString(path.join(folder, name))
    const csv = yield* read("series.csv")
    assert.strictEqual(csv.trim().split("\n").length, 51)
    assert.include(yield* read("series.svg"), "<svg")
    const parquet = yield* fs.readFile(path.join(folder, "series.parquet"))
    assert.strictEqual(new TextDecoder().decode(parquet.subarray(0, 4)), "PAR1")
    assert.include(yield* fs.readDirectory(path.join(folder, "checkpoints")), "96.ckpt")

    yield* fs.remove(path.join(folder, "series.csv"))
    const resumed = yield* troupe(cwd, ["simulate", bank, "--resume", folder, "--rewind", "150.5", "--json"])
    assert.strictEqual(resumed.code, 0, resumed.stderr)
    assert.strictEqual(last(resumed.stdout)["state_sha256"], finished["state_sha256"])
    assert.strictEqual(yield* read("series.csv"), csv)

    const forked = yield* troupe(
      cwd,
      ["simulate", bank, "--resume", folder].concat("--rewind 96 --fork --set clerks=2 --json".split(" "))
    )
    assert.strictEqual(forked.code, 0, forked.stderr)
    assert.notStrictEqual(last(forked.stdout)["state_sha256"], finished["state_sha256"])
    assert.notStrictEqual(last(forked.stdout)["folder"], finished["folder"])
  })
)

live(
  "repeats and sweeps with intervals, and is one result on any number of hosts",
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const cwd = yield* temporary
    const swept = yield* troupe(
      cwd,
      ["simulate", bank].concat("--replications 4 --sweep clerks=1,2 --set customers=20 --json".split(" "))
    )
    assert.strictEqual(swept.code, 0, swept.stderr)
    const settings = events(swept.stdout).filter(({ event }) => event === "setting")
    assert.deepStrictEqual(settings.map(({ setting }) => setting), ["clerks=1", "clerks=2"])
    const { folder, runs } = last(swept.stdout)
    assert.strictEqual(runs, 8)
    const table = yield* fs.readFileString(path.join(cwd, String(folder), "replications.csv"))
    assert.strictEqual(table.trim().split("\n").length, 9)

    const shas = yield* Effect.forEach(
      [["--hosts", "1"], ["--hosts", "2", "--placement", "fiber", "--chaos", "2"]],
      (layout) =>
        Effect.map(
          troupe(cwd, ["simulate", town, "--until", "10", "--no-run-folder", "--json", ...layout]),
          ({ stdout }) => last(stdout)["state_sha256"]
        )
    )
    assert.match(String(shas[0]), /^[0-9a-f]{64}$/)
    assert.strictEqual(shas[0], shas[1])
  })
)

live(
  "goes on after kill -9 to the same end, with the same log of events, and tells where two simulations part",
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const cwd = yield* temporary
    const args = ["simulate", town, "--until", "24", "--seed", "7", "--events", "--json"]
    const straight = yield* troupe(cwd, [...args, "--every", "2"])
    assert.strictEqual(straight.code, 0, straight.stderr)
    const folderOf = (stdout: string) => path.join(cwd, String(events(stdout)[0]!["folder"]))
    const one = folderOf(straight.stdout)

    const layout = ["--hosts", "2", "--placement", "fiber", "--every", "2", "--checkpoint-every", "4"]
    const killed = yield* troupe(cwd, [...args, ...layout], {
      onOutput: (stdout, kill) => {
        if (stdout.split(`"event":"series"`).length > 6) kill("SIGKILL")
      }
    })
    assert.strictEqual(killed.code, null)
    const other = folderOf(killed.stdout)
    // As a process that dies amid a line leaves it.
    yield* fs.writeFileString(path.join(other, "events.jsonl"), `{"before":99`, { flag: "a" })
    const resumed = yield* troupe(cwd, ["simulate", town, "--resume", other, "--events", "--json", "--every", "2"])
    assert.strictEqual(resumed.code, 0, resumed.stderr)
    assert.strictEqual(last(resumed.stdout)["state_sha256"], last(straight.stdout)["state_sha256"])
    for (const name of ["series.csv", "events.jsonl"]) {
      assert.strictEqual(
        yield* fs.readFileString(path.join(other, name)),
        yield* fs.readFileString(path.join(one, name)),
        name
      )
    }
    const log = events(yield* fs.readFileString(path.join(one, "events.jsonl")))
    assert.isAbove(log.length, 200)
    assert.containsAllKeys(log[0], ["before", "time", "priority", "sender", "count", "receiver", "what"])

    const same = yield* troupe(cwd, ["diff", town, one, other])
    assert.deepStrictEqual([same.code, same.stdout], [0, "No event differs up to time 24.\n"])
    const fork = ["simulate", town, "--resume", one, "--rewind", "9", "--fork", "--seed", "8", "--json"]
    const forked = folderOf((yield* troupe(cwd, fork)).stdout)
    const differ = yield* troupe(cwd, ["diff", town, one, forked, "--json"])
    assert.strictEqual(differ.code, 1)
    const { common, first, until } = last(differ.stdout)
    assert.strictEqual(until, 24)
    assert.isAtLeast(Number(common), log.filter(({ time }) => Number(time) < 9).length)
    assert.isAtLeast((first as { readonly time: number }).time, 9)
  })
)

live(
  "keeps how a simulation without an end of its own has ended",
  Effect.gen(function*() {
    const cwd = yield* temporary
    const folders = yield* Effect.forEach(["1", "2"], (seed) =>
      Effect.map(
        troupe(cwd, ["simulate", bank, "--seed", seed, "--json"]),
        ({ stdout }) => path.join(cwd, String(last(stdout)["folder"]))
      ))
    const differ = yield* troupe(cwd, ["diff", bank, ...folders])
    assert.strictEqual(differ.code, 1, differ.stderr)
    assert.match(differ.stdout, /^\d+ events are the same\. Then\n/)
  })
)

live(
  "refuses in one sentence, and leaves nothing behind",
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const cwd = yield* temporary
    const refused = (code: number, words: string, ...args: ReadonlyArray<string>) =>
      Effect.map(troupe(cwd, ["simulate", ...args]), (outcome) => {
        assert.include(outcome.stderr, words)
        assert.strictEqual(outcome.stderr.trim().split("\n").length, 1, outcome.stderr)
        assert.strictEqual(outcome.code, code, words)
      })
    yield* refused(2, "There is no file nothing.ts", "nothing.ts")
    yield* refused(2, `Expected number at ["clerks"]`, bank, "--set", "clerks=x")
    yield* refused(1, "give an integer of at least 1", bank, "--set", "clerks=0")
    yield* refused(2, "--rewind goes with --resume", bank, "--rewind", "3")
    yield* refused(2, "config.json cannot be read", bank, "--resume", "nowhere")
    yield* refused(2, "--events are written into the folder", bank, "--events", "--no-run-folder")
    yield* refused(
      1,
      "failed in its handler of Go: no bread",
      faulty,
      "--set",
      "what=throw",
      "--until",
      "9",
      "--every",
      "5",
      "--quiet"
    )
    // The last has made the folder of its runs, and left none in it.
    assert.deepStrictEqual(yield* fs.readDirectory(cwd), ["runs"])
    assert.deepStrictEqual(yield* fs.readDirectory(path.join(cwd, "runs")), [])
  })
)

live(
  "knows Student's t",
  Effect.sync(() => {
    for (const [degrees, t] of [[1, 12.7062], [10, 2.22814], [11, 2.20099], [29, 2.04523], [99, 1.98422]] as const) {
      assert.approximately(studentT(degrees), t, 2e-4)
    }
    assert.deepInclude(estimate([1, 2, 3]), { n: 3, mean: 2, deviation: 1 })
    assert.approximately(estimate([1, 2, 3]).high, 2 + 4.30265 / Math.sqrt(3), 1e-12)
  })
)
