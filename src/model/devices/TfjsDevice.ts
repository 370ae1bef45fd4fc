/**
 * A device made of TensorFlow.js on any of its backends (`loadTfjs.ts` loads them). Parameters, optimizer and experience
 * live where the backend keeps its tensors; the host sees the means of a loss, and the parameters when they are asked for.
 *
 * The backward pass is written out (`tensorLosses.ts`, `tensorDistributions.ts`, `tensorNetwork.ts`): all gradients are one flat
 * vector in the order of `ParameterLayout.ts`, and the optimizer (`tensorOptimizers.ts`) is a handful of operations on it, whatever
 * the depth.
 */
import type * as tfjs from "@tensorflow/tfjs-core"
import * as Effect from "effect/Effect"
import * as Record from "effect/Record"
import type * as Scope from "effect/Scope"
import { withDeadline } from "../../time/deadline.ts"
import { meanOf } from "../contributions.ts"
import type {
  Batch,
  DeviceName,
  DeviceOf,
  Gradients,
  LearnerModel,
  ModelSpec,
  ModelState,
  Pass,
  Segment
} from "../Device.ts"
import { DeviceFault, gradientsNotFinite } from "../Device.ts"
import { Statistic } from "../losses/Loss.ts"
import { lossReport } from "../losses/LossSettings.ts"
import { fitsOptimizer, gradientNorm, optimizerOf } from "../optimizers.ts"
import { distributionOf } from "../policy/DistributionSpec.ts"
import { lowestLogit } from "../policy/masks.ts"
import { ParameterLayout } from "../policy/ParameterLayout.ts"
import { countRows, partOf, takeRows, wrongSegments } from "../selectedRows.ts"
import { tensorDistributionOf } from "./tensorDistributions.ts"
import { tensorLossOf } from "./tensorLosses.ts"
import { mlpOf, tensorNetworkOf } from "./tensorNetwork.ts"
import { type Remembered, tensorStep } from "./tensorOptimizers.ts"
import { faultOf, type Trouble, troubleOf } from "./trouble.ts"

/** A backend that is ready: the library it belongs to, and its name there. */
export interface TfjsBackend {
  readonly tf: typeof tfjs
  readonly backend: string
  /** The first thing that has gone wrong on it, where the backend's own calls do not tell. */
  readonly trouble?: () => Trouble | undefined
}

type Tensor = tfjs.Tensor
type Vector = tfjs.Tensor1D
type Matrix = tfjs.Tensor2D

/** The largest number of activations in one tensor: a batch is computed in pieces of as many rows as stay below it. */
const chunkFloats = 16_777_216

/** Backends that sum float32 numbers one after another, and lose digits where these are many: rows in one piece. */
const summingRows: Readonly<Record<string, number>> = { cpu: 1024, wasm: 1024 }

/** Seconds that a device may take to answer, beside those for its work: the first update compiles shaders. */
const downloadSeconds = 60
/** Operations a second that the slowest device does, software that plays a GPU on one busy core. */
const slowest = 1e8

/** Some rows of a batch. */
type Chunk = {
  /** [rows][inputs] */
  readonly observations: Matrix
  /** [rows], as the distribution takes them */
  readonly taken: Matrix
  /** [rows][1], like the others */
  readonly advantages: Matrix
  readonly returns: Matrix
  readonly logProbabilities: Matrix
  readonly values: Matrix
  /** [rows][outputs], 0 where an action was not legal */
  readonly masks?: Matrix
}

const dispose = (tensors: { readonly [name: string]: Tensor }) => {
  for (const tensor of Object.values(tensors)) tensor.dispose()
}

/** One `DeviceOf` on a backend. */
export const make = <D extends DeviceName>(name: D, backend: TfjsBackend): DeviceOf<D> => ({
  name,
  model: (spec, initial) => model(name, backend, spec, initial)
})

const model = Effect.fnUntraced(function*<D extends DeviceName>(
  device: D,
  { backend, tf, trouble = () => undefined }: TfjsBackend,
  spec: ModelSpec,
  initial: Float32Array
): Effect.fn.Return<LearnerModel<D>, DeviceFault, Scope.Scope> {
  const { optimizer, policy } = spec
  const network = mlpOf(policy.encoder)
  if (typeof network === "string") return yield* new DeviceFault({ device, message: network })
  const layout = new ParameterLayout(policy)
  const { free, size } = layout
  const widest = Math.max(network.inputs, distributionOf(policy.distribution).outputs, ...network.hidden)
  const rowsAtATime = Math.max(1, Math.min(Math.floor(chunkFloats / widest), summingRows[backend] ?? Infinity))
  const fault = (message: string) => new DeviceFault({ device, message })
  let broken = false
  /** What the device said first is the cause of what is thrown later. */
  const failed = (cause: unknown) => {
    broken = true
    return faultOf(device, trouble() ?? troubleOf(cause))
  }
  /** Nothing is computed, or believed, after the device has said that something went wrong. */
  const sound: Effect.Effect<void, DeviceFault> = Effect.suspend(() => {
    const known = trouble()
    return known === undefined ? Effect.void : Effect.fail(failed(known))
  })

  /** Runs operations on this backend, several of which may be loaded; drops every tensor but those that come out. */
  const compute = <A extends tfjs.TensorContainer>(operations: () => A): Effect.Effect<A, DeviceFault> =>
    Effect.andThen(
      sound,
      Effect.try({
        try: () => {
          // A backend that has been initialized is switched to at once.
          if (tf.getBackend() !== backend) void tf.setBackend(backend)
          return tf.tidy(operations)
        },
        catch: failed
      })
    )

  /** Rows of the batch that the device may be busy with. */
  let rowsUnderWay = 0
  /** A tensor's numbers, which may be the backend's own: they are read at once, or copied. */
  const download = (tensor: Tensor): Effect.Effect<Float32Array | Int32Array | Uint8Array, DeviceFault> =>
    Effect.suspend(() => {
      const seconds = downloadSeconds + 6 * size * rowsUnderWay / slowest
      return Effect.tryPromise({ try: () => tensor.data(), catch: failed }).pipe(
        withDeadline(seconds * 1000, () => {
          broken = true
          return Effect.fail(faultOf(device, { kind: "silent", reason: `for ${seconds.toFixed(0)} seconds` }))
        }),
        Effect.tap(sound)
      )
    })

  const upload = (values: Float32Array) => compute(() => tf.tensor1d(values.slice()))

  // What lives on the device from one call to the next; all of it is dropped with the scope.
  let remembered: Remembered | undefined
  let current: { readonly batch: Batch<D>; chunks: ReadonlyArray<Chunk> | undefined } | undefined
  let pending: { readonly gradients: Gradients<D>; readonly total: Vector; readonly norm: number } | undefined
  let { scalars } = optimizerOf(optimizer)

  const dropBatch = () => {
    for (const chunk of current?.chunks ?? []) dispose(chunk)
    current = undefined
  }
  const dropGradients = () => {
    pending?.total.dispose()
    pending = undefined
  }
  /** Replaces what is remembered; what stays the same tensor stays. */
  const remember = (next: Remembered | undefined) => {
    const kept = Object.values(next ?? {})
    for (const old of Object.values(remembered ?? {})) if (!kept.includes(old)) old.dispose()
    remembered = next
  }
  const state = (): Remembered => {
    if (remembered === undefined) throw new Error("the model is used after its scope was closed")
    return remembered
  }
  // Numbers that a formula takes, on the device: as long as one stays the same it is not sent again.
  const numbers = new Map<string, { readonly value: number; readonly tensor: tfjs.Scalar }>()
  const number = (name: string, value: number): tfjs.Scalar => {
    const known = numbers.get(name)
    if (known?.value === value) return known.tensor
    known?.tensor.dispose()
    const tensor = tf.keep(tf.scalar(value))
    numbers.set(name, { value, tensor })
    return tensor
  }
  yield* Effect.addFinalizer(() =>
    Effect.sync(() => {
      try {
        dropBatch()
        dropGradients()
        remember(undefined)
        for (const { tensor } of numbers.values()) tensor.dispose()
        numbers.clear()
      } catch (cause) {
        // What a device that has failed still holds goes with the device.
        if (!broken && trouble() === undefined) throw cause
      }
    })
  )

  const restore = Effect.fnUntraced(function*(parameters: Float32Array, memory: ModelState["optimizer"]["arrays"]) {
    remember(
      yield* compute(() => ({
        ...Record.map(memory, (array) => tf.tensor1d(array.slice())),
        parameters: tf.tensor1d(parameters.slice())
      }))
    )
  })
  yield* restore(
    initial,
    Object.fromEntries(optimizerOf(optimizer).arrays.map((name) => [name, new Float32Array(size)]))
  )

  const chains = tensorNetworkOf(tf, backend, number, network, layout)
  const distribution = tensorDistributionOf(tf, (value) => number(`constant ${value}`, value), policy.distribution)

  /** The parameters as they are now: the flat array, and by layer. */
  const layersNow = () => {
    const flat = state().parameters
    return { flat, layers: chains.layersOf(flat) }
  }
  type Now = ReturnType<typeof layersNow>

  /** The forward pass of some rows. */
  const run = ({ flat, layers }: Now, { masks, observations, taken }: Chunk) => {
    const activations = chains.forward(layers, observations)
    const given = activations.actor.at(-1)!
    const outputs = masks === undefined
      ? given
      : tf.where(tf.cast(masks, "bool"), given, tf.fill<tfjs.Rank.R2>(given.shape, lowestLogit))
    return {
      activations,
      values: activations.critic.at(-1)!,
      rows: distribution.evaluate(outputs, taken, () => tf.slice1d(flat, free.at, free.length))
    }
  }

  /** Gradient [size] and sums of the loss's terms, of the entropy and of what the loss counts for itself, of some rows. */
  const chunkGradient = (
    now: Now,
    chunk: Chunk,
    scale: number,
    { advantage, loss }: Pass
  ): readonly [gradient: Vector, sums: Vector] => {
    const { activations, rows, values } = run(now, chunk)
    const { terms: [policyLoss, valueLoss, ...ofLoss], ...d } = tensorLossOf(tf, number, loss, {
      logProbabilities: rows.logProbabilities,
      behaviorLogProbabilities: chunk.logProbabilities,
      entropies: rows.entropies,
      values,
      behaviorValues: chunk.values,
      advantages: advantage === null ? chunk.advantages : tf.mul(
        tf.sub(chunk.advantages, number("advantageMean", advantage.mean)),
        number("advantageScale", advantage.scale)
      ),
      returns: chunk.returns
    })
    const own = rows.gradient(d.dLogProbabilities, d.dEntropies)
    const dOutputs = tf.mul<Matrix>(own.outputs, number("scale", scale))
    const dValues = tf.mul<Matrix>(d.dValues, number("scale", scale))

    return [
      tf.concat1d([
        ...chains.backward(now.layers, activations, dOutputs, dValues),
        ...(own.free === undefined ? [] : [tf.mul<Vector>(own.free, number("scale", scale))])
      ]),
      tf.concat1d(
        [policyLoss, valueLoss, rows.entropies, ...ofLoss].map((term) => tf.reshape<tfjs.Rank.R1>(tf.sum(term), [1]))
      )
    ]
  }

  /** Rows on the device, as many at a time as it takes. */
  const toChunks = (rows: Segment): Array<Chunk> => {
    const chunks: Array<Chunk> = []
    for (let from = 0; from < rows.rows; from += rowsAtATime) {
      const part = partOf(rows, from, Math.min(rows.rows, from + rowsAtATime), policy)
      const matrix = (values: Float32Array, width: number) => tf.tensor2d(values, [part.rows, width])
      chunks.push({
        observations: matrix(part.observations, network.inputs),
        taken: matrix(distribution.encode(part.actions, part.rows), distribution.width),
        advantages: matrix(part.advantages, 1),
        returns: matrix(part.returns, 1),
        logProbabilities: matrix(part.logProbabilities, 1),
        values: matrix(part.values, 1),
        ...(part.masks === undefined
          ? {}
          : { masks: matrix(Float32Array.from(part.masks), distributionOf(policy.distribution).masks) })
      })
    }
    return chunks
  }

  const latest = (batch: Batch<D>) =>
    current !== undefined && current.batch === batch
      ? Effect.succeed(current)
      : Effect.fail(fault("the batch is not this model's latest; make it with this model's batch()"))

  /** The whole batch on the device, brought there when it is first asked for. */
  const uploaded = Effect.fnUntraced(function*(batch: Batch<D>) {
    const own = yield* latest(batch)
    return own.chunks ??= yield* compute(() => toChunks(takeRows(null, batch.segments, batch.rows, spec)))
  })

  const self: LearnerModel<D> = {
    device,
    spec,
    batch: Effect.fnUntraced(function*(segments) {
      const wrong = wrongSegments(segments, spec)
      if (wrong !== undefined) return yield* fault(wrong)
      yield* sound
      dropBatch()
      const rows = segments.reduce((sum, segment) => sum + segment.rows, 0)
      const batch: Batch<D> = { device, rows, segments }
      rowsUnderWay = rows
      current = { batch, chunks: undefined }
      return batch
    }),
    gradients: Effect.fnUntraced(function*(batch, pass) {
      yield* latest(batch)
      const rows = countRows(pass.select, batch.segments, spec)
      if (typeof rows === "string") return yield* fault(rows)
      dropGradients()
      const whole = pass.select === null ? yield* uploaded(batch) : undefined
      const { numbers, total } = yield* compute(() => {
        const now = layersNow()
        let total: Vector | undefined
        let sums: Vector | undefined
        for (const chunk of whole ?? toChunks(takeRows(pass.select, batch.segments, rows, spec))) {
          // What a piece leaves behind is dropped before the next one begins.
          const [gradient, ofLoss] = tf.tidy(() => {
            const [own, terms] = chunkGradient(now, chunk, 1 / rows, pass)
            return total === undefined || sums === undefined
              ? [own, terms]
              : [tf.add<Vector>(total, own), tf.add<Vector>(sums, terms)]
          })
          total = gradient!
          sums = ofLoss!
        }
        if (total === undefined || sums === undefined) throw new Error("a batch of no rows")
        return { total, numbers: tf.concat1d([tf.reshape(tf.sum(tf.square(total)), [1]), sums]) }
      })
      const read = Effect.ensuring(download(numbers), Effect.sync(() => numbers.dispose()))
      const [squares, policyLoss, valueLoss, entropy, ...own] = yield* Effect.onError(
        read,
        () => Effect.sync(() => total.dispose())
      )
      const sums = new Float64Array(Statistic.count)
      sums[Statistic.policyLoss] = policyLoss!
      sums[Statistic.valueLoss] = valueLoss!
      sums[Statistic.entropy] = entropy!
      sums[Statistic.rows] = rows
      sums.set(own, Statistic.own)
      const gradients: Gradients<D> = { device, loss: lossReport(pass.loss.name, sums) }
      pending = { gradients, total, norm: Math.sqrt(squares!) }
      // A backend that answers at once would never let anything else of this thread have its turn.
      yield* Effect.yieldNow
      return gradients
    }),
    evaluate: Effect.fnUntraced(function*(batch) {
      const chunks = yield* uploaded(batch)
      const found = yield* compute(() => {
        const now = layersNow()
        const ofChunks = chunks.map((chunk) =>
          tf.tidy(() => {
            const { rows, values } = run(now, chunk)
            return [rows.logProbabilities, rows.entropies, values].map((column) =>
              tf.reshape<tfjs.Rank.R1>(column, [-1])
            )
          })
        )
        return tf.concat1d([0, 1, 2].flatMap((column) => ofChunks.map((columns) => columns[column]!)))
      })
      const numbers = yield* Effect.ensuring(download(found), Effect.sync(() => found.dispose()))
      const column = (k: number) => Float32Array.from(numbers.subarray(k * batch.rows, (k + 1) * batch.rows))
      return { logProbabilities: column(0), entropies: column(1), values: column(2) }
    }),
    gather: Effect.fnUntraced(function*(contributions, name) {
      dropGradients()
      const { gradient, loss } = meanOf(contributions, name, size)
      const gradients: Gradients<D> = { device, loss }
      pending = { gradients, total: yield* upload(Float32Array.from(gradient)), norm: gradientNorm(gradient) }
      return gradients
    }),
    apply: Effect.fnUntraced(function*(gradients, { learningRate, maxGradNorm }) {
      if (pending === undefined || pending.gradients !== gradients) {
        return yield* fault("these gradients are not this model's latest, or were applied before")
      }
      const { norm, total } = pending
      if (!Number.isFinite(norm)) {
        dropGradients()
        return yield* fault(gradientsNotFinite)
      }
      const scale = maxGradNorm > 0 ? Math.min(1, maxGradNorm / (norm + 1e-6)) : 1
      remember(
        yield* compute(() => {
          const next = tensorStep(tf, number, optimizer, { arrays: state(), scalars }, {
            gradient: total,
            scale,
            learningRate
          })
          scalars = next.scalars
          return next.arrays
        })
      )
      dropGradients()
      return norm
    }),
    read: (into) => Effect.map(Effect.suspend(() => download(state().parameters)), (data) => into.set(data)),
    write: (from) =>
      Effect.map(
        Effect.suspend(() => upload(from)),
        (parameters) => remember({ ...state(), parameters })
      ),
    save: Effect.gen(function*() {
      const { parameters, ...memory } = state()
      const copy = (tensor: Tensor) => Effect.map(download(tensor), (data) => Float32Array.from(data))
      return {
        parameters: yield* copy(parameters),
        optimizer: { arrays: yield* Effect.all(Record.map(memory, copy)), scalars }
      }
    }),
    load: Effect.fnUntraced(function*({ optimizer: saved, parameters: from }) {
      if (from.length !== size || !fitsOptimizer(optimizer, size, saved)) {
        return yield* fault("the saved state is of another policy or optimizer than this model's")
      }
      dropBatch()
      dropGradients()
      yield* restore(from, saved.arrays)
      scalars = saved.scalars
    })
  }

  return self
})
