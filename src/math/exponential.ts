/**
 * exp, expm1, log and log1p in float64: ports of Sun's fdlibm (e_exp.c, s_expm1.c, e_log.c, s_log1p.c; log1p in
 * FreeBSD's version). The functions of a JavaScript engine may differ in the last bit from one engine or release to
 * the next; these are plain IEEE double arithmetic and give the same bits everywhere. Error below 1 ulp.
 */
/*
 * Copyright (C) 1993, 2004 by Sun Microsystems, Inc. All rights reserved.
 * Developed at SunPro and SunSoft, Sun Microsystems, Inc. businesses.
 * Permission to use, copy, modify, and distribute this software is freely granted, provided that this notice is
 * preserved.
 */
import { highWord, powerOfTwo, withHighWord } from "./words.ts"

const ln2High = 6.93147180369123816490e-01
const ln2Low = 1.90821492927058770002e-10
const inverseLn2 = Math.LOG2E
const overflowAbove = 7.09782712893383973096e+02
const underflowBelow = -7.45133219101941108420e+02
const twoTo54 = 1.80143985094819840000e+16
const twoTo1023 = 8.98846567431157953865e+307
const twoToMinus1000 = 9.33263618503218878990e-302

const P1 = 1.66666666666666019037e-01
const P2 = -2.77777777770155933842e-03
const P3 = 6.61375632143793436117e-05
const P4 = -1.65339022054652515390e-06
const P5 = 4.13813679705723846039e-08

/** eˣ. Overflows to Infinity above 709.78, underflows to 0 below -745.13. */
export const exp = (x: number): number => {
  const word = highWord(x)
  const magnitude = word & 0x7fffffff
  if (magnitude >= 0x40862e42) {
    if (magnitude >= 0x7ff00000) return x !== x ? x : word > 0 ? x : 0
    if (x > overflowAbove) return Infinity
    if (x < underflowBelow) return 0
  }
  // x = k ln2 + r with |r| <= ln2 / 2; r is held as high - low.
  let k = 0
  let high = x
  let low = 0
  let r = x
  if (magnitude > 0x3fd62e42) {
    if (x === 1) return Math.E
    if (magnitude < 0x3ff0a2b2) k = word < 0 ? -1 : 1
    else k = (inverseLn2 * x + (word < 0 ? -0.5 : 0.5)) | 0
    high = x - k * ln2High
    low = k * ln2Low
    r = high - low
  } else if (magnitude < 0x3e300000) {
    return 1 + x
  }
  const t = r * r
  const c = r - t * (P1 + t * (P2 + t * (P3 + t * (P4 + t * P5))))
  if (k === 0) return 1 - ((r * c) / (c - 2) - r)
  const y = 1 - ((low - (r * c) / (2 - c)) - high)
  if (k === 1024) return y * 2 * twoTo1023
  return k >= -1021 ? y * powerOfTwo(k) : y * powerOfTwo(k + 1000) * twoToMinus1000
}

const Q1 = -3.33333333333331316428e-02
const Q2 = 1.58730158725481460165e-03
const Q3 = -7.93650757867487942473e-05
const Q4 = 4.00821782732936239552e-06
const Q5 = -2.01099218183624371326e-07

/** eˣ - 1, accurate near 0. */
export const expm1 = (x: number): number => {
  const word = highWord(x)
  const magnitude = word & 0x7fffffff
  if (magnitude >= 0x4043687a) { // |x| >= 56 ln2
    if (x !== x) return x
    if (word < 0) return -1
    if (x > overflowAbove) return Infinity
  }
  let k = 0
  let r = x
  let c = 0
  if (magnitude > 0x3fd62e42) {
    if (magnitude < 0x3ff0a2b2) k = word < 0 ? -1 : 1
    else k = (inverseLn2 * x + (word < 0 ? -0.5 : 0.5)) | 0
    const high = x - k * ln2High
    const low = k * ln2Low
    r = high - low
    c = (high - r) - low
  } else if (magnitude < 0x3c900000) {
    return x
  }
  const half = 0.5 * r
  const halfSquare = r * half
  const r1 = 1 + halfSquare * (Q1 + halfSquare * (Q2 + halfSquare * (Q3 + halfSquare * (Q4 + halfSquare * Q5))))
  const t = 3 - r1 * half
  let e = halfSquare * ((r1 - t) / (6 - r * t))
  if (k === 0) return r - (r * e - halfSquare)
  e = r * (e - c) - c
  e -= halfSquare
  if (k === -1) return 0.5 * (r - e) - 0.5
  if (k === 1) return r < -0.25 ? -2 * (e - (r + 0.5)) : 1 + 2 * (r - e)
  if (k <= -2 || k > 56) {
    const y = 1 - (e - r)
    return (k === 1024 ? y * 2 * twoTo1023 : y * powerOfTwo(k)) - 1
  }
  if (k < 20) return ((1 - powerOfTwo(-k)) - (e - r)) * powerOfTwo(k)
  return ((r - (e + powerOfTwo(-k))) + 1) * powerOfTwo(k)
}

const L1 = 6.666666666666735130e-01
const L2 = 3.999999999940941908e-01
const L3 = 2.857142874366239149e-01
const L4 = 2.222219843214978396e-01
const L5 = 1.818357216161805012e-01
const L6 = 1.531383769920937332e-01
const L7 = 1.479819860511658591e-01

/** The natural logarithm. -Infinity at 0, NaN below. */
export const log = (x: number): number => {
  let word = highWord(x)
  let k = 0
  if (word < 0x00100000) { // below the smallest normal number, or negative
    if (x === 0) return -Infinity
    if (word < 0) return NaN
    k = -54
    x *= twoTo54
    word = highWord(x)
  }
  if (word >= 0x7ff00000) return x
  // x = 2^k (1 + f) with sqrt(1/2) < 1 + f < sqrt(2)
  k += (word >> 20) - 1023
  word &= 0x000fffff
  const carry = (word + 0x95f64) & 0x100000
  k += carry >> 20
  const f = withHighWord(x, word | (carry ^ 0x3ff00000)) - 1
  if ((0x000fffff & (2 + word)) < 3) { // |f| < 2^-20
    if (f === 0) return k === 0 ? 0 : k * ln2High + k * ln2Low
    const R = f * f * (0.5 - 0.3333333333333333 * f)
    return k === 0 ? f - R : k * ln2High - ((R - k * ln2Low) - f)
  }
  const s = f / (2 + f)
  const z = s * s
  const w = z * z
  const R = z * (L1 + w * (L3 + w * (L5 + w * L7))) + w * (L2 + w * (L4 + w * L6))
  if (((word - 0x6147a) | (0x6b851 - word)) > 0) {
    const halfSquare = 0.5 * f * f
    if (k === 0) return f - (halfSquare - s * (halfSquare + R))
    return k * ln2High - ((halfSquare - (s * (halfSquare + R) + k * ln2Low)) - f)
  }
  if (k === 0) return f - s * (f - R)
  return k * ln2High - ((s * (f - R) - k * ln2Low) - f)
}

/** log(1 + x), accurate near 0. -Infinity at -1, NaN below. */
export const log1p = (x: number): number => {
  const word = highWord(x)
  const magnitude = word & 0x7fffffff
  if (word < 0 && magnitude >= 0x3ff00000) return x === -1 ? -Infinity : NaN
  if (word >= 0x7ff00000) return x
  let k = 1
  let f = x
  let c = 0
  let fraction = 1
  if (word < 0x3fda827a) { // 1 + x < sqrt(2)
    if (magnitude < 0x3e200000) return magnitude < 0x3c900000 ? x : x - x * x * 0.5
    if (word > 0 || magnitude < 0x3fd2bec4) k = 0 // sqrt(1/2) <= 1 + x
  }
  if (k !== 0) {
    let u = x
    if (word < 0x43400000) {
      u = 1 + x
      k = (highWord(u) >> 20) - 1023
      // What was lost in rounding 1 + x: log(1 + x) - log(u) ~ c / u.
      c = (k > 0 ? 1 - (u - x) : x - (u - 1)) / u
    } else {
      k = (word >> 20) - 1023
    }
    fraction = highWord(u) & 0x000fffff
    if (fraction < 0x6a09e) {
      u = withHighWord(u, fraction | 0x3ff00000)
    } else {
      k += 1
      u = withHighWord(u, fraction | 0x3fe00000)
      fraction = (0x00100000 - fraction) >> 2
    }
    f = u - 1
  }
  const halfSquare = 0.5 * f * f
  if (fraction === 0) { // |f| < 2^-20
    if (f === 0) return k === 0 ? 0 : k * ln2High + (c + k * ln2Low)
    const R = halfSquare * (1 - 0.6666666666666666 * f)
    return k === 0 ? f - R : k * ln2High - ((R - (k * ln2Low + c)) - f)
  }
  const s = f / (2 + f)
  const z = s * s
  const R = z * (L1 + z * (L2 + z * (L3 + z * (L4 + z * (L5 + z * (L6 + z * L7))))))
  if (k === 0) return f - (halfSquare - s * (halfSquare + R))
  return k * ln2High - ((halfSquare - (s * (halfSquare + R) + (k * ln2Low + c))) - f)
}
