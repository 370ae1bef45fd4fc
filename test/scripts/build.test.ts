/** The build script in a small project of its own: only what is stale is built, by one process, and never half. */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { spawn } from "node:child_process"
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync
} from "node:fs"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"

let project = ""
const inProject = (...parts: ReadonlyArray<string>) => join(project, ...parts)

/** Runs `node scripts/build.ts --ensure` there; answers its exit code and what it wrote. */
const ensure = (): Promise<{ readonly code: number | null; readonly said: string }> =>
  new Promise((done, failed) => {
    const child = spawn(process.execPath, [inProject("scripts", "build.ts"), "--ensure"], { cwd: project })
    let said = ""
    child.stdout.on("data", (text) => said += text)
    child.stderr.on("data", (text) => said += text)
    child.on("error", failed)
    child.on("close", (code) => done({ code, said }))
  })

const buildId = (): string => {
  const record: unknown = JSON.parse(readFileSync(inProject("dist", "build.json"), "utf8"))
  return typeof record === "object" && record !== null && "fingerprint" in record ? String(record.fingerprint) : ""
}

beforeAll(() => {
  project = mkdtempSync(join(tmpdir(), "troupe-build-"))
  for (
    const path of [
      "scripts/build.ts",
      "package.json",
      "package-lock.json",
      "src/sources.ts",
      "src/model/kernels/assembly"
    ]
  ) {
    cpSync(path, inProject(path), { recursive: true })
  }
  mkdirSync(inProject("src", "runtime"), { recursive: true })
  writeFileSync(
    inProject("src", "runtime", "host.ts"),
    "declare const __BUILD_ID__: string\nexport const id: string = __BUILD_ID__\n"
  )
  symlinkSync(resolve("node_modules"), inProject("node_modules"))
})

afterAll(() => rmSync(project, { recursive: true, force: true }))

describe("the build script", () => {
  it("builds once when two processes ask at the same time, and leaves nothing half done", async () => {
    const both = await Promise.all([ensure(), ensure()])
    assert.deepStrictEqual(both.map(({ code }) => code), [0, 0])
    assert.strictEqual(
      both.filter(({ said }) => said.startsWith("Built dist/")).length,
      1,
      both.map(({ said }) => said).join()
    )
    for (const name of ["kernels.wasm", "host.js", "build.json"]) {
      assert.isTrue(existsSync(inProject("dist", name)), name)
    }
    for (const name of [".lock", ".building"]) assert.isFalse(existsSync(inProject("dist", name)), name)
  })

  it("writes the fingerprint into the bundles", () => {
    assert.include(readFileSync(inProject("dist", "host.js"), "utf8"), buildId())
  })

  it("says and does nothing when nothing changed", async () => {
    const before = statSync(inProject("dist", "build.json")).mtimeMs
    assert.deepStrictEqual(await ensure(), { code: 0, said: "" })
    assert.strictEqual(statSync(inProject("dist", "build.json")).mtimeMs, before)
  })

  it("builds bundles again when a source changes, but the kernels only when theirs do", async () => {
    const [id, kernels] = [buildId(), statSync(inProject("dist", "kernels.wasm")).mtimeMs]
    writeFileSync(inProject("src", "runtime", "more.ts"), "export const more = 1\n")
    assert.match((await ensure()).said, /^Built dist\//)
    assert.notStrictEqual(buildId(), id)
    assert.strictEqual(statSync(inProject("dist", "kernels.wasm")).mtimeMs, kernels)
  })

  it("takes over the lock of a process that died", async () => {
    rmSync(inProject("dist", "build.json"))
    mkdirSync(inProject("dist", ".lock"))
    // A process id that no system gives out.
    writeFileSync(inProject("dist", ".lock", "pid"), String(2 ** 30))
    assert.strictEqual((await ensure()).code, 0)
    assert.isTrue(existsSync(inProject("dist", "build.json")))
    assert.isFalse(existsSync(inProject("dist", ".lock")))
  })

  it("names what does not build, builds the rest, and does not call it fresh", async () => {
    writeFileSync(inProject("src", "cli.ts"), "import \"./missing.ts\"\n")
    const first = await ensure()
    assert.strictEqual(first.code, 1)
    assert.match(first.said, /^build: cli: /)
    assert.isTrue(existsSync(inProject("dist", "host.js")))
    assert.isFalse(existsSync(inProject("dist", "build.json")))
    assert.strictEqual((await ensure()).code, 1)
  })
})
