/**
 * The agents of a host, as rows of flat columns. An agent's number is its share and how many were born there before it, so
 * it is the same on every host; its place is the row where it lies here, which another takes when it has died.
 */
import type { Tally } from "./Tally.ts"

/** Agents are numbered by share, and within a share by birth: so many have room. */
const birthsPerShare = 4294967296
/** Its inverse, exactly: a product is quicker than a quotient. */
const sharesPerBirth = 2.3283064365386963e-10

export const numberOf = (share: number, birth: number): number => share * birthsPerShare + birth
export const shareOf = (number: number): number => Math.floor(number * sharesPerBirth)
export const birthOf = (number: number): number => number - shareOf(number) * birthsPerShare

/** The place of no agent. */
export const nowhere = -1

/** Births whose places are kept together, and forgotten together when all have died. */
const chunkSize = 256

/** What is known of a share on its host. */
export class Share {
  readonly index: number
  /** The living, by kind, in order of birth. */
  readonly members: Array<Set<number> | undefined> = []
  readonly counts = new Map<string, number>()
  readonly tallies = new Map<string, Tally>()
  /** Places by birth; the last entry of a chunk says how many live. */
  readonly chunks: Array<Int32Array | undefined> = []

  constructor(index: number) {
    this.index = index
  }

  membersOf(kind: number): Set<number> {
    return this.members[kind] ??= new Set()
  }
}

const firstCapacity = 64

/** Places that are remembered, a power of two, and how far shares lie apart among them. */
const recentPlaces = 4096
const sharesApart = 61

export class AgentTable {
  /** By place: the agent's number; -1 where nobody is. */
  numbers = new Float64Array(firstCapacity).fill(-1)
  /** How many events it has sent. */
  counts = new Float64Array(firstCapacity)
  /** Index of its kind. */
  kinds = new Int32Array(firstCapacity)
  /** Its state, or its process. */
  readonly states: Array<unknown> = []
  /** The shares that live here, by their index. */
  readonly shares: Array<Share | undefined>
  /** How many were born in each share: where the share is of another host, in the set-up. */
  readonly born: Float64Array
  /** How many live. */
  living = 0

  /** Whether who is at a place lives; who has just died keeps its place for the rest of its turn. */
  isLiving = new Uint8Array(firstCapacity)
  /** Where agents were found last, by a part of their number: mostly they are still there. */
  readonly #recent = new Int32Array(recentPlaces)

  /** Places of those who died in the event that happens now. */
  readonly #ended: Array<number> = []
  readonly #free: Array<number> = []
  #fresh = 0
  readonly #grown: (numbers: Float64Array) => void

  constructor(shares: Array<Share | undefined>, grown: (numbers: Float64Array) => void) {
    this.shares = shares
    this.born = new Float64Array(shares.length)
    this.#grown = grown
  }

  /** Gives a number its place. */
  add(number: number, kind: number, state: unknown): number {
    const place = this.#free.pop() ?? this.#fresh++
    if (place === this.numbers.length) this.#grow()
    this.numbers[place] = number
    this.counts[place] = 0
    this.kinds[place] = kind
    this.states[place] = state
    this.isLiving[place] = 1
    const birth = birthOf(number)
    const { chunks } = this.shares[shareOf(number)]!
    const chunk = chunks[birth >>> 8] ??= new Int32Array(chunkSize + 1).fill(nowhere, 0, chunkSize)
    chunk[birth & 255] = place
    chunk[chunkSize]!++
    this.living++
    return place
  }

  /** An agent dies: nobody finds it any more. Its place stays its own until `release`, since its turn may not be over. */
  remove(place: number): void {
    const number = this.numbers[place]!
    const share = this.shares[shareOf(number)]!
    const birth = birthOf(number)
    const chunk = share.chunks[birth >>> 8]!
    chunk[birth & 255] = nowhere
    // The chunk that is being filled is needed again.
    if (--chunk[chunkSize]! === 0 && birth >>> 8 < this.born[share.index]! >>> 8) share.chunks[birth >>> 8] = undefined
    this.isLiving[place] = 0
    this.#ended.push(place)
    this.living--
  }

  /** Gives free the places of those who died. */
  release(): void {
    for (let place = this.#ended.pop(); place !== undefined; place = this.#ended.pop()) {
      this.numbers[place] = -1
      this.states[place] = undefined
      this.#free.push(place)
    }
  }

  /** Whether places are to be released. */
  get hasEnded(): boolean {
    return this.#ended.length > 0
  }

  /** Where an agent is; `nowhere` if it is dead, or of another host. */
  find(number: number): number {
    return this.findIn(Math.floor(number * sharesPerBirth), number)
  }

  /** The same of an agent whose share is known. */
  findIn(share: number, number: number): number {
    const birth = number - share * birthsPerShare
    const index = (birth + sharesApart * share) & (recentPlaces - 1)
    const recent = this.#recent[index]!
    if (this.numbers[recent] === number && this.isLiving[recent] === 1) return recent
    const place = this.shares[share]?.chunks[birth >>> 8]?.[birth & 255] ?? nowhere
    if (place !== nowhere) this.#recent[index] = place
    return place
  }

  #grow(): void {
    const capacity = 2 * this.numbers.length
    const numbers = new Float64Array(capacity).fill(-1)
    numbers.set(this.numbers)
    const counts = new Float64Array(capacity)
    counts.set(this.counts)
    const kinds = new Int32Array(capacity)
    kinds.set(this.kinds)
    const isLiving = new Uint8Array(capacity)
    isLiving.set(this.isLiving)
    this.isLiving = isLiving
    this.numbers = numbers
    this.counts = counts
    this.kinds = kinds
    this.#grown(numbers)
  }
}
