/**
 * What an actor is: a name for its kind, the schemas of its configuration, of the state that a restart restores, and of
 * its messages. And what it does: a behavior, kept apart so that the asking side need not load it.
 *
 * ```ts
 * export class Counter extends Actor.make("Counter", {
 *   config: Schema.Struct({ start: Schema.Int }),
 *   state: Schema.Struct({ total: Schema.Int }),
 *   protocol: [Rpc.make("Add", { payload: { n: Schema.Int }, success: Schema.Int })]
 * }) {}
 *
 * export const CounterBehavior = Counter.behavior(({ config, restored }) =>
 *   Effect.sync(() => {
 *     let total = Option.match(restored, { onNone: () => config.start, onSome: (state) => state.total })
 *     return {
 *       handlers: { Add: ({ n }) => Effect.sync(() => (total += n)) },
 *       snapshot: () => ({ total })
 *     }
 *   })
 * )
 * ```
 *
 * The protocol is a group of Effect's `Rpc` definitions, so that the same one can serve over HTTP or in a cluster.
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import * as Rpc from "effect/rpc/Rpc"
import * as RpcGroup from "effect/rpc/RpcGroup"
import * as RpcSchema from "effect/rpc/RpcSchema"
import * as Schema from "effect/Schema"
import type { Scope } from "effect/Scope"
import { type ActorRef, type AnyRef, Ref } from "./ActorRef.ts"
import { InvalidOption } from "./errors.ts"
import * as Codec from "./messages/Codec.ts"
import * as Options from "./Options.ts"
import type { Self } from "./Self.ts"
import { type Answer, later, Token } from "./Token.ts"

export { later, Ref, Rpc, Token }

/**
 * Annotates a method that must not run twice (it sends mail, it moves a robot): after a death in which it may have
 * started, its caller gets `ActorDied` instead of a second run.
 *
 * `Rpc.make("Send", { ... }).annotate(Actor.NonReplayable, true)`
 */
export const NonReplayable = Context.Reference<boolean>("troupe/actors/NonReplayable", { defaultValue: () => false })

/**
 * Annotates a method that need not come to its end where nobody waits for its answer any more: an ask that is interrupted or
 * runs out of time then ends the incarnation that has it in hand. The message is dropped, the next incarnation begins with
 * what was committed before it, and no restart is counted.
 *
 * `Rpc.make("Search", { ... }).annotate(Actor.Cancellable, true)`
 */
export const Cancellable = Context.Reference<boolean>("troupe/actors/Cancellable", { defaultValue: () => false })

/**
 * Annotates a method whose handler need not do the same when its message runs again after a death: what it has asked, told and
 * spawned before is not kept, and happens once more. For what does not follow from payload, state and answers alone.
 *
 * `Rpc.make("Poll", { ... }).annotate(Actor.AtLeastOnce, true)`
 */
export const AtLeastOnce = Context.Reference<boolean>("troupe/actors/AtLeastOnce", { defaultValue: () => false })

/** One method of a protocol, as the system needs it. */
export interface Method {
  readonly name: string
  readonly replayable: boolean
  readonly cancellable: boolean
  readonly atLeastOnce: boolean
  readonly payload: Codec.Codec
  readonly success: Codec.Codec
  readonly error: Codec.Codec
}

/** An actor's definition: what `make` returns and a class extends. */
export interface Actor<
  Name extends string,
  Config extends Schema.Top,
  State extends Schema.Top,
  Rpcs extends Rpc.Any
> extends Any {
  new(_: never): object
  readonly actorName: Name
  readonly config: Config
  readonly state: State
  readonly protocol: RpcGroup.RpcGroup<Rpcs>

  /**
   * Says what the actor does. `start` runs once per incarnation: it gets the configuration and, after a restart, the
   * last committed state, and returns a handler per method, and for an actor with `state` the `snapshot` that is
   * committed together with every reply. It may use services and a `Scope`, which closes when the incarnation ends. Take
   * services here, once, rather than in the handlers (where two handlers with different needs want a type argument).
   *
   * A handler's failure goes to its caller and the actor lives on; a defect ends the incarnation. Handlers run one at a
   * time, in order of arrival. What they need of a `Scope` is the incarnation's: wrap in `Effect.scoped` what one
   * message acquires.
   */
  behavior<E = never, R = never, RH = never>(
    start: (
      context: BehaviorContext<Config["Type"], State["Type"], Rpcs, ActorRef<Actor<Name, Config, State, Rpcs>>>
    ) => Effect.Effect<Serving<Handlers<Rpcs, RH>, State["Type"]>, E, R>
  ): Behavior<Exclude<R | RH, Scope>>
}

/** Any definition, for what does not care which. */
export interface Any {
  readonly actorName: string
  readonly config: Schema.Top
  readonly state: Schema.Top
  readonly protocol: RpcGroup.Any
  readonly methods: ReadonlyMap<string, Method>
  readonly configCodec: Codec.Codec
  /** `undefined` for an actor without committed state. */
  readonly stateCodec: Codec.Codec | undefined
}

/** The methods of a definition, as `Rpc` types. */
export type Rpcs<D extends Any> = RpcGroup.Rpcs<D["protocol"]>

/** What an incarnation is told at its start. */
export interface BehaviorContext<Config, State, Rpcs extends Rpc.Any = Rpc.Any, Ref = AnyRef> {
  readonly config: Config
  /** The last committed state; none in the first incarnation, and in one whose forerunner never answered. */
  readonly restored: Option.Option<State>
  readonly name: string
  /** 1, 2, ... */
  readonly incarnation: number
  /** What the actor can do with itself: set timers, hand out its reference, end. */
  readonly self: Self<Rpcs, Ref>
  /** The name of the actor that has spawned it; `undefined` where the program did. */
  readonly parent: string | undefined
  /** Answers a message that was to be answered later (`Actor.later`). */
  readonly answer: Answer
}

/**
 * A handler per method: from its payload to its success or error. The token is for what is answered later: a handler that
 * keeps it ends with `Actor.later`.
 */
export type Handlers<Rpcs extends Rpc.Any, R> = {
  readonly [Current in Rpcs as Current["_tag"]]: (
    payload: Rpc.Payload<Current>,
    token: Token
  ) => Effect.Effect<Rpc.Success<Current>, Rpc.Error<Current>, R>
}

/** What a behavior's start returns. An actor with a `state` schema must take snapshots, another cannot. */
export type Serving<H, State> =
  & { readonly handlers: H }
  & ([State] extends [never] ? { readonly snapshot?: never } : { readonly snapshot: () => State })

/** Handlers and snapshot with the types of their messages erased. */
export interface ServingAny {
  readonly handlers: { readonly [method: string]: (payload: unknown, token: Token) => Effect.Effect<unknown, unknown> }
  readonly snapshot?: () => unknown
}

/** What an actor does, with what it needs (`R`) beside its own scope. */
export interface Behavior<out R> {
  readonly definition: Any
  readonly start: (context: BehaviorContext<unknown, unknown>) => Effect.Effect<ServingAny, unknown, R | Scope>
}

/** The services of a list of behaviors. */
export type Services<B extends ReadonlyArray<Behavior<unknown>>> = ServicesOf<B[number]>

type ServicesOf<B> = B extends Behavior<infer R> ? R : never

/** Names of a reference's own members, which no method may have. */
export type Reserved = typeof reserved[number]

const reserved = ["name", "definition", "tell", "then"] as const

/** `unknown` for a protocol that will do, else what is wrong with it. */
type Allowed<R extends Rpc.Any> = [R] extends [never] ? unknown
  : [Rpc.Services<R>] extends [never] ?
    [Extract<R["_tag"], Reserved>] extends [never]
      ? [Rpc.SuccessChunk<R>] extends [never] ? unknown : "a method of an actor cannot stream"
    : "a method's name is reserved"
  : "the schemas of a protocol must not need services"

const compile = (rpc: Rpc.AnyWithProps): Method => ({
  name: rpc._tag,
  replayable: !Context.get(rpc.annotations, NonReplayable),
  cancellable: Context.get(rpc.annotations, Cancellable),
  atLeastOnce: Context.get(rpc.annotations, AtLeastOnce),
  // `Allowed` has seen to it that these need no services.
  payload: Codec.make(rpc.payloadSchema as Codec.Plain),
  success: Codec.make(rpc.successSchema as Codec.Plain),
  error: Codec.make(rpc.errorSchema as Codec.Plain)
})

const definitionRules = {
  config: Options.such(Schema.isSchema, "a schema"),
  state: Options.such(Schema.isSchema, "a schema"),
  protocol: Options.required(
    Options.such((value) => Array.isArray(value) && value.every(Rpc.isRpc), "a list of Rpc definitions")
  )
}

/** Defines a kind of actor; see the head of this file. Throws an `InvalidOption`. */
export const make = <
  const Name extends string,
  const Protocol extends ReadonlyArray<Rpc.Any>,
  Config extends Schema.Codec<unknown, unknown> = typeof Schema.Void,
  State extends Schema.Codec<unknown, unknown> = typeof Schema.Never
>(name: Name, options: {
  readonly config?: Config
  readonly state?: State
  readonly protocol: Protocol & Allowed<Protocol[number]>
}): Actor<Name, Config, State, Protocol[number]> => {
  const invalid = Options.check("Actor.make", { name }, { name: Options.required(Options.name) }) ??
    Options.check(`Actor.make("${name}")`, options, definitionRules)
  if (invalid !== undefined) throw invalid
  const protocol = RpcGroup.make(...options.protocol)
  const methods = new Map<string, Method>()
  for (const rpc of options.protocol) {
    const wrong = (expected: string, given: string) =>
      new InvalidOption({ function: `Actor.make("${name}")`, option: "protocol", expected, given })
    if (methods.has(rpc._tag)) throw wrong("methods with names of their own", `two of "${rpc._tag}"`)
    // Types say so, too; not all programs have them.
    if (reserved.some((name) => name === rpc._tag)) {
      throw wrong(`methods of other names than ${reserved.join(", ")}`, `one of "${rpc._tag}"`)
    }
    const whole = rpc as unknown as Rpc.AnyWithProps
    if (RpcSchema.isStreamSchema(whole.successSchema)) {
      throw wrong("methods that answer once", `"${rpc._tag}", which is a stream: let it be asked for the next piece`)
    }
    methods.set(rpc._tag, compile(whole))
  }
  const definition = Object.assign(function() {}, {
    actorName: name,
    config: options.config ?? Schema.Void,
    state: options.state ?? Schema.Never,
    protocol,
    methods,
    configCodec: Codec.make(options.config ?? Schema.Void),
    stateCodec: options.state === undefined ? undefined : Codec.make(options.state),
    behavior(this: Any, start: unknown): unknown {
      return { definition: this, start }
    }
  })
  // TypeScript cannot relate the defaults of optional schemas to the type parameters.
  return definition as unknown as Actor<Name, Config, State, Protocol[number]>
}
