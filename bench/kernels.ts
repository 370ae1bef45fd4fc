/**
 * Micro-benchmark of the kernels: `node bench/kernels.ts` prints a Markdown table of microseconds a call and the
 * arithmetic that makes, multiply and add counted as two. A figure is the best of many short rounds: whatever else runs on
 * the machine only ever adds to it.
 *
 * `act` is one observation, a sampled action, its log-probability and the value. An update is losses, gradients and one
 * step of Adam over the whole network, fused or (in calls) by `forward`, `lossA2C`, `backward`, `adam`.
 */
import * as Effect from "effect/Effect"
import { ensureBuilt } from "../scripts/build.ts"
import { Arena } from "../src/model/kernels/Arena.ts"
import { Kernels } from "../src/model/kernels/Kernels.ts"
import { type NetworkSpec, ParameterLayout } from "../src/model/Network.ts"
import { Pcg64 } from "../src/random/Pcg64.ts"

await ensureBuilt()

const networks: ReadonlyArray<readonly [string, NetworkSpec]> = [
  ["4→256 separate relu", { kind: "separate", inputs: 4, actions: 2, hidden: [256], activation: "relu" }],
  ["4→64→64 separate tanh", { kind: "separate", inputs: 4, actions: 2, hidden: [64, 64], activation: "tanh" }],
  ["4→64 separate tanh", { kind: "separate", inputs: 4, actions: 2, hidden: [64], activation: "tanh" }],
  ["4→256 shared relu", { kind: "shared", inputs: 4, actions: 2, hidden: [256], activation: "relu" }],
  ["8→256→256 shared relu", { kind: "shared", inputs: 8, actions: 4, hidden: [256, 256], activation: "relu" }]
]

const rounds = 60

/** Microseconds a call: the best of rounds of about two milliseconds each. */
const microseconds = (call: () => void): number => {
  let calls = 1
  for (let elapsed = 0; elapsed < 2; calls *= 2) {
    const start = performance.now()
    for (let i = 0; i < calls; i++) call()
    elapsed = performance.now() - start
  }
  let best = Infinity
  for (let round = 0; round < rounds; round++) {
    const start = performance.now()
    for (let i = 0; i < calls; i++) call()
    best = Math.min(best, performance.now() - start)
  }
  return best * 1000 / calls
}

const maxRows = 2048

const measure = Effect.fnUntraced(function*(spec: NetworkSpec) {
  const parameters = new ParameterLayout(spec).size
  const arena = yield* Arena.make({ bytes: Kernels.workspaceBytes(spec, maxRows) + parameters * 32 + 4_000_000 })
  const kernels = yield* Kernels.instantiate(arena.memory)
  const net = yield* kernels.describe(arena, spec)
  const random = Pcg64.fromSeed(1)
  const floats = Effect.fnUntraced(function*(length: number, scale: number) {
    const offset = yield* arena.allocate(length * 4)
    const view = arena.float32(offset, length)
    for (let i = 0; i < length; i++) view[i] = random.uniform(-scale, scale)
    return offset
  })
  const params = yield* floats(parameters, 0.1)
  const gradients = yield* floats(parameters, 0)
  const m = yield* floats(parameters, 0)
  const v = yield* floats(parameters, 0)
  const observations = yield* floats(maxRows * spec.inputs, 1)
  const logits = yield* floats(maxRows * spec.actions, 0)
  const values = yield* floats(maxRows, 0)
  const dLogits = yield* floats(maxRows * spec.actions, 0)
  const dValues = yield* floats(maxRows, 0)
  const advantages = yield* floats(maxRows, 1)
  const returns = yield* floats(maxRows, 1)
  const logProbabilities = yield* floats(maxRows, 0)
  const actions = yield* arena.allocate(maxRows * 4)
  const workspace = yield* arena.allocate(Kernels.workspaceBytes(spec, maxRows))
  const statistics = yield* arena.allocate(64)
  const stream = yield* arena.allocate(Pcg64.words * 4)
  Pcg64.fromSeed(2, arena.uint32(stream, Pcg64.words))

  const act = microseconds(() =>
    kernels.act(net, params, observations, 1, stream, 0, workspace, logits, values, actions, logProbabilities)
  )
  const forward = (rows: number) =>
    microseconds(() => kernels.forward(net, params, observations, rows, workspace, logits, values))
  const adam = () =>
    kernels.adam(params, params, gradients, m, m, v, v, parameters, 1, 1e-9, 0.9, 0.999, 1e-8, 0.5, 0.5)
  const fused = (rows: number) =>
    microseconds(() => {
      kernels.gradientsA2C(
        net,
        params,
        observations,
        rows,
        workspace,
        actions,
        advantages,
        returns,
        1 / rows,
        0.5,
        0.01,
        gradients,
        0,
        statistics
      )
      adam()
    })
  const inCalls = (rows: number) =>
    microseconds(() => {
      kernels.forward(net, params, observations, rows, workspace, logits, values)
      kernels.lossA2C(
        net,
        logits,
        actions,
        values,
        advantages,
        returns,
        rows,
        1 / rows,
        0.5,
        0.01,
        dLogits,
        dValues,
        statistics
      )
      kernels.backward(net, params, observations, rows, workspace, dLogits, dValues, gradients, 0)
      adam()
    })
  const f1024 = forward(1024)
  const u200 = fused(200)
  const macs = parameters * 200 * 3
  return [
    act,
    forward(10),
    f1024,
    u200,
    fused(2048),
    inCalls(200),
    inCalls(2048),
    microseconds(adam),
    2 * parameters * 1024 / f1024 / 1000,
    2 * macs / u200 / 1000
  ]
})

const print = Effect.gen(function*() {
  process.stdout.write(
    "| network | act 1 | forward 10 | forward 1024 | update 200 | update 2048 | 200 in calls | 2048 in calls | Adam | GFLOP/s forward | update |\n"
      + "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |\n"
  )
  for (const [name, spec] of networks) {
    const figures = yield* measure(spec)
    process.stdout.write(`| ${[name, ...figures.map((n) => n < 10 ? n.toFixed(2) : n.toFixed(0))].join(" | ")} |\n`)
  }
})

await Effect.runPromise(print)
