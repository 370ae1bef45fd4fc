/** The kinds of numbers a Box may hold: their range, and how a double becomes one (NumPy's dtypes). */

export type Dtype =
  | "float16"
  | "float32"
  | "float64"
  | "int8"
  | "int16"
  | "int32"
  | "int64"
  | "uint8"
  | "uint16"
  | "uint32"
  | "uint64"
  | "bool"

interface DtypeRecord {
  readonly kind: "float" | "int" | "uint" | "bool"
  /** The least and the greatest number. */
  readonly min: number
  readonly max: number
  /** The number of the kind that a double becomes. */
  readonly round: (value: number) => number
}

const words = new DataView(new ArrayBuffer(8))

/** Half precision: 11 significant bits down to 2^-14, ties to even. */
const toFloat16 = (value: number): number => {
  if (value === 0 || value - value !== 0) return value
  words.setFloat64(0, value)
  const exponent = Math.max(((words.getUint32(0) >>> 20) & 0x7ff) - 1023, -14)
  words.setUint32(0, (exponent - 10 + 1023) << 20)
  words.setUint32(4, 0)
  const unit = words.getFloat64(0)
  // Adding and taking away 2^52 rounds a double to an integer.
  const magnitude = ((Math.abs(value) / unit + 4503599627370496) - 4503599627370496) * unit
  const rounded = magnitude > 65504 ? Infinity : magnitude
  return value < 0 ? -rounded : rounded
}

const integers = (kind: "int" | "uint" | "bool", min: number, max: number): DtypeRecord => ({
  kind,
  min,
  max,
  round: Math.trunc
})

const greatest32 = 3.4028234663852886e38

export const dtypes: Readonly<Record<Dtype, DtypeRecord>> = {
  float16: { kind: "float", min: -65504, max: 65504, round: toFloat16 },
  float32: { kind: "float", min: -greatest32, max: greatest32, round: Math.fround },
  float64: { kind: "float", min: -Number.MAX_VALUE, max: Number.MAX_VALUE, round: (value) => value },
  int8: integers("int", -128, 127),
  int16: integers("int", -32768, 32767),
  int32: integers("int", -2147483648, 2147483647),
  // The greatest are rounded: doubles are 1024 and 2048 apart there.
  int64: integers("int", -9223372036854775808, 9223372036854774784),
  uint8: integers("uint", 0, 255),
  uint16: integers("uint", 0, 65535),
  uint32: integers("uint", 0, 4294967295),
  uint64: integers("uint", 0, 18446744073709549568),
  bool: integers("bool", 0, 1)
}

export const isDtype = (value: unknown): value is Dtype => typeof value === "string" && Object.hasOwn(dtypes, value)
