/**
 * What travels between the trainer and a worker that shares no memory with it, such as one in a child process. The worker
 * has a small data plane of its own; every message brings the weights and its slots as they are, and the reply takes the
 * slots and the gradients back. So such a worker too begins each piece of work from what it is given, and remembers
 * nothing that matters.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Shared from "../../actors/messages/Shared.ts"
import { Arena } from "../../model/kernels/Arena.ts"
import { Kernels } from "../../model/kernels/Kernels.ts"
import { bankOf, dataPlaneBytes, DataPlaneLayout, layOut, shareOf, unitsOf } from "./dataPlaneLayout.ts"
import { weightsLength } from "./DataPlaneSpec.ts"

/** From the trainer: the weights to work with, and the worker's slots. */
export const Parcel = Schema.Struct({ weights: Shared.Bytes, slots: Shared.Bytes })
export type Parcel = typeof Parcel.Type

/** From the worker: its slots after the work, and its units' gradients. */
export const Made = Schema.Struct({ slots: Shared.Bytes, units: Shared.Bytes })
export type Made = typeof Made.Type

/** What a worker needs to lay out a plane of its own: the trainer's layout, and the kernels' description of the network. */
export const OwnPlane = Schema.Struct({ layout: DataPlaneLayout, worker: Schema.Int, descriptor: Shared.Bytes })
export type OwnPlane = typeof OwnPlane.Type

/** The parts of a memory that belong to one worker. */
const partsOf = (buffer: SharedArrayBuffer, layout: DataPlaneLayout, worker: number) => {
  const { count, first } = shareOf(layout.spec, worker)
  const units = unitsOf(layout.spec, worker)
  return {
    slots: new Uint8Array(buffer, layout.slots + first * layout.slotBytes, count * layout.slotBytes),
    units: new Uint8Array(buffer, layout.units + units.first * layout.unitBytes, units.count * layout.unitBytes)
  }
}

const weightsAt = (buffer: SharedArrayBuffer, layout: DataPlaneLayout, version: number): Uint8Array =>
  new Uint8Array(buffer, layout.weights[bankOf(version)], weightsLength(layout.spec) * 4)

/** A copy in memory of its own: what lies in shared memory cannot be sent to another process. */
const copyOf = (bytes: Uint8Array): Uint8Array => {
  const copy = new Uint8Array(bytes.length)
  copy.set(bytes)
  return copy
}

/** The trainer's end. */
export const trainerEnd = (buffer: SharedArrayBuffer, layout: DataPlaneLayout, worker: number) => {
  const { slots, units } = partsOf(buffer, layout, worker)
  return {
    ownPlane: (): OwnPlane => ({
      layout,
      worker,
      descriptor: copyOf(new Uint8Array(buffer, layout.descriptor, layout.spec.descriptorBytes))
    }),
    pack: (version: number): Parcel => ({ weights: copyOf(weightsAt(buffer, layout, version)), slots: copyOf(slots) }),
    unpack: (made: Made): void => {
      slots.set(made.slots)
      units.set(made.units)
    }
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
  const { slots, units } = partsOf(arena.buffer, layout, 0)
  return {
    kernels,
    layout,
    unpack: (parcel: Parcel, version: number): void => {
      weightsAt(arena.buffer, layout, version).set(parcel.weights)
      slots.set(parcel.slots)
    },
    pack: (): Made => ({ slots: copyOf(slots), units: copyOf(units) })
  }
})
