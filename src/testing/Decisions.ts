/**
 * Everything that a simulated run leaves to chance, as decisions with names.
 *
 * Each choice is one of `n`, and 0 is the one without surprise. Its name is a label and how often that label was decided
 * before; so the list of the surprising ones, which is all that is kept, says the whole run, and taking one of them out
 * leaves the others where they are. Decisions are drawn from a seed, or taken from such a list: what is not in it is 0.
 */

/** The `nth` decision (from 0) of a label, where it was not 0. */
export interface Decision {
  readonly label: string
  readonly nth: number
  readonly value: number
}

export class Decisions {
  /** The surprising ones so far. */
  readonly made: Array<Decision> = []
  private readonly counts = new Map<string, number>()
  private readonly script: ReadonlyMap<string, ReadonlyMap<number, number>> | undefined
  private state: number

  constructor(seed: number, script?: ReadonlyArray<Decision>) {
    this.state = Math.imul(seed, 0x9e3779b1) ^ Math.floor(seed / 0x1_0000_0000)
    this.script = script === undefined ? undefined : byLabel(script)
  }

  /** One of 0 to n - 1. */
  choose(n: number, label: string): number {
    if (n <= 1) return 0
    const nth = this.counts.get(label) ?? 0
    this.counts.set(label, nth + 1)
    const value = this.script === undefined ? this.draw() % n : this.script.get(label)?.get(nth) ?? 0
    if (value === 0 || value >= n) return 0
    this.made.push({ label, nth, value })
    return value
  }

  /** True once in `n` times. */
  chance(n: number, label: string): boolean {
    return this.choose(n, label) === n - 1
  }

  /** A number below 2^32: mulberry32. */
  private draw(): number {
    let t = this.state = (this.state + 0x6d2b79f5) | 0
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return (t ^ (t >>> 14)) >>> 0
  }
}

const byLabel = (script: ReadonlyArray<Decision>): ReadonlyMap<string, ReadonlyMap<number, number>> => {
  const labels = new Map<string, Map<number, number>>()
  for (const { label, nth, value } of script) {
    const values = labels.get(label) ?? new Map<number, number>()
    labels.set(label, values.set(nth, value))
  }
  return labels
}

/** `label#nth=value; ...`: what is printed, and read back. */
export const format = (decisions: ReadonlyArray<Decision>): string =>
  decisions.map(({ label, nth, value }) => `${label}#${nth}=${value}`).join("; ")

/** Reads what `format` wrote; throws a sentence where it cannot. */
export const parse = (text: string): ReadonlyArray<Decision> =>
  text.split(";").map((part) => part.trim()).filter((part) => part !== "").map((part) => {
    const [, label, nth, value] = /^(.+)#(\d+)=(\d+)$/.exec(part) ?? []
    if (label === undefined) throw new TypeError(`"${part}" is no decision: give label#nth=value, with ; between them`)
    return { label, nth: Number(nth), value: Number(value) }
  })
