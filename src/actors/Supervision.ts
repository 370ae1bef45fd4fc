/**
 * What is done when an actor dies, as a plain value, in the words of the field.
 *
 * A restarted actor has its last committed state, and every message it had not answered is handled again, in order. An
 * actor that died more than `maxRestarts` times `within` a window has failed for good: whoever waits for it, or asks
 * later, gets `RestartLimitReached` with the cause. So has one that died `maxConsecutive` times in a row without a single
 * reply between, however slowly: a message that always kills, a thread that ends at every start.
 */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import { Death, fromUnknown } from "./Death.ts"
import type { InvalidOption } from "./errors.ts"
import * as Options from "./Options.ts"

/**
 * What to do about one death: `restart` (while the limit allows), `stop` (the actor has failed), `escalate` (all actors of
 * its group have failed, and a child's parent dies of it, whose own supervision then decides), or `resume`: who sent the message in hand gets `ActorDied`, and
 * the actor, alone, goes on at once with the next, from what was committed; no restart is counted. Where no message was in
 * hand there is nothing to leave out, and `resume` is `restart`.
 */
export type Directive = "restart" | "resume" | "stop" | "escalate"

/**
 * How long to wait before the next incarnation: a schedule, which gets the deaths as its input, or a delay by the number
 * of the restart in its window (1, 2, ...).
 */
export type Backoff = Schedule.Schedule<unknown, Death> | ((restart: number) => Duration.Input)

/**
 * What becomes of the children that an actor's handlers have spawned, when it restarts: they live on (`keep`), or are ended
 * before its next incarnation begins (`stop`). The message in hand keeps those that it has spawned itself. What a start has
 * spawned is always ended, since the next start spawns it anew.
 */
export type Children = "keep" | "stop"

/** A supervision strategy; make it with `oneForOne`, `oneForAll` or `restForOne`. */
export interface Supervision {
  readonly strategy: "one-for-one" | "one-for-all" | "rest-for-one"
  readonly maxRestarts: number
  readonly withinMillis: number
  readonly maxConsecutive: number
  readonly children: Children
  readonly backoff: Backoff | undefined
  readonly decide: (death: Death) => Directive
  /** What was given that is no option; refused where an actor is spawned with it. */
  readonly unknown?: object
}

export interface SupervisionOptions {
  /** Restarts allowed within the window; the next death fails the actor. Default 5. 0: never restart. */
  readonly maxRestarts?: number
  /** The window. Default one minute. */
  readonly within?: Duration.Input
  /**
   * Deaths without progress that fail the actor: that many in a row, each while it was starting or had a message, and
   * with no reply committed between. Kills by `system.kill` and deaths with its group do not count. Default 10.
   */
  readonly maxConsecutive?: number
  /** What becomes of an actor's children when it restarts. Default: `keep`. */
  readonly children?: Children
  /** Default: none, the next incarnation starts at once. A schedule that ends fails the actor. */
  readonly backoff?: Backoff
  /** Decides by what happened, e.g. by the error's tag. Default: always `restart`. */
  readonly decide?: (death: Death) => Directive
}

const rules: Options.Rules = {
  strategy: Options.required(Options.oneOf("one-for-one", "one-for-all", "rest-for-one")),
  maxRestarts: Options.required(Options.wholeOrInfinity(0)),
  withinMillis: Options.required(Options.span),
  maxConsecutive: Options.required(Options.wholeOrInfinity(1)),
  children: Options.required(Options.oneOf("keep", "stop")),
  backoff: Options.such(
    (value) => typeof value === "function" || Schedule.isSchedule(value),
    "a Schedule or a function of the restart's number"
  ),
  decide: Options.required(Options.callable),
  unknown: Options.anything
}

const optionRules = {
  maxRestarts: Options.anything,
  within: Options.anything,
  maxConsecutive: Options.anything,
  children: Options.anything,
  backoff: Options.anything,
  decide: Options.anything
} satisfies { readonly [option in keyof SupervisionOptions]-?: unknown }

/** What is wrong with a strategy; asked where an actor is spawned with it. */
export const check = (function_: string, option: string, given: unknown): InvalidOption | undefined => {
  if (typeof given !== "object" || given === null || !("strategy" in given)) {
    return Options.invalid(function_, option, "made by Supervision.oneForOne, oneForAll or restForOne", given)
  }
  const unknown = "unknown" in given ? given.unknown : {}
  return Options.within(
    option,
    Options.check(function_, unknown, optionRules) ?? Options.check(function_, given, rules)
  )
}

const make = (strategy: Supervision["strategy"]) => (options: SupervisionOptions = {}): Supervision => {
  const { backoff, children, decide, maxConsecutive, maxRestarts, within, ...unknown } = options
  return {
    strategy,
    maxRestarts: maxRestarts ?? 5,
    withinMillis: Option.match(Duration.fromInput(within ?? "1 minute"), {
      onNone: () => Number.NaN,
      onSome: Duration.toMillis
    }),
    maxConsecutive: maxConsecutive ?? 10,
    children: children ?? "keep",
    backoff,
    decide: decide ?? always,
    ...(Object.keys(unknown).length === 0 ? {} : { unknown })
  }
}

const always = (): Directive => "restart"

/** Whether it is nothing but plain values, and its actors are no group. */
export const isPlain = ({ backoff, decide, strategy }: Supervision): boolean =>
  strategy === "one-for-one" && backoff === undefined && decide === always

/** Each actor for itself, with its own count of restarts. */
export const oneForOne: (options?: SupervisionOptions) => Supervision = make("one-for-one")

/**
 * When one dies, all restart. The group is all actors of a system spawned with this very value, so make one value per
 * group: `const together = Supervision.oneForAll()`.
 */
export const oneForAll: (options?: SupervisionOptions) => Supervision = make("one-for-all")

/** When one dies, it and those spawned after it restart. The group is as for `oneForAll`. */
export const restForOne: (options?: SupervisionOptions) => Supervision = make("rest-for-one")

/** Never restarts: the first death fails the actor. */
export const never: Supervision = oneForOne({ maxRestarts: 0 })

const directives: Record<Directive, true> = { restart: true, resume: true, stop: true, escalate: true }

/** What a policy says about a death; a death that tells of it where that is no directive, or its function throws. */
export const directive = (policy: Supervision, death: Death): Directive | Death => {
  let said: unknown
  try {
    said = policy.decide(death)
  } catch (error) {
    return amiss(death, `the "decide" of its supervision threw: ${fromUnknown("Defect", error).message}`)
  }
  if (typeof said === "string" && Object.hasOwn(directives, said)) return said as Directive
  const expected = Object.keys(directives).map((directive) => `"${directive}"`).join(", ")
  return amiss(death, `the "decide" of its supervision said ${Options.shown(said)}, which is none of ${expected}`)
}

/** Why there is no further restart after a pause that failed: the schedule's end, or what the back-off did wrong. */
export const pauseFailed = (death: Death, cause: Cause.Cause<BackoffOver>): Death => {
  const defect = cause.reasons.find(Cause.isDieReason)
  return defect === undefined
    ? death
    : amiss(death, `the "backoff" of its supervision threw: ${fromUnknown("Defect", defect.defect).message}`)
}

/** The same death, with what was wrong with its supervision. */
const amiss = (death: Death, wrong: string): Death =>
  new Death({ ...death, message: `${wrong}; it died of: ${death.message}` })

/** Remembers the restarts of an actor or a group: says whether another is allowed, and how long to wait for it. */
export class RestartLog {
  private readonly times: Array<number> = []
  private readonly policy: Supervision
  private step: Step | undefined
  /** The date at which the monotonic clock stood at 0, as it was at the first pause. */
  private zero: number | undefined

  constructor(policy: Supervision) {
    this.policy = policy
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
  pause(restart: number, death: Death): Effect.Effect<void, BackoffOver> {
    const { backoff } = this.policy
    if (backoff === undefined) return Effect.yieldNow
    if (typeof backoff === "function") return Effect.suspend(() => Effect.sleep(backoff(restart)))
    return Effect.gen({ self: this }, function*() {
      if (restart === 1 || this.step === undefined) this.step = yield* Schedule.toStep(backoff)
      // A schedule may ask for the date; how long something took, it is to tell by a clock that nobody sets.
      const monotonic = Number(yield* Clock.monotonicTimeNanos) / 1e6
      this.zero ??= (yield* Clock.currentTimeMillis) - monotonic
      const now = this.zero + monotonic
      const [, delay] = yield* Effect.mapError(this.step(now, death), () => new BackoffOver())
      yield* Effect.sleep(delay)
    })
  }
}

type Step = Effect.Success<ReturnType<typeof Schedule.toStep<unknown, Death, never, never>>>

/** The back-off schedule allows no further restart. */
export class BackoffOver extends Schema.TaggedError<BackoffOver>()("BackoffOver", {}) {}
