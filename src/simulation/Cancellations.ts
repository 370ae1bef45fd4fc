/** Events that were cancelled and may still lie in the queue: by sender, and the count that their handle is. */
export class Cancellations {
  /** How many there are. */
  size = 0
  readonly #counts = new Map<number, Set<number>>()

  /** False where it was cancelled already. */
  add(sender: number, count: number): boolean {
    let counts = this.#counts.get(sender)
    if (counts === undefined) this.#counts.set(sender, counts = new Set())
    if (counts.has(count)) return false
    counts.add(count)
    this.size++
    return true
  }

  has(sender: number, count: number): boolean {
    return this.#counts.get(sender)?.has(count) === true
  }

  /** Whether it was cancelled; it is forgotten. */
  take(sender: number, count: number): boolean {
    const counts = this.#counts.get(sender)
    if (counts === undefined || !counts.delete(count)) return false
    if (counts.size === 0) this.#counts.delete(sender)
    this.size--
    return true
  }

  clear(): void {
    this.#counts.clear()
    this.size = 0
  }
}
