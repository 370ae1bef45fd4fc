// dprint-ignore-file: the formatter drops decorators of functions
/**
 * Heads: the last layers, of few outputs (a logit an action, or one value) on many inputs. Their weights are [out][in], so
 * that an output is a dot product. The rules of `dense.ts` hold: fixed order within a row, and of the rows in a gradient.
 */
import { throughActivation } from "./activation"
import { lanes, multiplyAdd } from "./dense"

/** The rest of a dot product: the two vectors' lanes, then the columns from `eights` on, then the bias. */
@inline
function dotProduct(p0: v128, p1: v128, x: usize, w: usize, eights: usize, stride: usize, bias: f32): f32 {
  let sum = lanes(f32x4.add(p0, p1))
  for (let i = eights; i < stride; i += 4) sum += f32.load(x + i) * f32.load(w + i)
  return sum + bias
}

/** One or two outputs of one or two rows: a dot product each, several under way, since each waits for itself. */
@inline
function dotProducts(
  twoRows: bool, twoOutputs: bool, x: usize, xStride: usize, w: usize, inputs: i32, b: usize, y: usize, yStride: usize
): void {
  const stride = <usize>inputs << 2
  const eights = <usize>(inputs & ~7) << 2
  const x2 = x + xStride
  const w2 = w + stride
  let a0 = f32x4.splat(0)
  let a1 = a0
  let b0 = a0
  let b1 = a0
  let c0 = a0
  let c1 = a0
  let d0 = a0
  let d1 = a0
  for (let i: usize = 0; i < eights; i += 32) {
    const l = v128.load(x + i)
    const h = v128.load(x + i, 16)
    const wl = v128.load(w + i)
    const wh = v128.load(w + i, 16)
    a0 = multiplyAdd(a0, l, wl)
    a1 = multiplyAdd(a1, h, wh)
    if (twoRows) {
      c0 = multiplyAdd(c0, v128.load(x2 + i), wl)
      c1 = multiplyAdd(c1, v128.load(x2 + i, 16), wh)
    }
    if (twoOutputs) {
      const vl = v128.load(w2 + i)
      const vh = v128.load(w2 + i, 16)
      b0 = multiplyAdd(b0, l, vl)
      b1 = multiplyAdd(b1, h, vh)
      if (twoRows) {
        d0 = multiplyAdd(d0, v128.load(x2 + i), vl)
        d1 = multiplyAdd(d1, v128.load(x2 + i, 16), vh)
      }
    }
  }
  const bias = f32.load(b)
  f32.store(y, dotProduct(a0, a1, x, w, eights, stride, bias))
  if (twoRows) f32.store(y + yStride, dotProduct(c0, c1, x2, w, eights, stride, bias))
  if (twoOutputs) {
    const bias2 = f32.load(b, 4)
    f32.store(y, dotProduct(b0, b1, x, w2, eights, stride, bias2), 4)
    if (twoRows) f32.store(y + yStride, dotProduct(d0, d1, x2, w2, eights, stride, bias2), 4)
  }
}

/**
 * y[rows][outputs] = b + x[rows][inputs] wᵀ, w being [outputs][inputs]: for the few outputs of a head, as dot products.
 * A dot product is two vectors of partial sums, eight columns at a time, then their eight lanes, then what is left.
 */
export function denseHead(
  x: usize, xStride: usize, w: usize, y: usize, yStride: usize, rows: i32, inputs: i32, outputs: i32
): void {
  const stride = <usize>inputs << 2
  const biases = w + <usize>outputs * stride
  for (let row = 0; row < rows; row += 2) {
    const two = row + 2 <= rows
    let weights = w
    let b = biases
    let to = y
    let output = 0
    for (; output + 2 <= outputs; output += 2) {
      if (two) dotProducts(true, true, x, xStride, weights, inputs, b, to, yStride)
      else dotProducts(false, true, x, xStride, weights, inputs, b, to, yStride)
      weights += 2 * stride
      b += 8
      to += 8
    }
    if (output < outputs) {
      if (two) dotProducts(true, false, x, xStride, weights, inputs, b, to, yStride)
      else dotProducts(false, false, x, xStride, weights, inputs, b, to, yStride)
    }
    x += 2 * xStride
    y += 2 * yStride
  }
}

/**
 * Backward through one or two outputs of a head, eight columns at a time with weights and their gradients in registers.
 *
 * `d` is the gradient of the first output of the first row, `dStride` the bytes between rows. Adds to `total` (the
 * gradient of the weights, [out][in]), or begins it where `fresh`. What goes down to the hidden layer is, where `whole`,
 * stored with the activation's derivative; else added to `delta` without it.
 */
@inline
function backwardOutputs(
  two: bool, whole: bool, fresh: bool, d: usize, dStride: usize, w: usize, active: usize, activeStride: usize,
  delta: usize, deltaStride: usize, rows: i32, inputs: i32, total: usize, relu: bool
): void {
  const stride = <usize>inputs << 2
  const eights = <usize>(inputs & ~7) << 2
  for (let at: usize = 0; at < eights; at += 32) {
    const w0l = v128.load(w + at)
    const w0h = v128.load(w + at, 16)
    const w1l = two ? v128.load(w + stride + at) : w0l
    const w1h = two ? v128.load(w + stride + at, 16) : w0h
    let t0l = f32x4.splat(0)
    let t0h = t0l
    let t1l = t0l
    let t1h = t0l
    if (!fresh) {
      t0l = v128.load(total + at)
      t0h = v128.load(total + at, 16)
      if (two) {
        t1l = v128.load(total + stride + at)
        t1h = v128.load(total + stride + at, 16)
      }
    }
    let from = active + at
    let to = delta + at
    let given = d
    for (let row = 0; row < rows; row++) {
      const l = v128.load(from)
      const h = v128.load(from, 16)
      const d0 = v128.load32_splat(given)
      let downL = f32x4.mul(d0, w0l)
      let downH = f32x4.mul(d0, w0h)
      t0l = multiplyAdd(t0l, d0, l)
      t0h = multiplyAdd(t0h, d0, h)
      if (two) {
        const d1 = v128.load32_splat(given, 4)
        downL = multiplyAdd(downL, d1, w1l)
        downH = multiplyAdd(downH, d1, w1h)
        t1l = multiplyAdd(t1l, d1, l)
        t1h = multiplyAdd(t1h, d1, h)
      }
      if (whole) {
        v128.store(to, throughActivation(downL, l, relu))
        v128.store(to, throughActivation(downH, h, relu), 16)
      } else {
        v128.store(to, f32x4.add(v128.load(to), downL))
        v128.store(to, f32x4.add(v128.load(to, 16), downH), 16)
      }
      from += activeStride
      to += deltaStride
      given += dStride
    }
    v128.store(total + at, t0l)
    v128.store(total + at, t0h, 16)
    if (two) {
      v128.store(total + stride + at, t1l)
      v128.store(total + stride + at, t1h, 16)
    }
  }
  for (let at = eights; at < stride; at += 4) {
    let from = active + at
    let to = delta + at
    let given = d
    let t0: f32 = fresh ? 0 : f32.load(total + at)
    let t1: f32 = !two || fresh ? 0 : f32.load(total + stride + at)
    for (let row = 0; row < rows; row++) {
      const a = f32.load(from)
      let down = f32.load(given) * f32.load(w + at)
      t0 += f32.load(given) * a
      if (two) {
        down += f32.load(given, 4) * f32.load(w + stride + at)
        t1 += f32.load(given, 4) * a
      }
      if (whole) f32.store(to, f32x4.extract_lane(throughActivation(f32x4.splat(down), f32x4.splat(a), relu), 0))
      else f32.store(to, f32.load(to) + down)
      from += activeStride
      to += deltaStride
      given += dStride
    }
    f32.store(total + at, t0)
    if (two) f32.store(total + stride + at, t1)
  }
}

/** Backward through a head of up to two outputs that stands alone on its hidden layer, in one pass. */
export function narrowHeadBackward(
  fresh: bool, d: usize, outputs: i32, w: usize, active: usize, activeStride: usize, delta: usize, deltaStride: usize,
  rows: i32, inputs: i32, total: usize, relu: bool
): void {
  if (outputs == 2) {
    backwardOutputs(true, true, fresh, d, 8, w, active, activeStride, delta, deltaStride, rows, inputs, total, relu)
  } else {
    backwardOutputs(false, true, fresh, d, 4, w, active, activeStride, delta, deltaStride, rows, inputs, total, relu)
  }
}

/** Backward through any head; adds to `delta`, leaving the activation's derivative to `activationBackward`. */
export function headBackward(
  fresh: bool, d: usize, outputs: i32, w: usize, active: usize, activeStride: usize, delta: usize, deltaStride: usize,
  rows: i32, inputs: i32, total: usize
): void {
  const dStride = <usize>outputs << 2
  const twoOutputs = <usize>inputs << 3
  let output = 0
  for (; output + 2 <= outputs; output += 2) {
    backwardOutputs(true, false, fresh, d, dStride, w, active, activeStride, delta, deltaStride, rows, inputs, total, false)
    d += 8
    w += twoOutputs
    total += twoOutputs
  }
  if (output < outputs) {
    backwardOutputs(false, false, fresh, d, dStride, w, active, activeStride, delta, deltaStride, rows, inputs, total, false)
  }
}

/** delta[rows][n] · f'(active[rows][n]), in place. */
export function activationBackward(
  delta: usize, deltaStride: usize, active: usize, activeStride: usize, rows: i32, n: i32, relu: bool
): void {
  const bytes = <usize>n << 2
  for (let row = 0; row < rows; row++) {
    let at: usize = 0
    for (; at + 16 <= bytes; at += 16) {
      v128.store(delta + at, throughActivation(v128.load(delta + at), v128.load(active + at), relu))
    }
    for (; at < bytes; at += 4) {
      const down = throughActivation(v128.load32_splat(delta + at), v128.load32_splat(active + at), relu)
      f32.store(delta + at, f32x4.extract_lane(down, 0))
    }
    delta += deltaStride
    active += activeStride
  }
}
