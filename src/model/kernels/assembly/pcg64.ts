// dprint-ignore-file: the formatter drops decorators of functions
/**
 * One draw of NumPy's PCG64 (O'Neill's XSL-RR 128/64 with the full 128-bit multiplier), on the ten words that
 * `src/random` keeps: state (low, high), increment (low, high), has_uint32, uinteger.
 */

const MULTIPLIER_HIGH: u64 = 0x2360ed051fc65da4
const MULTIPLIER_LOW: u64 = 0x4385df649fccf645

/** High half of a 64 x 64 bit product. */
@inline
function multiplyHigh(a: u64, b: u64): u64 {
  const aLow = a & 0xffffffff
  const aHigh = a >> 32
  const bLow = b & 0xffffffff
  const bHigh = b >> 32
  const middle = aHigh * bLow + ((aLow * bLow) >> 32)
  const carry = aLow * bHigh + (middle & 0xffffffff)
  return aHigh * bHigh + (middle >> 32) + (carry >> 32)
}

/** Advances the stream of ten words in place and answers `Generator.random()`: a double in [0, 1), 53 bits. */
@inline
export function uniform(stream: usize): f64 {
  const low = load<u64>(stream)
  const high = load<u64>(stream, 8)
  const incrementLow = load<u64>(stream, 16)
  const productLow = low * MULTIPLIER_LOW
  const nextLow = productLow + incrementLow
  const nextHigh = multiplyHigh(low, MULTIPLIER_LOW) + high * MULTIPLIER_LOW + low * MULTIPLIER_HIGH +
    load<u64>(stream, 24) + u64(nextLow < productLow)
  store<u64>(stream, nextLow)
  store<u64>(stream, nextHigh, 8)
  const word = rotr<u64>(nextHigh ^ nextLow, nextHigh >> 58)
  return <f64>(word >> 11) * (1.0 / 9007199254740992.0)
}
