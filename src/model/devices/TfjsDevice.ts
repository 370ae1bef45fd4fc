/**
 * A device made of TensorFlow.js on any of its backends (`loadTfjs.ts` loads them). Parameters, optimizer and experience
 * live where the backend keeps its tensors; the host sees the means of a loss, and the parameters when they are asked for.
 *
 * The backward pass is written out with the formulas of `losses/` and `reference/network.ts`: all gradients are one
 * flat vector in the order of `ParameterLayout.ts`, and the optimizer is a handful of operations on it, whatever the depth.
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
import type { Activation } from "../policy/activations.ts"
import { distributionOf } from "../policy/DistributionSpec.ts"
import type { EncoderSpec, MlpSpec } from "../policy/Encoder.ts"
import type { Layer } from "../policy/Layer.ts"
import { lowestLogit } from "../policy/masks.ts"
import { ParameterLayout } from "../policy/ParameterLayout.ts"
import { countRows, partOf, takeRows, wrongSegments } from "../selectedRows.ts"
import { tensorDistributionOf } from "./tensorDistributions.ts"
import { tensorLossOf } from "./tensorLosses.ts"
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

/** Rows whose products WebGPU sums up in one piece. */
const sliceRows = 256

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

/** What a model keeps between two updates: the parameters, and what the optimizer remembers, by name. */
type Remembered = { readonly parameters: Vector; readonly [name: string]: Vector }

/** A layer's tensors, as slices of the flat parameters. */
interface LayerTensors {
  readonly layer: Layer
  /** `[in][out]` in hidden layers, `[out][in]` in heads. */
  readonly weight: Matrix
  readonly bias: Vector
}

/** The parameters as they are now: the flat array, and each chain's layers. */
interface LayersNow {
  readonly flat: Vector
  readonly trunk: ReadonlyArray<LayerTensors>
  readonly actor: ReadonlyArray<LayerTensors>
  readonly critic: ReadonlyArray<LayerTensors>
}

/** An activation function, and its slope from what it put out. */
interface TensorActivation {
  readonly apply: (x: Matrix) => Matrix
  readonly slope: (y: Matrix) => Matrix
}

/** `one` is the number 1 on the device. */
const activationsOf = (
  tf: typeof tfjs,
  one: () => Tensor
): { readonly [Name in Activation]: TensorActivation } => ({
  tanh: { apply: (x) => tf.tanh(x), slope: (y) => tf.sub(one(), tf.square(y)) },
  // What ReLU gave is 0 or more, so that its sign is its derivative; tf.step takes 60 ms a time on CUDA.
  relu: { apply: (x) => tf.relu(x), slope: (y) => tf.sign(y) }
})

/** The encoders that are computed here, or why one is not. */
const mlpOf = (encoder: EncoderSpec): MlpSpec | string => {
  switch (encoder.kind) {
    case "mlp":
      return encoder
    case "gru":
      return "a policy that remembers (gru) is not computed on this device; cpu and reference compute it"
  }
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

  const { apply, slope } = activationsOf(tf, () => number("one", 1))[network.activation]

  const layersOf = (flat: Vector, layers: ReadonlyArray<Layer>): ReadonlyArray<LayerTensors> =>
    layers.map((layer) => {
      const { bias, inputs, outputs, role, weight } = layer
      return {
        layer,
        weight: tf.reshape(
          tf.slice1d(flat, weight, inputs * outputs),
          role === "hidden" ? [inputs, outputs] : [outputs, inputs]
        ),
        bias: tf.slice1d(flat, bias, outputs)
      }
    })

  /** `[0]` is the chain's input, `[k]` the output of its k-th layer. */
  const chainForward = (layers: ReadonlyArray<LayerTensors>, input: Matrix): ReadonlyArray<Matrix> => {
    const activations = [input]
    for (const { bias, layer, weight } of layers) {
      const hidden = layer.role === "hidden"
      const y = tf.add<Matrix>(tf.matMul(activations.at(-1)!, weight, false, !hidden), bias)
      activations.push(hidden ? apply(y) : y)
    }
    return activations
  }

  /**
   * `aᵀ b`, which sums over the rows. Where that is all there is to divide, WebGPU's product has groups of threads add to the
   * same numbers in whatever order they come; instead the rows are divided here, and the sums added in order.
   */
  const overRows = (a: Matrix, b: Matrix): Matrix => {
    const [rows, m] = a.shape
    const [, n] = b.shape
    const tiles = Math.ceil(m / 32) * Math.ceil(n / 32)
    if (backend !== "webgpu" || rows < 2 * sliceRows || tiles > 32) return tf.matMul(a, b, true, false)
    const each = Math.max(sliceRows, Math.ceil(rows / 256))
    const slices = Math.floor(rows / each)
    const whole = slices * each
    const cut = (x: Matrix, width: number) =>
      tf.reshape<tfjs.Rank.R3>(whole === rows ? x : tf.slice2d(x, [0, 0], [whole, width]), [slices, each, width])
    const sums = tf.reshape<tfjs.Rank.R2>(
      tf.matMul(cut(a, m), cut(b, n), true, false),
      [slices, m * n]
    )
    const total = tf.reshape<tfjs.Rank.R2>(tf.matMul(tf.ones<tfjs.Rank.R2>([1, slices]), sums), [m, n])
    if (whole === rows) return total
    const rest = (x: Matrix, width: number) => tf.slice2d(x, [whole, 0], [rows - whole, width])
    return tf.add(total, tf.matMul(rest(a, m), rest(b, n), true, false))
  }

  /** Leaves the gradient of each layer's weight and bias in `into`; answers that of the chain's input, where it is asked for. */
  const chainBackward = (
    layers: ReadonlyArray<LayerTensors>,
    activations: ReadonlyArray<Matrix>,
    output: Matrix,
    inputToo: boolean,
    into: Map<Layer, readonly [weight: Matrix, bias: Vector]>
  ): Matrix => {
    let d = output
    for (let k = layers.length - 1; k >= 0; k--) {
      const { layer, weight } = layers[k]!
      const x = activations[k]!
      const y = activations[k + 1]!
      const hidden = layer.role === "hidden"
      if (hidden) d = tf.mul<Matrix>(d, slope(y))
      into.set(layer, [hidden ? overRows(x, d) : overRows(d, x), tf.sum(d, 0)])
      if (k > 0 || inputToo) d = tf.matMul(d, weight, false, hidden)
    }
    return d
  }

  const distribution = tensorDistributionOf(tf, (value) => number(`constant ${value}`, value), policy.distribution)

  /** The forward pass of some rows. */
  const run = (
    { actor, critic, flat, trunk }: LayersNow,
    { masks, observations, taken }: Chunk
  ) => {
    const trunkOut = chainForward(trunk, observations)
    const actorOut = chainForward(actor, trunkOut.at(-1)!)
    const criticOut = chainForward(critic, trunkOut.at(-1)!)
    const given = actorOut.at(-1)!
    const outputs = masks === undefined
      ? given
      : tf.where(tf.cast(masks, "bool"), given, tf.fill<tfjs.Rank.R2>(given.shape, lowestLogit))
    return {
      trunkOut,
      actorOut,
      criticOut,
      rows: distribution.evaluate(outputs, taken, () => tf.slice1d(flat, free.at, free.length))
    }
  }

  /** Gradient [size] and sums of the loss's terms, of the entropy and of what the loss counts for itself, of some rows. */
  const chunkGradient = (
    layers: LayersNow,
    chunk: Chunk,
    scale: number,
    { advantage, loss }: Pass
  ): readonly [gradient: Vector, sums: Vector] => {
    const { actorOut, criticOut, rows, trunkOut } = run(layers, chunk)
    const { terms: [policyLoss, valueLoss, ...ofLoss], ...d } = tensorLossOf(tf, number, loss, {
      logProbabilities: rows.logProbabilities,
      behaviorLogProbabilities: chunk.logProbabilities,
      entropies: rows.entropies,
      values: criticOut.at(-1)!,
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

    const gradients = new Map<Layer, readonly [Matrix, Vector]>()
    const shared = layers.trunk.length > 0
    const dActor = chainBackward(layers.actor, actorOut, dOutputs, shared, gradients)
    const dCritic = chainBackward(layers.critic, criticOut, dValues, shared, gradients)
    if (shared) chainBackward(layers.trunk, trunkOut, tf.add(dActor, dCritic), false, gradients)
    return [
      tf.concat1d([
        ...layout.layers.flatMap((layer) => {
          const [weight, bias] = gradients.get(layer)!
          return [tf.reshape<tfjs.Rank.R1>(weight, [-1]), bias]
        }),
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

  const layersNow = (): LayersNow => {
    const flat = state().parameters
    return {
      flat,
      trunk: layersOf(flat, layout.trunk),
      actor: layersOf(flat, layout.actor),
      critic: layersOf(flat, layout.critic)
    }
  }

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
        const layers = layersNow()
        let total: Vector | undefined
        let sums: Vector | undefined
        for (const chunk of whole ?? toChunks(takeRows(pass.select, batch.segments, rows, spec))) {
          // What a piece leaves behind is dropped before the next one begins.
          const [gradient, ofLoss] = tf.tidy(() => {
            const [own, terms] = chunkGradient(layers, chunk, 1 / rows, pass)
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
        const layers = layersNow()
        const ofChunks = chunks.map((chunk) =>
          tf.tidy(() => {
            const { criticOut, rows } = run(layers, chunk)
            return [rows.logProbabilities, rows.entropies, criticOut.at(-1)!].map((column) =>
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
      remember(yield* compute(() => step(total, scale, learningRate)))
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

  /** The optimizers of `optimizers.ts`, on whole vectors. */
  const step = (gradient: Vector, gradientScale: number, learningRate: number): Remembered => {
    const now = state()
    const g = gradientScale === 1 ? gradient : tf.mul<Vector>(gradient, number("gradientScale", gradientScale))
    const epsilon = number("epsilon", optimizer.epsilon)
    /** The running mean of the squared gradient. */
    const squares = (kept: number) =>
      tf.add<Vector>(
        tf.mul(now["square"]!, number("kept", kept)),
        tf.mul(tf.square(g), number("added", 1 - kept))
      )
    switch (optimizer.kind) {
      case "rmsprop": {
        const square = squares(optimizer.alpha)
        const root = optimizer.epsilonPlacement === "inside"
          ? tf.sqrt(tf.add(square, epsilon))
          : tf.add(tf.sqrt(square), epsilon)
        return { parameters: tf.sub(now.parameters, tf.mul(tf.div(g, root), number("rate", learningRate))), square }
      }
      case "adam": {
        const { beta1, beta2 } = optimizer
        const beta1Product = scalars["beta1Product"]! * beta1
        const beta2Product = scalars["beta2Product"]! * beta2
        scalars = { beta1Product, beta2Product }
        const mean = tf.add<Vector>(
          now["mean"]!,
          tf.mul(tf.sub(g, now["mean"]!), number("meanAdded", 1 - beta1))
        )
        const square = squares(beta2)
        const root = tf.add(tf.div(tf.sqrt(square), number("correction", Math.sqrt(1 - beta2Product))), epsilon)
        const change = tf.mul(tf.div(mean, root), number("rate", learningRate / (1 - beta1Product)))
        return { parameters: tf.sub(now.parameters, change), mean, square }
      }
    }
  }

  return self
})
