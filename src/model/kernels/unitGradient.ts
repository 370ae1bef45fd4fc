/**
 * The gradient of a unit: of all rows of its segments in their order, or of rows that were picked from them. Picked rows
 * are gathered, a chunk at a time, into the place that every workspace has for them. Of a policy that remembers, all of a
 * segment's rows are picked or none (`selectedRows.ts`).
 */
import { distributionOf } from "../policy/DistributionSpec.ts"
import { encoderOf } from "../policy/Encoder.ts"
import type { PolicySpec } from "../policy/PolicySpec.ts"
import { chunkRows, type GradientJob, jobBytes } from "./jobs.ts"
import type { Kernels } from "./Kernels.ts"

/** Where the rows of one environment lie, side by side in each column. Addresses, 0 where there is none. */
export interface SegmentAddresses {
  rows: number
  readonly observations: number
  readonly actions: number
  readonly masks: number
  readonly advantages: number
  readonly returns: number
  /** Of behavior. */
  readonly logProbabilities: number
  /** Of behavior; those of now too, where `kept` says so. */
  readonly values: number
  /** What acting with the present parameters kept: see `GradientJob.kept`. */
  readonly kept: number
  readonly outputs: number
  /** What a policy that remembers begins from: see `ConsecutiveJob`. */
  readonly states: number
  readonly starts: number
}

/** The columns of single numbers, in the order in which they are gathered. */
const numbers = ["advantages", "returns", "logProbabilities", "values"] as const

/** Points a job at rows. */
const pointAt = (job: GradientJob, rows: Omit<SegmentAddresses, "rows">): void => {
  job.observations = rows.observations
  job.actions = rows.actions
  job.masks = rows.masks
  job.advantages = rows.advantages
  job.returns = rows.returns
  job.logProbabilities = rows.logProbabilities
  job.behaviorValues = rows.values
  job.values = rows.values
  job.kept = rows.kept
  job.outputs = rows.outputs
  job.states = rows.states
  job.starts = rows.starts
}

/**
 * Makes a function that computes a unit's gradient. `job` says everything but the rows, and is changed; `picked` are the
 * rows in the order in which they are taken, each as `segment in the unit * maxRows + row`, null: all of them.
 */
export const unitGradient = (
  kernels: Kernels,
  { distribution, encoder }: PolicySpec,
  maxRows: number
): (job: GradientJob, segments: ReadonlyArray<SegmentAddresses>, picked: Int32Array | null) => void => {
  const words = new Int32Array(kernels.buffer)
  const bytes = new Uint8Array(kernels.buffer)
  const { inputs, stateWords } = encoderOf(encoder)
  const { action: { width }, outputs } = distributionOf(distribution)

  /** Copies `count` 32-bit numbers, of whatever type. */
  const copy = (to: number, from: number, count: number): void => {
    for (let k = 0; k < count; k++) words[(to >>> 2) + k] = words[(from >>> 2) + k]!
  }

  /** Whether the rows of segment `f` are picked; `from` is how many rows were picked of those before it. */
  const isPicked = (f: number, picked: Int32Array | null, from: number): boolean =>
    picked === null || Math.floor((picked[from] ?? -1) / maxRows) === f

  return (job, segments, picked) => {
    if (picked === null || stateWords > 0) {
      let from = 0
      for (let f = 0; f < segments.length; f++) {
        const segment = segments[f]!
        const taken = isPicked(f, picked, from)
        pointAt(job, segment)
        job.rows = taken ? segment.rows : 0
        from += job.rows
        // Of no rows too: the first of all begins the gradient.
        kernels.gradients(job)
        job.accumulate = 1
      }
      return
    }
    const observations = job.workspace + jobBytes
    const actions = observations + chunkRows * inputs * 4
    const columns = actions + chunkRows * width * 4
    const column = (k: number) => columns + k * chunkRows * 4
    const masks = column(numbers.length)
    const masked = segments.some((segment) => segment.masks !== 0)
    const gathered = {
      observations,
      actions,
      masks: masked ? masks : 0,
      advantages: column(0),
      returns: column(1),
      logProbabilities: column(2),
      values: column(3),
      kept: 0,
      outputs: 0,
      states: 0,
      starts: 0
    }
    // A unit of which nothing was picked begins its gradient at 0 too.
    for (let from = 0; from === 0 || from < picked.length; from += chunkRows) {
      const rows = Math.min(chunkRows, picked.length - from)
      for (let n = 0; n < rows; n++) {
        const index = picked[from + n]!
        const segment = segments[Math.floor(index / maxRows)]!
        const row = index % maxRows
        copy(observations + n * inputs * 4, segment.observations + row * inputs * 4, inputs)
        copy(actions + n * width * 4, segment.actions + row * width * 4, width)
        for (let k = 0; k < numbers.length; k++) copy(column(k) + n * 4, segment[numbers[k]!] + row * 4, 1)
        if (masked) {
          bytes.copyWithin(masks + n * outputs, segment.masks + row * outputs, segment.masks + (row + 1) * outputs)
        }
      }
      pointAt(job, gathered)
      job.rows = rows
      kernels.gradients(job)
      job.accumulate = 1
    }
  }
}
