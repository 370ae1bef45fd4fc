/**
 * A checkpoint: a world at one moment, as bytes. It can be gone on from in any layout, with the same result as if nothing had
 * happened; with another seed or configuration it is a fork.
 *
 * The bytes are plain data and their hash; nothing in them is run. The model itself is not in them: whoever goes on names it.
 */
import * as Schema from "effect/Schema"
import { createHash } from "node:crypto"
import { Engine, type EngineOptions } from "./Engine.ts"
import { CheckpointRefused } from "./errors.ts"
import { type AnyModel, configured } from "./Model.ts"
import { NotPlain, NotReadable, PlainReader, PlainWriter } from "./plainData.ts"
import { load, save, type ShareState } from "./ShareState.ts"

/** The first bytes of each: what it is, and the version of its format. */
const magic = "troupe-simulation-1\n"

const Seed = Schema.Union([Schema.Int, Schema.BigInt])

/** From which time on a world went by which seed and configuration: the first entry from 0, further ones are forks. */
const Origin = Schema.Struct({
  since: Schema.Finite,
  seed: Seed,
  config: Schema.Record(Schema.String, Schema.Unknown)
})
export type Origin = typeof Origin.Type

const Head = Schema.Struct({
  model: Schema.String,
  now: Schema.Finite,
  events: Schema.Int,
  undelivered: Schema.Int,
  origins: Schema.NonEmptyArray(Origin),
  kinds: Schema.Array(Schema.String),
  messages: Schema.Array(Schema.String),
  functions: Schema.Int,
  shareCount: Schema.Int,
  shares: Schema.Array(Schema.Unknown)
})

/** What a checkpoint says, its shares not looked at. */
export type Checkpoint = typeof Head.Type

const decode = Schema.decodeUnknownSync(Head)

/** What the shares of all hosts have in common. */
export interface Whole {
  readonly now: number
  readonly events: number
  readonly undelivered: number
  readonly origins: readonly [Origin, ...ReadonlyArray<Origin>]
}

/** A checkpoint of an engine's model with the shares of all hosts. */
export const checkpointOf = (engine: Engine, whole: Whole, shares: ReadonlyArray<ShareState>): Checkpoint => ({
  model: engine.model.modelName,
  ...whole,
  kinds: engine.kinds.map(({ name }) => name),
  messages: engine.messageNames,
  functions: engine.functionCount,
  shareCount: engine.model.shares,
  shares
})

/** Takes a checkpoint of a world that has one host. Throws a `CheckpointRefused`. */
export const take = (engine: Engine, origins: Whole["origins"]): Checkpoint =>
  checkpointOf(
    engine,
    { now: engine.now, events: engine.handled, undelivered: engine.undelivered, origins },
    save(engine)
  )

export const encode = (checkpoint: Checkpoint): Uint8Array<ArrayBuffer> => {
  const writer = new PlainWriter()
  writer.raw(new TextEncoder().encode(magic))
  try {
    writer.value(checkpoint)
  } catch (cause) {
    if (!(cause instanceof NotPlain)) throw cause
    throw new CheckpointRefused({ model: checkpoint.model, problem: `it has no plain data: ${cause.message}` })
  }
  writer.raw(createHash("sha256").update(writer.bytes).digest())
  return writer.bytes.slice()
}

/** Reads the bytes of a checkpoint. `name` is what a sentence calls them. Throws a `CheckpointRefused`. */
export const decodeBytes = (bytes: Uint8Array, name = "checkpoint"): Checkpoint => {
  const refused = (problem: string) => new CheckpointRefused({ model: name, problem })
  const head = new TextEncoder().encode(magic)
  const hashLength = 32
  if (bytes.length < head.length + hashLength || head.some((byte, i) => bytes[i] !== byte)) {
    throw refused("is no checkpoint of a simulation that this version reads")
  }
  const body = bytes.subarray(0, bytes.length - hashLength)
  const hash = createHash("sha256").update(body).digest()
  if (hash.some((byte, i) => bytes[body.length + i] !== byte)) throw refused("is damaged: take an earlier one")
  try {
    const reader = new PlainReader(body)
    reader.at = head.length
    const value = reader.value()
    if (!reader.done) throw new NotReadable("more follows")
    return decode(value)
  } catch (cause) {
    throw refused(`cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`)
  }
}

export interface ForkOptions {
  /** Streams go on as those of another seed. */
  readonly seed?: number | bigint
  /** What is other than in the checkpoint's configuration. */
  readonly config?: Readonly<Record<string, unknown>>
}

const same = (a: ReadonlyArray<string>, b: ReadonlyArray<string>): boolean =>
  a.length === b.length && a.every((name, i) => name === b[i])

/** The origins of a world that goes on from a checkpoint. */
export const originsOf = (checkpoint: Checkpoint, fork: ForkOptions = {}): Whole["origins"] => {
  const { now, origins } = checkpoint
  if (fork.seed === undefined && fork.config === undefined) return origins
  const last = origins.at(-1)!
  const origin: Origin = {
    since: now,
    seed: fork.seed ?? last.seed,
    config: { ...last.config, ...fork.config }
  }
  const [first, ...others] = origins
  return [first, ...others, origin]
}

/** Goes on from a checkpoint, on this host. Throws a `SimulationFault`. */
export const restore = (
  model: AnyModel,
  checkpoint: Checkpoint,
  fork: ForkOptions = {},
  layout: Pick<EngineOptions, "owns" | "post"> = {}
): Engine => {
  const refused = (problem: string) => new CheckpointRefused({ model: model.modelName, problem })
  if (checkpoint.model !== model.modelName) {
    throw refused(`the checkpoint is of another model, ${checkpoint.model}`)
  }
  const last = checkpoint.origins.at(-1)!
  const config = { ...last.config, ...fork.config }
  configured(model, config)
  const engine = new Engine(model, { ...layout, seed: last.seed, config })
  const { functions, kinds, messages, now, shareCount } = checkpoint
  if (
    !same(kinds, engine.kinds.map(({ name }) => name)) || !same(messages, engine.messageNames) ||
    functions !== engine.functionCount || shareCount !== model.shares
  ) {
    throw refused(
      "the model has changed since the checkpoint: it has other kinds of agents, messages, functions or shares"
    )
  }
  engine.advance(now)
  load(engine, checkpoint.shares.filter((share) => engine.owns(Number(Reflect.get(Object(share), "share")))))
  if (engine.owns(0)) {
    engine.handled = checkpoint.events
    engine.missed = checkpoint.undelivered
  }
  if (fork.seed !== undefined) engine.reseed(fork.seed)
  return engine
}
