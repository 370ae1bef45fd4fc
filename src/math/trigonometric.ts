/**
 * sin and cos in float64: fdlibm's kernels (k_sin.c, k_cos.c in FreeBSD's version), Cody and Waite reduction up to
 * 2^20 pi/2 (e_rem_pio2.c), and above that Payne and Hanek's with integers. Error below 1 ulp, same bits everywhere.
 * The C library's sin and cos (which NumPy calls) differ from these in the last bit for about 1 argument in 50.
 */
/*
 * Copyright (C) 1993 by Sun Microsystems, Inc. All rights reserved.
 * Developed at SunPro and SunSoft, Sun Microsystems, Inc. businesses.
 * Permission to use, copy, modify, and distribute this software is freely granted, provided that this notice is
 * preserved. Optimized by Bruce D. Evans.
 */
import { highWord } from "./words.ts"

const S1 = -1.66666666666666324348e-01
const S2 = 8.33333333332248946124e-03
const S3 = -1.98412698298579493134e-04
const S4 = 2.75573137070700676789e-06
const S5 = -2.50507602534068634195e-08
const S6 = 1.58969099521155010221e-10

const C1 = 4.16666666666666019037e-02
const C2 = -1.38888888888741095749e-03
const C3 = 2.48015872894767294178e-05
const C4 = -2.75573143513906633035e-07
const C5 = 2.08757232129817482790e-09
const C6 = -1.13596475577881948265e-11

const quarterPi = 0.7853981633974483
const twoToMinus27 = 7.450580596923828e-9

/** sin(x + y) for |x| <= pi/4, where y is the tail of x. */
const kernelSin = (x: number, y: number): number => {
  const z = x * x
  const v = z * x
  const r = S2 + z * (S3 + z * (S4 + z * (S5 + z * S6)))
  return x - ((z * (0.5 * y - v * r) - y) - v * S1)
}

/** cos(x + y) for |x| <= pi/4, where y is the tail of x. */
const kernelCos = (x: number, y: number): number => {
  const z = x * x
  const z2 = z * z
  const r = z * (C1 + z * (C2 + z * C3)) + z2 * z2 * (C4 + z * (C5 + z * C6))
  const half = 0.5 * z
  const w = 1 - half
  return w + (((1 - w) - half) + (z * r - x * y))
}

const twoOverPi = 6.36619772367581382433e-01
const roundingShift = 6755399441055744 // 1.5 * 2^52
/** pi/2 in pieces of 33 bits, each with the tail that follows it. */
const halfPi1 = 1.57079632673412561417
const halfPi1Tail = 6.07710050650619224932e-11
const halfPi2 = 6.07710050630396597660e-11
const halfPi2Tail = 2.02226624879595063154e-21
const halfPi3 = 2.02226624871116645580e-21
const halfPi3Tail = 8.47842766036889956997e-32
const mediumBelow = 1647099 // 2^20 pi/2

const exponentOf = (x: number): number => (highWord(x) >> 20) & 0x7ff

/** The remainder of the last reduction, and its tail. */
const remainder = new Float64Array(2)

/** Writes x - n pi/2 to `remainder` and returns n modulo 4. */
const reduce = (x: number): number => {
  if (Math.abs(x) >= mediumBelow) return reduceHuge(x)
  const n = (x * twoOverPi + roundingShift) - roundingShift
  let r = x - n * halfPi1
  let w = n * halfPi1Tail
  let head = r - w
  const exponent = exponentOf(x)
  // Each round adds 33 bits where cancellation ate them.
  if (exponent - exponentOf(head) > 16) {
    const before = r
    w = n * halfPi2
    r = before - w
    w = n * halfPi2Tail - ((before - r) - w)
    head = r - w
    if (exponent - exponentOf(head) > 49) {
      const before = r
      w = n * halfPi3
      r = before - w
      w = n * halfPi3Tail - ((before - r) - w)
      head = r - w
    }
  }
  remainder[0] = head
  remainder[1] = (r - head) - w
  return n & 3
}

/** The first 1296 bits of 2/pi after the binary point; the largest double needs 971 + 53 and the guard. */
const twoOverPiBits = BigInt(
  "0xa2f9836e4e441529fc2757d1f534ddc0db6295993c439041fe5163abdebbc561b7246e3a424dd2e006492eea09d1921cfe1deb1cb129" +
    "a73ee88235f52ebb4484e99c7026b45f7e413991d639835339f49c845f8bbdf9283b1ff897ffde05980fef2f118b5a0a6d1f6d367ecf" +
    "27cb09b74f463f669e5fea2d7527bac7ebe5f17b3d0739f78a5292ea6bfb5fb11f8d5d0856033046fc7b6babf0cfbc209af4361da9e3"
)
const twoOverPiWidth = 24 * 54
/** pi/2, 188 bits after the binary point. */
const halfPiBits = 0x1921fb54442d18469898cc51701b839a252049c1114cf98en
const halfPiWidth = 188

/** The same for |x| >= 2^20 pi/2: x is an integer times a power of two, so the product with 2/pi is exact. */
const reduceHuge = (x: number): number => {
  // |x| = mantissa * 2^shift
  let magnitude = Math.abs(x)
  let shift = 0
  while (magnitude >= 9007199254740992) {
    magnitude *= 0.5
    shift += 1
  }
  while (magnitude < 4503599627370496) {
    magnitude *= 2
    shift -= 1
  }
  const width = twoOverPiWidth - shift
  const product = BigInt(magnitude) * twoOverPiBits
  let n = Number((product >> BigInt(width)) & 3n)
  let fraction = BigInt.asUintN(width, product)
  if (fraction >> BigInt(width - 1) === 1n) {
    n += 1
    fraction -= 1n << BigInt(width)
  }
  const exact = fraction * halfPiBits
  // Down to at most 900 bits, so that both parts fit a double before they are scaled.
  const surplus = Math.max(0, width + halfPiWidth - 900)
  const kept = exact >> BigInt(surplus)
  let head = Number(kept)
  let tail = Number(kept - BigInt(head))
  for (let scale = width + halfPiWidth - surplus; scale > 0; scale -= 30) {
    const factor = scale >= 30 ? 9.313225746154785e-10 : 1 / (1 << scale)
    head *= factor
    tail *= factor
  }
  remainder[0] = x < 0 ? -head : head
  remainder[1] = x < 0 ? -tail : tail
  return (x < 0 ? -n : n) & 3
}

/** The sine of `x` radians. NaN for infinities. */
export const sin = (x: number): number => {
  if (Math.abs(x) <= quarterPi) {
    if (Math.abs(x) < twoToMinus27) return x
    const z = x * x
    return x + z * x * (S1 + z * (S2 + z * (S3 + z * (S4 + z * (S5 + z * S6)))))
  }
  if (x - x !== 0) return NaN
  const n = reduce(x)
  const y = (n & 1) === 0 ? kernelSin(remainder[0]!, remainder[1]!) : kernelCos(remainder[0]!, remainder[1]!)
  return (n & 2) === 0 ? y : -y
}

/** The cosine of `x` radians. NaN for infinities. */
export const cos = (x: number): number => {
  if (Math.abs(x) <= quarterPi) return kernelCos(x, 0)
  if (x - x !== 0) return NaN
  const n = reduce(x)
  const y = (n & 1) === 0 ? kernelCos(remainder[0]!, remainder[1]!) : kernelSin(remainder[0]!, remainder[1]!)
  return n === 1 || n === 2 ? -y : y
}
