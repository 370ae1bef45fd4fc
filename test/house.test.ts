/** The arrows between the rooms point one way, and the package's version is told right. */
import { assert, describe, it } from "@effect/vitest"
import { globSync, readFileSync } from "node:fs"
import * as path from "node:path"
import { fileURLToPath } from "node:url"
import { effectRange } from "../src/effectVersion.ts"
import { version } from "../src/version.ts"

const root = fileURLToPath(new URL("..", import.meta.url))

/** What each room may import, beside itself. */
const allowed: Readonly<Record<string, ReadonlyArray<string>>> = {
  math: [],
  text: [],
  random: ["math"],
  time: [],
  actors: ["text", "time"],
  testing: ["actors", "time"],
  simulation: ["actors", "math", "random", "text", "time"],
  envs: ["math", "random", "text"],
  model: ["math", "random", "text", "time"],
  runtime: ["actors", "envs", "math", "model", "random", "simulation", "text", "time"]
}

/** Rooms within a room, each standing on those after it alone; what is only a type weighs nothing. */
const inner: Readonly<Record<string, ReadonlyArray<string>>> = {
  actors: ["inspection", "owner", "hosts", "links", "messages"],
  runtime: [
    "commands",
    "dashboard",
    "publishing",
    "simulations",
    "sweeps",
    "algorithms",
    "checkpoint",
    "cluster",
    "timeline",
    "serving",
    "chaos",
    "arrivals",
    "reporting",
    "monitoring",
    "stretches",
    "learning",
    "evaluation",
    "workers",
    "stopping",
    "quirks",
    "plan",
    "config",
    "files"
  ]
}

const imports = (file: string, text = readFileSync(file, "utf8")): ReadonlyArray<string> =>
  [...text.matchAll(/(?:from|import)\s*\(?\s*"(\.[^"]+)"/g)].map(([, target]) =>
    path.resolve(path.dirname(file), target!)
  )

/** A file without its comments. */
const code = (file: string): string => readFileSync(file, "utf8").replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*/g, "")

const roomOf = (file: string): string | undefined => {
  const [room, ...rest] = path.relative(path.join(root, "src"), file).split(path.sep)
  return rest.length === 0 ? undefined : room
}

const files = globSync("src/*/**/*.ts", { cwd: root })
  .filter((file) => !file.includes(`${path.sep}assembly${path.sep}`))
  .map((file) => path.join(root, file))

describe("house", () => {
  it("has only known rooms", () => {
    assert.deepStrictEqual([...new Set(files.map(roomOf))].toSorted(), Object.keys(allowed).toSorted())
  })

  it("has arrows that point one way", () => {
    for (const file of files) {
      const room = roomOf(file)!
      for (const target of imports(file)) {
        const other = roomOf(target)
        if (other === undefined || other === room) continue
        assert.include(allowed[room] ?? [], other, `${path.relative(root, file)} must not import from ${other}/`)
      }
    }
  })

  it("has inner rooms that stand on those below them", () => {
    for (const [house, rooms] of Object.entries(inner)) {
      const within = files.filter((file) => roomOf(file) === house)
      const innerOf = (file: string) => {
        const [room, ...rest] = path.relative(path.join(root, "src", house), file).split(path.sep)
        return rest.length === 0 ? undefined : room
      }
      assert.deepStrictEqual(
        [...new Set(within.map(innerOf))].filter((room) => room !== undefined).toSorted(),
        [...rooms].toSorted(),
        house
      )
      for (const file of within) {
        const room = innerOf(file)
        if (room === undefined) continue
        for (const target of imports(file, code(file).replaceAll(/import type [^"]*"[^"]*"/g, ""))) {
          if (roomOf(target) !== house) continue
          const other = innerOf(target)
          if (other === undefined || other === room) continue
          assert.isAbove(
            rooms.indexOf(other),
            rooms.indexOf(room),
            `${path.relative(root, file)} must not stand on ${other}/`
          )
        }
      }
    }
  })

  it("loads no barrel of Effect, which would cost every thread its start", () => {
    for (const file of files) assert.notMatch(readFileSync(file, "utf8"), /from "effect"/, path.relative(root, file))
  })

  it("decides no number with the engine's own elementary functions", () => {
    for (const file of files) {
      // These name Math.random, to find who draws from it.
      const finders = [path.join("src", "envs", "check.ts"), path.join("src", "simulation", "sealed.ts")]
      if (finders.includes(path.relative(root, file))) continue
      assert.notMatch(
        code(file),
        /Math\.(?:exp|expm1|log|log1p|log2|log10|sin|cos|tan|tanh|sinh|cosh|atan2?|pow|cbrt|hypot|random)\b|\w \*\* \w/,
        path.relative(root, file)
      )
    }
  })

  it("takes time, timers and turns in actors/ from the event loop, or in a link", () => {
    const kept =
      /\b(?:setTimeout|setInterval|setImmediate|queueMicrotask|nextTick|Date\.now|new Date|performance\.now|hrtime|Math\.random|crypto|runFork|runPromise)\b/
    for (const file of files.filter((file) => roomOf(file) === "actors")) {
      const inside = path.relative(path.join(root, "src", "actors"), file)
      if (
        inside === "EventLoop.ts" || inside.startsWith(`inspection${path.sep}`) || inside.startsWith(`links${path.sep}`)
      ) continue
      assert.notMatch(code(file), kept, inside)
    }
  })

  it("asks for the date where a date is meant, and nowhere else", () => {
    const dated = [
      "actors/Supervision.ts",
      "actors/hosts/inputs.ts",
      // Spans have dates.
      "actors/telemetry.ts",
      "runtime/files/FolderLock.ts",
      "runtime/reporting/RunFolder.ts",
      "runtime/reporting/TensorBoard.ts",
      // It has no date, and sees to it that no model asks for one.
      "simulation/sealed.ts",
      "testing/Simulator.ts"
    ]
    const asking = files.filter((file) => /\bDate\.now|\bnew Date\(\)|currentTime(?:Millis|Nanos)/.test(code(file)))
    const names = asking.map((file) => path.relative(path.join(root, "src"), file).replaceAll(path.sep, "/"))
    assert.deepStrictEqual(names.toSorted(), dated)
  })

  it("tells the version of package.json", () => {
    const manifest: unknown = JSON.parse(readFileSync(path.join(root, "package.json"), "utf8"))
    assert.propertyVal(manifest, "version", version)
  })

  it("has one range of Effect, and one oldest Node", () => {
    const { engines, peerDependencies } = JSON.parse(readFileSync(path.join(root, "package.json"), "utf8"))
    for (const name of ["effect", "@effect/platform-node"]) assert.strictEqual(peerDependencies[name], effectRange)
    const { [1]: least } = /^const least = \[(.*)\]$/m.exec(
      readFileSync(path.join(root, "src", "recentNode.js"), "utf8")
    )!
    assert.strictEqual(engines.node, `>=${least!.replace(", ", ".")}.0`)
  })

  it("keeps registry addresses out of the lockfile", () => {
    assert.notMatch(readFileSync(path.join(root, "package-lock.json"), "utf8"), /"resolved": "http/)
  })
})
