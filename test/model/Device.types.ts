/** What the types promise, checked by the compiler; nothing here runs. */
import * as Effect from "effect/Effect"
import type {
  Batch,
  Contribution,
  Device,
  DeviceFault,
  Gradients,
  LearnerModel,
  ModelSpec,
  ModelState,
  Pass,
  Segment
} from "../../src/model/Device.ts"

declare const cpu: LearnerModel<"cpu">
declare const cuda: LearnerModel<"cuda">
declare const pass: Pass
declare const size: { readonly learningRate: number; readonly maxGradNorm: number }
declare const segments: ReadonlyArray<Segment>
declare const contributions: ReadonlyArray<Contribution>

// Experience, contributions and saved states lie in host memory and go to any device.
export const brought: Effect.Effect<Batch<"cuda">, DeviceFault> = cuda.batch(segments)
export const gathered: Effect.Effect<Gradients<"cpu">, DeviceFault> = cpu.gather(contributions, "td")
export const moved = (state: ModelState): ReadonlyArray<Effect.Effect<void, DeviceFault>> => [
  cpu.load(state),
  cuda.load(state)
]

declare const ofCpu: Batch<"cpu">
declare const gradientsOfCpu: Gradients<"cpu">

export const same = cpu.gradients(ofCpu, pass)
// @ts-expect-error a batch of the processor cannot meet a model of the GPU
export const mixed = cuda.gradients(ofCpu, pass)
// @ts-expect-error nor can its gradients
export const applied = cuda.apply(gradientsOfCpu, size)
// @ts-expect-error nor the other way round
export const back: Effect.Effect<Gradients<"cpu">, DeviceFault> = cuda.gather(contributions, "a2c")
// @ts-expect-error a model of one device is none of another
export const passed: LearnerModel<"cuda"> = cpu
// @ts-expect-error there is no such device
export type Unknown = LearnerModel<"tpu">

declare const one: Device["Service"]
declare const other: Device["Service"]
declare const spec: ModelSpec
declare const initial: Float32Array

// Two devices whose names are hidden are not taken for the same, though they may be.
export const hidden = one.use((a) =>
  other.use((b) =>
    Effect.gen(function*() {
      const first = yield* a.model(spec, initial)
      const second = yield* b.model(spec, initial)
      const batch = yield* first.batch(segments)
      yield* first.gradients(batch, pass)
      // @ts-expect-error a batch of one of them cannot meet a model of the other
      return yield* second.gradients(batch, pass)
    })
  )
)
