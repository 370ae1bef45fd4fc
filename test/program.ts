/** The command line as a process of its own, in a folder of its own. */
import { NodeServices } from "@effect/platform-node"
import { it } from "@effect/vitest"
import { Effect, FileSystem, type Scope } from "effect"
import { spawn } from "node:child_process"
import { fileURLToPath } from "node:url"

const start = fileURLToPath(new URL("../scripts/start.ts", import.meta.url))

export interface Outcome {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface ProgramOptions {
  readonly env?: Readonly<Record<string, string | undefined>>
  /** Hears all of standard output so far, whenever there is more; `hangUp` reads no more of it. */
  readonly onOutput?: (stdout: string, kill: (signal: NodeJS.Signals) => void, hangUp: () => void) => void
  /** The same, of standard error. */
  readonly onError?: (stderr: string, kill: (signal: NodeJS.Signals) => void) => void
}

/** Runs the program to its end. */
export const troupe = (
  cwd: string,
  args: ReadonlyArray<string>,
  { env = {}, onError, onOutput }: ProgramOptions = {}
) =>
  Effect.callback<Outcome>((resume) => {
    const child = spawn(process.execPath, [start, ...args], {
      cwd,
      // Whoever runs the tests may be npm.
      env: { ...process.env, npm_lifecycle_event: undefined, INIT_CWD: undefined, ...env },
      stdio: ["ignore", "pipe", "pipe"]
    })
    let stdout = ""
    let stderr = ""
    child.stdout.on("data", (chunk) => {
      stdout += chunk
      onOutput?.(stdout, (signal) => child.kill(signal), () => child.stdout.destroy())
    })
    child.stderr.on("data", (chunk) => {
      stderr += chunk
      onError?.(stderr, (signal) => child.kill(signal))
    })
    child.on("close", (code) => resume(Effect.succeed({ code, stdout, stderr })))
    return Effect.sync(() => child.kill("SIGKILL"))
  }).pipe(Effect.timeout("50 seconds"))

export const temporary = Effect.flatMap(FileSystem.FileSystem, (fs) => fs.makeTempDirectoryScoped())

/** A test with real processes and files. */
export const live = (name: string, test: Effect.Effect<unknown, unknown, FileSystem.FileSystem | Scope.Scope>) =>
  it.live(name, () => Effect.scoped(Effect.provide(test, NodeServices.layer)), 90_000)
