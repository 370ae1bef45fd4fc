/**
 * Who of a group of threads is awake: one word in shared memory for each of them, by which the others wake it.
 *
 * A thread that has nothing to do says that it sleeps, looks once more whether there is something, and waits without
 * blocking its event loop. Whoever has given it work looks at the word, and rings only if it sleeps. The words together
 * say how many are at work, and so whether there is a core to spin on.
 *
 * Who dies neither rings nor sleeps: its owner puts its word to rest after its `exit`.
 */

const awake = 0
const asleep = 1

/** The words lie on cache lines of their own. */
const stride = 16
/** So many threads fit into one group. */
const places = 512
/** So many threads one thread can own at a time. */
export const mostOthers = places - 1
/** Holds how many places have been handed out so far, in the line of place 0. */
const usedWord = 1

export type Bells = Int32Array<SharedArrayBuffer>

/** A group with room for 512 threads, all of them at rest. */
export const makeBells = (): Bells => new Int32Array(new SharedArrayBuffer(places * stride * 4)).fill(asleep)

/** Wakes the thread at `place` if it sleeps. */
export const ring = (bells: Bells, place: number): void => {
  const at = place * stride
  if (Atomics.load(bells, at) === asleep && Atomics.exchange(bells, at, awake) === asleep) Atomics.notify(bells, at)
}

/** Counts the thread at `place` as asleep: it has ended. */
export const rest = (bells: Bells, place: number): void => void Atomics.store(bells, place * stride, asleep)

/** One thread's own bell. */
export class Doorbell {
  readonly bells: Bells
  private readonly at: number
  /** Whether a wait is under way; it outlasts a waking that came by other ways, and serves for the next sleep. */
  private waiting = false
  private readonly onRing: () => void

  constructor(bells: Bells, place: number, onRing: () => void) {
    this.bells = bells
    this.at = place * stride
    this.onRing = onRing
  }

  rise(): void {
    Atomics.store(this.bells, this.at, awake)
  }

  /** Says that we sleep; whoever does so looks once more for work, and then calls `wait`. */
  lie(): void {
    Atomics.store(this.bells, this.at, asleep)
  }

  /** Calls `onRing` when somebody rings, from a task of its own; false when somebody has, and there is no need to wait. */
  wait(): boolean {
    if (this.waiting) return true
    const wait = Atomics.waitAsync(this.bells, this.at, asleep)
    if (!wait.async) return false
    this.waiting = true
    void wait.value.then(() => {
      this.waiting = false
      this.onRing()
    })
    return true
  }

  /** Blocks until somebody rings, for at most so many milliseconds. Whether somebody has. */
  nap(millis: number): boolean {
    return Atomics.wait(this.bells, this.at, asleep, millis) !== "timed-out"
  }

  /** Ends a wait that nobody will end. */
  dismiss(): void {
    this.lie()
    Atomics.notify(this.bells, this.at)
  }
}

/** Whether more of the group are awake than `enough`. */
export const crowded = (bells: Bells, enough: number): boolean => {
  const places = Atomics.load(bells, usedWord)
  let count = 0
  for (let place = 0; place < places; place++) {
    if (Atomics.load(bells, place * stride) === awake && ++count > enough) return true
  }
  return false
}

/** Hands out places of a group, and takes them back. Place 0 is its owner's. */
export class Places {
  private readonly bells: Bells
  private readonly free: Array<number> = []
  private next = 1

  constructor(bells: Bells) {
    this.bells = bells
    Atomics.store(bells, usedWord, this.next)
  }

  /** A place, if one is free. */
  take(): number | undefined {
    const known = this.free.pop()
    if (known !== undefined) return known
    if (this.next === places) return undefined
    Atomics.store(this.bells, usedWord, this.next + 1)
    return this.next++
  }

  give(place: number): void {
    this.free.push(place)
  }
}
