/**
 * Sine and cosine of float32 numbers as NumPy's vector loops compute them: reduced to [-pi/4, pi/4] in three parts (Cody
 * and Waite), then a polynomial, all in float32 with fused multiply-add. Good to 1.5 units in the last place.
 *
 * numpy/_core/src/umath/loops_trigonometric.dispatch
 */

const float32 = Math.fround

/** a * b + c, rounded once: the product of two float32 numbers is exact in a double. */
const fused = (a: number, b: number, c: number): number => float32(a * b + c)

const twoOverPi = 0.6366197466850281
/** Adding and taking away 1.5 * 2^23 rounds a float32 to an integer. */
const toInteger = 12582912

const sine = (x: number, square: number): number => {
  const third = fused(
    fused(fused(2.8404097065504175e-6, square, -0.00019856491417158395), square, 0.008333397097885609),
    square,
    -0.1666666716337204
  )
  return fused(float32(third * square), x, x)
}

const cosine = (square: number): number =>
  fused(
    fused(
      fused(fused(0.000024372266125283204, square, -0.001388652017340064), square, 0.04166661947965622),
      square,
      -0.5
    ),
    square,
    1
  )

/** Sine of the float32 number `x`, or its cosine where `shift` is 1. */
const trigonometric = (x: number, shift: 0 | 1): number => {
  const quarters = float32(float32(float32(x * twoOverPi) + toInteger) - toInteger)
  const reduced = fused(
    quarters,
    -5.390302529957765e-15,
    fused(quarters, -3.1391647326017846e-7, fused(quarters, -1.570796012878418, x))
  )
  const square = float32(reduced * reduced)
  const quadrant = quarters + shift
  const value = (quadrant & 1) === 0 ? sine(reduced, square) : cosine(square)
  return (quadrant & 2) === 0 ? value : -value
}

/** Sine of a float32 number of at most 117435 in size. */
export const sin32 = (x: number): number => trigonometric(x, 0)

/** Cosine of a float32 number of at most 71476 in size. */
export const cos32 = (x: number): number => trigonometric(x, 1)
