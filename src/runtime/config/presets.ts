/**
 * Named settings. `a2c` is the default: the synchronous system of notebook 000 with its mistakes put right and tuned
 * for CartPole; `a3c` the asynchronous one of notebook 002; `impala` and `ppo` those algorithms, tuned for CartPole too,
 * `recurrent-ppo` with a policy that remembers, tuned for CartPole without velocities.
 * `notebook-ray` and `notebook-a3c` are those notebooks as they were written, each of their quirks a setting of its own, so
 * that any one of them can be put right alone (`docs/notebooks.md`).
 */
import type { AlgorithmName } from "./algorithmNames.ts"
import type { RunConfig } from "./RunConfig.ts"

const a2c: Omit<RunConfig, "workers"> = {
  envId: "CartPole-v1",
  wrap: [],
  preset: "a2c",
  algo: "a2c",
  schedule: "sync",
  ship: "auto",
  seed: 1,
  nEnvs: 10,
  envsPerWorker: "auto",
  placement: "auto",
  runners: "none",
  runnerSecretFile: "none",
  runnerCa: "none",
  runnerLease: 2,
  runnerDeadline: 60,
  workerMemory: 0,
  localWorker: "auto",
  device: "cpu",
  totalTimesteps: 500_000,
  totalEpisodes: 0,
  episodeLimit: 0,
  keepGoing: false,
  nSteps: 5,
  maxStaleness: "none",
  whenStale: "wait",
  network: "separate",
  hidden: [64],
  activation: "tanh",
  init: "pytorch",
  logStdInit: 0,
  initFrom: "none",
  optimizer: "rmsprop",
  lr: 0.008,
  lrSchedule: "constant",
  lrFinal: 0,
  lrDecaySteps: 500_000,
  rmspropAlpha: 0.99,
  adamBeta1: 0.9,
  adamBeta2: 0.999,
  optimizerEps: 1e-5,
  rmspropEps: "outside",
  loss: "a2c",
  detachBootstrap: true,
  gamma: 0.98,
  gaeLambda: 1,
  returns: "gae",
  normalizeAdvantage: false,
  actionMasks: true,
  normalizeObservations: false,
  normalizeRewards: false,
  entCoef: 0.01,
  vfCoef: 0.5,
  maxGradNorm: 0.5,
  nEpochs: 1,
  batchSize: 50,
  clipRange: 0.2,
  clipRangeVf: "none",
  clipSchedule: "constant",
  entSchedule: "constant",
  targetKl: "none",
  clipRhoThreshold: 1,
  clipCThreshold: 1,
  evalEpisodes: 100,
  maxRestarts: "auto",
  loadDeadline: 20,
  collectDeadline: 60,
  chaos: 0,
  restartSameSeed: false,
  normalizeReturns: false,
  bootstrapTruncated: true,
  dropLastStep: false,
  syncCritic: true,
  rewards: "environment",
  evaluation: "solved",
  samplingSeed: "seed",
  logDir: "runs",
  runFolder: true,
  logInterval: 20,
  checkpointInterval: 500,
  keepCheckpoints: 3
}

const a3c: Omit<RunConfig, "workers"> = {
  ...a2c,
  preset: "a3c",
  algo: "a3c",
  schedule: "async",
  ship: "gradients",
  nSteps: 20,
  optimizer: "adam",
  lr: 0.008,
  lrSchedule: "linear",
  lrFinal: 0.0009,
  lrDecaySteps: 100_000,
  entCoef: 0.001,
  vfCoef: 0.1,
  maxGradNorm: 5
}

const impala: Omit<RunConfig, "workers"> = {
  ...a3c,
  preset: "impala",
  algo: "impala",
  ship: "experience",
  optimizer: "rmsprop",
  lr: 0.004,
  lrSchedule: "constant",
  entCoef: 0.01
}

const ppo: Omit<RunConfig, "workers"> = {
  ...a2c,
  preset: "ppo",
  algo: "ppo",
  nSteps: 20,
  nEpochs: 8,
  optimizer: "adam",
  lr: 0.006,
  gaeLambda: 0.95,
  normalizeAdvantage: true,
  entCoef: 0,
  vfCoef: 0.25
}

const recurrentPpo: Omit<RunConfig, "workers"> = {
  ...ppo,
  preset: "recurrent-ppo",
  network: "gru",
  hidden: [64, 32],
  init: "orthogonal",
  nSteps: 64,
  batchSize: 128,
  nEpochs: 6,
  lr: 0.002,
  vfCoef: 0.1,
  normalizeRewards: true
}

/** The preset whose settings an algorithm usually has; with a policy that remembers PPO has others. */
export const usualPreset = (
  algorithm: AlgorithmName,
  network: RunConfig["network"] | undefined
): RunConfig["preset"] => algorithm === "ppo" && network === "gru" ? "recurrent-ppo" : algorithm

/** The settings of each preset; `workers` is left to the machine. */
export const presets: { readonly [Name in RunConfig["preset"]]: Omit<RunConfig, "workers"> } = {
  a2c,
  a3c,
  impala,
  ppo,
  "recurrent-ppo": recurrentPpo,
  "notebook-a3c": {
    ...a3c,
    preset: "notebook-a3c",
    nEnvs: 1,
    totalTimesteps: 10_000_000,
    totalEpisodes: 6000,
    episodeLimit: 300,
    nSteps: 300,
    network: "shared",
    hidden: [20],
    activation: "relu",
    lr: 0.001,
    lrSchedule: "constant",
    optimizerEps: 1e-8,
    loss: "td",
    detachBootstrap: false,
    gamma: 0.9,
    entCoef: 0,
    vfCoef: 1,
    maxGradNorm: 0,
    syncCritic: false,
    rewards: "notebook",
    evaluation: "notebook-a3c",
    samplingSeed: "random"
  },
  "notebook-ray": {
    ...a2c,
    preset: "notebook-ray",
    nSteps: 20,
    hidden: [256],
    activation: "relu",
    optimizer: "adam",
    lr: 3e-4,
    optimizerEps: 1e-8,
    gamma: 0.95,
    gaeLambda: 0.95,
    returns: "n-step",
    entCoef: 0.001,
    maxGradNorm: 0,
    restartSameSeed: true,
    normalizeReturns: true,
    bootstrapTruncated: false,
    dropLastStep: true,
    evaluation: "notebook-ray",
    samplingSeed: "random"
  }
}
