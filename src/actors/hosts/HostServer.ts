/**
 * What a host does at the far end of its link: it builds the layer of its behaviors, obeys what its owner says, and
 * reports what its cells do. Each actor is a `Cell`. Replies of one turn of the event loop leave in one message.
 *
 * Whether the link ends in a thread, in a process or in a simulation, it does not know: `ActorHost.launch` serves a real one.
 */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import * as Transferable from "effect/workers/Transferable"
import type { Behavior, Method } from "../Actor.ts"
import { Death, fromCause } from "../Death.ts"
import { EventLoop } from "../EventLoop.ts"
import type { Address, At } from "../InHand.ts"
import type {
  AnswerWord,
  Command,
  HostPort,
  JournalWord,
  Report,
  StartCommand,
  TakenIn,
  ToldThere,
  Working
} from "../links/HostLink.ts"
import * as Codec from "../messages/Codec.ts"
import { systemId } from "../messages/requests.ts"
import { systemKey } from "../systemKey.ts"
import { Cell, type CellMessage, Replayed } from "./Cell.ts"
import type { Answers, Call, Reply, Timers } from "./Host.ts"
import { withInputs } from "./inputs.ts"
import { Outbox } from "./Outbox.ts"
import * as Talk from "./Talk.ts"
import { UnderWay } from "./UnderWay.ts"

export interface HostServerOptions<R> {
  readonly port: HostPort
  /** Under the names of their definitions. */
  readonly behaviors: ReadonlyMap<string, Behavior<R>>
  /** What the behaviors need. */
  readonly layer: Layer.Layer<R, unknown>
  readonly buildId: string | undefined
  /** What the host itself runs by: its event loop, scheduler and clock, where they are not the thread's own. */
  readonly context: Context.Context<never>
}

/** A reply waits at most this long (milliseconds) for others of its turn. */
const mostHeldMillis = 1

const deathCodec = Codec.make(Death)

interface Resident<R> {
  readonly actor: number
  readonly incarnation: number
  readonly cell: Cell<R>
  readonly methods: ReadonlyMap<string, Method>
  readonly underWay: UnderWay
  /** How many messages its hosts have given it so far, and the last one of its owner's that it has answered. */
  taken: number
  last: number
  /** Who has asked it for the last of them, as long as that is in hand. */
  asker: Asker<R> | undefined
  /** The message that made its first call in this incarnation, and when; and how many outcomes it was told from here. */
  calling: { readonly seq: number; readonly since: number; heard: number } | undefined
  /** The call of its message that a neighbor is just being given. */
  handing: number | undefined
}

/** A call of a neighbor. */
interface Asker<R> {
  readonly resident: Resident<R>
  readonly seq: number
  readonly call: number
  /** As which message of the neighbor. */
  readonly message: number
}

type Run<R> = <E>(effect: Effect.Effect<void, E, R>) => Fiber.Fiber<void, E>

export class HostServer<R> {
  private readonly options: HostServerOptions<R>
  private readonly loop: EventLoop
  private readonly port: HostPort
  private readonly residents = new Map<number, Resident<R>>()
  private readonly scope = Scope.makeUnsafe()
  private up = false
  private readonly moved = Transferable.makeCollectorUnsafe()
  private readonly outbox: Outbox<Report>
  private oldest = 0
  /** Something lies there that somebody elsewhere is to get. */
  private urgent = false
  private closing = false
  /** Commands heard. */
  private heard = 0

  constructor(options: HostServerOptions<R>) {
    this.options = options
    this.port = options.port
    this.loop = Context.get(options.context, EventLoop)
    this.outbox = new Outbox(
      (batch) => this.port.post(batch, this.moved.clearUnsafe().filter((value) => value instanceof ArrayBuffer)),
      (report, error) => this.unsendable(report, error)
    )
  }

  /** Builds the layer, then listens. When it cannot be built the host ends, and the owner reads why. */
  serve(): void {
    const { buildId, context, layer } = this.options
    Effect.runForkWith(context)(Layer.buildWithScope(layer, this.scope)).addObserver((exit) => {
      if (Exit.isSuccess(exit)) {
        // What the behaviors need beside the layer: the system that they belong to.
        const complete: Context.Context<R> = Context.addUnsafe(
          Context.merge(context, exit.value),
          systemKey,
          this.system
        )
        return this.listen(Effect.runForkWith(withInputs(complete)), buildId)
      }
      // Thrown where nobody catches it: the host ends by it.
      const reason = `its layer could not be built: ${fromCause("StartFailed", exit.cause).message}`
      this.loop.soon(() => {
        throw new Error(reason, { cause: Cause.squash(exit.cause) })
      })
    })
  }

  /** Where an actor is reached from here, wherever it lives. */
  private readonly address = (at: At): Address => ({
    ...at,
    at,
    // With a message, or a start, in hand it goes by way of that.
    send: (_method, _payload, _millis, _tell, _failWhenFull, resume) =>
      void resume(Exit.die(new TypeError(`${at.name} can be asked from within actors only`))),
    abandon: () => {}
  })

  /** The actor system, as the actors here have it. */
  private readonly system = Talk.make({ home: this, address: this.address }, undefined)

  private listen(run: Run<R>, buildId: string | undefined): void {
    this.up = true
    this.port.listen((batch) => {
      for (const command of batch) this.obey(command, run)
    })
    this.send(["ready", buildId])
  }

  private obey(command: Command, run: Run<R>): void {
    this.heard++
    switch (command[0]) {
      case "start":
        return this.start(command[1], run)
      case "message":
        return this.message(command[1], command[2], command[3], command[4], command[5], command[6])
      case "withdraw":
        return this.withdraw(command[1], command[2], command[3])
      case "forsaken":
        return this.resident(command[1], command[2])?.cell.forsake(command[3])
      case "answered": {
        const [, actor, incarnation, seq, call, kind, value, at, nth] = command
        const resident = this.resident(actor, incarnation)
        resident?.underWay.answered(seq, call, kind)
        return resident?.cell.answered(seq, call, { kind, value, at, nth }, undefined)
      }
      case "stop":
        return this.resident(command[1], command[2])?.cell.stop()
      case "halt":
        return this.resident(command[1], command[2])?.cell.halt()
      case "ping":
        return this.alive(command[1])
      case "fault":
        return this.port.harm(command[1])
      case "close":
        return this.close(run)
    }
  }

  private alive(posted: number): void {
    this.flush()
    this.outbox.posted++
    this.port.post([["alive", posted, this.heard, this.outbox.posted]], [])
  }

  private resident(actor: number, incarnation: number): Resident<R> | undefined {
    const resident = this.residents.get(actor)
    return resident?.incarnation === incarnation ? resident : undefined
  }

  private start(command: StartCommand, run: Run<R>): void {
    const { actor, config, definition, hasState, incarnation, later, name, parent, state, system, taken } = command
    const { behaviors } = this.options
    const behavior = behaviors.get(definition)
    const cannot = (message: string): void => {
      this.send(["died", actor, incarnation, encodeDeath(new Death({ kind: "StartFailed", message })), 0])
    }
    if (behavior === undefined) {
      return cannot(`the host offers no behavior of ${definition}; it offers ${[...behaviors.keys()].join(", ")}`)
    }
    const decoded = behavior.definition.configCodec.decode(config)
    if (Exit.isFailure(decoded)) return cannot(`the config does not fit its schema: ${Codec.reason(decoded)}`)
    const leave = (): void => {
      if (this.residents.get(actor)?.incarnation === incarnation) this.residents.delete(actor)
    }
    const address = this.address({ id: actor, name, system })
    const cell = new Cell({
      behavior,
      actor: { id: actor, name, parentName: parent, address, home: this, system },
      incarnation,
      loop: this.loop,
      now: this.loop.now,
      config: decoded.value,
      restored: hasState ? Option.some(state) : Option.none(),
      carry,
      report: {
        started: (timers) =>
          this.send(timers === undefined ? ["started", actor, incarnation] : ["started", actor, incarnation, timers]),
        replied: (seq, method, reply, state, timers, answers) =>
          this.reply(resident, seq, method, reply, state, timers, answers),
        answered: (answers) => this.send(["answers", actor, incarnation, answers]),
        timed: (timers) => this.send(["timed", actor, incarnation, timers]),
        asking: (call) => this.asking(resident, call),
        abandoned: (seq, call) => {
          resident.underWay.forget(seq, call)
          this.send(["abandoned", actor, incarnation, seq, call])
        },
        slept: (seq, nth, heard, slept, began) =>
          this.send(["slept", actor, incarnation, seq, nth, heard, slept, began]),
        died: (death, seq) => {
          leave()
          this.send(["died", actor, incarnation, encodeDeath(death), seq])
          this.closeWhenEmpty(run)
        },
        stopped: () => {
          leave()
          this.send(["stopped", actor, incarnation])
          this.closeWhenEmpty(run)
        }
      }
    }, later)
    const resident: Resident<R> = {
      actor,
      incarnation,
      cell,
      methods: behavior.definition.methods,
      underWay: new UnderWay(incarnation),
      taken,
      last: 0,
      asker: undefined,
      calling: undefined,
      handing: undefined
    }
    this.residents.set(actor, resident)
    cell.start(run)
  }

  /**
   * A call leaves for the owner. Where a neighbor is asked who is free, it is given the message at once: the owner hears of it in
   * the same order as of all that follows, so what it does not hear of has had no effect that counts.
   */
  private asking(asker: Resident<R>, call: Call): void {
    const { actor, incarnation, underWay } = asker
    const { answered, began, failWhenFull, heard, method, millis, mode, payload, seq, slept, to } = call
    const { calling } = asker
    if (seq !== 0 && calling?.seq !== seq && call.call === 1) asker.calling = { seq, since: this.loop.now(), heard: 0 }
    // What may run once only must be known to the owner before it does.
    const may = mode === "ask" && seq !== 0 && asker.cell.replayable && !underWay.has(to.id)
    const neighbor = may ? this.residents.get(to.id) : undefined
    const message = neighbor !== undefined && neighbor !== asker && neighbor.cell.free && !this.closing
      ? messageFor(neighbor, method.name, payload)
      : undefined
    let taken: TakenIn | undefined
    if (neighbor === undefined || message === undefined) {
      if (to.id !== systemId) underWay.add(seq, call.call, to.id, mode === "ask")
      this.urgent = true
    } else {
      neighbor.taken++
      neighbor.asker = { resident: asker, seq, call: call.call, message: message.seq }
      taken = [neighbor.incarnation, message.seq, neighbor.last]
      // What others are waiting for leaves before this thread begins to work.
      if (this.urgent) this.flush()
    }
    this.send([
      "asking",
      actor,
      incarnation,
      seq,
      call.call,
      mode,
      to.id,
      to.name,
      method.name,
      payload,
      millis,
      failWhenFull,
      heard,
      slept,
      began,
      answered,
      taken
    ])
    if (message === undefined) return
    asker.handing = call.call
    neighbor?.cell.push(message)
    asker.handing = undefined
  }

  private message(
    actor: number,
    incarnation: number,
    seq: number,
    name: string,
    payload: unknown,
    journal: JournalWord | undefined
  ): void {
    const resident = this.resident(actor, incarnation)
    if (resident === undefined) return
    const method = resident.methods.get(name)
    if (method === undefined) return this.send(["refused", actor, incarnation, seq, `the host knows no method ${name}`])
    const decoded = method.payload.decode(payload)
    if (Exit.isFailure(decoded)) return this.send(["refused", actor, incarnation, seq, Codec.reason(decoded)])
    const message = { seq, method, payload: decoded.value }
    resident.cell.push(journal === undefined ? message : new Replayed(message, journal))
  }

  private withdraw(actor: number, incarnation: number, seq: number): void {
    const resident = this.resident(actor, incarnation)
    if (resident?.cell.withdraw(seq) === true) this.send(["withdrawn", actor, incarnation, seq])
  }

  private reply(
    resident: Resident<R>,
    seq: number,
    method: Method,
    reply: Reply,
    state: unknown,
    timers: Timers,
    answers: Answers
  ): void {
    const { actor, asker, calling, incarnation } = resident
    const [kind, value] = reply === "later" ? ["later", undefined] as const : this.encode(method, reply)
    const heard = calling?.seq === seq ? calling.heard : 0
    resident.calling = undefined
    resident.asker = undefined
    if (seq > 0) resident.last = seq
    if (asker?.message === seq && kind === "success" && method.success.copies) {
      const nth = asker.resident.cell.lacksOnly(asker.seq, asker.call)
      const { calling } = asker.resident
      if (nth !== undefined && calling?.seq === asker.seq) {
        const at = this.loop.now() - calling.since
        const within = asker.resident.handing === asker.call
        const told: ToldThere = [asker.resident.actor, asker.resident.incarnation, asker.seq, asker.call, at, within]
        calling.heard++
        // First: what its asker does then comes after it.
        this.send(["replied", actor, incarnation, seq, kind, value, state, timers, answers, told, heard])
        return asker.resident.cell.answered(asker.seq, asker.call, { kind, value, at, nth }, undefined)
      }
    }
    if (heard > 0) {
      this.send(["replied", actor, incarnation, seq, kind, value, state, timers, answers, undefined, heard])
    } else if (answers !== undefined) {
      this.send(["replied", actor, incarnation, seq, kind, value, state, timers, answers])
    } else if (timers !== undefined) this.send(["replied", actor, incarnation, seq, kind, value, state, timers])
    else this.send(["replied", actor, incarnation, seq, kind, value, state])
  }

  /** An outcome on its way. */
  private encode(method: Method, outcome: Exit.Exit<unknown, unknown>) {
    const failure = Exit.isFailure(outcome) ? outcome.cause.reasons.find(Cause.isFailReason) : undefined
    const encoded = Exit.isSuccess(outcome)
      ? method.success.encodeMoving(outcome.value, this.moved)
      : method.error.encodeMoving(failure?.error, this.moved)
    if (Exit.isFailure(encoded)) return ["refused", Codec.reason(encoded)] as const
    return [Exit.isSuccess(outcome) ? "success" : "failure", encoded.value] as const
  }

  private send(report: Report): void {
    const size = this.outbox.push(report)
    if (size === 1) {
      this.oldest = this.loop.now()
      this.loop.turn.afterwards(this.flush)
    } else if (this.loop.now() - this.oldest > mostHeldMillis) this.flush()
  }

  private readonly flush = (): void => {
    this.urgent = false
    this.outbox.flush()
  }

  private unsendable(report: Report, error: unknown): void {
    const reason = error instanceof Error ? error.message : String(error)
    const refused = (answers: ReadonlyArray<AnswerWord>): ReadonlyArray<AnswerWord> =>
      answers.map(([seq]) => [seq, "refused", reason])
    if (report[0] === "answers") return this.outbox.say([report[0], report[1], report[2], refused(report[3])])
    if (report[0] !== "replied") throw error
    const [kind, actor, incarnation, seq, outcome, value, state, timers, answers, told, heard = 0] = report
    if (answers === undefined) {
      return this.outbox.say([kind, actor, incarnation, seq, "refused", reason, state, timers, answers, told, heard])
    }
    // It may be one of the answers that cannot be sent, or the reply itself.
    const others = refused(answers)
    try {
      this.outbox.say([kind, actor, incarnation, seq, outcome, value, state, timers, others, told, heard])
    } catch {
      this.outbox.say([kind, actor, incarnation, seq, "refused", reason, state, timers, others, told, heard])
    }
  }

  /**
   * To be called when the host ends by itself, with what was thrown, if something was. The replies of this turn leave, and
   * who was at work: so that a neighbor's end is not held against those who were not.
   */
  lastWord(thrown: Death | undefined): void {
    const death = thrown === undefined ? undefined : encodeDeath(thrown)
    if (!this.up) return this.port.post([["exiting", [], death]], [])
    const working: Array<Working> = []
    for (const [actor, { cell, incarnation }] of this.residents) {
      if (cell.working) working.push([actor, incarnation, cell.starting ? undefined : cell.seq])
    }
    this.send(["exiting", working, death])
    this.flush()
  }

  private close(run: Run<R>): void {
    this.closing = true
    for (const { cell } of this.residents.values()) cell.stop()
    this.closeWhenEmpty(run)
  }

  private closeWhenEmpty(run: Run<R>): void {
    if (!this.closing || this.residents.size > 0) return
    this.flush()
    run(Scope.close(this.scope, Exit.void)).addObserver(() => this.port.exit())
  }
}

/** A neighbor's payload as its next message, where it can be handed over so. */
const messageFor = <R>({ methods, taken }: Resident<R>, name: string, payload: unknown): CellMessage | undefined => {
  const method = methods.get(name)
  // What is sent on must not change with what is handled here meanwhile.
  if (method === undefined || !method.replayable || !method.payload.copies) return undefined
  const decoded = method.payload.decode(payload)
  return Exit.isSuccess(decoded) ? { seq: -1 - taken, method, payload: decoded.value } : undefined
}

/** A payload that stays on its way until its time has come. */
const carry = (method: Method, payload: unknown): Exit.Exit<unknown, string> => {
  const encoded = method.payload.encode(payload)
  return Exit.isSuccess(encoded) ? Exit.succeed(encoded.value) : Exit.fail(Codec.reason(encoded))
}

const encodeDeath = (death: Death): unknown => {
  const encoded = deathCodec.encode(death)
  return Exit.isSuccess(encoded) ? encoded.value : undefined
}
