/**
 * What an actor can do with itself: hand out its reference, end, and set timers. Those are kept by its owner, so that they
 * outlive its incarnations.
 *
 * ```ts
 * Counter.behavior(({ self }) =>
 *   Effect.gen(function*() {
 *     yield* self.every("1 second").Tick()
 *     ...
 *     Start: ({ id }) => self.after("30 seconds", { key: `start ${id}` }).GiveUp({ id })
 * ```
 *
 * - What a timer sends is a message like any `tell`: it waits its turn, counts once, and runs again after a death.
 * - A timer that a handler sets begins with the handler's reply, counted from when it was set; where the handler dies, it
 *   was never set. One that is set while a message is not in hand begins at once.
 * - A key (unless given, the method's name) has one timer: to set it anew ends what was there. In a behavior's start, which
 *   runs for each incarnation, what is there stays as it is.
 */
import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import type * as Rpc from "effect/rpc/Rpc"
import type { Any, Method } from "./Actor.ts"
import * as ActorRef from "./ActorRef.ts"
import { MessageRefused } from "./errors.ts"
import { type Address, systemMillis } from "./InHand.ts"
import type { TimerChange } from "./links/HostLink.ts"
import * as Options from "./Options.ts"

export interface TimerOptions {
  /** Under which the timer is known. Default: the name of its method. */
  readonly key?: string
}

/** The methods of an actor; each sets a timer for a message to it. A value that does not fit kills who made it. */
export type Timed<R extends Rpc.Any> = {
  readonly [Current in R as Current["_tag"]]: (
    ...payload: [Rpc.Payload<Current>] extends [void] ? [payload?: undefined] : [payload: Rpc.Payload<Current>]
  ) => Effect.Effect<void>
}

export interface Self<R extends Rpc.Any, Ref = ActorRef.AnyRef> {
  readonly name: string
  /** A reference to it, for others. */
  readonly ref: Ref
  /** Ends the actor: what it has in hand is finished, what is queued fails with `ActorStopped`. */
  readonly stop: Effect.Effect<void>
  /** One message, when so much time has passed: at most 24 days. */
  readonly after: (delay: Duration.Input, options?: TimerOptions) => Timed<R>
  /** A message each time so much time has passed. One that comes before the last one was answered is left out. */
  readonly every: (period: Duration.Input, options?: TimerOptions) => Timed<R>
  /** Ends the timer of this key, or the one of a method that has none. What has come due already still comes. */
  readonly cancel: (key: string) => Effect.Effect<void>
}

/** What stands behind it: an incarnation. */
export interface Incarnation {
  readonly name: string
  readonly address: Address
  /** Asks its owner for its end. */
  readonly leave: Effect.Effect<void>
  /** A payload as it is to be kept, or why it does not fit. */
  carry(method: Method, payload: unknown): Exit.Exit<unknown, string>
  set(change: TimerChange): void
}

const rules = {
  after: { delay: Options.required(Options.delay), key: Options.name },
  every: {
    period: Options.required(
      Options.such((value) => millisOf(value) >= 1 && millisOf(value) <= 0x7fff_ffff, "1 ms to 24 days")
    ),
    key: Options.name
  }
} satisfies Record<"after" | "every", Options.Rules>

/** NaN for what is no duration. */
const millisOf = (duration: unknown): number =>
  Option.match(Duration.fromInput(duration as Duration.Input), { onNone: () => Number.NaN, onSome: Duration.toMillis })

/** The methods are those of a protocol that is not known here. */
export class Own implements Self<Rpc.Any> {
  private readonly incarnation: Incarnation
  private readonly definition: Any

  constructor(incarnation: Incarnation, definition: Any) {
    this.incarnation = incarnation
    this.definition = definition
  }

  get ref(): ActorRef.AnyRef {
    return ActorRef.make(this.incarnation.address, this.definition, systemMillis)
  }

  get stop(): Effect.Effect<void> {
    return this.incarnation.leave
  }

  get name(): string {
    return this.incarnation.name
  }

  after(delay: Duration.Input, options?: TimerOptions): Timed<Rpc.Any> {
    return this.timed("after", { ...options, delay })
  }

  every(period: Duration.Input, options?: TimerOptions): Timed<Rpc.Any> {
    return this.timed("every", { ...options, period })
  }

  cancel(key: string): Effect.Effect<void> {
    return Effect.sync(() => this.incarnation.set(["cancel", key]))
  }

  private timed(kind: TimerKind, given: Given): Timed<Rpc.Any> {
    const setting = (method: Method) => (payload?: unknown): Effect.Effect<void> =>
      Effect.suspend(() => this.set(kind, given, method, payload))
    return Object.fromEntries([...this.definition.methods.values()].map((method) => [method.name, setting(method)]))
  }

  private set(kind: TimerKind, given: Given, method: Method, payload: unknown): Effect.Effect<void> {
    const { incarnation } = this
    const invalid = Options.check(`self.${kind}`, given, rules[kind])
    if (invalid !== undefined) return Effect.die(invalid)
    const carried = incarnation.carry(method, payload)
    if (Exit.isSuccess(carried)) {
      const millis = millisOf(given.delay ?? given.period)
      incarnation.set([kind, given.key ?? method.name, millis, method.name, carried.value, 0])
      return Effect.void
    }
    const reason = String(carried.cause.reasons.find(Cause.isFailReason)?.error)
    return Effect.die(new MessageRefused({ actor: this.name, method: method.name, part: "payload", reason }))
  }
}

type TimerKind = keyof typeof rules

interface Given extends TimerOptions {
  readonly delay?: Duration.Input
  readonly period?: Duration.Input
}
