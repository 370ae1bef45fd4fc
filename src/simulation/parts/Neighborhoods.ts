/** Which cells lie around a cell, on a grid of rows and columns: found once for each, by shape and radius. */

/** Which cells are neighbors: the eight around, or the four that share a side. */
export type NeighborhoodShape = "moore" | "von neumann"

export interface NeighborhoodOptions {
  /** Default: the grid's. */
  readonly shape?: NeighborhoodShape
  /** How many steps away. Default 1. */
  readonly radius?: number
  /** Whether the cell itself is one of them. Default no. */
  readonly includeCenter?: boolean
}

export interface Extent {
  readonly width: number
  readonly height: number
  /** Whether its edges meet. */
  readonly torus: boolean
}

/** The most cells of a grid. */
const mostCells = 100_000_000

/** Why a grid cannot be so large, as the end of a sentence; `undefined` where it can. */
export const extentProblem = (width: number, height: number): string | undefined =>
  Number.isInteger(width) && width >= 1 && Number.isInteger(height) && height >= 1 && width * height <= mostCells
    ? undefined
    : `${width} by ${height} cells: give integers of at least 1, at most ${mostCells} cells`

export class Neighborhoods {
  readonly #extent: Extent
  readonly #shape: NeighborhoodShape
  /** Those that were asked for, by shape and radius, then by cell. */
  readonly #known = new Map<string, Array<ReadonlyArray<number> | undefined>>()

  constructor(extent: Extent, shape: NeighborhoodShape) {
    this.#extent = extent
    this.#shape = shape
  }

  /** The cells around one, by row and column: the same array each time, not to be changed. `radius` is an integer of at least 1. */
  of(
    cell: number,
    { includeCenter = false, radius = 1, shape = this.#shape }: NeighborhoodOptions = {}
  ): ReadonlyArray<number> {
    const key = `${shape} ${radius} ${includeCenter}`
    let known = this.#known.get(key)
    if (known === undefined) this.#known.set(key, known = [])
    return known[cell] ??= this.#around(cell, shape, radius, includeCenter)
  }

  #around(cell: number, shape: NeighborhoodShape, radius: number, includeCenter: boolean): ReadonlyArray<number> {
    const { height, torus, width } = this.#extent
    const x = cell % width
    const y = Math.floor(cell / width)
    const cells: Array<number> = []
    for (let dy = -radius; dy <= radius; dy++) {
      const wide = shape === "moore" ? radius : radius - Math.abs(dy)
      for (let dx = -wide; dx <= wide; dx++) {
        const column = torus ? (((x + dx) % width) + width) % width : x + dx
        const row = torus ? (((y + dy) % height) + height) % height : y + dy
        if (column < 0 || column >= width || row < 0 || row >= height) continue
        const other = row * width + column
        if (other !== cell) cells.push(other)
        else if (includeCenter && dx === 0 && dy === 0) cells.push(cell)
      }
    }
    // On a small torus a cell is met from several sides.
    return torus && (2 * radius >= width || 2 * radius >= height) ? [...new Set(cells)] : cells
  }
}
