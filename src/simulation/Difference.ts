/**
 * Where two worlds part: the first event that happens in one and not, or otherwise, in the other. Found by running both again
 * from their beginnings, side by side; a checkpoint says by which seeds and configurations its world came about.
 */
import { type Checkpoint, decodeBytes, encode, type Origin, restore, take } from "./Checkpoint.ts"
import { Engine } from "./Engine.ts"
import type { AnyModel } from "./Model.ts"
import { PlainWriter } from "./plainData.ts"

/** An event, for people. */
export interface ToldEvent {
  readonly time: number
  readonly priority: number
  readonly sender: string
  /** How many events the sender had sent before. */
  readonly count: number
  readonly receiver: string
  /** The message's name, or what else happens. */
  readonly what: string
  readonly payload: unknown
}

/** `undefined` on the side where nothing is left to happen. */
export interface Difference {
  /** How many events both have in common before. */
  readonly common: number
  readonly first: ToldEvent | undefined
  readonly second: ToldEvent | undefined
}

/** A world that is run again as its origins say: a fork happens before the first event at its time or later. */
class Again {
  engine: Engine
  readonly #model: AnyModel
  readonly #origins: ReadonlyArray<Origin>
  #origin = 0

  constructor(model: AnyModel, origins: ReadonlyArray<Origin>) {
    this.#model = model
    this.#origins = origins
    this.engine = new Engine(model, origins[0]!)
  }

  /** What happens next, before `until`; it has not happened yet. */
  next(until: number): ToldEvent | undefined {
    for (;;) {
      const fork = this.#origins[this.#origin + 1]
      if (fork !== undefined && this.engine.next >= fork.since) {
        const { config, seed, since } = fork
        const last = this.#origins[this.#origin++]!
        this.engine.advance(since)
        const checkpoint = decodeBytes(encode(take(this.engine, [last])))
        this.engine = restore(this.#model, checkpoint, seed === last.seed ? { config } : { config, seed })
        continue
      }
      if (this.engine.next >= until) return undefined
      const told = this.engine.tellNext()
      if (told !== undefined) return told
      // One that was cancelled, or is for the dead.
      this.engine.run(Infinity, 1)
    }
  }
}

const bytesOf = (event: ToldEvent | undefined): Uint8Array => {
  const writer = new PlainWriter()
  writer.value(event === undefined ? undefined : { ...event })
  return writer.bytes
}

const isSame = (a: ToldEvent | undefined, b: ToldEvent | undefined): boolean =>
  Buffer.compare(bytesOf(a), bytesOf(b)) === 0

/** Events after which a comparison lets others have a turn. */
const pace = 1000

/**
 * Looks for the first event that differs in the histories of two checkpoints, up to the time of the earlier; `undefined` where
 * none does. It takes as long as both worlds took, and yields now and then. Throws a `SimulationFault`.
 */
export function* comparing(
  model: AnyModel,
  first: Checkpoint,
  second: Checkpoint
): Generator<void, Difference | undefined> {
  const until = Math.min(first.now, second.now)
  const a = new Again(model, first.origins)
  const b = new Again(model, second.origins)
  for (let common = 0;; common++) {
    const one = a.next(until)
    const other = b.next(until)
    if (!isSame(one, other)) return { common, first: one, second: other }
    if (one === undefined) return undefined
    a.engine.run(Infinity, 1)
    b.engine.run(Infinity, 1)
    if (common % pace === 0) yield
  }
}

/** The same of two checkpoints' bytes, in one go. */
export const diff = (model: AnyModel, first: Uint8Array, second: Uint8Array): Difference | undefined => {
  const search = comparing(
    model,
    decodeBytes(first, "the first checkpoint"),
    decodeBytes(second, "the second checkpoint")
  )
  for (;;) {
    const { done, value } = search.next()
    if (done === true) return value
  }
}

/**
 * What happens in an engine until so many events have happened, one after the other: each is told before it happens, with how
 * many were before it. Throws a `SimulationFault`.
 */
export function* history(engine: Engine, events: number): Generator<ToldEvent & { readonly before: number }> {
  while (engine.handled < events && engine.next < Infinity) {
    const told = engine.tellNext()
    if (told !== undefined) yield { before: engine.handled, ...told }
    engine.run(Infinity, 1)
  }
}
