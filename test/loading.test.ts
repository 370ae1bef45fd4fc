/** Environment files as people have them: anywhere, and sometimes with a mistake, which is told with its place. */
import { assert, describe } from "@effect/vitest"
import { Effect, FileSystem } from "effect"
import { live, temporary, troupe } from "./program.ts"

const sound = `import { Box, Discrete, Environment } from "troupe/envs"
export default Environment.define({
  id: "Sound-v0",
  module: import.meta.url,
  observationSpace: new Box({ low: 0, high: 1, shape: [1] }),
  actionSpace: new Discrete(2),
  maxEpisodeSteps: 5,
  stateSize: 1,
  create: (state) => ({
    reset: () => {
      state[0] = 0
    },
    step: () => ({ reward: 1, terminated: false }),
    observe: (observation) => {
      observation[0] = 0
    }
  })
})
`

const required = `const { Box, Discrete, Environment } = require("troupe/envs")
module.exports = ${
  sound.slice(sound.indexOf("Environment.define")).replace(
    "import.meta.url",
    "require('node:url').pathToFileURL(__filename).href"
  )
}`

describe("an environment file outside any project", () => {
  for (
    const [name, text] of [["sound.ts", sound], ["sound.mts", sound], ["sound.js", sound], ["sound.mjs", sound], [
      "sound.cjs",
      required
    ], ["so und.ts", sound]] as const
  ) {
    for (const placement of name === "sound.ts" ? ["fiber", "thread", "process"] : ["thread"]) {
      live(
        `is found its package: ${name}, ${placement}`,
        Effect.gen(function*() {
          const cwd = yield* temporary
          const fs = yield* FileSystem.FileSystem
          yield* fs.writeFileString(`${cwd}/${name}`, text)
          const args = ["--env-id", name, "--placement", placement, "--total-timesteps", "100", "--quiet"]
          const { code, stderr, stdout } = yield* troupe(cwd, args)
          assert.strictEqual(stderr, "")
          assert.strictEqual(code, 0)
          assert.match(stdout, /after 100 steps/)
        })
      )
    }
  }

  live(
    "may import all that the package offers",
    Effect.gen(function*() {
      const cwd = yield* temporary
      const fs = yield* FileSystem.FileSystem
      yield* fs.writeFileString(`${cwd}/sound.ts`, sound)
      yield* fs.writeFileString(
        `${cwd}/all.ts`,
        ["troupe", "troupe/actors", "troupe/model", "troupe/random"].map((name) => `import "${name}"\n`).join("") +
          `export { default } from "./sound.ts"\n`
      )
      const args = ["--env-id", "all.ts", "--placement", "fiber", "--total-timesteps", "100", "--no-run-folder"]
      const { code, stderr } = yield* troupe(cwd, args)
      assert.strictEqual(stderr, "")
      assert.strictEqual(code, 0)
    })
  )
})

/** What is in the file, and the sentence's end. */
const mistakes: ReadonlyArray<readonly [name: string, text: string, said: RegExp]> = [
  ["comma.ts", `const a = {\n  b: 1,,\n}\n`, /: comma\.ts:2: SyntaxError: .*`,`.*\.$/],
  ["comma.js", `export const a = {\n  b: 1,,\n}\n`, /: comma\.js:2: SyntaxError: Unexpected token ','\.$/],
  ["comma.mjs", `const a = {\n\n  b: 1,,\n}\n`, /: comma\.mjs:3: SyntaxError: Unexpected token ','\.$/],
  [
    "twice.ts",
    `import "node:fs"\nlet x: number = 1\nlet x: number = 2\n`,
    /: twice\.ts:3: SyntaxError: Identifier 'x' has/
  ],
  ["open.ts", `export default {\n`, /: open\.ts:\d+: SyntaxError: /],
  ["within.ts", `import "./comma.mjs"\n`, /: comma\.mjs:3: SyntaxError: Unexpected token ','\.$/],
  [
    "enum.ts",
    `export const a = 1\nenum Move { Up, Down }\n`,
    /: enum\.ts:2: .*enum.* \(write a const object instead\)\.$/
  ],
  [
    "const-enum.ts",
    `const enum Move { Up }\nexport {}\n`,
    /: const-enum\.ts:1: .*enum.* \(write a const object instead\)\.$/
  ],
  [
    "namespace.ts",
    `\nnamespace N { export const a = 1 }\n`,
    /: namespace\.ts:2: .*namespace.* \(write a module or an object/
  ],
  [
    "parameter.ts",
    `export class A {\n  constructor(private readonly x: number) {}\n}\n`,
    /: parameter\.ts:2: .*parameter property.* \(declare the field and assign it in the constructor\)\.$/
  ],
  ["decorator.ts", `const d = () => {}\n@d\nexport class A {}\n`, /: decorator\.ts:2: .* \(Node runs no decorators: /],
  [
    "equals.ts",
    `import fs = require("node:fs")\nexport const a = fs\n`,
    /: equals\.ts:1: .* \(write import \.\.\. from\)\.$/
  ],
  [
    "type.ts",
    `import { Shape } from "./shape.ts"\nexport const a = 1\n`,
    /: type\.ts:1: .*'Shape' \(if it is a type, write import type\)\.$/
  ],
  [
    "package.ts",
    `import "no-such-package-at-all"\n`,
    /: package\.ts imports the package "no-such-package-at-all", .* npm install no-such-package-at-all in \/.*\.$/
  ],
  [
    "scoped.ts",
    `import "@no-such/package-at-all/deep"\n`,
    /: scoped\.ts imports the package "@no-such\/package-at-all", which is not installed/
  ],
  [
    "required.cjs",
    `require("no-such-package-at-all")\n`,
    /: required\.cjs imports the package "no-such-package-at-all", which is not/
  ],
  ["folder.ts/", "", /: folder\.ts is a folder: name the file\.$/],
  ["neighbor.ts", `import "./nowhere.ts"\n`, /: neighbor\.ts imports nowhere\.ts, which is not there\.$/],
  [
    "throws.ts",
    `\n\nthrow new RangeError("at the\\ntop")\n`,
    /: its module threw RangeError: at the top \(at throws\.ts:3:7\)\.$/
  ],
  ["nothing.ts", `throw null\n`, /: its module threw null\.$/],
  ["rejects.ts", `export default await Promise.reject({ code: 7 })\n`, /: its module threw \{ code: 7 \}\.$/],
  [
    "getter.ts",
    `export default { get id() { throw new Error("no id") } }\n`,
    /cannot be used: reading its fields threw Error: no id \(at getter\.ts:1:\d+\) \(in getter\.ts\)\.$/
  ],
  ["late.ts", `export default Promise.resolve({})\n`, /cannot be used: it is a Promise: await it \(in late\.ts\)\.$/],
  [
    "long.ts",
    `export default { id: "${"a".repeat(300)}" }\n`,
    /^The environment definition "a{60}\.\.\." cannot be used: its id has 300 letters: give at most 200 \(in long\.ts\)\.$/
  ],
  ["empty.ts", `export {}\n`, /: its module has no default export that Environment\.define returned\.$/],
  [
    "view.tsx",
    `export default 1\n`,
    /: Node runs no file of this kind \(view\.tsx\): give it the extension \.ts or \.js\.$/
  ]
]

describe("an environment file with a mistake", () => {
  for (const [name, text, said] of mistakes) {
    live(
      `is told in one sentence with its place: ${name}`,
      Effect.gen(function*() {
        const cwd = yield* temporary
        const fs = yield* FileSystem.FileSystem
        yield* fs.writeFileString(`${cwd}/comma.mjs`, `const a = {\n\n  b: 1,,\n}\n`)
        yield* fs.writeFileString(`${cwd}/shape.ts`, `export type Shape = number\n`)
        if (name.endsWith("/")) yield* fs.makeDirectory(`${cwd}/${name}`)
        else yield* fs.writeFileString(`${cwd}/${name}`, text)
        const { code, stderr, stdout } = yield* troupe(cwd, ["--env-id", name.replace("/", ""), "--no-run-folder"])
        assert.match(stderr, /^The environment [^\n]*\n$/)
        assert.match(stderr.trimEnd(), said)
        assert.strictEqual(stdout, "")
        assert.strictEqual(code, 1)
      })
    )
  }
})
