/** Pictures of CliffWalking: text for a terminal, SVG for a page. */
import { drawScene, unhurried } from "../rendering/scene.ts"
import { place } from "../tabular/Tabular.ts"
import { columns, goal, inCliff, rows } from "./grid.ts"

/** Every place as a letter: x where one is, T the goal, C the cliff, o the ground. */
export const renderCliffAnsi = (state: Float64Array): string => {
  const at = state[place]!
  const letter = (here: number) => here === at ? "x" : here === goal ? "T" : inCliff(here) ? "C" : "o"
  return Array.from(
    { length: rows },
    (_, row) => Array.from({ length: columns }, (_, column) => letter(row * columns + column)).join("  ")
  ).join("\n")
}

const cell = 48

export const renderCliffSvg = (states: ReadonlyArray<Float64Array>): string => {
  const squares = Array.from({ length: rows * columns }, (_, here) => {
    const fill = here === goal ? "#bfe8c5" : inCliff(here) ? "#5a4636" : "#d9e8b8"
    return `<rect x="${here % columns * cell}" y="${
      Math.floor(here / columns) * cell
    }" width="${cell}" height="${cell}" fill="${fill}" stroke="#a9b98a"/>`
  })
  const at = states.map((state): readonly [number, number] => [
    (state[place]! % columns + 0.5) * cell,
    (Math.floor(state[place]! / columns) + 0.5) * cell
  ])
  return drawScene({
    title: "CliffWalking",
    width: columns * cell,
    height: rows * cell,
    pace: unhurried,
    background: squares.join("\n"),
    parts: [{ at, body: `<circle r="14" fill="#8b3fa8"/>` }]
  }, states.length)
}
