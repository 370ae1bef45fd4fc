/**
 * The rows of a batch that a pass takes (`Pass.select`): how many there are, what is wrong with them, and for devices
 * that compute elsewhere than in shared memory, all of them side by side.
 */
import * as Record from "effect/Record"
import type { ModelSpec, Pass, Segment } from "./Device.ts"
import { distributionOf } from "./policy/DistributionSpec.ts"
import { encoderOf } from "./policy/Encoder.ts"
import type { PolicySpec } from "./policy/PolicySpec.ts"

/** The columns that every segment has. */
export type Column = Exclude<keyof Segment, "rows" | "masks">

/** Numbers of a row in each column. */
export const columnWidths = ({ distribution, encoder }: PolicySpec): { readonly [Name in Column]: number } => ({
  observations: encoderOf(encoder).inputs,
  actions: distributionOf(distribution).action.width,
  advantages: 1,
  returns: 1,
  logProbabilities: 1,
  values: 1
})

/** What is wrong with segments that a model is given, as a sentence. */
export const wrongSegments = (
  segments: ReadonlyArray<Segment>,
  { maxRows, policy }: Pick<ModelSpec, "maxRows" | "policy">
): string | undefined => {
  const { masks } = distributionOf(policy.distribution)
  for (const segment of segments) {
    if (segment.rows > maxRows) return `a segment has ${segment.rows} rows; this model takes ${maxRows}`
    if (segment.masks === undefined) continue
    if (masks === 0) return `a segment has masks, and actions of a ${policy.distribution.kind} policy have none`
    if (segment.masks.length < segment.rows * masks) {
      return `a segment has ${segment.masks.length} numbers of masks for ${segment.rows} rows of ${masks}`
    }
  }
  return undefined
}

/**
 * How many rows a pass takes of segments that are summed in units of `unit`. A sentence where it picks rows that are not
 * there.
 */
export const countRows = (
  select: Pass["select"],
  segments: ReadonlyArray<Pick<Segment, "rows">>,
  { maxRows, unit = 1 }: Pick<ModelSpec, "maxRows" | "unit">
): number | string => {
  if (select === null) return segments.reduce((sum, { rows }) => sum + rows, 0)
  const units = Math.ceil(segments.length / unit)
  if (select.length !== units) return `a pass picks rows of ${select.length} units; the batch has ${units}`
  let rows = 0
  for (let u = 0; u < units; u++) {
    const picked = select[u]!
    for (let k = 0; k < picked.length; k++) {
      const index = picked[k]!
      const within = Math.floor(index / maxRows)
      const segment = within < unit ? segments[u * unit + within] : undefined
      if (index < 0 || segment === undefined || index % maxRows >= segment.rows) {
        return `a pass picks row ${index % maxRows} of segment ${within} of unit ${u}, which the batch does not have`
      }
    }
    rows += picked.length
  }
  return rows
}

/** The rows that a pass takes, in its order, as one segment. They must be there: see `countRows`. */
export const takeRows = (
  select: Pass["select"],
  segments: ReadonlyArray<Segment>,
  rows: number,
  { maxRows, policy, unit = 1 }: Pick<ModelSpec, "maxRows" | "policy" | "unit">
): Segment => {
  const widths = columnWidths(policy)
  const { action, masks: maskWidth } = distributionOf(policy.distribution)
  const masks = segments.some((segment) => segment.masks !== undefined)
    ? new Uint8Array(rows * maskWidth).fill(1)
    : undefined
  const taken: Segment = {
    rows,
    observations: new Float32Array(rows * widths.observations),
    actions: action.type === "int32" ? new Int32Array(rows * action.width) : new Float32Array(rows * action.width),
    advantages: new Float32Array(rows),
    returns: new Float32Array(rows),
    logProbabilities: new Float32Array(rows),
    values: new Float32Array(rows),
    ...(masks === undefined ? {} : { masks })
  }
  const columns = Record.keys(widths)
  let at = 0
  const copy = (segment: Segment, from: number, count: number): void => {
    for (const name of columns) {
      const width = widths[name]
      taken[name].set(segment[name].subarray(from * width, (from + count) * width), at * width)
    }
    if (segment.masks !== undefined) {
      masks?.set(segment.masks.subarray(from * maskWidth, (from + count) * maskWidth), at * maskWidth)
    }
    at += count
  }
  if (select === null) { for (const segment of segments) copy(segment, 0, segment.rows) }
  else {
    for (const [u, picked] of select.entries()) {
      for (const index of picked) copy(segments[u * unit + Math.floor(index / maxRows)]!, index % maxRows, 1)
    }
  }
  return taken
}

/** Some rows of a segment, as views of it. */
export const partOf = (segment: Segment, from: number, to: number, policy: PolicySpec): Segment => {
  const widths = columnWidths(policy)
  const { masks } = distributionOf(policy.distribution)
  return {
    rows: to - from,
    observations: segment.observations.subarray(from * widths.observations, to * widths.observations),
    actions: segment.actions.subarray(from * widths.actions, to * widths.actions),
    advantages: segment.advantages.subarray(from, to),
    returns: segment.returns.subarray(from, to),
    logProbabilities: segment.logProbabilities.subarray(from, to),
    values: segment.values.subarray(from, to),
    ...(segment.masks === undefined ? {} : { masks: segment.masks.subarray(from * masks, to * masks) })
  }
}
