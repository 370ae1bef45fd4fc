/** What is to happen, the soonest first; of one time, what was put down first. A binary heap. */

export interface Entry {
  readonly time: number
  /** By which entries of one time are told apart: 0, 1, ... */
  readonly seq: number
}

export class Agenda<A extends Entry> {
  readonly entries: Array<A> = []

  /** What comes next. */
  get first(): A | undefined {
    return this.entries[0]
  }

  push(entry: A): void {
    const { entries } = this
    let at = entries.push(entry) - 1
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (!isBefore(entry, entries[parent]!)) break
      entries[at] = entries[parent]!
      at = parent
    }
    entries[at] = entry
  }

  /** Takes out what comes next. */
  pop(): A | undefined {
    const { entries } = this
    const top = entries[0]
    const last = entries.pop()
    if (top === undefined || last === undefined || entries.length === 0) return top
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      if (child >= entries.length) break
      if (child + 1 < entries.length && isBefore(entries[child + 1]!, entries[child]!)) child++
      if (!isBefore(entries[child]!, last)) break
      entries[at] = entries[child]!
      at = child
    }
    entries[at] = last
    return top
  }

  /** Takes out all that are not so. */
  keep(isSo: (entry: A) => boolean): void {
    // What is in order is a heap, too.
    const kept = this.entries.filter(isSo).toSorted((a, b) => isBefore(a, b) ? -1 : 1)
    this.entries.length = kept.length
    for (let at = 0; at < kept.length; at++) this.entries[at] = kept[at]!
  }
}

export const isBefore = (a: Entry, b: Entry): boolean => a.time < b.time || (a.time === b.time && a.seq < b.seq)
