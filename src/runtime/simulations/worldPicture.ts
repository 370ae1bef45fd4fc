/**
 * Grids and planes as a picture that moves: a frame for each time, as SVG text that needs no script. Agents are colored by
 * group; where a grid has a layer, its numbers are shades of the ground.
 */

/** What is seen at one time. */
export type Scene =
  | {
    readonly is: "grid"
    readonly name: string
    readonly width: number
    readonly height: number
    /** Who is in each cell; `undefined` where nobody is. */
    readonly groups: ReadonlyArray<string | undefined>
    readonly ground: ReadonlyArray<number> | undefined
  }
  | {
    readonly is: "plane"
    readonly name: string
    readonly width: number
    readonly height: number
    readonly points: ReadonlyArray<{ readonly x: number; readonly y: number; readonly group: string }>
  }

const palette = ["#4c8df6", "#f0803c", "#2fa866", "#b36ae2", "#d9534f", "#17a2b8", "#c9a227", "#7d8793"]

/** Pixels of the longer side. */
const side = 480
/** Seconds that a frame is seen. */
const pace = 0.25

const groupsOf = (scene: Scene): ReadonlyArray<string> =>
  scene.is === "grid"
    ? scene.groups.filter((group) => group !== undefined)
    : scene.points.map(({ group }) => group)

/** Short numbers: a picture has many. */
const short = (value: number): string => String(Number(value.toFixed(2)))

/** Cells that are alike, as one path: runs within a row. */
const cellsPath = (width: number, cells: ReadonlyArray<boolean>): string => {
  let path = ""
  for (let start = 0; start < cells.length; start++) {
    if (!cells[start]) continue
    const row = Math.floor(start / width)
    let end = start + 1
    while (end < cells.length && cells[end] && Math.floor(end / width) === row) end++
    path += `M${start % width} ${row}h${end - start}v1h-${end - start}z`
    start = end - 1
  }
  return path
}

/** How many shades the ground has. */
const shades = 4

const groundOf = (width: number, ground: ReadonlyArray<number>, least: number, greatest: number): string => {
  if (!(greatest > least)) return ""
  let drawn = ""
  for (let shade = 1; shade <= shades; shade++) {
    const path = cellsPath(
      width,
      ground.map((value) => Math.ceil((value - least) / (greatest - least) * shades) === shade)
    )
    if (path !== "") drawn += `<path d="${path}" fill="#2fa866" opacity="${short(0.12 * shade)}"/>`
  }
  return drawn
}

const frameOf = (scene: Scene, groups: ReadonlyArray<string>, range: readonly [number, number]): string => {
  const color = (group: string) => palette[groups.indexOf(group) % palette.length]!
  if (scene.is === "plane") {
    const radius = Math.max(scene.width, scene.height) / 120
    return scene.points.map(({ group, x, y }) =>
      `<circle cx="${short(x)}" cy="${short(y)}" r="${short(radius)}" fill="${color(group)}"/>`
    ).join("")
  }
  const ground = scene.ground === undefined ? "" : groundOf(scene.width, scene.ground, ...range)
  return ground + groups.map((group) => {
    const path = cellsPath(scene.width, scene.groups.map((other) => other === group))
    return path === "" ? "" : `<path d="${path}" fill="${color(group)}"/>`
  }).join("")
}

/** The same place at several times, one after the other without end. */
export const drawWorld = (frames: ReadonlyArray<Scene>): string => {
  const [first] = frames
  if (first === undefined) return `<svg xmlns="http://www.w3.org/2000/svg"/>`
  const groups = [...new Set(frames.flatMap(groupsOf))].toSorted()
  const scale = side / Math.max(first.width, first.height)
  const grounds = frames.flatMap((scene) => scene.is === "grid" ? [scene.ground ?? []] : [])
  const range = [
    grounds.reduce((least, ground) => ground.reduce((a, b) => Math.min(a, b), least), Infinity),
    grounds.reduce((greatest, ground) => ground.reduce((a, b) => Math.max(a, b), greatest), -Infinity)
  ] as const
  const seconds = short(frames.length * pace)
  const drawn = frames.map((scene, i) => {
    const inside = frameOf(scene, groups, range)
    if (frames.length === 1) return `<g>${inside}</g>`
    const from = short(i / frames.length * 100)
    const to = short((i + 1) / frames.length * 100)
    const css =
      `@keyframes f${i}{0%,${from}%{visibility:hidden}${from}%,${to}%{visibility:visible}${to}%,100%{visibility:hidden}}` +
      `.f${i}{animation:f${i} ${seconds}s step-end infinite;visibility:hidden}`
    return `<style>${css}</style><g class="f${i}">${inside}</g>`
  }).join("\n")
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${first.width} ${first.height}" ` +
    `width="${short(first.width * scale)}" height="${short(first.height * scale)}">\n` +
    `<rect width="100%" height="100%" fill="none" stroke="#7d8793" stroke-width="${
      short(1 / scale)
    }"/>\n${drawn}\n</svg>\n`
}
