/** Elementary functions in float64 that give the same bits on every engine and machine. */
export { exp, expm1, log, log1p } from "./exponential.ts"
export { tanh } from "./hyperbolic.ts"
export { cos, sin } from "./trigonometric.ts"
export { cos32, sin32 } from "./trigonometric32.ts"
