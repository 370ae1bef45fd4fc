/**
 * Stepping a worker's environments with the policy: the hot loop of a run, on plain memory, without allocation or Effect.
 *
 * A fragment is a pure function of (weights, environment state, random streams), all of which lie in the slot. That
 * is why a worker may die at any point: whoever runs the same piece of work again gets the same bits.
 */
import { maskJudge, masksOf } from "../../envs/actionMask.ts"
import type { EnvironmentDefinition } from "../../envs/EnvironmentDefinition.ts"
import { Worlds } from "../../envs/Worlds.ts"
import type { ActJob } from "../../model/kernels/jobs.ts"
import type { Kernels } from "../../model/kernels/Kernels.ts"
import { distributionOf } from "../../model/policy/DistributionSpec.ts"
import { environmentStream, policyStream } from "../../random/streams.ts"
import { actionsOf, type PlayedAction } from "./actions.ts"
import { bankOf, type DataPlaneLayout, type EnvSlot, envSlot, workerAddresses } from "./dataPlaneLayout.ts"
import { normalizerOf } from "./Normalizer.ts"
import type { Trail } from "./Trail.ts"

/** What a rollout needs to know of the run. */
export interface RolloutOptions {
  /** The region the worker computes in. */
  readonly worker: number
  /** Its first environment's slot, and how many it has, next to each other. */
  readonly first: number
  readonly count: number
  /** Which environment of the run its first one is: that decides their random streams. */
  readonly environment: number
  /** Root seed of the environments. */
  readonly seed: number
  /** Root seed of the action sampling. */
  readonly samplingSeed: number
  /** Every episode starts from the same seed, as in notebook 000. */
  readonly restartSameSeed: boolean
  /** What the policy is paid: the environment's rewards, or notebook 002's: -1 for falling, 0.01 for every other step. */
  readonly rewards: "environment" | "notebook"
  /** Discount of the returns by which rewards are normalized, where they are. */
  readonly gamma: number
  /** A fragment ends with its episode, where that comes before its last step. For a worker with one environment. */
  readonly untilEpisodeEnd: boolean
}

/** What an environment did that it must not do. */
export interface RolloutFault {
  /** Which environment of the run. */
  readonly environment: number
  /** Step of its life, the one that went wrong: 1, 2, ...; with what a reset did, the last one before; 0 for none. */
  readonly step: number
  readonly reason: string
}

/** The environments of one worker in their slots. */
export interface Rollout {
  /** From now on it is asked for its environments `from`, ..., `to` - 1 alone; at first for all. */
  readonly take: (from: number, to: number) => void
  /** Address of the first slot's own copy of the weights. */
  readonly ownWeights: number
  /** Seeds the streams and resets the environments: the state before the first piece of work. */
  readonly initialize: (trail?: Trail) => RolloutFault | undefined
  /** Takes up the state that piece of work `round` left. */
  readonly restore: (round: number) => void
  /** Leaves the state as that after piece of work `round`. */
  readonly save: (round: number) => void
  /** Acts for up to `steps` steps with the weights at that address; answers how many, the fragments being in the slots. */
  readonly collect: (weights: number, steps: number, trail?: Trail) => number | RolloutFault
}

/** One of its environments. */
interface Resident {
  readonly slot: EnvSlot
  readonly live: EnvSlot["live"]
  readonly address: EnvSlot["address"]
  readonly environment: number
  /** What the policy sees: the present observation, or the place where it lies normalized; and its address. */
  readonly seen: Float32Array
  readonly seenAt: number
}

/** Stands for environments that cannot be made: whoever asks them for work hears why. */
const unfit = (fault: RolloutFault): Rollout => ({
  ownWeights: 0,
  take: () => {},
  initialize: () => fault,
  restore: () => {},
  save: () => {},
  collect: () => fault
})

/** Sets environments up in their slots of the data plane. `definition` must have its time limit applied. */
export const make = (
  kernels: Kernels,
  layout: DataPlaneLayout,
  definition: EnvironmentDefinition,
  options: RolloutOptions
): Rollout => {
  const { count, restartSameSeed } = options
  const inputs = layout.spec.inputs
  const notebookRewards = options.rewards === "notebook"
  const { workspace } = workerAddresses(layout, options.worker)

  const { spec } = layout
  const known = actionsOf(definition.actionSpace)
  if (
    (spec.masks !== 0 && spec.masks !== masksOf(definition)) ||
    definition.stateSize !== spec.stateSize || definition.observationSpace.size !== spec.inputs ||
    known === undefined || distributionOf(known.distribution).outputs !== spec.actions
  ) {
    const reason = "its module gives another environment here than in the trainer's thread, with other sizes"
    return unfit({ environment: options.environment, step: 0, reason })
  }
  const residents = Array.from({ length: count }, (_, i): Resident => {
    const slot = envSlot(kernels.buffer, layout, options.first + i)
    const { address, live } = slot
    return {
      slot,
      live,
      address,
      environment: options.environment + i,
      ...(address.seen === 0
        ? { seen: live.observation, seenAt: address.observation }
        : { seen: slot.seen, seenAt: address.seen })
    }
  })
  const normalizer = normalizerOf(kernels.buffer, layout, residents.map(({ slot }) => slot), options.gamma)
  /** Those that are asked for, as indices, and the first of them. */
  let from = 0
  let to = count
  let first = residents[0]!
  const worlds = Worlds.make(definition, residents.map(({ live }) => live))
  if (!(worlds instanceof Worlds)) {
    return unfit({ environment: options.environment + worlds.world, step: 0, reason: worlds.reason })
  }
  const { rewards, terminated, truncated } = worlds
  const readers = residents.map(known.reader)
  const { actionWidth } = spec
  const remembers = spec.memory > 0
  // Integers have an array of their own; of anything else each environment's reader keeps the numbers.
  const actions: { [world: number]: PlayedAction; readonly length: number } = definition.actionSpace._tag === "Discrete"
    ? new Int32Array(count)
    : Array.from({ length: count }, () => 0)

  const start = (i: number): string | undefined => {
    const { discounted, memory, tally } = residents[i]!.live
    tally[0] = 0
    tally[1] = 0
    discounted.fill(0)
    memory.fill(0)
    return worlds.reset(i)?.reason
  }

  /** Writes V of the present observations of `rows` environments, for the first of them at address `into`. */
  const valuesOfObservations = ({ address, seenAt }: Resident, rows: number, weights: number, into: number): void =>
    kernels.valuesMany(layout.descriptor, weights, rows, layout.slotBytes, seenAt, workspace, into, address.memory)

  /** Acting for all environments, at the step that `act` says. */
  const job: ActJob = {
    policy: layout.descriptor,
    parameters: 0,
    workspace,
    rows: count,
    stride: layout.slotBytes,
    observations: first.seenAt,
    streams: first.address.sampling,
    states: first.address.memory,
    masks: 0,
    outputs: 0,
    values: 0,
    actions: 0,
    logProbabilities: 0,
    kept: 0
  }

  const mask = new Uint8Array(spec.masks)
  const judge = maskJudge(definition.actionSpace)
  /** Writes which actions are legal at step `t`. Answers what is wrong. */
  const maskActions = (t: number): RolloutFault | undefined => {
    for (let i = from; i < to; i++) {
      const wrong = worlds.mask(i, mask, judge)
      if (wrong !== undefined) return fault(residents[i]!, wrong.reason)
      const { masks } = residents[i]!.slot
      for (let k = 0; k < mask.length; k++) masks[t * mask.length + k] = mask[k]!
    }
    return undefined
  }

  /** Chooses the actions of step `t` of all environments. */
  const act = (weights: number, t: number): void => {
    for (let i = from; i < to; i++) {
      const { live, seen, slot } = residents[i]!
      normalizer?.seeAndCount(slot)
      const { observations, starts } = slot
      for (let k = 0; k < inputs; k++) observations[t * inputs + k] = seen[k]!
      if (remembers) starts[t] = live.tally[1] === 0 ? 1 : 0
    }
    const { address } = first
    job.parameters = weights
    if (address.activations !== 0) job.kept = address.activations + t * layout.spec.activationBytes
    if (address.masks !== 0) job.masks = address.masks + t * spec.masks
    job.outputs = address.logits + t * layout.spec.actions * 4
    job.values = address.values + t * 4
    job.actions = address.actions + t * actionWidth * 4
    job.logProbabilities = address.logProbabilities + t * 4
    kernels.act(job)
  }

  /** Takes step `t` of all environments, their actions chosen. Answers what is wrong. */
  const step = (t: number, trail: Trail | undefined): RolloutFault | undefined => {
    for (let i = from; i < to; i++) actions[i] = readers[i]!(residents[i]!.slot.taken, t * actionWidth)
    const wrong = trail === undefined ? worlds.step(actions, from, to) : worlds.stepEach(actions, from, to, (i) => {
      const { environment, live } = residents[i]!
      trail.mark(environment, live.tally[2]! + 1)
    })
    // Running it again would do the same: what is wrong here is no reason for a restart.
    if (wrong !== undefined) {
      const { environment, live } = residents[wrong.world]!
      return { environment, step: live.tally[2]! + 1, reason: wrong.reason }
    }
    for (let i = from; i < to; i++) {
      const { live: { tally }, slot } = residents[i]!
      if (t > 0 && slot.episodeLengths[t - 1] === 0) slot.nextValues[t - 1] = slot.values[t]!
      const earned = notebookRewards ? (terminated[i] === 1 ? -1 : 0.01) : rewards[i]!
      slot.rewards[t] = normalizer === undefined ? earned : normalizer.pay(slot, earned)
      slot.terminated[t] = terminated[i]!
      slot.truncated[t] = truncated[i]!
      tally[0] = tally[0]! + rewards[i]!
      tally[1] = tally[1]! + 1
      tally[2] = tally[2]! + 1
      slot.episodeLengths[t] = terminated[i] === 1 || truncated[i] === 1 ? tally[1]! : 0
    }
    return undefined
  }

  /** Resets an environment whose episode ended at step `t`: in the same step, its final observation being valued. */
  const reset = (i: number, t: number): string | undefined => {
    const { environment, live: { random, tally }, slot } = residents[i]!
    slot.episodeReturns[t] = tally[0]!
    if (restartSameSeed) environmentStream(options.seed, environment, random)
    return start(i)
  }

  const fault = ({ environment, live }: Resident, reason: string): RolloutFault => ({
    environment,
    step: live.tally[2]!,
    reason
  })

  return {
    ownWeights: first.address.weights,
    take: (begin, end) => {
      from = begin
      to = end
      first = residents[from]!
      job.rows = to - from
      job.observations = first.seenAt
      job.streams = first.address.sampling
      job.states = first.address.memory
    },
    initialize: (trail) => {
      for (let i = from; i < to; i++) {
        const resident = residents[i]!
        const { environment, live } = resident
        trail?.mark(environment, 0)
        environmentStream(options.seed, environment, live.random)
        policyStream(options.samplingSeed, environment, live.sampling)
        live.tally[2] = 0
        // What no reset writes begins anew with the run, and with a first piece of work that is begun again.
        if (definition.outlivesEpisodes === true) live.state.fill(0)
        const reason = start(i)
        if (reason !== undefined) return fault(resident, reason)
      }
      return undefined
    },
    restore: (round) => {
      for (let i = from; i < to; i++) {
        const { banks, liveBytes } = residents[i]!.slot
        liveBytes.set(banks[bankOf(round)])
      }
    },
    save: (round) => {
      for (let i = from; i < to; i++) {
        const { banks, liveBytes } = residents[i]!.slot
        banks[bankOf(round)].set(liveBytes)
      }
    },
    collect: (weights, steps, trail) => {
      normalizer?.begin(weights, from, to)
      if (remembers) {
        for (let i = from; i < to; i++) {
          const { live, slot } = residents[i]!
          slot.memoryBefore.set(live.memory)
        }
      }
      for (let t = 0; t < steps; t++) {
        const unmasked = mask.length > 0 ? maskActions(t) : undefined
        if (unmasked !== undefined) return unmasked
        act(weights, t)
        let last = t === steps - 1
        const wrong = step(t, trail)
        if (wrong !== undefined) return wrong
        for (let i = from; i < to; i++) {
          const resident = residents[i]!
          const { address, slot } = resident
          if (slot.episodeLengths[t] === 0) continue
          last ||= options.untilEpisodeEnd
          if (slot.terminated[t] === 1) slot.nextValues[t] = 0
          else if (!last) {
            normalizer?.see(slot)
            valuesOfObservations(resident, 1, weights, address.nextValues + t * 4)
          }
        }
        if (last) {
          if (normalizer !== undefined) { for (let i = from; i < to; i++) normalizer.see(residents[i]!.slot) }
          valuesOfObservations(first, to - from, weights, first.address.nextValues + t * 4)
        }
        for (let i = from; i < to; i++) {
          const resident = residents[i]!
          const { seen, slot } = resident
          if (last) {
            for (let k = 0; k < inputs; k++) slot.observations[(t + 1) * inputs + k] = seen[k]!
            if (slot.terminated[t] === 1) slot.nextValues[t] = 0
          }
          if (slot.episodeLengths[t] === 0) continue
          const reason = reset(i, t)
          if (reason !== undefined) return fault(resident, reason)
        }
        if (last) {
          normalizer?.end(from, to)
          return t + 1
        }
      }
      return steps
    }
  }
}
