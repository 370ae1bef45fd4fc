/**
 * Several choices at once, each with its own distribution over its own actions: the logits of all of them one after the
 * other, and an action is one number a choice. The choices are independent: log-probabilities and entropies add up.
 */
import { categorical } from "./categorical.ts"
import type { Distribution } from "./Distribution.ts"

/** `nvec[k]` actions to choose from in choice k. */
export const multiCategorical = (nvec: ReadonlyArray<number>): Distribution => {
  const outputs = nvec.reduce((sum, n) => sum + n, 0)
  let at = 0
  const choices = nvec.map((n, k) => {
    const from = at
    at += n
    return { k, from, to: at, choice: categorical(n) }
  })
  const sum = (f: (choice: (typeof choices)[number]) => number) => choices.reduce((total, own) => total + f(own), 0)
  return {
    outputs,
    freeParameters: 0,
    masks: outputs,
    action: { type: "int32", width: nvec.length },
    sample: (logits, random, into) => {
      for (const { choice, from, k, to } of choices) {
        choice.sample(logits.subarray(from, to), random, into.subarray(k, k + 1))
      }
    },
    mode: (logits, into) => {
      for (const { choice, from, k, to } of choices) choice.mode(logits.subarray(from, to), into.subarray(k, k + 1))
    },
    logProbability: (logits, action) =>
      sum(({ choice, from, k, to }) => choice.logProbability(logits.subarray(from, to), [action[k]!])),
    entropy: (logits) => sum(({ choice, from, to }) => choice.entropy(logits.subarray(from, to))),
    gradient: (logits, action, dLogProbability, dEntropy, into) => {
      for (const { choice, from, k, to } of choices) {
        choice.gradient(logits.subarray(from, to), [action[k]!], dLogProbability, dEntropy, into.subarray(from, to))
      }
    }
  }
}
