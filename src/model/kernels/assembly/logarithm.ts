// dprint-ignore-file: the formatter drops decorators of functions
/**
 * The natural logarithm of a positive normal float64: the bits of `src/math`, whose port of Sun's fdlibm (e_log.c,
 * copyright 1993 by Sun Microsystems, Inc.; permission to use, copy, modify and distribute is freely granted, provided
 * that this notice is preserved) this follows operation by operation.
 */

const LN2_HIGH: f64 = 6.93147180369123816490e-01
const LN2_LOW: f64 = 1.90821492927058770002e-10
const L1: f64 = 6.666666666666735130e-01
const L2: f64 = 3.999999999940941908e-01
const L3: f64 = 2.857142874366239149e-01
const L4: f64 = 2.222219843214978396e-01
const L5: f64 = 1.818357216161805012e-01
const L6: f64 = 1.531383769920937332e-01
const L7: f64 = 1.479819860511658591e-01

export function log64(x: f64): f64 {
  const bits = reinterpret<u64>(x)
  let word = <i32>(bits >> 32)
  let exponent = (word >> 20) - 1023
  word &= 0x000fffff
  const carry = (word + 0x95f64) & 0x100000
  exponent += carry >> 20
  const f = reinterpret<f64>((<u64>(word | (carry ^ 0x3ff00000)) << 32) | (bits & 0xffffffff)) - 1
  const k = <f64>exponent
  if ((0x000fffff & (2 + word)) < 3) {
    if (f == 0) return k * LN2_HIGH + k * LN2_LOW
    const R = f * f * (0.5 - 0.3333333333333333 * f)
    return exponent == 0 ? f - R : k * LN2_HIGH - ((R - k * LN2_LOW) - f)
  }
  const s = f / (2 + f)
  const z = s * s
  const w = z * z
  const R = z * (L1 + w * (L3 + w * (L5 + w * L7))) + w * (L2 + w * (L4 + w * L6))
  if (((word - 0x6147a) | (0x6b851 - word)) > 0) {
    const halfSquare = 0.5 * f * f
    if (exponent == 0) return f - (halfSquare - s * (halfSquare + R))
    return k * LN2_HIGH - ((halfSquare - (s * (halfSquare + R) + k * LN2_LOW)) - f)
  }
  if (exponent == 0) return f - s * (f - R)
  return k * LN2_HIGH - ((s * (f - R) - k * LN2_LOW) - f)
}
