/** The programs in the documentation type-check: every `ts` block that begins with an import. */
import { assert, describe, it } from "@effect/vitest"
import { spawnSync } from "node:child_process"
import { globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import * as path from "node:path"
import { fileURLToPath } from "node:url"

const root = fileURLToPath(new URL("../..", import.meta.url))
/** Below node_modules, so that packages resolve and no other type-check sees it. */
const folder = path.join(root, "node_modules", ".cache", "troupe-docs")

/** The page on actors shows one program in parts, without the imports of Effect. */
const inParts = new Set([path.join("docs", "actors.md")])

const pages = globSync("docs/*.md", { cwd: root }).filter((file) => !inParts.has(file)).toSorted()

const blocks = ["README.md", ...pages].flatMap((file) => {
  const text = readFileSync(path.join(root, file), "utf8")
  return [...text.matchAll(/^```ts\n(import [\s\S]*?)^```$/gm)].map(([, code], index) => ({
    name: `${path.basename(file, ".md")}-${index + 1}.ts`,
    code: code!
  }))
})

describe("the documentation", () => {
  it("has programs", () => {
    assert.isAtLeast(blocks.length, 5)
  })

  it("has programs that compile", () => {
    rmSync(folder, { recursive: true, force: true })
    mkdirSync(folder, { recursive: true })
    for (const { code, name } of blocks) writeFileSync(path.join(folder, name), code)
    const source = (name: string) => [path.join(root, "src", name)]
    writeFileSync(
      path.join(folder, "tsconfig.json"),
      JSON.stringify({
        extends: path.join(root, "tsconfig.json"),
        compilerOptions: {
          typeRoots: [path.join(root, "node_modules", "@types")],
          noUnusedLocals: false,
          paths: {
            troupe: source("index.ts"),
            "troupe/actors": source("actors/index.ts"),
            "troupe/envs": source("envs/index.ts"),
            "troupe/model": source("model/index.ts"),
            "troupe/random": source("random/index.ts"),
            "troupe/simulation": source("simulation/index.ts"),
            "troupe/testing": source("testing/index.ts"),
            "troupe/testing/vitest": source("testing/vitest.ts")
          }
        },
        include: [],
        files: blocks.map(({ name }) => name)
      })
    )
    const tsc = path.join(root, "node_modules", "typescript", "bin", "tsc")
    const { status, stdout } = spawnSync(process.execPath, [tsc, "--noEmit", "-p", folder], { encoding: "utf8" })
    rmSync(folder, { recursive: true, force: true })
    assert.strictEqual(status, 0, stdout)
  }, 60_000)
})
