// dprint-ignore-file: the formatter drops decorators of functions
/**
 * Optimizers and sums over flat arrays. Every number depends on its own element alone (or, in a sum over arrays, on the
 * order of the arrays), so that n numbers may be cut into slices anywhere, and each slice given to another thread.
 *
 * What is read and what is written may be different arrays (the old parameters stay as they were, so that the step can be
 * done again by somebody else) or the same. In PyTorch's form: no decay of weights, no momentum of its own.
 */

/** target[n] += addend[n] */
export function addInto(target: usize, addend: usize, n: i32): void {
  const end = target + (<usize>n << 2)
  for (; target + 16 <= end; target += 16, addend += 16) {
    v128.store(target, f32x4.add(v128.load(target), v128.load(addend)))
  }
  for (; target < end; target += 4, addend += 4) f32.store(target, f32.load(target) + f32.load(addend))
}

/**
 * target[n] = the sum of `count` arrays, the first at `arrays` and `stride` bytes between them, added in their order: the
 * same bits as starting from the first and adding the others with `addInto`.
 */
export function sumInto(target: usize, arrays: usize, stride: usize, count: i32, n: i32): void {
  const end = target + (<usize>n << 2)
  // A cache line of each array at a time.
  for (; target + 64 <= end; target += 64, arrays += 64) {
    let from = arrays
    let s0 = v128.load(from)
    let s1 = v128.load(from, 16)
    let s2 = v128.load(from, 32)
    let s3 = v128.load(from, 48)
    for (let k = 1; k < count; k++) {
      from += stride
      s0 = f32x4.add(s0, v128.load(from))
      s1 = f32x4.add(s1, v128.load(from, 16))
      s2 = f32x4.add(s2, v128.load(from, 32))
      s3 = f32x4.add(s3, v128.load(from, 48))
    }
    v128.store(target, s0)
    v128.store(target, s1, 16)
    v128.store(target, s2, 32)
    v128.store(target, s3, 48)
  }
  for (; target + 16 <= end; target += 16, arrays += 16) {
    let from = arrays
    let sum = v128.load(from)
    for (let k = 1; k < count; k++) {
      from += stride
      sum = f32x4.add(sum, v128.load(from))
    }
    v128.store(target, sum)
  }
  for (; target < end; target += 4, arrays += 4) {
    let from = arrays
    let sum = f32.load(from)
    for (let k = 1; k < count; k++) {
      from += stride
      sum += f32.load(from)
    }
    f32.store(target, sum)
  }
}

/** Σ g², in float64: even and odd elements of each half of four in their order, then the four sums, then what is left. */
export function squaredNorm(g: usize, n: i32): f64 {
  const end = g + (<usize>n << 2)
  let low = f64x2.splat(0)
  let high = low
  for (; g + 16 <= end; g += 16) {
    const l = f64x2.promote_low_f32x4(v128.load64_zero(g))
    const h = f64x2.promote_low_f32x4(v128.load64_zero(g, 8))
    low = f64x2.add(low, f64x2.mul(l, l))
    high = f64x2.add(high, f64x2.mul(h, h))
  }
  const both = f64x2.add(low, high)
  let sum = f64x2.extract_lane(both, 0) + f64x2.extract_lane(both, 1)
  for (; g < end; g += 4) sum += <f64>f32.load(g) * <f64>f32.load(g)
  return sum
}

/** A whole vector at `at`, or one number in its first lane: what is left goes through the same lanes. */
@inline
function load(at: usize, one: bool): v128 {
  return one ? v128.load32_zero(at) : v128.load(at)
}

/**
 * Zero in place of what is smaller than 2^-100. A moment whose gradients have ceased would shrink to a subnormal number
 * and stay one for ever, and with those the processor is several times slower; against any epsilon it counts nothing.
 */
@inline
function settled(v: v128): v128 {
  return v128.and(v, f32x4.ge(f32x4.abs(v), f32x4.splat(7.888609e-31)))
}

@inline
function store(at: usize, v: v128, one: bool): void {
  if (one) v128.store32_lane(at, v, 0)
  else v128.store(at, v)
}

/**
 * Adam (Kingma and Ba 2015, algorithm 1), epsilon outside the root:
 *
 *     g = gradientScale · gradient,  m' = beta1 m + (1 - beta1) g,  v' = beta2 v + (1 - beta2) g²
 *     p' = p - learningRate · (m' / biasCorrection1) / (√(v' / biasCorrection2) + epsilon)
 *
 * biasCorrection is 1 - beta^t of the t-th step.
 */
export function adam(
  paramsIn: usize, paramsOut: usize, gradients: usize, mIn: usize, mOut: usize, vIn: usize, vOut: usize, n: i32,
  gradientScale: f64, learningRate: f64, beta1: f64, beta2: f64, epsilon: f64, biasCorrection1: f64, biasCorrection2: f64
): void {
  const scale = f32x4.splat(<f32>gradientScale)
  const b1 = f32x4.splat(<f32>beta1)
  const c1 = f32x4.splat(<f32>(1 - beta1))
  const b2 = f32x4.splat(<f32>beta2)
  const c2 = f32x4.splat(<f32>(1 - beta2))
  const step = f32x4.splat(<f32>(learningRate / biasCorrection1))
  const root = f32x4.splat(<f32>(1 / sqrt(biasCorrection2)))
  const eps = f32x4.splat(<f32>epsilon)
  const bytes = <usize>n << 2
  const whole = bytes & ~15
  let at: usize = 0
  for (; at < whole; at += 16) {
    adamOf(
      paramsIn + at, paramsOut + at, gradients + at, mIn + at, mOut + at, vIn + at, vOut + at, scale, b1, c1, b2, c2,
      step, root, eps, false
    )
  }
  for (; at < bytes; at += 4) {
    adamOf(
      paramsIn + at, paramsOut + at, gradients + at, mIn + at, mOut + at, vIn + at, vOut + at, scale, b1, c1, b2, c2,
      step, root, eps, true
    )
  }
}

@inline
function adamOf(
  paramsIn: usize, paramsOut: usize, gradients: usize, mIn: usize, mOut: usize, vIn: usize, vOut: usize, scale: v128,
  b1: v128, c1: v128, b2: v128, c2: v128, step: v128, root: v128, eps: v128, one: bool
): void {
  const g = f32x4.mul(scale, load(gradients, one))
  const m = settled(f32x4.add(f32x4.mul(b1, load(mIn, one)), f32x4.mul(c1, g)))
  const v = settled(f32x4.add(f32x4.mul(b2, load(vIn, one)), f32x4.mul(c2, f32x4.mul(g, g))))
  const size = f32x4.add(f32x4.mul(f32x4.sqrt(v), root), eps)
  store(mOut, m, one)
  store(vOut, v, one)
  store(paramsOut, f32x4.sub(load(paramsIn, one), f32x4.div(f32x4.mul(step, m), size)), one)
}

/**
 * RMSProp (Tieleman and Hinton 2012):
 *
 *     g = gradientScale · gradient,  s' = alpha s + (1 - alpha) g²
 *     p' = p - learningRate · g / (√s' + epsilon),  or / √(s' + epsilon) where `epsilonInside` (TensorFlow's form)
 */
export function rmsprop(
  paramsIn: usize, paramsOut: usize, gradients: usize, squareIn: usize, squareOut: usize, n: i32, gradientScale: f64,
  learningRate: f64, alpha: f64, epsilon: f64, epsilonInside: i32
): void {
  const scale = f32x4.splat(<f32>gradientScale)
  const a = f32x4.splat(<f32>alpha)
  const c = f32x4.splat(<f32>(1 - alpha))
  const rate = f32x4.splat(<f32>learningRate)
  const inside = f32x4.splat(epsilonInside ? <f32>epsilon : <f32>0)
  const outside = f32x4.splat(epsilonInside ? <f32>0 : <f32>epsilon)
  const bytes = <usize>n << 2
  const whole = bytes & ~15
  let at: usize = 0
  for (; at < whole; at += 16) {
    rmspropOf(
      paramsIn + at, paramsOut + at, gradients + at, squareIn + at, squareOut + at, scale, a, c, rate, inside, outside,
      false
    )
  }
  for (; at < bytes; at += 4) {
    rmspropOf(
      paramsIn + at, paramsOut + at, gradients + at, squareIn + at, squareOut + at, scale, a, c, rate, inside, outside,
      true
    )
  }
}

@inline
function rmspropOf(
  paramsIn: usize, paramsOut: usize, gradients: usize, squareIn: usize, squareOut: usize, scale: v128, a: v128, c: v128,
  rate: v128, inside: v128, outside: v128, one: bool
): void {
  const g = f32x4.mul(scale, load(gradients, one))
  const s = settled(f32x4.add(f32x4.mul(a, load(squareIn, one)), f32x4.mul(c, f32x4.mul(g, g))))
  const size = f32x4.add(f32x4.sqrt(f32x4.add(s, inside)), outside)
  store(squareOut, s, one)
  store(paramsOut, f32x4.sub(load(paramsIn, one), f32x4.div(f32x4.mul(rate, g), size)), one)
}
