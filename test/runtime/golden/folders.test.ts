/**
 * Run folders as an earlier version left them: settings, a checkpoint from the middle, the policy, and a recording where
 * the clock decided. Every later version resumes, replays and evaluates them. Their files are never made again: a new
 * format gets folders of its own beside them.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { execFile } from "node:child_process"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { fileURLToPath } from "node:url"

const start = fileURLToPath(new URL("../../../scripts/start.ts", import.meta.url))
const folders = fileURLToPath(new URL("folders/", import.meta.url))
const hashes: Readonly<Record<string, string>> = JSON.parse(
  fs.readFileSync(path.join(folders, "hashes.json"), "utf8")
)

/** A copy that may be written to, as a person has it: `runs/<name>` below a folder that the program is started in. */
const copy = (name: string) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const home = fs.mkdtempSync(path.join(os.tmpdir(), "troupe-golden-"))
      fs.cpSync(path.join(folders, name), path.join(home, "runs", name), { recursive: true })
      return home
    }),
    (home) => Effect.sync(() => fs.rmSync(home, { recursive: true, force: true }))
  )

/** The last line of the program's standard output, as JSON. */
const last = (home: string, ...args: ReadonlyArray<string>) =>
  Effect.callback<Record<string, unknown>, Error>((resume) => {
    const child = execFile(process.execPath, [start, ...args, "--json"], { cwd: home }, (error, stdout, stderr) => {
      if (error !== null) resume(Effect.fail(new Error(`${args.join(" ")}: ${stderr}`)))
      else resume(Effect.succeed(JSON.parse(stdout.trimEnd().split("\n").at(-1)!)))
    })
    return Effect.sync(() => child.kill("SIGKILL"))
  }).pipe(Effect.timeout("60 seconds"))

describe("run folders of earlier versions", () => {
  it("are there", () => assert.isAtLeast(Object.keys(hashes).length, 8))

  for (const [name, hash] of Object.entries(hashes)) {
    const recorded = fs.existsSync(path.join(folders, name, "arrivals.bin"))
    it.live(`go on: ${name}`, () =>
      Effect.gen(function*() {
        const home = yield* copy(name)
        const folder = path.join("runs", name)
        const resumed = yield* last(home, "--resume", folder)
        assert.strictEqual(resumed["event"], "finished")
        // By the clock, what comes after the checkpoint is decided anew.
        if (!recorded) assert.strictEqual(resumed["weights_sha256"], hash)
      }), 120_000)

    if (recorded) {
      it.live(`are repeated: ${name}`, () =>
        Effect.gen(function*() {
          const home = yield* copy(name)
          const replayed = yield* last(home, "--replay", path.join("runs", name))
          assert.strictEqual(replayed["weights_sha256"], hash)
        }), 120_000)
    }

    it.live(`are evaluated: ${name}`, () =>
      Effect.gen(function*() {
        const home = yield* copy(name)
        const evaluated = yield* last(home, "eval", path.join("runs", name), "--episodes", "2")
        assert.strictEqual(evaluated["episodes"], 2)
      }), 120_000)
  }
})
