/**
 * Jobs that are looked at before they are done, for tests: the kernels believe every address they are given. Each must be
 * aligned and lie within the memory with all that it stands for, and nothing that a job writes may overlap anything else
 * of it. What a policy's parts take is read from its descriptor.
 */
import type { ActJob, DifferentiateJob, EvaluateJob, GradientJob, Job, Jobs } from "./jobs.ts"
import { chunkRows } from "./jobs.ts"

/** Bytes of the ten words of a PCG64 stream, and of the sums of a loss. */
const streamBytes = 40
const statisticBytes = 128

/** Part of the memory that a job reads or writes. */
interface Region {
  readonly name: string
  readonly at: number
  /** Of one row, where rows lie apart. */
  readonly bytes: number
  readonly written: boolean
  readonly align?: 1 | 4 | 8
}

/** What a descriptor says of its policy, in bytes of a row or of all of it. */
const sizesAt = (words: Int32Array, policy: number) => {
  const word = (k: number) => words[(policy >>> 2) + k]!
  const [towers, inputs, outputs, depth] = [word(1), word(2), word(3), word(5)]
  const [distribution, parts, free, prelude, memory] = [word(6), word(7), word(8), word(9), word(10)]
  const hidden = Array.from({ length: depth }, (_, layer) => word(11 + layer))
  const copies = towers === 0 ? 2 : 1
  const layers = hidden.reduce(
    (sum, width, layer) => sum + ((layer === 0 ? inputs : hidden[layer - 1]!) + 1) * width,
    0
  )
  const last = hidden.at(-1) ?? inputs
  const features = memory > 0 ? memory : last
  const cell = memory > 0 ? 3 * memory * (last + 1 + memory + 1) : 0
  const odd = (bytes: number) => (Math.ceil(bytes / 64) | 1) * 64
  const padded = (width: number) => Math.ceil(width / 4) * 16
  const activations = copies * hidden.reduce((bytes, width) => bytes + padded(width), 0) +
    2 * padded(3 * memory) + 3 * padded(memory)
  const scratchRows = (rows: number) => Math.ceil(Math.min(rows, chunkRows) / 4) * 4
  return {
    /** Bytes of a workspace that belong to the record and to gathered rows: a column that stands there is no overlap. */
    prelude,
    policy: 4 * (11 + depth + parts),
    parameters: 4 * (copies * layers + cell + (features + 1) * (outputs + 1) + free),
    memory: 4 * memory,
    observation: 4 * inputs,
    output: 4 * outputs,
    action: 4 * (distribution === 0 ? parts : outputs),
    mask: outputs,
    kept: activations,
    keptStride: odd(activations),
    workspace: (rows: number) =>
      prelude +
      scratchRows(rows) * (4 * (2 * outputs + 7 + parts) + 2 * odd(4 * Math.max(0, ...hidden, 3 * memory))) +
      Math.min(rows, chunkRows) * odd(activations),
    /** The same where rows are consecutive steps of a policy that remembers: room for all of them. */
    consecutive: (rows: number) => memory > 0 ? Math.max(0, rows - chunkRows) * odd(activations) : 0
  }
}
type Sizes = ReturnType<typeof sizesAt>

/** Whether a region's address stands for anything: what may be left out is 0. */
const present = ({ at }: Region): boolean => at !== 0

const check = (job: string, memory: number, regions: ReadonlyArray<Region>, rows = 1, stride = 0): void => {
  const refuse = (why: string): never => {
    throw new RangeError(`the kernel "${job}" is given ${why}`)
  }
  const known = regions.filter(present)
  for (const { align = 4, at, bytes, name } of known) {
    if (!Number.isInteger(at) || at % align !== 0) refuse(`${name} at ${at}, which is not a multiple of ${align}`)
    const end = at + Math.max(0, rows - 1) * stride + bytes
    if (at < 0 || end > memory) refuse(`${name} at ${at}, which ends beyond the memory's ${memory} bytes`)
    if (rows > 1 && stride > 0 && bytes > stride) refuse(`${name} of ${bytes} bytes a row, ${stride} bytes apart`)
  }
  for (const [k, one] of known.entries()) {
    for (const other of known.slice(k + 1)) {
      if (!one.written && !other.written) continue
      if (one.at < other.at + other.bytes && other.at < one.at + one.bytes) {
        refuse(`${one.name} and ${other.name}, which overlap at ${Math.max(one.at, other.at)}`)
      }
    }
  }
}

const required = (job: string, named: Readonly<Record<string, number>>): void => {
  for (const [name, at] of Object.entries(named)) {
    if (at === 0) throw new RangeError(`the kernel "${job}" is given no ${name}`)
  }
}

/** The regions that all jobs have; `more` is what a workspace needs beside its usual size. */
const common = ({ parameters, policy, rows, workspace }: Job, sizes: Sizes, more = 0): ReadonlyArray<Region> => [
  { name: "policy", at: policy, bytes: sizes.policy, written: false },
  { name: "parameters", at: parameters, bytes: sizes.parameters, written: false },
  { name: "workspace", at: workspace, bytes: sizes.workspace(rows) + more, written: true, align: 8 }
]

/** What consecutive rows of a policy that remembers begin from. */
const remembered = (
  job: string,
  { rows, starts, states }: EvaluateJob | GradientJob,
  sizes: Sizes
): ReadonlyArray<Region> => {
  if (sizes.memory > 0 && rows > 0) required(job, { states })
  return [
    { name: "states", at: states, bytes: sizes.memory, written: false },
    { name: "starts", at: starts, bytes: rows, written: false, align: 1 }
  ]
}

/** Regions of what a loss reads and writes, `rows` rows side by side. */
const ofLoss = (job: GradientJob | DifferentiateJob, sizes: Sizes): ReadonlyArray<Region> => {
  const { rows } = job
  return [
    { name: "actions", at: job.actions, bytes: rows * sizes.action, written: false },
    { name: "masks", at: job.masks, bytes: rows * sizes.mask, written: false, align: 1 },
    { name: "returns", at: job.returns, bytes: rows * 4, written: false },
    { name: "advantages", at: job.advantages, bytes: rows * 4, written: false },
    { name: "log-probabilities", at: job.logProbabilities, bytes: rows * 4, written: false },
    { name: "behavior's values", at: job.behaviorValues, bytes: rows * 4, written: false },
    { name: "gradients", at: job.gradients, bytes: sizes.parameters, written: true },
    { name: "statistics", at: job.statistics, bytes: statisticBytes, written: true, align: 8 }
  ]
}

/** The same jobs, each looked at first: a `RangeError` says what is wrong with it. */
export const checkedJobs = (buffer: SharedArrayBuffer, jobs: Jobs): Jobs => {
  const words = new Int32Array(buffer)
  const memory = buffer.byteLength
  /** The sizes of a job's policy; an address that is none has none. */
  const sizesOf = (name: string, { parameters, policy, workspace }: Job): Sizes => {
    required(name, { policy, workspace, parameters })
    check(name, memory, [{ name: "policy", at: policy, bytes: 44, written: false }])
    return sizesAt(words, policy)
  }
  return {
    act: (job: ActJob) => {
      const sizes = sizesOf("act", job)
      const { rows, stride } = job
      const { actions, logProbabilities, observations, outputs, streams, values } = job
      required("act", { observations, streams, outputs, values, actions, logProbabilities })
      if (sizes.memory > 0) required("act", { states: job.states })
      check("act", memory, common(job, sizes))
      check(
        "act",
        memory,
        [
          { name: "observations", at: observations, bytes: sizes.observation, written: false },
          { name: "streams", at: streams, bytes: streamBytes, written: true, align: 8 },
          { name: "states", at: job.states, bytes: sizes.memory, written: true },
          { name: "masks", at: job.masks, bytes: sizes.mask, written: false, align: 1 },
          { name: "outputs", at: outputs, bytes: sizes.output, written: true },
          { name: "values", at: values, bytes: 4, written: true },
          { name: "actions", at: actions, bytes: sizes.action, written: true },
          { name: "log-probabilities", at: logProbabilities, bytes: 4, written: true },
          { name: "kept activations", at: job.kept, bytes: sizes.kept, written: true }
        ],
        rows,
        stride
      )
      jobs.act(job)
    },
    evaluate: (job: EvaluateJob) => {
      const sizes = sizesOf("evaluate", job)
      const { actions, entropies, logProbabilities, observations, rows, values } = job
      required("evaluate", { observations, actions, logProbabilities, entropies, values })
      check("evaluate", memory, [
        ...common(job, sizes, sizes.consecutive(rows)),
        ...remembered("evaluate", job, sizes),
        { name: "observations", at: observations, bytes: rows * sizes.observation, written: false },
        { name: "actions", at: actions, bytes: rows * sizes.action, written: false },
        { name: "masks", at: job.masks, bytes: rows * sizes.mask, written: false, align: 1 },
        { name: "log-probabilities", at: logProbabilities, bytes: rows * 4, written: true },
        { name: "entropies", at: entropies, bytes: rows * 4, written: true },
        { name: "values", at: values, bytes: rows * 4, written: true }
      ])
      jobs.evaluate(job)
    },
    gradients: (job: GradientJob) => {
      const sizes = sizesOf("gradients", job)
      const { actions, advantages, gradients, observations, returns, rows, statistics } = job
      required("gradients", { gradients, statistics })
      if (rows > 0) required("gradients", { observations, actions, advantages, returns })
      if (rows > 0 && job.loss.name === "ppo") {
        const { behaviorValues, logProbabilities } = job
        required("gradients", { logProbabilities, behaviorValues })
      }
      // Acting left values that are behavior's and those of now at once: they are read only.
      const kept: ReadonlyArray<Region> = job.kept === 0 ? [] : [
        { name: "kept activations", at: job.kept, bytes: rows * sizes.keptStride, written: false },
        { name: "outputs", at: job.outputs, bytes: rows * sizes.output, written: false },
        { name: "values", at: job.values, bytes: rows * 4, written: false }
      ]
      check(
        "gradients",
        memory,
        [
          ...common(job, sizes, sizes.consecutive(rows)),
          ...remembered("gradients", job, sizes),
          { name: "observations", at: observations, bytes: rows * sizes.observation, written: false },
          ...ofLoss(job, sizes),
          ...kept
        ].filter(({ at, name }) => name === "workspace" || at < job.workspace || at >= job.workspace + sizes.prelude)
      )
      jobs.gradients(job)
    },
    differentiate: (job: DifferentiateJob) => {
      const sizes = sizesOf("differentiate", job)
      // One row more, the observation that followed a fragment.
      const rows = job.rows + (job.loss.name === "td" ? 1 : 0)
      const { actions, dOutputs, dValues, gradients, outputs, returns, statistics, values } = job
      required("differentiate", { actions, dOutputs, dValues, gradients, outputs, returns, statistics, values })
      check("differentiate", memory, [
        ...common(job, sizes),
        ...ofLoss(job, sizes),
        { name: "outputs", at: outputs, bytes: rows * sizes.output, written: false },
        { name: "values", at: values, bytes: rows * 4, written: false },
        { name: "derivatives by the outputs", at: dOutputs, bytes: rows * sizes.output, written: true },
        { name: "derivatives by the values", at: dValues, bytes: rows * 4, written: true }
      ])
      jobs.differentiate(job)
    }
  }
}
