/**
 * The processes of a host: how they go on from wait to wait, what is noted of them, and how they are restored from their
 * journals. Birth and death are the engine's, as for all agents.
 */
import { type AgentTable, nowhere } from "./AgentTable.ts"
import type { EventQueue } from "./EventQueue.ts"
import { eventKind } from "./events.ts"
import { Journal } from "./Journal.ts"
import type { Part } from "./Part.ts"
import { copied } from "./plainData.ts"
import { Interrupted, isWait, pending, Process, Wait, type Waiter } from "./Process.ts"
import { type RandomStreams, wordsPerStream } from "./RandomStreams.ts"
import { shown } from "./shown.ts"
import { ContinueAs } from "./waits.ts"

/** The engine, as its processes need it. */
interface ProcessEngine {
  readonly now: number
  readonly self: number
  readonly place: number
  readonly queue: EventQueue
  readonly table: AgentTable
  readonly random: RandomStreams
  /** The event in the queue's entry is from the agent whose turn it is, to this one. Answers its count. */
  sign(target: number): number
  pushOwn(time: number, priority: number, kind: number, payload: unknown): number
  die(place: number): void
  /** It is an agent's turn, outside of any event. */
  turnTo(place: number, number: number): void
  setTime(time: number): void
  /** Runs code of the model. */
  sealed(body: () => void): void
  checkDelay(delay: number): void
  asynchronous(what: string): never
  refuse(problem: string): never
}

/** A process, run again from its journal, did not do what it had done. */
class Diverged extends Error {}

const kindOf = (value: unknown): string =>
  typeof value !== "object" || value === null ?
    shown(value)
    : typeof Reflect.get(value, "then") === "function" ?
    "a promise"
    : "something that is no wait of this simulation"

export class Processes {
  /** The process whose body runs. */
  running: Process | undefined
  /** The process that begins to wait. */
  beginning: Process | undefined
  /** A process is being restored: nothing is to change. */
  isReplaying = false
  readonly #engine: ProcessEngine
  /** The process that is being restored, and the next of its notes. */
  #replayed: Process | undefined
  #note = 0

  constructor(engine: ProcessEngine) {
    this.#engine = engine
  }

  /** The process's wait is over: it goes on with this answer, or with an interruption thrown into it, to its next wait. */
  resume(process: Process, answer: unknown, interrupted: boolean): void {
    if (interrupted && process.generator === undefined) {
      // Its body begins, and is interrupted where it first waits.
      this.resume(process, undefined, false)
      if (process.wait === undefined || this.#engine.table.find(process.number) === nowhere) return
    }
    const { settled, wait } = process
    process.wait = undefined
    process.settled = false
    process.awaitedSender = -1
    this.running = process
    if (wait !== undefined && (interrupted || !settled) && wait.abandon !== Wait.prototype.abandon) {
      wait.abandon({ process: process.number, turn: process.turn })
    }
    const generator = process.generator ??= this.#bodyOf(process)
    let result = this.#goOn(process, generator, answer, interrupted)
    while (result.done !== true) {
      // It may have stopped itself, and still be waiting.
      if (this.#engine.table.find(process.number) === nowhere) break
      const next = result.value
      if (!isWait(next)) this.#engine.asynchronous(`waited for ${kindOf(next)}`)
      process.turn++
      if (next instanceof ContinueAs) {
        result = this.#goOn(process, this.#beginAgain(process, next.args), undefined, false)
        continue
      }
      process.wait = next
      this.beginning = process
      const atOnce = next.begin({ process: process.number, turn: process.turn })
      this.beginning = undefined
      if (atOnce === pending) {
        this.running = undefined
        return
      }
      process.wait = undefined
      result = this.#goOn(process, process.generator, atOnce, false)
    }
    this.running = undefined
    const place = this.#engine.table.find(process.number)
    if (place !== nowhere) this.#engine.die(place)
  }

  #bodyOf({ args, definition }: Process): NonNullable<Process["generator"]> {
    return args.length === 0 ? definition.body() : definition.body(...args as ReadonlyArray<never>)
  }

  #goOn(
    process: Process,
    generator: NonNullable<Process["generator"]>,
    answer: unknown,
    interrupted: boolean
  ): IteratorResult<Wait<unknown>, unknown> {
    const { journal } = process
    const { now } = this.#engine
    if (!interrupted) {
      journal.step(now, answer)
      return generator.next(answer)
    }
    journal.interruption(now, answer)
    return generator.throw(new Interrupted(answer))
  }

  /** The process's life so far is forgotten. */
  #beginAgain(process: Process, args: ReadonlyArray<unknown>): NonNullable<Process["generator"]> {
    process.args = args
    process.journal = new Journal()
    process.beganWith = this.#engine.random.wordsAt(this.#engine.place)
    return process.generator = this.#bodyOf(process)
  }

  /** What a call answers to a process, noted; while it is restored, what was noted. */
  note<A>(compute: () => A): A {
    // What is noted was an answer to this very call.
    if (this.isReplaying) return this.noted() as A
    const answer = compute()
    if (this.running !== undefined) this.running.journal.note(copied(answer))
    return answer
  }

  noted(): unknown {
    const { notes } = this.#replayed!.journal
    if (this.#note === notes.length) throw new Diverged("it did more than the journal has")
    return notes[this.#note++]
  }

  /** Answers a waiting process: it goes on at this time. False where it waits no longer, or is dead. */
  wake({ process, turn }: Waiter, answer: unknown): boolean {
    const place = this.#engine.table.find(process)
    if (place === nowhere) return false
    const waiting = this.#engine.table.states[place]
    if (!(waiting instanceof Process) || waiting.turn !== turn || waiting.settled || waiting.wait === undefined) {
      return false
    }
    this.settle(waiting, place, eventKind.resume, answer)
    return true
  }

  /** The event that ends a process's wait is on its way. */
  settle(process: Process, place: number, what: number, payload: unknown): void {
    const { entry } = this.#engine.queue
    entry[0] = this.#engine.now
    entry[1] = 0
    process.settled = true
    process.awaitedCount = this.#engine.sign(process.number)
    process.awaitedSender = this.#engine.self
    this.#engine.queue.enter(place, what, payload)
  }

  expire(delay: number, answer: unknown): void {
    const process = this.beginning
    if (process === undefined) return this.#engine.refuse("lets a wait expire that does not begin")
    this.#engine.checkDelay(delay)
    process.awaitedSender = process.number
    process.awaitedCount = this.#engine.pushOwn(this.#engine.now + delay, 0, eventKind.resume, answer)
  }

  hold(process: number, part: Part): void {
    const holder = this.#processOf(process)
    if (holder === undefined) return
    if (holder.holds === undefined) holder.holds = [part]
    else holder.holds.push(part)
  }

  letGo(process: number, part: Part): void {
    const holder = this.#processOf(process)
    const holds = holder?.holds
    if (holds === undefined) return
    if (holds.length === 1 && holds[0] === part) {
      holder!.holds = undefined
      return
    }
    const index = holds.indexOf(part)
    if (index >= 0) holds.splice(index, 1)
  }

  #processOf(agent: number): Process | undefined {
    const place = this.#engine.table.find(agent)
    const state = place === nowhere ? undefined : this.#engine.table.states[place]
    return state instanceof Process ? state : undefined
  }

  /**
   * Restores a process that is in the table: runs its body again with its journal, with no effect, until it waits for what
   * it waited for. Throws an error that says where that went another way.
   */
  replay(process: Process, words: Uint32Array): void {
    const engine = this.#engine
    const { now, random } = engine
    const place = engine.table.find(process.number)
    const { journal } = process
    const { interruptions, notes, reseeds, steps } = journal
    const reseed = (step: number) => {
      for (const { at, words } of reseeds) if (at === step) random.setWords(place, words)
    }
    engine.turnTo(place, process.number)
    this.#replayed = process
    this.isReplaying = true
    this.#note = 0
    if (process.beganWith === undefined) random.reset(place)
    else random.setWords(place, process.beganWith)
    const interrupted = new Set(interruptions)
    try {
      if (steps === 0) return
      let result: IteratorResult<Wait<unknown>, unknown> | undefined
      engine.sealed(() => {
        const generator = process.generator = process.definition.body(...copied(process.args) as ReadonlyArray<never>)
        for (let i = 0; i < steps; i++) {
          if (result?.done === true) throw new Diverged("it ended earlier")
          engine.setTime(journal.timeOf(i))
          reseed(i)
          result = interrupted.has(i)
            ? generator.throw(new Interrupted(journal.answerOf(i)))
            : generator.next(copied(journal.answerOf(i)))
        }
      })
      if (result === undefined || result.done === true || !isWait(result.value)) {
        throw new Diverged("it ended earlier")
      }
      process.wait = result.value
      reseed(steps)
      if (this.#note !== notes.length) throw new Diverged("it did less than the journal has")
      for (let i = 0; i < wordsPerStream; i++) {
        if (random.words[place * wordsPerStream + i] !== words[i]) throw new Diverged("it drew other random numbers")
      }
    } finally {
      engine.setTime(now)
      this.#replayed = undefined
      this.isReplaying = false
      random.setWords(place, words)
    }
  }
}
