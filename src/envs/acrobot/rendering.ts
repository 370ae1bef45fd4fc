/** Pictures of Acrobot: text for a terminal, SVG for a page. */
import { cos, sin } from "../../math/index.ts"
import { Grid } from "../rendering/grid.ts"
import { drawScene } from "../rendering/scene.ts"
import { pace } from "./pace.ts"

export const renderAcrobotAnsi = (state: Float64Array): string => {
  const grid = new Grid(55, -2.2, 2.2, -2.2, 2.2)
  const [x1, y1] = [sin(state[0]!), -cos(state[0]!)]
  const [x2, y2] = [x1 + sin(state[0]! + state[1]!), y1 - cos(state[0]! + state[1]!)]
  grid.line(-2.2, 1, 2.2, 1, "-")
  grid.line(0, 0, x1, y1, "*")
  grid.line(x1, y1, x2, y2, "+")
  for (const [x, y] of [[0, 0], [x1, y1]] as const) grid.put(x, y, "o")
  grid.put(x2, y2, "@")
  return `${grid}`
}

const scale = 500 / 4.4
const link = `<rect x="-11" y="0" width="22" height="${scale.toFixed(1)}" rx="8" fill="#00cccc"/>`
const joint = `<circle r="11" fill="#cccc00"/>`

/** An angle of 0 points down, and grows to the right: counterclockwise. */
const degrees = (angle: number): number => -angle * 180 / Math.PI

export const renderAcrobotSvg = (states: ReadonlyArray<Float64Array>): string =>
  drawScene({
    title: "Acrobot",
    width: 500,
    height: 500,
    pace,
    background: `<line x1="0" y1="${(250 - scale).toFixed(1)}" x2="500" y2="${
      (250 - scale).toFixed(1)
    }" stroke="#000"/>`,
    parts: [
      {
        at: states.map((): readonly [number, number] => [250, 250]),
        body: [
          {
            turned: states.map((state) => degrees(state[0]!)),
            body: [
              { body: link },
              { body: joint },
              {
                at: states.map((): readonly [number, number] => [0, scale]),
                body: [{ turned: states.map((state) => degrees(state[1]!)), body: link + joint }]
              }
            ]
          }
        ]
      }
    ]
  }, states.length)
