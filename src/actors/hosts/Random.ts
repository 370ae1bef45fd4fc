/**
 * Random numbers that are of a name and a number, and of nothing else: a message that runs again draws the same. Four words
 * of state (xoshiro128**), seeded from the text.
 */
export class Random {
  private a = 0
  private b = 0
  private c = 0
  private d = 0

  constructor(name: string, seq: number) {
    let hash = 0x811c9dc5 ^ seq
    for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193)
    const word = (): number => {
      let t = hash = (hash + 0x9e3779b9) | 0
      t = Math.imul(t ^ (t >>> 16), 0x85ebca6b)
      t = Math.imul(t ^ (t >>> 13), 0xc2b2ae35)
      return t ^ (t >>> 16)
    }
    this.a = word()
    this.b = word()
    this.c = word()
    this.d = word() | 1
  }

  /** From 0 to 1, without 1. */
  nextDoubleUnsafe(): number {
    return (this.next() >>> 5) / 0x800_0000
  }

  /** Any safe whole number. */
  nextIntUnsafe(): number {
    const high = this.next() >>> 11
    return (high * 0x1_0000_0000 + (this.next() >>> 0)) * ((this.next() & 1) === 0 ? 1 : -1)
  }

  private next(): number {
    const result = Math.imul(rotated(Math.imul(this.b, 5), 7), 9)
    const t = this.b << 9
    this.c ^= this.a
    this.d ^= this.b
    this.b ^= this.c
    this.a ^= this.d
    this.c ^= t
    this.d = rotated(this.d, 11)
    return result
  }
}

const rotated = (word: number, by: number): number => (word << by) | (word >>> (32 - by))
