/** The town of Taxi: what its dynamics and its pictures share. */

/** The walls, as Gymnasium draws them: a bar between two squares stops the taxi, a colon does not. */
export const town: ReadonlyArray<string> = [
  "+---------+",
  "|R: | : :G|",
  "| : | : : |",
  "| : : : : |",
  "| | : | : |",
  "|Y| : |B: |",
  "+---------+"
]

/** Squares in each direction. */
export const side = 5

/** Row and column of the four stands: red, green, yellow, blue. */
export const stands: ReadonlyArray<readonly [number, number]> = [[0, 0], [0, 4], [4, 0], [4, 3]]
export const standNames: ReadonlyArray<string> = ["Red", "Green", "Yellow", "Blue"]
export const standColors: ReadonlyArray<string> = ["#d84a38", "#3c9a4e", "#d9b310", "#3b6fd4"]

/** The passenger is in the taxi. */
export const aboard = 4

/** A state taken apart. */
export interface TaxiPlace {
  readonly row: number
  readonly column: number
  /** A stand, or `aboard`. */
  readonly passenger: number
  /** A stand. */
  readonly destination: number
}

export const encode = ({ column, destination, passenger, row }: TaxiPlace): number =>
  ((row * side + column) * (stands.length + 1) + passenger) * stands.length + destination

export const decode = (state: number): TaxiPlace => ({
  row: Math.floor(state / 100),
  column: Math.floor(state / 20) % side,
  passenger: Math.floor(state / 4) % 5,
  destination: state % 4
})

/** Whether there is no wall to the east of a square, or to its west. */
export const openEast = (row: number, column: number): boolean => town[1 + row]![2 * column + 2] === ":"
export const openWest = (row: number, column: number): boolean => town[1 + row]![2 * column] === ":"

/** The stand at a square; -1 where there is none. */
export const standAt = (row: number, column: number): number =>
  stands.findIndex(([standRow, standColumn]) => standRow === row && standColumn === column)
