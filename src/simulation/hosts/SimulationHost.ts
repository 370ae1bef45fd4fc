/**
 * A host of a simulation as a supervised actor: it holds shares and moves them, window by window. What it has is kept by
 * whoever runs the simulation, as a checkpoint of all hosts; when one dies, all go back to it. So none of its messages is
 * handled twice.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Actor from "../../actors/Actor.ts"
import * as Shared from "../../actors/messages/Shared.ts"
import { plainLine, thrownText } from "../../text/plainLine.ts"
import { decodeBytes } from "../Checkpoint.ts"
import { InvalidModel, isSimulationFault, RejectionUnhandled, SimulationFault } from "../errors.ts"
import type { AnyModel } from "../Model.ts"
import { PlainReader, PlainWriter } from "../plainData.ts"
import { apart, clockOf } from "./Exchange.ts"
import { HostShares, type Progress } from "./HostShares.ts"

/** Promises that were rejected in a host's thread while nobody handled them: the first one's words. */
export interface Rejections {
  first: string | undefined
}

/** Where a host has its model from. */
export class ModelSource extends Context.Service<ModelSource, {
  readonly load: (module: string, name: string) => Effect.Effect<AnyModel, InvalidModel>
  readonly rejections: Rejections
}>()("troupe/simulation/ModelSource") {}

export const HostConfig = Schema.Struct({
  /** Address of the module whose default export is the model; empty where hosts have it already. */
  module: Schema.String,
  model: Schema.String,
  /** Seed and configuration, as plain data. */
  origin: Shared.Bytes,
  host: Schema.Int,
  hosts: Schema.Int,
  /** Null where the hosts share none. */
  memory: Schema.NullOr(Schema.Struct({
    hosts: Schema.Int,
    shared: Schema.Boolean,
    control: Shared.Buffer,
    facts: Shared.Buffer,
    boxes: Shared.Buffer,
    clocks: Shared.Buffer
  }))
})

/** What one host tells another, where they share no memory. */
const Told = Schema.Struct({ next: Schema.Number, more: Schema.Boolean, box: Shared.Bytes })

/** How far a host has come, and its time. */
const Arrived = Schema.Struct({
  progress: Schema.Literals(["done", "over", "paused", "running", "aborted"]),
  now: Schema.Number
})

/** A host has begun anew since it was given its shares, and does not have them. */
export class HostReplaced extends Schema.TaggedError<HostReplaced>()("HostReplaced", { host: Schema.Int }) {
  override get message(): string {
    return `host ${this.host} has died`
  }
}

/** Every message names the beginning that the host must know of: 1, 2, ... */
const generation = Schema.Int

const rpc = <const Name extends string, P extends Schema.Struct.Fields, S extends Schema.Codec<unknown, unknown>>(
  name: Name,
  payload: P,
  success: S
) =>
  Actor.Rpc.make(name, {
    payload: { ...payload, generation },
    success,
    error: Schema.Union([SimulationFault, HostReplaced])
  }).annotate(Actor.NonReplayable, true)

export class SimulationHost extends Actor.make("SimulationHost", {
  config: HostConfig,
  protocol: [
    /** Goes on from a checkpoint, or from what the set-up has made: a beginning. */
    rpc("Begin", { checkpoint: Schema.UndefinedOr(Shared.Bytes) }, Schema.Void),
    /** Windows, side by side with the other hosts, each in a thread of its own. */
    rpc("Round", { until: Schema.Number, endless: Schema.Boolean, millis: Schema.Number }, Arrived),
    /** Hosts in one thread move by turns: all publish, then all advance. */
    rpc("Publish", { stop: Schema.Boolean }, Schema.Void),
    rpc("Advance", { until: Schema.Number, endless: Schema.Boolean }, Arrived),
    /** Hosts that share no memory tell each other what there is by way of who asks them: this is how it begins, */
    rpc("Tell", {}, Schema.Array(Told)),
    /** and a window, with what all have told for it; then what they tell next, by host; nothing where all is done. */
    rpc(
      "Hear",
      { until: Schema.Number, endless: Schema.Boolean, stop: Schema.Boolean, told: Schema.Array(Told) },
      Schema.Struct({ ...Arrived.fields, told: Schema.Array(Told) })
    ),
    /** The states of its shares, events and undelivered messages, as plain data. */
    rpc("Save", {}, Shared.Bytes),
    /** What they have come to (`HostOutcome`), as plain data. */
    rpc("Outcome", {}, Shared.Bytes)
  ]
}) {}

export const plainBytes = (value: unknown): Uint8Array<ArrayBuffer> => {
  const writer = new PlainWriter()
  writer.value(value)
  return writer.bytes.slice()
}

export const plainValue = (bytes: Uint8Array): unknown => new PlainReader(bytes).value()

export const SimulationHostBehavior = SimulationHost.behavior(({ config }) =>
  Effect.gen(function*() {
    const source = yield* ModelSource
    const model = yield* source.load(config.module, config.model)
    const { config: settings, seed } = plainValue(config.origin) as {
      readonly seed: number | bigint
      readonly config: Readonly<Record<string, unknown>>
    }
    const { host, hosts } = config
    const memory = config.memory ?? apart(hosts)
    const clocks = Array.from({ length: hosts }, (_, each) => clockOf(memory, each))
    const attempt = <A>(body: () => A): Effect.Effect<A, SimulationFault> =>
      Effect.suspend(() => {
        const { first: reason } = source.rejections
        if (reason !== undefined) {
          // It is told to a thread, whichever of the hosts in it takes its turn then.
          const at = Math.max(...clocks.map(([time]) => time!))
          return Effect.fail(new RejectionUnhandled({ model: model.modelName, at, reason }))
        }
        try {
          return Effect.succeed(body())
        } catch (cause) {
          return isSimulationFault(cause) ? Effect.fail(cause) : Effect.die(cause)
        }
      })
    const shares = yield* attempt(() => new HostShares(model, { seed, config: settings, host, memory }))
    /** Which beginning this incarnation knows of. */
    let known = 0
    const going = <A>(generation: number, body: () => A): Effect.Effect<A, SimulationFault | HostReplaced> =>
      generation === known ? attempt(body) : Effect.fail(new HostReplaced({ host }))
    const arrived = (progress: Progress) => ({ progress, now: shares.engine.now })
    return {
      handlers: {
        Begin: ({ checkpoint, generation }) =>
          attempt(() => {
            if (checkpoint !== undefined) shares.restore(decodeBytes(checkpoint))
            known = generation
          }),
        Round: ({ endless, generation, millis, until }) =>
          going(generation, () => arrived(shares.round(until, endless, millis))),
        Publish: ({ generation, stop }) => going(generation, () => shares.publish(stop)),
        Advance: ({ endless, generation, until }) => going(generation, () => arrived(shares.advance(until, endless))),
        Tell: ({ generation }) => going(generation, () => shares.tell()),
        Hear: ({ endless, generation, stop, told, until }) =>
          going(generation, () => {
            const progress = shares.hear(told, stop, until, endless)
            return { ...arrived(progress), told: progress === "running" ? shares.tell() : [] }
          }),
        Save: ({ generation }) =>
          going(generation, () =>
            plainBytes({
              shares: shares.save(),
              events: shares.engine.handled,
              undelivered: shares.engine.undelivered
            })),
        Outcome: ({ generation }) => going(generation, () => plainBytes(shares.outcome))
      }
    }
  })
)

/** Loads a model from its module, in a host thread. */
export const importModel = (module: string, name: string): Effect.Effect<AnyModel, InvalidModel> =>
  Effect.tryPromise({
    try: () => import(module),
    catch: (cause) =>
      new InvalidModel({ model: name, problem: `its module cannot be loaded: ${plainLine(thrownText(cause))}` })
  }).pipe(
    Effect.flatMap((loaded: unknown) => {
      const model: unknown = typeof loaded === "object" && loaded !== null ? Reflect.get(loaded, "default") : undefined
      return isModel(model) && model.modelName === name
        ? Effect.succeed(model)
        : Effect.fail(
          new InvalidModel({ model: name, problem: `${plainLine(module)} does not export it as its default` })
        )
    })
  )

/** Whether a module's default export is a model. */
export const isModel = (value: unknown): value is AnyModel =>
  typeof value === "object" && value !== null && "modelName" in value && "setup" in value &&
  typeof value.setup === "function"
