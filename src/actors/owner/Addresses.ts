/**
 * The actors of a system by their numbers, as references name them that come over a border. Who has ended is remembered for a
 * while, so that a late ask is told why.
 */
import * as Exit from "effect/Exit"
import type { Method } from "../Actor.ts"
import { ActorStopped, type AskFailure, MessageRefused } from "../errors.ts"
import type { Called } from "../hosts/Host.ts"
import type { Address } from "../InHand.ts"
import * as Codec from "../messages/Codec.ts"
import { type At, type Requests, requests, systemId, unknownMethod, untouched } from "../messages/requests.ts"
import type { Guardian } from "./Guardian.ts"

/** So many that have ended are remembered. */
const remembered = 10_000

export class Addresses {
  /** Of those whose references have crossed a border. */
  private readonly known = new Map<number, Guardian>()
  private readonly gone = new Set<number>()
  private readonly living: (name: string) => Guardian | undefined

  constructor(living: (name: string) => Guardian | undefined) {
    this.living = living
  }

  /** A reference to the actor crosses a border. */
  note(guardian: Guardian): void {
    this.known.set(guardian.id, guardian)
    if (guardian.status === "ended") this.ended(guardian)
  }

  ended({ id }: Guardian): void {
    if (!this.known.has(id)) return
    this.gone.add(id)
    if (this.gone.size <= remembered) return
    for (const oldest of this.gone) {
      this.gone.delete(oldest)
      return void this.known.delete(oldest)
    }
  }

  /** The actor of this number, while it lives or is remembered. */
  guardian(id: number, name: string): Guardian | undefined {
    const known = this.known.get(id)
    if (known !== undefined) return known
    // An actor knows its own reference without having been given it.
    const living = this.living(name)
    return living?.id === id ? living : undefined
  }

  /** Where messages for an actor go, of whom a reference has come. */
  address({ id, name, system }: At): Address {
    return this.guardian(id, name) ?? deaf(id, name, system, new ActorStopped({ actor: name }))
  }

  /** Whom an actor behind a border calls; what is encoded stays so, where it goes behind a border again. */
  called(id: number, name: string, methodName: string, payload: unknown): Called {
    if (id === systemId) {
      const request = requests[methodName as keyof Requests]
      return { to: deaf(id, name, "", new ActorStopped({ actor: name })), method: request, value: payload }
    }
    const to = this.guardian(id, name)
    if (to === undefined) return failing(id, name, methodName, new ActorStopped({ actor: name }))
    const refused = (reason: string) =>
      failing(id, name, methodName, new MessageRefused({ actor: name, method: methodName, part: "payload", reason }))
    const method = to.definition.methods.get(methodName)
    if (method === undefined) return refused(`${to.definition.actorName} has no method ${methodName}`)
    if (to.host.border) return { to, method: encodedOf(method), value: payload }
    const decoded = method.payload.decode(payload)
    return Exit.isSuccess(decoded) ? { to, method, value: decoded.value } : refused(Codec.reason(decoded))
  }
}

const bareMethods = new WeakMap<Method, Method>()

/** A method whose values are encoded already. */
const encodedOf = (method: Method): Method => {
  const known = bareMethods.get(method)
  if (known !== undefined) return known
  const made = untouched(method)
  bareMethods.set(method, made)
  return made
}

/** A call that fails, whoever makes it. */
const failing = (id: number, name: string, method: string, failure: AskFailure): Called => ({
  to: deaf(id, name, "", failure),
  method: unknownMethod(method),
  value: undefined
})

/** Where whatever is sent fails. */
const deaf = (id: number, name: string, system: string, failure: AskFailure): Address => ({
  id,
  name,
  at: { id, name, system },
  system,
  send: (_method, _payload, _millis, _tell, _failWhenFull, resume) => void resume(Exit.fail(failure)),
  abandon: () => {}
})
