/**
 * The random streams of a run. All come from one root seed, each named by its role and index: environment i, policy
 * sampling of environment i, initial weights, evaluation episode i. No stream depends on which worker draws from it or
 * when, so the layout of a run cannot change a number.
 */
import { Pcg64 } from "./Pcg64.ts"
import { SeedSequence } from "./SeedSequence.ts"

/** First number of the spawn key: which role a stream has. Changing one changes every recorded run. */
const role = {
  policy: 1,
  initialWeights: 2,
  evaluation: 3,
  workerWeights: 4,
  schedule: 5,
  chaos: 6,
  evaluationPolicy: 7,
  minibatch: 8,
  sequences: 9
} as const

const spawned = (seed: number | bigint, spawnKey: ReadonlyArray<number>, into?: Uint32Array): Pcg64 =>
  Pcg64.fromSeed(new SeedSequence(seed, { spawnKey }), into)

/** Samples the actions of environment `index`. */
export const policyStream = (seed: number | bigint, index: number, into?: Uint32Array): Pcg64 =>
  spawned(seed, [role.policy, index], into)

/** Draws the initial weights. */
export const initialWeightsStream = (seed: number | bigint, into?: Uint32Array): Pcg64 =>
  spawned(seed, [role.initialWeights], into)

/** Episode `index` of an evaluation. */
export const evaluationStream = (seed: number | bigint, index: number, into?: Uint32Array): Pcg64 =>
  spawned(seed, [role.evaluation, index], into)

/** Environment `index`, seeded `seed + index` as Gymnasium's vector environments seed theirs; it goes on over resets. */
export const environmentStream = (seed: number | bigint, index: number, into?: Uint32Array): Pcg64 =>
  Pcg64.fromSeed(BigInt(seed) + BigInt(index), into)

/** First weights of a worker that has its own. */
export const workerWeightsStream = (seed: number | bigint, index: number): Pcg64 =>
  spawned(seed, [role.workerWeights, index])

/** Whose turn it is in an asynchronous run that does not go by the clock. */
export const scheduleStream = (seed: number | bigint): Pcg64 => spawned(seed, [role.schedule])

/** Which worker is killed when. */
export const chaosStream = (seed: number | bigint): Pcg64 => spawned(seed, [role.chaos])

/** Samples the actions of evaluation episode `index`, where they are sampled. */
export const evaluationPolicyStream = (seed: number | bigint, index: number, into?: Uint32Array): Pcg64 =>
  spawned(seed, [role.evaluationPolicy, index], into)

/** The order of whole fragments in the minibatches of the experience before which `consumed` steps were consumed. */
export const sequencesStream = (seed: number | bigint, consumed: number): Pcg64 =>
  spawned(seed, [role.sequences, Math.floor(consumed / 4294967296), consumed % 4294967296])

/** The order of the rows of unit `unit` in the minibatches of the experience before which `consumed` steps were consumed. */
export const minibatchStream = (seed: number | bigint, unit: number, consumed: number): Pcg64 =>
  spawned(seed, [role.minibatch, unit, Math.floor(consumed / 4294967296), consumed % 4294967296])
