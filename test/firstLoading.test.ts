/** Modules of environments that do not load as they should, in real processes: each ends in one sentence, and can be ended. */
import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Effect, FileSystem, type Scope } from "effect"
import { spawn } from "node:child_process"
import { readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"

const start = fileURLToPath(new URL("../scripts/start.ts", import.meta.url))
const badly = fileURLToPath(new URL("./runtime/fixtures/loads-badly.ts", import.meta.url))

interface Outcome {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs the program; `onStart` gets its process. */
const troupe = (
  cwd: string,
  args: ReadonlyArray<string>,
  env: Readonly<Record<string, string>>,
  onStart: (pid: number) => void = () => {}
) =>
  Effect.callback<Outcome>((resume) => {
    const child = spawn(process.execPath, [start, ...args], {
      cwd,
      env: { ...process.env, ...env },
      stdio: ["ignore", "pipe", "pipe"]
    })
    onStart(child.pid!)
    let stdout = ""
    let stderr = ""
    child.stdout.on("data", (chunk) => stdout += chunk)
    child.stderr.on("data", (chunk) => stderr += chunk)
    child.on("close", (code) => resume(Effect.succeed({ code, stdout, stderr })))
    return Effect.sync(() => child.kill("SIGKILL"))
  }).pipe(Effect.timeout("50 seconds"))

const live = (name: string, test: Effect.Effect<unknown, unknown, FileSystem.FileSystem | Scope.Scope>) =>
  it.live(name, () => Effect.scoped(Effect.provide(test, NodeServices.layer)), 60_000)

const temporary = Effect.flatMap(FileSystem.FileSystem, (fs) => fs.makeTempDirectoryScoped())

const short = ["--env-id", badly, "--total-timesteps=500", "--workers=2", "--no-run-folder", "--json"]

describe("a module", () => {
  const late =
    /does not come to the end of its loading within 2 s \(if it only takes longer, raise --load-deadline\)\.\n$/
  const problems: Readonly<Record<string, RegExp>> = {
    waits: late,
    loops: late,
    "holds it open": late,
    exits: /its module ends the process that loads it: exited with code 3\.\n$/,
    "exits well": /its module ends the process that loads it: exited with code 0\.\n$/,
    crashes: /its module ends the process that loads it: ended by SIGSEGV\.\n$/,
    "throws late": /its module ends the process that loads it: too late\.\n$/
  }
  for (const [way, problem] of Object.entries(problems)) {
    live(
      `that ${way} is told in one sentence`,
      Effect.gen(function*() {
        const cwd = yield* temporary
        const { code, stderr, stdout } = yield* troupe(
          cwd,
          [...short, `--load-deadline=${problem === late ? 2 : 30}`],
          {
            LOAD: way
          }
        )
        assert.match(stderr, /^The environment ".*loads-badly\.ts" could not be loaded: [^\n]*\n$/)
        assert.match(stderr, problem)
        assert.strictEqual(stdout, "")
        assert.strictEqual(code, 1)
      })
    )
  }

  live(
    "that takes all memory is told in one sentence",
    Effect.gen(function*() {
      const cwd = yield* temporary
      const env = { LOAD: "hoards", NODE_OPTIONS: "--max-old-space-size=64" }
      const { code, stderr } = yield* troupe(cwd, [...short, "--load-deadline=40"], env)
      assert.match(
        stderr,
        /^The environment .* takes more memory while it loads than it may: its JavaScript heap was full\.\n$/
      )
      assert.strictEqual(code, 1)
    })
  )

  live(
    "is loaded so for eval, for check and with fibers too",
    Effect.gen(function*() {
      const fs = yield* FileSystem.FileSystem
      const cwd = yield* temporary
      const fibers = yield* troupe(cwd, [...short, "--load-deadline=2", "--serial"], { LOAD: "loops" })
      assert.match(fibers.stderr, late)
      const trained = yield* troupe(cwd, ["--env-id", badly, "--total-timesteps=500", "--serial", "--quiet"], {})
      assert.strictEqual(trained.code, 0, trained.stderr)
      const [run] = yield* fs.readDirectory(`${cwd}/runs`)
      const played = ["eval", `runs/${run}`, "--env-id", badly, "--load-deadline=2"]
      const evaluated = yield* troupe(cwd, played, { LOAD: "loops" })
      assert.match(evaluated.stderr, late)
      assert.strictEqual(evaluated.code, 1)
      const checked = yield* troupe(cwd, ["check", badly, "--load-deadline=2"], { LOAD: "loops" })
      assert.match(checked.stderr, late)
      assert.strictEqual(checked.code, 1)
    })
  )

  for (const way of ["waits in threads", "loops in threads"]) {
    live(
      `that ${way} alone is told too`,
      Effect.gen(function*() {
        const cwd = yield* temporary
        const { code, stderr } = yield* troupe(cwd, [...short, "--collect-deadline=1"], { LOAD: way })
        assert.match(stderr, /^env-worker\/\d could not start: .* raise --collect-deadline\n$/)
        assert.strictEqual(code, 1)
      })
    )
  }

  live(
    "prints as often as before",
    Effect.gen(function*() {
      const cwd = yield* temporary
      const { code, stderr } = yield* troupe(cwd, [...short, "--serial"], { LOAD: "prints" })
      assert.strictEqual(stderr, "printed\nprinted\n")
      assert.strictEqual(code, 0)
    })
  )

  for (const [signal, expected] of [["SIGINT", 130], ["SIGTERM", 143], ["SIGHUP", 129]] as const) {
    it.live.runIf(process.platform === "linux")(
      `that loops is ended by ${signal} at once, and nobody is left behind`,
      () =>
        Effect.gen(function*() {
          const cwd = yield* temporary
          let signaled = 0
          let child = 0
          const { code, stderr } = yield* troupe(cwd, short, { LOAD: "loops" }, (pid) => {
            const eye = setInterval(() => {
              const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim()
              if (children === "") return
              clearInterval(eye)
              child = Number(children.split(" ")[0])
              setTimeout(() => {
                signaled = performance.now()
                process.kill(pid, signal)
              }, 500)
            }, 10)
          })
          assert.isBelow(performance.now() - signaled, 4000)
          assert.strictEqual(stderr, "")
          assert.strictEqual(code, expected)
          assert.throws(() => process.kill(child, 0))
        }).pipe(Effect.scoped, Effect.provide(NodeServices.layer)),
      60_000
    )
  }
})
