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
export type Column = Exclude<keyof Segment, "rows" | "masks" | "remembered">

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
  const { stateWords } = encoderOf(policy.encoder)
  for (const segment of segments) {
    if (segment.rows > maxRows) return `a segment has ${segment.rows} rows; this model takes ${maxRows}`
    const { remembered } = segment
    if ((remembered === undefined ? 0 : remembered.state.length) !== stateWords) {
      return `a segment begins from ${remembered?.state.length ?? 0} remembered numbers; this policy has ${stateWords}`
    }
    if (remembered !== undefined && remembered.starts.length < segment.rows) {
      return `a segment says of ${remembered.starts.length} of its ${segment.rows} rows whether an episode begins there`
    }
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
  { maxRows, policy, unit = 1 }: Pick<ModelSpec, "maxRows" | "policy" | "unit">
): number | string => {
  if (select === null) return segments.reduce((sum, { rows }) => sum + rows, 0)
  const units = Math.ceil(segments.length / unit)
  if (select.length !== units) return `a pass picks rows of ${select.length} units; the batch has ${units}`
  const wholes = encoderOf(policy.encoder).stateWords > 0
  let rows = 0
  for (let u = 0; u < units; u++) {
    const picked = select[u]!
    if (wholes && !isOfWholes(picked, segments.slice(u * unit, (u + 1) * unit), maxRows)) {
      return `a pass picks some rows of a segment of unit ${u}; a policy that remembers learns from all of them or none`
    }
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

/** Whether rows are picked segment by segment, each with all of its rows in their order. */
const isOfWholes = (
  picked: Int32Array,
  segments: ReadonlyArray<Pick<Segment, "rows">>,
  maxRows: number
): boolean => {
  let k = 0
  for (let f = 0; f < segments.length; f++) {
    if (Math.floor((picked[k] ?? -1) / maxRows) !== f) continue
    for (let row = 0; row < segments[f]!.rows; row++) if (picked[k++] !== f * maxRows + row) return false
  }
  return k === picked.length
}

/** The segments that a pass of a policy that remembers takes, in their order. */
export const takeSegments = (
  select: Pass["select"],
  segments: ReadonlyArray<Segment>,
  { maxRows, unit = 1 }: Pick<ModelSpec, "maxRows" | "unit">
): ReadonlyArray<Segment> => {
  if (select === null) return segments
  const taken = new Set(
    select.flatMap((picked, u) => Array.from(picked, (index) => u * unit + Math.floor(index / maxRows)))
  )
  return segments.filter((_, index) => taken.has(index))
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

/** Some rows of a segment, as views of it; what is remembered is that before the segment's first. */
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
    ...(segment.remembered === undefined ? {} : { remembered: segment.remembered }),
    ...(segment.masks === undefined ? {} : { masks: segment.masks.subarray(from * masks, to * masks) })
  }
}
