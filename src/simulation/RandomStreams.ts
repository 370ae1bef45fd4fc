/**
 * A random stream for each agent, in flat words: four 32-bit words a stream, in one array, so that a million agents are 16
 * megabytes and a copy of the words is a snapshot. The generator is sfc32 (Chris Doty-Humphrey, PractRand), seeded from the
 * simulation's seed and the agent's number; a stream begins at its first draw.
 *
 * Which agent draws is said by `at`; the draws have the names of NumPy's `Generator`, and normal and exponential variates
 * come from the same tables (Marsaglia and Tsang's ziggurat). No elementary function of the engine is used.
 */
import { SeedSequence } from "../random/SeedSequence.ts"
import * as exponential from "../random/ziggurat-exponential.ts"
import * as normal from "../random/ziggurat-normal.ts"
import { rareExponential, rareNormal } from "../random/ziggurat.ts"

const twoToMinus32 = 2.3283064365386963e-10
const twoToMinus53 = 1.1102230246251565e-16

/** 32-bit words of a stream. */
export const wordsPerStream = 4

/** Rounds after which a seed's bits have reached every word. */
const warmUp = 15

/** First number of the spawn key of what simulations draw: apart from all that a training draws from the same seed. */
const simulationRole = 9

/** A draw that has no answer is a fault of the model: told with the words that follow the agent's name. */
export type Refuse = (problem: string) => never

const keyOf = (seed: number | bigint): Uint32Array =>
  new SeedSequence(seed, { spawnKey: [simulationRole] }).generateState32(wordsPerStream)

/** What is drawn, for whichever agent `at` says. */
export class RandomStreams {
  /** The streams' words, by place. */
  words: Uint32Array<ArrayBuffer>
  /** The place of the stream that is drawn from. */
  at = 0

  #key: Uint32Array
  readonly #refuse: Refuse
  /** Whose stream it is, by place: what a stream begins with. */
  #numbers: Float64Array

  constructor(seed: number | bigint, numbers: Float64Array, refuse: Refuse) {
    this.#key = keyOf(seed)
    this.words = new Uint32Array(numbers.length * wordsPerStream)
    this.#numbers = numbers
    this.#refuse = refuse
  }

  /** Makes room for as many streams as there are numbers. */
  grow(numbers: Float64Array): void {
    const grown = new Uint32Array(numbers.length * wordsPerStream)
    grown.set(this.words)
    this.words = grown
    this.#numbers = numbers
  }

  /** No stream was ever drawn from. */
  clear(numbers: Float64Array): void {
    this.words = new Uint32Array(numbers.length * wordsPerStream)
    this.#numbers = numbers
  }

  /** The stream at a place is as if never drawn from. */
  reset(place: number): void {
    const { words } = this
    const at = place * wordsPerStream
    for (let i = 0; i < wordsPerStream; i++) words[at + i] = 0
  }

  /** A copy of a stream's words; `undefined` where it was never drawn from. */
  wordsAt(place: number): Uint32Array<ArrayBuffer> | undefined {
    const words = this.words.slice(place * wordsPerStream, (place + 1) * wordsPerStream)
    return words.some((word) => word !== 0) ? words : undefined
  }

  setWords(place: number, words: Uint32Array): void {
    this.words.set(words, place * wordsPerStream)
  }

  /** What a stream begins with. */
  firstWords(number: number): Uint32Array<ArrayBuffer> {
    const words = new Uint32Array(wordsPerStream)
    this.#begin(words, 0, number)
    return words
  }

  /** Streams that begin from now on are those of another seed. */
  reseed(seed: number | bigint): void {
    this.#key = keyOf(seed)
  }

  /** 32 bits, as a signed integer. */
  #next(): number {
    const words = this.words
    const at = this.at * wordsPerStream
    let a = words[at]!
    let b = words[at + 1]!
    let c = words[at + 2]!
    let counter = words[at + 3]!
    if (counter === 0 && (a | b | c) === 0) {
      this.#begin(words, at, this.#numbers[this.at]!)
      a = words[at]!
      b = words[at + 1]!
      c = words[at + 2]!
      counter = words[at + 3]!
    }
    const out = (a + b + counter) | 0
    words[at + 3] = counter + 1
    words[at] = b ^ (b >>> 9)
    words[at + 1] = c + (c << 3)
    words[at + 2] = ((c << 21) | (c >>> 11)) + out
    return out
  }

  #begin(words: Uint32Array, at: number, number: number): void {
    const low = number >>> 0
    const high = Math.floor(number * twoToMinus32) >>> 0
    const key = this.#key
    let a = (key[0]! ^ low) | 0
    let b = (key[1]! ^ high) | 0
    let c = (key[2]! ^ Math.imul(low, 0x9e3779b1)) | 0
    let counter = 1
    for (let i = 0; i < warmUp; i++) {
      const out = (a + b + counter) | 0
      counter++
      a = b ^ (b >>> 9)
      b = (c + (c << 3)) | 0
      c = (((c << 21) | (c >>> 11)) + out) | 0
    }
    words[at] = a
    words[at + 1] = b
    words[at + 2] = c
    words[at + 3] = counter + key[3]!
  }

  /** Uniform in [0, 1), 53 bits. */
  random(): number {
    const high = this.#next() >>> 5
    return (high * 67108864 + (this.#next() >>> 6)) * twoToMinus53
  }

  /** Uniform in [low, high). */
  uniform(low: number, high: number): number {
    return low + (high - low) * this.random()
  }

  /** True with this probability. */
  bernoulli(probability: number): boolean {
    return this.random() < probability
  }

  /** A uniform integer in [low, high), at most 2^32 of them, by Lemire's method (2019). */
  integers(low: number, high: number): number {
    const count = high - low
    if (!(count >= 1 && count <= 4294967296) || !Number.isSafeInteger(low) || !Number.isSafeInteger(high)) {
      this.#refuse(`draws an integer from [${low}, ${high}): give integers with low < high, at most 2^32 apart`)
    }
    let word = this.#next() >>> 0
    if (count === 4294967296) return low + word
    let leftover = Math.imul(word, count) >>> 0
    if (leftover < count) {
      const threshold = (4294967296 - count) % count
      while (leftover < threshold) {
        word = this.#next() >>> 0
        leftover = Math.imul(word, count) >>> 0
      }
    }
    return low + Math.round((word * count - leftover) * twoToMinus32)
  }

  /** One of the entries. */
  choice<T>(entries: ReadonlyArray<T>): T {
    if (entries.length === 0) this.#refuse("draws one of no entries: ask for the length first")
    return entries[this.integers(0, entries.length)]!
  }

  /** Puts the entries in random order, in place, and answers them. */
  shuffle<A extends { readonly length: number; [index: number]: unknown }>(entries: A): A {
    for (let i = entries.length - 1; i > 0; i--) {
      const j = this.integers(0, i + 1)
      const entry = entries[i]
      entries[i] = entries[j]
      entries[j] = entry
    }
    return entries
  }

  /** An exponential variate of the given mean. */
  exponential(mean = 1): number {
    if (!(mean >= 0)) this.#refuse(`draws an exponential variate of mean ${mean}: give a mean of at least 0`)
    for (;;) {
      const low = this.#next()
      const high = this.#next() >>> 0
      const layer = (low >>> 3) & 0xff
      const magnitude = high * 2097152 + (low >>> 11)
      const x = magnitude * exponential.width[layer]!
      if (magnitude < exponential.inside[layer]!) return x * mean
      const rare = rareExponential(layer, x, this)
      if (rare !== undefined) return rare * mean
    }
  }

  /** A normal variate. */
  normal(mean = 0, deviation = 1): number {
    if (!(deviation >= 0)) this.#refuse(`draws a normal variate of deviation ${deviation}: give one of at least 0`)
    return mean + deviation * this.#standardNormal()
  }

  #standardNormal(): number {
    for (;;) {
      const low = this.#next()
      const high = this.#next()
      const layer = low & 0xff
      const magnitude = (high & 0x1fffffff) * 8388608 + (low >>> 9)
      const x = (low & 0x100) === 0 ? magnitude * normal.width[layer]! : -(magnitude * normal.width[layer]!)
      if (magnitude < normal.inside[layer]!) return x
      const rare = rareNormal(layer, x, low, this)
      if (rare !== undefined) return rare
    }
  }

  /** A Poisson variate of the given mean, at most 700: counts exponential gaps. */
  poisson(mean: number): number {
    if (!(mean >= 0 && mean <= 700)) this.#refuse(`draws a Poisson variate of mean ${mean}: give one from 0 to 700`)
    let count = -1
    for (let sum = 0; sum <= mean; count++) sum += this.exponential()
    return count
  }
}
