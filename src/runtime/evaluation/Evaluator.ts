/**
 * Greedy evaluation: fresh episodes with the likeliest action each time, all environments in step so that one forward
 * pass serves them all. It has its own streams and its own memory region and leaves no trace in the training run.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import type { EnvironmentDefinition } from "../../envs/EnvironmentDefinition.ts"
import type { Discrete } from "../../envs/spaces/Discrete.ts"
import { Stepper } from "../../envs/Stepper.ts"
import type { Arena, OutOfMemory } from "../../model/kernels/Arena.ts"
import { Kernels } from "../../model/kernels/Kernels.ts"
import { sampleAction, softmax } from "../../model/policy/categorical.ts"
import { distributionOf } from "../../model/policy/DistributionSpec.ts"
import { encoderOf } from "../../model/policy/Encoder.ts"
import type { PolicySpec } from "../../model/policy/PolicySpec.ts"
import type { Pcg64 } from "../../random/Pcg64.ts"
import { evaluationPolicyStream, evaluationStream } from "../../random/streams.ts"
import { Seed } from "../config/Seed.ts"
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
  /** Address of the parameters in the kernels' memory. */
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
  readonly definition: EnvironmentDefinition<Discrete>
  readonly policy: PolicySpec
  /** Root seed; with the round it decides the episodes. */
  readonly seed: number
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
    rows * 4 * (encoderOf(policy.encoder).inputs + distributionOf(policy.distribution).outputs + 2) + 6 * 16

  /** The run's evaluator. */
  static readonly layer: Layer.Layer<Evaluator, OutOfMemory, DataPlane | Seed> = Layer.effect(
    Evaluator,
    Effect.gen(function*() {
      const { arena, definition, kernels, policy } = yield* DataPlane
      const { root } = yield* Seed
      return yield* Evaluator.make({ arena, definition, kernels, policy, seed: root })
    })
  )
}

/** An episode under way. */
interface Playing {
  readonly episode: number
  readonly stepper: Stepper<Discrete>
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
}

const allocate = ({ arena, kernels, policy }: EvaluatorOptions): Effect.Effect<Region, OutOfMemory> =>
  Effect.gen(function*() {
    return {
      descriptor: yield* kernels.describe(arena, policy),
      workspace: yield* arena.allocate(Kernels.workspaceBytes(policy, rows)),
      observations: yield* arena.allocate(rows * encoderOf(policy.encoder).inputs * 4),
      logits: yield* arena.allocate(rows * distributionOf(policy.distribution).outputs * 4),
      values: yield* arena.allocate(rows * 4),
      actions: yield* arena.allocate(rows * 4)
    }
  })

/** Plays the episodes in waves of `rows`, each wave in step, and reports them in order. */
const play = Effect.fnUntraced(function*(
  { arena, definition, kernels, policy, seed }: EvaluatorOptions,
  region: Region,
  request: EvaluationRequest
) {
  const { episodes, round } = request
  const cap = request.cap ?? endless
  const returns = new Float64Array(episodes)
  const actions = arena.int32(region.actions, rows)
  const fault = (episode: number, step: number, reason: string) =>
    new EvaluationFault({ environment: definition.id, episode, step, reason })

  const { inputs } = encoderOf(policy.encoder)
  const { outputs } = distributionOf(policy.distribution)
  const logits = arena.float32(region.logits, rows * outputs)
  const probabilities = new Float64Array(outputs)
  const sample = (playing: ReadonlyArray<{ readonly policy: Pcg64 }>): void => {
    for (let i = 0; i < playing.length; i++) {
      softmax(probabilities, logits.subarray(i * outputs, (i + 1) * outputs))
      actions[i] = sampleAction(probabilities, playing[i]!.policy.random())
    }
  }

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
    for (let step = 0; playing.length > 0; step++) {
      for (let i = 0; i < playing.length; i++) {
        const { episode, stepper } = playing[i]!
        const misstep = stepper.observe(observations[i]!)
        if (misstep !== undefined) return yield* fault(episode, step, misstep.reason)
      }
      kernels.forward(
        region.descriptor,
        request.weights,
        region.observations,
        playing.length,
        region.workspace,
        region.logits,
        region.values
      )
      if (request.sampled === true) sample(playing)
      else kernels.mode(region.descriptor, region.logits, playing.length, region.actions)
      let ended = 0
      for (let i = 0; i < playing.length; i++) {
        const { episode, random, stepper } = playing[i]!
        const misstep = stepper.step(definition.actionSpace.start + actions[i]!, random)
        if (misstep !== undefined) return yield* fault(episode, step + 1, misstep.reason)
        returns[episode] = returns[episode]! + stepper.reward
        const over = stepper.terminated || stepper.truncated
        if (!over && step + 1 >= endless) return yield* fault(episode, step + 1, endlessReason)
        // In training the last observation counts too.
        const last = over ? stepper.observe(observations[i]!) : undefined
        if (last !== undefined) return yield* fault(episode, step + 1, last.reason)
        if (over || step + 1 >= cap) {
          actions[i] = -1
          ended++
        }
      }
      if (ended > 0) playing = playing.filter((_, i) => actions[i] !== -1)
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
