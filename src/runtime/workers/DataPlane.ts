/**
 * The run's data plane as a service: the shared memory, laid out for the environment and network of the configuration,
 * with this thread's kernels on it. `dataPlaneLayout.ts` says what lies where.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { masksOf } from "../../envs/actionMask.ts"
import type { EnvironmentDefinition } from "../../envs/EnvironmentDefinition.ts"
import { Arena, type OutOfMemory } from "../../model/kernels/Arena.ts"
import { Kernels, type KernelsUnavailable } from "../../model/kernels/Kernels.ts"
import { distributionOf } from "../../model/policy/DistributionSpec.ts"
import { encoderOf, type EncoderSpec } from "../../model/policy/Encoder.ts"
import { unnormalized } from "../../model/policy/normalization.ts"
import { ParameterLayout } from "../../model/policy/ParameterLayout.ts"
import type { PolicySpec } from "../../model/policy/PolicySpec.ts"
import { shipping } from "../config/configSources.ts"
import { environmentOf } from "../config/environmentOf.ts"
import { placements } from "../config/placements.ts"
import { CurrentConfig, type RunConfig } from "../config/RunConfig.ts"
import { unitSize } from "../config/units.ts"
import { UpdatePlan } from "../plan/UpdatePlan.ts"
import { actionsOf } from "./actions.ts"
import {
  bankOf,
  blocksOf,
  dataPlaneBytes,
  type DataPlaneLayout,
  type EnvSlot,
  envSlot,
  layOut,
  unitCount,
  type UnitSlot,
  unitSlot,
  weightBanks
} from "./dataPlaneLayout.ts"
import type { DataPlaneSpec } from "./DataPlaneSpec.ts"
import { triedEnvironment } from "./firstLoading.ts"
import { type LearnableEnvironmentError, refuseUnreachable } from "./learnableEnvironment.ts"
import { smallerOf, type Travels } from "./shipment.ts"
import { longestStretch } from "./Stretch.ts"

export class DataPlane extends Context.Service<DataPlane, {
  /** The environment, its time limit applied. */
  readonly definition: EnvironmentDefinition
  readonly policy: PolicySpec
  /** What travels from the workers to the Learner, and where that was found to be smaller, how large either is. */
  readonly ship: "experience" | "gradients"
  readonly travels: Travels | undefined
  readonly parameters: ParameterLayout
  readonly arena: Arena
  readonly kernels: Kernels
  readonly layout: DataPlaneLayout
  readonly slots: ReadonlyArray<EnvSlot>
  readonly units: ReadonlyArray<UnitSlot>
  /** Two copies of the weights by turns: version `v` is `weights[v % 2]`. Statistics, where there are any, end them. */
  readonly weights: readonly [Float32Array, Float32Array]
  /** The weights of a version, as long as they are published. */
  readonly weightsOf: (version: number) => Float32Array
  /**
   * Writes the parameters of a version, in the flat order of `parameters`, where the EnvWorkers read them. The version before
   * it stays as it is; whoever still reads the one before that must have come to an end.
   */
  readonly publish: (version: number, parameters: ArrayLike<number>) => void
}>()("troupe/runtime/DataPlane") {
  static readonly layer: Layer.Layer<
    DataPlane,
    LearnableEnvironmentError | KernelsUnavailable | OutOfMemory,
    CurrentConfig | UpdatePlan
  > = Layer.effect(
    DataPlane,
    Effect.gen(function*() {
      const config = yield* CurrentConfig
      const definition = yield* triedEnvironment(environmentOf(config), config.episodeLimit, config.loadDeadline)
      yield* refuseUnreachable(config, definition)
      const policy = policyOf(config, definition)
      const parameters = new ParameterLayout(policy)
      const { action, outputs } = distributionOf(policy.distribution)
      const unit = unitSize(config.nEnvs, config.schedule !== "sync")
      const sizes = {
        slots: config.nEnvs,
        steps: config.nSteps,
        inputs: encoderOf(policy.encoder).inputs,
        actions: outputs,
        actionWidth: action.width,
        continuous: action.type === "float32",
        masks: config.actionMasks ? masksOf(definition) : 0,
        memory: encoderOf(policy.encoder).stateWords,
        stateSize: definition.stateSize,
        parameters: parameters.size,
        normalization: policy.normalization ?? unnormalized,
        descriptorBytes: Kernels.descriptorBytes(policy),
        workers: workersOf(config, unitCount({ slots: config.nEnvs, unit })),
        // The td loss, and what remembers, need the activations of a whole fragment, all else those of a chunk.
        workspaceBytes: Kernels.workspaceBytes(
          policy,
          Math.max(
            config.loss === "td" ? config.nSteps + 1 : Kernels.rowsAtOnce(policy, config.nSteps),
            Kernels.chunkRows
          )
        ),
        activationBytes: 0,
        pulled: config.schedule === "sync" ? 0 : parameters.weights,
        unit,
        gradient: parameters.size,
        stretch: 0,
        replicaBytes: 0
      }
      const settled = config.ship === "auto" ? shipping(config) : config.ship
      const { ship, travels } = settled === "auto"
        ? smallerOf(sizes, yield* UpdatePlan)
        : { ship: settled, travels: undefined }
      const stretch = longestStretch({ ...config, ship })
      const spec: DataPlaneSpec = {
        ...sizes,
        stretch,
        replicaBytes: stretch === 0 ? 0 : replicaBytesOf(policy, parameters.weights),
        activationBytes: keepsActivations({ ...config, ship }, policy, unit) ? Kernels.activationStride(policy) : 0,
        gradient: ship === "gradients" ? parameters.size : 0
      }
      const bytes = dataPlaneBytes(spec)
      const arena = yield* Arena.make({ bytes: bytes + roomBeside(policy, parameters.size, config.nSteps) })
      const kernels = yield* Kernels.instantiate(arena.memory)
      const layout = layOut(spec, yield* arena.allocate(bytes, 64))
      const weights = weightBanks(arena.buffer, layout)
      kernels.writeDescriptor(layout.descriptor, policy)
      return {
        definition,
        policy,
        ship,
        travels,
        parameters,
        arena,
        kernels,
        layout,
        slots: Array.from({ length: config.nEnvs }, (_, index) => envSlot(arena.buffer, layout, index)),
        units: Array.from({ length: unitCount(spec) }, (_, index) => unitSlot(arena.buffer, layout, index)),
        weights,
        weightsOf: (version) => weights[bankOf(version)],
        publish: (version, from) => weights[bankOf(version)].set(from)
      }
    })
  )
}

/** Bytes of a Learner's model that makes no gradients itself, beside two banks of weights. */
const replicaBytesOf = (policy: PolicySpec, weights: number): number =>
  Kernels.workspaceBytes(policy, Kernels.rowsAtOnce(policy, 1)) + Kernels.descriptorBytes(policy) + 8 * 4 * weights +
  4096

/** The policy of the configuration, with the inputs and actions of an environment that can be learned. */
export const policyOf = (
  config: RunConfig,
  { actionSpace, id, observationSpace }: EnvironmentDefinition
): PolicySpec => {
  const actions = actionsOf(actionSpace)
  if (actions === undefined) throw new Error(`${id} has actions of ${actionSpace}, which no distribution fits`)
  const { normalizeObservations: observations, normalizeRewards: rewards } = config
  return {
    encoder: encoderOfRun(config, observationSpace.size),
    distribution: actions.distribution,
    ...(observations || rewards ? { normalization: { observations, rewards } } : {})
  }
}

/** The encoder of the configuration: here each kind of network becomes one. */
const encoderOfRun = ({ activation, hidden, network }: RunConfig, inputs: number): EncoderSpec => {
  switch (network) {
    case "separate":
    case "shared":
      return { kind: "mlp", towers: network, inputs, hidden, activation }
    case "gru":
      return { kind: "gru", inputs, hidden, activation }
  }
}

/**
 * How many EnvWorkers share the environments. At their own pace each environment has one to itself. In step one a host
 * is enough: the fewer, the fewer messages; `envsPerWorker` sets it.
 */
const workersOf = ({ envsPerWorker, nEnvs, placement, schedule, workers }: RunConfig, units: number): number => {
  if (schedule !== "sync") return nEnvs
  const wanted = envsPerWorker === "auto"
    ? (placements[placement].ownHosts ? workers : 1)
    : Math.ceil(nEnvs / envsPerWorker)
  return Math.min(wanted, units)
}

/** Bytes of activations of one block that are worth keeping: more would not stay in the cache. */
const mostActivations = 1_048_576

/**
 * Whether what acting leaves behind serves the gradient again, instead of being computed a second time. A child process
 * would have to send it.
 */
const keepsActivations = (
  { loss, nEnvs, nSteps, placement, ship }: RunConfig,
  policy: PolicySpec,
  unit: number
): boolean => {
  const block = blocksOf({ first: 0, count: nEnvs }, unit)[0]!.count
  // What remembers goes through its rows again anyway.
  return encoderOf(policy.encoder).stateWords === 0 && ship === "gradients" && loss === "a2c" &&
    placements[placement].sharesMemory &&
    block * nSteps * Kernels.activationStride(policy) <= mostActivations
}

/**
 * Room beside the plane for the learner's model and the evaluator, with some to spare. It is reserved address space:
 * what they do not touch costs no memory.
 */
const roomBeside = (policy: PolicySpec, parameters: number, nSteps: number): number =>
  2 * Kernels.workspaceBytes(policy, Math.max(128, Kernels.rowsAtOnce(policy, nSteps))) + 8 * 4 * parameters + 1_048_576
