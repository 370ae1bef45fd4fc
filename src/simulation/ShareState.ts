/**
 * The state of a share, as plain data: its agents with their streams, what is still to happen to them, its parts, counts and
 * tallies. The same for the same world, whichever host it lies on; it is what a checkpoint keeps and what `state_sha256` is of.
 */
import * as Schema from "effect/Schema"
import { plainLine, thrownText } from "../text/plainLine.ts"
import { birthOf, nowhere, numberOf, shareOf } from "./AgentTable.ts"
import type { Engine } from "./Engine.ts"
import { CheckpointRefused, isSimulationFault } from "./errors.ts"
import { type EventKind, eventKind } from "./events.ts"
import { Journal } from "./Journal.ts"
import { copied, NotPlain } from "./plainData.ts"
import { Process } from "./Process.ts"
import { wordsPerStream } from "./RandomStreams.ts"
import { Tally } from "./Tally.ts"

const array = <T>(name: string, is: (value: unknown) => value is T) => Schema.declare(is, { expected: name })
const Float64 = array("a Float64Array", (value): value is Float64Array => value instanceof Float64Array)
const Int32 = array("an Int32Array", (value): value is Int32Array => value instanceof Int32Array)
const Uint32 = array("a Uint32Array", (value): value is Uint32Array => value instanceof Uint32Array)

const words = (length: number) =>
  array(`${length} words`, (value): value is Uint32Array => value instanceof Uint32Array && value.length === length)

const SavedJournal = Schema.Struct({
  times: Schema.Array(Schema.Number),
  answers: Schema.Array(Schema.Unknown),
  interruptions: Schema.Array(Schema.Number),
  notes: Schema.Array(Schema.Unknown),
  reseeds: Schema.Array(Schema.Struct({ at: Schema.Number, words: words(4) }))
})

const SavedProcess = Schema.Struct({
  args: Schema.Array(Schema.Unknown),
  journal: SavedJournal,
  beganWith: Schema.UndefinedOr(words(wordsPerStream)),
  turn: Schema.Number,
  awaitedSender: Schema.Number,
  awaitedCount: Schema.Number,
  settled: Schema.Boolean
})

/** Columns, an entry an agent or an event. */
export const ShareState = Schema.Struct({
  share: Schema.Number,
  born: Schema.Number,
  agents: Schema.Struct({
    births: Float64,
    counts: Float64,
    /** Indices of kinds. */
    kinds: Int32,
    words: Uint32,
    states: Schema.Array(Schema.Unknown)
  }),
  events: Schema.Struct({
    times: Float64,
    priorities: Float64,
    senders: Float64,
    counts: Float64,
    targets: Float64,
    kinds: Int32,
    payloads: Schema.Array(Schema.Unknown)
  }),
  counts: Schema.Array(Schema.Tuple([Schema.String, Schema.Number])),
  tallies: Schema.Array(Schema.Tuple([Schema.String, Float64])),
  parts: Schema.Array(Schema.Tuple([Schema.String, Schema.Unknown]))
})
export type ShareState = typeof ShareState.Type

const saveProcess = (process: Process): typeof SavedProcess.Type => ({
  args: process.args,
  journal: process.journal.save(),
  beganWith: process.beganWith,
  turn: process.turn,
  awaitedSender: process.awaitedSender,
  awaitedCount: process.awaitedCount,
  settled: process.settled
})

const refused = (engine: Engine, problem: string): CheckpointRefused =>
  new CheckpointRefused({ model: engine.model.modelName, problem })

const messageOf = (cause: unknown): string => plainLine(thrownText(cause).replaceAll(/\s*\n\s*/g, " "), 300)

const isQuestionKind = (kind: number): boolean => kind >= 0 && (kind & 1) === 1

/** The numbers at these places of a column. A loop: `from` with a function takes several times as long. */
const gather = (column: Float64Array, places: ReadonlyArray<number>): Float64Array => {
  const gathered = new Float64Array(places.length)
  for (let i = 0; i < gathered.length; i++) gathered[i] = column[places[i]!]!
  return gathered
}

const gatherWhole = (column: Int32Array, places: ReadonlyArray<number>): Int32Array => {
  const gathered = new Int32Array(places.length)
  for (let i = 0; i < gathered.length; i++) gathered[i] = column[places[i]!]!
  return gathered
}

/** The events that wait, in order, those that were cancelled left out, by the share that they are for. */
const waitingOf = (engine: Engine): ReadonlyArray<Array<number>> => {
  const { queue, model } = engine
  const slots = Array.from({ length: model.shares }, (): Array<number> => [])
  for (const slot of queue.inOrder()) {
    if (engine.isCancelled(slot)) continue
    // What is for the dead is not to come, but who asked them will hear of it.
    const isAlive = engine.table.numbers[queue.place[slot]!] === queue.target[slot]
    if (!isAlive && !isQuestionKind(queue.kind[slot]!)) continue
    slots[shareOf(queue.target[slot]!)]!.push(slot)
  }
  return slots
}

/** The states of all shares of an engine's host. Nothing in them is shared with the engine. Throws a `CheckpointRefused`. */
export const save = (engine: Engine): ReadonlyArray<ShareState> => {
  const { kinds, parts, queue, random, table } = engine
  const waiting = waitingOf(engine)
  return table.shares.filter((share) => share !== undefined).map((share) => {
    const places: Array<number> = []
    for (const [index, chunk] of share.chunks.entries()) {
      if (chunk === undefined) continue
      for (let i = 0; i < 256; i++) {
        const place = engine.table.find(share.index * 4294967296 + index * 256 + i)
        if (place >= 0) places.push(place)
      }
    }
    const words = new Uint32Array(places.length * wordsPerStream)
    for (const [i, place] of places.entries()) {
      words.set(random.words.subarray(place * wordsPerStream, (place + 1) * wordsPerStream), i * wordsPerStream)
    }
    const stateOf = (place: number): unknown => {
      const state = table.states[place]
      const kind = kinds[table.kinds[place]!]!
      try {
        return state instanceof Process
          ? saveProcess(state)
          : kind.is === "agent"
          ? kind.definition.save(state)
          : undefined
      } catch (cause) {
        throw refused(
          engine,
          `the state of ${engine.describe(table.numbers[place]!)} does not fit: ${messageOf(cause)}`
        )
      }
    }
    const slots = waiting[share.index]!
    const state: ShareState = {
      share: share.index,
      born: table.born[share.index]!,
      agents: {
        births: gather(table.numbers, places).map(birthOf),
        counts: gather(table.counts, places),
        kinds: gatherWhole(table.kinds, places),
        words,
        states: places.map(stateOf)
      },
      events: {
        times: gather(queue.time, slots),
        priorities: gather(queue.priority, slots),
        senders: gather(queue.sender, slots),
        counts: gather(queue.count, slots),
        targets: gather(queue.target, slots),
        kinds: gatherWhole(queue.kind, slots),
        payloads: slots.map((slot) => queue.payload[slot])
      },
      counts: Array.from(share.counts),
      tallies: Array.from(share.tallies, ([name, { words }]) => [name, words]),
      parts: Array.from(parts).filter(([, part]) => part.share === share.index).map((
        [name, { part }]
      ) => [name, part.save()])
    }
    try {
      return copied(state)
    } catch (cause) {
      if (cause instanceof NotPlain) throw refused(engine, `its state is no plain data: ${cause.message}`)
      throw cause
    }
  })
}

// ------------------------------------------------------------------------------------------------------------- loading

const natural = Schema.Int.pipe(Schema.check(Schema.isGreaterThanOrEqualTo(0)))

const SavedWaiter = Schema.Struct({ process: natural, turn: natural })

/** What an event carries, by its kind, where that is not the model's affair. */
const payloads: Readonly<Record<EventKind, (payload: unknown) => boolean>> = {
  [eventKind.call]: Schema.is(natural),
  [eventKind.repeat]: Schema.is(Schema.Struct({
    handle: natural,
    period: Schema.Finite,
    drawn: Schema.Boolean,
    priority: Schema.Finite,
    left: Schema.Number,
    kind: Schema.Int,
    payload: Schema.Unknown
  })),
  [eventKind.resume]: () => true,
  [eventKind.interrupt]: () => true,
  [eventKind.reply]: Schema.is(Schema.Struct({ turn: natural, answer: Schema.Unknown, died: Schema.Boolean }))
}

const isQuestion = Schema.is(Schema.Struct({ waiter: SavedWaiter, back: Schema.Finite, message: Schema.Unknown }))

/** What does not fit in an event's kind and payload; `undefined` where all does. */
const misfit = (engine: Engine, agentKind: number, what: number, payload: unknown): string | undefined => {
  const is = engine.kinds[agentKind]!.is
  if (what >= 0) {
    if (!engine.hasHandler(agentKind, what >> 1)) return "a message without a handler"
    return (what & 1) === 1 && !isQuestion(payload) ? "a question that is none" : undefined
  }
  const kind = Object.values(eventKind).find((known) => known === what)
  if (kind === undefined || !payloads[kind](payload)) return "an event that is none"
  if (what === eventKind.call) {
    return is === "model" && (payload as number) < engine.functionCount ? undefined : "a function that the set-up lacks"
  }
  if (what === eventKind.repeat) {
    const { drawn, kind, payload: repeated, period } = payload as {
      readonly drawn: boolean
      readonly kind: number
      readonly payload: unknown
      readonly period: number
    }
    if (drawn ? !(Number.isInteger(period) && period >= 0 && period < engine.functionCount) : !(period > 0)) {
      return "a period that is none"
    }
    return kind === eventKind.call || (kind >= 0 && (kind & 1) === 0)
      ? misfit(engine, agentKind, kind, repeated)
      : "a repetition of nothing"
  }
  return is === "process" ? undefined : "an answer to what is no process"
}

const decode = Schema.decodeUnknownSync(ShareState)
const decodeProcess = Schema.decodeUnknownSync(SavedProcess)

/**
 * Puts the shares that live on this host into an engine, which has just been set up, instead of what the set-up gave birth
 * to. Time must have been set already. Throws a `CheckpointRefused`.
 */
export const load = (engine: Engine, saved: ReadonlyArray<unknown>): void => {
  const wrong = (what: string): never => {
    throw refused(engine, `the checkpoint does not fit: ${what}`)
  }
  try {
    engine.clear()
    const states = saved.map((share) => decode(copied(share)))
    const begun: Array<readonly [Process, Uint32Array]> = []
    for (const state of states) loadAgents(engine, state, begun, wrong)
    for (const state of states) loadEvents(engine, state, wrong)
    for (const { counts, parts, share, tallies } of states) {
      const own = engine.table.shares[share]!
      for (const [name, count] of counts) own.counts.set(name, count)
      for (const [name, words] of tallies) {
        if (words.length !== 5) wrong(`the tally ${name}`)
        own.tallies.set(name, new Tally(words))
      }
      const expected = Array.from(engine.parts).filter(([, part]) => part.share === share)
      if (expected.length !== parts.length) wrong(`share ${share} has ${parts.length} parts, not ${expected.length}`)
      for (const [name, part] of parts) {
        const attached = engine.parts.get(name)
        if (attached === undefined || attached.share !== share) wrong(`there is no part ${name} in share ${share}`)
        attached!.part.load(part)
      }
    }
    for (const [process, words] of begun) {
      try {
        engine.replay(process, words)
      } catch (cause) {
        throw refused(
          engine,
          `${engine.describe(process.number)} cannot be restored: run again from its journal, ${messageOf(cause)}; ` +
            "a process must not read variables that change outside of it"
        )
      }
    }
  } catch (cause) {
    if (isSimulationFault(cause)) throw cause
    throw refused(engine, `the checkpoint does not fit: ${messageOf(cause)}`)
  }
}

const loadAgents = (
  engine: Engine,
  { agents, born, share }: ShareState,
  begun: Array<readonly [Process, Uint32Array]>,
  wrong: (what: string) => never
): void => {
  const { births, counts, kinds, states, words } = agents
  const { length } = births
  const { model, random } = engine
  if (!(Number.isInteger(share) && share >= 0 && share < model.shares)) wrong(`there is no share ${share}`)
  if (!engine.owns(share)) wrong(`share ${share} lives on another host`)
  const lengths = [counts.length, kinds.length, states.length, words.length / wordsPerStream]
  if (lengths.some((other) => other !== length)) wrong(`the agents of share ${share}`)
  engine.table.born[share] = born
  let last = -1
  for (let i = 0; i < length; i++) {
    const birth = births[i]!
    const kind = kinds[i]!
    const known = engine.kinds[kind]
    if (!(Number.isInteger(birth) && birth > last && birth < born) || known === undefined) wrong("an agent")
    last = birth
    const number = numberOf(share, birth)
    if ((known!.is === "model") !== (number === 0)) wrong("the model itself")
    let state: unknown
    if (known!.is === "process") {
      const { args, awaitedCount, awaitedSender, beganWith, journal, settled, turn } = decodeProcess(states[i])
      const process = new Process(known!.definition, number, args)
      // Decoded from a copy, so nobody else holds its arrays.
      process.journal = Journal.of(journal)
      process.beganWith = beganWith
      process.turn = turn
      process.awaitedSender = awaitedSender
      process.awaitedCount = awaitedCount
      process.settled = settled
      state = process
      begun.push([process, words.slice(i * wordsPerStream, (i + 1) * wordsPerStream)])
    } else if (known!.is === "agent") state = known!.definition.load(states[i])
    const place = engine.enlist(number, kind, state)
    engine.table.counts[place] = counts[i]!
    random.setWords(place, words.subarray(i * wordsPerStream, (i + 1) * wordsPerStream))
  }
}

const loadEvents = (engine: Engine, { events, share }: ShareState, wrong: (what: string) => never): void => {
  const { counts, kinds, payloads, priorities, senders, targets, times } = events
  const { length } = times
  if ([counts, kinds, payloads, priorities, senders, targets].some((column) => column.length !== length)) {
    wrong(`the events of share ${share}`)
  }
  for (let i = 0; i < length; i++) {
    const time = times[i]!
    const target = targets[i]!
    if (!(time >= engine.now && time < Infinity) || !Number.isFinite(priorities[i]!)) wrong("the time of an event")
    if (shareOf(target) !== share) wrong("an event for another share")
    const place = engine.table.find(target)
    if (place === nowhere) {
      if (!isQuestionKind(kinds[i]!) || !isQuestion(payloads[i])) wrong("an event for nobody")
    } else {
      const problem = misfit(engine, engine.table.kinds[place]!, kinds[i]!, payloads[i])
      if (problem !== undefined) wrong(problem)
    }
    engine.queue.push(time, priorities[i]!, senders[i]!, counts[i]!, target, Math.max(place, 0), kinds[i]!, payloads[i])
  }
}
