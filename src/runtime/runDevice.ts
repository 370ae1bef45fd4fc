/**
 * The device of a run: which one its settings mean, and what a person should know about that choice.
 *
 * `auto` is settled before anything of the run is built, because what travels from the workers depends on it.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { availableParallelism } from "node:os"
import { Device, type DeviceName, type DeviceUnavailable } from "../model/Device.ts"
import { measureUpdate, operations, type UpdateShape } from "../model/devices/measureUpdate.ts"
import { accelerators, isAbsent, openAccelerator, openDevice, reasonOf } from "../model/devices/openDevice.ts"
import { Arena } from "../model/kernels/Arena.ts"
import { Kernels } from "../model/kernels/Kernels.ts"
import { encoderOf } from "../model/policy/Encoder.ts"
import { ParameterLayout } from "../model/policy/ParameterLayout.ts"
import type { PolicySpec } from "../model/policy/PolicySpec.ts"
import * as configSources from "./config/configSources.ts"
import { environmentOf } from "./config/environmentOf.ts"
import { withinWork } from "./config/hosts.ts"
import { placements } from "./config/placements.ts"
import { CurrentConfig, type RunConfig } from "./config/RunConfig.ts"
import { RunEvents } from "./monitoring/RunMonitor.ts"
import { optimizerSpecOf } from "./plan/optimizerSpecOf.ts"
import { DataPlane, policyOf } from "./workers/DataPlane.ts"
import { triedEnvironment } from "./workers/firstLoading.ts"
import { isKnownHereOnly } from "./workers/learnableEnvironment.ts"

/** Devices that no network is fast enough on to beat `cpu`: the same arithmetic with more around it, or more digits. */
const neverFastest: ReadonlySet<DeviceName> = new Set(["reference", "tfjs-cpu", "tfjs-wasm"])

/** Operations of an update that `cpu` has done before another device has been reached: some 2 ms of one core. */
const smallOperations = 50e6

/** Milliseconds of `cpu` below which nothing else is looked at. */
const smallMillis = 2

/** Milliseconds that the largest update made to measure a device may take, about. */
const budget = 80

/** Operations of the largest update that `cpu` is measured by: it has room for its rows. */
const mostOperations = 4e9

/**
 * How many times faster so many threads of `cpu` are than one, on large updates: 1.7 times with 2 and 8 times with 16 was
 * measured. They share caches and memory, two of them often one core, and one thread adds their gradients up.
 */
const gain = (threads: number): number => Math.min(threads, availableParallelism()) ** 0.75

const shapeOf = (config: RunConfig, policy: PolicySpec): UpdateShape => ({
  model: { policy, optimizer: optimizerSpecOf(config), maxRows: config.nSteps },
  rows: config.nEnvs * config.nSteps
})

const millis = (value: number): string => `${value < 10 ? value.toPrecision(2) : value.toFixed(0)} ms`

const notice = Effect.fnUntraced(function*(message: string) {
  const { emit } = yield* RunEvents
  yield* emit({ event: "notice", message })
})

const measureCpu = Effect.fnUntraced(function*(shape: UpdateShape) {
  const { maxRows, policy } = shape.model
  const { size } = new ParameterLayout(policy)
  // The sample's rows are staged in the arena, a segment each, beside parameters and their like.
  const most = Math.ceil(Math.max(maxRows, mostOperations / (6 * size)))
  const rows = Math.min(shape.rows, most) + maxRows
  const workspace = Kernels.workspaceBytes(policy, Math.min(maxRows, Kernels.chunkRows))
  const bytes = workspace + 4 * 32 * size + 4 * rows * (encoderOf(policy.encoder).inputs + 8) + 1_048_576
  const arena = yield* Arena.make({ bytes: 2 * bytes })
  const device = yield* openDevice("cpu", { arena, kernels: yield* Kernels.instantiate(arena.memory) })
  return yield* device.use((d) => measureUpdate(d, shape, budget, most))
})

/** The fastest device for a run, by measuring. */
const fastest = Effect.fnUntraced(function*(config: RunConfig) {
  const definition = yield* triedEnvironment(environmentOf(config), config.episodeLimit, config.loadDeadline)
  const shape = shapeOf(config, policyOf(config, definition))
  // The gradients of `cpu` are made by all the workers at once, unless what they need is in one place only.
  const alone = !placements[config.placement].ownHosts || shipOf({ ...config, device: "cpu" }) === "experience"
  const together = alone ? 1 : Math.min(config.workers, config.nEnvs)
  if (encoderOf(shape.model.policy.encoder).stateWords > 0) {
    yield* notice("device auto is cpu: a policy that remembers is computed there")
    return "cpu"
  }
  const one = yield* measureCpu(shape)
  const cpu = one / gain(together)
  const what = `an update of ${shape.rows} rows takes`
  const threads = together === 1 ? "" : ` with ${together} threads, reckoned from ${millis(one)} with one`
  if (cpu < smallMillis) {
    yield* notice(
      `device auto is cpu: ${what} ${millis(cpu)} there${threads}, less than it takes to reach another device`
    )
    return "cpu"
  }
  let best: { readonly name: DeviceName; readonly time: number } = { name: "cpu", time: cpu }
  const others: Array<string> = []
  for (const name of accelerators) {
    // One that cannot be had is left out; one that fails is a fault like any other.
    const time = yield* openAccelerator(name).pipe(
      Effect.map((device) => device.use((d) => measureUpdate(d, shape, budget))),
      Effect.catch((failure) => {
        // Where its packages are, somebody wants to know why.
        if (!isAbsent(failure)) others.push(`${name} cannot be had (${reasonOf(failure)})`)
        return Effect.succeed(Effect.succeed(Infinity))
      }),
      Effect.flatten,
      Effect.scoped
    )
    if (time === Infinity) continue
    others.push(`${millis(time)} on ${name}`)
    if (time < best.time) best = { name, time }
  }
  const onCpu = `${millis(cpu)} on cpu${threads}`
  const found = others.length === 0 ? "no accelerator is there" : others.join(", ")
  yield* notice(`device auto is ${best.name}: ${what} ${onCpu}, ${found}`)
  return best.name
})

const shipOf = (config: RunConfig): RunConfig["ship"] =>
  config.ship === "auto" ? configSources.shipping(config) : config.ship

/** Every way in which the fastest device cannot be found. */
export type SettleError = Effect.Error<ReturnType<typeof settle>>

/** The configuration with its placement and its device settled: `auto` becomes a name, and what travels follows from it. */
export const settle = Effect.fnUntraced(function*(given: RunConfig) {
  // What only this thread knows never leaves it.
  const config = given.placement === "auto" && (yield* isKnownHereOnly(given.envId))
    ? withinWork({ ...given, placement: "fiber" })
    : given
  if (config.device !== "auto") return config
  const settled: RunConfig = { ...config, device: yield* fastest(config) }
  return { ...settled, ship: shipOf(settled) }
})

/** The device that the settings name, and a word where another would certainly be faster. */
export const deviceLayer: Layer.Layer<Device, DeviceUnavailable, CurrentConfig | DataPlane> = Layer.effect(
  Device,
  Effect.gen(function*() {
    const config = yield* CurrentConfig
    const plane = yield* DataPlane
    const device = yield* openDevice(config.device === "auto" ? "cpu" : config.device, plane)
    const small = operations(shapeOf(config, plane.policy)) < smallOperations
    if (device.name !== "cpu" && (small || neverFastest.has(device.name))) {
      yield* notice(
        `the cpu device is ${small ? "usually" : "always"} faster than ${device.name} for this network and batch; ` +
          "--device auto measures"
      )
    }
    return device
  })
)
