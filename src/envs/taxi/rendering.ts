/** Pictures of Taxi: text for a terminal, SVG for a page. */
import { drawScene, unhurried } from "../rendering/scene.ts"
import { place } from "../tabular/Tabular.ts"
import { aboard, decode, openEast, side, standColors, standNames, stands, town } from "./town.ts"

/** The town, the taxi as t (T with the passenger in it), and who waits where for what. */
export const renderTaxiAnsi = (state: Float64Array): string => {
  const { column, destination, passenger, row } = decode(state[place]!)
  const lines = town.map((line) => [...line])
  lines[1 + row]![2 * column + 1] = passenger === aboard ? "T" : "t"
  const where = passenger === aboard ? "in the taxi" : `at ${standNames[passenger]!}`
  return `${lines.map((line) => line.join("")).join("\n")}\nPassenger ${where}, to ${standNames[destination]!}`
}

const cell = 80

export const renderTaxiSvg = (states: ReadonlyArray<Float64Array>): string => {
  const places = states.map((state) => decode(state[place]!))
  const center = (row: number, column: number): readonly [number, number] => [
    (column + 0.5) * cell,
    (row + 0.5) * cell
  ]
  const background = [
    `<rect width="${side * cell}" height="${side * cell}" fill="#e8e4da"/>`,
    ...stands.map(([row, column], stand) =>
      `<rect x="${column * cell + 4}" y="${row * cell + 4}" width="${cell - 8}" height="${
        cell - 8
      }" rx="6" fill="${standColors[stand]!}" opacity="0.6"/>`
    ),
    ...Array.from({ length: side * (side - 1) }, (_, i) => {
      const row = Math.floor(i / (side - 1))
      const column = i % (side - 1)
      return openEast(row, column)
        ? ""
        : `<rect x="${(column + 1) * cell - 3}" y="${row * cell}" width="6" height="${cell}" fill="#4a453c"/>`
    }).filter((wall) => wall !== "")
  ].join("\n")
  return drawScene({
    title: "Taxi",
    width: side * cell,
    height: side * cell,
    pace: unhurried,
    background,
    parts: [
      {
        at: places.map(({ destination }) => center(...stands[destination]!)),
        body: `<circle r="34" fill="none" stroke="#222" stroke-width="4" stroke-dasharray="8 6"/>`
      },
      {
        at: places.map(({ column, row }) => center(row, column)),
        body: `<rect x="-28" y="-16" width="56" height="32" rx="10" fill="#f2c230" stroke="#222" stroke-width="3"/>`
      },
      {
        at: places.map(({ column, passenger, row }) =>
          passenger === aboard ? center(row, column) : center(...stands[passenger]!)
        ),
        body: `<circle r="9" fill="#222"/>`
      }
    ]
  }, states.length)
}
