/**
 * Stepping one environment with the policy: the hot loop of a run, on plain memory, without allocation or Effect.
 *
 * A fragment is a pure function of (weights, environment state, random streams), all of which lie in the slot. That
 * is why a worker may die at any point: whoever runs the same piece of work again gets the same bits.
 */
import type { Discrete } from "../envs/Discrete.ts"
import type { EnvironmentDefinition } from "../envs/EnvironmentDefinition.ts"
import { stepFault, thrownReason } from "../envs/EnvironmentFault.ts"
import type { Kernels } from "../model/kernels/Kernels.ts"
import { Pcg64 } from "../random/Pcg64.ts"
import { environmentStream, policyStream } from "../random/streams.ts"
import { type DataPlaneLayout, envSlot } from "./dataPlaneLayout.ts"

/** What a rollout needs to know of the run. */
export interface RolloutOptions {
  /** The environment's index in the run, and its slot. */
  readonly index: number
  /** Root seed of the environments. */
  readonly seed: number
  /** Root seed of the action sampling. */
  readonly samplingSeed: number
  /** Every episode starts from the same seed, as in notebook 000. */
  readonly restartSameSeed: boolean
  /** What the policy is paid: the environment's rewards, or notebook 002's: -1 for falling, 0.01 for every other step. */
  readonly rewards: "environment" | "notebook"
  /** A fragment ends with its episode, where that comes before its last step. */
  readonly untilEpisodeEnd: boolean
}

/** What the environment did that it must not do. `undefined` is a good fragment. */
export interface RolloutFault {
  /** Step within the fragment. */
  readonly step: number
  readonly reason: string
}

/** One environment in its slot. */
export interface Rollout {
  /** Seeds the streams and resets the environment. */
  readonly initialise: () => RolloutFault | undefined
  /** Address of the slot's own copy of the weights. */
  readonly ownWeights: number
  /** Takes up the state of a committed bank. */
  readonly restore: (bank: 0 | 1) => void
  /** Copies the state into a bank. */
  readonly save: (bank: 0 | 1) => void
  /** Acts for up to `steps` steps with the weights at that address; answers how many, the fragment being in the slot. */
  readonly collect: (weights: number, steps: number) => number | RolloutFault
}

/** Sets an environment up in its slot of the data plane. `definition` must have its time limit applied. */
export const make = (
  kernels: Kernels,
  layout: DataPlaneLayout,
  definition: EnvironmentDefinition<Discrete>,
  options: RolloutOptions
): Rollout => {
  const buffer = kernels.buffer
  const slot = envSlot(buffer, layout, options.index)
  const { address, scratch } = slot
  const { state, random, sampling, observation, tally } = scratch
  const dynamics = definition.create(state)
  const stream = Pcg64.view(random)
  const inputs = layout.spec.inputs
  const firstAction = definition.actionSpace.start

  const start = (): RolloutFault | undefined => {
    try {
      dynamics.reset(stream)
      dynamics.observe(observation)
    } catch (cause) {
      return { step: 0, reason: thrownReason("its reset", cause) }
    }
    tally.fill(0)
    const reason = stepFault(observation, 0)
    return reason === undefined ? undefined : { step: 0, reason }
  }

  // What the environment said of its last step; kept here so that a step allocates nothing.
  let reward = 0
  let terminated = false
  let truncated = false
  /** Steps the environment; answers what is wrong with what it did. Running it again would do the same: no restart. */
  const advance = (action: number): string | undefined => {
    try {
      const outcome = dynamics.step(action, stream)
      reward = outcome.reward
      terminated = outcome.terminated === true
      truncated = outcome.truncated === true
      dynamics.observe(observation)
    } catch (cause) {
      return thrownReason("its step", cause)
    }
    return stepFault(observation, reward)
  }

  const valueOfObservation = (weights: number, into: number): void =>
    kernels.forward(layout.descriptor, weights, address.observation, 1, address.workspace, address.logits, into)

  return {
    initialise: () => {
      environmentStream(options.seed, options.index, random)
      policyStream(options.samplingSeed, options.index, sampling)
      return start()
    },
    ownWeights: address.weights,
    restore: (bank) => slot.scratchBytes.set(slot.banks[bank]),
    save: (bank) => slot.banks[bank].set(slot.scratchBytes),
    collect: (weights, steps) => {
      for (let t = 0; t < steps; t++) {
        const row = t * 4
        slot.observations.set(observation, t * inputs)
        kernels.act(
          layout.descriptor,
          weights,
          address.observation,
          1,
          address.sampling,
          0,
          address.workspace,
          address.logits,
          address.values + row,
          address.actions + row,
          address.logProbabilities + row
        )
        if (t > 0 && slot.episodeLengths[t - 1] === 0) slot.nextValues[t - 1] = slot.values[t]!
        const reason = advance(firstAction + slot.actions[t]!)
        if (reason !== undefined) return { step: t, reason }
        slot.rewards[t] = options.rewards === "notebook" ? (terminated ? -1 : 0.01) : reward
        slot.terminated[t] = terminated ? 1 : 0
        slot.truncated[t] = truncated ? 1 : 0
        tally[0] = tally[0]! + reward
        tally[1] = tally[1]! + 1
        const ended = terminated || truncated
        const last = t === steps - 1 || (ended && options.untilEpisodeEnd)
        if (last) slot.observations.set(observation, (t + 1) * inputs)
        if (terminated) slot.nextValues[t] = 0
        else if (ended || last) valueOfObservation(weights, address.nextValues + row)
        slot.episodeLengths[t] = ended ? tally[1]! : 0
        if (ended) {
          slot.episodeReturns[t] = tally[0]!
          // Same-step autoreset: the final observation has served its purpose above.
          if (options.restartSameSeed) environmentStream(options.seed, options.index, random)
          const fault = start()
          if (fault !== undefined) return { step: t, reason: fault.reason }
        }
        if (last) return t + 1
      }
      return steps
    }
  }
}
