/** What flat columns and layers may be made of, by name. */

export const columnArrays = {
  int8: Int8Array,
  uint8: Uint8Array,
  int16: Int16Array,
  uint16: Uint16Array,
  int32: Int32Array,
  uint32: Uint32Array,
  float32: Float32Array,
  float64: Float64Array
} as const

export type ColumnType = keyof typeof columnArrays
export type Columns = Readonly<Record<string, ColumnType>>
export type ColumnOf<T extends ColumnType> = InstanceType<(typeof columnArrays)[T]>
export type Column = ColumnOf<ColumnType>

/** What is wrong with columns, as a sentence without its end; `undefined` where nothing is. */
export const columnsProblem = (columns: Columns, reserved: ReadonlyArray<string>): string | undefined => {
  for (const [name, type] of Object.entries(columns)) {
    if (!(type in columnArrays)) {
      return `${name} is of type ${type}: give one of ${Object.keys(columnArrays).join(", ")}`
    }
    if (reserved.includes(name)) return `${name} is a member that all have: give it another name`
  }
  return undefined
}
