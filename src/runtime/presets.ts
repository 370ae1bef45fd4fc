/**
 * Named settings. `a2c` is the default: the synchronous system of the notebook with its mistakes put right and tuned
 * for CartPole. `notebook-ray` is that notebook as it was written, each of its quirks a setting of its own, so that
 * any one of them can be put right alone (`docs/notebooks.md`).
 */
import type { RunConfig } from "./RunConfig.ts"

const a2c: Omit<RunConfig, "workers"> = {
  envId: "CartPole-v1",
  preset: "a2c",
  algo: "a2c",
  seed: 1,
  nEnvs: 10,
  placement: "thread",
  device: "cpu",
  totalTimesteps: 500_000,
  keepGoing: false,
  nSteps: 5,
  network: "separate",
  hidden: [64],
  activation: "tanh",
  init: "pytorch",
  optimizer: "rmsprop",
  lr: 0.008,
  lrSchedule: "constant",
  rmspropAlpha: 0.99,
  adamBeta1: 0.9,
  adamBeta2: 0.999,
  optimizerEps: 1e-5,
  gamma: 0.98,
  gaeLambda: 1,
  returns: "gae",
  normalizeAdvantage: false,
  entCoef: 0.01,
  vfCoef: 0.5,
  maxGradNorm: 0.5,
  nEpochs: 1,
  evalEpisodes: 100,
  maxRestarts: 1000,
  chaos: 0,
  restartSameSeed: false,
  normalizeReturns: false,
  bootstrapTruncated: true,
  dropLastStep: false,
  notebookStop: false,
  samplingSeed: "seed",
  logDir: "runs",
  runFolder: true,
  logInterval: 20
}

/** The settings of each preset; `workers` is left to the machine. */
export const presets: { readonly [Name in RunConfig["preset"]]: Omit<RunConfig, "workers"> } = {
  a2c,
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
    notebookStop: true,
    samplingSeed: "random"
  }
}
