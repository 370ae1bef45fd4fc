/**
 * A reference to a living actor: one function per method of its protocol, typed by the protocol.
 *
 * ```ts
 * const total = yield* counter.Add({ n: 1 })                          // ask: waits for the reply
 * yield* counter.Add({ n: 1 }, { deadline: "2 seconds" })             // ask with a deadline of its own
 * yield* counter.Add({ n: 1 }, { whenFull: "fail" })                  // MailboxFull instead of waiting for room
 * yield* counter.tell.Add({ n: 1 })                                   // waits for room in the mailbox only
 * ```
 *
 * An ask that is interrupted or runs out of time takes its message with it as long as nobody has begun it. What is in hand
 * goes on to its end, and its state is kept, unless its method is `Actor.Cancellable`.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import type * as Rpc from "effect/rpc/Rpc"
import * as Schema from "effect/Schema"
import * as SchemaGetter from "effect/SchemaGetter"
import type { Any, Method, Rpcs } from "./Actor.ts"
import {
  ActorStopped,
  type AskFailure,
  type InvalidOption,
  type MailboxFull,
  MessageRefused,
  type TellFailure
} from "./errors.ts"
import { type Address, type At, current, homes, systemMillis, type Waiting } from "./InHand.ts"
import * as Options from "./Options.ts"

export interface AskOptions {
  /** How long to wait; the system's default otherwise (60 s unless set). */
  readonly deadline?: Duration.Input
  /** What to do when the mailbox is full. Default: `suspend` until there is room (or the deadline passes). */
  readonly whenFull?: "suspend" | "fail"
}

type WhenFull<O extends AskOptions> = O extends { readonly whenFull: "fail" } ? MailboxFull : never

/** A method without payload is called with nothing. */
type Payload<P> = [P] extends [void] ? [payload?: undefined] : [payload: P]

export type Ask<R extends Rpc.Any> = <const O extends AskOptions = object>(
  ...args: [...payload: Payload<Rpc.Payload<R>>, options?: O]
) => Effect.Effect<Rpc.Success<R>, Rpc.Error<R> | AskFailure | WhenFull<O>>

export type Tell<R extends Rpc.Any> = <const O extends AskOptions = object>(
  ...args: [...payload: Payload<Rpc.Payload<R>>, options?: O]
) => Effect.Effect<void, TellFailure | WhenFull<O>>

/** What every reference has beside the methods of its protocol. */
export interface Meta<D extends Any> {
  readonly name: string
  readonly definition: D
  /** The same methods, without waiting for a reply; the outcome, also a failure, is dropped. */
  readonly tell: { readonly [Current in Rpcs<D> as Current["_tag"]]: Tell<Current> }
}

export type ActorRef<D extends Any> = Meta<D> & { readonly [Current in Rpcs<D> as Current["_tag"]]: Ask<Current> }

/** A reference whose protocol is not known here. */
export interface AnyRef {
  readonly name: string
  readonly definition: Any
}

type Outcome = Exit.Exit<unknown, unknown>

const sender = (to: Address, method: Method, tell: boolean, defaultMillis: number) =>
(
  payload: unknown,
  options?: AskOptions
): Effect.Effect<unknown, unknown> => {
  const wrong = options === undefined ? undefined : wrongWith(options)
  if (wrong !== undefined) {
    const part = "options"
    return Effect.fail(new MessageRefused({ actor: to.name, method: method.name, part, reason: wrong }))
  }
  const millis = options?.deadline === undefined ? defaultMillis : millisOf(options.deadline)
  const failWhenFull = options?.whenFull === "fail"
  return Effect.callback<unknown, unknown>((resume: (outcome: Outcome) => void) => {
    const hand = current()
    // A handler may have a system of its own, which knows nothing of its message.
    if (hand !== undefined && hand.system === to.system) {
      return giveUp(hand, hand.send(to, method, payload, millis, tell, failWhenFull, resume))
    }
    return giveUp(to, to.send(method, payload, millis, tell, failWhenFull, resume))
  })
}

/** What is to be done when nobody waits any more. */
const giveUp = (to: Pick<Address, "abandon">, waiting: Waiting | undefined): Effect.Effect<void> | undefined =>
  waiting === undefined || waiting.resume === undefined ? undefined : Effect.sync(() => to.abandon(waiting))

const askOptions: Record<keyof AskOptions, true> = { deadline: true, whenFull: true }

/** What is wrong with the options of an ask, if something is. */
const wrongWith = (options: AskOptions): string | undefined => {
  if (typeof options !== "object" || options === null || Array.isArray(options)) {
    return `they must be an object, not ${Options.shown(options)}`
  }
  for (const name of Object.keys(options)) {
    if (!Object.hasOwn(askOptions, name)) return `there is no "${name}", only ${Object.keys(askOptions).join(" and ")}`
  }
  const { deadline, whenFull }: AskOptions = options
  if (deadline !== undefined && !(millisOf(deadline) >= 0)) return "its deadline must be a duration, not negative"
  if (whenFull !== undefined && whenFull !== "suspend" && whenFull !== "fail") {
    return `its whenFull must be "suspend" or "fail", not ${Options.shown(whenFull)}`
  }
  return undefined
}

/** NaN for what is no duration. */
const millisOf = (duration: Duration.Input): number =>
  Number.isNaN(duration) ? Number.NaN : Option.match(Duration.fromInput(duration), {
    onNone: () => Number.NaN,
    onSome: Duration.toMillis
  })

/** A reference adds its methods when they are first asked for: one at rest is small. */
class Reference implements AnyRef {
  readonly name: string
  readonly definition: Any
  readonly #to: Address
  readonly #millis: number

  constructor(to: Address, definition: Any, defaultMillis: number) {
    this.name = to.name
    this.definition = definition
    this.#to = to
    this.#millis = defaultMillis
  }

  get tell(): object {
    const to = Reference.to(this, "tell")
    const tells: Record<string, unknown> = {}
    for (const method of this.definition.methods.values()) {
      tells[method.name] = sender(to, method, true, this.#millis)
    }
    return keep(this, "tell", tells)
  }

  static ask(ref: Reference, method: Method): unknown {
    return keep(ref, method.name, sender(Reference.to(ref, method.name), method, false, ref.#millis))
  }

  /** What has its members from a reference, such as a Proxy of one, is none. */
  private static to(ref: Reference, member: string): Address {
    if (#to in ref) return ref.#to
    throw new TypeError(`"${member}" must be asked of the reference to an actor itself, not of something made from it`)
  }

  static addressOf(ref: unknown): Address | undefined {
    return typeof ref === "object" && ref !== null && #to in ref ? ref.#to : undefined
  }
}

const keep = <A>(ref: Reference, name: string, value: A): A => {
  Object.defineProperty(ref, name, { value, enumerable: true })
  return value
}

/** Where a reference leads: to the same actor still when another has taken its name. `undefined` for what is none. */
export const addressOf = (ref: AnyRef): Address | undefined => Reference.addressOf(ref)

/** What is given to a function of the system as an actor, and is neither a reference nor a name. */
export const noActor = (function_: string, given: unknown): InvalidOption | undefined =>
  typeof given === "string" || Reference.addressOf(given) !== undefined
    ? undefined
    : Options.invalid(function_, "actor", "a reference or a name", given)

type References = typeof Reference

const references = new WeakMap<Any["methods"], References>()

/** The class of references to actors of a definition. */
const referencesTo = (definition: Any): References => {
  const known = references.get(definition.methods)
  if (known !== undefined) return known
  const made = class extends Reference {}
  for (const method of definition.methods.values()) {
    Object.defineProperty(made.prototype, method.name, {
      get(this: Reference) {
        return Reference.ask(this, method)
      }
    })
  }
  references.set(definition.methods, made)
  return made
}

/** Builds the reference to an actor. `D` must be the actor's own definition. */
export const make = <D extends Any>(to: Address, definition: D, defaultMillis: number): ActorRef<D> => {
  const ref: AnyRef = new (referencesTo(definition))(to, definition, defaultMillis)
  // One function per method of the protocol, each with that method's types: true by the loop above.
  return ref as ActorRef<D>
}

/** The schema of references to actors of this definition, for payloads, replies, configurations and states. */
export const Ref = <D extends Any>(definition: D): Schema.declare<ActorRef<D>> => {
  // The definition may be another copy of the same: one in each thread.
  const is = (value: unknown): value is ActorRef<D> =>
    Reference.addressOf(value) !== undefined && (value as AnyRef).definition.actorName === definition.actorName
  return Schema.declare(is, {
    expected: `a reference to a ${definition.actorName}`,
    toCodecJson: () =>
      Schema.link<unknown>()(Schema.Any, {
        decode: SchemaGetter.transform((value) =>
          isSent(value) && (value.kind === undefined || value.kind === definition.actorName)
            ? make(address(value), definition, systemMillis)
            : value
        ),
        encode: SchemaGetter.transform((value) => is(value) ? sent(value) : value)
      })
  })
}

/** A reference on its way says whose it is: where actors of several kinds may be meant, it is taken for no other. */
const isSent = Schema.is(Schema.Struct({
  id: Schema.Int,
  name: Schema.String,
  system: Schema.String,
  // States of before it was said have none.
  kind: Schema.optionalKey(Schema.String)
}))

const sent = (ref: AnyRef): (At & { readonly kind: string }) | undefined => {
  const at = Reference.addressOf(ref)?.at
  return at && { ...at, kind: ref.definition.actorName }
}

/** Where a reference leads that has come from elsewhere. */
const address = (at: At): Address =>
  homes.get(at.system)?.(at) ?? {
    ...at,
    at,
    send: (_method, _payload, _millis, _tell, _failWhenFull, resume) =>
      void resume(Exit.fail(new ActorStopped({ actor: at.name }))),
    abandon: () => {}
  }
