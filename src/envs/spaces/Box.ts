/** A space of fixed-length vectors of numbers with a lower and an upper bound each (Gymnasium's `spaces.Box`). */
import * as Schema from "effect/Schema"
import type { Entropy, Pcg64 } from "../../random/index.ts"
import { type Dtype, dtypes, isDtype } from "./dtypes.ts"
import { type Sampler, streamSampler } from "./Sampler.ts"
import { flatten, isList, nest, shownShape, sizeOf } from "./shapes.ts"
import { type AnySpace, type FlatArray, isPositiveInteger, registerSpace } from "./Space.ts"

declare module "./Space.ts" {
  interface Spaces {
    readonly Box: Box
  }
}

export interface BoxOptions {
  /** One bound for all elements, or one each. May be -Infinity, save for unsigned integers. */
  readonly low: number | ArrayLike<number>
  /** One bound for all elements, or one each. May be Infinity, save for unsigned integers. */
  readonly high: number | ArrayLike<number>
  /** Lengths of the dimensions, row-major. By default one dimension, as long as the bounds. */
  readonly shape?: ReadonlyArray<number>
  /** What bounds and samples are rounded to; "float32" by default, as in Gymnasium. 64-bit integers are exact up to 2^53. */
  readonly dtype?: Dtype
}

/** Up to here float32 has every integer. */
const everyInteger = 16777216

/** One number where all bounds are the same, the list of them otherwise. */
const shown = (bounds: Float64Array): string =>
  new Set(bounds).size === 1
    ? `${bounds[0]}`
    : `[${Array.from(bounds, (bound) => Number(bound.toPrecision(8))).join(", ")}]`

const asIs = (bound: number): number => bound

export class Box implements AnySpace {
  readonly _tag = "Box"
  readonly streams = 1
  readonly shape: ReadonlyArray<number>
  readonly dtype: Dtype
  /** How many numbers an element has, flattened. */
  readonly size: number
  /** The bounds, one each. Where a signed integer has none, the least or greatest of its kind. */
  readonly low: Float64Array
  readonly high: Float64Array
  /** Whether there is a bound: 1, or 0. Decides from which distribution a number is drawn. */
  readonly boundedBelow: Uint8Array
  readonly boundedAbove: Uint8Array

  constructor(options: BoxOptions) {
    const { low, high } = options
    this.dtype = options.dtype ?? "float32"
    this.shape = options.shape ?? [typeof low !== "number" ? low.length : typeof high !== "number" ? high.length : 1]
    this.size = sizeOf(this.shape)
    const { kind, max, min, round } = dtypes[this.dtype]
    const bounds = (value: number | ArrayLike<number>): Float64Array =>
      typeof value === "number" ? new Float64Array(this.size).fill(value) : Float64Array.from(value)
    this.low = bounds(low)
    this.high = bounds(high)
    this.boundedBelow = Uint8Array.from(this.low, (bound) => bound === -Infinity ? 0 : 1)
    this.boundedAbove = Uint8Array.from(this.high, (bound) => bound === Infinity ? 0 : 1)
    for (let i = 0; i < this.low.length; i++) {
      this.low[i] = kind === "int" && this.boundedBelow[i] === 0 ? min : round(this.low[i]!)
    }
    for (let i = 0; i < this.high.length; i++) {
      this.high[i] = kind === "int" && this.boundedAbove[i] === 0 ? max : round(this.high[i]!)
    }
  }

  /**
   * Whether `value` is a vector of this space. An unbounded side still wants a finite number. In a Float32Array a bound
   * counts as float32 has it, for a number at the bound cannot be written there otherwise.
   */
  contains(value: unknown): value is ArrayLike<number> {
    if (!isList(value) || value.length !== this.size) return false
    const { kind } = dtypes[this.dtype]
    const written = value instanceof Float32Array ? Math.fround : asIs
    for (let i = 0; i < this.size; i++) {
      const entry = value[i]
      if (typeof entry !== "number" || !Number.isFinite(entry)) return false
      if (entry < written(this.low[i]!) || entry > written(this.high[i]!)) return false
      if (kind !== "float" && !Number.isInteger(entry)) return false
    }
    return true
  }

  /**
   * Draws an element as Gymnasium does: uniform between two bounds, exponential beyond one, normal where there is none,
   * in the order normal, lower-bounded, upper-bounded, bounded. Integers are the floor of such draws, the upper bound
   * being one higher.
   */
  sample(random: Pcg64, out: Float64Array = new Float64Array(this.size)): Float64Array {
    const { boundedAbove, boundedBelow, high, low, size } = this
    const { kind, max, min, round } = dtypes[this.dtype]
    const above = kind === "float" ? 0 : 1
    for (let i = 0; i < size; i++) {
      if (boundedBelow[i] === 0 && boundedAbove[i] === 0) out[i] = random.standardNormal()
    }
    for (let i = 0; i < size; i++) {
      if (boundedBelow[i] === 1 && boundedAbove[i] === 0) out[i] = random.standardExponential() + low[i]!
    }
    for (let i = 0; i < size; i++) {
      if (boundedBelow[i] === 0 && boundedAbove[i] === 1) out[i] = -random.standardExponential() + (high[i]! + above)
    }
    for (let i = 0; i < size; i++) {
      if (boundedBelow[i] === 1 && boundedAbove[i] === 1) out[i] = random.uniform(low[i]!, high[i]! + above)
    }
    for (let i = 0; i < size; i++) {
      if (kind === "float") out[i] = round(out[i]!)
      else out[i] = Math.min(max, Math.max(min, Math.floor(out[i]!)))
      if (this.dtype === "int64") out[i] = Math.min(high[i]!, Math.max(low[i]!, out[i]!))
    }
    return out
  }

  sampler(seed: Entropy, into?: Uint32Array): Sampler<Float64Array, undefined> {
    return streamSampler((random) => this.sample(random), seed, into)
  }

  /** Writes `value` as the `size` numbers a network is given. */
  encode(value: ArrayLike<number>, out: FlatArray): void {
    for (let i = 0; i < this.size; i++) out[i] = value[i]!
  }

  /** The element those numbers stand for, in memory of its own. */
  decode<Flat extends FlatArray = Float32Array>(flat: Flat): Flat
  decode(flat: FlatArray): FlatArray {
    return flat instanceof Float32Array && flat.length === this.size
      ? new Float32Array(flat)
      : flat.slice(0, this.size)
  }

  decodeProblem(): undefined {
    return undefined
  }

  float32Loss(): string | undefined {
    const { kind } = dtypes[this.dtype]
    for (let i = 0; i < this.size; i++) {
      for (const [bound, bounded] of [[this.low[i]!, this.boundedBelow[i]], [this.high[i]!, this.boundedAbove[i]]]) {
        if (bound === undefined || bounded !== 1) continue
        if (kind !== "float" && Math.abs(bound) > everyInteger) {
          return `has integers up to ${bound} at ${i}, and float32 has every one up to ${everyInteger} only: scale them`
        }
        const rounded = Math.fround(bound)
        if (rounded - rounded !== 0) return `has the bound ${bound} at ${i}, more than float32 can hold: scale it`
      }
    }
    return undefined
  }

  encodeJson(value: ArrayLike<number>): Schema.Json {
    return nest(value, this.shape)
  }

  decodeJson(json: unknown): Float64Array | undefined {
    const values = flatten(json, this.shape)
    return this.contains(values) ? Float64Array.from(values) : undefined
  }

  toJSON(): Schema.JsonObject {
    const bounds = (values: Float64Array, bounded: Uint8Array, infinite: string): Schema.Json => {
      const all = Array.from(values, (bound, i) => bounded[i] === 1 ? bound : infinite)
      return new Set(all).size === 1 ? all[0]! : all
    }
    return {
      type: "Box",
      low: bounds(this.low, this.boundedBelow, "-Infinity"),
      high: bounds(this.high, this.boundedAbove, "Infinity"),
      shape: [...this.shape],
      dtype: this.dtype
    }
  }

  toString(): string {
    return `Box(${shown(this.low)}, ${shown(this.high)}, ${shownShape(this.shape)}, ${this.dtype})`
  }
}

const Low = Schema.Union([Schema.Finite, Schema.Literal("-Infinity")])
const High = Schema.Union([Schema.Finite, Schema.Literal("Infinity")])
const BoxJson = Schema.Struct({
  low: Schema.Union([Low, Schema.Array(Low)]),
  high: Schema.Union([High, Schema.Array(High)]),
  shape: Schema.Array(Schema.Int),
  dtype: Schema.String.check(Schema.makeFilter((name: string) => isDtype(name) || "give a dtype such as \"float32\""))
})

const number = (bound: number | string | ReadonlyArray<number | string>): number | ReadonlyArray<number> =>
  typeof bound === "object" ? bound.map(Number) : Number(bound)

registerSpace({
  tag: "Box",
  problem: ({ dtype, high, low, shape, size }) => {
    if (!isDtype(dtype)) return `has the dtype ${String(dtype)}: give one of ${Object.keys(dtypes).join(", ")}`
    if (!Array.isArray(shape) || !shape.every(isPositiveInteger) || !isPositiveInteger(size)) {
      return `has the shape [${String(shape)}]: give positive integers`
    }
    if (!(low instanceof Float64Array && high instanceof Float64Array)) return "has no bounds: give low and high"
    if (low.length !== size || high.length !== size) {
      return `has ${low.length} lower and ${high.length} upper bounds for ${size} numbers: give one each`
    }
    const { kind, max, min } = dtypes[dtype]
    for (let i = 0; i < size; i++) {
      if (Number.isNaN(low[i]) || Number.isNaN(high[i])) return `has a bound at ${i} that is NaN: give a number`
      if (low[i]! > high[i]!) return `has low ${low[i]} above high ${high[i]} at ${i}: swap them`
      if (low[i] === Infinity || high[i] === -Infinity) {
        return `is empty at ${i}: give low below Infinity, high above -Infinity`
      }
      if (kind !== "float" && (low[i]! < min || high[i]! > max)) {
        return `has bounds at ${i} (${low[i]}, ${high[i]}) beyond ${dtype}: give numbers from ${min} to ${max}`
      }
    }
    return undefined
  },
  fromJson: (json) => {
    const { dtype, high, low, shape } = Schema.decodeUnknownSync(BoxJson)(json)
    return new Box({ low: number(low), high: number(high), shape, ...(isDtype(dtype) ? { dtype } : {}) })
  }
})
