/**
 * Settings found for each environment and algorithm, as the RL Zoo has them for Stable-Baselines3. They are taken where
 * neither `--preset` nor anything else says otherwise: between the preset of the algorithm and what a person chose. The presets
 * themselves are tuned for CartPole, which therefore needs none. `bench/learning.ts` shows what they come to.
 */
import { splitReference } from "../../envs/options.ts"
import type { AlgorithmName } from "./algorithmNames.ts"
import type { RunConfig } from "./RunConfig.ts"

type Tuned = { readonly [Name in AlgorithmName]?: Partial<RunConfig> }

/** What PPO has in common here, beside its preset: the learning rate falls, and rewards are normalized. */
const ppo = {
  nEpochs: 4,
  lrSchedule: "linear",
  lrFinal: 1e-4,
  gamma: 0.99,
  vfCoef: 0.5,
  normalizeRewards: true
} as const satisfies Partial<RunConfig>

/** Worlds of finitely many states: a logit and a value for each state, nothing between. */
const tabularPpo = {
  ...ppo,
  nEnvs: 8,
  nSteps: 64,
  batchSize: 128,
  hidden: [],
  lr: 0.01,
  lrSchedule: "constant",
  entCoef: 0.01
} as const satisfies Partial<RunConfig>

/** By environment, without its options. */
export const zoo: Readonly<Record<string, Tuned>> = {
  "MountainCarContinuous-v0": {
    // The first actions are large ones: only with them the car comes up the hill by chance.
    ppo: {
      ...ppo,
      lrSchedule: "constant",
      nEnvs: 8,
      nSteps: 128,
      nEpochs: 10,
      batchSize: 64,
      lr: 0.001,
      gaeLambda: 0.98,
      logStdInit: 0.5,
      normalizeObservations: true
    }
  },
  "Pendulum-v1": {
    ppo: {
      ...ppo,
      nEnvs: 4,
      nSteps: 256,
      nEpochs: 10,
      batchSize: 64,
      hidden: [64, 64],
      init: "orthogonal",
      lr: 0.001,
      lrDecaySteps: 200_000,
      gamma: 0.9,
      normalizeObservations: true
    }
  },
  "Acrobot-v1": {
    ppo: {
      ...ppo,
      nEnvs: 8,
      nSteps: 128,
      batchSize: 128,
      lr: 0.002,
      lrDecaySteps: 300_000,
      normalizeObservations: true
    }
  },
  "MountainCar-v0": {
    ppo: {
      ...ppo,
      nEnvs: 16,
      nSteps: 64,
      batchSize: 256,
      lr: 0.005,
      lrDecaySteps: 500_000,
      gaeLambda: 0.98,
      normalizeObservations: true
    }
  },
  // Rewards are the odds themselves, and the last card counts as much as the first.
  "Blackjack-v1": {
    ppo: {
      ...tabularPpo,
      normalizeRewards: false,
      hidden: [64],
      lr: 0.001,
      gamma: 1,
      totalTimesteps: 200_000
    }
  },
  "FrozenLake-v1": { ppo: tabularPpo },
  "FrozenLake8x8-v1": { ppo: tabularPpo },
  // Without an end an unlucky walk along the cliff would take thousands of steps.
  "CliffWalking-v1": { ppo: { ...tabularPpo, episodeLimit: 200 } },
  "CliffWalkingSlippery-v1": { ppo: { ...tabularPpo, episodeLimit: 200 } },
  // It takes long until a passenger arrives by chance: what is paid for entropy keeps pick-ups from being given up before.
  "Taxi-v4": {
    ppo: {
      ...tabularPpo,
      totalTimesteps: 2_000_000,
      nEnvs: 16,
      nSteps: 128,
      batchSize: 512,
      lr: 0.005,
      lrSchedule: "linear",
      lrFinal: 5e-4,
      lrDecaySteps: 2_000_000,
      entCoef: 0.03,
      entSchedule: "linear"
    }
  }
}

/** Those of Gymnasium's own package, which Python steps. */
const inPython: Readonly<Record<string, Tuned>> = {
  // RL Zoo's but for larger minibatches of shorter fragments, and a learning rate that falls: solved in a third of the steps.
  "gymnasium:LunarLander-v3": {
    ppo: {
      totalTimesteps: 1_000_000,
      nEnvs: 16,
      nSteps: 256,
      nEpochs: 6,
      batchSize: 256,
      hidden: [64, 64],
      lr: 1e-3,
      lrSchedule: "linear",
      lrFinal: 1e-4,
      lrDecaySteps: 1_000_000,
      gamma: 0.999,
      gaeLambda: 0.98,
      entCoef: 0.01
    }
  }
}

/** The settings found for an environment, options or not, and an algorithm; undefined where there are none. */
export const tunedFor = (envId: string, algo: AlgorithmName): Partial<RunConfig> | undefined => {
  const { base } = splitReference(envId)
  const found = Object.hasOwn(zoo, base) ? zoo : Object.hasOwn(inPython, base) ? inPython : undefined
  return found?.[base]?.[algo]
}
