/** What time does to a run: its clock is set while it trains, or it is stopped for a while and goes on. */
import { assert, describe, it } from "@effect/vitest"
import { spawn } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import * as path from "node:path"
import { createInterface } from "node:readline"
import { setTimeout as sleep } from "node:timers/promises"
import { fileURLToPath } from "node:url"

const start = fileURLToPath(new URL("../scripts/start.ts", import.meta.url))

type Event = Readonly<Record<string, unknown>>

interface Options {
  readonly env?: Readonly<Record<string, string>>
  /** Stops the program and all it has started for so many milliseconds, at these events. */
  readonly pauses?: ReadonlyArray<{ readonly at: number; readonly millis: number; readonly all: boolean }>
}

/** The events of a run in a folder of its own. */
const events = async (args: ReadonlyArray<string>, { env = {}, pauses = [] }: Options = {}) => {
  const cwd = mkdtempSync(path.join(tmpdir(), "troupe-time-"))
  const child = spawn(process.execPath, [start, ...args, "--json"], {
    cwd,
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
    detached: true
  })
  let errors = ""
  child.stderr.on("data", (chunk) => errors += chunk)
  try {
    const said: Array<Event> = []
    for await (const line of createInterface({ input: child.stdout })) {
      const event: Event = JSON.parse(line)
      const { all, millis } = pauses.find(({ at }) => at === said.length) ?? { all: true, millis: 0 }
      said.push(event)
      if (millis === 0) continue
      const pid = all ? -child.pid! : child.pid!
      process.kill(pid, "SIGSTOP")
      await sleep(millis)
      process.kill(pid, "SIGCONT")
    }
    const last = said.at(-1)
    assert.propertyVal(last, "event", "finished", errors)
    return { all: said, last: last! }
  } finally {
    try {
      process.kill(-child.pid!, "SIGKILL")
    } catch {
      // It has ended.
    }
    rmSync(cwd, { recursive: true, force: true })
  }
}

const brief = ["--n-envs", "4", "--seed", "3", "--total-timesteps", "40000", "--keep-going", "--log-dir", "runs"]

/** Sets the program's clock by so many milliseconds, two tenths of a second after its start. */
const setting = (millis: number) =>
  `data:text/javascript,const now = Date.now; setTimeout(() => { Date.now = () => now() + ${millis} }, 200).unref()`

describe("a clock that is set", () => {
  for (const [how, millis] of [["back a day", -86_400_000], ["forward a day", 86_400_000]] as const) {
    it.concurrent(`${how}: durations are what they were, and the weights too`, async () => {
      const [plain, set] = await Promise.all([
        events(brief),
        events(brief, { env: { NODE_OPTIONS: `--import "${setting(millis)}"` } })
      ])
      assert.strictEqual(set.last["weights_sha256"], plain.last["weights_sha256"])
      const seconds = set.all.flatMap((event) =>
        typeof event["wall_seconds"] === "number" ? [event["wall_seconds"]] : []
      )
      assert.isAbove(seconds.length, 10)
      assert.deepStrictEqual(seconds, seconds.toSorted((a, b) => a - b))
      assert.isBelow(seconds.at(-1)!, 60)
      assert.isAbove(Number(set.last["steps_per_second"]), 100)
    }, 60_000)
  }
})

describe.skipIf(process.platform === "win32")("a run that is stopped for longer than any deadline, and goes on", () => {
  // The deadline of a piece of work is two and a half times as long.
  const hurried = [...brief, "--collect-deadline", "1"]
  for (const placement of ["fiber", "thread", "process"]) {
    for (const all of [true, false]) {
      it.concurrent(`${placement}, ${all ? "with all it has started" : "alone"}`, async () => {
        const where = [...hurried, "--placement", placement]
        const undisturbed = await events(where)
        const paused = await events(where, {
          pauses: [{ at: 1, millis: 4000, all }, { at: 40, millis: 3500, all }]
        })
        assert.strictEqual(paused.last["weights_sha256"], undisturbed.last["weights_sha256"])
        assert.strictEqual(paused.last["restarts"], 0)
      }, 60_000)
    }
  }
})
