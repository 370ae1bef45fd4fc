/**
 * What a handler asks of the system itself: the methods of an actor with the number 0, which every system has. They are kept in the
 * journal of the message in hand as all calls are, so a message that runs again is given the child that it has.
 *
 * Payloads are made by the system on the one side and taken by the system on the other.
 */
import * as Exit from "effect/Exit"
import * as Schema from "effect/Schema"
import type { Any, Method } from "../Actor.ts"
import { Death } from "../Death.ts"
import { PoisonMessage } from "../errors.ts"
import type { Address, At } from "../InHand.ts"
import type { Placement } from "../Placement.ts"
import type { Supervision } from "../Supervision.ts"
import * as Codec from "./Codec.ts"

/** The number of the system itself. */
export const systemId = 0

export type { At }

export interface LookupRequest {
  readonly definition: string
  readonly name: string
}

/** An actor by its reference, or by its name alone. */
export interface NamedRequest {
  readonly id?: number
  readonly name: string
}

export interface StopRequest extends NamedRequest {
  /** How long it may take; the system's own unless given. */
  readonly graceMillis?: number
}

/** To what a child belongs: it ends with the incarnation that has spawned it, with the message, or with its parent's life. */
export type Belongs = "incarnation" | "message" | "life"

/** What an owner must know of a method whose values pass as they are. */
export type Traits = Pick<Method, "name" | "replayable" | "cancellable" | "atLeastOnce">

export interface SpawnRequest {
  readonly definition: string
  /** What its owner must know of the methods of a kind that only its hosts know. */
  readonly methods: ReadonlyArray<Traits>
  readonly stateful: boolean
  readonly belongs: Belongs
  /** Whether a living one of that name and kind will do. */
  readonly orGet: boolean
  readonly name?: string
  readonly config: unknown
  readonly mailbox?: number
  readonly host?: number
  readonly placement?: Placement
  /** Whether its failing for good is its parent's, too. */
  readonly pact: boolean
  readonly supervision?: Pick<Supervision, "maxRestarts" | "withinMillis" | "maxConsecutive" | "children">
}

export interface Requests {
  readonly lookup: LookupRequest
  readonly spawn: SpawnRequest
  readonly watch: NamedRequest
  readonly stop: StopRequest
}

const asItIs: Codec.Codec = {
  encode: Exit.succeed,
  encodeMoving: Exit.succeed,
  decode: Exit.succeed,
  misfit: () => undefined,
  copies: false
}

/** A method whose values are encoded already. */
export const untouched = ({ atLeastOnce, cancellable, name, replayable }: Traits): Method => ({
  name,
  replayable,
  cancellable,
  atLeastOnce,
  payload: asItIs,
  success: asItIs,
  error: asItIs
})

/** One of which nothing is known but its name. */
export const unknownMethod = (name: string): Method =>
  untouched({ name, replayable: true, cancellable: false, atLeastOnce: false })

/** A definition that only the hosts of its actors know: all values pass as they are. */
export class Unknown {
  readonly actorName: string
  readonly methods: ReadonlyMap<string, Method>
  readonly configCodec = asItIs
  readonly stateCodec: Codec.Codec | undefined

  constructor({ definition, methods, stateful }: SpawnRequest) {
    this.actorName = definition
    this.methods = new Map(methods.map((traits) => [traits.name, untouched(traits)]))
    this.stateCodec = stateful ? asItIs : undefined
  }
}

/** What an owner needs of a definition. */
export type Known = Pick<Any, "actorName" | "methods" | "configCodec" | "stateCodec">

const request = (name: keyof Requests, success: Codec.Codec = asItIs): Method => ({
  ...unknownMethod(name),
  success
})

const ended = Codec.make(Schema.Union([
  Schema.Struct({ _tag: Schema.Literal("Stopped") }),
  Schema.Struct({
    _tag: Schema.Literal("Failed"),
    death: Death,
    restarts: Schema.Int,
    poison: Schema.optionalKey(PoisonMessage)
  })
]))

export const requests: { readonly [Name in keyof Requests]: Method } = {
  lookup: request("lookup"),
  spawn: request("spawn"),
  watch: request("watch", ended),
  stop: request("stop")
}

/** Where requests go, from within the actors of a system. `send` is for who is none of them. */
export const systemAddress = (send: Address["send"]): Address => ({
  id: systemId,
  name: "system",
  at: { id: systemId, name: "system", system: "" },
  system: "",
  send,
  abandon: () => {}
})
