/**
 * Where workers wait for one another without the trainer: words in shared memory that say how far each has come. Each word is
 * written by one worker alone and lies on a cache line of its own; nobody locks anything.
 *
 * A meeting is never waited for without end. Whoever waits too long parts, and so does everybody else then; so does who
 * takes over from one that died in it. Those who have parted have done nothing that counts.
 */
import { pause } from "../../actors/links/Poller.ts"

/** Words of a cache line. */
const line = 16
/** In the first line: whether anybody has parted. */
const partedWord = 0
/** In a member's line: how often it has arrived, and whether it takes part. */
const arrivedWord = (member: number): number => (member + 1) * line
const begunWord = (member: number): number => arrivedWord(member) + 1

/** Bytes for the meetings of so many members. */
export const meetingBytes = (members: number): number => (members + 1) * line * 4

/** So long it is spun for the others: they do the same work, and are there soon. This and what follows is in milliseconds. */
const spinning = 0.1
/** A nap while it takes longer; whoever comes ends it. */
const nap = 1
/** Who takes longer than this has died, or is held up: then all part. */
const patience = 50
/** So many looks pass between two looks at the clock. */
const looks = 50

/** Nobody takes part, and nobody has parted: before each stretch, when nobody is in one. */
export const clear = (words: Int32Array): void => {
  for (let at = 0; at < words.length; at++) Atomics.store(words, at, 0)
}

/** One worker's end. */
export class Meeting {
  private readonly words: Int32Array
  private member = 0
  private members = 0
  private times = 0

  constructor(words: Int32Array) {
    this.words = words
  }

  /** Takes part, as one of the members 0 to `members` - 1. False where somebody in this place has before, and died. */
  begin(member: number, members: number): boolean {
    this.member = member
    this.members = members
    this.times = 0
    if (Atomics.exchange(this.words, begunWord(member), 1) === 0) return true
    this.part()
    return false
  }

  /** Waits until all have come as far. False: they will not. */
  all(): boolean {
    const times = ++this.times
    const own = arrivedWord(this.member)
    Atomics.store(this.words, own, times)
    if (this.members === 1) return true
    Atomics.notify(this.words, own)
    for (let member = 0; member < this.members; member++) {
      if (member !== this.member && !this.await(arrivedWord(member), times)) return false
    }
    return true
  }

  /** Nobody waits any more. */
  part(member: number = this.member): void {
    Atomics.store(this.words, partedWord, 1)
    Atomics.notify(this.words, arrivedWord(member))
  }

  private await(word: number, times: number): boolean {
    let began = 0
    for (let n = 1;; n++) {
      const arrived = Atomics.load(this.words, word)
      if (arrived >= times) return true
      pause()
      if (n % looks !== 0) continue
      if (Atomics.load(this.words, partedWord) !== 0) return false
      const now = performance.now()
      if (began === 0) began = now
      if (now - began > patience) {
        this.part()
        return false
      }
      if (now - began > spinning) Atomics.wait(this.words, word, arrived, nap)
    }
  }
}
