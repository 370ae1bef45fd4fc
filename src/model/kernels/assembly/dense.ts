// dprint-ignore-file: the formatter drops decorators of functions
/**
 * Hidden layers, forward and backward, on register blocks.
 *
 * Two rules make every result independent of how the work is cut. A row's output is summed in one fixed order, whichever
 * block of rows it is computed in; a gradient is added to row by row, in the order of the rows, whichever chunk they
 * come in. Blocks therefore only decide how many of these sums are under way at once. (WebAssembly does not fuse
 * multiplications with additions, so that a lane and a scalar round alike.)
 */
import { throughActivation } from "./activation"

@inline
export function multiplyAdd(sum: v128, a: v128, b: v128): v128 {
  return f32x4.add(sum, f32x4.mul(a, b))
}

/** Sum of four lanes, in the order that `lanes4` has. */
@inline
export function lanes(v: v128): f32 {
  return (f32x4.extract_lane(v, 0) + f32x4.extract_lane(v, 2)) + (f32x4.extract_lane(v, 1) + f32x4.extract_lane(v, 3))
}

/** The four sums of lanes of four vectors, as one vector. */
@inline
function lanes4(a: v128, b: v128, c: v128, d: v128): v128 {
  const ab = f32x4.add(v128.shuffle<i32>(a, b, 0, 1, 4, 5), v128.shuffle<i32>(a, b, 2, 3, 6, 7))
  const cd = f32x4.add(v128.shuffle<i32>(c, d, 0, 1, 4, 5), v128.shuffle<i32>(c, d, 2, 3, 6, 7))
  return f32x4.add(v128.shuffle<i32>(ab, cd, 0, 2, 4, 6), v128.shuffle<i32>(ab, cd, 1, 3, 5, 7))
}

/** A column of four numbers `stride` bytes apart. */
@inline
function gather(at: usize, stride: usize): v128 {
  const two = v128.load32_lane(at + stride, v128.load32_zero(at), 1)
  return v128.load32_lane(at + 3 * stride, v128.load32_lane(at + 2 * stride, two, 2), 3)
}

/**
 * Four rows by eight columns of y = max(floor, from + x w), where `from` is the bias (`fresh`) or, of a sum begun before,
 * what stands in y. The other blocks likewise.
 */
@inline
function block4x8(
  fresh: bool, x: usize, xStride: usize, w: usize, wStride: usize, b: usize, y: usize, yStride: usize, inputs: i32,
  floor: v128
): void {
  const x1 = x + xStride
  const x2 = x1 + xStride
  const x3 = x2 + xStride
  let l0 = v128.load(fresh ? b : y)
  let h0 = v128.load(fresh ? b : y, 16)
  let l1 = fresh ? l0 : v128.load(y + yStride)
  let h1 = fresh ? h0 : v128.load(y + yStride, 16)
  let l2 = fresh ? l0 : v128.load(y + 2 * yStride)
  let h2 = fresh ? h0 : v128.load(y + 2 * yStride, 16)
  let l3 = fresh ? l0 : v128.load(y + 3 * yStride)
  let h3 = fresh ? h0 : v128.load(y + 3 * yStride, 16)
  const end = <usize>inputs << 2
  for (let i: usize = 0; i < end; i += 4) {
    const wl = v128.load(w)
    const wh = v128.load(w, 16)
    w += wStride
    const s0 = v128.load32_splat(x + i)
    l0 = multiplyAdd(l0, s0, wl)
    h0 = multiplyAdd(h0, s0, wh)
    const s1 = v128.load32_splat(x1 + i)
    l1 = multiplyAdd(l1, s1, wl)
    h1 = multiplyAdd(h1, s1, wh)
    const s2 = v128.load32_splat(x2 + i)
    l2 = multiplyAdd(l2, s2, wl)
    h2 = multiplyAdd(h2, s2, wh)
    const s3 = v128.load32_splat(x3 + i)
    l3 = multiplyAdd(l3, s3, wl)
    h3 = multiplyAdd(h3, s3, wh)
  }
  v128.store(y, f32x4.pmax(l0, floor))
  v128.store(y, f32x4.pmax(h0, floor), 16)
  y += yStride
  v128.store(y, f32x4.pmax(l1, floor))
  v128.store(y, f32x4.pmax(h1, floor), 16)
  y += yStride
  v128.store(y, f32x4.pmax(l2, floor))
  v128.store(y, f32x4.pmax(h2, floor), 16)
  y += yStride
  v128.store(y, f32x4.pmax(l3, floor))
  v128.store(y, f32x4.pmax(h3, floor), 16)
}

/** Two rows by sixteen columns. */
@inline
function block2x16(
  fresh: bool, x: usize, xStride: usize, w: usize, wStride: usize, b: usize, y: usize, yStride: usize, inputs: i32,
  floor: v128
): void {
  const x1 = x + xStride
  const y1 = y + yStride
  let a0 = v128.load(fresh ? b : y)
  let a1 = v128.load(fresh ? b : y, 16)
  let a2 = v128.load(fresh ? b : y, 32)
  let a3 = v128.load(fresh ? b : y, 48)
  let b0 = fresh ? a0 : v128.load(y1)
  let b1 = fresh ? a1 : v128.load(y1, 16)
  let b2 = fresh ? a2 : v128.load(y1, 32)
  let b3 = fresh ? a3 : v128.load(y1, 48)
  const end = <usize>inputs << 2
  for (let i: usize = 0; i < end; i += 4) {
    const sa = v128.load32_splat(x + i)
    const sb = v128.load32_splat(x1 + i)
    const w0 = v128.load(w)
    a0 = multiplyAdd(a0, sa, w0)
    b0 = multiplyAdd(b0, sb, w0)
    const w1 = v128.load(w, 16)
    a1 = multiplyAdd(a1, sa, w1)
    b1 = multiplyAdd(b1, sb, w1)
    const w2 = v128.load(w, 32)
    a2 = multiplyAdd(a2, sa, w2)
    b2 = multiplyAdd(b2, sb, w2)
    const w3 = v128.load(w, 48)
    a3 = multiplyAdd(a3, sa, w3)
    b3 = multiplyAdd(b3, sb, w3)
    w += wStride
  }
  v128.store(y, f32x4.pmax(a0, floor))
  v128.store(y, f32x4.pmax(a1, floor), 16)
  v128.store(y, f32x4.pmax(a2, floor), 32)
  v128.store(y, f32x4.pmax(a3, floor), 48)
  v128.store(y1, f32x4.pmax(b0, floor))
  v128.store(y1, f32x4.pmax(b1, floor), 16)
  v128.store(y1, f32x4.pmax(b2, floor), 32)
  v128.store(y1, f32x4.pmax(b3, floor), 48)
}

/** One row by eight columns. */
@inline
function block1x8(fresh: bool, x: usize, w: usize, wStride: usize, b: usize, y: usize, inputs: i32, floor: v128): void {
  let l = v128.load(fresh ? b : y)
  let h = v128.load(fresh ? b : y, 16)
  for (let end = x + (<usize>inputs << 2); x < end; x += 4) {
    const s = v128.load32_splat(x)
    l = multiplyAdd(l, s, v128.load(w))
    h = multiplyAdd(h, s, v128.load(w, 16))
    w += wStride
  }
  v128.store(y, f32x4.pmax(l, floor))
  v128.store(y, f32x4.pmax(h, floor), 16)
}

/** One row by thirty-two columns: what a single observation goes through, with eight sums under way. */
@inline
function block1x32(fresh: bool, x: usize, w: usize, wStride: usize, b: usize, y: usize, inputs: i32, floor: v128): void {
  const from = fresh ? b : y
  let s0 = v128.load(from)
  let s1 = v128.load(from, 16)
  let s2 = v128.load(from, 32)
  let s3 = v128.load(from, 48)
  let s4 = v128.load(from, 64)
  let s5 = v128.load(from, 80)
  let s6 = v128.load(from, 96)
  let s7 = v128.load(from, 112)
  for (let end = x + (<usize>inputs << 2); x < end; x += 4) {
    const s = v128.load32_splat(x)
    s0 = multiplyAdd(s0, s, v128.load(w))
    s1 = multiplyAdd(s1, s, v128.load(w, 16))
    s2 = multiplyAdd(s2, s, v128.load(w, 32))
    s3 = multiplyAdd(s3, s, v128.load(w, 48))
    s4 = multiplyAdd(s4, s, v128.load(w, 64))
    s5 = multiplyAdd(s5, s, v128.load(w, 80))
    s6 = multiplyAdd(s6, s, v128.load(w, 96))
    s7 = multiplyAdd(s7, s, v128.load(w, 112))
    w += wStride
  }
  v128.store(y, f32x4.pmax(s0, floor))
  v128.store(y, f32x4.pmax(s1, floor), 16)
  v128.store(y, f32x4.pmax(s2, floor), 32)
  v128.store(y, f32x4.pmax(s3, floor), 48)
  v128.store(y, f32x4.pmax(s4, floor), 64)
  v128.store(y, f32x4.pmax(s5, floor), 80)
  v128.store(y, f32x4.pmax(s6, floor), 96)
  v128.store(y, f32x4.pmax(s7, floor), 112)
}

/** One row by four columns. */
@inline
function block1x4(x: usize, w: usize, wStride: usize, b: usize, y: usize, inputs: i32, floor: v128): void {
  let sum = v128.load(b)
  for (let end = x + (<usize>inputs << 2); x < end; x += 4) {
    sum = multiplyAdd(sum, v128.load32_splat(x), v128.load(w))
    w += wStride
  }
  v128.store(y, f32x4.pmax(sum, floor))
}

/** A whole number of eights of columns, all rows: four rows at a time, what is left of them in blocks as large. */
@inline
function columnsOfEight(
  fresh: bool, x: usize, xStride: usize, w: usize, wStride: usize, b: usize, y: usize, yStride: usize, rows: i32,
  inputs: i32, columns: i32, floor: v128
): void {
  const end = <usize>columns << 2
  const fours = rows & ~3
  if (fours) {
    for (let at: usize = 0; at < end; at += 32) {
      let from = x
      let to = y + at
      for (let row = 0; row < fours; row += 4) {
        block4x8(fresh, from, xStride, w + at, wStride, b + at, to, yStride, inputs, floor)
        from += 4 * xStride
        to += 4 * yStride
      }
    }
    x += <usize>fours * xStride
    y += <usize>fours * yStride
  }
  if (rows & 2) {
    let at: usize = 0
    for (; at + 64 <= end; at += 64) {
      block2x16(fresh, x, xStride, w + at, wStride, b + at, y + at, yStride, inputs, floor)
    }
    for (; at < end; at += 32) {
      block1x8(fresh, x, w + at, wStride, b + at, y + at, inputs, floor)
      block1x8(fresh, x + xStride, w + at, wStride, b + at, y + yStride + at, inputs, floor)
    }
    x += 2 * xStride
    y += 2 * yStride
  }
  if (rows & 1) {
    let at: usize = 0
    for (; at + 128 <= end; at += 128) block1x32(fresh, x, w + at, wStride, b + at, y + at, inputs, floor)
    for (; at < end; at += 32) block1x8(fresh, x, w + at, wStride, b + at, y + at, inputs, floor)
  }
}

/** Bytes of a weight that the second-level cache no longer serves well. */
const LARGE_WEIGHT: usize = 1 << 19

/**
 * Inputs that are summed over at a time with such a weight. A block walks down the weight, in a wide one a page a step;
 * so few pages and lines are still at hand when the next columns come back to them.
 */
const INPUTS_AT_A_TIME: i32 = 32

/**
 * y[rows][outputs] = max(floor, b + x[rows][inputs] w[inputs][outputs]): floor 0 is relu, -Infinity nothing. Each
 * number is summed over the inputs in their order. Columns that do not fill a block are computed in one that
 * overlaps its neighbor, with the same result. `xStride` and `yStride` are the bytes from one row to the next.
 */
export function denseLayer(
  x: usize, xStride: usize, w: usize, y: usize, yStride: usize, rows: i32, inputs: i32, outputs: i32, floor: f32
): void {
  const floors = f32x4.splat(floor)
  const stride = <usize>outputs << 2
  const b = w + <usize>inputs * stride
  if (outputs >= 8) {
    const eights = outputs & ~7
    if (b - w < LARGE_WEIGHT) {
      columnsOfEight(true, x, xStride, w, stride, b, y, yStride, rows, inputs, eights, floors)
    } else {
      const nothing = f32x4.splat(-Infinity)
      const first = min(INPUTS_AT_A_TIME, inputs)
      columnsOfEight(true, x, xStride, w, stride, b, y, yStride, rows, first, eights, first < inputs ? nothing : floors)
      for (let i = first; i < inputs; i += INPUTS_AT_A_TIME) {
        const n = min(INPUTS_AT_A_TIME, inputs - i)
        columnsOfEight(
          false, x + (<usize>i << 2), xStride, w + <usize>i * stride, stride, 0, y, yStride, rows, n, eights,
          i + n < inputs ? nothing : floors
        )
      }
    }
    if (eights < outputs) {
      const at = stride - 32
      columnsOfEight(true, x, xStride, w + at, stride, b + at, y + at, yStride, rows, inputs, 8, floors)
    }
    return
  }
  for (let row = 0; row < rows; row++) {
    if (outputs >= 4) {
      block1x4(x, w, stride, b, y, inputs, floors)
      const last = stride - 16
      block1x4(x, w + last, stride, b + last, y + last, inputs, floors)
    } else {
      for (let at: usize = 0; at < stride; at += 4) {
        let sum = f32.load(b + at)
        for (let i: usize = 0; i < <usize>inputs; i++) sum += f32.load(x + (i << 2)) * f32.load(w + i * stride + at)
        f32.store(y + at, sum < floor ? floor : sum)
      }
    }
    x += xStride
    y += yStride
  }
}

/**
 * total[i][o] += x[row][i] z[row][o] over the rows, for four i and eight o; and, where `withBias`, bias[o] += z[row][o],
 * since z is at hand.
 */
@inline
function outer4x8(
  withBias: bool, fresh: bool, x: usize, xStride: usize, z: usize, zStride: usize, rows: i32, total: usize,
  tStride: usize, bias: usize
): void {
  const t1 = total + tStride
  const t2 = t1 + tStride
  const t3 = t2 + tStride
  let l0 = f32x4.splat(0)
  let h0 = l0
  let l1 = l0
  let h1 = l0
  let l2 = l0
  let h2 = l0
  let l3 = l0
  let h3 = l0
  let bl = l0
  let bh = l0
  if (!fresh) {
    l0 = v128.load(total)
    h0 = v128.load(total, 16)
    l1 = v128.load(t1)
    h1 = v128.load(t1, 16)
    l2 = v128.load(t2)
    h2 = v128.load(t2, 16)
    l3 = v128.load(t3)
    h3 = v128.load(t3, 16)
    if (withBias) {
      bl = v128.load(bias)
      bh = v128.load(bias, 16)
    }
  }
  for (let row = 0; row < rows; row++) {
    const zl = v128.load(z)
    const zh = v128.load(z, 16)
    z += zStride
    const s0 = v128.load32_splat(x)
    l0 = multiplyAdd(l0, s0, zl)
    h0 = multiplyAdd(h0, s0, zh)
    const s1 = v128.load32_splat(x, 4)
    l1 = multiplyAdd(l1, s1, zl)
    h1 = multiplyAdd(h1, s1, zh)
    const s2 = v128.load32_splat(x, 8)
    l2 = multiplyAdd(l2, s2, zl)
    h2 = multiplyAdd(h2, s2, zh)
    const s3 = v128.load32_splat(x, 12)
    l3 = multiplyAdd(l3, s3, zl)
    h3 = multiplyAdd(h3, s3, zh)
    if (withBias) {
      bl = f32x4.add(bl, zl)
      bh = f32x4.add(bh, zh)
    }
    x += xStride
  }
  v128.store(total, l0)
  v128.store(total, h0, 16)
  v128.store(t1, l1)
  v128.store(t1, h1, 16)
  v128.store(t2, l2)
  v128.store(t2, h2, 16)
  v128.store(t3, l3)
  v128.store(t3, h3, 16)
  if (withBias) {
    v128.store(bias, bl)
    v128.store(bias, bh, 16)
  }
}

/** The same for one i. */
@inline
function outer1x8(
  fresh: bool, x: usize, xStride: usize, z: usize, zStride: usize, rows: i32, total: usize
): void {
  let l = f32x4.splat(0)
  let h = l
  if (!fresh) {
    l = v128.load(total)
    h = v128.load(total, 16)
  }
  for (let row = 0; row < rows; row++) {
    const s = v128.load32_splat(x)
    l = multiplyAdd(l, s, v128.load(z))
    h = multiplyAdd(h, s, v128.load(z, 16))
    x += xStride
    z += zStride
  }
  v128.store(total, l)
  v128.store(total, h, 16)
}

/** The same for four i and one o, whose numbers in `total` are `tStride` bytes apart. */
@inline
function outer4x1(
  fresh: bool, x: usize, xStride: usize, z: usize, zStride: usize, rows: i32, total: usize, tStride: usize
): void {
  let sum = fresh ? f32x4.splat(0) : gather(total, tStride)
  for (let row = 0; row < rows; row++) {
    sum = multiplyAdd(sum, v128.load(x), v128.load32_splat(z))
    x += xStride
    z += zStride
  }
  v128.store32_lane(total, sum, 0)
  v128.store32_lane(total + tStride, sum, 1)
  v128.store32_lane(total + 2 * tStride, sum, 2)
  v128.store32_lane(total + 3 * tStride, sum, 3)
}

/**
 * The gradients of a layer's weight and bias, row after row: total[nx][nz] += xᵀ z for x [rows][nx] and z [rows][nz], and,
 * where `bias` is not 0, bias[nz] += the rows of z. `fresh` begins at zero, whatever stands there.
 */
export function accumulateOuter(
  fresh: bool, x: usize, xStride: usize, nx: i32, z: usize, zStride: usize, nz: i32, rows: i32, total: usize, bias: usize
): void {
  const xBytes = <usize>nx << 2
  const zBytes = <usize>nz << 2
  const eights = <usize>(nz & ~7) << 2
  const fused = bias != 0 && nx >= 4
  // Down the weight and along its rows, so that a large gradient is gone through once, in order.
  let i: usize = 0
  for (; i + 16 <= xBytes; i += 16) {
    const to = total + (i >> 2) * zBytes
    if (fused && i == 0) {
      for (let at: usize = 0; at < eights; at += 32) {
        outer4x8(true, fresh, x, xStride, z + at, zStride, rows, to + at, zBytes, bias + at)
      }
    } else {
      for (let at: usize = 0; at < eights; at += 32) {
        outer4x8(false, fresh, x + i, xStride, z + at, zStride, rows, to + at, zBytes, 0)
      }
    }
  }
  for (; i < xBytes; i += 4) {
    const to = total + (i >> 2) * zBytes
    for (let at: usize = 0; at < eights; at += 32) outer1x8(fresh, x + i, xStride, z + at, zStride, rows, to + at)
  }
  // Columns that fill no block: one at a time, for four of the weight's rows.
  for (let at = eights; at < zBytes; at += 4) {
    let to = total + at
    for (i = 0; i + 16 <= xBytes; i += 16) {
      outer4x1(fresh, x + i, xStride, z + at, zStride, rows, to, zBytes)
      to += 4 * zBytes
    }
    for (; i < xBytes; i += 4) {
      let sum = fresh ? <f32>0 : f32.load(to)
      for (let row: usize = 0; row < <usize>rows; row++) {
        sum += f32.load(x + row * xStride + i) * f32.load(z + row * zStride + at)
      }
      f32.store(to, sum)
      to += zBytes
    }
  }
  if (bias) accumulateRows(fresh, z, zStride, nz, fused ? eights : 0, rows, bias)
}

/** total[n] += the rows of z[rows][n], row after row, from byte `at` of the columns on. */
export function accumulateRows(
  fresh: bool, z: usize, zStride: usize, n: i32, at: usize, rows: i32, total: usize
): void {
  const bytes = <usize>n << 2
  for (; at + 16 <= bytes; at += 16) {
    let sum = fresh ? f32x4.splat(0) : v128.load(total + at)
    let from = z + at
    for (let row = 0; row < rows; row++) {
      sum = f32x4.add(sum, v128.load(from))
      from += zStride
    }
    v128.store(total + at, sum)
  }
  for (; at < bytes; at += 4) {
    let sum = fresh ? <f32>0 : f32.load(total + at)
    let from = z + at
    for (let row = 0; row < rows; row++) {
      sum += f32.load(from)
      from += zStride
    }
    f32.store(total + at, sum)
  }
}

/**
 * delta[rows][inputs] = (z[rows][outputs] wᵀ) f'(active), w being a hidden weight [inputs][outputs]: what a hidden layer
 * passes down. As dot products over the outputs, four inputs at a time, so that no weight is transposed. Rows of z and
 * of delta are `deltaStride` bytes apart.
 */
export function denseDown(
  z: usize, w: usize, active: usize, activeStride: usize, delta: usize, deltaStride: usize, rows: i32, inputs: i32,
  outputs: i32, relu: bool
): void {
  const stride = <usize>outputs << 2
  const fours = <usize>(outputs & ~3) << 2
  if (inputs < 4) {
    for (let row = 0; row < rows; row++) {
      for (let i: usize = 0, end = <usize>inputs << 2; i < end; i += 4) {
        let sum: f32 = 0
        for (let o: usize = 0; o < stride; o += 4) sum += f32.load(z + o) * f32.load(w + (i >> 2) * stride + o)
        const down = throughActivation(f32x4.splat(sum), v128.load32_splat(active + i), relu)
        f32.store(delta + i, f32x4.extract_lane(down, 0))
      }
      z += deltaStride
      active += activeStride
      delta += deltaStride
    }
    return
  }
  for (let input = 0; input < inputs; input += 4) {
    const at = min(input, inputs - 4)
    const w0 = w + <usize>at * stride
    const w1 = w0 + stride
    const w2 = w1 + stride
    const w3 = w2 + stride
    let from = z
    let given = active + (<usize>at << 2)
    let to = delta + (<usize>at << 2)
    let row = 0
    for (; row + 2 <= rows; row += 2) {
      const next = from + deltaStride
      let a0 = f32x4.splat(0)
      let a1 = a0
      let a2 = a0
      let a3 = a0
      let b0 = a0
      let b1 = a0
      let b2 = a0
      let b3 = a0
      for (let o: usize = 0; o < fours; o += 16) {
        const za = v128.load(from + o)
        const zb = v128.load(next + o)
        const v0 = v128.load(w0 + o)
        a0 = multiplyAdd(a0, za, v0)
        b0 = multiplyAdd(b0, zb, v0)
        const v1 = v128.load(w1 + o)
        a1 = multiplyAdd(a1, za, v1)
        b1 = multiplyAdd(b1, zb, v1)
        const v2 = v128.load(w2 + o)
        a2 = multiplyAdd(a2, za, v2)
        b2 = multiplyAdd(b2, zb, v2)
        const v3 = v128.load(w3 + o)
        a3 = multiplyAdd(a3, za, v3)
        b3 = multiplyAdd(b3, zb, v3)
      }
      let a = lanes4(a0, a1, a2, a3)
      let b = lanes4(b0, b1, b2, b3)
      for (let o = fours; o < stride; o += 4) {
        const v = gather(w0 + o, stride)
        a = multiplyAdd(a, v128.load32_splat(from + o), v)
        b = multiplyAdd(b, v128.load32_splat(next + o), v)
      }
      v128.store(to, throughActivation(a, v128.load(given), relu))
      v128.store(to + deltaStride, throughActivation(b, v128.load(given + activeStride), relu))
      given += 2 * activeStride
      to += 2 * deltaStride
      from = next + deltaStride
    }
    if (row < rows) {
      let a0 = f32x4.splat(0)
      let a1 = a0
      let a2 = a0
      let a3 = a0
      for (let o: usize = 0; o < fours; o += 16) {
        const za = v128.load(from + o)
        a0 = multiplyAdd(a0, za, v128.load(w0 + o))
        a1 = multiplyAdd(a1, za, v128.load(w1 + o))
        a2 = multiplyAdd(a2, za, v128.load(w2 + o))
        a3 = multiplyAdd(a3, za, v128.load(w3 + o))
      }
      let a = lanes4(a0, a1, a2, a3)
      for (let o = fours; o < stride; o += 4) {
        a = multiplyAdd(a, v128.load32_splat(from + o), gather(w0 + o, stride))
      }
      v128.store(to, throughActivation(a, v128.load(given), relu))
    }
  }
}
