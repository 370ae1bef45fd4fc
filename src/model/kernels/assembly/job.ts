// dprint-ignore-file: the formatter drops decorators of functions
/**
 * A job record: what a kernel is to do, as words at the start of the workspace it does it in. `jobs.ts` of the host writes
 * it. Addresses are i32 words; 0 where there is none.
 */

@inline
export function policyOf(job: usize): usize {
  return <usize>load<u32>(job)
}
@inline
export function parametersOf(job: usize): usize {
  return <usize>load<u32>(job, 4)
}
@inline
export function rowsOf(job: usize): i32 {
  return load<i32>(job, 8)
}
/** float32 [rows][inputs]; where rows lie apart, the first one's. */
@inline
export function observationsOf(job: usize): usize {
  return <usize>load<u32>(job, 12)
}
/** [rows][action width] */
@inline
export function actionsOf(job: usize): usize {
  return <usize>load<u32>(job, 16)
}
/** uint8 [rows][outputs], 0 where an action is not legal; none: all are. */
@inline
export function masksOf(job: usize): usize {
  return <usize>load<u32>(job, 20)
}
/** float32 [rows][outputs] */
@inline
export function outputsAtOf(job: usize): usize {
  return <usize>load<u32>(job, 24)
}
/** float32 [rows]: of now. */
@inline
export function valuesOf(job: usize): usize {
  return <usize>load<u32>(job, 28)
}
/** float32 [rows]: of behavior, or where a job computes them, where they go. */
@inline
export function logProbabilitiesOf(job: usize): usize {
  return <usize>load<u32>(job, 32)
}
/** What acting left of the rows for `gradients`. */
@inline
export function keptOf(job: usize): usize {
  return <usize>load<u32>(job, 36)
}
@inline
export function streamsOf(job: usize): usize {
  return <usize>load<u32>(job, 40)
}
/** Bytes from row to row where rows lie apart. */
@inline
export function strideOf(job: usize): usize {
  return <usize>load<u32>(job, 44)
}
/** float32 [rows], where they go. */
@inline
export function entropiesOf(job: usize): usize {
  return <usize>load<u32>(job, 48)
}
/** float32 [rows] */
@inline
export function advantagesOf(job: usize): usize {
  return <usize>load<u32>(job, 52)
}
/** float32 [rows]; of a loss along a fragment, its rewards. */
@inline
export function returnsOf(job: usize): usize {
  return <usize>load<u32>(job, 56)
}
/** float32 [rows]: of behavior. */
@inline
export function behaviorValuesOf(job: usize): usize {
  return <usize>load<u32>(job, 60)
}
/** float32 in the order of the parameters. */
@inline
export function gradientsOf(job: usize): usize {
  return <usize>load<u32>(job, 64)
}
/** 0: the gradients begin at zero; else they are added to what is there. */
@inline
export function accumulatesOf(job: usize): i32 {
  return load<i32>(job, 68)
}
@inline
export function statisticsOf(job: usize): usize {
  return <usize>load<u32>(job, 72)
}
/** Which loss (`losses.ts`). */
@inline
export function lossOf(job: usize): i32 {
  return load<i32>(job, 76)
}
/** Whether advantages are (A - mean) · scale before the loss sees them. */
@inline
export function isNormalized(job: usize): bool {
  return load<i32>(job, 80) != 0
}
/** Whether the last row of a fragment ended its episode. */
@inline
export function isTerminated(job: usize): bool {
  return load<i32>(job, 84) != 0
}
/** float32, where the derivative by the outputs, and by the values, goes. */
@inline
export function dOutputsOf(job: usize): usize {
  return <usize>load<u32>(job, 88)
}
@inline
export function dValuesOf(job: usize): usize {
  return <usize>load<u32>(job, 92)
}
/** float32 [memory]: what is remembered before the first row; where rows lie apart, before each. */
@inline
export function statesOf(job: usize): usize {
  return <usize>load<u32>(job, 96)
}
/** uint8 [rows], 1 where an episode begins at the row; none: nowhere. */
@inline
export function startsOf(job: usize): usize {
  return <usize>load<u32>(job, 100)
}
/** What the loss is multiplied by. */
@inline
export function scaleOf(job: usize): f64 {
  return f64.load(job, 104)
}
@inline
export function advantageMeanOf(job: usize): f64 {
  return f64.load(job, 112)
}
@inline
export function advantageScaleOf(job: usize): f64 {
  return f64.load(job, 120)
}
/** The loss's own numbers, in the order that it names them. */
@inline
export function coefficientOf(job: usize, k: i32): f64 {
  return f64.load(job + (<usize>k << 3), 128)
}
