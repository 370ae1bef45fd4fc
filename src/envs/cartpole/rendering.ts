/** Pictures of a CartPole state: text for a terminal, SVG for a page. */
import { cos, sin } from "../../math/index.ts"
import { positionThreshold, tau } from "./bounds.ts"

/** The pole's whole length, in meters as the cart's position. */
const poleLength = 1
/** A terminal's cell is about twice as high as wide. */
const cellAspect = 2

/** At least the position and the angle: elements 0 and 2 of a state or of an observation. */
type CartPoleState = ArrayLike<number>

/** The scene as lines of text, `columns` wide (60 by default): the pole, the cart, the track from -2.4 to 2.4. */
export const renderAnsi = (state: CartPoleState, options?: { readonly columns?: number }): string => {
  const columns = Math.max(20, Math.floor(options?.columns ?? 60))
  const perMeter = (columns - 1) / (2 * positionThreshold)
  const rows = Math.round(poleLength * perMeter / cellAspect) + 1
  const grid = Array.from({ length: rows }, () => Array.from({ length: columns }, () => " "))
  const column = (meters: number) => Math.round((meters + positionThreshold) * perMeter)
  const put = (row: number, at: number, glyph: string) => {
    const line = grid[row]
    if (line !== undefined && at >= 0 && at < columns) line[at] = glyph
  }
  const position = state[0] ?? 0
  const angle = state[2] ?? 0
  const lean = angle > 0.12 ? "/" : angle < -0.12 ? "\\" : "|"
  const samples = rows * 3
  for (let i = 0; i <= samples; i++) {
    const along = poleLength * i / samples
    const height = Math.round(along * cos(angle) * perMeter / cellAspect)
    put(rows - 1 - height, column(position + along * sin(angle)), lean)
  }
  const cart = "[=o=]"
  for (let i = 0; i < cart.length; i++) put(rows - 1, column(position) - 2 + i, cart[i]!)
  const track = Array.from({ length: columns }, (_, i) => i === 0 || i === columns - 1 || i === column(0) ? "+" : "-")
  return [...grid.map((line) => line.join("").trimEnd()), track.join("")].join("\n")
}

const round = (value: number): number => Math.round(value * 100) / 100

/** The scene as an SVG document of 600 x 400 units, Gymnasium's picture. */
export const renderSvg = (state: CartPoleState, options?: { readonly title?: string }): string => {
  const width = 600
  const perMeter = width / (2 * positionThreshold)
  const axle = 285
  const x = round(width / 2 + (state[0] ?? 0) * perMeter)
  const angle = state[2] ?? 0
  const tipX = round(x + poleLength * perMeter * sin(angle))
  const tipY = round(axle - poleLength * perMeter * cos(angle))
  const escaped = (options?.title ?? "CartPole").replace(/&/g, "&amp;").replace(/</g, "&lt;")
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} 400" role="img">`,
    `<title>${escaped}</title>`,
    `<rect width="${width}" height="400" fill="#fff"/>`,
    `<line x1="0" y1="300" x2="${width}" y2="300" stroke="#000"/>`,
    `<rect x="${round(x - 25)}" y="285" width="50" height="30" fill="#000"/>`,
    `<line x1="${x}" y1="${axle}" x2="${tipX}" y2="${tipY}" stroke="#ca9865" stroke-width="10" stroke-linecap="round"/>`,
    `<circle cx="${x}" cy="${axle}" r="5" fill="#8184cb"/>`,
    `</svg>`
  ].join("\n")
}

/** An episode as an animated SVG document that plays for ever: a state every 0.02 s, as the cart moves. */
export const renderEpisodeSvg = (states: ReadonlyArray<CartPoleState>): string => {
  const [first] = states
  if (first === undefined || states.length === 1) return renderSvg(first ?? [0, 0, 0, 0])
  const width = 600
  const perMeter = width / (2 * positionThreshold)
  const seconds = round(states.length * tau)
  const animate = (type: "translate" | "rotate", values: ReadonlyArray<string>) =>
    `<animateTransform attributeName="transform" type="${type}" calcMode="discrete" dur="${seconds}s" ` +
    `repeatCount="indefinite" values="${values.join(";")}"/>`
  const positions = states.map((state) => `${round(width / 2 + (state[0] ?? 0) * perMeter)},285`)
  const angles = states.map((state) => `${round((state[2] ?? 0) * 180 / Math.PI)}`)
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} 400" role="img">`,
    `<title>CartPole, an episode of ${states.length - 1} steps</title>`,
    `<rect width="${width}" height="400" fill="#fff"/>`,
    `<line x1="0" y1="300" x2="${width}" y2="300" stroke="#000"/>`,
    `<g>`,
    animate("translate", positions),
    `<rect x="-25" y="0" width="50" height="30" fill="#000"/>`,
    `<g>`,
    animate("rotate", angles),
    `<line x1="0" y1="0" x2="0" y2="${
      -poleLength * perMeter
    }" stroke="#ca9865" stroke-width="10" stroke-linecap="round"/>`,
    `</g>`,
    `<circle r="5" fill="#8184cb"/>`,
    `</g>`,
    `</svg>`
  ].join("\n")
}
