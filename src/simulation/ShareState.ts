/**
 * The state of a share, as plain data: its agents with their streams, what is still to happen to them, its parts, counts and
 * tallies. The same for the same world, whichever host it lies on; it is what a checkpoint keeps and what `state_sha256` is of.
 */
import * as Schema from "effect/Schema"
import { birthOf, shareOf } from "./AgentTable.ts"
import type { Engine } from "./Engine.ts"
import { CheckpointRefused } from "./errors.ts"
import { copied, NotPlain } from "./plainData.ts"
import { Process } from "./Process.ts"
import { wordsPerStream } from "./RandomStreams.ts"

const array = <T>(name: string, is: (value: unknown) => value is T) => Schema.declare(is, { expected: name })
const Float64 = array("a Float64Array", (value): value is Float64Array => value instanceof Float64Array)
const Int32 = array("an Int32Array", (value): value is Int32Array => value instanceof Int32Array)
const Uint32 = array("a Uint32Array", (value): value is Uint32Array => value instanceof Uint32Array)

const SavedJournal = Schema.Struct({
  times: Schema.Array(Schema.Number),
  answers: Schema.Array(Schema.Unknown),
  interruptions: Schema.Array(Schema.Number),
  notes: Schema.Array(Schema.Unknown)
})

const SavedProcess = Schema.Struct({
  args: Schema.Array(Schema.Unknown),
  journal: SavedJournal,
  beganWith: Schema.UndefinedOr(Uint32),
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
  journal: process.journal,
  beganWith: process.beganWith,
  turn: process.turn,
  awaitedSender: process.awaitedSender,
  awaitedCount: process.awaitedCount,
  settled: process.settled
})

const refused = (engine: Engine, problem: string): CheckpointRefused =>
  new CheckpointRefused({ model: engine.model.modelName, problem })

const messageOf = (cause: unknown): string => cause instanceof Error ? cause.message : String(cause)

/** The events that wait, in order, those that were cancelled left out, by the share that they are for. */
const waitingOf = (engine: Engine): ReadonlyArray<Array<number>> => {
  const { queue, model } = engine
  const slots = Array.from({ length: model.shares }, (): Array<number> => [])
  for (const slot of queue.inOrder()) {
    // What is for the dead is not to come.
    if (engine.isCancelled(slot) || engine.table.numbers[queue.place[slot]!] !== queue.target[slot]) continue
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
        births: Float64Array.from(places, (place) => birthOf(table.numbers[place]!)),
        counts: Float64Array.from(places, (place) => table.counts[place]!),
        kinds: Int32Array.from(places, (place) => table.kinds[place]!),
        words,
        states: places.map(stateOf)
      },
      events: {
        times: Float64Array.from(slots, (slot) => queue.time[slot]!),
        priorities: Float64Array.from(slots, (slot) => queue.priority[slot]!),
        senders: Float64Array.from(slots, (slot) => queue.sender[slot]!),
        counts: Float64Array.from(slots, (slot) => queue.count[slot]!),
        targets: Float64Array.from(slots, (slot) => queue.target[slot]!),
        kinds: Int32Array.from(slots, (slot) => queue.kind[slot]!),
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
