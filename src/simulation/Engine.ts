/**
 * The engine: a host's part of a simulation. It has a queue of events in one total order, a table of the agents of its
 * shares, and the streams that they draw from; and it is what handlers, processes and set-ups have as their `sim`.
 *
 * Shares tell each other nothing but messages, which take at least the lookahead. So a share's history depends on what
 * it is sent alone, and is the same whichever host it lives on, and whoever else lives there.
 */
import { plainLine, thrownText } from "../text/plainLine.ts"
import type { Agent, AgentRef, AnyAgent } from "./Agent.ts"
import { AgentTable, birthOf, nowhere, numberOf, Share, shareOf } from "./AgentTable.ts"
import { Cancellations } from "./Cancellations.ts"
import type { Columns } from "./columns.ts"
import { Decisions } from "./Decisions.ts"
import type { ToldEvent } from "./Difference.ts"
import {
  AsyncInSimulation,
  HandlerFailed,
  InvalidModel,
  InvalidTime,
  InvalidUse,
  isSimulationFault,
  LookaheadViolated,
  NotReproducible,
  type SimulationFault
} from "./errors.ts"
import { EventQueue, none } from "./EventQueue.ts"
import { eventKind, type Question, type Repetition, type Reply } from "./events.ts"
import { Kinds } from "./Kinds.ts"
import type { Cells, Lattice } from "./Lattice.ts"
import { type AnyModel, configured } from "./Model.ts"
import type { Part, PartHost } from "./Part.ts"
import { Container, type ContainerOptions } from "./parts/Container.ts"
import { type Action, Decision, type Rule, type View } from "./parts/Decision.ts"
import { Graph, type GraphOptions } from "./parts/Graph.ts"
import { Grid, type GridOptions } from "./parts/Grid.ts"
import { Monitor } from "./parts/Monitor.ts"
import { Resource } from "./parts/Resource.ts"
import { Space, type SpaceOptions } from "./parts/Space.ts"
import { Store, type StoreOptions } from "./parts/Store.ts"
import { copied, NotPlain } from "./plainData.ts"
import { type Population, type Rows, stepMessage } from "./Population.ts"
import { Process, type ProcessBody, type ProcessDefinition, type Wait, type Waiter } from "./Process.ts"
import { Processes } from "./Processes.ts"
import { RandomStreams } from "./RandomStreams.ts"
import { activateMessage, type ScheduleOptions } from "./Schedule.ts"
import { sealer } from "./sealed.ts"
import { shown } from "./shown.ts"
import type { EventHandle, EveryOptions, PlaceOptions, SendOptions, Sim } from "./Sim.ts"
import { SimEvent } from "./SimEvent.ts"
import { Tally } from "./Tally.ts"
import { Ask, ContinueAs, Timeout } from "./waits.ts"

/** Takes an event for an agent of another host: its time, priority, sender, count and target, good during the call. */
export type Post = (share: number, entry: Float64Array, kind: number, payload: unknown) => void

export interface EngineOptions {
  readonly seed: number | bigint
  /** What is not as the model's defaults have it. */
  readonly config?: Readonly<Record<string, unknown>>
  /** Which shares live here. Default: all. */
  readonly owns?: (share: number) => boolean
  /** Takes what is for other hosts. */
  readonly post?: Post
  /** Where time and the number of the agent whose turn it is are kept, for others to see. */
  readonly clock?: Float64Array
}

const all = () => true
const noOptions: SendOptions = {}

/** The model itself is an agent too: the first of the first share. Its place, and its number. */
const modelPlace = 0

/** Cancellations beyond those that the queue can hold are of events that have happened. */
const cancellationsKept = 64

export class Engine implements Sim, PartHost {
  readonly model: AnyModel
  readonly config: unknown
  readonly random: RandomStreams
  queue = new EventQueue()
  table: AgentTable
  readonly parts = new Map<string, { readonly part: Part; readonly share: number }>()
  readonly #known = new Kinds((problem) => this.refuse(problem))
  readonly kinds = this.#known.kinds
  /** What a run's series tell, by name. */
  readonly collectors = new Map<string, () => number>()
  /** Messages by their index. */
  readonly messageNames = this.#known.messageNames
  readonly owns: (share: number) => boolean
  /** How many events have happened here. */
  handled = 0
  /** How many messages have found their agent dead. */
  missed = 0

  readonly #clock: Float64Array
  readonly #lookahead: number
  /** 1 for each share that lives on another host. */
  readonly #elsewhere: Uint8Array
  readonly #post: Post | undefined
  readonly #handlers = this.#known.handlers
  /** Functions of the model, in the order in which the set-up gave them. */
  readonly #functions: Array<() => unknown> = []
  /** Parts that are told of every death, by share. */
  readonly #forgetful: Array<Array<Part> | undefined> = []
  /** How many of each kind the set-up gave birth to. */
  readonly #newborns: Array<number> = []
  readonly #cancelled = new Cancellations()
  #settingUp = true
  /** Somebody looks at the world from outside: all shares here are theirs. */
  #looking = false
  /** Whose turn it is: its place, number and share, and the kind of its event. */
  place = modelPlace
  #share = 0
  #kind: number = eventKind.call
  readonly #processes = new Processes(this)
  readonly #decisions = new Decisions(this.#processes, (problem) => this.refuse(problem))
  #fault: SimulationFault | undefined

  /** Sets the model up. Throws a `SimulationFault`. */
  constructor(model: AnyModel, options: EngineOptions) {
    this.model = model
    this.config = configured(model, options.config)
    this.#clock = options.clock ?? new Float64Array(2)
    this.#clock.fill(0)
    this.owns = options.owns ?? all
    this.#elsewhere = Uint8Array.from({ length: model.shares }, (_, share) => this.owns(share) ? 0 : 1)
    this.#lookahead = model.lookahead ?? 0
    this.#post = options.post
    // The model itself is on every host while it is set up.
    const shares = Array.from(
      { length: model.shares },
      (_, index) => index === 0 || this.owns(index) ? new Share(index) : undefined
    )
    this.table = new AgentTable(shares, (numbers) => this.random.grow(numbers))
    this.random = new RandomStreams(options.seed, this.table.numbers, (problem) => this.refuse(problem))
    this.#known.add({ is: "model", name: model.modelName }, {})
    this.table.born[0] = 1
    this.table.add(0, 0, undefined)
    this.#guarded(() => {
      for (const definition of model.agents) this.#known.register(definition)
      model.setup(this, this.config)
    })
    this.#settingUp = false
    if (!this.owns(0)) {
      this.table.remove(modelPlace)
      this.table.shares[0] = undefined
    }
  }

  // ---------------------------------------------------------------------------------------------------------- restoring

  /** Nobody lives and nothing waits; kinds, messages, functions and parts stay. What follows is `enlist`, then `replay`. */
  clear(): void {
    const { model } = this
    this.table = new AgentTable(
      Array.from({ length: model.shares }, (_, index) => this.owns(index) ? new Share(index) : undefined),
      (numbers) => this.random.grow(numbers)
    )
    this.random.clear(this.table.numbers)
    this.queue = new EventQueue()
    this.#cancelled.clear()
    this.#decisions.clear()
    this.#fault = undefined
  }

  /** An agent of a checkpoint, where it lives here. Answers its place. */
  enlist(number: number, kind: number, state: unknown): number {
    return this.#enroll(number, kind, state)
  }

  /** How many functions the set-up has given. */
  get functionCount(): number {
    return this.#functions.length
  }

  hasHandler(kind: number, message: number): boolean {
    return this.#handlers[kind]?.[message] !== undefined
  }

  /** From now on all streams are those of another seed. */
  reseed(seed: number | bigint): void {
    const { numbers, states } = this.table
    const { random } = this
    const begun: Array<readonly [Process, number]> = []
    for (const [place, state] of states.entries()) {
      if (numbers[place] === -1) continue
      if (state instanceof Process && state.journal.steps > 0) {
        state.beganWith ??= random.firstWords(numbers[place]!)
        begun.push([state, place])
      } else random.reset(place)
    }
    random.reseed(seed)
    for (const [process, place] of begun) {
      const words = random.firstWords(process.number)
      process.journal.reseed(process.journal.steps, words)
      random.setWords(place, words)
    }
  }

  // ------------------------------------------------------------------------------------------------------------ running

  /** When the next event happens; `Infinity` when none waits. */
  get next(): number {
    return this.queue.next
  }

  /** How many messages have found their agent dead, or will: what was sent to them and is not to come. */
  get undelivered(): number {
    const { kind, place, target } = this.queue
    const { numbers } = this.table
    const lost = this.queue.waiting.filter((slot) =>
      kind[slot]! >= 0 && (kind[slot]! & 1) === 0 && numbers[place[slot]!] !== target[slot] && !this.isCancelled(slot)
    )
    return this.missed + lost.length
  }

  /** Lets happen what lies before `edge`, at most `budget` events. Throws a `SimulationFault`, from then on always. */
  run(edge: number, budget = Infinity): void {
    if (this.#fault !== undefined) throw this.#fault
    this.#guarded(() => this.#run(edge, budget))
  }

  /** What happens next, for people; `undefined` where that was cancelled, or finds nobody, or nothing is left. */
  tellNext(): ToldEvent | undefined {
    const { count, kind, payload, place, priority, sender, target, time, top } = this.queue
    if (top === none || this.isCancelled(top) || this.table.numbers[place[top]!] !== target[top]) return undefined
    return {
      time: time[top]!,
      priority: priority[top]!,
      sender: this.describe(sender[top]!),
      count: count[top]!,
      receiver: this.describe(target[top]!),
      what: this.#whatOf(kind[top]!, payload[top]),
      payload: copied(payload[top])
    }
  }

  #whatOf(what: number, payload: unknown): string {
    if (what >= 0) return this.messageNames[what >> 1]!
    switch (what) {
      case eventKind.repeat:
        return this.#whatOf((payload as Repetition).kind, (payload as Repetition).payload)
      case eventKind.call:
        return "a function of the set-up"
      case eventKind.interrupt:
        return "is interrupted"
      default:
        return "goes on"
    }
  }

  /** Time has come to here: what is still to happen lies no earlier. */
  advance(time: number): void {
    if (time > this.now) this.#clock[0] = time
  }

  #guarded(body: () => void): void {
    try {
      this.sealed(body)
    } catch (thrown) {
      this.#fault = this.#faultOf(thrown)
      throw this.#fault
    }
  }

  readonly #report = {
    notReproducible: (call: string, instead: string): never => {
      throw new NotReproducible({ ...this.#where, call, instead })
    },
    asynchronous: (what: string): never => {
      throw new AsyncInSimulation({ ...this.#where, what })
    }
  }

  /** Runs code of the model: chance and clocks of the machine are refused meanwhile. */
  readonly sealed = sealer(this.#report)

  get #where(): { readonly agent: string; readonly at: number } {
    return { agent: this.describe(this.#number), at: this.now }
  }

  #faultOf(thrown: unknown): SimulationFault {
    if (isSimulationFault(thrown)) return thrown
    const reason = plainLine(thrownText(thrown))
    if (this.#settingUp) {
      return new InvalidModel({ model: this.model.modelName, problem: `its set-up failed: ${reason}` })
    }
    return new HandlerFailed({ ...this.#where, handler: this.#handlerName, reason })
  }

  get #handlerName(): string {
    if (this.#kind >= 0) return `its handler of ${this.messageNames[this.#kind >> 1]}`
    return this.#kind === eventKind.call ? "a function of its set-up" : "its body"
  }

  #run(edge: number, budget: number): void {
    const { queue, table } = this
    const clock = this.#clock
    const decisions = this.#decisions
    for (let left = budget; left > 0 && queue.next < edge; left--) {
      const slot = queue.pop()
      const place = queue.place[slot]!
      const sender = queue.sender[slot]!
      const count = queue.count[slot]!
      const what = queue.kind[slot]!
      const payload = queue.payload[slot]
      const target = queue.target[slot]!
      clock[0] = queue.time[slot]!
      queue.release(slot)
      if (this.#cancelled.size > 0 && this.#cancelled.take(sender, count)) continue
      if (table.numbers[place] !== target) {
        if (what >= 0) this.#missed(what, payload, sender, count)
        continue
      }
      this.handled++
      this.place = place
      clock[1] = target
      this.#share = shareOf(target)
      this.#kind = what
      this.random.at = place
      if (what < 0) this.#dispatch(what, payload, sender, count)
      else if ((what & 1) === 1) this.#answer(what, payload as Question)
      else this.#handle(what, payload)
      if (decisions.undecided !== undefined && !decisions.settle()) return
      if (table.hasEnded) table.release()
    }
  }

  // ---------------------------------------------------------------------------------------------------------- decisions

  decision<A extends Action>(name: string, rule: Rule<A>, { share = 0 }: PlaceOptions = {}): Decision<A> {
    return new Decision(this, name, rule, share)
  }

  decide<A extends Action>(decision: Decision<A>, view: View, act: ((action: A) => void) | undefined): void {
    if (this.#settingUp) {
      this.refuse(`takes the decision "${decision.name}" in the set-up: wait until something happens`)
    }
    this.#decisions.decide(decision, view, act)
  }

  /** From now on this decision is taken from outside: `run` ends where it is to be taken, `act` takes it. */
  play(decision: Decision<Action>): void {
    this.#decisions.play(decision)
  }

  /** What is seen at the decision that waits to be taken; `undefined` where none waits. */
  get viewOfDecision(): View | undefined {
    return this.#decisions.undecided?.view
  }

  /** Takes the decision that waits, and runs on. Throws a `SimulationFault`. */
  act(action: Action): void {
    if (this.#fault !== undefined) throw this.#fault
    this.#guarded(() => {
      this.#decisions.act(action)
      if (!this.#decisions.settle()) return
      if (this.table.hasEnded) this.table.release()
      this.#run(Infinity, Infinity)
    })
  }

  #handle(what: number, message: unknown): unknown {
    const { kinds, states } = this.table
    const answer = this.#handlers[kinds[this.place]!]![what >> 1]!(states[this.place], message, this)
    if (answer !== undefined) this.#synchronous(answer)
    return answer
  }

  /** A message finds its agent dead. Who asked is told so, as late as an answer would have come. */
  #missed(what: number, payload: unknown, sender: number, count: number): void {
    this.missed++
    if ((what & 1) === 0) return
    const { back, waiter } = payload as Question
    const reply: Reply = { turn: waiter.turn, answer: undefined, died: true }
    // The dead have no count: the question's own is free again.
    this.queue.entry.set([this.now + back, 0, sender, count, waiter.process])
    const share = shareOf(sender)
    if (this.#elsewhere[share] === 1) this.#post?.(share, this.queue.entry, eventKind.reply, reply)
    else this.accept(eventKind.reply, reply)
  }

  #answer(what: number, { back, message, waiter }: Question): void {
    const answer = this.copy(this.#handle(what, message), "an answer")
    const reply: Reply = { turn: waiter.turn, answer, died: false }
    const { entry } = this.queue
    entry[0] = this.now + back
    entry[1] = 0
    this.sign(waiter.process)
    this.#deliver(eventKind.reply, reply)
  }

  #dispatch(what: number, payload: unknown, sender: number, count: number): void {
    if (what === eventKind.call) {
      const answer = this.#functions[payload as number]!()
      if (answer !== undefined) this.#synchronous(answer)
      return
    }
    if (what === eventKind.repeat) return this.#repeat(payload as Repetition)
    const process = this.table.states[this.place] as Process
    if (what === eventKind.reply) {
      const { answer, died, turn } = payload as Reply
      if (process.turn === turn && !process.settled && process.wait !== undefined) {
        this.#processes.resume(process, died ? "the agent that it asked has died" : answer, died)
      }
      return
    }
    // Else its wait has ended otherwise before.
    if (process.awaitedSender === sender && process.awaitedCount === count) {
      this.#processes.resume(process, payload, what === eventKind.interrupt)
    }
  }

  #repeat(repetition: Repetition): void {
    const { drawn, handle, kind, left, payload, period, priority } = repetition
    if (this.#cancelled.size > 0 && this.#cancelled.take(this.#number, handle)) return
    this.#kind = kind
    if (kind === eventKind.call) this.#dispatch(kind, payload, 0, 0)
    else this.#handle(kind, payload)
    if (left <= 0 || this.table.find(this.#number) === nowhere) return
    if (this.#cancelled.size > 0 && this.#cancelled.take(this.#number, handle)) return
    const next = this.now + this.#period(drawn ? this.#functions[period]!() : period)
    // Its event is over, so nobody else has it.
    repetition.left = left - 1
    this.pushOwn(next, priority, eventKind.repeat, repetition)
  }

  #period(period: unknown): number {
    return typeof period === "number" && period > 0 && period < Infinity ? period : this.#invalidTime("period", period)
  }

  #synchronous(answer: unknown): void {
    if (typeof answer !== "object" || answer === null || typeof Reflect.get(answer, "then") !== "function") return
    // Else its failure would be told a second time, as nobody's.
    Promise.resolve(answer).catch(() => {})
    this.#report.asynchronous(`returned a promise from ${this.#handlerName}`)
  }

  // ----------------------------------------------------------------------------------------------------------- sending

  get now(): number {
    return this.#clock[0]!
  }

  get #number(): number {
    return this.#clock[1]!
  }

  get self(): AgentRef {
    // Numbers are references: the type alone is ours.
    return this.#number as AgentRef
  }

  send(to: number, name: string, message?: unknown, options: SendOptions = noOptions): EventHandle {
    if (this.#processes.isReplaying) return this.#processes.noted() as EventHandle
    const after = options.after ?? 0
    const priority = options.priority ?? 0
    if (!(after >= 0 && after < Infinity)) this.#invalidTime("delay", after)
    if (!(priority > -Infinity && priority < Infinity)) this.#invalidTime("priority", priority)
    const payload = this.#copyOfMessage(message, name)
    const what = this.#known.messageKind(name)
    const { entry } = this.queue
    entry[0] = this.#clock[0]! + after
    entry[1] = priority
    const count = this.sign(to)
    this.#deliver(what, payload)
    if (this.#processes.running !== undefined) this.#processes.running.journal.note(count)
    return count as EventHandle
  }

  /** The event that is in the queue's entry is from the agent whose turn it is, to this one. Answers its count. */
  sign(target: number): number {
    const { entry } = this.queue
    const count = this.table.counts[this.place]!++
    entry[2] = this.#clock[1]!
    entry[3] = count
    entry[4] = target
    return count
  }

  /** Puts the event in the queue's entry, of the agent whose turn it is, where it belongs. */
  #deliver(what: number, payload: unknown): void {
    const { entry } = this.queue
    const share = shareOf(entry[4]!)
    if (share !== this.#share) {
      if (!(share >= 0 && share < this.model.shares)) this.#noAgent(entry[4])
      // The same sum as of the time: neither is rounded otherwise.
      if (entry[0]! < this.#clock[0]! + this.#lookahead && !this.#settingUp) {
        throw new LookaheadViolated({
          ...this.#where,
          receiver: this.describe(entry[4]!),
          arrival: entry[0]!,
          lookahead: this.#lookahead
        })
      }
      // All hosts set up alike: what is sent meanwhile is not sent to others.
      if (this.#elsewhere[share] === 1) {
        if (!this.#settingUp) this.#post?.(share, entry, what, payload)
        return
      }
    } else if (this.#elsewhere[share] === 1) return
    this.#accept(share, what, payload)
  }

  /** Takes the event in the queue's entry, for an agent of this host. */
  accept(what: number, payload: unknown): void {
    this.#accept(shareOf(this.queue.entry[4]!), what, payload)
  }

  #accept(share: number, what: number, payload: unknown): void {
    const { queue, table } = this
    const { entry } = queue
    const target = entry[4]!
    const place = table.findIn(share, target)
    if (place === nowhere) return this.#acceptForDead(what, payload)
    if (what >= 0 && this.#handlers[table.kinds[place]!]![what >> 1] === undefined) {
      throw new InvalidUse({
        agent: this.describe(entry[2]!),
        at: this.now,
        problem: `sent ${shown(this.messageNames[what >> 1]!)} to ${this.describe(target)}, which has no handler for it`
      })
    }
    queue.enter(place, what, payload)
  }

  #acceptForDead(what: number, payload: unknown): void {
    const target = this.queue.entry[4]!
    if (!(birthOf(target) < this.table.born[shareOf(target)]!)) this.#noAgent(target)
    // A question finds nobody when it arrives, not before.
    if (what >= 0 && (what & 1) === 1) this.queue.enter(0, what, payload)
    else if (what >= 0) this.missed++
  }

  #noAgent(target: unknown): never {
    return this.refuse(`sent something to agent ${shown(target)}, which was never born`)
  }

  /** An event of the agent whose turn it is, for itself. Answers its count. */
  pushOwn(time: number, priority: number, what: number, payload: unknown): number {
    const { entry } = this.queue
    entry[0] = time
    entry[1] = priority
    const count = this.sign(this.#clock[1]!)
    // Set up on every host, the model lives on one.
    if (this.#elsewhere[this.#share] === 0) this.queue.enter(this.place, what, payload)
    return count
  }

  after(
    delay: number,
    what: string | (() => void),
    message?: unknown,
    options?: { readonly priority?: number }
  ): EventHandle {
    if (!(delay >= 0 && delay < Infinity)) this.#invalidTime("delay", delay)
    return this.at(this.now + delay, what, message, options)
  }

  at(
    time: number,
    what: string | (() => void),
    message?: unknown,
    options?: { readonly priority?: number }
  ): EventHandle {
    if (this.#processes.isReplaying) return this.#processes.noted() as EventHandle
    if (!(time >= this.now && time < Infinity)) this.#invalidTime("time", time)
    const { kind, payload, priority } = this.#own(what, message, options)
    return this.#handed(this.pushOwn(time, priority, kind, payload))
  }

  every(
    period: number | (() => number),
    what: string | (() => void),
    message?: unknown,
    options?: EveryOptions
  ): EventHandle {
    if (this.#processes.isReplaying) return this.#processes.noted() as EventHandle
    const settings: EveryOptions = (typeof what === "function" ? message as EveryOptions : options) ?? {}
    const { start, times = Infinity } = settings
    const { kind, payload, priority } = this.#own(what, message, options)
    const drawn = typeof period === "function"
    if (!(times >= 1)) this.refuse(`repeats something ${times} times: give a number of at least 1`)
    const first = start ?? this.now + this.#period(drawn ? period() : period)
    if (!(first >= this.now && first < Infinity)) this.#invalidTime("time", first)
    const repetition: Repetition = {
      handle: this.table.counts[this.place]!,
      period: drawn ? this.#functionOf(period) : this.#period(period),
      drawn,
      priority,
      left: times - 1,
      kind,
      payload
    }
    return this.#handed(this.pushOwn(first, priority, eventKind.repeat, repetition))
  }

  /** What happens to whoever says so: a message of its own, or in the set-up a function of the model. */
  #own(
    what: string | (() => void),
    message: unknown,
    options: { readonly priority?: number } | undefined
  ): { readonly kind: number; readonly payload: unknown; readonly priority: number } {
    const isFunction = typeof what === "function"
    const priority = (isFunction ? message as { readonly priority?: number } | undefined : options)?.priority ?? 0
    if (!(priority > -Infinity && priority < Infinity)) this.#invalidTime("priority", priority)
    if (isFunction) return { kind: eventKind.call, payload: this.#functionOf(what), priority }
    const kind = this.#known.messageKind(what)
    if (this.#handlers[this.table.kinds[this.place]!]![kind >> 1] === undefined) {
      this.refuse(`sent itself ${shown(what)}, which it has no handler for`)
    }
    return { kind, payload: this.#copyOfMessage(message, what), priority }
  }

  #functionOf(run: () => unknown): number {
    if (!this.#settingUp) {
      this.refuse("gave a function, which no checkpoint can keep: only the set-up can; send a message instead")
    }
    return this.#functions.push(run) - 1
  }

  /** An event's handle, noted where a process has it. */
  #handed(count: number): EventHandle {
    if (this.#processes.running !== undefined) this.#processes.running.journal.note(count)
    return count as EventHandle
  }

  cancel(handle: EventHandle): void {
    if (this.#processes.isReplaying || !this.#cancelled.add(this.#number, handle)) return
    if (this.#cancelled.size > this.queue.size + cancellationsKept) this.forgetCancelled()
  }

  /** Whether the event in this slot was cancelled. */
  isCancelled(slot: number): boolean {
    return this.#cancelled.has(this.queue.sender[slot]!, this.#handleOf(slot))
  }

  #handleOf(slot: number): number {
    const { count, kind, payload } = this.queue
    return kind[slot] === eventKind.repeat ? (payload[slot] as Repetition).handle : count[slot]!
  }

  /** Forgets cancellations of events that do not wait. */
  forgetCancelled(): void {
    const kept = this.queue.waiting.filter((slot) => this.isCancelled(slot))
    const events = Array.from(kept, (slot) => [this.queue.sender[slot]!, this.#handleOf(slot)] as const)
    this.#cancelled.clear()
    for (const [sender, handle] of events) this.#cancelled.add(sender, handle)
  }

  // ------------------------------------------------------------------------------------------------------------- agents

  #kindIndex(definition: AnyAgent): number {
    const index = this.#known.indexOf(definition)
    if (index !== undefined) return index
    if (this.#settingUp) return this.#known.register(definition)
    return this.refuse(
      `asked for a kind of agents, ${definition.agentName}, that the set-up does not know: name it in the model's agents`
    )
  }

  spawn<S, P>(definition: Agent<S, P>, state: NoInfer<S>): AgentRef<P> {
    if (this.#processes.isReplaying) return this.#processes.noted() as AgentRef<P>
    const kind = this.#kindIndex(definition)
    let admitted: unknown
    try {
      admitted = definition.admit(state)
    } catch (cause) {
      this.#refusePlain(cause, `a ${definition.agentName} its state`)
    }
    const number = this.#born(kind, definition.agentName, admitted)
    this.#enroll(number, kind, admitted)
    return this.#handed(number) as number as AgentRef<P>
  }

  populate<C extends Columns, P>(
    definition: Population<C, P>,
    count: number,
    fill?: (rows: Rows<C>, index: number) => void
  ): AgentRef<P> {
    if (this.#processes.isReplaying) return this.#processes.noted() as AgentRef<P>
    if (!(Number.isInteger(count) && count >= 0)) {
      this.refuse(`populates with ${count} rows: give an integer of at least 0`)
    }
    const kind = this.#kindIndex(definition)
    const rows = definition.rows(count)
    if (fill !== undefined) { for (let i = 0; i < count; i++) fill(rows, i) }
    const number = this.#born(kind, definition.agentName, rows)
    const place = this.#enroll(number, kind, rows)
    const { period } = definition
    if (period !== undefined) this.#repeatFromBirth(number, place, period, this.now + period, 0, stepMessage)
    return this.#handed(number) as number as AgentRef<P>
  }

  spread<C extends Columns>(
    definition: Lattice<C>,
    fill?: (cells: Cells<C>) => void
  ): ReadonlyArray<AgentRef> {
    const { agentName, bandOf, cells, period } = definition
    const { shares } = this.model
    if (!this.#settingUp) this.refuse(`spreads ${agentName} too late: only the set-up can`)
    if (shares > 1 && period < this.#lookahead) {
      this.refuse(
        `spreads ${agentName}, which ticks every ${period}, over several shares: a tick takes at least the model's lookahead (${this.#lookahead})`
      )
    }
    const kind = this.#kindIndex(definition)
    const all = cells(shares)
    fill?.(all)
    const numbers = Array.from({ length: shares }, (_, share) => numberOf(share, this.table.born[share]!++))
    for (const [share, number] of numbers.entries()) {
      if (!this.owns(share)) continue
      const place = this.#enroll(number, kind, bandOf(all, share, numbers))
      this.#repeatFromBirth(number, place, period, this.now + period, 0, stepMessage)
    }
    // Numbers are references: the type alone is ours.
    return numbers as ReadonlyArray<number> as ReadonlyArray<AgentRef>
  }

  /** A newborn is sent a message again and again. */
  #repeatFromBirth(
    number: number,
    place: number,
    period: number,
    first: number,
    priority: number,
    name: string
  ): void {
    if (place === nowhere) return
    const handle = this.table.counts[place]!++
    const repetition: Repetition = {
      handle,
      period,
      drawn: false,
      priority,
      left: Infinity,
      kind: this.#known.messageKind(name),
      payload: undefined
    }
    this.queue.push(first, priority, number, handle, number, place, eventKind.repeat, repetition)
  }

  schedule(name: string, options: ScheduleOptions): void {
    const { activate, every = 1, order = "in order", priority = 0, start, while: goesOn } = options
    const { advance, message = "Step" } = options
    if (!this.#settingUp) this.refuse(`makes the schedule ${shown(name)} too late: only the set-up can`)
    const period = this.#period(every)
    const first = start ?? this.now + period
    if (!(first >= this.now && first < Infinity)) this.#invalidTime("time", first)
    if (!Number.isFinite(priority)) this.#invalidTime("priority", priority)
    if (!["in order", "shuffled"].includes(order)) this.refuse(`has the order ${shown(order)}: in order, or shuffled`)
    const kinds = activate.map((definition) => this.#kindIndex(definition))
    const rounds = (advance === undefined ? [message] : [message, advance]).map((name) => this.#known.messageKind(name))
    for (const [i, kind] of kinds.entries()) {
      for (const what of rounds) {
        if (this.hasHandler(kind, what >> 1)) continue
        const told = shown(this.messageNames[what >> 1]!)
        this.refuse(`activates ${activate[i]!.agentName} by ${told}, which it has no handler for`)
      }
    }
    const run = () => {
      for (const what of rounds) for (const kind of kinds) this.#activate(kind, what, order === "shuffled")
      // A schedule's first event is its repetition.
      if (goesOn !== undefined && !goesOn()) this.cancel(0 as EventHandle)
    }
    const nothing = () => undefined
    const definition = {
      agentName: name,
      handlers: { [activateMessage]: run },
      admit: nothing,
      save: nothing,
      load: nothing
    }
    const kind = this.#known.register(definition)
    for (let share = 0; share < this.model.shares; share++) {
      const number = numberOf(share, this.table.born[share]!++)
      const place = this.#enroll(number, kind, undefined)
      this.#repeatFromBirth(number, place, period, first, priority, activateMessage)
    }
  }

  /** Each of a kind in this share has its turn now, one after another, as if it had been sent the message. */
  #activate(kind: number, what: number, shuffled: boolean): void {
    const { random, table } = this
    const place = this.place
    const number = this.#number
    const own = this.#kind
    const members = Array.from(table.shares[this.#share]!.members[kind] ?? [])
    if (shuffled) random.shuffle(members)
    const handler = this.#handlers[kind]![what >> 1]!
    this.#kind = what
    for (const member of members) {
      const at = table.find(member)
      if (at === nowhere) continue
      this.handled++
      this.place = at
      this.#clock[1] = member
      random.at = at
      const answer = handler(table.states[at], undefined, this)
      if (answer !== undefined) this.#synchronous(answer)
      if (this.#decisions.undecided !== undefined && !this.#decisions.settle()) {
        this.refuse(
          "decides in a schedule's turn, which nobody outside can: let a message to itself have a turn of its own"
        )
      }
    }
    this.place = place
    this.#clock[1] = number
    this.#kind = own
    random.at = place
  }

  /** Gives an agent its row, if it lives here. */
  #enroll(number: number, kind: number, state: unknown): number {
    const share = shareOf(number)
    if (this.#elsewhere[share] === 1) return nowhere
    if (!(state instanceof Process)) this.table.shares[share]!.membersOf(kind).add(number)
    const place = this.table.add(number, kind, state)
    this.random.reset(place)
    return place
  }

  /** The next number, in the share where the newborn belongs. */
  #born(kind: number, name: string, state: unknown): number {
    let share = this.#share
    if (this.#settingUp) {
      const index = this.#newborns[kind] ?? 0
      this.#newborns[kind] = index + 1
      share = this.model.shareOf({ kind: name, index, state }, this.config)
      if (!(Number.isInteger(share) && share >= 0 && share < this.model.shares)) {
        this.refuse(
          `has a shareOf that puts ${name} ${index} into share ${String(share)}: give an integer from 0 to ${
            this.model.shares - 1
          }`
        )
      }
    }
    return numberOf(share, this.table.born[share]!++)
  }

  stop(agent: number = this.#number): void {
    if (this.#processes.isReplaying) return
    if (agent === 0) this.refuse("cannot stop: it is the model itself")
    this.#mine(agent, "stop")
    const place = this.table.find(agent)
    if (place !== nowhere) this.die(place)
  }

  die(place: number): void {
    const { kinds, numbers, shares, states } = this.table
    const number = numbers[place]!
    const state = states[place]
    if (state instanceof Process) {
      if (state !== this.#processes.running && state.wait !== undefined) {
        state.wait.abandon({ process: number, turn: state.turn })
      }
    } else shares[shareOf(number)]!.members[kinds[place]!]?.delete(number)
    this.table.remove(place)
    const forgetful = this.#forgetful[shareOf(number)]
    if (forgetful !== undefined) { for (const part of forgetful) part.forget?.(number) }
    if (state instanceof Process && state.holds !== undefined) {
      const { holds } = state
      state.holds = undefined
      for (const part of holds) part.surrender?.(number)
    }
  }

  isAlive(agent: number): boolean {
    return this.note(() => {
      this.#mine(agent, "look after")
      return this.table.find(agent) !== nowhere
    })
  }

  agents<S, P>(definition: Agent<S, P>): ReadonlyArray<AgentRef<P>> {
    if (this.#looking) return this.everyone(definition)
    return this.note(() => {
      const members = this.table.shares[this.#share]!.members[this.#kindIndex(definition)]
      return Array.from(members ?? []) as Array<AgentRef<P>>
    })
  }

  state<S, P>(definition: Agent<S, P>, agent: AgentRef<P>): S {
    if (this.#processes.running !== undefined) {
      this.refuse(
        "reads an agent's state from a process, which a restored one could not repeat: ask the agent (sim.ask)"
      )
    }
    this.#mine(agent, "see the state of")
    const place = this.table.find(agent)
    if (place === nowhere) this.refuse(`asked for the state of agent ${agent}, which does not live: ask isAlive first`)
    if (this.table.kinds[place] !== this.#known.indexOf(definition)) {
      this.refuse(`asked for the state of ${this.describe(agent)} as if it were a ${definition.agentName}`)
    }
    return this.table.states[place] as S
  }

  collect(name: string, of: () => number): void {
    if (!this.#settingUp) this.refuse(`collects ${shown(name)} too late: only the set-up can`)
    if (this.collectors.has(name)) this.refuse(`collects ${shown(name)} twice: give each a name of its own`)
    this.collectors.set(name, of)
  }

  /**
   * Between events: reads what it likes, of all shares here. What it draws or changes is drawn and changed: look at a copy.
   * Throws a `SimulationFault`.
   */
  look<A>(body: () => A): A {
    let seen: { readonly value: A } | undefined
    this.#looking = true
    this.place = modelPlace
    this.#clock[1] = 0
    this.#share = 0
    try {
      this.#guarded(() => {
        seen = { value: body() }
      })
    } finally {
      this.#looking = false
    }
    return seen!.value
  }

  /** All the living of a kind, of all shares here: for whoever looks at the world from outside. */
  everyone<S, P>(definition: Agent<S, P>): ReadonlyArray<AgentRef<P>> {
    const kind = this.#known.indexOf(definition)
    if (kind === undefined) return []
    return this.table.shares.flatMap((share) => Array.from(share?.members[kind] ?? []) as Array<AgentRef<P>>)
  }

  /** An agent's state, for whoever looks at the world from outside. */
  stateOf<S, P>(definition: Agent<S, P>, agent: AgentRef<P>): S {
    const place = this.table.find(agent)
    if (place === nowhere || this.table.kinds[place] !== this.#known.indexOf(definition)) {
      this.refuse(`has no living ${definition.agentName} of number ${shown(agent)}`)
    }
    return this.table.states[place] as S
  }

  /** Fails where an agent is of another share: what is immediate stays within one. */
  #mine(agent: number, what: string): void {
    if (shareOf(agent) !== this.#share && !this.#looking) {
      this.refuse(`cannot ${what} ${this.describe(agent)}, which lives in another share: send it a message`)
    }
  }

  // ---------------------------------------------------------------------------------------------------------- processes

  process<Args extends ReadonlyArray<unknown>>(body: ProcessBody<Args>): (...args: Args) => AgentRef {
    const processName = body.name
    if (!this.#settingUp) this.refuse(`defines the process ${processName} too late: only the set-up can`)
    if (processName === "") {
      this.refuse("defines a process without a name: write sim.process(function* customer() { ... })")
    }
    // A body is called with the arguments that it was started with.
    const definition: ProcessDefinition = { processName, body: body as unknown as ProcessDefinition["body"] }
    const kind = this.#known.add({ is: "process", name: processName, definition }, {})
    return (...args) => this.#start(kind, definition, args)
  }

  #start(kind: number, definition: ProcessDefinition, args: ReadonlyArray<unknown>): AgentRef {
    if (this.#processes.isReplaying) return this.#processes.noted() as AgentRef
    const own = args.length === 0 ? args : this.copy(args, `the arguments of ${definition.processName}`)
    const number = this.#born(kind, definition.processName, own)
    const process = new Process(definition, number, own)
    const place = this.#enroll(number, kind, process)
    if (place !== nowhere) {
      const count = this.table.counts[place]!++
      process.awaitedSender = number
      process.awaitedCount = count
      this.queue.push(this.now, 0, number, count, number, place, eventKind.resume, undefined)
    }
    return this.#handed(number) as number as AgentRef
  }

  timeout(delay: number): Wait<void> {
    this.checkDelay(delay)
    return new Timeout(this, delay)
  }

  ask(to: number, name: string, message?: unknown, options: SendOptions = noOptions): Wait<never> {
    const { after = 0, priority = 0 } = options
    if (!(after >= 0 && after < Infinity)) this.#invalidTime("delay", after)
    if (!(priority > -Infinity && priority < Infinity)) this.#invalidTime("priority", priority)
    const kind = this.#known.messageKind(name) + 1
    const own = this.#copyOfMessage(message, name)
    return new Ask(`an answer to ${shown(name)}`, (waiter) => {
      const question: Question = { waiter, back: after, message: own }
      const { entry } = this.queue
      entry[0] = this.now + after
      entry[1] = priority
      this.sign(to)
      this.#deliver(kind, question)
    })
  }

  wait<A>(event: SimEvent<A>): Wait<A> {
    return event.wait()
  }

  continueAs(...args: ReadonlyArray<unknown>): Wait<never> {
    return new ContinueAs(this.copy(args, "the arguments of its next life"))
  }

  event<A = void>(name: string, options: { readonly share?: number } = {}): SimEvent<A> {
    return new SimEvent(this, name, options.share ?? 0)
  }

  interrupt(agent: number, reason?: unknown): void {
    if (this.#processes.isReplaying) return
    this.#mine(agent, "interrupt")
    const place = this.table.find(agent)
    const process = place === nowhere ? undefined : this.table.states[place]
    if (!(process instanceof Process)) {
      this.refuse(`cannot interrupt ${this.describe(agent)}: it is no process that lives`)
    }
    if (process === this.#processes.running) this.refuse("cannot interrupt itself: it does not wait")
    this.#processes.settle(process, place, eventKind.interrupt, this.copy(reason, "a reason"))
  }

  /** Restores a process that is in the table. Throws an error that says what it does otherwise than its journal has it. */
  replay(process: Process, words: Uint32Array): void {
    this.#processes.replay(process, words)
  }

  /** It is an agent's turn, outside of any event. */
  turnTo(place: number, number: number): void {
    this.place = place
    this.#clock[1] = number
    this.#share = shareOf(number)
    this.random.at = place
  }

  /** The time that code of the model sees, while a process is restored. */
  setTime(time: number): void {
    this.#clock[0] = time
  }

  asynchronous(what: string): never {
    return this.#report.asynchronous(what)
  }

  // -------------------------------------------------------------------------------------------------------------- parts

  get replaying(): boolean {
    return this.#processes.isReplaying
  }

  note<A>(compute: () => A): A {
    return this.#processes.note(compute)
  }

  wake(waiter: Waiter, answer: unknown): boolean {
    return this.#processes.wake(waiter, answer)
  }

  expire(delay: number, answer: unknown): void {
    this.#processes.expire(delay, answer)
  }

  hold(process: number, part: Part): void {
    this.#processes.hold(process, part)
  }

  letGo(process: number, part: Part): void {
    this.#processes.letGo(process, part)
  }

  attach(name: string, part: Part, share: number): void {
    if (!this.#settingUp) this.refuse(`makes ${shown(name)} too late: only the set-up can`)
    if (this.parts.has(name)) this.refuse(`makes two parts named ${shown(name)}: give each a name of its own`)
    if (!(Number.isInteger(share) && share >= 0 && share < this.model.shares)) {
      this.refuse(`puts ${shown(name)} into share ${String(share)}: give an integer from 0 to ${this.model.shares - 1}`)
    }
    this.parts.set(name, { part, share })
    if (part.forget !== undefined) (this.#forgetful[share] ??= []).push(part)
  }

  enter(name: string, share: number): void {
    if (share !== this.#share && !this.#settingUp && !this.#looking) {
      this.refuse(`used ${shown(name)}, which is in share ${share}, from share ${this.#share}: let both live in one`)
    }
  }

  takeIn(agent: number, name: string, share: number): void {
    if (shareOf(agent) !== share) {
      this.refuse(
        `puts ${this.describe(agent)} into ${shown(name)}, which is in share ${share}, not in share ${
          shareOf(agent)
        }: ` +
          "let both live in one"
      )
    }
    if (this.owns(share) && this.table.find(agent) === nowhere) {
      this.refuse(`puts agent ${shown(agent)} into ${shown(name)}, which does not live: ask isAlive first`)
    }
  }

  resource(name: string, capacity = 1, { share = 0 }: PlaceOptions = {}): Resource {
    return new Resource(this, name, capacity, share)
  }

  store<T>(name: string, options: StoreOptions<T> & PlaceOptions = {}): Store<T> {
    return new Store(this, name, options, options.share ?? 0)
  }

  container(name: string, options: ContainerOptions & PlaceOptions = {}): Container {
    return new Container(this, name, options, options.share ?? 0)
  }

  monitor(name: string, first = 0, { share = 0 }: PlaceOptions = {}): Monitor {
    return new Monitor(this, name, first, share)
  }

  grid(name: string, options: GridOptions & PlaceOptions): Grid {
    return new Grid(this, name, options, options.share ?? 0)
  }

  space(name: string, options: SpaceOptions & PlaceOptions): Space {
    return new Space(this, name, options, options.share ?? 0)
  }

  graph(name: string, options: GraphOptions & PlaceOptions): Graph {
    return new Graph(this, name, options, options.share ?? 0)
  }

  // --------------------------------------------------------------------------------------------------------- statistics

  count(name: string, by = 1): void {
    if (this.#processes.isReplaying) return
    const { counts } = this.table.shares[this.#share]!
    counts.set(name, (counts.get(name) ?? 0) + by)
  }

  record(name: string, value: number): void {
    if (this.#processes.isReplaying) return
    const { tallies } = this.table.shares[this.#share]!
    let tally = tallies.get(name)
    if (tally === undefined) tallies.set(name, tally = new Tally())
    tally.add(value)
  }

  // ------------------------------------------------------------------------------------------------------------- faults

  refuse(problem: string): never {
    throw new InvalidUse({ ...this.#where, problem })
  }

  checkDelay(delay: number): void {
    if (!(delay >= 0 && delay < Infinity)) this.#invalidTime("delay", delay)
  }

  #invalidTime(what: InvalidTime["what"], given: unknown): never {
    throw new InvalidTime({ ...this.#where, what, given: shown(given) })
  }

  #copyOfMessage(message: unknown, name: string): unknown {
    const type = typeof message
    if (type !== "object" && type !== "function" && type !== "symbol") return message
    try {
      return copied(message)
    } catch (cause) {
      return this.#refusePlain(cause, shown(name))
    }
  }

  copy<A>(value: A, what: string): A {
    try {
      return copied(value)
    } catch (cause) {
      return this.#refusePlain(cause, what)
    }
  }

  #refusePlain(cause: unknown, what: string): never {
    if (!(cause instanceof NotPlain)) throw cause
    return this.refuse(`gave ${what} that is no plain data: ${cause.message}`)
  }

  /** An agent's name for people: its kind, its share where there are several, and how many were born there before it. */
  describe(agent: number): string {
    const place = agent === this.#number ? this.place : this.table.find(agent)
    const name = place === nowhere ? "agent" : this.kinds[this.table.kinds[place]!]!.name
    if (agent === 0) return this.model.modelName
    return this.model.shares === 1 ? `${name} ${birthOf(agent)}` : `${name} ${shareOf(agent)}/${birthOf(agent)}`
  }
}
