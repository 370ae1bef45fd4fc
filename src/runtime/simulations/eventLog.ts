/**
 * Single events as lines of JSON: `events.jsonl`. They are told by a second world that is run beside, event by event, up to
 * where the simulation is, so that they are the same on any number of hosts; this costs what one host alone costs, and more.
 */
import * as Effect from "effect/Effect"
import { isTypedArray } from "node:util/types"
import { attempt } from "../../simulation/attempt.ts"
import { history, type ToldEvent } from "../../simulation/Difference.ts"
import type { World } from "../../simulation/World.ts"
import * as SimulationFolder from "./SimulationFolder.ts"

/** Lines that are written together. */
const block = 1000

/** Plain data as JSON: what JSON has no word for is text. */
export const jsonValue = (_: string, value: unknown): unknown =>
  typeof value === "bigint" || (typeof value === "number" && !Number.isFinite(value))
    ? String(value)
    : isTypedArray(value)
    ? Array.from<number | bigint>(value)
    : value

export const lineOf = (event: ToldEvent & { readonly before: number }): string =>
  `${JSON.stringify(event, jsonValue)}\n`

/** Lets the world come to so many events, and writes them down. */
export const writeEvents = Effect.fnUntraced(
  function*(folder: SimulationFolder.SimulationFolder, world: World, events: number) {
    const told = history(world.engine, events)
    for (;;) {
      const lines = yield* attempt(() => {
        const lines: Array<string> = []
        while (lines.length < block) {
          const { done, value } = told.next()
          if (done === true) break
          lines.push(lineOf(value))
        }
        return lines
      })
      if (lines.length > 0) yield* SimulationFolder.appendEvents(folder, lines.join(""))
      if (lines.length < block) return
    }
  }
)
