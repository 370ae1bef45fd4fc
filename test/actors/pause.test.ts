/** Time in which the program did not run is nobody's delay: stopped and let go on, at every phase, in every placement. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { type ChildProcess, spawn } from "node:child_process"
import { createInterface } from "node:readline"
import { setTimeout as sleep } from "node:timers/promises"
import { fileURLToPath } from "node:url"
import { ActorSystem } from "../../src/actors/ActorSystem.ts"
import { runningTime as real } from "../../src/time/runningTime.ts"
import { Sleeper, SleeperBehavior } from "./fixtures/sleeper.ts"

const program = fileURLToPath(new URL("./fixtures/paused.ts", import.meta.url))

/** Stops the program, or with it all it has started (as Ctrl-Z does), and lets it go on. */
const pause = async (child: ChildProcess, millis: number, all: boolean): Promise<void> => {
  const pid = all ? -child.pid! : child.pid!
  try {
    process.kill(pid, "SIGSTOP")
    await sleep(millis)
    process.kill(pid, "SIGCONT")
  } catch {
    // It has ended already, and has said how.
  }
}

const run = async (
  placement: string,
  phase: string,
  pauses: ReadonlyArray<readonly [wait: number, length: number]>,
  all = true
) => {
  const child = spawn(process.execPath, [program, placement, phase], {
    detached: true,
    stdio: ["ignore", "pipe", "inherit"]
  })
  try {
    for await (const line of createInterface({ input: child.stdout })) {
      if (line !== "now") return JSON.parse(line)
      for (const [wait, length] of pauses) {
        await sleep(wait)
        await pause(child, length, all)
      }
    }
    throw new Error("the program said nothing")
  } finally {
    try {
      process.kill(-child.pid!, "SIGKILL")
    } catch {
      // It has ended.
    }
  }
}

const well = { first: 1, incarnation: 1, finished: 1, deaths: [] }

describe.skipIf(process.platform === "win32")("a pause", () => {
  for (const placement of ["fiber", "thread", "process"]) {
    describe(placement, () => {
      it.concurrent("during an ask", async () =>
        assert.deepStrictEqual(await run(placement, "ask", [[100, 3000]]), well))

      it.concurrent("again and again during an ask", async () =>
        assert.deepStrictEqual(await run(placement, "ask", [[100, 700], [100, 700], [100, 700], [100, 1500]]), well))

      it.concurrent("while nobody is asked", async () =>
        assert.deepStrictEqual(await run(placement, "idle", [[100, 3000]]), well))

      it.concurrent("while an actor ends", async () =>
        assert.deepStrictEqual(await run(placement, "grace", [[0, 3000]]), well))
    })
  }

  it.concurrent("while a thread starts", async () =>
    assert.deepStrictEqual(await run("thread", "start", [[20, 5000]]), well))

  it.concurrent("while a process starts", async () =>
    assert.deepStrictEqual(await run("process", "start", [[20, 5000]]), well))

  it.concurrent("of the owner alone, its processes going on", async () =>
    assert.deepStrictEqual(await run("process", "ask", [[100, 3000]], false), well))
})

describe("a clock that is set", () => {
  for (const [how, millis] of [["back", -86_400_000], ["forward", 86_400_000]] as const) {
    it.live(`${how}: a deadline comes when it would have come`, () =>
      Effect.gen(function*() {
        const sleeper = yield* ActorSystem.spawn(Sleeper, {})
        const { now } = Date
        yield* Effect.addFinalizer(() => Effect.sync(() => Date.now = now))
        const began = performance.now()
        const late = yield* Effect.forkChild(Effect.flip(sleeper.Sleep({ millis: 60_000 }, { deadline: "1 second" })), {
          startImmediately: true
        })
        yield* Effect.sleep(100)
        Date.now = () => now() + millis
        assert.strictEqual((yield* Fiber.join(late))._tag, "AskTimeout")
        assert.isAtLeast(performance.now() - began, 990)
        assert.isBelow(performance.now() - began, 10_000)
      }).pipe(Effect.scoped, Effect.provide(ActorSystem.layerFiber([SleeperBehavior]))))
  }
})

/** Blocks this thread for so much of its processor's time, which on a busy machine takes longer. */
const compute = (millis: number): void => {
  const usage = () => process.threadCpuUsage?.() ?? process.cpuUsage()
  const end = usage().user + millis * 1000
  while (usage().user < end);
}

describe("the time of a real event loop", () => {
  it("counts what this thread computes, which is its own doing", async () => {
    const began = real.now()
    await new Promise((resolve) => {
      real.after(100, resolve)
      compute(600)
    })
    assert.isAtLeast(real.now() - began, 550)
  })

  it("leaves out what it was blocked for without computing", async () => {
    const began = real.now()
    await new Promise((resolve) => {
      real.after(100, resolve)
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1000)
    })
    assert.isBelow(real.now() - began, 600)
  })

  it("never comes to an endless wait, and calls off what it is told to", async () => {
    let rung = false
    real.after(Number.POSITIVE_INFINITY, () => rung = true)
    const callOff = real.after(30, () => rung = true)
    await sleep(25)
    callOff()
    await sleep(100)
    assert.isFalse(rung)
  })
})
