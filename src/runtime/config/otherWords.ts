/** What people call a setting who come from elsewhere: for flags and for variables of the environment. */
import { type OptionName, options } from "./RunConfig.ts"

/** The other names that a setting has as a flag. */
export const aliasesOf = (name: OptionName): ReadonlyArray<string> => {
  const option = options[name]
  return "alias" in option && option.alias !== undefined ? [option.alias] : []
}

/**
 * Flags of similar programs, and what they are here. They are said, not taken: a setting has one name, and some of
 * these mean two things.
 */
export const otherWords: Readonly<Record<string, string>> = {
  n: "--n-envs",
  envs: "--n-envs",
  "num-environments": "--n-envs",
  e: "--env-id",
  env: "--env-id",
  environment: "--env-id",
  "env-name": "--env-id",
  t: "--total-timesteps",
  steps: "--total-timesteps",
  timesteps: "--total-timesteps",
  "n-timesteps": "--total-timesteps",
  "num-timesteps": "--total-timesteps",
  "max-steps": "--total-timesteps",
  "total-steps": "--total-timesteps",
  "num-steps": "--n-steps",
  "rollout-length": "--n-steps",
  episodes: "--total-episodes",
  "n-episodes": "--total-episodes",
  "num-episodes": "--total-episodes",
  "max-episodes": "--total-episodes",
  gpu: "--device gpu",
  cuda: "--device cuda",
  cpu: "--device cpu",
  webgpu: "--device webgpu",
  w: "--workers",
  "num-workers": "--workers",
  "n-workers": "--workers",
  threads: "--workers",
  processes: "--placement process",
  algorithm: "--algo",
  a2c: "--algo a2c",
  a3c: "--algo a3c",
  impala: "--algo impala",
  ppo: "--algo ppo",
  batch: "--batch-size",
  "minibatch-size": "--batch-size",
  "clip-coef": "--clip-range",
  discount: "--gamma",
  "discount-factor": "--gamma",
  lambda: "--gae-lambda",
  epochs: "--n-epochs",
  "update-epochs": "--n-epochs",
  "entropy-coef": "--ent-coef",
  "value-coef": "--vf-coef",
  "value-loss-coef": "--vf-coef",
  "norm-obs": "--normalize-observations",
  "norm-reward": "--normalize-rewards",
  "norm-adv": "--normalize-advantage",
  masks: "--action-masks",
  "hidden-sizes": "--hidden",
  layers: "--hidden",
  s: "--seed",
  "random-seed": "--seed",
  "log-path": "--log-dir",
  logdir: "--log-dir",
  o: "--out",
  output: "--out",
  "output-dir": "--log-dir",
  load: "--resume",
  checkpoint: "--resume",
  continue: "--resume",
  q: "--quiet",
  silent: "--quiet"
}
