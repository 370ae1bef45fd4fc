/** Masks: which actions are legal. */
import type { FloatArray } from "./Layer.ts"

/** The lowest finite float32: the logit of what is not legal, as it is never taken and no arithmetic ends in NaN. */
export const lowestLogit = -3.4028234663852886e38

/**
 * Takes the logits of what is not legal as low as can be, in place. `mask` has a number a logit, 0 where it is not legal;
 * in every choice something must be.
 */
export const applyMask = (logits: FloatArray, mask: ArrayLike<number>): void => {
  for (let j = 0; j < logits.length; j++) if (mask[j] === 0) logits[j] = lowestLogit
}
