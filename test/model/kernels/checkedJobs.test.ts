/** Jobs with an address that is wrong are refused by name, in the tests' kernels, before anything is computed. */
import { assert, describe, it } from "@effect/vitest"
import type { GradientJob } from "../../../src/model/kernels/jobs.ts"
import { blank, makeBed } from "./bed.ts"

const sizes = { towers: "separate", inputs: 4, actions: 2, hidden: [8], activation: "tanh" } as const
const parameters = 2 * (5 * 8) + 9 * 3

const setUp = () => {
  const bed = makeBed(100_000)
  const rows = 40
  const job: GradientJob = {
    ...blank,
    policy: bed.network(sizes),
    parameters: bed.floats(parameters).at,
    workspace: bed.workspace(sizes, 32),
    rows,
    loss: { name: "a2c", valueCoefficient: 0.5, entropyCoefficient: 0 },
    observations: bed.floats(rows * 4).at,
    actions: bed.ints(rows).at,
    advantages: bed.floats(rows).at,
    returns: bed.floats(rows).at,
    gradients: bed.floats(parameters).at,
    statistics: bed.statistics().at
  }
  return { ...bed, job }
}

describe("jobs that are looked at", () => {
  const { arena, job, kernels } = setUp()
  const refused = (wrong: Partial<GradientJob>, why: RegExp) => {
    assert.throws(() => kernels.gradients({ ...job, ...wrong }), why)
  }

  it("are done where all is well", () => kernels.gradients(job))

  it("are refused with what is not aligned", () => {
    refused({ returns: job.returns + 2 }, /"gradients" is given returns at \d+, which is not a multiple of 4/)
    refused({ statistics: job.statistics + 4 }, /statistics at \d+, which is not a multiple of 8/)
    refused({ observations: job.observations + 0.5 }, /observations at .* not a multiple of 4/)
  })

  it("are refused with what is missing", () => {
    refused({ policy: 0 }, /is given no policy/)
    refused({ actions: 0 }, /is given no actions/)
    refused(
      { loss: { name: "ppo", clipRange: 0.2, valueClipRange: null, valueCoefficient: 1, entropyCoefficient: 0 } },
      /is given no logProbabilities/
    )
  })

  it("are refused with what ends beyond the memory", () => {
    refused({ returns: arena.buffer.byteLength - 8 }, /returns at \d+, which ends beyond the memory/)
    refused({ rows: 1_000_000 }, /which ends beyond the memory/)
  })

  it("are refused with what is written over something else", () => {
    refused({ gradients: job.parameters }, /parameters and gradients, which overlap/)
    refused({ gradients: job.returns - 16 }, /gradients.*overlap/)
    refused({ statistics: job.observations }, /observations and statistics, which overlap/)
    refused({ workspace: job.gradients - 64 }, /workspace.*overlap/)
  })

  it("are refused where rows that lie apart reach into one another", () => {
    const act = {
      ...blank,
      policy: job.policy,
      parameters: job.parameters,
      workspace: job.workspace,
      rows: 3,
      stride: 16,
      observations: job.observations + 400,
      streams: job.observations,
      outputs: job.observations + 48,
      values: job.observations + 64,
      actions: job.observations + 68,
      logProbabilities: job.observations + 72
    }
    assert.throws(() => kernels.act(act), /"act" is given streams of 40 bytes a row, 16 bytes apart/)
    assert.throws(() => kernels.act({ ...act, rows: 1, values: act.outputs + 4 }), /outputs and values, which overlap/)
  })
})
