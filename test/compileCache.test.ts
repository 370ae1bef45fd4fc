/** Compiled code is kept where nobody else can put any. */
import { assert, describe } from "@effect/vitest"
import { Effect } from "effect"
import * as fs from "node:fs"
import { live, temporary, troupe } from "./program.ts"

const version = (home: string, env: Readonly<Record<string, string>> = {}) =>
  troupe(home, ["--version"], {
    env: { HOME: home, TMPDIR: `${home}/tmp`, XDG_CACHE_HOME: "", NODE_COMPILE_CACHE: undefined, ...env }
  })

const home = Effect.tap(temporary, (folder) => Effect.sync(() => fs.mkdirSync(`${folder}/tmp`)))

describe.skipIf(process.platform !== "linux")("compiled code", () => {
  live(
    "lies in a folder of one's own, and not among temporary files",
    Effect.gen(function*() {
      const folder = yield* home
      assert.strictEqual((yield* version(folder)).code, 0)
      assert.deepStrictEqual(fs.readdirSync(`${folder}/tmp`), [])
      const own = `${folder}/.cache/troupe/compiled`
      assert.strictEqual(fs.statSync(own).mode & 0o777, 0o700)
      assert.isNotEmpty(fs.readdirSync(own))
      assert.strictEqual((yield* version(folder, { XDG_CACHE_HOME: `${folder}/elsewhere` })).code, 0)
      assert.isNotEmpty(fs.readdirSync(`${folder}/elsewhere/troupe/compiled`))
    })
  )

  live(
    "is neither taken from nor put where others may write",
    Effect.gen(function*() {
      for (const open of ["", ".cache", ".cache/troupe", ".cache/troupe/compiled"]) {
        const folder = yield* home
        const own = `${folder}/.cache/troupe/compiled`
        fs.mkdirSync(own, { recursive: true })
        fs.chmodSync(`${folder}/${open}`, 0o777)
        assert.strictEqual((yield* version(folder)).code, 0)
        assert.deepStrictEqual(fs.readdirSync(own), [], open)
        assert.deepStrictEqual(fs.readdirSync(`${folder}/tmp`), [])
      }
    })
  )

  live(
    "lies where NODE_COMPILE_CACHE says",
    Effect.gen(function*() {
      const folder = yield* home
      assert.strictEqual((yield* version(folder, { NODE_COMPILE_CACHE: `${folder}/mine` })).code, 0)
      assert.isNotEmpty(fs.readdirSync(`${folder}/mine`))
      assert.isFalse(fs.existsSync(`${folder}/.cache`))
    })
  )
})
