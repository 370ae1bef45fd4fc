/**
 * Jobs: what a kernel with many inputs is to do, as an object here and as a record at the start of its workspace there
 * (`assembly/job.ts` reads it). An address that a job leaves out is 0, which the kernels take for none.
 *
 * The objects may be kept and changed from call to call, so that the hot loops allocate nothing.
 */
import type { FragmentLossSettings, LossName, LossSettings } from "../losses/LossSettings.ts"
import { distributionOf } from "../policy/DistributionSpec.ts"
import { encoderOf } from "../policy/Encoder.ts"
import type { PolicySpec } from "../policy/PolicySpec.ts"

/** What every job says: addresses of the policy's descriptor, its parameters and a workspace, and how many rows. */
export interface Job {
  policy: number
  parameters: number
  workspace: number
  rows: number
}

/**
 * `act`: outputs and values of each row, an action sampled with the next numbers of the row's own PCG64 stream, and its
 * log-probability. Rows lie apart, such as one step of many environments, each in its own slot: every address is the first
 * row's, and the next row's is `stride` bytes on (a multiple of 16; best an odd number of 64-byte lines, or the rows crowd
 * in a few sets of the cache). A workspace of `Kernels.chunkRows` rows is enough for any number of rows.
 */
export interface ActJob extends Job {
  stride: number
  /** What each row remembers, `Encoder.stateWords` float32 numbers, which advance; of a policy that remembers nothing 0. */
  states: number
  observations: number
  /** Ten words, advanced in place. */
  streams: number
  /** uint8 [outputs], 0 where an action is not legal; 0: all are. */
  masks: number
  outputs: number
  values: number
  /** [action width], int32 or float32 */
  actions: number
  logProbabilities: number
  /** Where a row's `Kernels.activationBytes(spec)` bytes of activations stay for `gradients`; 0: nowhere. */
  kept: number
}

/**
 * Rows of a policy that remembers are consecutive steps of one environment: the addresses of what is remembered before the
 * first, `Encoder.stateWords` float32 numbers, and of uint8 [rows], 1 where an episode begins. A workspace then needs room for
 * all of the rows. Both are 0 where nothing is remembered.
 */
interface ConsecutiveJob extends Job {
  states: number
  starts: number
}

/** `evaluate`: log-probability of the action taken, entropy and value of each row. Rows lie side by side. */
export interface EvaluateJob extends ConsecutiveJob {
  observations: number
  actions: number
  masks: number
  /** These three receive the results. */
  logProbabilities: number
  entropies: number
  values: number
}

/** What a loss reads beside the network's outputs, and where sums and derivatives go. */
interface LossJob extends Job {
  /** What is minimized: `scale` times the sum over the rows. */
  loss: LossSettings | FragmentLossSettings
  scale: number
  actions: number
  masks: number
  /** Of a loss along a fragment: the rewards. */
  returns: number
  advantages: number
  /** Advantages are (A − mean) · scale before the loss sees them; null: as they are. */
  advantage: { readonly mean: number; readonly scale: number } | null
  /** Log-probabilities and values as they were when the policy acted. */
  logProbabilities: number
  behaviorValues: number
  /** In the order of the parameters; added to where `accumulate` is 1, else begun. */
  gradients: number
  accumulate: 0 | 1
  /** `Statistic.count` float64 sums (`losses/Loss.ts`), added to. */
  statistics: number
}

/**
 * `gradients`: the gradient of a loss of rows by the parameters. Rows lie side by side. A workspace of `Kernels.chunkRows`
 * rows is enough for any number of rows.
 */
export interface GradientJob extends LossJob, ConsecutiveJob {
  loss: LossSettings
  observations: number
  /**
   * What `act` kept of these rows with the same parameters: row t's activations at `kept + t * Kernels.activationStride`,
   * and its outputs and values. The same bits as where they are computed anew, which is where `kept` is 0.
   */
  kept: number
  outputs: number
  values: number
}

/**
 * `differentiate`: the derivative of a loss by outputs and values that are there, and by the free parameters, into
 * `gradients`. Of a loss along a fragment, outputs, values and their derivatives have one row more than the job.
 */
export interface DifferentiateJob extends LossJob {
  outputs: number
  values: number
  dOutputs: number
  dValues: number
  /** Whether the last step of a fragment ended its episode. */
  terminated: boolean
}

/** The kernels that take a job. */
export interface Jobs {
  readonly act: (job: ActJob) => void
  readonly evaluate: (job: EvaluateJob) => void
  readonly gradients: (job: GradientJob) => void
  readonly differentiate: (job: DifferentiateJob) => void
}

/** Rows the kernels work on at a time. */
export const chunkRows = 32

/** Bytes of a job record. */
export const jobBytes = 192

/** Numbers of a row that are gathered beside its observation and its action: the four of `LossJob`. */
const gatheredNumbers = 4

/** Bytes of a chunk of gathered rows, which have a place of their own after the job record. */
export const gatheredBytes = ({ distribution, encoder }: PolicySpec): number => {
  const { action, outputs } = distributionOf(distribution)
  return chunkRows * (4 * (encoderOf(encoder).inputs + action.width + gatheredNumbers) + Math.ceil(outputs / 16) * 16)
}

/** What the kernels know a loss by. */
const lossIds = { a2c: 0, td: 1, ppo: 2 } as const satisfies { readonly [Name in LossName]: number }

/** A loss's numbers in the order in which its kernel reads them. */
const coefficientsOf = (loss: LossSettings | FragmentLossSettings): ReadonlyArray<number> => {
  switch (loss.name) {
    case "a2c":
      return [loss.valueCoefficient, loss.entropyCoefficient]
    case "ppo":
      // A value may move as far as it likes where its bound is 0.
      return [loss.valueCoefficient, loss.entropyCoefficient, loss.clipRange, loss.valueClipRange ?? 0]
    case "td":
      return [loss.valueCoefficient, loss.entropyCoefficient, loss.gamma, loss.detachBootstrap ? 1 : 0]
  }
}

/** The words of a record, and from where on it has float64 numbers. */
const word = {
  policy: 0,
  parameters: 1,
  rows: 2,
  observations: 3,
  actions: 4,
  masks: 5,
  outputs: 6,
  values: 7,
  logProbabilities: 8,
  kept: 9,
  streams: 10,
  stride: 11,
  entropies: 12,
  advantages: 13,
  returns: 14,
  behaviorValues: 15,
  gradients: 16,
  accumulate: 17,
  statistics: 18,
  loss: 19,
  normalized: 20,
  terminated: 21,
  dOutputs: 22,
  dValues: 23,
  states: 24,
  starts: 25
} as const
const float64s = 26 / 2

/** Each job as a function of it: writes the record, and has it done. */
export const jobs = (
  buffer: SharedArrayBuffer,
  kernels: { readonly [Name in keyof Jobs]: (job: number) => void }
): Jobs => {
  const words = new Int32Array(buffer)
  const doubles = new Float64Array(buffer)

  const writeJob = (job: Job): number => {
    const at = job.workspace >>> 2
    words[at + word.policy] = job.policy
    words[at + word.parameters] = job.parameters
    words[at + word.rows] = job.rows
    return at
  }

  const writeLoss = (job: LossJob): number => {
    const at = writeJob(job)
    words[at + word.actions] = job.actions
    words[at + word.masks] = job.masks
    words[at + word.logProbabilities] = job.logProbabilities
    words[at + word.advantages] = job.advantages
    words[at + word.returns] = job.returns
    words[at + word.behaviorValues] = job.behaviorValues
    words[at + word.gradients] = job.gradients
    words[at + word.accumulate] = job.accumulate
    words[at + word.statistics] = job.statistics
    words[at + word.loss] = lossIds[job.loss.name]
    words[at + word.normalized] = job.advantage === null ? 0 : 1
    const numbers = (job.workspace >>> 3) + float64s
    doubles[numbers] = job.scale
    doubles[numbers + 1] = job.advantage?.mean ?? 0
    doubles[numbers + 2] = job.advantage?.scale ?? 1
    const coefficients = coefficientsOf(job.loss)
    for (let k = 0; k < coefficients.length; k++) doubles[numbers + 3 + k] = coefficients[k]!
    return at
  }

  return {
    act: (job) => {
      const at = writeJob(job)
      words[at + word.observations] = job.observations
      words[at + word.actions] = job.actions
      words[at + word.masks] = job.masks
      words[at + word.outputs] = job.outputs
      words[at + word.values] = job.values
      words[at + word.logProbabilities] = job.logProbabilities
      words[at + word.kept] = job.kept
      words[at + word.streams] = job.streams
      words[at + word.stride] = job.stride
      words[at + word.states] = job.states
      kernels.act(job.workspace)
    },
    evaluate: (job) => {
      const at = writeJob(job)
      words[at + word.observations] = job.observations
      words[at + word.actions] = job.actions
      words[at + word.masks] = job.masks
      words[at + word.values] = job.values
      words[at + word.logProbabilities] = job.logProbabilities
      words[at + word.entropies] = job.entropies
      words[at + word.states] = job.states
      words[at + word.starts] = job.starts
      kernels.evaluate(job.workspace)
    },
    gradients: (job) => {
      const at = writeLoss(job)
      words[at + word.observations] = job.observations
      words[at + word.kept] = job.kept
      words[at + word.outputs] = job.outputs
      words[at + word.values] = job.values
      words[at + word.states] = job.states
      words[at + word.starts] = job.starts
      kernels.gradients(job.workspace)
    },
    differentiate: (job) => {
      const at = writeLoss(job)
      words[at + word.outputs] = job.outputs
      words[at + word.values] = job.values
      words[at + word.dOutputs] = job.dOutputs
      words[at + word.dValues] = job.dValues
      words[at + word.terminated] = job.terminated ? 1 : 0
      kernels.differentiate(job.workspace)
    }
  }
}
