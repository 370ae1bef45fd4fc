// dprint-ignore-file: the formatter drops decorators of functions
/**
 * A gated recurrent unit (Cho et al. 2014, in the form of PyTorch's `GRUCell`): with x its input and h what it remembers,
 *
 *     r = σ(W_ir x + b_ir + W_hr h + b_hr),  z = σ(W_iz x + b_iz + W_hz h + b_hz)
 *     n = tanh(W_in x + b_in + r (W_hn h + b_hn)),  h' = n + z (h - n)
 *
 * Its parameters are W_i [in][3 width] with b_i, then W_h [width][3 width] with b_h. Of each row it leaves, in the row's
 * activations: the gates r, z, n; W_h h + b_h; h; h'; and room for the derivative by h'. Backward, the first two become their
 * own derivatives.
 */
import { accumulateOuter, denseDown, denseLayer } from "./dense"
import { exp4, tanh4 } from "./elementary"
import {
  cellInputBytes, deltaBytes, deltaStride, depthOf, inputsOf, isRelu, memoryOf, padded, towerActivationBytes, towerBytes,
  widthOf
} from "./net"

/** Where a row's numbers stand in its activations. */
@inline
function gatesAt(net: usize): usize {
  return towerActivationBytes(net)
}
@inline
function recurrentAt(net: usize): usize {
  return gatesAt(net) + padded(3 * memoryOf(net))
}
@inline
function beforeAt(net: usize): usize {
  return gatesAt(net) + 2 * padded(3 * memoryOf(net))
}
@inline
export function afterAt(net: usize): usize {
  return beforeAt(net) + padded(memoryOf(net))
}
@inline
export function derivativeAt(net: usize): usize {
  return beforeAt(net) + 2 * padded(memoryOf(net))
}

/** σ(x) = 1 / (1 + exp(-x)), of four lanes. */
@inline
function sigmoid4(x: v128): v128 {
  const one = f32x4.splat(1)
  return f32x4.div(one, f32x4.add(one, exp4(f32x4.neg(x))))
}

@inline
function get(at: usize, whole: bool): v128 {
  return whole ? v128.load(at) : v128.load32_splat(at)
}

@inline
function put(at: usize, v: v128, whole: bool): void {
  if (whole) v128.store(at, v)
  else f32.store(at, f32x4.extract_lane(v, 0))
}

/** Four numbers of a row, or one: from the two halves of the gates and what was remembered to the gates and what is now. */
@inline
function gateStep(whole: bool, gates: usize, recurrent: usize, width: usize, before: usize, after: usize): void {
  const r = sigmoid4(f32x4.add(get(gates, whole), get(recurrent, whole)))
  const z = sigmoid4(f32x4.add(get(gates + width, whole), get(recurrent + width, whole)))
  const own = f32x4.mul(r, get(recurrent + 2 * width, whole))
  const n = tanh4(f32x4.add(get(gates + 2 * width, whole), own))
  put(gates, r, whole)
  put(gates + width, z, whole)
  put(gates + 2 * width, n, whole)
  put(after, f32x4.add(n, f32x4.mul(z, f32x4.sub(get(before, whole), n))), whole)
}

/** One row, both halves of its gates being there. */
function cellStep(net: usize, active: usize, before: usize): void {
  const width = <usize>memoryOf(net) << 2
  const gates = active + gatesAt(net)
  const recurrent = active + recurrentAt(net)
  const after = active + afterAt(net)
  let at: usize = 0
  for (; at + 16 <= width; at += 16) gateStep(true, gates + at, recurrent + at, width, before + at, after + at)
  for (; at < width; at += 4) gateStep(false, gates + at, recurrent + at, width, before + at, after + at)
}

/** What the gates of n rows get from the cell's input: the last layer below it, or the observations. */
function inputHalf(
  net: usize, params: usize, observations: usize, xStride: usize, n: i32, activations: usize, stride: usize
): void {
  const depth = depthOf(net)
  const from = widthOf(net, depth - 1)
  const x = depth > 0 ? activations + towerActivationBytes(net) - padded(from) : observations
  const cell = params + towerBytes(net)
  denseLayer(x, depth > 0 ? stride : xStride, cell, activations + gatesAt(net), stride, n, from, 3 * memoryOf(net), -Infinity)
}

/** What the gates of n rows get from what is remembered before each. */
@inline
function recurrentHalf(net: usize, params: usize, states: usize, stateStride: usize, n: i32, to: usize, stride: usize): void {
  const remembered = memoryOf(net)
  const weights = params + towerBytes(net) + cellInputBytes(net)
  denseLayer(states, stateStride, weights, to + recurrentAt(net), stride, n, remembered, 3 * remembered, -Infinity)
}

/**
 * Rows that have nothing to do with one another, such as one step of many environments, the layers below having been gone
 * through; each remembers what stands at `states`. Where `advances`, what it remembers after it is put there.
 */
export function cellRows(
  net: usize, params: usize, observations: usize, xStride: usize, n: i32, activations: usize, stride: usize, states: usize,
  stateStride: usize, advances: bool
): void {
  inputHalf(net, params, observations, xStride, n, activations, stride)
  recurrentHalf(net, params, states, stateStride, n, activations, stride)
  const bytes = <usize>memoryOf(net) << 2
  for (let row = 0; row < n; row++) {
    cellStep(net, activations, states)
    if (advances) memory.copy(states, activations + afterAt(net), bytes)
    activations += stride
    states += stateStride
  }
}

/** Consecutive rows, the layers below having been gone through; before the first, what stands at `state` is remembered. */
export function cellAlong(
  net: usize, params: usize, observations: usize, xStride: usize, rows: i32, activations: usize, stride: usize, state: usize,
  starts: usize
): void {
  inputHalf(net, params, observations, xStride, rows, activations, stride)
  const bytes = <usize>memoryOf(net) << 2
  for (let row = 0; row < rows; row++) {
    const before = activations + beforeAt(net)
    if (starts && load<u8>(starts + <usize>row)) memory.fill(before, 0, bytes)
    else memory.copy(before, state, bytes)
    recurrentHalf(net, params, before, 0, 1, activations, stride)
    cellStep(net, activations, before)
    state = activations + afterAt(net)
    activations += stride
  }
}

/** Four numbers of a row backward, or one: the gates' halves become their derivatives, and `d` that by h as z passes it on. */
@inline
function gateStepBack(whole: bool, gates: usize, recurrent: usize, width: usize, before: usize, d: usize): void {
  const one = f32x4.splat(1)
  const r = get(gates, whole)
  const z = get(gates + width, whole)
  const n = get(gates + 2 * width, whole)
  const dAfter = get(d, whole)
  const dNew = f32x4.mul(f32x4.mul(dAfter, f32x4.sub(one, z)), f32x4.sub(one, f32x4.mul(n, n)))
  const dReset = f32x4.mul(f32x4.mul(dNew, get(recurrent + 2 * width, whole)), f32x4.mul(r, f32x4.sub(one, r)))
  const dUpdate = f32x4.mul(f32x4.mul(dAfter, f32x4.sub(get(before, whole), n)), f32x4.mul(z, f32x4.sub(one, z)))
  put(gates, dReset, whole)
  put(gates + width, dUpdate, whole)
  put(gates + 2 * width, dNew, whole)
  put(recurrent, dReset, whole)
  put(recurrent + width, dUpdate, whole)
  put(recurrent + 2 * width, f32x4.mul(dNew, r), whole)
  put(d, f32x4.mul(dAfter, z), whole)
}

/**
 * Backward through consecutive rows, the last first: from the derivative by h' that the heads left in each row to those by the
 * halves of its gates. `scratch` is the two buffers of `deltaBytes`.
 */
export function cellBackThrough(
  net: usize, params: usize, rows: i32, activations: usize, stride: usize, starts: usize, scratch: usize
): void {
  const remembered = memoryOf(net)
  const width = <usize>remembered << 2
  const weights = params + towerBytes(net) + cellInputBytes(net)
  const nothing = scratch + deltaBytes(net, 1)
  memory.fill(nothing, 0, width)
  for (let row = rows - 1; row >= 0; row--) {
    const active = activations + <usize>row * stride
    const gates = active + gatesAt(net)
    const recurrent = active + recurrentAt(net)
    const before = active + beforeAt(net)
    const d = active + derivativeAt(net)
    let at: usize = 0
    for (; at + 16 <= width; at += 16) gateStepBack(true, gates + at, recurrent + at, width, before + at, d + at)
    for (; at < width; at += 4) gateStepBack(false, gates + at, recurrent + at, width, before + at, d + at)
    if (row == 0 || (starts && load<u8>(starts + <usize>row))) continue
    // A slope of 1: what is remembered goes through no activation on its way here.
    denseDown(recurrent, weights, nothing, 0, scratch, deltaStride(net), 1, remembered, 3 * remembered, false)
    const earlier = d - stride
    for (at = 0; at < width; at += 4) {
      f32.store(earlier + at, f32.load(earlier + at) + (f32.load(d + at) + f32.load(scratch + at)))
    }
  }
}

/**
 * Adds the cell's gradients of n of these rows, a chunk at most, to `gradients`, or, where `fresh`, puts them there; where
 * there are layers below, leaves the derivative by the last one's sums in the first buffer of `scratch`.
 */
export function cellGradients(
  net: usize, params: usize, observations: usize, n: i32, activations: usize, stride: usize, scratch: usize,
  gradients: usize, fresh: bool
): void {
  const depth = depthOf(net)
  const remembered = memoryOf(net)
  const from = widthOf(net, depth - 1)
  const gates = activations + gatesAt(net)
  const tower = towerBytes(net)
  const input = gradients + tower
  const recurrent = input + cellInputBytes(net)
  const below = activations + towerActivationBytes(net) - padded(from)
  const x = depth > 0 ? below : observations
  const xStride = depth > 0 ? stride : <usize>inputsOf(net) << 2
  accumulateOuter(fresh, x, xStride, from, gates, stride, 3 * remembered, n, input, input + (<usize>(from * 3 * remembered) << 2))
  accumulateOuter(
    fresh, activations + beforeAt(net), stride, remembered, activations + recurrentAt(net), stride, 3 * remembered, n, recurrent,
    recurrent + (<usize>(remembered * 3 * remembered) << 2)
  )
  if (depth == 0) return
  const dStride = deltaStride(net)
  const other = scratch + deltaBytes(net, n)
  for (let row = 0; row < n; row++) {
    memory.copy(other + <usize>row * dStride, gates + <usize>row * stride, <usize>(3 * remembered) << 2)
  }
  denseDown(other, params + tower, below, stride, scratch, dStride, n, from, 3 * remembered, isRelu(net))
}
