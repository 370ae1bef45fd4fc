/**
 * Where the system answers what handlers ask of it: who is there, who is to be spawned, stopped or waited for. Handlers anywhere
 * come here by way of their guardian, which keeps what they were told.
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { ActorNotFound, InvalidOption, StartFailed } from "../errors.ts"
import { type At, type NamedRequest, type Requests, type SpawnRequest, Unknown } from "../messages/requests.ts"
import * as Supervision from "../Supervision.ts"
import type { Addresses } from "./Addresses.ts"
import type { Served } from "./Calls.ts"
import type { Guardian } from "./Guardian.ts"
import type { System } from "./System.ts"

type Resume = (outcome: Exit.Exit<unknown, unknown>) => void

export class Office {
  private readonly system: System
  private readonly addresses: Addresses
  private readonly fork: (effect: Effect.Effect<void>) => void
  /** Kinds that only their hosts know, by name: one definition each. */
  private readonly unknown = new Map<string, Unknown>()

  constructor(system: System, addresses: Addresses, fork: (effect: Effect.Effect<void>) => void) {
    this.system = system
    this.addresses = addresses
    this.fork = fork
  }

  /** Answers, now or later. */
  serve(asker: Guardian, name: string, request: unknown, resume: Resume): Served | undefined {
    // Both sides are of one build, and the request is made by `hosts/Talk.ts`.
    const given = <N extends keyof Requests>(_: N) => request as Requests[N]
    switch (name as keyof Requests) {
      case "lookup": {
        const { definition, name } = given("lookup")
        const found = this.system.get(name)
        if (found === undefined) return void resume(Exit.fail(new ActorNotFound({ actor: name })))
        return void resume(found.definition.actorName === definition ? this.at(found) : notOf(name, definition))
      }
      case "spawn":
        return this.spawn(asker, given("spawn"), resume)
      case "watch": {
        const found = this.find(given("watch"))
        if (found === undefined) return void resume(Exit.fail(new ActorNotFound({ actor: given("watch").name })))
        return { callOff: found.whenEnded((ended) => resume(Exit.succeed(ended))) }
      }
      case "stop": {
        const { graceMillis = this.system.graceMillis, ...which } = given("stop")
        const found = this.find(which)
        if (found === undefined || found.status === "ended") {
          return void resume(Exit.fail(new ActorNotFound({ actor: which.name })))
        }
        // Who ends itself is not to wait for that: it ends with the message in hand, however long that takes.
        if (found === asker) return void (found.stop(), resume(Exit.void))
        this.fork(Effect.map(Effect.exit(this.system.stop(found, graceMillis)), resume))
        return { waitsFor: found }
      }
    }
  }

  private spawn(asker: Guardian, request: SpawnRequest, resume: Resume): Served | undefined {
    const { belongs, definition: kind, name, orGet } = request
    const there = name === undefined || !orGet ? undefined : this.system.get(name)
    if (there !== undefined) {
      return void resume(there.definition.actorName === kind ? this.at(there) : notOf(there.name, kind))
    }
    const { host, mailbox, pact, placement = asker.host.placement, supervision } = request
    const offered = this.system.definitionOf(kind, placement)
    const definition = offered ?? this.unknownOf(request)
    const config = offered === undefined ? Exit.succeed(request.config) : offered.configCodec.decode(request.config)
    if (Exit.isFailure(config)) {
      const expected = "what its schema says"
      return void resume(
        Exit.fail(
          new InvalidOption({ function: "ActorSystem.spawn", option: "config", expected, given: "something else" })
        )
      )
    }
    const spawned = this.system.spawn(definition, {
      placement,
      config: config.value,
      adopt: (child) => asker.adopt(child, belongs, pact),
      ...(name === undefined ? {} : { name }),
      ...(mailbox === undefined ? {} : { mailbox }),
      ...(host === undefined ? {} : { host }),
      ...(supervision === undefined ? {} : {
        supervision: Supervision.oneForOne({
          maxRestarts: supervision.maxRestarts,
          within: supervision.withinMillis,
          maxConsecutive: supervision.maxConsecutive,
          children: supervision.children
        })
      })
    })
    if (Exit.isFailure(spawned)) return void resume(spawned)
    const child = spawned.value
    this.fork(Effect.map(Effect.exit(child.firstStart), (started) => {
      if (Exit.isSuccess(started)) return resume(this.at(child))
      const failure = started.cause.reasons.find((reason) => reason._tag === "Fail")
      if (failure !== undefined) resume(Exit.fail(new StartFailed({ actor: child.name, death: failure.error })))
    }))
    return { waitsFor: child }
  }

  private find({ id, name }: NamedRequest): Guardian | undefined {
    return id === undefined ? this.system.get(name) : this.addresses.guardian(id, name)
  }

  /** The actor's reference, on its way. */
  private at(guardian: Guardian): Exit.Exit<At> {
    return Exit.succeed(guardian.at)
  }

  private unknownOf(request: SpawnRequest): Unknown {
    const known = this.unknown.get(request.definition)
    if (known !== undefined) return known
    const made = new Unknown(request)
    this.unknown.set(request.definition, made)
    return made
  }
}

const notOf = (name: string, definition: string) => Exit.fail(new ActorNotFound({ actor: `${name} (${definition})` }))
