/** Comparison of float64 results that differ only in the order of their operations. */
import { assert } from "@effect/vitest"

/** Asserts |actual − expected| ≤ tolerance · max(1, |expected|) for each number. */
export const approximately = (
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  tolerance = 1e-9,
  what = "value"
): void => {
  assert.strictEqual(actual.length, expected.length, `${what}: length`)
  for (let k = 0; k < expected.length; k++) {
    const bound = tolerance * Math.max(1, Math.abs(expected[k]!))
    // Written so that NaN fails.
    if (!(Math.abs(actual[k]! - expected[k]!) <= bound)) {
      assert.fail(`${what}[${k}]: ${actual[k]} is not within ${bound} of ${expected[k]}`)
    }
  }
}
