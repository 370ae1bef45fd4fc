/**
 * The ring and the doorbells, with both sides interleaved at every atomic step: what no test of threads that run as they
 * like comes by. Two threads run the real code and stop before each step; whose is next is drawn from a seed. If both sleep
 * while something is under way, a wake-up was lost.
 */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { Worker } from "node:worker_threads"
import { byteLength } from "../../../src/actors/links/ByteRing.ts"
import { makeBells } from "../../../src/actors/links/Doorbell.ts"
import { Pcg64 } from "../../../src/random/Pcg64.ts"
import { phase, type Plan, type Round, words } from "../fixtures/ringSteps.ts"

const control = new Int32Array(new SharedArrayBuffer(4 * 2 * words.perSide))
/** Where the words of each side begin: the writer's, the reader's. */
const sides = [0, words.perSide] as const

let workers: ReadonlyArray<Worker> = []

beforeAll(() => {
  const open = (side: Plan["side"]) =>
    new Worker(new URL("../fixtures/ringSide.ts", import.meta.url), { workerData: { side, control } satisfies Plan })
  workers = [open("writer"), open("reader")]
})

afterAll(() => Promise.all(workers.map((worker) => worker.terminate())))

/** Waits until a side stands still, and says where. */
const standing = (side: number): number => {
  const at = side + words.phase
  // Who is held up after saying where it stands notifies late, when it may be on its way again.
  while (Atomics.load(control, at) === phase.running) {
    if (Atomics.wait(control, at, phase.running, 20_000) === "timed-out") {
      throw new Error("a side has not come to its next step")
    }
  }
  return Atomics.load(control, at)
}

const goOn = (side: number): void => {
  Atomics.store(control, side + words.phase, phase.running)
  Atomics.add(control, side + words.go, 1)
  Atomics.notify(control, side + words.go)
}

/** One schedule: what went wrong, if something did. Whoever ran last goes on, unless it is drawn otherwise. */
const run = (seed: number, round: Pick<Round, "careful" | "way">): string | undefined => {
  const random = Pcg64.fromSeed([seed, 11])
  const capacity = 64
  const frames = Array.from({ length: random.integers(2, 7) }, () => random.integers(0, 25))
  const given: Round = {
    ...round,
    frames,
    capacity,
    memory: new SharedArrayBuffer(byteLength(capacity)),
    bells: makeBells()
  }
  for (const side of sides) {
    Atomics.store(control, side + words.phase, phase.running)
    Atomics.store(control, side + words.rung, 0)
  }
  for (const worker of workers) worker.postMessage(given, [])
  let last: number = sides[0]
  for (let steps = 0; steps < 2000; steps++) {
    const able = sides.filter((side) => {
      const where = standing(side)
      return where === phase.beforeAStep || (where === phase.asleep && Atomics.load(control, side + words.rung) === 1)
    })
    const next = able.length === 2 ? (random.integers(0, 3) === 0 ? sides[last === sides[0] ? 1 : 0]! : last) : able[0]
    if (next === undefined) {
      const asleep = sides.filter((side) => standing(side) === phase.asleep)
      if (asleep.length === 0) {
        return sides.some((side) => Atomics.load(control, side + words.wrong) === 1)
          ? `seed ${seed}: spoilt`
          : undefined
      }
      // Nobody will wake them but us: so that the next schedule can begin.
      for (let more = 0; more < 2000 && sides.some((side) => standing(side) !== phase.done); more++) {
        for (const side of sides) if (standing(side) !== phase.done) goOn(side)
      }
      return `seed ${seed}: ${
        asleep.length === 2 ? "both sleep" : "one sleeps, the other is done"
      }, and frames are left`
    }
    if (standing(next) === phase.asleep) Atomics.store(control, next + words.rung, 0)
    goOn(next)
    last = next
  }
  return `seed ${seed}: no end`
}

const first = (count: number, round: Pick<Round, "careful" | "way">): string | undefined => {
  for (let seed = 0; seed < count; seed++) {
    const wrong = run(seed, round)
    if (wrong !== undefined) return wrong
  }
  return undefined
}

describe("a ring and its doorbells, step by step", () => {
  for (const way of ["nap", "wait"] as const) {
    it(`${way}: every frame arrives whole, in order, and nobody sleeps over it`, () => {
      assert.isUndefined(first(400, { way, careful: true }))
    }, 120_000)

    it(`${way}: would find a wake-up that is lost`, () => {
      assert.match(first(300, { way, careful: false }) ?? "", /sleep/)
    }, 120_000)
  }
})
