/**
 * What it costs to hand something over to another thread and back: `node bench/handOvers.ts`. One actor in a thread is asked
 * again and again; the links count how long each message lies until it is heard, by what its hearer was doing
 * (`src/actors/links/HandOvers.ts`). Both sides work for some microseconds a message, as trainer and worker do in a run.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { isMainThread } from "node:worker_threads"
import * as Actor from "../src/actors/Actor.ts"
import { ActorSystem } from "../src/actors/ActorSystem.ts"
import * as ActorHost from "../src/actors/hosts/ActorHost.ts"
import * as HandOvers from "../src/actors/links/HandOvers.ts"
import { bundled } from "./bundled.ts"
import { type Figure, figure, isQuick, print, say } from "./report.ts"

/** Computes for so many microseconds. */
const work = (micros: number): void => {
  for (const end = performance.now() + micros / 1000; performance.now() < end;);
}

class Worker extends Actor.make("Worker", {
  protocol: [Actor.Rpc.make("Work", { payload: { micros: Schema.Finite } })]
}) {}

const WorkerBehavior = Worker.behavior(() =>
  Effect.succeed({ handlers: { Work: ({ micros }) => Effect.sync(() => work(micros)) } })
)

const millis = isQuick ? 20 : 1500

/** How one after another is asked, and what lies between. */
const scenes: ReadonlyArray<readonly [row: string, spin: number, micros: number, pause: number]> = [
  ["nothing to do", 200, 0, 0],
  ["20 µs of work on either side", 200, 20, 0],
  ["100 µs of work on either side", 200, 100, 0],
  ["500 µs of work on either side", 200, 500, 0],
  ["20 µs of work, nobody spins", 0, 20, 0],
  ["100 µs of work, nobody spins", 0, 100, 0],
  ["nothing to do, every 5 ms", 200, 0, 5]
]

const measure = (entry: URL, [row, spin, micros, pause]: (typeof scenes)[number]) =>
  Effect.gen(function*() {
    const handOvers = HandOvers.make()
    const before = process.cpuUsage()
    const rounds = yield* Effect.gen(function*() {
      const worker = yield* ActorSystem.spawn(Worker, {})
      yield* worker.Work({ micros: 0 })
      const began = performance.now()
      let rounds = 0
      for (; performance.now() - began < millis; rounds++) {
        yield* worker.Work({ micros })
        work(micros)
        if (pause > 0) yield* Effect.sleep(pause)
      }
      return [rounds, performance.now() - began] as const
    }).pipe(
      Effect.scoped,
      Effect.provide(ActorSystem.layerThread({ entry, handOvers, spin: `${spin} micros` }))
    )
    const { system, user } = process.cpuUsage(before)
    const [count, took] = rounds
    const figures: Array<Figure> = [
      figure("Hand-overs between two threads, a round", row, "round", "us", took * 1000 / count),
      figure("Hand-overs between two threads, a round", row, "processor", "us", (system + user) / count)
    ]
    for (const { count: heard, micros, side, way } of HandOvers.read(handOvers)) {
      // A few at the beginning and the end say nothing.
      if (heard < count / 50) continue
      const column = `${side === "host" ? "there" : "back"}, ${way}`
      const share = `${row} (${Math.round(100 * heard / count)} %)`
      say(`  ${column}: ${share} ${micros.toFixed(1)} µs`)
      figures.push(figure("How long a message lay, by what its hearer did", row, column, "us", micros))
    }
    return figures
  })

const program = Effect.gen(function*() {
  const entry = yield* bundled(import.meta.filename)
  const figures: Array<Figure> = []
  for (const scene of scenes) {
    say(`hand-overs: ${scene[0]}`)
    figures.push(...(yield* measure(entry, scene)))
  }
  print(figures)
}).pipe(Effect.scoped)

if (isMainThread && process.argv[2] !== "troupe-host") await Effect.runPromise(program)
else ActorHost.launch([WorkerBehavior])
