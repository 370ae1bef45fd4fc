/**
 * Micro-benchmark of the kernels on one thread: `node bench/kernels.ts` prints Markdown tables.
 * A figure is the best of many short rounds: whatever else runs on the machine only adds to it.
 *
 * - *act n*: one step of n environments a call: logits, sampled actions, log-probabilities and values.
 * - *values 10*: the values alone of ten environments.
 * - *gradient n*: losses and gradients of n rows; *reused*: from the activations that acting left, 20 rows.
 * - *sum*, *norm*, *Adam*, *RMSProp*: over all parameters; the sum is of ten arrays.
 *
 * GFLOP/s count a multiplication and an addition as two, of matrix products alone, so that tanh and sampling lower them. The
 * last line is what the processor gives at most: multiplications and additions of 128 bits that wait for nothing.
 */
import { compileString } from "assemblyscript/asc"
import * as Effect from "effect/Effect"
import { ensureBuilt } from "../scripts/build.ts"
import { Arena } from "../src/model/kernels/Arena.ts"
import type { ActJob, GradientJob } from "../src/model/kernels/jobs.ts"
import { Kernels } from "../src/model/kernels/Kernels.ts"
import { engine } from "../src/model/kernels/SharedMemory.ts"
import { Statistic } from "../src/model/losses/Loss.ts"
import { ParameterLayout } from "../src/model/policy/ParameterLayout.ts"
import { type CategoricalMlp, categoricalMlp } from "../src/model/policy/PolicySpec.ts"
import { Pcg64 } from "../src/random/Pcg64.ts"
import { type Figure as Report, figure, isQuick, print, say } from "./report.ts"

const { problems } = await ensureBuilt()
if (problems.length > 0) process.exit(1)

const separate = (
  inputs: number,
  hidden: ReadonlyArray<number>,
  actions: number,
  activation: "relu" | "tanh"
): CategoricalMlp => ({ towers: "separate", inputs, actions, hidden, activation })

const networks: ReadonlyArray<CategoricalMlp> = [
  separate(4, [256], 2, "relu"),
  separate(4, [64], 2, "tanh"),
  separate(4, [64, 64], 2, "tanh"),
  separate(5, [20, 33], 3, "tanh"),
  separate(84, [256], 18, "relu"),
  separate(4, [256, 256, 256], 2, "tanh"),
  separate(4, [1024], 2, "relu"),
  separate(4, [1024, 1024], 2, "relu"),
  { towers: "shared", inputs: 8, actions: 4, hidden: [256, 256], activation: "relu" }
]

const nameOf = ({ actions, activation, hidden, inputs, towers }: CategoricalMlp): string =>
  `${[inputs, ...hidden, actions].join("→")} ${activation}${towers === "shared" ? " shared" : ""}`

/** Multiply-adds of a row: forward, and forward and backward. Nothing is passed down to the observations. */
const multiplyAdds = ({ actions, hidden, inputs, towers }: CategoricalMlp) => {
  const count = towers === "shared" ? 1 : 2
  const widths = [inputs, ...hidden]
  const layers = hidden.map((width, layer) => count * width * widths[layer]!)
  const heads = widths.at(-1)! * (actions + 1)
  const forward = layers.reduce((sum, n) => sum + n, heads)
  return { forward, gradient: 3 * forward - layers[0]! }
}

/**
 * Microseconds a call: the best of rounds of about a millisecond each, for a fifth of a second or so. What is called goes
 * on being compiled better for a while, so it is called before the clock counts.
 */
const microseconds = (call: () => void): number => {
  for (const start = performance.now(); performance.now() - start < (isQuick ? 1 : 20);) call()
  let calls = 1
  for (let elapsed = 0; elapsed < 1; calls *= 2) {
    const start = performance.now()
    for (let i = 0; i < calls; i++) call()
    elapsed = performance.now() - start
  }
  let best = Infinity
  const began = performance.now()
  for (let round = 0; round < 60 && (round < 5 || performance.now() - began < (isQuick ? 2 : 100)); round++) {
    const start = performance.now()
    for (let i = 0; i < calls; i++) call()
    best = Math.min(best, performance.now() - start)
  }
  return best * 1000 / calls
}

const maxRows = 2048
const environments = 1000

interface Figure {
  readonly call: string
  readonly microseconds: number
  /** Multiply-adds of the call; 0 where memory bounds it. */
  readonly multiplyAdds: number
}

const measure = Effect.fnUntraced(function*(spec: CategoricalMlp) {
  const parameters = new ParameterLayout(categoricalMlp(spec)).size
  const stride = Kernels.activationStride(categoricalMlp(spec))
  const arena = yield* Arena.make({
    bytes: Kernels.workspaceBytes(categoricalMlp(spec), 32) + parameters * 64 +
      maxRows * (stride + spec.inputs * 4 + 64) +
      environments * (spec.inputs + spec.actions + 32) * 4 + 1_000_000
  })
  const kernels = yield* Kernels.instantiate(arena.memory)
  const net = yield* kernels.describe(arena, categoricalMlp(spec))
  const random = Pcg64.fromSeed(1)
  const floats = Effect.fnUntraced(function*(length: number, scale: number) {
    const offset = yield* arena.allocate(length * 4, 64)
    const view = arena.float32(offset, length)
    for (let i = 0; i < length; i++) view[i] = random.uniform(-scale, scale)
    return offset
  })
  const params = yield* floats(parameters, 1 / Math.sqrt(spec.hidden.at(-1)!))
  const gradients = yield* floats(parameters, 1e-3)
  const several = yield* floats(parameters * 10, 1e-3)
  const m = yield* floats(parameters, 0)
  const v = yield* floats(parameters, 0)
  const observations = yield* floats(maxRows * spec.inputs, 1)
  const activations = yield* floats(20 * stride / 4, 1)
  const logits = yield* floats(20 * spec.actions, 1)
  const values = yield* floats(20, 1)
  const returns = yield* floats(maxRows, 1)
  const actions = yield* arena.allocate(maxRows * 4)
  const workspace = yield* arena.allocate(Kernels.workspaceBytes(categoricalMlp(spec), Kernels.chunkRows), 64)
  const statistics = yield* arena.allocate(Statistic.count * 8)

  // A slot an environment: sampling stream, what acting writes, observation; an odd number of cache lines.
  const at = { stream: 0, value: 48, action: 52, logProbability: 56, logits: 64, observation: 64 + spec.actions * 4 }
  const slotBytes = (Math.ceil((at.observation + spec.inputs * 4) / 64) | 1) * 64
  const slots = yield* arena.allocate(slotBytes * environments, 64)
  for (let i = 0; i < environments; i++) {
    const slot = slots + i * slotBytes
    Pcg64.fromSeed(i, arena.uint32(slot, Pcg64.words))
    arena.float32(slot + at.observation, spec.inputs).fill(random.uniform(-1, 1))
  }

  const acting: ActJob = {
    policy: net,
    parameters: params,
    workspace,
    rows: 0,
    states: 0,
    stride: slotBytes,
    observations: slots + at.observation,
    streams: slots + at.stream,
    masks: 0,
    outputs: slots + at.logits,
    values: slots + at.value,
    actions: slots + at.action,
    logProbabilities: slots + at.logProbability,
    kept: 0
  }
  const act = (rows: number) => () => {
    acting.rows = rows
    kernels.act(acting)
  }
  const learning: GradientJob = {
    policy: net,
    parameters: params,
    workspace,
    rows: 0,
    states: 0,
    starts: 0,
    loss: { name: "a2c", valueCoefficient: 0.5, entropyCoefficient: 0.01 },
    scale: 1,
    observations,
    actions,
    masks: 0,
    returns,
    advantages: returns,
    advantage: null,
    logProbabilities: 0,
    behaviorValues: 0,
    kept: 0,
    outputs: logits,
    values,
    gradients,
    accumulate: 0,
    statistics
  }
  const gradient = (rows: number, reused: boolean) => () => {
    learning.rows = rows
    learning.scale = 1 / rows
    learning.kept = reused ? activations : 0
    kernels.gradients(learning)
  }
  const row = multiplyAdds(spec)
  const time = (call: string, run: () => void, macs = 0): Figure => ({
    call,
    microseconds: microseconds(run),
    multiplyAdds: macs
  })
  return [
    ...[1, 5, 10, 32, 100, 1000].map((rows) => time(`act ${rows}`, act(rows), rows * row.forward)),
    time(
      "values 10",
      () => kernels.valuesMany(net, params, 10, slotBytes, slots + at.observation, workspace, slots + at.value, 0)
    ),
    ...[5, 20, 32, 100, 200, 2048].map((rows) => time(`gradient ${rows}`, gradient(rows, false), rows * row.gradient)),
    time("20 reused", gradient(20, true)),
    time("sum", () => kernels.sumInto(gradients, several, parameters * 4, 10, parameters)),
    time("norm", () => kernels.squaredNorm(gradients, parameters)),
    time(
      "Adam",
      () => kernels.adam(params, params, gradients, m, m, v, v, parameters, 1, 1e-9, 0.9, 0.999, 1e-8, 0.5, 0.5)
    ),
    time("RMSProp", () => kernels.rmsprop(params, params, gradients, v, v, parameters, 1, 1e-9, 0.99, 1e-8, 0))
  ]
})

/** GFLOP/s of six sums and six products that wait for nothing but themselves. */
const ceiling = async (): Promise<number> => {
  const source = `export function run(n: i32): f32 {
    const a = v128.load(0), b = v128.load(16)
    ${Array.from({ length: 6 }, (_, k) => `let s${k} = a, p${k} = b`).join("\n")}
    for (let i = 0; i < n; i++) {
      ${Array.from({ length: 6 }, (_, k) => `s${k} = f32x4.add(s${k}, a); p${k} = f32x4.mul(p${k}, b)`).join("\n")}
    }
    return f32x4.extract_lane(${
    Array.from({ length: 6 }, (_, k) => k).reduce((sum, k) => `f32x4.add(${sum}, f32x4.add(s${k}, p${k}))`, "a")
  }, 0)
  }`
  const { binary } = await compileString(source, {
    optimizeLevel: 3,
    runtime: "stub",
    initialMemory: 1,
    enable: ["simd"]
  })
  const wasm = engine()
  if (binary === null || wasm === undefined) throw new Error("the ceiling's loop does not compile")
  const { run } = new wasm.Instance(new wasm.Module(binary), {}).exports
  if (typeof run !== "function") throw new Error("the ceiling's loop is missing")
  const rounds = 1e5
  return 12 * 4 * rounds / microseconds(() => run(rounds)) / 1000
}

const gigaflops = ({ microseconds, multiplyAdds }: Figure): number => 2 * multiplyAdds / microseconds / 1000

const figures: Array<Report> = []
for (const spec of isQuick ? networks.slice(0, 1) : networks) {
  say(`kernels: ${nameOf(spec)}`)
  const row = nameOf(spec)
  const measured = await Effect.runPromise(measure(spec))
  for (const own of measured) {
    figures.push(figure("Kernels, microseconds a call", row, own.call, "us", own.microseconds))
  }
  for (const own of measured.filter(({ multiplyAdds }) => multiplyAdds > 0)) {
    figures.push(figure("Kernels, GFLOP/s", row, own.call, "GFLOP/s", gigaflops(own)))
  }
}
print([
  ...figures,
  figure("The most the processor gives one thread", "128-bit sums and products", "GFLOP/s", "GFLOP/s", await ceiling())
])
