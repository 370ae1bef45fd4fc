/**
 * What is done when an actor dies, as a plain value.
 *
 * One-for-one: a death concerns the actor alone. It restarts with its last committed state, and every message it had not
 * answered is handled again in order, unless it has died more than `maxRestarts` times `within` a window; then it has
 * failed for good, and whoever waits for it, or asks later, gets `RestartLimitReached` with the cause.
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import type { Death } from "./Death.ts"

/** What to do about one death. */
export type Directive = "restart" | "stop"

/** How long to wait before the next incarnation: a schedule, or a delay by the number of the restart in its window (1, 2, ...). */
export type Backoff = Schedule.Schedule<unknown> | ((restart: number) => Duration.Input)

/** A supervision strategy. */
export interface Supervision {
  readonly strategy: "one-for-one"
  readonly maxRestarts: number
  readonly withinMillis: number
  readonly backoff: Backoff | undefined
  readonly decide: (death: Death) => Directive
}

export interface Options {
  /** Restarts allowed within the window; the next death fails the actor. Default 5. 0: never restart. */
  readonly maxRestarts?: number
  /** The window. Default one minute. */
  readonly within?: Duration.Input
  /** Default: none, the next incarnation starts at once. A schedule that ends fails the actor. */
  readonly backoff?: Backoff
  /** Decides by what happened, e.g. by the error's tag. Default: always `restart`. */
  readonly decide?: (death: Death) => Directive
}

/** Each actor for itself. */
export const oneForOne = (options: Options = {}): Supervision => ({
  strategy: "one-for-one",
  maxRestarts: options.maxRestarts ?? 5,
  withinMillis: Duration.toMillis(options.within ?? "1 minute"),
  backoff: options.backoff,
  decide: options.decide ?? (() => "restart")
})

/** Never restarts: the first death fails the actor. */
export const never: Supervision = oneForOne({ maxRestarts: 0 })

/** Remembers the restarts of one actor: says whether another is allowed, and how long to wait for it. */
export class RestartLog {
  private readonly times: Array<number> = []
  private readonly policy: Supervision
  private step: Step | undefined

  constructor(policy: Supervision) {
    this.policy = policy
  }

  decide(death: Death): Directive {
    return this.policy.decide(death)
  }

  /** The number of the restart within its window (1, 2, ...), or 0 when the limit is reached. `now` in milliseconds. */
  next(now: number): number {
    const { maxRestarts, withinMillis } = this.policy
    while (this.times.length > 0 && now - this.times[0]! >= withinMillis) this.times.shift()
    if (this.times.length >= maxRestarts) return 0
    this.times.push(now)
    return this.times.length
  }

  /** Waits as long as the back-off says; fails when its schedule has come to its end. A quiet window starts it anew. */
  pause(restart: number): Effect.Effect<void, BackoffOver> {
    const { backoff } = this.policy
    if (backoff === undefined) return Effect.yieldNow
    if (typeof backoff === "function") return Effect.suspend(() => Effect.sleep(backoff(restart)))
    return Effect.gen({ self: this }, function*() {
      if (restart === 1 || this.step === undefined) this.step = yield* Schedule.toStep(backoff)
      const now = yield* Clock.currentTimeMillis
      const [, delay] = yield* Effect.mapError(this.step(now, undefined), () => new BackoffOver())
      yield* Effect.sleep(delay)
    })
  }
}

type Step = Effect.Success<ReturnType<typeof Schedule.toStep<unknown, unknown, never, never>>>

/** The back-off schedule allows no further restart. */
export class BackoffOver extends Schema.TaggedError<BackoffOver>()("BackoffOver", {}) {}
