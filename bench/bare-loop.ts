/**
 * The same training without actors: what a run's numbers are compared with. The same kernels on the same data plane do the
 * same work in the same order, and leave the same weights, to the bit; what is missing is the run: actors, supervision, the
 * monitor, Effect. On two threads, the second waits for each iteration by spinning on a word of shared memory, as nothing
 * that shares a machine should.
 */
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { isMainThread, Worker, workerData } from "node:worker_threads"
import { CpuDevice } from "../src/model/CpuDevice.ts"
import { initialParameters } from "../src/model/initialize.ts"
import { Kernels } from "../src/model/kernels/Kernels.ts"
import type { SharedMemory } from "../src/model/kernels/SharedMemory.ts"
import { initialWeightsStream } from "../src/random/streams.ts"
import { planLayer, planOf } from "../src/runtime/algorithms/index.ts"
import * as configSources from "../src/runtime/config/configSources.ts"
import { CurrentConfig, type RunConfig } from "../src/runtime/config/RunConfig.ts"
import { normalizationOf } from "../src/runtime/plan/advantages.ts"
import { allRows, orderOf, rowsOf } from "../src/runtime/plan/minibatches.ts"
import { optimizerSpecOf } from "../src/runtime/plan/optimizerSpecOf.ts"
import { firstPass, type PassOrder } from "../src/runtime/plan/UpdatePlan.ts"
import { DataPlane, policyOf } from "../src/runtime/workers/DataPlane.ts"
import { bankOf, blocksOf, type DataPlaneLayout, shareOf, unitCount } from "../src/runtime/workers/dataPlaneLayout.ts"
import * as FragmentGradient from "../src/runtime/workers/FragmentGradient.ts"
import { learnableEnvironment } from "../src/runtime/workers/learnableEnvironment.ts"
import * as Rollout from "../src/runtime/workers/Rollout.ts"

/** A loop that stands ready. */
export interface BareLoop {
  readonly config: RunConfig
  /** Collects a fragment of every environment and takes the steps of the optimizer that the plan has for them. */
  readonly iterate: () => void
  readonly weights: () => Float32Array
  readonly close: () => Promise<void>
}

/** One thread's part of the work. */
interface Part {
  readonly collect: (version: number) => void
  readonly gradient: (version: number) => void
}

/** What a pass is of beside its loss, as numbers that both threads see. */
const passNumbers = 8
const writePass = (numbers: Float64Array, { advantage, minibatch }: Omit<PassOrder, "loss">): void => {
  const { consumed, epoch, index, of } = minibatch ?? { consumed: 0, epoch: 0, index: 0, of: 0 }
  const { mean, scale } = advantage ?? { mean: 0, scale: 0 }
  numbers.set([consumed, epoch, index, of, mean, scale])
}
const readPass = (numbers: Float64Array): Omit<PassOrder, "loss"> => {
  const [consumed, epoch, index, of, mean, scale] = Array.from(numbers) as [
    number,
    number,
    number,
    number,
    number,
    number
  ]
  return {
    advantage: scale === 0 ? null : { mean, scale },
    minibatch: of === 0 ? null : { consumed, epoch, index, of }
  }
}

const partOf = async (
  config: RunConfig,
  layout: DataPlaneLayout,
  kernels: Kernels,
  worker: number,
  pass: Float64Array
): Promise<Part> => {
  const definition = await Effect.runPromise(learnableEnvironment(config.envId, config.episodeLimit))
  const plan = planOf(config)
  const loss = plan.loss(0)
  const settings = {
    policy: policyOf(config, definition),
    targets: config,
    seed: config.seed,
    units: unitCount(layout.spec),
    first: firstPass(plan)
  }
  const blocks = blocksOf(shareOf(layout.spec, worker), layout.spec.unit).map((range) => ({
    rollout: Rollout.make(kernels, layout, definition, {
      ...range,
      worker,
      environment: range.first,
      seed: config.seed,
      samplingSeed: config.seed,
      restartSameSeed: config.restartSameSeed,
      rewards: config.rewards,
      gamma: config.gamma,
      untilEpisodeEnd: false
    }),
    gradient: FragmentGradient.make(kernels, layout, {
      ...range,
      worker,
      unit: range.first / layout.spec.unit
    }, settings)
  }))
  for (const { rollout } of blocks) rollout.initialize()
  let round = 0
  return {
    collect: (version) => {
      const weights = layout.weights[bankOf(version)]
      round++
      for (const { gradient, rollout } of blocks) {
        const rows = rollout.collect(weights, config.nSteps)
        if (typeof rows !== "number") throw new Error(rows.reason)
        gradient.first(weights, rows)
        rollout.save(round)
      }
    },
    gradient: (version) => {
      const order = { loss, ...readPass(pass) }
      for (const { gradient } of blocks) gradient.again(layout.weights[bankOf(version)], config.nSteps, order)
    }
  }
}

/** Words that the two threads share, each on its own cache line. */
const command = 0
const done = 16
const words = 32

const collecting = 1
const ending = 2
/** A command is a number that grows, what to do in its lowest two bits; the rest of a command is the version. */
const commandOf = (version: number, what: number): number => version * 4 + what

/** Spins until the word changes from `seen`; a thread that is gone ends the wait. */
const awaitChange = (control: Int32Array, word: number, seen: number): number => {
  const start = performance.now()
  for (let n = 1;; n++) {
    const now = Atomics.load(control, word)
    if (now !== seen) return now
    if (n % 65_536 === 0 && performance.now() - start > 20_000) throw new Error("the other thread does not answer")
  }
}

interface SecondThread {
  readonly config: RunConfig
  readonly memory: SharedMemory
  readonly layout: DataPlaneLayout
  readonly control: Int32Array
  readonly pass: Float64Array
}

const serve = async ({ config, control, layout, memory, pass }: SecondThread): Promise<void> => {
  const kernels = await Effect.runPromise(Kernels.instantiate(memory))
  const part = await partOf(config, layout, kernels, 1, pass)
  Atomics.store(control, done, -1)
  Atomics.notify(control, done)
  let seen = 0
  while (true) {
    seen = awaitChange(control, command, seen)
    const what = seen & 3
    if (what === ending) return
    if (what === collecting) part.collect(seen >> 2)
    else part.gradient(seen >> 2)
    Atomics.store(control, done, seen)
  }
}

/** Sets the loop up for these settings, on one thread or on this one and another. */
export const bareLoop = async (given: configSources.PartialConfig, threads: 1 | 2): Promise<BareLoop> => {
  const config = await Effect.runPromise(
    configSources.resolve({ given: { ...given, workers: threads, placement: threads === 1 ? "fiber" : "thread" } })
      .pipe(Effect.provide(NodeServices.layer))
  )
  const plane = await Effect.runPromise(
    DataPlane.use(Effect.succeed).pipe(
      Effect.provide(DataPlane.layer.pipe(Layer.provide(planLayer), Layer.provide(CurrentConfig.layer(config))))
    )
  )
  const { layout } = plane
  const initial = initialParameters(plane.policy, config.init, initialWeightsStream(config.seed))
  const spec = {
    policy: plane.policy,
    optimizer: optimizerSpecOf(config),
    maxRows: config.nSteps,
    unit: layout.spec.unit
  }
  const model = await Effect.runPromise(
    Effect.scoped(CpuDevice.make(plane.arena, plane.kernels).model(spec, initial))
  )
  plane.weights[0].set(initial)

  const pass = new Float64Array(new SharedArrayBuffer(passNumbers * 8))
  const own = await partOf(config, layout, plane.kernels, 0, pass)
  const control = new Int32Array(new SharedArrayBuffer(words * 4))
  const workerData: SecondThread = { config, memory: plane.arena.memory, layout, control, pass }
  const second = threads === 2 ? new Worker(new URL(import.meta.url), { workerData }) : undefined
  if (second !== undefined) await Atomics.waitAsync(control, done, 0, 20_000).value

  /** Both threads do it; the other is told first. */
  const together = (version: number, what: 0 | typeof collecting): void => {
    const number = commandOf(version, what)
    const before = Atomics.load(control, done)
    if (second !== undefined) Atomics.store(control, command, number)
    if (what === collecting) own.collect(version)
    else own.gradient(version)
    if (second !== undefined) awaitChange(control, done, before)
  }

  const gather = model.gather(plane.units, planOf(config).loss(0).name)
  const rate = { learningRate: config.lr, maxGradNorm: config.maxGradNorm }
  const plan = planOf(config)
  const firstIsMade = firstPass(plan) !== null
  const { unit } = layout.spec
  const units = plane.units.map((_, u) => ({
    fragments: plane.slots.slice(u * unit, (u + 1) * unit).map((slot) => ({ slot, rows: config.nSteps })),
    order: orderOf(plane.policy, config.seed, u, plane.units.length)
  }))
  let version = 0
  let consumed = 0
  /** What a pass is of, as the Learner says it. */
  const passOf = (epoch: number, index: number): Omit<PassOrder, "loss"> => {
    const minibatch = plan.minibatches > 1 ? { consumed, epoch, index, of: plan.minibatches } : null
    if (!plan.normalizeAdvantage) return { advantage: null, minibatch }
    const selected = units.map(({ fragments, order }) =>
      minibatch === null ? allRows(fragments, config.nSteps) : rowsOf(order, fragments, config.nSteps, minibatch)
    )
    return { advantage: normalizationOf(units, selected, config.nSteps), minibatch }
  }
  return {
    config,
    iterate: () => {
      together(version, collecting)
      for (let epoch = 0; epoch < plan.epochs; epoch++) {
        for (let index = 0; index < plan.minibatches; index++) {
          if (epoch > 0 || index > 0 || !firstIsMade) {
            writePass(pass, passOf(epoch, index))
            together(version, 0)
          }
          Effect.runSync(model.apply(Effect.runSync(gather), rate))
          version++
          Effect.runSync(model.read(plane.weights[bankOf(version)]))
        }
      }
      consumed += config.nEnvs * config.nSteps
    },
    weights: () => plane.weights[bankOf(version)].slice(),
    close: async () => {
      Atomics.store(control, command, commandOf(version, ending))
      await second?.terminate()
    }
  }
}

/** Iterates for so long, twice; answers environment steps a second of the second time. */
const rateOf = ({ config, iterate }: BareLoop, seconds: number): number => {
  let rate = 0
  for (let time = 0; time < 2; time++) {
    let iterations = 0
    const start = performance.now()
    do {
      iterate()
      iterations++
    } while (performance.now() - start < seconds * 1000)
    rate = iterations * config.nEnvs * config.nSteps / (performance.now() - start) * 1000
  }
  return rate
}

/** `node bench/bare-loop.ts '{"nEnvs":10}' <threads> <seconds>` prints environment steps a second, in a process alone. */
const main = async ([settings = "{}", threads = "1", seconds = "2"]: ReadonlyArray<string>): Promise<void> => {
  const given = await Effect.runPromise(configSources.fromRecord(JSON.parse(settings), (name) => name, "here"))
  const loop = await bareLoop(given, threads === "1" ? 1 : 2)
  console.log(rateOf(loop, Number(seconds)))
  await loop.close()
}

if (!isMainThread && workerData?.control !== undefined) await serve(workerData)
else if (import.meta.filename === process.argv[1]) await main(process.argv.slice(2))
