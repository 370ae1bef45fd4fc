// dprint-ignore-file: the formatter drops decorators of functions
/** The hidden layers' activation functions over arrays, and their derivatives from what they put out. */
import { exp4, log4, tanh4 } from "./elementary"

/** tanh in place. (relu costs nothing of its own: `denseLayer` takes a floor.) */
export function tanhInPlace(values: usize, n: i32): void {
  const end = values + (<usize>n << 2)
  let at = values
  for (; at + 16 <= end; at += 16) v128.store(at, tanh4(v128.load(at)))
  for (; at < end; at += 4) f32.store(at, f32x4.extract_lane(tanh4(v128.load32_splat(at)), 0))
}

/** delta · f'(z), of four lanes, where `active` = f(z): 1 - tanh², or 1 where relu let something through. */
@inline
export function throughActivation(delta: v128, active: v128, relu: bool): v128 {
  return relu
    ? v128.and(delta, f32x4.gt(active, f32x4.splat(0)))
    : f32x4.mul(delta, f32x4.sub(f32x4.splat(1), f32x4.mul(active, active)))
}

/** exp over an array, as the other kernels compute it. */
export function exponential(input: usize, output: usize, n: i32): void {
  for (let end = input + (<usize>n << 2); input < end; input += 4, output += 4) {
    f32.store(output, f32x4.extract_lane(exp4(v128.load32_splat(input)), 0))
  }
}

/** log over an array, as the other kernels compute it. */
export function logarithm(input: usize, output: usize, n: i32): void {
  for (let end = input + (<usize>n << 2); input < end; input += 4, output += 4) {
    f32.store(output, f32x4.extract_lane(log4(v128.load32_splat(input)), 0))
  }
}

/** tanh over an array, as the other kernels compute it. */
export function hyperbolicTangent(input: usize, output: usize, n: i32): void {
  memory.copy(output, input, <usize>n << 2)
  tanhInPlace(output, n)
}
