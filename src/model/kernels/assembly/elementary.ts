// dprint-ignore-file: the formatter drops decorators of functions
/**
 * exp, log and tanh of four float32 lanes, out of additions, multiplications and divisions alone, so that every machine
 * computes the same bits. A lane's result depends on that lane only: a row gives the same bits wherever it stands.
 *
 * exp and log are Cephes' expf and logf (S. L. Moshier), without branches. NaN stays NaN in all of them.
 *
 * Their constants stand in globals because V8 builds a constant vector anew, in about five instructions, wherever one is
 * used, while a global is one load: half the time of each function. They are given their values when the module starts,
 * not where they are declared, or the compiler would fold them into constants again. Nothing else is ever written there.
 */

let ONE = f32x4.splat(0)
let HALF = ONE
let LN2_HIGH = ONE
let LN2_LOW = ONE
ONE = f32x4.splat(1)
HALF = f32x4.splat(0.5)
// ln 2 in two parts, of which small integers times the first are exact.
LN2_HIGH = f32x4.splat(0.693359375)
LN2_LOW = f32x4.splat(-2.12194440e-4)

let EXP_MAX = f32x4.splat(0)
let EXP_MIN = EXP_MAX
let LOG2_E = EXP_MAX
let EXP_5 = EXP_MAX
let EXP_4 = EXP_MAX
let EXP_3 = EXP_MAX
let EXP_2 = EXP_MAX
let EXP_1 = EXP_MAX
let EXP_0 = EXP_MAX
let EXPONENT_BIAS = EXP_MAX
EXP_MAX = f32x4.splat(88.3762626647949)
EXP_MIN = f32x4.splat(-87.33654)
LOG2_E = f32x4.splat(1.44269504088896341)
EXP_5 = f32x4.splat(1.9875691500e-4)
EXP_4 = f32x4.splat(1.3981999507e-3)
EXP_3 = f32x4.splat(8.3334519073e-3)
EXP_2 = f32x4.splat(4.1665795894e-2)
EXP_1 = f32x4.splat(1.6666665459e-1)
EXP_0 = f32x4.splat(5.0000001201e-1)
EXPONENT_BIAS = i32x4.splat(127)

/**
 * exp, relative error below 1e-7 between -87.3 and 88.3. Below that it is 0 (never a subnormal), above it saturates:
 * arguments here are differences to a maximum, so at most 0.
 */
@inline
export function exp4(x: v128): v128 {
  const capped = f32x4.pmin(x, EXP_MAX)
  // x = n ln 2 + r, |r| <= ln 2 / 2
  const n = f32x4.nearest(f32x4.mul(capped, LOG2_E))
  let r = f32x4.sub(capped, f32x4.mul(n, LN2_HIGH))
  r = f32x4.sub(r, f32x4.mul(n, LN2_LOW))
  let p = f32x4.add(f32x4.mul(EXP_5, r), EXP_4)
  p = f32x4.add(f32x4.mul(p, r), EXP_3)
  p = f32x4.add(f32x4.mul(p, r), EXP_2)
  p = f32x4.add(f32x4.mul(p, r), EXP_1)
  p = f32x4.add(f32x4.mul(p, r), EXP_0)
  p = f32x4.add(f32x4.add(f32x4.mul(p, f32x4.mul(r, r)), r), ONE)
  // 2^n by its exponent bits.
  const power = i32x4.shl(i32x4.add(i32x4.trunc_sat_f32x4_s(n), EXPONENT_BIAS), 23)
  return v128.andnot(f32x4.mul(p, power), f32x4.lt(x, EXP_MIN))
}

let ROOT_HALF_BITS = f32x4.splat(0)
let LOG_8 = ROOT_HALF_BITS
let LOG_7 = ROOT_HALF_BITS
let LOG_6 = ROOT_HALF_BITS
let LOG_5 = ROOT_HALF_BITS
let LOG_4 = ROOT_HALF_BITS
let LOG_3 = ROOT_HALF_BITS
let LOG_2 = ROOT_HALF_BITS
let LOG_1 = ROOT_HALF_BITS
let LOG_0 = ROOT_HALF_BITS
ROOT_HALF_BITS = i32x4.splat(0x3f3504f3)
LOG_8 = f32x4.splat(7.0376836292e-2)
LOG_7 = f32x4.splat(-1.1514610310e-1)
LOG_6 = f32x4.splat(1.1676998740e-1)
LOG_5 = f32x4.splat(-1.2420140846e-1)
LOG_4 = f32x4.splat(1.4249322787e-1)
LOG_3 = f32x4.splat(-1.6668057665e-1)
LOG_2 = f32x4.splat(2.0000714765e-1)
LOG_1 = f32x4.splat(-2.4999993993e-1)
LOG_0 = f32x4.splat(3.3333331174e-1)

/**
 * log of positive normal numbers, relative error below 1.5e-7. (What is logged here is a sum of exponentials, of which the
 * largest is 1.) NaN and infinity give NaN, so that they are seen.
 */
@inline
export function log4(x: v128): v128 {
  // x = 2^e m, sqrt(1/2) <= m < sqrt 2: the offset moves the border between two exponents to sqrt(1/2).
  const exponent = i32x4.shr_s(i32x4.sub(x, ROOT_HALF_BITS), 23)
  const r = f32x4.sub(i32x4.sub(x, i32x4.shl(exponent, 23)), ONE)
  const e = f32x4.convert_i32x4_s(exponent)
  const z = f32x4.mul(r, r)
  let p = f32x4.add(f32x4.mul(LOG_8, r), LOG_7)
  p = f32x4.add(f32x4.mul(p, r), LOG_6)
  p = f32x4.add(f32x4.mul(p, r), LOG_5)
  p = f32x4.add(f32x4.mul(p, r), LOG_4)
  p = f32x4.add(f32x4.mul(p, r), LOG_3)
  p = f32x4.add(f32x4.mul(p, r), LOG_2)
  p = f32x4.add(f32x4.mul(p, r), LOG_1)
  p = f32x4.add(f32x4.mul(p, r), LOG_0)
  let y = f32x4.mul(f32x4.mul(p, r), z)
  y = f32x4.add(y, f32x4.mul(e, LN2_LOW))
  y = f32x4.sub(y, f32x4.mul(z, HALF))
  y = f32x4.add(f32x4.add(r, y), f32x4.mul(e, LN2_HIGH))
  return f32x4.add(y, f32x4.sub(x, x))
}

let TANH_MAX = f32x4.splat(0)
let TANH_P4 = TANH_MAX
let TANH_P3 = TANH_MAX
let TANH_P2 = TANH_MAX
let TANH_P1 = TANH_MAX
let TANH_Q4 = TANH_MAX
let TANH_Q3 = TANH_MAX
let TANH_Q2 = TANH_MAX
let TANH_Q1 = TANH_MAX
TANH_MAX = f32x4.splat(9.02)
TANH_P4 = f32x4.splat(1.331908805468629e-8)
TANH_P3 = f32x4.splat(2.0583496734616347e-5)
TANH_P2 = f32x4.splat(3.4940356854349375e-3)
TANH_P1 = f32x4.splat(1.3379718363285065e-1)
TANH_Q4 = f32x4.splat(7.762027394164761e-7)
TANH_Q3 = f32x4.splat(3.2830945565365255e-4)
TANH_Q2 = f32x4.splat(2.5871077552437782e-2)
TANH_Q1 = f32x4.splat(4.671303331851959e-1)

/**
 * tanh, relative error below 3.6e-7: x P(x²) / Q(x²), two polynomials of degree 4 fitted to the smallest relative error
 * on [-9.02, 9.02] (Lawson's iteration), beyond which tanh is 1 in float32. One division and no exponential: it is the
 * inner loop of a tanh network.
 */
@inline
export function tanh4(x: v128): v128 {
  // pmin and pmax keep their first operand where it is NaN.
  const c = f32x4.pmax(f32x4.pmin(x, TANH_MAX), f32x4.neg(TANH_MAX))
  const z = f32x4.mul(c, c)
  let p = f32x4.add(f32x4.mul(TANH_P4, z), TANH_P3)
  let q = f32x4.add(f32x4.mul(TANH_Q4, z), TANH_Q3)
  p = f32x4.add(f32x4.mul(p, z), TANH_P2)
  q = f32x4.add(f32x4.mul(q, z), TANH_Q2)
  p = f32x4.add(f32x4.mul(p, z), TANH_P1)
  q = f32x4.add(f32x4.mul(q, z), TANH_Q1)
  p = f32x4.add(f32x4.mul(p, z), ONE)
  q = f32x4.add(f32x4.mul(q, z), ONE)
  const y = f32x4.div(f32x4.mul(c, p), q)
  return f32x4.pmax(f32x4.pmin(y, ONE), f32x4.neg(ONE))
}
