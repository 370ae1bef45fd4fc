/**
 * Work put off until the messages at hand have been heard, so that what they lead to travels together. One per event loop.
 *
 * Outside of a hearing that is the next microtask. Within one, a microtask would come too late: a thread that hears of
 * messages through shared memory stays in one turn of the event loop for as long as they keep coming. Either would come
 * too late where an actor beside us is about to work for a while: then it is done before.
 */
export class Turn {
  private hearing = false
  private scheduled = false
  private readonly put: Array<() => void> = []
  private readonly soon: (task: () => void) => void

  constructor(soon: (task: () => void) => void) {
    this.soon = soon
  }

  /** Runs `task` when the hearing under way is over, otherwise in a microtask; in both cases no later than `settle`. */
  afterwards(task: () => void): void {
    this.put.push(task)
    if (this.hearing || this.scheduled) return
    this.scheduled = true
    this.soon(this.unscheduled)
  }

  /** Runs what was put off. */
  settle(): void {
    if (this.put.length === 0) return
    // A task may put off another.
    for (let i = 0; i < this.put.length; i++) this.put[i]!()
    this.put.length = 0
  }

  /** Runs `body`, then what was put off meanwhile. Not to be nested. */
  hear<A>(body: () => A): A {
    this.hearing = true
    try {
      const result = body()
      this.settle()
      return result
    } finally {
      this.hearing = false
      this.put.length = 0
    }
  }

  private readonly unscheduled = (): void => {
    this.scheduled = false
    this.settle()
  }
}
