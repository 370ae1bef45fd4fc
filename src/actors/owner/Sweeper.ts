/**
 * One alarm for all deadlines: asks note when they expire, and a single sleeping fiber looks at what is left then.
 *
 * A timer per ask would cost more than the ask. Here an ask costs a comparison, since nearly all are answered long before
 * the alarm, which looks only at those still pending.
 */
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"

/** Alarms lie at least this far apart (milliseconds), so that many near deadlines are swept together. */
const spacing = 2

export class Sweeper {
  private alarm: Fiber.Fiber<void> | undefined
  private at = Number.POSITIVE_INFINITY
  private readonly now: () => number
  private readonly run: (effect: Effect.Effect<void>) => Fiber.Fiber<void>
  private readonly sweep: (now: number) => number

  /** `sweep` handles what is due and returns when it is needed next (`Infinity`: when somebody expects something). */
  constructor(options: {
    readonly now: () => number
    readonly run: (effect: Effect.Effect<void>) => Fiber.Fiber<void>
    readonly sweep: (now: number) => number
  }) {
    this.now = options.now
    this.run = options.run
    this.sweep = options.sweep
  }

  /** Something is due at `time`. */
  expect(time: number): void {
    if (time >= this.at) return
    this.alarm?.interruptUnsafe()
    this.set(time)
  }

  close(): void {
    this.alarm?.interruptUnsafe()
    this.at = Number.NEGATIVE_INFINITY
  }

  private set(time: number): void {
    this.at = time
    this.alarm = this.run(
      Effect.flatMap(Effect.sleep(Math.max(0, time - this.now())), () => Effect.sync(() => this.ring()))
    )
  }

  private ring(): void {
    this.alarm = undefined
    this.at = Number.POSITIVE_INFINITY
    const now = this.now()
    const next = this.sweep(now)
    if (next < this.at) this.set(Math.max(next, now + spacing))
  }
}
