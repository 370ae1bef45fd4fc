/** Pictures of MountainCar: text for a terminal, SVG for a page. */
import { cos } from "../../math/index.ts"
import { Grid } from "../rendering/grid.ts"
import { drawScene, round } from "../rendering/scene.ts"
import { height, maxPosition, minPosition } from "./valley.ts"

/** Seconds a step is shown: Gymnasium's thirty frames a second. */
export const pace = 1 / 30

const columns = 60

/** The valley, the flag at `goal`, and the car. */
export const renderCarAnsi = (goal: number) => (state: Float64Array): string => {
  const grid = new Grid(columns, minPosition, maxPosition, 0, 1.25)
  for (let i = 0; i < columns; i++) {
    const x = minPosition + (maxPosition - minPosition) * i / (columns - 1)
    grid.put(x, height(x), ".")
  }
  grid.put(goal, height(goal) + 0.12, "P")
  grid.put(state[0]!, height(state[0]!) + 0.06, "#")
  return `${grid}`
}

const width = 600
const scale = width / (maxPosition - minPosition)

const spot = (position: number): readonly [number, number] => [
  (position - minPosition) * scale,
  400 - height(position) * scale
]

export const renderCarSvg = (goal: number) => (states: ReadonlyArray<Float64Array>): string => {
  const hills = Array.from({ length: 101 }, (_, i) => spot(minPosition + (maxPosition - minPosition) * i / 100))
  const [x, y] = spot(goal)
  return drawScene({
    title: "MountainCar",
    width,
    height: 400,
    pace,
    background: [
      `<polyline points="${hills.map(([x, y]) => `${round(x)},${round(y)}`).join(" ")}" fill="none" stroke="#000"/>`,
      `<path d="M${round(x)} ${round(y)}v-50l25 10l-25 10" fill="#cccc00" stroke="#000"/>`
    ].join("\n"),
    parts: [
      {
        at: states.map((state) => spot(state[0]!)),
        body: [
          {
            // Along the slope: the angle of a rise of 3 * 0.45 * cos(3 x) a unit.
            turned: states.map((state) => -cos(3 * state[0]!) * 45),
            body: `<rect x="-20" y="-30" width="40" height="20"/>` +
              `<circle cx="-10" cy="-8" r="8" fill="#808080"/><circle cx="10" cy="-8" r="8" fill="#808080"/>`
          }
        ]
      }
    ]
  }, states.length)
}
