/**
 * What others publish for Gymnasium's environments, with the steps that they took: RL Zoo's table for Stable-Baselines3
 * (deterministic evaluation, one run each), and CleanRL's for its PPO (means of the last 100 training episodes). Facts, to be
 * stood beside; nothing here decides a number.
 */
import type { AlgorithmName } from "../config/algorithmNames.ts"

/** A row of a table. */
export interface PeerFigure {
  readonly who: "RL Zoo A2C" | "RL Zoo PPO" | "CleanRL PPO"
  readonly mean: number
  readonly steps: number
}

/** By environment, as it is named here. */
export const peerFigures: Readonly<Record<string, ReadonlyArray<PeerFigure>>> = {
  "CartPole-v1": [
    { who: "RL Zoo A2C", mean: 500, steps: 500_000 },
    { who: "RL Zoo PPO", mean: 500, steps: 100_000 }
  ],
  "Acrobot-v1": [
    { who: "RL Zoo A2C", mean: -83.4, steps: 500_000 },
    { who: "RL Zoo PPO", mean: -73.5, steps: 1_000_000 },
    { who: "CleanRL PPO", mean: -86.4, steps: 500_000 }
  ],
  "MountainCar-v0": [
    { who: "RL Zoo A2C", mean: -111.3, steps: 1_000_000 },
    { who: "RL Zoo PPO", mean: -110.4, steps: 1_000_000 },
    { who: "CleanRL PPO", mean: -200, steps: 500_000 }
  ],
  "MountainCarContinuous-v0": [
    { who: "RL Zoo A2C", mean: 91.2, steps: 100_000 },
    { who: "RL Zoo PPO", mean: 88.3, steps: 20_000 }
  ],
  "Pendulum-v1": [
    { who: "RL Zoo A2C", mean: -163, steps: 1_000_000 },
    { who: "RL Zoo PPO", mean: -172.2, steps: 100_000 }
  ],
  // Theirs are of LunarLander-v2.
  "gymnasium:LunarLander-v3": [
    { who: "RL Zoo A2C", mean: 155.8, steps: 200_000 },
    { who: "RL Zoo PPO", mean: 242.1, steps: 1_000_000 }
  ]
}

/** The algorithm of a row. */
export const algorithmOf = ({ who }: PeerFigure): AlgorithmName => who === "RL Zoo A2C" ? "a2c" : "ppo"
