/** The fingerprint of a module changes with every file of one's own that it imports, and with no other. */
import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Effect, FileSystem } from "effect"
import { moduleSource } from "../../src/envs/moduleFingerprint.ts"

const files: Readonly<Record<string, string>> = {
  "package.json": `{ "name": "mine", "imports": { "#inner": "./inner.js" }, "type": "module" }`,
  "main.mjs": `// don't
    import a from './a.mjs' // isn't
    export * from "./b.ts"; const c = await import(\`./c.mjs\`); const d = require("./d"); import "#inner"
    import "../beside/space%20d.mjs?x=1"; import "package"; import "workspace"; new URL("./table.json", import.meta.url)`,
  "a.mjs": `import "./circle.mjs"`,
  "b.ts": "export type B = 1",
  "c.mjs": "",
  "d.cjs": "",
  "d/index.js": "",
  "inner.js": "",
  "circle.mjs": `import "./main.mjs"`,
  "table.json": "[1]",
  "../beside/space d.mjs": "",
  "node_modules/package/package.json": `{ "name": "package", "main": "index.js" }`,
  "node_modules/package/index.js": "",
  "packages/workspace/package.json": `{ "name": "workspace", "main": "index.js" }`,
  "packages/workspace/index.js": "",
  "unrelated.mjs": ""
}
const covered = [
  "main.mjs",
  "a.mjs",
  "b.ts",
  "c.mjs",
  "d/index.js",
  "inner.js",
  "circle.mjs",
  "table.json",
  "../beside/space d.mjs",
  "packages/workspace/index.js"
]

const project = Effect.gen(function*() {
  const fs = yield* FileSystem.FileSystem
  const home = yield* fs.makeTempDirectoryScoped()
  const root = `${home}/here/project`
  for (const [name, text] of Object.entries(files)) {
    const file = `${root}/${name}`
    yield* fs.makeDirectory(file.slice(0, file.lastIndexOf("/")), { recursive: true })
    yield* fs.writeFileString(file, text)
  }
  yield* fs.symlink("../packages/workspace", `${root}/node_modules/workspace`)
  return { fs, home, root }
})

describe("moduleSource", () => {
  it.effect("covers what a module imports, and nothing else", () =>
    Effect.gen(function*() {
      const { fs, root } = yield* project
      const fingerprint = () => moduleSource(`${root}/main.mjs`)?.fingerprint
      const before = fingerprint()
      assert.match(before ?? "", /^[0-9a-f]{64}$/)
      for (const [name, text] of Object.entries(files)) {
        yield* fs.writeFileString(`${root}/${name}`, `${text}\n`)
        if (covered.includes(name)) assert.notStrictEqual(fingerprint(), before, name)
        else assert.strictEqual(fingerprint(), before, name)
        yield* fs.writeFileString(`${root}/${name}`, text)
      }
      assert.strictEqual(fingerprint(), before)
    }).pipe(Effect.scoped, Effect.provide(NodeServices.layer)))

  it.effect("is the same wherever the project lies, and by whatever link it is reached", () =>
    Effect.gen(function*() {
      const { fs, home, root } = yield* project
      const before = moduleSource(`${root}/main.mjs`)
      yield* fs.symlink(`${root}/main.mjs`, `${root}/link.mjs`)
      assert.deepStrictEqual(moduleSource(`${root}/link.mjs`), before)
      yield* fs.rename(`${home}/here`, `${home}/there`)
      assert.strictEqual(moduleSource(`${home}/there/project/main.mjs`)?.fingerprint, before?.fingerprint)
    }).pipe(Effect.scoped, Effect.provide(NodeServices.layer)))

  it("of what is no file there is none", () => {
    assert.isUndefined(moduleSource("/nowhere/main.mjs"))
    assert.isUndefined(moduleSource("/"))
  })
})
