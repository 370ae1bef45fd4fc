/**
 * The ziggurat's rare ways (Marsaglia and Tsang 2000), for all generators: what is drawn from the lowest layer's tail, and
 * whether a candidate at a layer's edge is taken. The common way is a few lines where the words are drawn.
 */
import { exp, log1p } from "../math/exponential.ts"
import * as exponential from "./ziggurat-exponential.ts"
import * as normal from "./ziggurat-normal.ts"

/** Uniform in [0, 1). */
interface Uniform {
  random(): number
}

/** An exponential variate from a candidate that is not inside its layer; `undefined` where another is to be drawn. */
export const rareExponential = (layer: number, x: number, uniform: Uniform): number | undefined => {
  if (layer === 0) return exponential.tailStart - log1p(-uniform.random())
  const above = exponential.height[layer - 1]!
  const below = exponential.height[layer]!
  return (above - below) * uniform.random() + below < exp(-x) ? x : undefined
}

/** A normal variate likewise; `low` is the candidate's lower word, of which a bit is the tail's sign. */
export const rareNormal = (layer: number, x: number, low: number, uniform: Uniform): number | undefined => {
  if (layer === 0) {
    for (;;) {
      const beyond = -normal.inverseTailStart * log1p(-uniform.random())
      const y = -log1p(-uniform.random())
      if (y + y > beyond * beyond) {
        return (low & 0x20000) === 0 ? normal.tailStart + beyond : -(normal.tailStart + beyond)
      }
    }
  }
  const above = normal.height[layer - 1]!
  const below = normal.height[layer]!
  return (above - below) * uniform.random() + below < exp(-0.5 * x * x) ? x : undefined
}
