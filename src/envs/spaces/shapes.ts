/** Flat numbers with a shape, row-major, and the nested lists that JSON has for them. */
import type { Json } from "effect/Schema"

export type Shape = ReadonlyArray<number>

/** How many numbers a shape has. */
export const sizeOf = (shape: Shape): number => shape.reduce((product, length) => product * length, 1)

/** The numbers as lists within lists. */
export const nest = (values: ArrayLike<number>, shape: Shape): Json => {
  let at = 0
  const level = (depth: number): Json =>
    depth === shape.length ? values[at++]! : Array.from({ length: shape[depth]! }, () => level(depth + 1))
  return level(0)
}

/** The numbers in lists within lists of that shape; undefined where it is another shape, or something is no number. */
export const flatten = (json: unknown, shape: Shape): Array<number> | undefined => {
  const values: Array<number> = []
  const fits = (value: unknown, depth: number): boolean => {
    if (depth === shape.length) return typeof value === "number" && values.push(value) > 0
    return Array.isArray(value) && value.length === shape[depth] && value.every((entry) => fits(entry, depth + 1))
  }
  return fits(json, 0) ? values : undefined
}

/** Whether `value` is a list or a typed array. */
export const isList = (value: unknown): value is ArrayLike<unknown> =>
  Array.isArray(value) || (ArrayBuffer.isView(value) && "length" in value)

/** A shape as NumPy writes one. */
export const shownShape = (shape: Shape): string => `[${shape.join(", ")}]`
