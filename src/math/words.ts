/**
 * The two 32-bit words of a double, read and written through one shared buffer.
 * The fdlibm ports of this room test ranges and scale by powers of two with them.
 */

const double = new Float64Array(1)
const words = new Int32Array(double.buffer)
// Which half comes first depends on the machine, so it is asked once.
double[0] = 1
const high = words[1] === 0 ? 0 : 1
const low = 1 - high

/** Sign, exponent and the top 20 bits of the fraction, as a signed 32-bit integer. */
export const highWord = (x: number): number => {
  double[0] = x
  return words[high]!
}

/** `x` with its upper 32 bits replaced. */
export const withHighWord = (x: number, word: number): number => {
  double[0] = x
  words[high] = word
  return double[0]
}

/** 2^k, for -1022 <= k <= 1023. */
export const powerOfTwo = (k: number): number => {
  words[high] = (k + 1023) << 20
  words[low] = 0
  return double[0]!
}
