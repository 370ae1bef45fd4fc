/** What a process was told each time it went on: what it is restored from. */

/** A journal as plain data. */
export interface SavedJournal {
  /** When it went on. */
  readonly times: ReadonlyArray<number>
  /** With which answer; the reason, where it was interrupted. */
  readonly answers: ReadonlyArray<unknown>
  /** Which of these were interruptions. */
  readonly interruptions: ReadonlyArray<number>
  /** What calls between its waits gave it, in their order. */
  readonly notes: ReadonlyArray<unknown>
  /** Before which of these steps its random stream became another, in a fork, and which. */
  readonly reseeds: ReadonlyArray<Reseed>
}

interface Reseed {
  readonly at: number
  readonly words: Uint32Array
}

/** Of what most processes have none: made when there is one. */
const none: ReadonlyArray<never> = []

const added = <T>(list: ReadonlyArray<T>, entry: T): ReadonlyArray<T> => {
  if (list === none) return [entry] // Whatever is not shared was made here.
  ;(list as Array<T>).push(entry)
  return list
}

export class Journal {
  /** How often it went on. */
  steps = 0
  /** Lists begin with room for a short life, since most lives are; an array that grows takes much more. */
  #times: Array<number> = [0.5, 0.5, 0.5, 0.5]
  #answers: Array<unknown> = [undefined, undefined, undefined, undefined]
  interruptions: ReadonlyArray<number> = none
  notes: ReadonlyArray<unknown> = none
  reseeds: ReadonlyArray<Reseed> = none

  /** Takes over what was saved: nobody else holds its arrays. Throws a `RangeError` where that is no journal. */
  static of({ answers, interruptions, notes, reseeds, times }: SavedJournal): Journal {
    if (answers.length !== times.length) throw new RangeError("a journal has as many answers as times")
    const journal = new Journal()
    for (const [i, time] of times.entries()) journal.step(time, answers[i])
    for (const step of interruptions) journal.interruptions = added(journal.interruptions, step)
    for (const note of notes) journal.note(note)
    for (const reseed of reseeds) journal.reseed(reseed.at, reseed.words)
    return journal
  }

  /** It goes on. */
  step(time: number, answer: unknown): void {
    const at = this.steps++
    this.#times[at] = time
    this.#answers[at] = answer
  }

  /** It goes on by an interruption. */
  interruption(time: number, reason: unknown): void {
    this.interruptions = added(this.interruptions, this.steps)
    this.step(time, reason)
  }

  timeOf(step: number): number {
    return this.#times[step]!
  }

  answerOf(step: number): unknown {
    return this.#answers[step]
  }

  /** A call gave it something. */
  note(answer: unknown): void {
    this.notes = added(this.notes, answer)
  }

  /** Before a step its random stream becomes another. */
  reseed(at: number, words: Uint32Array): void {
    this.reseeds = added(this.reseeds, { at, words })
  }

  save(): SavedJournal {
    const { interruptions, notes, reseeds, steps } = this
    return { times: this.#times.slice(0, steps), answers: this.#answers.slice(0, steps), interruptions, notes, reseeds }
  }
}
