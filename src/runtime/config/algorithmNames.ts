/** The algorithms there are. `algorithms/` has them; `algorithmSettings.ts` says which settings each has. */
export const algorithmNames = ["a2c", "a3c", "impala", "ppo"] as const
export type AlgorithmName = typeof algorithmNames[number]
