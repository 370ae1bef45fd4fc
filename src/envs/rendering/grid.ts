/** Text pictures drawn on a grid of characters. */

/** A terminal's cell is about twice as high as wide. */
const cellAspect = 2

/** A field of `columns` characters that shows x from `left` to `right` and y from `bottom` to `top`, in one scale. */
export class Grid {
  readonly #rows: Array<Array<string>>
  readonly #perUnit: number
  readonly #left: number
  readonly #bottom: number

  constructor(columns: number, left: number, right: number, bottom: number, top: number) {
    this.#perUnit = (columns - 1) / (right - left)
    this.#left = left
    this.#bottom = bottom
    const rows = Math.round((top - bottom) * this.#perUnit / cellAspect) + 1
    this.#rows = Array.from({ length: rows }, () => Array.from({ length: columns }, () => " "))
  }

  /** Writes one character; what is outside is left out. */
  put(x: number, y: number, glyph: string): void {
    const column = Math.round((x - this.#left) * this.#perUnit)
    const row = this.#rows[this.#rows.length - 1 - Math.round((y - this.#bottom) * this.#perUnit / cellAspect)]
    if (row !== undefined && column >= 0 && column < row.length) row[column] = glyph
  }

  /** A straight line of one character. */
  line(x1: number, y1: number, x2: number, y2: number, glyph: string): void {
    const samples = Math.ceil(Math.max(Math.abs(x2 - x1), Math.abs(y2 - y1)) * this.#perUnit * 2) + 1
    for (let i = 0; i <= samples; i++) {
      this.put(x1 + (x2 - x1) * i / samples, y1 + (y2 - y1) * i / samples, glyph)
    }
  }

  toString(): string {
    return this.#rows.map((row) => row.join("").trimEnd()).join("\n")
  }
}
