/** tanh in float64: a port of fdlibm's s_tanh.c over our own expm1. Error below 1 ulp, same bits everywhere. */
/*
 * Copyright (C) 1993 by Sun Microsystems, Inc. All rights reserved.
 * Developed at SunPro, a Sun Microsystems, Inc. business.
 * Permission to use, copy, modify, and distribute this software is freely granted, provided that this notice is
 * preserved.
 */
import { expm1 } from "./exponential.ts"

/** The hyperbolic tangent, in [-1, 1]. */
export const tanh = (x: number): number => {
  const magnitude = Math.abs(x)
  if (magnitude < 3.725290298461914e-9) return x // 2^-28; keeps -0
  let z = 1
  if (magnitude < 22) {
    const t = expm1(magnitude >= 1 ? 2 * magnitude : -2 * magnitude)
    z = magnitude >= 1 ? 1 - 2 / (t + 2) : -t / (t + 2)
  } else if (x !== x) {
    return x
  }
  return x < 0 ? -z : z
}
