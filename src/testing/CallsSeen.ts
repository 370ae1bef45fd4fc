/**
 * What an actor's messages have called and were told, by what travels: the second model of the journal.
 *
 * A call is made once, whoever dies; it is answered once; and a message that runs again is given all of it, in order.
 */
import type { JournalWord } from "../actors/links/HostLink.ts"

interface Called {
  /** Numbers of calls, in the order in which they came. */
  readonly made: Array<number>
  /** Those whose outcome was said. */
  readonly told: Array<number>
  /** Those whose outcome its host has told it; and those of them that the owner has heard of. */
  readonly saidThere: Set<number>
  readonly there: Set<number>
  /** Those that nobody waits for any more: what was never sent may be forgotten. */
  readonly abandoned: Set<number>
  /** Those over which, or over what they led to at once, their host was ended: they were taken in, or not. */
  readonly doubtful: Set<number>
}

export class CallsSeen {
  private readonly name: string
  private readonly violated: (what: string) => void
  private readonly bySeq = new Map<number, Called>()

  constructor(name: string, violated: (what: string) => void) {
    this.name = name
    this.violated = violated
  }

  /** A call was heard, while message `inHand` was; `doubtful`: and its host is ended, for it or for what it led to. */
  asking(seq: number, call: number, inHand: number | undefined, doubtful: boolean): void {
    // Of no message: by its incarnation.
    if (seq === 0) return
    const next = nextOf(this.bySeq.get(seq))
    if (doubtful) return void this.of(seq).doubtful.add(call)
    if (seq !== inHand) return this.violated(`${this.name} calls somebody for ${seq}, and has ${inHand} in hand`)
    const called = this.of(seq)
    if (call !== next) {
      return this.violated(`${this.name} makes call ${call} of message ${seq}, and ${next} would be next`)
    }
    called.made.push(call)
  }

  abandoned(seq: number, call: number): void {
    if (seq !== 0) this.of(seq).abandoned.add(call)
  }

  answered(seq: number, call: number): void {
    if (seq === 0) return
    const called = this.of(seq)
    // It may be answered in the very step in which its owner hears of it.
    if (!called.made.includes(call) && call !== nextOf(called)) {
      return this.violated(`${this.name} is answered call ${call} of ${seq}, which it did not make`)
    }
    if (called.told.includes(call)) this.violated(`${this.name} is answered call ${call} of message ${seq} twice`)
    called.told.push(call)
  }

  /** A host has told how a call ended. */
  saysThere(seq: number, call: number): void {
    this.of(seq).saidThere.add(call)
  }

  /** The owner hears of it. */
  toldThere(seq: number, call: number): void {
    this.of(seq).there.add(call)
  }

  /** A call of the message whose outcome its host has told it, and of which the owner has not heard. */
  unheard(seq: number): number | undefined {
    const { saidThere, there } = this.bySeq.get(seq) ?? nothing
    return [...saidThere].find((call) => !there.has(call))
  }

  /** A message is given, with its journal. */
  given(seq: number, journal: JournalWord | undefined): void {
    const { abandoned, doubtful, made, saidThere, there, told } = this.bySeq.get(seq) ?? nothing
    // What has died unheard with its host is of no account.
    saidThere.clear()
    const lines = journal?.lines ?? []
    const calls = lines.flatMap((line) => line[0] === "call" ? [line[1]] : [])
    const outcomes = lines.flatMap((line) => line[0] === "told" ? [line[1]] : [])
    // Its next number may be given to another call, where it was not taken in.
    made.push(...calls.filter((call) => doubtful.has(call) && !made.includes(call)))
    doubtful.clear()
    const kept = made.filter((call) => calls.includes(call) || !abandoned.has(call))
    if (calls.toSorted(ascending).join() !== kept.toSorted(ascending).join()) {
      this.violated(`${this.name} is given ${seq} with calls ${calls.join()}, and has made ${made.join()}`)
    }
    // What ended while nobody was there to be told is in the journal alone.
    if (outcomes.filter((call) => told.includes(call)).join() !== told.join()) {
      this.violated(`${this.name} is given ${seq} with outcomes ${outcomes.join()}, and was told ${told.join()}`)
    }
    const lost = [...there].filter((call) => !outcomes.includes(call))
    if (lost.length > 0) this.violated(`${this.name} is given ${seq} without the outcomes of ${lost.join()}`)
    if (new Set(outcomes).size !== outcomes.length) {
      this.violated(`${this.name} is given ${seq} with an outcome twice: ${outcomes.join()}`)
    }
  }

  private of(seq: number): Called {
    const known = this.bySeq.get(seq)
    if (known !== undefined) return known
    const made = none()
    this.bySeq.set(seq, made)
    return made
  }
}

const none = (): Called => ({
  made: [],
  told: [],
  saidThere: new Set(),
  there: new Set(),
  abandoned: new Set(),
  doubtful: new Set()
})

const nothing = none()

const nextOf = (called: Called | undefined): number => 1 + Math.max(0, ...called?.made ?? [])

const ascending = (one: number, other: number): number => one - other
