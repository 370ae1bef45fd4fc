// dprint-ignore-file: the formatter drops decorators of functions
/**
 * exp, log and tanh of four float32 lanes, out of additions, multiplications and divisions alone, so that every machine
 * computes the same bits. A lane's result depends on that lane only: a row gives the same bits wherever it stands.
 *
 * exp and log are Cephes' expf and logf (S. L. Moshier), without branches. NaN stays NaN in all of them.
 */

/**
 * exp, relative error below 1e-7 between -87.3 and 88.3. Below that it is 0 (never a subnormal), above it saturates:
 * arguments here are differences to a maximum, so at most 0.
 */
@inline
export function exp4(x: v128): v128 {
  const capped = f32x4.pmin(x, f32x4.splat(88.3762626647949))
  // x = n ln 2 + r, |r| <= ln 2 / 2; ln 2 in two parts, of which n times the first is exact.
  const n = f32x4.nearest(f32x4.mul(capped, f32x4.splat(1.44269504088896341)))
  let r = f32x4.sub(capped, f32x4.mul(n, f32x4.splat(0.693359375)))
  r = f32x4.sub(r, f32x4.mul(n, f32x4.splat(-2.12194440e-4)))
  let p = f32x4.splat(1.9875691500e-4)
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(1.3981999507e-3))
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(8.3334519073e-3))
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(4.1665795894e-2))
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(1.6666665459e-1))
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(5.0000001201e-1))
  p = f32x4.add(f32x4.add(f32x4.mul(p, f32x4.mul(r, r)), r), f32x4.splat(1))
  // 2^n by its exponent bits.
  const power = i32x4.shl(i32x4.add(i32x4.trunc_sat_f32x4_s(n), i32x4.splat(127)), 23)
  const vanished = f32x4.lt(x, f32x4.splat(-87.33654))
  return v128.andnot(f32x4.mul(p, power), vanished)
}

/** log, relative error below 1.5e-7; log(0) = -inf, of a negative number NaN, of +inf +inf. */
@inline
export function log4(x: v128): v128 {
  // Subnormals are brought into the normal range first.
  const tiny = f32x4.lt(x, f32x4.splat(1.17549435e-38))
  const normal = v128.bitselect(f32x4.mul(x, f32x4.splat(8388608)), x, tiny)
  // x = 2^e m, sqrt(1/2) <= m < sqrt 2: the offset moves the border between two exponents to sqrt(1/2).
  const shifted = i32x4.sub(normal, i32x4.splat(0x3f3504f3))
  const exponent = i32x4.shr_s(shifted, 23)
  const m = i32x4.sub(normal, i32x4.shl(exponent, 23))
  const e = f32x4.sub(f32x4.convert_i32x4_s(exponent), v128.and(tiny, f32x4.splat(23)))
  const r = f32x4.sub(m, f32x4.splat(1))
  const z = f32x4.mul(r, r)
  let p = f32x4.splat(7.0376836292e-2)
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(-1.1514610310e-1))
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(1.1676998740e-1))
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(-1.2420140846e-1))
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(1.4249322787e-1))
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(-1.6668057665e-1))
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(2.0000714765e-1))
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(-2.4999993993e-1))
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(3.3333331174e-1))
  let y = f32x4.mul(f32x4.mul(p, r), z)
  y = f32x4.add(y, f32x4.mul(e, f32x4.splat(-2.12194440e-4)))
  y = f32x4.sub(y, f32x4.mul(z, f32x4.splat(0.5)))
  y = f32x4.add(f32x4.add(r, y), f32x4.mul(e, f32x4.splat(0.693359375)))
  y = v128.bitselect(f32x4.splat(-Infinity), y, f32x4.eq(x, f32x4.splat(0)))
  const unordinary = v128.not(v128.and(f32x4.ge(x, f32x4.splat(0)), f32x4.lt(x, f32x4.splat(Infinity))))
  const border = v128.bitselect(x, f32x4.splat(NaN), f32x4.eq(x, f32x4.splat(Infinity)))
  return v128.bitselect(border, y, unordinary)
}

/**
 * tanh, relative error below 3.6e-7: x P(x²) / Q(x²), two polynomials of degree 4 fitted to the smallest relative error
 * on [-9.02, 9.02] (Lawson's iteration), beyond which tanh is 1 in float32. One division and no exponential: it is the
 * inner loop of a tanh network.
 */
@inline
export function tanh4(x: v128): v128 {
  // pmin/pmax: their first operand wins where the other is NaN, so NaN goes through.
  const c = f32x4.pmax(f32x4.pmin(x, f32x4.splat(9.02)), f32x4.splat(-9.02))
  const z = f32x4.mul(c, c)
  let p = f32x4.splat(1.331908805468629e-8)
  let q = f32x4.splat(7.762027394164761e-7)
  p = f32x4.add(f32x4.mul(p, z), f32x4.splat(2.0583496734616347e-5))
  q = f32x4.add(f32x4.mul(q, z), f32x4.splat(3.2830945565365255e-4))
  p = f32x4.add(f32x4.mul(p, z), f32x4.splat(3.4940356854349375e-3))
  q = f32x4.add(f32x4.mul(q, z), f32x4.splat(2.5871077552437782e-2))
  p = f32x4.add(f32x4.mul(p, z), f32x4.splat(1.3379718363285065e-1))
  q = f32x4.add(f32x4.mul(q, z), f32x4.splat(4.671303331851959e-1))
  p = f32x4.add(f32x4.mul(p, z), f32x4.splat(1))
  q = f32x4.add(f32x4.mul(q, z), f32x4.splat(1))
  const y = f32x4.div(f32x4.mul(c, p), q)
  return f32x4.pmax(f32x4.pmin(y, f32x4.splat(1)), f32x4.splat(-1))
}
