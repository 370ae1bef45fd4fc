/**
 * The host that runs actors as fibers beside their owner, in one thread: messages go straight to the mailbox, as they
 * are. For actors that wait more than they compute, for tests, and where one core is all there is.
 */
import * as Cause from "effect/Cause"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import type { Time } from "../../time/runningTime.ts"
import type { Any, Behavior, Method } from "../Actor.ts"
import { Death, fromUnknown } from "../Death.ts"
import { MessageRefused } from "../errors.ts"
import { type EventLoop, timeOf } from "../EventLoop.ts"
import { type Fault, Injected } from "../Fault.ts"
import type { AnswerWord, JournalWord, TimerChange } from "../links/HostLink.ts"
import { Cell, type CellReport, Replayed } from "./Cell.ts"
import type { Answers, Call, Envelope, Host, Reply, Tenant, Timers, Told } from "./Host.ts"
import { withInputs } from "./inputs.ts"

export class FiberHost<R> implements Host {
  readonly index: number
  readonly placement = "fiber"
  readonly border = false
  private readonly cells = new Map<number, Cell<R>>()
  private readonly tenants = new Set<number>()
  private readonly behaviors: ReadonlyMap<string, Behavior<R>>
  private readonly loop: EventLoop
  /** Asked for at the first actor, since it may hold the system that is just being built. */
  private readonly context: () => Context.Context<R>
  /** Whether replies are held against their schemas. */
  private readonly checks: boolean
  private run: (<E>(effect: Effect.Effect<void, E, R>) => Fiber.Fiber<void, E>) | undefined
  private time: Time | undefined

  constructor(
    index: number,
    behaviors: ReadonlyMap<string, Behavior<R>>,
    loop: EventLoop,
    context: () => Context.Context<R>,
    checks: boolean
  ) {
    this.index = index
    this.behaviors = behaviors
    this.loop = loop
    this.context = context
    this.checks = checks
  }

  /** What is served here under this name. */
  definition(name: string): Any | undefined {
    return this.behaviors.get(name)?.definition
  }

  readonly queued = 0

  get population(): number {
    return this.tenants.size
  }

  place(tenant: Tenant): void {
    this.tenants.add(tenant.id)
    const { definition, incarnation } = tenant
    const behavior = this.behaviors.get(definition.actorName)
    if (behavior === undefined) {
      const message = `no behavior of ${definition.actorName} was given; known: ${
        [...this.behaviors.keys()].join(", ")
      }`
      return tenant.died(incarnation, new Death({ kind: "StartFailed", message }), 0)
    }
    if (behavior.definition.methods !== definition.methods) {
      const message = `the behavior given is of another definition that is named ${definition.actorName}, too`
      return tenant.died(incarnation, new Death({ kind: "StartFailed", message }), 0)
    }
    const report = new Reporter<R>(this.cells, tenant, this.checks)
    const cell = new Cell({
      behavior,
      actor: tenant,
      incarnation,
      loop: this.loop,
      now: (this.time ??= timeOf(this.context())).now,
      config: tenant.config,
      restored: tenant.hasState ? Option.some(tenant.state) : Option.none(),
      carry: this.carry,
      report
    }, tenant.later)
    report.cell = cell
    this.cells.set(tenant.id, cell)
    cell.start(this.run ??= Effect.runForkWith(withInputs(this.context())))
  }

  private readonly carry = (method: Method, payload: unknown): Exit.Exit<unknown, string> => {
    const misfit = this.checks ? method.payload.misfit(payload) : undefined
    return misfit === undefined ? Exit.succeed(payload) : Exit.fail(misfit)
  }

  deliver(tenant: Tenant, envelope: Envelope, journal: JournalWord | undefined): void {
    const cell = this.cells.get(tenant.id)
    const message = journal === undefined ? envelope : new Replayed(envelope, journal)
    if (envelope.tell) return cell?.put(message)
    // What was sent to other threads before goes out before this one begins to work.
    this.loop.turn.settle()
    cell?.push(message)
  }

  answered(
    tenant: Tenant,
    seq: number,
    call: number,
    told: Told | undefined,
    outcome: Exit.Exit<unknown, unknown>
  ): void {
    this.cells.get(tenant.id)?.answered(seq, call, told, outcome)
  }

  withdraw(tenant: Tenant, { seq }: Envelope): void {
    const { incarnation } = tenant
    if (this.cells.get(tenant.id)?.withdraw(seq) === true) tenant.withdrawn(incarnation, seq)
  }

  forsake(tenant: Tenant, seq: number): void {
    this.cells.get(tenant.id)?.forsake(seq)
  }

  stop(tenant: Tenant): void {
    this.cells.get(tenant.id)?.stop()
  }

  halt(tenant: Tenant): void {
    this.cells.get(tenant.id)?.halt()
  }

  kill(tenant: Tenant, how: Fault): Effect.Effect<void> {
    return Effect.suspend(() => {
      const cell = this.cells.get(tenant.id)
      cell?.halt(how === "terminate" ? undefined : fromUnknown("Defect", new Injected({ fault: how })))
      return cell?.gone ?? Effect.void
    })
  }

  evict(tenant: Tenant, gone?: () => void): void {
    this.tenants.delete(tenant.id)
    if (gone === undefined) return
    const cell = this.cells.get(tenant.id)
    if (cell === undefined) gone()
    else cell.whenGone(gone)
  }
}

/** What a cell here has to say, for its tenant. */
class Reporter<R> implements CellReport {
  cell: Cell<R> | undefined
  private readonly cells: Map<number, Cell<R>>
  private readonly tenant: Tenant
  private readonly incarnation: number
  private readonly checks: boolean

  constructor(cells: Map<number, Cell<R>>, tenant: Tenant, checks: boolean) {
    this.cells = cells
    this.tenant = tenant
    this.checks = checks
    this.incarnation = tenant.incarnation
  }

  started(timers: Timers): void {
    this.tenant.started(this.incarnation, timers)
  }

  replied(
    seq: number,
    method: Method,
    reply: Reply,
    state: unknown,
    timers: Timers,
    answers: Answers
  ): void {
    const told = this.checks && reply !== "later" ? this.checked(method, reply) : reply
    this.tenant.replied(this.incarnation, seq, told, state, timers, answers)
  }

  answered(answers: ReadonlyArray<AnswerWord>): void {
    this.tenant.answered(this.incarnation, answers)
  }

  timed(timers: ReadonlyArray<TimerChange>): void {
    this.tenant.timed(this.incarnation, timers)
  }

  /** What the caller is told: that the reply does not fit, where it does not. */
  private checked(method: Method, outcome: Exit.Exit<unknown, unknown>): Exit.Exit<unknown, unknown> {
    const reason = Exit.isSuccess(outcome)
      ? method.success.misfit(outcome.value)
      : method.error.misfit(outcome.cause.reasons.find(Cause.isFailReason)?.error)
    if (reason === undefined) return outcome
    return Exit.fail(new MessageRefused({ actor: this.tenant.name, method: method.name, part: "reply", reason }))
  }

  asking(call: Call): void {
    this.tenant.asking(this.incarnation, call)
  }

  abandoned(seq: number, call: number): void {
    this.tenant.abandoned(this.incarnation, seq, call)
  }

  slept(seq: number, nth: number, heard: number, _slept: number, began: number | undefined): void {
    this.tenant.slept(this.incarnation, seq, nth, heard, began)
  }

  died(death: Death, seq: number): void {
    this.leave()
    this.tenant.died(this.incarnation, death, seq)
  }

  stopped(): void {
    this.leave()
    this.tenant.stopped(this.incarnation)
  }

  private leave(): void {
    if (this.cells.get(this.tenant.id) === this.cell) this.cells.delete(this.tenant.id)
  }
}
