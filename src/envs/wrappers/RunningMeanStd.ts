/**
 * Mean and variance of numbers that come one after the other, kept in memory that is given (Gymnasium's `RunningMeanStd`):
 * Chan, Golub and LeVeque's parallel algorithm with batches of one, begun with a weight of 1e-4.
 *
 * Memory that is all zero is one that nothing has come to yet. `round` is what Gymnasium rounds every result to: float32
 * for observations, nothing for rewards.
 */

/** How much the mean of 0 and the variance of 1 that it begins with weigh. */
const firstCount = 1e-4

export class RunningMeanStd {
  /** How many numbers of memory it takes, for vectors of `size` numbers. */
  static readonly sizeOf = (size: number): number => 2 * size + 1

  private readonly memory: Float64Array
  private readonly size: number
  private readonly round: (value: number) => number

  constructor(memory: Float64Array, size: number, round: (value: number) => number) {
    this.memory = memory
    this.size = size
    this.round = round
  }

  mean(i: number): number {
    return this.memory[i]!
  }

  variance(i: number): number {
    return this.memory[this.size + i]!
  }

  update(values: ArrayLike<number>): void {
    const { memory, round, size } = this
    const at = 2 * size
    if (memory[at] === 0) {
      memory.fill(1, size, at)
      memory[at] = firstCount
    }
    const total = memory[at]! + 1
    const count = round(memory[at]!)
    const divisor = round(total)
    for (let i = 0; i < size; i++) {
      const mean = memory[i]!
      const delta = round(values[i]! - mean)
      const squares = round(round(round(round(delta * delta) * count)) / divisor)
      memory[i] = round(mean + round(delta / divisor))
      memory[size + i] = round(round(round(memory[size + i]! * count) + squares) / divisor)
    }
    memory[at] = total
  }
}
