/**
 * Independent yes-or-no choices: each is 1 with probability p = 1 / (1 + e⁻ᶻ) of its logit z. Everything is told from
 * e⁻|ᶻ|, which cannot overflow, so that no digit is lost however certain a choice is.
 */
import { exp, log1p } from "../../math/index.ts"
import type { Distribution } from "./Distribution.ts"

/** p, and 1 − p without the digits that a subtraction would lose. */
const probabilities = (z: number): readonly [p: number, q: number] => {
  const e = exp(-Math.abs(z))
  const likely = 1 / (1 + e)
  const unlikely = e / (1 + e)
  return z >= 0 ? [likely, unlikely] : [unlikely, likely]
}

/** log(1 + e⁻|ᶻ|): what both logarithms have in common. */
const common = (z: number): number => log1p(exp(-Math.abs(z)))

/** log of the probability of `bit`: −log(1 + e^∓ᶻ). */
const logOf = (z: number, bit: number): number => (bit === 1 ? Math.min(z, 0) : Math.min(-z, 0)) - common(z)

/** `n` choices. `parameters` are their logits. */
export const bernoulli = (n: number): Distribution => {
  const sum = (f: (k: number) => number): number => {
    let total = 0
    for (let k = 0; k < n; k++) total += f(k)
    return total
  }
  return {
    outputs: n,
    freeParameters: 0,
    masks: n,
    action: { type: "int32", width: n },
    /** One uniform number a choice: 1 where it is below p. */
    sample: (logits, random, into) => {
      for (let k = 0; k < n; k++) into[k] = random.random() < probabilities(logits[k]!)[0] ? 1 : 0
    },
    mode: (logits, into) => {
      for (let k = 0; k < n; k++) into[k] = logits[k]! > 0 ? 1 : 0
    },
    logProbability: (logits, action) => sum((k) => logOf(logits[k]!, action[k]!)),
    // H = log(1 + e⁻|ᶻ|) + |z| · the smaller probability.
    entropy: (logits) =>
      sum((k) => {
        const z = logits[k]!
        const smaller = Math.min(...probabilities(z))
        return common(z) + (smaller > 0 ? Math.abs(z) * smaller : 0)
      }),
    // ∂log p(a)/∂z = a − p and ∂H/∂z = −z p (1 − p).
    gradient: (logits, action, dLogProbability, dEntropy, into) => {
      for (let k = 0; k < n; k++) {
        const z = logits[k]!
        const [p, q] = probabilities(z)
        const certain = p * q
        into[k] = dLogProbability * (action[k] === 1 ? q : -p) - (certain > 0 ? dEntropy * z * certain : 0)
      }
    }
  }
}
