/**
 * NumPy's default generator, bit for bit: PCG64 (XSL-RR 128/64) with the draws of `numpy.random.Generator`.
 *
 * The whole state is ten 32-bit words, in memory that the caller may choose: a copy of the words is a snapshot, and the
 * WebAssembly kernels read and advance the same words in shared memory. Nothing is kept elsewhere.
 *
 * M. E. O'Neill, "PCG: A Family of Simple Fast Space-Efficient Statistically Good Algorithms for Random Number
 * Generation" (2014); numpy/random/src/pcg64 and numpy/random/src/distributions.
 */
import type { Entropy } from "./SeedSequence.ts"
import { SeedSequence } from "./SeedSequence.ts"
import * as exponential from "./ziggurat-exponential.ts"
import * as normal from "./ziggurat-normal.ts"
import { rareExponential, rareNormal } from "./ziggurat.ts"

// The multiplier 0x2360ed051fc65da44385df649fccf645, low word first.
const M0 = 0x9fccf645
const M1 = 0x4385df64
const M2 = 0x1fc65da4
const M3 = 0x2360ed05
const multiplier = 0x2360ed051fc65da44385df649fccf645n

const twoToMinus32 = 2.3283064365386963e-10
const twoToMinus53 = 1.1102230246251565e-16
/** Adding and taking away 2^52 rounds a double below it to an integer. */
const twoTo52 = 4503599627370496

/** The 64 bits drawn last: low word, high word. Read at once by the method that drew them. */
const drawn = new Int32Array(2)

/** Word index of the flag that says a 32-bit half is waiting, and of that half. */
const hasHalf = 8
const half = 9

export class Pcg64 {
  /** How many 32-bit words the state takes. */
  static readonly words = 10

  /**
   * The state itself: 128-bit state and 128-bit increment, four words each and low word first, then NumPy's
   * `has_uint32` and `uinteger` (the half of a 64-bit draw that the next 32-bit draw takes).
   */
  readonly state: Uint32Array

  private constructor(state: Uint32Array) {
    if (state.length !== Pcg64.words) {
      throw new RangeError(
        `The state of a Pcg64 is ${Pcg64.words} words, not ${state.length}: give a view of that size.`
      )
    }
    this.state = state
  }

  /** The stream `numpy.random.default_rng(seed)` gives, its state in `into` where given. */
  static fromSeed(seed: Entropy | SeedSequence, into: Uint32Array = new Uint32Array(Pcg64.words)): Pcg64 {
    const generator = new Pcg64(into)
    generator.reseed(seed)
    return generator
  }

  /** A generator that lives in the given ten words and goes on from what they hold. */
  static view(state: Uint32Array): Pcg64 {
    return new Pcg64(state)
  }

  /** Starts the stream of another seed, in the same memory. A waiting 32-bit half is dropped. */
  reseed(seed: Entropy | SeedSequence): void {
    const sequence = seed instanceof SeedSequence ? seed : new SeedSequence(seed)
    const words = sequence.generateState64(4)
    const initialState = (words[0]! << 64n) | words[1]!
    const increment = BigInt.asUintN(128, (((words[2]! << 64n) | words[3]!) << 1n) | 1n)
    // The first step from state 0 leaves the increment; then the seed is added and a second step taken.
    const state = BigInt.asUintN(128, (increment + initialState) * multiplier + increment)
    for (let i = 0; i < 4; i++) {
      this.state[i] = Number((state >> BigInt(32 * i)) & 0xffffffffn)
      this.state[4 + i] = Number((increment >> BigInt(32 * i)) & 0xffffffffn)
    }
    this.state[hasHalf] = 0
    this.state[half] = 0
  }

  /** A copy of this generator in memory of its own. */
  clone(): Pcg64 {
    return new Pcg64(this.state.slice())
  }

  /**
   * state = state * multiplier + increment; 64 bits of output to `drawn`.
   *
   * A 32 x 32 bit product has its low word from `Math.imul`; the high word is what the rounded double product leaves
   * when the low word is taken away, to the nearest integer (the rounding error is below 2^-20 of a unit).
   */
  #advance(): void {
    const words = this.state
    const a0 = words[0]!
    const a1 = words[1]!
    const a2 = words[2]!
    const a3 = words[3]!
    const low00 = Math.imul(a0, M0) >>> 0
    const low01 = Math.imul(a0, M1) >>> 0
    const low10 = Math.imul(a1, M0) >>> 0
    const low02 = Math.imul(a0, M2) >>> 0
    const low11 = Math.imul(a1, M1) >>> 0
    const low20 = Math.imul(a2, M0) >>> 0
    const high00 = ((a0 * M0 - low00) * twoToMinus32 + twoTo52) - twoTo52
    const high01 = ((a0 * M1 - low01) * twoToMinus32 + twoTo52) - twoTo52
    const high10 = ((a1 * M0 - low10) * twoToMinus32 + twoTo52) - twoTo52
    const high02 = ((a0 * M2 - low02) * twoToMinus32 + twoTo52) - twoTo52
    const high11 = ((a1 * M1 - low11) * twoToMinus32 + twoTo52) - twoTo52
    const high20 = ((a2 * M0 - low20) * twoToMinus32 + twoTo52) - twoTo52
    const low3 = (Math.imul(a0, M3) + Math.imul(a1, M2) + Math.imul(a2, M1) + Math.imul(a3, M0)) | 0

    const sum0 = low00 + words[4]!
    const s0 = sum0 >>> 0
    const sum1 = high00 + low01 + low10 + words[5]! + (sum0 - s0) * twoToMinus32
    const s1 = sum1 >>> 0
    const sum2 = high01 + high10 + low02 + low11 + low20 + words[6]! + (sum1 - s1) * twoToMinus32
    const s2 = sum2 >>> 0
    const sum3 = high02 + high11 + high20 + words[7]! + (sum2 - s2) * twoToMinus32
    const s3 = ((sum3 >>> 0) + low3) >>> 0
    words[0] = s0
    words[1] = s1
    words[2] = s2
    words[3] = s3

    // XSL-RR: the halves xored, rotated right by the top six bits.
    const rotation = s3 >>> 26
    const low = s0 ^ s2
    const high = s1 ^ s3
    const right = (rotation & 32) === 0 ? low : high
    const left = (rotation & 32) === 0 ? high : low
    const by = rotation & 31
    // Shifting by 1 and then by 31 - by, because a shift by 32 is none in JavaScript.
    drawn[0] = (right >>> by) | ((left << 1) << (31 - by))
    drawn[1] = (left >>> by) | ((right << 1) << (31 - by))
  }

  /** The next 32 bits: the low half of a 64-bit draw, then its high half. */
  #next32(): number {
    const words = this.state
    if (words[hasHalf] !== 0) {
      words[hasHalf] = 0
      return words[half]!
    }
    this.#advance()
    words[hasHalf] = 1
    words[half] = drawn[1]!
    return drawn[0]! >>> 0
  }

  /** The next 64 bits, in [0, 2^64). */
  randomRaw(): bigint {
    this.#advance()
    return (BigInt(drawn[1]! >>> 0) << 32n) | BigInt(drawn[0]! >>> 0)
  }

  /** Uniform in [0, 1), 53 bits. */
  random(): number {
    this.#advance()
    return ((drawn[1]! >>> 0) * 2097152 + (drawn[0]! >>> 11)) * twoToMinus53
  }

  /** Uniform in [0, 1), 24 bits: half a 64-bit draw. A float32 value. */
  randomFloat32(): number {
    return (this.#next32() >>> 8) * 5.960464477539063e-8
  }

  /** Uniform in [low, high), as `Generator.uniform` computes it. */
  uniform(low: number, high: number): number {
    return low + (high - low) * this.random()
  }

  /**
   * A uniform integer in [low, high), both safe integers, by Lemire's method (2019); ranges up to 2^32 take half a
   * 64-bit draw. Throws a RangeError when there is no integer to draw.
   */
  integers(low: number, high: number): number {
    const range = high - 1 - low
    if (!(range >= 0 && range < 9007199254740992)) {
      throw new RangeError(`There is no integer to draw in [${low}, ${high}): give safe integers with low < high.`)
    }
    if (range === 0) return low
    if (range === 4294967295) return low + this.#next32()
    if (range > 4294967295) return low + this.#bounded64(BigInt(range))
    const count = range + 1
    let word = this.#next32()
    let leftover = Math.imul(word, count) >>> 0
    if (leftover < count) {
      const threshold = (4294967295 - range) % count
      while (leftover < threshold) {
        word = this.#next32()
        leftover = Math.imul(word, count) >>> 0
      }
    }
    // The high word of the product: see #advance.
    return low + (((word * count - leftover) * twoToMinus32 + twoTo52) - twoTo52)
  }

  #bounded64(range: bigint): number {
    const count = range + 1n
    let product = this.randomRaw() * count
    const threshold = (0xffffffffffffffffn - range) % count
    while (BigInt.asUintN(64, product) < threshold) product = this.randomRaw() * count
    return Number(product >> 64n)
  }

  /** A normal variate of mean 0 and variance 1, by NumPy's ziggurat. */
  standardNormal(): number {
    for (;;) {
      this.#advance()
      const low = drawn[0]!
      const layer = low & 0xff
      const magnitude = (drawn[1]! & 0x1fffffff) * 8388608 + (low >>> 9)
      const x = (low & 0x100) === 0 ? magnitude * normal.width[layer]! : -(magnitude * normal.width[layer]!)
      if (magnitude < normal.inside[layer]!) return x
      const rare = rareNormal(layer, x, low, this)
      if (rare !== undefined) return rare
    }
  }

  /** An exponential variate of mean 1, by NumPy's ziggurat. */
  standardExponential(): number {
    for (;;) {
      this.#advance()
      const low = drawn[0]!
      const layer = (low >>> 3) & 0xff
      const magnitude = (drawn[1]! >>> 0) * 2097152 + (low >>> 11)
      const x = magnitude * exponential.width[layer]!
      if (magnitude < exponential.inside[layer]!) return x
      const rare = rareExponential(layer, x, this)
      if (rare !== undefined) return rare
    }
  }

  /** The integers 0 to n - 1 in random order, as `Generator.permutation(n)` shuffles them. n is at most 2^31 - 1. */
  permutation(n: number): Int32Array {
    const order = new Int32Array(n)
    for (let i = 0; i < n; i++) order[i] = i
    for (let i = n - 1; i > 0; i--) {
      const mask = -1 >>> Math.clz32(i)
      let j = this.#next32() & mask
      while (j > i) j = this.#next32() & mask
      const moved = order[j]!
      order[j] = order[i]!
      order[i] = moved
    }
    return order
  }
}
