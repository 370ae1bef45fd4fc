/**
 * How long an actor is away: `node bench/recovery.ts [--kills 7]` prints, for fibers, threads and processes, with
 * and without a spare, the time from a kill to the next answer: median and slowest, in milliseconds. The actor has committed
 * state, which its successor takes up. The entry is a bundle, minified, and what is compiled of it is kept, as with the entries that
 * ship. Beside them, in the same minute, what Node itself takes from starting an empty thread or process to its first word: on a busy machine compare with that.
 */
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import { fork } from "node:child_process"
import { writeFile } from "node:fs/promises"
import * as module from "node:module"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { parseArgs } from "node:util"
import { Worker } from "node:worker_threads"
import { ActorSystem } from "../src/actors/ActorSystem.ts"
import type { SystemFailure } from "../src/actors/errors.ts"
import * as Supervision from "../src/actors/Supervision.ts"
import { bundled } from "./bundled.ts"
import { Keeper, KeeperBehavior } from "./fixtures/keeper.ts"
import { type Figure, figure, isQuick, print, say } from "./report.ts"

/** Milliseconds from each kill to the next answer; so far apart that a spare has had time to come up. */
const recoveries = (kills: number) =>
  Effect.gen(function*() {
    const system = yield* ActorSystem
    const supervision = Supervision.oneForOne({ maxRestarts: Number.POSITIVE_INFINITY })
    const keeper = yield* system.spawn(Keeper, { supervision })
    const times: Array<number> = []
    for (let i = 1; i <= kills; i++) {
      yield* Effect.sleep(400)
      const start = performance.now()
      yield* system.kill(keeper)
      const total = yield* keeper.Add({ n: 1 })
      times.push(performance.now() - start)
      if (total !== i) return yield* Effect.die(`the total is ${total} after ${i} messages`)
    }
    return times.toSorted((a, b) => a - b)
  }).pipe(Effect.scoped)

/** Milliseconds from starting an empty thread or process to its first word. */
const bare = (start: (heard: () => void) => () => void, times: number) =>
  Effect.gen(function*() {
    const taken: Array<number> = []
    for (let i = 0; i < times; i++) {
      yield* Effect.sleep(400)
      const began = performance.now()
      const end = yield* Effect.callback<() => void>((resume) => {
        const end = start(() => resume(Effect.succeed(end)))
      })
      taken.push(performance.now() - began)
      end()
    }
    return taken.toSorted((a, b) => a - b)
  })

const bareThread = (heard: () => void) => {
  const worker = new Worker(`require("node:worker_threads").parentPort.postMessage(1)`, { eval: true })
  worker.once("message", heard)
  return () => void worker.terminate()
}

const bareProcess = (file: string) => (heard: () => void) => {
  const child = fork(file)
  child.once("message", heard)
  return () => void child.kill("SIGKILL")
}

const program = Effect.gen(function*() {
  const { values } = parseArgs({ options: { kills: { type: "string" } }, strict: false })
  const entry = yield* bundled(join(import.meta.dirname, "fixtures", "keeper.host.ts"))
  // As the command line does: what was compiled for one start is kept for the next.
  const compiled = fileURLToPath(new URL("compiled", entry))
  module.enableCompileCache(compiled)
  process.env["NODE_COMPILE_CACHE"] = compiled
  const cases: ReadonlyArray<readonly [string, Layer.Layer<ActorSystem, SystemFailure>]> = [
    ["fiber", ActorSystem.layerFiber([KeeperBehavior])],
    ["thread", ActorSystem.layerThread({ entry })],
    ["thread, with a spare", ActorSystem.layerThread({ entry, spares: 1 })],
    ["process", ActorSystem.layerProcess({ entry })],
    ["process, with a spare", ActorSystem.layerProcess({ entry, spares: 1 })]
  ]
  const kills = Number(values.kills ?? (isQuick ? 1 : 7))
  const empty = join(fileURLToPath(new URL(".", entry)), "empty.mjs")
  yield* Effect.promise(() => writeFile(empty, "process.send(1)"))
  const figures: Array<Figure> = []
  const note = (row: string, times: ReadonlyArray<number>): void => {
    const table = "From a kill to the next answer"
    figures.push(figure(table, row, "median", "ms", times), figure(table, row, "slowest", "ms", Math.max(...times)))
  }
  for (const [name, layer] of cases) {
    say(`recovery: ${name}`)
    note(name, yield* Effect.provide(recoveries(kills), layer))
  }
  note("Node alone: an empty thread", yield* bare(bareThread, kills))
  note("Node alone: an empty process", yield* bare(bareProcess(empty), kills))
  print(figures)
}).pipe(Effect.scoped)

await Effect.runPromise(program)
