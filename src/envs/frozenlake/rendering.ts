/** Pictures of FrozenLake: text for a terminal, SVG for a page. */
import { drawScene, unhurried } from "../rendering/scene.ts"
import { place } from "../tabular/Tabular.ts"

/** The map, with brackets around the place one is at. */
export const renderLakeAnsi = (map: ReadonlyArray<string>, state: Float64Array): string => {
  const at = state[place]!
  return map.map((row, y) =>
    [...row].map((tile, x) => y * row.length + x === at ? `[${tile}]` : ` ${tile} `).join("").trimEnd()
  ).join("\n")
}

const cell = 64
const colors: Readonly<Record<string, string>> = { S: "#bfe3f5", F: "#dff1fa", H: "#1d4e79", G: "#bfe3f5" }

const tile = (letter: string, x: number, y: number): string => {
  const square = `<rect x="${x * cell}" y="${y * cell}" width="${cell}" height="${cell}" fill="${
    colors[letter] ?? "#fff"
  }" stroke="#9cc5da"/>`
  if (letter !== "G") return square
  const [left, top] = [x * cell + 24, y * cell + 12]
  return `${square}<path d="M${left} ${top + 42}V${top}L${left + 24} ${top + 10}L${left} ${
    top + 20
  }" fill="#d84a38" stroke="#7a4b2a" stroke-width="3"/>`
}

export const renderLakeSvg = (map: ReadonlyArray<string>, states: ReadonlyArray<Float64Array>): string => {
  const columns = map[0]?.length ?? 0
  const at = states.map((state): readonly [number, number] => {
    const here = state[place]!
    return [(here % columns + 0.5) * cell, (Math.floor(here / columns) + 0.5) * cell]
  })
  return drawScene({
    title: "FrozenLake",
    width: columns * cell,
    height: map.length * cell,
    pace: unhurried,
    background: map.flatMap((row, y) => [...row].map((letter, x) => tile(letter, x, y))).join("\n"),
    parts: [{
      at,
      body: `<circle r="18" fill="#3c9a4e"/><circle cx="-6" cy="-5" r="3"/><circle cx="6" cy="-5" r="3"/>`
    }]
  }, states.length)
}
