/**
 * What travels between the trainer and a worker that shares no memory with it, such as one in a child process. The worker
 * has a small data plane of its own. A piece of work brings it the weights and the states that it begins from; the reply
 * takes back the states that it ends with, and what the trainer wants to know of the experience, or its gradients. So such
 * a worker too begins each piece of work from what it is given, and remembers nothing that matters.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Shared from "../../actors/messages/Shared.ts"
import { Arena } from "../../model/kernels/Arena.ts"
import { Kernels } from "../../model/kernels/Kernels.ts"
import { namesOf } from "./columns.ts"
import {
  bankOf,
  dataPlaneBytes,
  DataPlaneLayout,
  layOut,
  shareOf,
  slotSpans,
  type Span,
  unitsOf
} from "./dataPlaneLayout.ts"
import { weightsLength } from "./DataPlaneSpec.ts"
import { toldColumns } from "./shipment.ts"

/**
 * From the trainer: the weights to work with, and of each of the worker's slots what the work begins from: its state, and
 * its own copy of the weights where it has one, or for a further gradient its experience.
 */
export const Parcel = Schema.Struct({
  weights: Shared.Bytes,
  slots: Shared.Bytes,
  /** Whether all the experience is wanted back, and not only what a run tells of it. */
  whole: Schema.Boolean
})
export type Parcel = typeof Parcel.Type

/** From the worker: its slots' states after the work, with what is wanted of their experience, and its units' gradients. */
export const Made = Schema.Struct({ slots: Shared.Bytes, units: Shared.Bytes })
export type Made = typeof Made.Type

/** What a worker needs to lay out a plane of its own: the trainer's layout, and the kernels' description of the network. */
export const OwnPlane = Schema.Struct({ layout: DataPlaneLayout, worker: Schema.Int, descriptor: Shared.Bytes })
export type OwnPlane = typeof OwnPlane.Type

const nothing = new Uint8Array(0)

/** A copy in memory of its own: what lies in shared memory cannot be sent to another process. */
const copyOf = (bytes: Uint8Array): Uint8Array => {
  const copy = new Uint8Array(bytes.length)
  copy.set(bytes)
  return copy
}

/** Spans that touch as one. */
const joined = (spans: ReadonlyArray<Span>): ReadonlyArray<Span> => {
  const all: Array<Span> = []
  for (const { at, bytes } of spans) {
    if (bytes === 0) continue
    const last = all.at(-1)
    if (last !== undefined && last.at + last.bytes === at) {
      all[all.length - 1] = { at: last.at, bytes: last.bytes + bytes }
    } else all.push({ at, bytes })
  }
  return all
}

/** The same parts of each of a worker's slots, one slot after the other, as they travel. */
const partsOf = (buffer: SharedArrayBuffer, layout: DataPlaneLayout, worker: number, spans: ReadonlyArray<Span>) => {
  const { count, first } = shareOf(layout.spec, worker)
  const parts = Array.from(
    { length: count },
    (_, i) =>
      joined(spans).map(({ at, bytes }) =>
        new Uint8Array(buffer, layout.slots + (first + i) * layout.slotBytes + at, bytes)
      )
  ).flat()
  const size = parts.reduce((sum, { length }) => sum + length, 0)
  return {
    read: (): Uint8Array => {
      const bytes = new Uint8Array(size)
      let at = 0
      for (const part of parts) {
        bytes.set(part, at)
        at += part.length
      }
      return bytes
    },
    write: (bytes: Uint8Array): void => {
      if (bytes.length !== size) throw new RangeError(`slots of ${bytes.length} bytes came instead of ${size}`)
      let at = 0
      for (const part of parts) part.set(bytes.subarray(at, at += part.length))
    }
  }
}

/** What travels of a memory that holds a worker's slots. */
const endOf = (buffer: SharedArrayBuffer, layout: DataPlaneLayout, worker: number) => {
  const { spec } = layout
  const { banks, experience, live, pulled } = slotSpans(spec)
  const parts = (...spans: ReadonlyArray<Span>) => partsOf(buffer, layout, worker, spans)
  const [all, told] = [namesOf("experience").map(experience), toldColumns.map(experience)]
  const units = unitsOf(spec, worker)
  const of = (bank: Span) => ({
    begun: parts(bank, pulled),
    whole: parts(bank, ...all),
    told: parts(bank, ...told),
    state: parts(bank)
  })
  return {
    banks: [of(banks[0]), of(banks[1])] as const,
    live: parts(live),
    experience: parts(...all),
    units: spec.gradient === 0
      ? nothing
      : new Uint8Array(buffer, layout.units + units.first * layout.unitBytes, units.count * layout.unitBytes),
    /** Whoever works at its own pace has its weights in its slots. */
    weights: (version: number): Uint8Array =>
      spec.pulled > 0 ? nothing : new Uint8Array(buffer, layout.weights[bankOf(version)], weightsLength(spec) * 4)
  }
}

/** The trainer's end. */
export const trainerEnd = (buffer: SharedArrayBuffer, layout: DataPlaneLayout, worker: number) => {
  const { banks, experience, live, units, weights } = endOf(buffer, layout, worker)
  return {
    ownPlane: (): OwnPlane => ({
      layout,
      worker,
      descriptor: copyOf(new Uint8Array(buffer, layout.descriptor, layout.spec.descriptorBytes))
    }),
    /** For piece of work `round`. */
    forWork: (round: number, version: number, whole: boolean): Parcel => ({
      weights: copyOf(weights(version)),
      slots: banks[bankOf(round - 1)].begun.read(),
      whole
    }),
    /** For a gradient of the experience that the last piece of work has left. */
    forGradient: (version: number): Parcel => ({
      weights: copyOf(weights(version)),
      slots: experience.read(),
      whole: false
    }),
    /** What piece of work `round` has made. */
    worked: (round: number, { whole }: Parcel, made: Made): void => {
      const bank = banks[bankOf(round)]
      bank[whole ? "whole" : "told"].write(made.slots)
      live.write(bank.state.read())
      units.set(made.units)
    },
    gradient: (made: Uint8Array): void => units.set(made)
  }
}

/** The worker's end: a plane for its environments alone, laid out like the trainer's. */
export const workerEnd = Effect.fnUntraced(function*(given: OwnPlane) {
  const { spec } = given.layout
  const own = { ...spec, slots: shareOf(spec, given.worker).count, workers: 1 }
  const bytes = dataPlaneBytes(own)
  // The arena keeps a little for itself, and what is aligned may leave a gap.
  const arena = yield* Arena.make({ bytes: bytes + 128 })
  const kernels = yield* Kernels.instantiate(arena.memory)
  const layout = layOut(own, yield* arena.allocate(bytes, 64))
  new Uint8Array(arena.buffer, layout.descriptor, own.descriptorBytes).set(given.descriptor)
  const { banks, experience, units, weights } = endOf(arena.buffer, layout, 0)
  return {
    kernels,
    layout,
    forWork: (parcel: Parcel, round: number, version: number): void => {
      weights(version).set(parcel.weights)
      banks[bankOf(round - 1)].begun.write(parcel.slots)
    },
    forGradient: (parcel: Parcel, version: number): void => {
      weights(version).set(parcel.weights)
      experience.write(parcel.slots)
    },
    worked: (round: number, { whole }: Parcel): Made => ({
      slots: banks[bankOf(round)][whole ? "whole" : "told"].read(),
      units: copyOf(units)
    }),
    gradient: (): Uint8Array => copyOf(units)
  }
})
