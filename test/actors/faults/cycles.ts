/** Spawning and stopping over and over, and what a process holds before and after. */
import * as Effect from "effect/Effect"
import { ActorSystem } from "../../../src/actors/ActorSystem.ts"
import type { Placement } from "../../../src/actors/Placement.ts"
import { Tally, TallyBehavior } from "../fixtures/tally.ts"
import { runner } from "../placements.ts"

const entry = new URL("../fixtures/tally.host.ts", import.meta.url)

const layer = (placement: Placement) => {
  switch (placement) {
    case "fiber":
      return ActorSystem.layerFiber([TallyBehavior])
    case "thread":
      return ActorSystem.layerThread({ entry })
    case "process":
      return ActorSystem.layerProcess({ entry })
    case "runner":
      return runner({ entry })
  }
}

/** What this process holds. Memory in MiB, after a collection where one can be asked for. */
export interface Holdings {
  readonly heap: number
  readonly resident: number
  /** Of every kind but timers of the test runner. */
  readonly handles: ReadonlyArray<string>
  readonly listeners: number
}

const holdings = (): Holdings => {
  globalThis.gc?.()
  globalThis.gc?.()
  const { heapUsed, rss } = process.memoryUsage()
  const mebibytes = (bytes: number) => Math.round(bytes / 1024 / 102.4) / 10
  return {
    heap: mebibytes(heapUsed),
    resident: mebibytes(rss),
    handles: process.getActiveResourcesInfo().filter((name) => name !== "Timeout" && name !== "Immediate").toSorted(),
    listeners: process.eventNames().reduce((sum, name) => sum + process.listenerCount(name), 0)
  }
}

/** So many lives of an actor, ten to a system; every fifth is killed in between. */
export const cycles = (placement: Placement, count: number) =>
  Effect.gen(function*() {
    const ten = Effect.gen(function*() {
      const system = yield* ActorSystem
      for (let i = 0; i < 10; i++) {
        yield* Effect.scoped(Effect.gen(function*() {
          const tally = yield* system.spawn(Tally, { config: { start: i } })
          yield* tally.Add({ n: 1 })
          if (i === 5) yield* system.kill(tally)
          yield* tally.Add({ n: 1 })
        }))
      }
    }).pipe(Effect.provide(layer(placement)))
    const rounds = Math.ceil(count / 10)
    const warmUp = Math.max(1, Math.ceil(rounds / 10))
    for (let i = 0; i < warmUp; i++) yield* ten
    const before = holdings()
    for (let i = warmUp; i < rounds; i++) yield* ten
    return { before, after: holdings() }
  })

/** What is left over beyond noise, in words. */
export const excess = (before: Holdings, after: Holdings): ReadonlyArray<string> => {
  const left: Array<string> = []
  if (after.handles.join() !== before.handles.join()) left.push(`handles ${before.handles} became ${after.handles}`)
  if (after.listeners !== before.listeners) left.push(`listeners ${before.listeners} became ${after.listeners}`)
  // Without a collection the heap says nothing.
  if (globalThis.gc !== undefined && after.heap > before.heap + 4) {
    left.push(`heap ${before.heap} became ${after.heap} MiB`)
  }
  return left
}
