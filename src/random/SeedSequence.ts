/**
 * NumPy's SeedSequence, bit for bit: mixes entropy of any size into a pool of 32-bit words and draws from it the words
 * that seed a generator. Children get their own spawn key, so that streams are named by role and index and not by who
 * draws first. M. E. O'Neill, "Developing a seed_seq alternative" (2015); numpy/random/bit_generator.pyx.
 */

/** A non-negative integer of any size (numbers up to 2^53 - 1), or several, concatenated. */
export type Entropy = number | bigint | ReadonlyArray<number | bigint>

const isSeedInteger = (value: number | bigint): boolean =>
  typeof value === "bigint" ? value >= 0n : Number.isSafeInteger(value) && value >= 0

/** Whether `SeedSequence` takes it: callers that take seeds from outside ask first. */
export const isEntropy = (value: unknown): value is Entropy =>
  typeof value === "number" || typeof value === "bigint"
    ? isSeedInteger(value)
    : Array.isArray(value) &&
      value.every((entry) => (typeof entry === "number" || typeof entry === "bigint") && isSeedInteger(entry))

/** Words of an integer, lowest first; one word for 0. */
const wordsOfInteger = (value: number | bigint): Array<number> => {
  if (!isSeedInteger(value)) {
    throw new RangeError(`A seed is a non-negative integer, not ${value}: give one from 0 to 2^53 - 1, or a bigint.`)
  }
  const words: Array<number> = []
  let rest = BigInt(value)
  do {
    words.push(Number(rest & 0xffffffffn))
    rest >>= 32n
  } while (rest > 0n)
  return words
}

const wordsOf = (entropy: Entropy): Array<number> =>
  typeof entropy === "number" || typeof entropy === "bigint" ? wordsOfInteger(entropy) : entropy.flatMap(wordsOfInteger)

const initA = 0x43b0d7e5
const multiplyA = 0x931e8875
const initB = 0x8b51f9dd
const multiplyB = 0x58f38ded
const mixLeft = 0xca01f9dd
const mixRight = 0x4973f715
const defaultPoolSize = 4

const mix = (x: number, y: number): number => {
  const result = (Math.imul(mixLeft, x) - Math.imul(mixRight, y)) | 0
  return (result ^ (result >>> 16)) >>> 0
}

const mixEntropy = (entropy: ReadonlyArray<number>, poolSize: number): Uint32Array => {
  const pool = new Uint32Array(poolSize)
  let constant = initA
  const hash = (value: number): number => {
    let mixed = value ^ constant
    constant = Math.imul(constant, multiplyA)
    mixed = Math.imul(mixed, constant)
    return (mixed ^ (mixed >>> 16)) >>> 0
  }
  for (let i = 0; i < poolSize; i++) pool[i] = hash(entropy[i] ?? 0)
  for (let source = 0; source < poolSize; source++) {
    for (let target = 0; target < poolSize; target++) {
      if (source !== target) pool[target] = mix(pool[target]!, hash(pool[source]!))
    }
  }
  for (let source = poolSize; source < entropy.length; source++) {
    for (let target = 0; target < poolSize; target++) pool[target] = mix(pool[target]!, hash(entropy[source]!))
  }
  return pool
}

export class SeedSequence {
  readonly entropy: Entropy
  /** The path from the root: the index of each spawned ancestor, this one last. */
  readonly spawnKey: ReadonlyArray<number>
  readonly poolSize: number
  #pool: Uint32Array
  #childrenSpawned = 0

  /** Throws a RangeError for entropy that `isEntropy` refuses, and for a pool of fewer than 4 words. */
  constructor(
    entropy: Entropy,
    options?: { readonly spawnKey?: ReadonlyArray<number>; readonly poolSize?: number }
  ) {
    this.entropy = entropy
    this.spawnKey = options?.spawnKey ?? []
    this.poolSize = options?.poolSize ?? defaultPoolSize
    if (!Number.isInteger(this.poolSize) || this.poolSize < defaultPoolSize) {
      throw new RangeError(`The pool of a SeedSequence has at least 4 words, not ${this.poolSize}.`)
    }
    const words = wordsOf(entropy)
    const spawnWords = wordsOf(this.spawnKey)
    // Short entropy is filled up before a spawn key, so that no key can be taken for entropy.
    while (spawnWords.length > 0 && words.length < this.poolSize) words.push(0)
    this.#pool = mixEntropy(words.concat(spawnWords), this.poolSize)
  }

  /** `n` words of 32 bits. The same words at each call. */
  generateState32(n: number): Uint32Array {
    const words = new Uint32Array(n)
    let constant = initB
    for (let i = 0; i < n; i++) {
      let word = this.#pool[i % this.poolSize]! ^ constant
      constant = Math.imul(constant, multiplyB)
      word = Math.imul(word, constant)
      words[i] = word ^ (word >>> 16)
    }
    return words
  }

  /** `n` words of 64 bits: pairs of the 32-bit words, low word first. */
  generateState64(n: number): BigUint64Array {
    const halves = this.generateState32(2 * n)
    return BigUint64Array.from({ length: n }, (_, i) => (BigInt(halves[2 * i + 1]!) << 32n) | BigInt(halves[2 * i]!))
  }

  /** `n` children, independent of one another and of those spawned before. */
  spawn(n: number): Array<SeedSequence> {
    const first = this.#childrenSpawned
    this.#childrenSpawned += n
    return Array.from(
      { length: n },
      (_, i) => new SeedSequence(this.entropy, { spawnKey: [...this.spawnKey, first + i], poolSize: this.poolSize })
    )
  }
}
