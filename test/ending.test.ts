/** How the program ends: real processes, signals to them and to those who started them, and environments that hold on. */
import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Effect, FileSystem, type Scope } from "effect"
import { type ChildProcess, spawn, spawnSync } from "node:child_process"
import { readdirSync, readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"

const root = fileURLToPath(new URL("..", import.meta.url))
const start = fileURLToPath(new URL("../scripts/start.ts", import.meta.url))
const lingers = fileURLToPath(new URL("./runtime/fixtures/lingers.ts", import.meta.url))

interface Outcome {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs a command in a folder until all that it started has let go of its output; `onOutput` may do something to it. */
const running = (
  cwd: string,
  [command, ...args]: readonly [string, ...Array<string>],
  { env = {}, onOutput = () => {}, onStart = () => {} }: {
    readonly env?: Readonly<Record<string, string>>
    readonly onStart?: (pid: number) => void
    readonly onOutput?: (stdout: string, child: ChildProcess) => void
  } = {}
) =>
  Effect.callback<Outcome>((resume) => {
    const child = spawn(command, args, {
      cwd,
      detached: true,
      env: { ...process.env, INIT_CWD: cwd, ...env },
      // Somebody whose terminal stays open.
      stdio: ["pipe", "pipe", "pipe"]
    })
    onStart(child.pid!)
    let stdout = ""
    let stderr = ""
    child.stdout.on("data", (chunk) => {
      stdout += chunk
      onOutput(stdout, child)
    })
    child.stderr.on("data", (chunk) => stderr += chunk)
    child.on("close", (code) => resume(Effect.succeed({ code, stdout, stderr })))
    return Effect.sync(() => process.kill(-child.pid!, "SIGKILL"))
  }).pipe(Effect.timeout("50 seconds"))

/** The children of a process, as Linux tells them. */
const childrenOf = (pid: number): ReadonlyArray<number> => {
  try {
    const ids = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim()
    return ids === "" ? [] : ids.split(" ").map(Number)
  } catch {
    return []
  }
}

const live = (name: string, test: Effect.Effect<unknown, unknown, FileSystem.FileSystem | Scope.Scope>) =>
  it.live(name, () => Effect.scoped(Effect.provide(test, NodeServices.layer)), 60_000)

const temporary = Effect.flatMap(FileSystem.FileSystem, (fs) => fs.makeTempDirectoryScoped())

const short = ["--env-id", lingers, "--total-timesteps=500", "--workers=2", "--json"]
const endless = ["--keep-going", "--total-timesteps=1000000000", "--checkpoint-interval=0", "--json"]

/** Does something once, when the run is well under way. */
const underway = (act: (child: ChildProcess) => void) => {
  let done = false
  return (stdout: string, child: ChildProcess) => {
    if (done || !stdout.includes(`"event":"episode"`)) return
    done = true
    act(child)
  }
}

/** The update that the last words speak of, and the checkpoints there are. */
const checkpointsIn = (cwd: string): ReadonlyArray<string> => {
  const [run] = readdirSync(`${cwd}/runs`)
  return readdirSync(`${cwd}/runs/${run}/checkpoints`)
}

describe("the end", () => {
  const left = {
    thread: ["timer, server, watcher, worker, input", "code", "code at the exit", "exit at the exit"],
    process: ["timer, watcher, code"],
    fiber: ["timer, worker, code"]
  }
  for (const [placement, remains] of Object.entries(left)) {
    for (const remain of remains) {
      live(
        `comes with the last line, with code 0, where an environment leaves ${remain}, placement ${placement}`,
        Effect.gen(function*() {
          const cwd = yield* temporary
          const args = [...short, `--placement=${placement}`, "--no-run-folder"]
          const { code, stderr, stdout } = yield* running(cwd, [process.execPath, start, ...args], {
            env: { LINGER: remain }
          })
          assert.strictEqual(stderr, "")
          assert.match(stdout, /"event":"finished".*\n$/)
          assert.strictEqual(code, 0)
        })
      )
    }
  }

  live(
    "comes for eval too, and a failure keeps its code",
    Effect.gen(function*() {
      const cwd = yield* temporary
      yield* running(cwd, [process.execPath, start, ...short])
      const [run] = readdirSync(`${cwd}/runs`)
      for (const remain of ["timer", "code"]) {
        const env = { LINGER: remain }
        const played = ["eval", `runs/${run}`, "--env-id", lingers, "--episodes=2"]
        const evaluated = yield* running(cwd, [process.execPath, start, ...played], { env })
        assert.match(evaluated.stdout, /^Lingers-v0: 20\.0 /)
        assert.strictEqual(evaluated.code, 0)
        const refused = yield* running(cwd, [process.execPath, start, ...played, "--render=ansi"], { env })
        assert.match(refused.stderr, /has no ansi rendering/)
        assert.strictEqual(refused.code, 1)
      }
    })
  )

  live(
    "comes by a signal while slow episodes are played",
    Effect.gen(function*() {
      const cwd = yield* temporary
      yield* running(cwd, [process.execPath, start, ...short])
      const [run] = readdirSync(`${cwd}/runs`)
      let signaled = 0
      const played = ["eval", `runs/${run}`, "--env-id", lingers, "--episodes=1000"]
      const { code, stderr } = yield* running(cwd, [process.execPath, start, ...played], {
        env: { LINGER: "slowness" },
        onOutput: (stdout, child) => {
          if (signaled > 0 || !stdout.includes("slow")) return
          signaled = performance.now()
          child.kill("SIGINT")
        }
      })
      assert.strictEqual(stderr, "")
      assert.strictEqual(code, 130)
      assert.isBelow(performance.now() - signaled, 3000)
    })
  )

  for (const placement of ["thread", "process", "fiber"]) {
    for (const [signal, expected] of [["SIGINT", 130], ["SIGTERM", 143], ["SIGHUP", 129]] as const) {
      // Whoever is in another process hears no signal to ours.
      if (placement === "process" && signal !== "SIGINT") continue
      live(
        `comes by ${signal} too, with a last checkpoint, where an environment holds on and listens itself, placement ${placement}`,
        Effect.gen(function*() {
          const cwd = yield* temporary
          const args = [...endless, "--env-id", lingers, `--placement=${placement}`]
          const { code, stderr } = yield* running(cwd, [process.execPath, start, ...args], {
            env: { LINGER: "deafness" },
            onOutput: underway((child) => child.kill(signal))
          })
          assert.match(stderr, /^Interrupted\. The last checkpoint is that of update \d+; /)
          assert.strictEqual(code, expected)
          assert.lengthOf(checkpointsIn(cwd), 1)
        })
      )
    }
  }
})

describe.runIf(process.platform === "linux")("a child that is killed while the run starts", () => {
  for (const which of [0, 1, 2]) {
    live(
      `is started again: child ${which + 1}`,
      Effect.gen(function*() {
        const cwd = yield* temporary
        const args = ["--placement=process", "--workers=3", "--total-timesteps=500", "--no-run-folder", "--json"]
        let killed = false
        const { code, stderr, stdout } = yield* running(cwd, [process.execPath, start, ...args], {
          onStart: (pid) => {
            const eye = setInterval(() => {
              const children = childrenOf(pid)
              if (children.length <= which) return
              clearInterval(eye)
              killed = true
              process.kill(children[which]!, "SIGKILL")
            }, 1)
            setTimeout(() => clearInterval(eye), 30_000).unref()
          }
        })
        assert.isTrue(killed)
        assert.match(stdout, /"event":"finished"/, stderr)
        assert.strictEqual(code, 0)
      })
    )
  }
})

describe.runIf(process.platform === "linux")("whoever starts it", () => {
  for (const [signal, expected] of [["SIGINT", 130], ["SIGTERM", 143], ["SIGHUP", null]] as const) {
    live(
      `may be npm start: ${signal} to it leaves nobody behind, and a last checkpoint`,
      Effect.gen(function*() {
        const cwd = yield* temporary
        const { code, stderr } = yield* running(cwd, ["npm", "--prefix", root, "start", "--", ...endless], {
          onOutput: underway((child) => child.kill(signal))
        })
        // All of them have let go of the output, or this would not be reached.
        assert.match(stderr, /Interrupted\. The last checkpoint is that of update \d+; /)
        assert.strictEqual(code, expected)
        assert.lengthOf(checkpointsIn(cwd), 1)
      })
    )
  }

  for (const signal of ["SIGTERM", "SIGHUP", "SIGKILL"] as const) {
    live(
      `may be a script of somebody's package, whose shell tells nobody of ${signal}`,
      Effect.gen(function*() {
        const fs = yield* FileSystem.FileSystem
        const cwd = yield* temporary
        const script = `${process.execPath} ${start} ${endless.join(" ")}`
        yield* fs.writeFileString(`${cwd}/package.json`, JSON.stringify({ name: "mine", scripts: { train: script } }))
        const { stderr } = yield* running(cwd, ["npm", "run", "train"], {
          onOutput: underway((child) => child.kill(signal))
        })
        assert.match(stderr, /Interrupted\. The last checkpoint is that of update \d+; /)
        assert.lengthOf(checkpointsIn(cwd), 1)
      })
    )
  }

  live(
    "may have put it into the background of such a script: it goes on",
    Effect.gen(function*() {
      const fs = yield* FileSystem.FileSystem
      const cwd = yield* temporary
      const script = `${process.execPath} ${start} --total-timesteps=200000 --keep-going --json > out.txt 2> err.txt &`
      yield* fs.writeFileString(`${cwd}/package.json`, JSON.stringify({ name: "mine", scripts: { train: script } }))
      yield* running(cwd, ["npm", "run", "train"])
      const finished = Effect.flatMap(
        fs.readFileString(`${cwd}/out.txt`),
        (out) => out.includes(`"event":"finished"`) ? Effect.void : Effect.fail(out)
      )
      yield* Effect.retry(Effect.delay(finished, 100), { times: 400 })
      assert.strictEqual(yield* fs.readFileString(`${cwd}/err.txt`), "")
    })
  )

  const contained = spawnSync("unshare", ["-Urpf", "true"]).status === 0
  it.live.runIf(contained)(
    "may be nobody, and the program only about to listen: a signal ends it all the same",
    () =>
      Effect.gen(function*() {
        const cwd = yield* temporary
        const soon = `import ${JSON.stringify(new URL("../src/processOne.js", import.meta.url).href)}
        console.log("up")
        setTimeout(() => {}, 60_000)`
        const program = [process.execPath, "--input-type=module", "-e", soon]
        const { code } = yield* running(cwd, ["unshare", "-Urpf", ...program], {
          onOutput: (_, child) => process.kill(childrenOf(child.pid!)[0]!, "SIGTERM")
        })
        assert.strictEqual(code, 143)
      }).pipe(Effect.scoped, Effect.provide(NodeServices.layer)),
    60_000
  )

  for (const how of ["node", "npm"] as const) {
    it.live.runIf(contained)(
      `may be nobody: as process 1 of a container ${how} ends with 143 after a last checkpoint`,
      () =>
        Effect.gen(function*() {
          const cwd = yield* temporary
          const command = how === "node" ? [process.execPath, start] : ["npm", "--prefix", root, "start", "--"]
          const { code, stderr } = yield* running(cwd, ["unshare", "-Urpf", ...command, ...endless], {
            // The only child of `unshare` is the container's process 1.
            onOutput: underway((child) => process.kill(childrenOf(child.pid!)[0]!, "SIGTERM"))
          })
          assert.match(stderr, /Interrupted\. The last checkpoint is that of update \d+; /)
          assert.strictEqual(code, 143)
          assert.lengthOf(checkpointsIn(cwd), 1)
        }).pipe(Effect.scoped, Effect.provide(NodeServices.layer)),
      60_000
    )
  }
})
