/**
 * SVG pictures of a world: one state as it stands, several as an animation that plays for ever. A scene has what does not
 * move, and parts that are moved, turned, or shown state by state.
 */

/** Something that changes from state to state. */
export interface Part {
  /** What it looks like, as SVG, around its own origin. */
  readonly body: string | ReadonlyArray<Part>
  /** Where the origin is, in each state. */
  readonly at?: ReadonlyArray<readonly [number, number]>
  /** By how many degrees it is turned around its origin, clockwise, in each state. */
  readonly turned?: ReadonlyArray<number>
  /** Whether it is to be seen, in each state. */
  readonly shown?: ReadonlyArray<boolean>
}

export interface Scene {
  readonly title: string
  readonly width: number
  readonly height: number
  /** Seconds a state is shown. */
  readonly pace: number
  /** What does not move, as SVG. */
  readonly background: string
  readonly parts: ReadonlyArray<Part>
}

/** Seconds a state of a world without a time of its own is shown: Gymnasium's four frames a second. */
export const unhurried = 0.25

export const round = (value: number): number => Math.round(value * 100) / 100

export const escaped = (text: string): string => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;")

const draw = (part: Part, seconds: number): string => {
  const inner = typeof part.body === "string" ? part.body : part.body.map((part) => draw(part, seconds)).join("")
  const playing = `calcMode="discrete" dur="${seconds}s" repeatCount="indefinite"`
  /** A group whose attribute takes these values in turn; where they are all the same, for good. */
  const group = (attribute: string, values: ReadonlyArray<string>, type: string | undefined, body: string): string => {
    const first = values[0] ?? ""
    if (values.every((value) => value === first)) {
      return `<g ${attribute}="${type === undefined ? first : `${type}(${first})`}">${body}</g>`
    }
    const listed = `attributeName="${attribute}" ${playing} values="${values.join(";")}"`
    const animation = type === undefined ? `<animate ${listed}/>` : `<animateTransform type="${type}" ${listed}/>`
    return `<g>${animation}${body}</g>`
  }
  let drawn = inner
  if (part.turned !== undefined) {
    drawn = group("transform", part.turned.map((degrees) => `${round(degrees)}`), "rotate", drawn)
  }
  if (part.at !== undefined) {
    drawn = group("transform", part.at.map(([x, y]) => `${round(x)},${round(y)}`), "translate", drawn)
  }
  if (part.shown !== undefined) {
    drawn = group("visibility", part.shown.map((shown) => shown ? "visible" : "hidden"), undefined, drawn)
  }
  return drawn
}

/** The scene as an SVG document. `states` is how many states its parts have. */
export const drawScene = (scene: Scene, states: number): string => {
  const seconds = round(Math.max(scene.pace * states, 0.01))
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${scene.width} ${scene.height}" role="img">`,
    `<title>${escaped(scene.title)}${states > 1 ? `, an episode of ${states - 1} steps` : ""}</title>`,
    `<rect width="${scene.width}" height="${scene.height}" fill="#fff"/>`,
    scene.background,
    ...scene.parts.map((part) => draw(part, seconds)),
    `</svg>`
  ].filter((line) => line !== "").join("\n")
}
