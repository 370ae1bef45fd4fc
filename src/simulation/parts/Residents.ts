/** Who is where among numbered places: what a grid's cells and a graph's nodes have in common. */
import * as Schema from "effect/Schema"
import type { AgentRef } from "../Agent.ts"

/** By place: its number, and the agents there in the order of their coming. */
export const SavedResidents = Schema.Array(Schema.Tuple([Schema.Number, Schema.Array(Schema.Number)]))

const nobody: ReadonlyArray<number> = []

export class Residents {
  readonly size: number
  readonly #at: Array<Array<number> | undefined>
  readonly #placeOf = new Map<number, number>()
  /** How many places are empty. */
  empty: number

  constructor(size: number) {
    this.size = size
    this.#at = Array.from({ length: size })
    this.empty = size
  }

  /** Who is there, in the order of their coming. Not to be changed, nor kept. */
  at(place: number): ReadonlyArray<AgentRef> {
    // What was put there were references.
    return (this.#at[place] ?? nobody) as ReadonlyArray<AgentRef>
  }

  isEmpty(place: number): boolean {
    const there = this.#at[place]
    return there === undefined || there.length === 0
  }

  placeOf(agent: number): number | undefined {
    return this.#placeOf.get(agent)
  }

  put(agent: number, place: number): void {
    this.remove(agent)
    const there = this.#at[place] ??= []
    if (there.push(agent) === 1) this.empty--
    this.#placeOf.set(agent, place)
  }

  remove(agent: number): void {
    const place = this.#placeOf.get(agent)
    if (place === undefined) return
    const there = this.#at[place]!
    there.splice(there.indexOf(agent), 1)
    if (there.length === 0) this.empty++
    this.#placeOf.delete(agent)
  }

  save(): typeof SavedResidents.Type {
    return this.#at.flatMap((there, place) =>
      there === undefined || there.length === 0 ? [] : [[place, there] as const]
    )
  }

  /** Throws a `RangeError` where a place does not exist. */
  load(saved: typeof SavedResidents.Type): void {
    this.#at.fill(undefined)
    this.#placeOf.clear()
    this.empty = this.size
    for (const [place, agents] of saved) {
      if (!(Number.isInteger(place) && place >= 0 && place < this.size)) {
        throw new RangeError(`there is no place ${place}`)
      }
      for (const agent of agents) this.put(agent, place)
    }
  }
}
