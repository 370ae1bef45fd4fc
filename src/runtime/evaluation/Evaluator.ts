/**
 * Greedy evaluation: fresh episodes with the likeliest action each time, all environments in step so that one forward
 * pass serves them all. It has its own streams and its own memory region and leaves no trace in the training run.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { maskJudge, masksOf } from "../../envs/actionMask.ts"
import type { EnvironmentDefinition } from "../../envs/EnvironmentDefinition.ts"
import type { ActionSpace } from "../../envs/spaces/Space.ts"
import { Stepper } from "../../envs/Stepper.ts"
import type { Arena, OutOfMemory } from "../../model/kernels/Arena.ts"
import { Kernels } from "../../model/kernels/Kernels.ts"
import { distributionOf } from "../../model/policy/DistributionSpec.ts"
import { encoderOf } from "../../model/policy/Encoder.ts"
import { applyMask } from "../../model/policy/masks.ts"
import { ObservationScale } from "../../model/policy/normalization.ts"
import { ParameterLayout } from "../../model/policy/ParameterLayout.ts"
import type { PolicySpec } from "../../model/policy/PolicySpec.ts"
import type { Pcg64 } from "../../random/Pcg64.ts"
import { evaluationPolicyStream, evaluationStream } from "../../random/streams.ts"
import { CurrentConfig } from "../config/RunConfig.ts"
import { Seed } from "../config/Seed.ts"
import { actionsOf } from "../workers/actions.ts"
import { DataPlane } from "../workers/DataPlane.ts"

/** What a greedy evaluation found: statistics of the returns, and the returns themselves. */
export interface Evaluation {
  readonly returns: Float64Array
  readonly mean: number
  /** Population standard deviation. */
  readonly std: number
  readonly min: number
  readonly max: number
}

/** An evaluation episode that went wrong. */
export class EvaluationFault extends Schema.TaggedError<EvaluationFault>()("EvaluationFault", {
  environment: Schema.String,
  episode: Schema.Int,
  /** Which of its steps: 1, 2, ...; 0 is the reset. */
  step: Schema.Int,
  reason: Schema.String
}) {
  override get message(): string {
    return `Environment ${this.environment} cannot be evaluated: in episode ${this.episode}, at step ${this.step}, ${this.reason}.`
  }
}

/** Which episodes to play. */
export interface EvaluationRequest {
  /** Address of the weights in the kernels' memory. */
  readonly weights: number
  /** Each evaluation of a run has its own number, so that its episodes are fresh. */
  readonly round: number
  readonly episodes: number
  /** Steps after which an episode is cut, beside the environment's own limit. */
  readonly cap?: number
  /** Samples actions instead of taking the likeliest. */
  readonly sampled?: boolean
}

/** What an evaluator plays with. */
export interface EvaluatorOptions {
  readonly kernels: Kernels
  readonly arena: Arena
  /** With its time limit applied. */
  readonly definition: EnvironmentDefinition
  readonly policy: PolicySpec
  /** Root seed; with the round it decides the episodes. */
  readonly seed: number
  /** Whether the policy is held to the environment's action masks, where it has some. Default true. */
  readonly masked?: boolean
}

/** Episodes played at the same time. */
const rows = 64
/** Steps after which an episode that nothing cuts is given up. */
export const endless = 100_000
export const endlessReason =
  `it has not ended after ${endless} steps; give it maxEpisodeSteps, or a run --episode-limit`
/** Milliseconds between two looks at the rest of the program, which has signals to hear. */
const millisBetweenYields = 1

/** Plays greedy episodes of one environment. */
export class Evaluator extends Context.Service<Evaluator, {
  readonly evaluate: (request: EvaluationRequest) => Effect.Effect<Evaluation, EvaluationFault>
}>()("troupe/runtime/Evaluator") {
  static readonly make = (options: EvaluatorOptions): Effect.Effect<Evaluator["Service"], OutOfMemory> =>
    Effect.map(allocate(options), (region) => ({
      evaluate: (request) => play(options, region, request)
    }))

  /** Bytes of an arena that an evaluator takes. */
  static readonly bytes = (policy: PolicySpec): number =>
    Kernels.descriptorBytes(policy) + Kernels.workspaceBytes(policy, rows) +
    rows * 4 *
      (encoderOf(policy.encoder).inputs + encoderOf(policy.encoder).stateWords +
        distributionOf(policy.distribution).outputs +
        distributionOf(policy.distribution).action.width + 1) +
    7 * 16

  /** The run's evaluator. */
  static readonly layer: Layer.Layer<Evaluator, OutOfMemory, CurrentConfig | DataPlane | Seed> = Layer.effect(
    Evaluator,
    Effect.gen(function*() {
      const { arena, definition, kernels, policy } = yield* DataPlane
      const { root } = yield* Seed
      const { actionMasks: masked } = yield* CurrentConfig
      return yield* Evaluator.make({ arena, definition, kernels, policy, seed: root, masked })
    })
  )
}

/** An episode under way. */
interface Playing {
  readonly episode: number
  readonly stepper: Stepper<ActionSpace>
  readonly random: Pcg64
  readonly policy: Pcg64
}

interface Region {
  readonly descriptor: number
  readonly workspace: number
  readonly observations: number
  readonly logits: number
  readonly values: number
  readonly actions: number
  /** What the policy remembers of each episode. */
  readonly states: number
}

const allocate = ({ arena, kernels, policy }: EvaluatorOptions): Effect.Effect<Region, OutOfMemory> =>
  Effect.gen(function*() {
    return {
      descriptor: yield* kernels.describe(arena, policy),
      workspace: yield* arena.allocate(Kernels.workspaceBytes(policy, rows)),
      observations: yield* arena.allocate(rows * encoderOf(policy.encoder).inputs * 4),
      logits: yield* arena.allocate(rows * distributionOf(policy.distribution).outputs * 4),
      values: yield* arena.allocate(rows * 4),
      actions: yield* arena.allocate(rows * distributionOf(policy.distribution).action.width * 4),
      states: yield* arena.allocate(rows * encoderOf(policy.encoder).stateWords * 4)
    }
  })

/** Plays the episodes in waves of `rows`, each wave in step, and reports them in order. */
const play = Effect.fnUntraced(function*(
  { arena, definition, kernels, masked = true, policy, seed }: EvaluatorOptions,
  region: Region,
  request: EvaluationRequest
) {
  const { episodes, round } = request
  const cap = request.cap ?? endless
  const returns = new Float64Array(episodes)
  const fault = (episode: number, step: number, reason: string) =>
    new EvaluationFault({ environment: definition.id, episode, step, reason })

  const { inputs, stateWords } = encoderOf(policy.encoder)
  const states = arena.float32(region.states, rows * stateWords)
  const distribution = distributionOf(policy.distribution)
  const { action: { type, width }, outputs } = distribution
  const actions = type === "int32"
    ? arena.int32(region.actions, rows * width)
    : arena.float32(region.actions, rows * width)
  const read = actionsOf(definition.actionSpace)?.reader()
  if (read === undefined) return yield* fault(0, 0, "no distribution fits its actions")
  const put = arena.float32(region.logits, rows * outputs)
  const { free, statistics, weights: length } = new ParameterLayout(policy)
  const observed = statistics.find(({ name }) => name === "obs_rms")
  const scale = observed === undefined ? undefined : new ObservationScale(observed)
  scale?.take(arena.float32(request.weights, length))
  const mask = new Uint8Array(masked ? masksOf(definition) : 0)
  const judge = maskJudge(definition.actionSpace)
  const freeParameters = arena.float32(request.weights + free.at * 4, free.length)
  const parameters = new Float32Array(outputs + free.length)
  const sample = (playing: ReadonlyArray<{ readonly policy: Pcg64 }>): void => {
    for (let i = 0; i < playing.length; i++) {
      parameters.set(put.subarray(i * outputs, (i + 1) * outputs))
      parameters.set(freeParameters, outputs)
      distribution.sample(parameters, playing[i]!.policy, actions.subarray(i * width, (i + 1) * width))
    }
  }
  /** Which of those that are playing have come to an end. */
  const ended = new Uint8Array(rows)

  let looked = performance.now()
  for (let first = 0; first < episodes; first += rows) {
    const wave: Array<Playing> = []
    for (let episode = first; episode < Math.min(first + rows, episodes); episode++) {
      const stepper = Stepper.create(definition, new Float64Array(definition.stateSize))
      if (!(stepper instanceof Stepper)) return yield* fault(episode, 0, stepper.reason)
      const random = evaluationStream(seed, round * episodes + episode)
      const misstep = stepper.reset(random)
      if (misstep !== undefined) return yield* fault(episode, 0, misstep.reason)
      wave.push({ episode, stepper, random, policy: evaluationPolicyStream(seed, round * episodes + episode) })
    }
    // Row i of the forward pass is the i-th environment still playing.
    const observations = Array.from(
      wave,
      (_, row) => arena.float32(region.observations + row * inputs * 4, inputs)
    )
    let playing = wave
    states.fill(0)
    for (let step = 0; playing.length > 0; step++) {
      for (let i = 0; i < playing.length; i++) {
        const { episode, stepper } = playing[i]!
        const misstep = stepper.observe(observations[i]!)
        if (misstep !== undefined) return yield* fault(episode, step, misstep.reason)
        scale?.see(observations[i]!, observations[i]!)
      }
      kernels.forward(
        region.descriptor,
        request.weights,
        region.observations,
        playing.length,
        region.workspace,
        region.logits,
        region.values,
        region.states
      )
      for (let i = 0; mask.length > 0 && i < playing.length; i++) {
        const { episode, stepper } = playing[i]!
        const misstep = stepper.mask(mask, judge)
        if (misstep !== undefined) return yield* fault(episode, step, misstep.reason)
        applyMask(put.subarray(i * outputs, (i + 1) * outputs), mask)
      }
      if (request.sampled === true) sample(playing)
      else kernels.mode(region.descriptor, region.logits, playing.length, region.actions)
      let over = false
      for (let i = 0; i < playing.length; i++) playing[i]!.stepper.ahead(read(actions, i * width), playing[i]!.random)
      for (let i = 0; i < playing.length; i++) {
        const { episode, random, stepper } = playing[i]!
        const misstep = stepper.step(read(actions, i * width), random)
        if (misstep !== undefined) return yield* fault(episode, step + 1, misstep.reason)
        returns[episode] = returns[episode]! + stepper.reward
        const isOver = stepper.terminated || stepper.truncated
        if (!isOver && step + 1 >= endless) return yield* fault(episode, step + 1, endlessReason)
        // In training the last observation counts too.
        const last = isOver ? stepper.observe(observations[i]!) : undefined
        if (last !== undefined) return yield* fault(episode, step + 1, last.reason)
        ended[i] = isOver || step + 1 >= cap ? 1 : 0
        over ||= ended[i] === 1
      }
      if (over) {
        let row = 0
        playing = playing.filter((_, i) => {
          if (ended[i] !== 0) return false
          // What is remembered moves with its episode.
          states.copyWithin(row * stateWords, i * stateWords, (i + 1) * stateWords)
          row++
          return true
        })
      }
      if (performance.now() - looked >= millisBetweenYields) {
        yield* Effect.yieldNow
        looked = performance.now()
      }
    }
  }
  return summarize(returns)
})

const summarize = (returns: Float64Array): Evaluation => {
  let sum = 0
  let min = Number.POSITIVE_INFINITY
  let max = Number.NEGATIVE_INFINITY
  for (const value of returns) {
    sum += value
    min = Math.min(min, value)
    max = Math.max(max, value)
  }
  const mean = sum / returns.length
  let squares = 0
  for (const value of returns) squares += (value - mean) * (value - mean)
  return { returns, mean, std: Math.sqrt(squares / returns.length), min, max }
}
