/** Where a simulation waits while it is held up: it passes once a step, or so often a second. Nothing of it is changed by that. */
import * as Effect from "effect/Effect"

export class Gate {
  paused: boolean
  /** How often a second it may be passed; 0: as often as somebody comes. */
  pace = 0
  private steps = 0
  private passedAt = -Infinity
  /** Who waits for something to change. */
  private waiting: Array<() => void> = []

  constructor(paused: boolean) {
    this.paused = paused
  }

  /** Waits until it may be passed. */
  readonly pass: Effect.Effect<void> = Effect.gen({ self: this }, function*() {
    while (true) {
      if (this.paused) {
        if (this.steps > 0) {
          this.steps--
          return
        }
        yield* this.changed
        continue
      }
      const wait = this.pace === 0 ? 0 : this.passedAt + 1000 / this.pace - performance.now()
      if (wait <= 0) {
        this.passedAt = performance.now()
        return
      }
      yield* Effect.raceFirst(Effect.sleep(wait), this.changed)
    }
  })

  private readonly changed = Effect.callback<void>((resume) => {
    const wake = () => resume(Effect.void)
    this.waiting.push(wake)
    return Effect.sync(() => {
      this.waiting = this.waiting.filter((other) => other !== wake)
    })
  })

  private tell(): void {
    const { waiting } = this
    this.waiting = []
    for (const wake of waiting) wake()
  }

  pause(): void {
    this.paused = true
    this.steps = 0
  }

  resume(): void {
    this.paused = false
    this.tell()
  }

  /** Lets it pass once; whoever runs is paused first. */
  step(): void {
    this.paused = true
    this.steps = 1
    this.tell()
  }

  setPace(pace: number): void {
    this.pace = pace
    this.tell()
  }
}
