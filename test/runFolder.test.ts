/** Run folders that others have been at, or that go while a run goes on: real processes. */
import { assert, describe } from "@effect/vitest"
import { Effect, FileSystem } from "effect"
import { spawnSync } from "node:child_process"
import * as fs from "node:fs"
import { live, temporary, troupe } from "./program.ts"

const endless = ["--keep-going", "--total-timesteps", "1000000000", "--json"]

/** Does something once, when the first checkpoint was told. */
const atCheckpoint = (act: (kill: (signal: NodeJS.Signals) => void) => void) => {
  let done = false
  return (stdout: string, kill: (signal: NodeJS.Signals) => void) => {
    if (done || !stdout.includes(`"event":"checkpoint"`)) return
    done = true
    act(kill)
  }
}

const folderOf = (stdout: string) => /"folder":"([^"]*)"/.exec(stdout)?.[1] ?? ""

describe("a run's folder", () => {
  live(
    "that is deleted or moved ends the run at its next write, in one sentence",
    Effect.gen(function*() {
      for (
        const go of [
          (runs: string) => fs.renameSync(runs, `${runs}-moved`),
          (runs: string) => fs.rmSync(runs, { recursive: true, force: true, maxRetries: 20 })
        ]
      ) {
        const cwd = yield* temporary
        const { code, stderr } = yield* troupe(cwd, endless, { onOutput: atCheckpoint(() => go(`${cwd}/runs`)) })
        assert.match(
          stderr,
          /^Cannot write [^\n]*: (it was deleted or moved while the run went on|there is no such folder)\.\n$/
        )
        assert.strictEqual(code, 1)
      }
    })
  )

  live(
    "is one program's at a time; a dead one's is taken over",
    Effect.gen(function*() {
      const cwd = yield* temporary
      let second = { status: null as number | null, stderr: "" }
      const killed = yield* troupe(cwd, endless, {
        onOutput: atCheckpoint((kill) => {
          const run = fs.readdirSync(`${cwd}/runs`)[0]
          second = spawnSync(process.execPath, [
            new URL("../scripts/start.ts", import.meta.url).pathname,
            "--resume",
            `runs/${run}`
          ], { cwd, encoding: "utf8" })
          kill("SIGKILL")
        })
      })
      assert.match(
        second.stderr,
        /^runs\/\S+ is in use by process \d+ on \S+ since \S+\. End that program, [^\n]*\.lock\.\n$/
      )
      assert.strictEqual(second.status, 1)
      const folder = folderOf(killed.stdout)
      assert.isTrue(fs.existsSync(`${folder}/.lock`))
      const resumed = yield* troupe(cwd, ["--resume", folder, "--no-keep-going", "--json"])
      assert.strictEqual(resumed.code, 0, resumed.stderr)
      assert.deepStrictEqual(fs.readdirSync(folder).filter((name) => name.startsWith(".")), [])
    })
  )

  live(
    "with links in it is not written into",
    Effect.gen(function*() {
      const files = yield* FileSystem.FileSystem
      const cwd = yield* temporary
      const trained = yield* troupe(cwd, ["--total-timesteps", "3000", "--checkpoint-interval", "20", "--json"])
      const folder = folderOf(trained.stdout)
      fs.mkdirSync(`${cwd}/victim.d`)
      const names = [
        ...fs.readdirSync(folder),
        ".lock",
        "arrivals.bin",
        "config.json.part",
        `checkpoints/${fs.readdirSync(`${folder}/checkpoints`)[0]}`
      ]
      for (const name of names) {
        const place = `${folder}/${name}`
        const saved = `${cwd}/saved`
        const isFolder = name === "checkpoints"
        if (fs.existsSync(place)) fs.renameSync(place, saved)
        const victim = isFolder ? `${cwd}/victim.d` : `${cwd}/victim`
        if (isFolder) fs.cpSync(saved, victim, { recursive: true })
        else if (fs.existsSync(saved)) fs.copyFileSync(saved, victim)
        else fs.writeFileSync(victim, "mine")
        const before = isFolder ? "" : fs.readFileSync(victim, "latin1")
        const listed = isFolder ? fs.readdirSync(victim) : []
        fs.symlinkSync(victim, place)
        const { code, stderr } = yield* troupe(cwd, ["--resume", folder, "--total-timesteps", "4000"])
        assert.strictEqual(code, 1, name)
        assert.match(stderr, / is a link or no plain file, and a run writes into its own folder only\. [^\n]*\n$/)
        if (name === "curve.svg" || name === ".lock") {
          assert.strictEqual((yield* troupe(cwd, ["plot", folder])).code, 0)
        }
        if (isFolder) assert.deepStrictEqual(fs.readdirSync(victim), listed)
        else assert.strictEqual(fs.readFileSync(victim, "latin1"), before, name)
        yield* files.remove(place, { recursive: true })
        if (fs.existsSync(saved)) fs.renameSync(saved, place)
      }
      assert.strictEqual((yield* troupe(cwd, ["--resume", folder, "--total-timesteps", "4000"])).code, 0)
      // What a person names is replaced too, not written through.
      fs.writeFileSync(`${cwd}/victim`, "mine")
      for (
        const [name, ...args] of [["a.onnx", "export", folder, "--format", "onnx"], [
          "a.svg",
          "eval",
          folder,
          "--episodes",
          "1",
          "--render",
          "svg"
        ]]
      ) {
        fs.symlinkSync(`${cwd}/victim`, `${cwd}/${name}`)
        const { code, stderr } = yield* troupe(cwd, [...args, "--out", name!])
        assert.strictEqual(code, 0, stderr)
        assert.isTrue(fs.lstatSync(`${cwd}/${name}`).isFile())
      }
      assert.strictEqual(fs.readFileSync(`${cwd}/victim`, "utf8"), "mine")
    })
  )

  live(
    "on a full disk ends the run in one sentence that says how to go on, and its rows are whole",
    Effect.gen(function*() {
      const cwd = yield* temporary
      const disk = `${cwd}/disk`
      fs.mkdirSync(disk)
      if (spawnSync("mount", ["-t", "tmpfs", "-o", "size=1m", "none", disk]).status !== 0) return
      yield* Effect.addFinalizer(() => Effect.sync(() => spawnSync("umount", ["-l", disk])))
      const { code, stderr, stdout } = yield* troupe(cwd, [...endless, "--log-dir", disk, "--log-interval", "1"])
      assert.strictEqual(code, 1)
      assert.match(stderr, /^[^\n]* the disk is full\. Once that is mended, go on with: \S+.* --resume disk\/\S+\n$/)
      const folder = folderOf(stdout)
      assert.deepStrictEqual(fs.readdirSync(folder).filter((name) => name.endsWith(".part")), [])
      for (const name of ["progress.csv", "progress.jsonl", "monitor.csv"]) {
        const text = fs.readFileSync(`${folder}/${name}`, "utf8")
        if (text !== "") assert.strictEqual(text.at(-1), "\n", name)
      }
      spawnSync("mount", ["-o", "remount,size=64m", disk])
      const resumed = yield* troupe(cwd, ["--resume", folder, "--no-keep-going", "--log-interval", "1000", "--json"])
      assert.strictEqual(resumed.code, 0, resumed.stderr)
    })
  )
})
