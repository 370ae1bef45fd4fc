/**
 * One update of the learner (losses, gradients, the norm, Adam, the new weights on the host) on every device that this
 * machine offers, against network and batch, in microseconds: `node bench/devices.ts` prints a Markdown table, with
 * `--json` an array of `{ name, unit, value }`.
 *
 *     --torch <python>    beside PyTorch, eager, on one thread: a Python that has torch installed
 *     --quick             the default network only, for a look
 *
 * Devices with native parts are those that `test/devices/setup.ts` has brought, or that are installed. All take their turns
 * round after round, so that whatever else runs on the machine disturbs all alike; a figure is the median of the rounds, and
 * of a round the best of some 60 ms, since what disturbs an update only adds to it.
 * `cpu ×2` is what two workers of a run do: the kernels on halves of the batch in two threads, sums and Adam in one.
 * Software that plays a GPU is left out, and so are devices where one update would take seconds.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { spawn } from "node:child_process"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"
import { Worker } from "node:worker_threads"
import { ensureBuilt } from "../scripts/build.ts"
import type { DeviceName, DeviceOf, Segment } from "../src/model/Device.ts"
import { openAccelerator, openDevice } from "../src/model/devices/openDevice.ts"
import { PackageFolders } from "../src/model/devices/packages.ts"
import { Arena } from "../src/model/kernels/Arena.ts"
import type { GradientJob } from "../src/model/kernels/jobs.ts"
import { Kernels } from "../src/model/kernels/Kernels.ts"
import { Statistic } from "../src/model/losses/Loss.ts"
import { adam } from "../src/model/optimizers.ts"
import { ParameterLayout } from "../src/model/policy/ParameterLayout.ts"
import { type CategoricalMlp, categoricalMlp } from "../src/model/policy/PolicySpec.ts"
import type { HalfGradient } from "./half-gradient.ts"

const json = process.argv.includes("--json")
const quick = process.argv.includes("--quick")
const torchAt = process.argv.indexOf("--torch")
const python = torchAt < 0 ? undefined : process.argv[torchAt + 1]
const { problems } = await ensureBuilt()
if (problems.length > 0) process.exit(1)

const rounds = 5
/** Milliseconds of each device's turn. */
const turn = 60
/** Operations of an update above which a device that does so many in a second has no turn. */
const affordable: Readonly<Record<string, number>> = { reference: 1e9, "tfjs-cpu": 3e8, "tfjs-wasm": 2e10 }

const separate = (hidden: ReadonlyArray<number>, activation: "relu" | "tanh"): CategoricalMlp => ({
  towers: "separate",
  inputs: 4,
  actions: 2,
  hidden,
  activation
})
const networks = quick
  ? [separate([64], "tanh")]
  : [
    separate([64], "tanh"),
    separate([256], "relu"),
    separate([64, 64], "tanh"),
    separate([256, 256], "relu"),
    separate([256, 256, 256], "relu"),
    separate([1024, 1024], "relu")
  ]
const batches = [200, 2048]

interface Case {
  readonly network: CategoricalMlp
  readonly rows: number
}

/** Times updates for some milliseconds; answers the shortest in microseconds. */
type Contestant = (millis: number) => Effect.Effect<number, unknown>

const median = (values: ReadonlyArray<number>): number => values.toSorted((a, b) => a - b)[values.length >> 1]!

const segmentOf = ({ network, rows }: Case): Segment => ({
  rows,
  observations: Float32Array.from({ length: rows * network.inputs }, (_, k) => (k % 7) / 7 - 0.5),
  actions: Int32Array.from({ length: rows }, (_, row) => row % network.actions),
  advantages: Float32Array.from({ length: rows }, (_, row) => row % 3 - 1),
  returns: Float32Array.from({ length: rows }, (_, row) => row % 5),
  logProbabilities: new Float32Array(rows),
  values: new Float32Array(rows)
})

const initialOf = (size: number) => Float32Array.from({ length: size }, (_, k) => (k % 11) / 110 - 0.05)

const bytesOf = ({ network, rows }: Case) => {
  const { size } = new ParameterLayout(categoricalMlp(network))
  return 4 * Kernels.workspaceBytes(categoricalMlp(network), Kernels.chunkRows) +
    4 * (10 * size + 4 * rows * (network.inputs + 4)) +
    1e6
}

const timed = (update: Effect.Effect<unknown, unknown>): Contestant => (millis) =>
  Effect.gen(function*() {
    let best = Infinity
    for (const end = performance.now() + millis; best === Infinity || performance.now() < end;) {
      const from = performance.now()
      yield* update
      best = Math.min(best, performance.now() - from)
    }
    return best * 1000
  })

const onDevice = Effect.fnUntraced(function*<D extends DeviceName>(device: DeviceOf<D>, shape: Case) {
  const { network, rows } = shape
  const { size } = new ParameterLayout(categoricalMlp(network))
  const model = yield* device.model(
    { policy: categoricalMlp(network), optimizer: adam, maxRows: rows },
    initialOf(size)
  )
  const host = new Float32Array(size)
  const segments = [segmentOf(shape)]
  return timed(Effect.gen(function*() {
    const batch = yield* model.batch(segments)
    const gradients = yield* model.gradients(batch, {
      loss: { name: "a2c", valueCoefficient: 0.5, entropyCoefficient: 0.01 },
      advantage: null,
      select: null
    })
    yield* model.apply(gradients, { learningRate: 1e-6, maxGradNorm: 0.5 })
    yield* model.read(host)
  }))
})

/** Two threads, each the gradient of half the rows; then their sum, its norm, and Adam. */
const twoThreads = Effect.fnUntraced(function*(shape: Case) {
  const { network, rows } = shape
  const { size } = new ParameterLayout(categoricalMlp(network))
  const arena = yield* Arena.make({ bytes: bytesOf(shape) })
  const kernels = yield* Kernels.instantiate(arena.memory)
  const net = yield* kernels.describe(arena, categoricalMlp(network))
  const place = (values: Float32Array | Int32Array) =>
    Effect.map(arena.allocate(values.byteLength), (at) => {
      new Uint8Array(arena.buffer).set(new Uint8Array(values.buffer), at)
      return at
    })
  const segment = segmentOf(shape)
  const parameters = yield* place(initialOf(size))
  const observations = yield* place(segment.observations)
  const actions = yield* place(segment.actions)
  const advantages = yield* place(segment.advantages)
  const returns = yield* place(segment.returns)
  const mean = yield* arena.allocate(size * 4)
  const square = yield* arena.allocate(size * 4)
  const stride = Math.ceil(size / 4) * 16
  const gradients = yield* arena.allocate(2 * stride)
  const total = yield* arena.allocate(size * 4)
  const control = yield* arena.allocate(8)
  const words = arena.int32(control, 2)
  const half = Math.floor(rows / 2)
  const part = Effect.fnUntraced(function*(index: number, from: number, count: number) {
    const workspace = yield* arena.allocate(Kernels.workspaceBytes(categoricalMlp(network), Kernels.chunkRows))
    const statistics = yield* arena.allocate(Statistic.count * 8)
    const gradient: GradientJob = {
      policy: net,
      parameters,
      workspace,
      rows: count,
      states: 0,
      starts: 0,
      loss: { name: "a2c", valueCoefficient: 0.5, entropyCoefficient: 0.01 },
      scale: 1,
      observations: observations + from * network.inputs * 4,
      actions: actions + from * 4,
      masks: 0,
      returns: returns + from * 4,
      advantages: advantages + from * 4,
      advantage: null,
      logProbabilities: 0,
      behaviorValues: 0,
      kept: 0,
      outputs: 0,
      values: 0,
      gradients: gradients + index * stride,
      accumulate: 0,
      statistics
    }
    return gradient
  })
  const own = yield* part(0, 0, half)
  const data: HalfGradient = { memory: arena.memory, control, gradient: yield* part(1, half, rows - half) }
  yield* Effect.acquireRelease(
    Effect.sync(() => new Worker(new URL("half-gradient.ts", import.meta.url), { workerData: data })),
    (thread) => Effect.promise(() => thread.terminate())
  )
  const host = new Float32Array(size)
  const view = arena.float32(parameters, size)
  let turns = 0
  const join = () => {
    while (Atomics.load(words, 1) !== turns) Atomics.wait(words, 1, turns - 1, 1000)
  }
  words[1] = -1
  const update = () => {
    turns++
    Atomics.store(words, 0, turns)
    Atomics.notify(words, 0)
    kernels.gradients(own)
    join()
    kernels.sumInto(total, gradients, stride, 2, size)
    const norm = Math.sqrt(kernels.squaredNorm(total, size)) / rows
    const scale = Math.min(1, 0.5 / (norm + 1e-6)) / rows
    kernels.adam(
      parameters,
      parameters,
      total,
      mean,
      mean,
      square,
      square,
      size,
      scale,
      1e-6,
      0.9,
      0.999,
      1e-8,
      0.1,
      1e-3
    )
    host.set(view)
  }
  // The thread answers for the first time when it has its kernels.
  yield* Effect.sync(join)
  return timed(Effect.sync(update))
})

/** A Python that answers requests one after another. */
const torch = Effect.fnUntraced(function*(program: string) {
  const child = yield* Effect.acquireRelease(
    Effect.sync(() =>
      spawn(program, [fileURLToPath(new URL("torch-update.py", import.meta.url))], {
        stdio: ["pipe", "pipe", "inherit"]
      })
    ),
    (process) => Effect.sync(() => process.kill())
  )
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  return ({ network, rows }: Case): Contestant => (millis) =>
    Effect.promise(async () => {
      child.stdin.write(`${JSON.stringify({ ...network, kind: network.towers, rows, millis })}\n`)
      const { done, value } = await lines.next()
      if (done === true) throw new Error(`${program} has no torch`)
      return Number(value)
    })
})

/** Devices that are there, by name; each is asked for a contestant of a case. */
const devices: Effect.Effect<
  ReadonlyArray<readonly [string, (shape: Case) => Effect.Effect<Contestant, unknown, Scope.Scope>]>,
  unknown,
  Scope.Scope
> = Effect.gen(function*() {
  const arena = yield* Arena.make({ bytes: 1e6 })
  const host = { arena, kernels: yield* Kernels.instantiate(arena.memory) }
  const cpu = Effect.fnUntraced(function*(shape: Case) {
    const own = yield* Arena.make({ bytes: bytesOf(shape) })
    const device = yield* openDevice("cpu", { arena: own, kernels: yield* Kernels.instantiate(own.memory) })
    return yield* device.use((d) => onDevice(d, shape))
  })
  const others = [
    ...["reference", "tfjs-cpu", "tfjs-wasm"] as const,
    ...["tfjs-node", "cuda", "webgpu"] as const
  ].map((name) =>
    Effect.option(
      name === "tfjs-node" || name === "cuda" || name === "webgpu" ? openAccelerator(name) : openDevice(name, host)
    )
  )
  const found = (yield* Effect.all(others)).flatMap((device) => device._tag === "Some" ? [device.value] : [])
  const python3 = python === undefined ? undefined : yield* torch(python)
  return [
    ["cpu", cpu] as const,
    ["cpu ×2", twoThreads] as const,
    ...found.map((device) => [device.name, (shape: Case) => device.use((d) => onDevice(d, shape))] as const),
    ...(python3 === undefined ? [] : [["PyTorch", (shape: Case) => Effect.succeed(python3(shape))] as const])
  ]
})

const nameOf = ({ network: { actions, activation, hidden, inputs } }: Case) =>
  `${[inputs, ...hidden, actions].join("→")} ${activation}`

const measure = Effect.fnUntraced(function*(shape: Case, contestants: Effect.Success<typeof devices>) {
  const operations = 6 * new ParameterLayout(categoricalMlp(shape.network)).size * shape.rows
  const able = contestants.filter(([name]) => operations <= (affordable[name] ?? Infinity))
  const ready = yield* Effect.forEach(
    able,
    ([name, prepare]) => Effect.map(prepare(shape), (contestant) => [name, contestant] as const)
  )
  for (const [, contestant] of ready) yield* contestant(turn)
  const times = new Map<string, Array<number>>(ready.map(([name]) => [name, []]))
  for (let round = 0; round < rounds; round++) {
    for (const [name, contestant] of ready) times.get(name)!.push(yield* contestant(turn))
  }
  return new Map([...times].map(([name, values]) => [name, median(values)]))
}, Effect.scoped)

const show = (value: number | undefined) =>
  value === undefined ? "–" : value < 100 ? value.toFixed(1) : Math.round(value).toLocaleString("en")

const print = Effect.gen(function*() {
  const contestants = yield* devices
  const names = contestants.map(([name]) => name)
  const beside = names.includes("PyTorch")
  const results: Array<{ readonly name: string; readonly unit: string; readonly value: number }> = []
  const titles = ["network", "batch", ...names, ...(beside ? ["PyTorch / cpu", "PyTorch / cpu ×2"] : [])]
  if (!json) process.stdout.write(`| ${titles.join(" | ")} |\n|${" --- |".repeat(titles.length)}\n`)
  for (const network of networks) {
    for (const rows of batches) {
      const times = yield* measure({ network, rows }, contestants)
      const name = nameOf({ network, rows })
      for (const [device, value] of times) results.push({ name: `${name}, ${rows} rows, ${device}`, unit: "us", value })
      const against = (device: string) => `${(times.get("PyTorch")! / times.get(device)!).toFixed(1)}×`
      const cells = [name, rows, ...names.map((device) => show(times.get(device)))]
      const ratios = beside ? [against("cpu"), against("cpu ×2")] : []
      if (!json) process.stdout.write(`| ${[...cells, ...ratios].join(" | ")} |\n`)
    }
  }
  if (json) process.stdout.write(`${JSON.stringify(results, null, 2)}\n`)
})

const root = new URL("../", import.meta.url)
await Effect.runPromise(
  Effect.scoped(print).pipe(
    Effect.provideService(
      PackageFolders,
      ["package.json", ".devices/package.json"].map((name) => fileURLToPath(new URL(name, root)))
    )
  )
)
