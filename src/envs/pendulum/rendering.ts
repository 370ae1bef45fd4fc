/** Pictures of Pendulum: text for a terminal, SVG for a page. */
import { cos, sin } from "../../math/index.ts"
import { Grid } from "../rendering/grid.ts"
import { drawScene } from "../rendering/scene.ts"
import { pace } from "./pace.ts"

export const renderPendulumAnsi = (state: Float64Array): string => {
  const grid = new Grid(45, -1.1, 1.1, -1.1, 1.1)
  const [x, y] = [sin(state[0]!), cos(state[0]!)]
  grid.line(0, 0, x, y, "*")
  grid.put(0, 0, "o")
  grid.put(x, y, "@")
  return `${grid}`
}

export const renderPendulumSvg = (states: ReadonlyArray<Float64Array>): string =>
  drawScene({
    title: "Pendulum",
    width: 500,
    height: 500,
    pace,
    background: "",
    parts: [
      {
        at: states.map((): readonly [number, number] => [250, 250]),
        body: [
          {
            // An angle grows counterclockwise, as in Gymnasium's picture.
            turned: states.map((state) => -state[0]! * 180 / Math.PI),
            body: `<rect x="-22" y="-205" width="44" height="227" rx="22" fill="#cc4d4d"/>`
          },
          { body: `<circle r="8"/>` }
        ]
      }
    ]
  }, states.length)
