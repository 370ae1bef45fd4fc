/**
 * The actor system as a handler has it, in whatever placement: what it asks of the system is a call like others, by way of its
 * owner, and counts once with the message in hand.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { Any } from "../Actor.ts"
import * as ActorRef from "../ActorRef.ts"
import type { Ended, Named, Shape } from "../ActorSystem.ts"
import { Death } from "../Death.ts"
import { ActorNotFound, type InvalidOption, type SpawnFailure, StartFailed } from "../errors.ts"
import { type Address, current, type Hand, systemMillis } from "../InHand.ts"
import * as Codec from "../messages/Codec.ts"
import { type At, type Belongs, type Requests, requests, systemAddress } from "../messages/requests.ts"
import * as Options from "../Options.ts"
import { noDefinition, type SpawnOptions, spawnRules } from "../SpawnOptions.ts"
import * as Supervision from "../Supervision.ts"

/** What stands behind it. */
export interface Talking {
  /** The system, on this side. */
  readonly home: object
  readonly address: (at: At) => Address
}

/** How long an actor may take to answer what was asked of the system: as long as it takes. */
const endless = Number.POSITIVE_INFINITY

const lost = new TypeError("an actor system is had within the actors of this host; there is none around what runs here")

const far = (member: string) =>
  new TypeError(
    `"${member}" of the actor system is had where the system is, and not in a thread or process of its actors`
  )

/** A reference was given to a system that it is not of. */
export const elsewhere = (name: string): ActorNotFound => new ActorNotFound({ actor: `${name} (of another system)` })

/** Whether its handler goes on after this: it succeeded, or failed with an error that it may handle. */
const isAlive = (exit: Exit.Exit<unknown, unknown>): boolean =>
  Exit.isSuccess(exit) || exit.cause.reasons.every((reason) => reason._tag === "Fail")

/** What of a supervision cannot be told to another thread. */
const untold = (supervision: Supervision.Supervision | undefined): InvalidOption | undefined => {
  if (supervision === undefined || Supervision.isPlain(supervision)) return undefined
  const expected = `one-for-one without "decide" and "backoff", where a handler spawns`
  return Options.invalid("ActorSystem.spawn", "supervision", expected, supervision)
}

/** The system for what runs with a hand of its actors; `outside` for what runs without. */
export const make = ({ address, home }: Talking, outside: Shape | undefined): Shape => {
  const system = systemAddress(
    (_method, _payload, _millis, _tell, _failWhenFull, resume) => void resume(Exit.die(lost))
  )

  const ask = <N extends keyof Requests, A, E>(hand: Hand, name: N, request: Requests[N]): Effect.Effect<A, E> =>
    Effect.callback<A, E>((resume) => {
      const waiting = hand.send(system, requests[name], request, endless, false, false, (outcome) =>
        // What the system answers is of these types, by `owner/Office.ts`.
        resume(outcome as Exit.Exit<A, E>))
      if (waiting === undefined || waiting.resume === undefined) return
      return Effect.sync(() => hand.abandon(waiting))
    })

  /** With the hand of the fiber that asks, or else as it is outside of all actors. */
  const within = <A, E, R>(
    inside: (hand: Hand) => Effect.Effect<A, E, R>,
    otherwise: (outside: Shape) => Effect.Effect<A, E, R>
  ): Effect.Effect<A, E, R> =>
    Effect.suspend(() => {
      const hand = current()
      if (hand?.home === home) return inside(hand)
      return outside === undefined ? Effect.die(lost) : otherwise(outside)
    })

  /** What is done with an actor, where it is one. */
  const ofActor = <A, E>(member: string, actor: Named, then: () => Effect.Effect<A, E>): Effect.Effect<A, E> =>
    Effect.suspend(() => {
      const invalid = ActorRef.noActor(`ActorSystem.${member}`, actor)
      return invalid === undefined ? then() : Effect.die(invalid)
    })

  const askAbout = <A>(hand: Hand, name: "watch" | "stop", actor: Named): Effect.Effect<A, ActorNotFound> => {
    if (typeof actor === "string") return ask(hand, name, { name: actor })
    const to = ActorRef.addressOf(actor)
    // Another system has other actors under the same numbers.
    if (to?.system !== hand.system) return Effect.fail(elsewhere(actor.name))
    return ask(hand, name, { id: to.id, name: to.name })
  }

  const reference = <D extends Any>(definition: D, at: At) => ActorRef.make(address(at), definition, systemMillis)

  const spawn = <D extends Any>(
    hand: Hand,
    definition: D,
    options: SpawnOptions<D>,
    orGet: boolean
  ): Effect.Effect<ActorRef.ActorRef<D>, SpawnFailure, Scope.Scope> =>
    Effect.gen(function*() {
      const invalid = noDefinition("ActorSystem.spawn", definition) ??
        Options.check("ActorSystem.spawn", options, spawnRules) ??
        untold(options.supervision)
      if (invalid !== undefined) return yield* Effect.fail<SpawnFailure>(invalid)
      const { grace, host, mailbox, name, onFailure, placement, supervision } = options
      const encoded = definition.configCodec.encode(options.config)
      if (Exit.isFailure(encoded)) {
        const message = `its config does not fit its schema: ${Codec.reason(encoded)}`
        const death = new Death({ kind: "StartFailed", message })
        return yield* Effect.fail<SpawnFailure>(new StartFailed({ actor: name ?? definition.actorName, death }))
      }
      const scope = yield* Effect.scope
      // What a start spawns ends with its incarnation, what a handler spawns with the actor, or with the scope around it.
      const own = hand.scope === scope
      const belongs: Belongs = hand.seq === 0 ? "incarnation" : own ? "life" : "message"
      const methods = [...definition.methods.values()].map(({ atLeastOnce, cancellable, name, replayable }) => ({
        name,
        replayable,
        cancellable,
        atLeastOnce
      }))
      const at = yield* ask<"spawn", At, SpawnFailure>(hand, "spawn", {
        definition: definition.actorName,
        methods,
        stateful: definition.stateCodec !== undefined,
        belongs,
        pact: onFailure === "fail me",
        orGet,
        config: encoded.value,
        ...(name === undefined ? {} : { name }),
        ...(mailbox === undefined ? {} : { mailbox }),
        ...(host === undefined ? {} : { host }),
        ...(placement === undefined ? {} : { placement }),
        ...(supervision === undefined ? {} : {
          supervision: {
            maxRestarts: supervision.maxRestarts,
            withinMillis: supervision.withinMillis,
            maxConsecutive: supervision.maxConsecutive,
            children: supervision.children
          }
        })
      })
      // Where the message dies it runs again, and has its child still. Who is interrupted may die of it, or not.
      if (!own) {
        const its = { id: at.id, name: at.name }
        const stop = grace === undefined ? its : { ...its, graceMillis: Duration.toMillis(grace) }
        const stopNow = () =>
          void hand.send(system, requests.stop, { ...its, graceMillis: 0 }, endless, false, false, () => {})
        yield* Scope.addFinalizerExit(scope, (exit) => {
          if (isAlive(exit)) return Effect.ignore(ask<"stop", void, unknown>(hand, "stop", stop))
          return Exit.hasDies(exit) ? Effect.void : Effect.sync(() => hand.beforeNext(stopNow))
        })
      }
      return reference(definition, at)
    })

  return {
    spawn: (definition, options) =>
      within((hand) => spawn(hand, definition, options, false), (outside) => outside.spawn(definition, options)),
    spawnOrGet: (definition, options) =>
      within((hand) => spawn(hand, definition, options, true), (outside) => outside.spawnOrGet(definition, options)),
    lookup: (definition, name) =>
      Effect.suspend(() => {
        const invalid = noDefinition("ActorSystem.lookup", definition) ??
          (typeof name === "string" ? undefined : Options.invalid("ActorSystem.lookup", "name", "a text", name))
        if (invalid !== undefined) return Effect.die(invalid)
        return within(
          (hand) =>
            Effect.map(
              ask<"lookup", At, ActorNotFound>(hand, "lookup", { definition: definition.actorName, name }),
              (at) => reference(definition, at)
            ),
          (outside) => outside.lookup(definition, name)
        )
      }),
    watch: (actor) =>
      ofActor(
        "watch",
        actor,
        () => within((hand) => askAbout<Ended>(hand, "watch", actor), (outside) => outside.watch(actor))
      ),
    stop: (actor) =>
      ofActor(
        "stop",
        actor,
        () => within((hand) => askAbout<void>(hand, "stop", actor), (outside) => outside.stop(actor))
      ),
    // What only its owner has is not had from elsewhere.
    actors: outside?.actors ?? Effect.die(far("actors")),
    ended: outside?.ended ?? Effect.die(far("ended")),
    kill: (actor, how) =>
      outside === undefined ? Effect.die(far("kill")) : ofActor("kill", actor, () => outside.kill(actor, how)),
    events: outside?.events ?? Stream.die(far("events"))
  }
}
