/**
 * A file is data: what a weights file, a checkpoint, a recording or a file of settings names is not run because of that.
 * Each of them is made to name a module that leaves a mark when it is run, in the ways that the loader of modules knows.
 */
import { afterAll, assert, beforeAll, describe } from "@effect/vitest"
import { Effect, FileSystem } from "effect"
import { createHash } from "node:crypto"
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import * as path from "node:path"
import { live, temporary, troupe } from "./program.ts"
import { troupeHere } from "./programHere.ts"

const index = new URL("../src/envs/index.ts", import.meta.url).href

/** A corridor whose steps are worth `reward`, which lies in a file of its own. */
const corridor = (more = "") => `
import { Box, Discrete, Environment } from ${JSON.stringify(index)}
import { reward } from "./reward.mjs"
${more}
export default Environment.define({
  id: "Corridor-v0",
  module: import.meta.url,
  observationSpace: new Box({ low: [0], high: [5] }),
  actionSpace: new Discrete(2),
  maxEpisodeSteps: 20,
  rewardThreshold: 100,
  stateSize: 1,
  create: (state) => ({
    reset: (random) => { state[0] = random.integers(0, 3) },
    step: (action) => {
      state[0] = Math.max(0, state[0] + (action === 1 ? 1 : -1))
      return { reward: state[0] >= 4 ? reward : -0.1, terminated: state[0] >= 4 }
    },
    observe: (observation) => { observation[0] = state[0] }
  })
})
`

/** What it leaves where it is run, in whatever thread or process. */
const mark = `import { writeFileSync } from "node:fs"\nwriteFileSync(process.env.MARK, "")\n`

const short = ["--total-timesteps", "600", "--checkpoint-interval", "5", "--quiet", "--workers", "1"]

/** A project with a run that was trained in it, made once; each test has a copy. */
let first = ""
beforeAll(async () => {
  first = mkdtempSync(path.join(tmpdir(), "troupe-project-"))
  const cwd = path.join(first, "project")
  mkdirSync(cwd)
  writeFileSync(path.join(cwd, "package.json"), "{}")
  writeFileSync(path.join(cwd, "corridor.mjs"), corridor())
  writeFileSync(path.join(cwd, "reward.mjs"), "export const reward = 1\n")
  writeFileSync(path.join(cwd, "evil.mjs"), corridor(mark))
  const { code, stderr } = await Effect.runPromise(
    troupe(cwd, [...short, "--async", "--env-id", "./corridor.mjs"], { env: { MARK: path.join(first, "mark") } })
  )
  assert.strictEqual(code, 0, stderr)
}, 60_000)
afterAll(() => rmSync(first, { recursive: true, force: true }))

const project = Effect.gen(function*() {
  const fs = yield* FileSystem.FileSystem
  const home = yield* temporary
  yield* fs.copy(first, home, { overwrite: true })
  const cwd = `${home}/project`
  const env = { MARK: `${home}/mark` }
  const run = (...args: ReadonlyArray<string>) => troupe(cwd, args, { env })
  const here = (...args: ReadonlyArray<string>) => {
    Object.assign(process.env, env)
    return troupeHere(cwd, args)
  }
  const [folder] = yield* fs.readDirectory(`${cwd}/runs`)
  return { cwd, fs, here, home, ran: fs.exists(env.MARK), run, trained: `runs/${folder}` }
})

/** What the run's files say instead, each file whole in itself: lengths and digests are made anew. */
const forge = Effect.fnUntraced(function*(folder: string, from: string, to: string) {
  const fs = yield* FileSystem.FileSystem
  const [was, is] = [JSON.stringify(from), JSON.stringify(to)]
  const digested = (bytes: Buffer) => Buffer.concat([bytes, createHash("sha256").update(bytes).digest()])
  const swapped = (bytes: Buffer) =>
    Buffer.from(bytes.toString("latin1").replaceAll(was, Buffer.from(is).toString("latin1")), "latin1")
  for (const name of yield* fs.readDirectory(folder, { recursive: true })) {
    const file = `${folder}/${name}`
    if (name.endsWith(".ckpt") || name === "arrivals.bin") {
      yield* fs.writeFile(file, digested(swapped(Buffer.from(yield* fs.readFile(file)).subarray(0, -32))))
    } else if (name === "config.json") {
      yield* fs.writeFile(file, swapped(Buffer.from(yield* fs.readFile(file))))
    } else if (name.endsWith(".safetensors")) {
      const bytes = Buffer.from(yield* fs.readFile(file))
      const end = 8 + Number(bytes.readBigUInt64LE(0))
      const header = JSON.parse(bytes.subarray(8, end).toString())
      header.__metadata__.environment = to
      const json = Buffer.from(JSON.stringify(header))
      const size = Buffer.alloc(8)
      size.writeBigUInt64LE(BigInt(json.length))
      yield* fs.writeFile(file, Buffer.concat([size, json, bytes.subarray(end)]))
    }
  }
})

describe("what a file names", () => {
  const source = `${mark.trim().replaceAll("\n", ";")}//.js`
  const names = {
    "a module in the project": () => "./evil.mjs",
    "one of its exports": () => "./evil.mjs:Corridor-v0",
    "an absolute path": (cwd: string) => `${cwd}/evil.mjs`,
    "a file's URL": (cwd: string) => `file://${cwd}/evil.mjs`,
    "a data: URL": () => `data:text/javascript,${source}`,
    "a data: URL in base64": () => `data:text/javascript;base64,${Buffer.from(mark).toString("base64")}//.js`,
    "a link to a module": () => "./link.mjs",
    "a link of the trained module's name": () => "./corridor.mjs",
    "a module in the run's folder": (_: string, folder: string) => `./${folder}/evil.mjs`,
    "a built-in module": () => "node:fs.js",
    "an address": () => "http://127.0.0.1:9/evil.js"
  }
  for (const [what, nameOf] of Object.entries(names)) {
    live(
      `is not run: ${what}`,
      Effect.gen(function*() {
        const { cwd, fs, here, ran, run, trained } = yield* project
        yield* fs.copyFile(`${cwd}/evil.mjs`, `${cwd}/${trained}/evil.mjs`)
        yield* fs.symlink(`${cwd}/evil.mjs`, `${cwd}/link.mjs`)
        const to = nameOf(cwd, trained)
        if (to === "./corridor.mjs") {
          yield* fs.remove(`${cwd}/corridor.mjs`)
          yield* fs.symlink(`${cwd}/evil.mjs`, `${cwd}/corridor.mjs`)
        }
        yield* forge(`${cwd}/${trained}`, "./corridor.mjs", to)
        yield* fs.writeFileString(`${cwd}/settings.json`, JSON.stringify({ envId: to }))
        yield* fs.copyFile(`${cwd}/${trained}/policy.safetensors`, `${cwd}/policy.safetensors`)
        // One of them in processes as people start them.
        const refused = to === "./evil.mjs" ? run : here
        for (
          const args of [
            ["eval", trained],
            ["eval", "policy.safetensors"],
            ["--resume", trained],
            ["--resume", trained, "--device", "auto"],
            ["--replay", trained],
            ["--config", "settings.json"],
            ["--config", `${trained}/config.json`]
          ]
        ) {
          const { code, stderr } = yield* refused(...args)
          assert.strictEqual(code, 2, `${args.join(" ")}: ${stderr}`)
          assert.match(
            stderr,
            /names the environment "[^\n]*a file runs nothing by itself: [^\n]*--env-id[^\n]*\n$/,
            args.join(" ")
          )
          assert.isFalse(yield* ran, args.join(" "))
        }
        if (to !== "./evil.mjs") return
        // What only reads weights or rows asks nothing, and runs nothing.
        for (
          const args of [
            ["plot", trained],
            ["export", trained, "--format", "onnx", "--out", "a.onnx"],
            ["export", "policy.safetensors", "--format", "tfjs", "--out", "a"],
            ["--env-id", "CartPole-v1", "--init-from", trained]
          ]
        ) {
          const { code, stderr } = yield* run(...args)
          assert.notMatch(stderr, /runs nothing by itself/)
          assert.notStrictEqual(code, 2, stderr)
          assert.isFalse(yield* ran, args.join(" "))
        }
      })
    )
  }

  live(
    "is run where the person names it too",
    Effect.gen(function*() {
      const { ran, run, trained } = yield* project
      const named = yield* run("eval", trained, "--env-id", "./evil.mjs", "--episodes", "1")
      assert.strictEqual(named.code, 0, named.stderr)
      assert.isTrue(yield* ran)
    })
  )

  live(
    "is run where it is what a run of this project was trained with",
    Effect.gen(function*() {
      const { cwd, fs, home, run, trained } = yield* project
      const known = [["eval", trained], ["--resume", trained], ["--replay", trained, "--no-run-folder"], [
        "--config",
        `${trained}/config.json`,
        ...short,
        "--no-run-folder"
      ]]
      for (const args of known) {
        const { code, stderr } = yield* run(...args)
        assert.strictEqual(code, 0, `${args.join(" ")}: ${stderr}`)
      }
      // Elsewhere the same folder is a stranger's.
      yield* fs.copy(`${cwd}/${trained}`, `${home}/moved`)
      for (const args of [["eval", "../moved"], ["--resume", "../moved"], ["--replay", "../moved"]]) {
        const { code, stderr } = yield* run(...args)
        assert.strictEqual(code, 2, stderr)
        assert.match(stderr, /is not in this project/)
        const named = yield* run(
          ...args,
          "--env-id",
          "./corridor.mjs",
          ...(args[0] === "eval" ? [] : ["--no-run-folder"].slice(args[0] === "--resume" ? 1 : 0))
        )
        assert.strictEqual(named.code, 0, named.stderr)
      }
    })
  )

  live(
    "tells how to go on with what must be named again",
    Effect.gen(function*() {
      const { cwd, home, run } = yield* project
      let sent = false
      const stopped = yield* troupe(
        cwd,
        [
          "--env-id",
          "./corridor.mjs",
          "--log-dir",
          "../else where",
          "--keep-going",
          "--total-timesteps",
          "1000000000",
          "--json"
        ],
        {
          onOutput: (stdout, kill) => {
            if (sent || !stdout.includes(`"event":"checkpoint"`)) return
            sent = true
            kill("SIGINT")
          }
        }
      )
      assert.strictEqual(stopped.code, 130)
      assert.match(stopped.stderr, /go on with: .* --resume '..\/else where\/[^']*' --env-id .\/corridor.mjs\n$/)
      const [, folder = ""] = /--resume '([^']*)'/.exec(stopped.stderr) ?? []
      const further = yield* run("--resume", folder, "--env-id", "./corridor.mjs", "--total-timesteps", "1")
      assert.strictEqual(further.code, 0, `${home} ${further.stderr}`)
    })
  )
})

describe("an environment that has changed", () => {
  const asBefore = corridor()
  const ways = {
    "its file": { "corridor.mjs": asBefore.replace("-0.1", "-0.2") },
    "what it imports": { "reward.mjs": "export const reward = 2\n" },
    "its time limit": { "corridor.mjs": asBefore.replace("maxEpisodeSteps: 20", "maxEpisodeSteps: 10") },
    "its threshold": { "corridor.mjs": asBefore.replace("rewardThreshold: 100", "rewardThreshold: 99") }
  }
  for (const [what, files] of Object.entries(ways)) {
    live(
      `is told of by --resume, and refused by --replay: ${what}`,
      Effect.gen(function*() {
        const { cwd, fs, run, trained } = yield* project
        for (const [name, text] of Object.entries(files)) yield* fs.writeFileString(`${cwd}/${name}`, text)

        const replayed = yield* run("--replay", trained, "--env-id", "./corridor.mjs", "--no-run-folder")
        assert.strictEqual(replayed.code, 1)
        assert.match(
          replayed.stderr,
          /cannot be repeated exactly\. The environment Corridor-v0 is not what it was: .* Say --force .*\n$/
        )
        const resumed = yield* run("--resume", trained, "--env-id", "./corridor.mjs", "--total-timesteps", "700")
        assert.strictEqual(resumed.code, 0, resumed.stderr)
        assert.match(resumed.stdout, /The environment Corridor-v0 is not what it was: .* weights come to differ/)
      })
    )
  }

  live(
    "must be named again, or forced",
    Effect.gen(function*() {
      const { cwd, fs, run, trained } = yield* project
      yield* fs.writeFileString(`${cwd}/reward.mjs`, "export const reward = 3\n")
      for (const args of [["--resume", trained], ["--replay", trained], ["eval", trained]]) {
        const { code, stderr } = yield* run(...args)
        assert.strictEqual(code, 2)
        assert.match(stderr, /has changed since, or something it imports has\. .* --env-id \.\/corridor\.mjs\.\n$/)
      }
      for (const more of [[], ["--env-id", "./corridor.mjs"]]) {
        const forced = yield* run("--replay", trained, "--force", "--no-run-folder", ...more)
        assert.strictEqual(forced.code, 0, forced.stderr)
        assert.match(forced.stdout, /is not what it was: .*not an exact repetition/)
      }
      const longer = ["--resume", trained, "--total-timesteps"]
      const resumed = yield* run(...longer, "700", "--env-id", "./corridor.mjs")
      assert.strictEqual(resumed.code, 0, resumed.stderr)
      // From there on it is what the run was trained with.
      const again = yield* run(...longer, "800")
      assert.strictEqual(again.code, 0, again.stderr)
      assert.notMatch(again.stdout, /is not what it was/)
    })
  )

  live(
    "is refused where it is another one",
    Effect.gen(function*() {
      const { cwd, fs, run, trained } = yield* project
      yield* fs.writeFileString(`${cwd}/corridor.mjs`, asBefore.replace("Corridor-v0", "Corridor-v1"))
      for (const how of ["--resume", "--replay"]) {
        const { code, stderr } = yield* run(how, trained, "--env-id", "./corridor.mjs")
        assert.strictEqual(code, 1)
        assert.match(stderr, /^The run is one of Corridor-v0, and --env-id gives Corridor-v1\. .*\n$/)
      }
      const other = yield* run("--resume", trained, "--env-id", "CartPole-v1")
      assert.strictEqual(other.code, 2)
    })
  )
})
