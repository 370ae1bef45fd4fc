/** A runner of the command line as a process of its own. */
import { Effect } from "effect"
import { spawn } from "node:child_process"
import { writeFileSync } from "node:fs"
import * as path from "node:path"
import { fileURLToPath } from "node:url"
import type { Outcome } from "./program.ts"

const cli = fileURLToPath(new URL("../dist/cli.js", import.meta.url))
const secret = "of these tests, and of no others"

export interface RunnerProcess {
  readonly address: string
  readonly kill: (signal: NodeJS.Signals) => void
  readonly ended: Effect.Effect<Outcome>
}

/** A runner that listens, with its secret in the file of that name; it is gone when the scope closes. */
export const runner = Effect.fnUntraced(
  function*(cwd: string, more: ReadonlyArray<string> = [], listen = "127.0.0.1:0") {
    const file = path.join(cwd, "secret")
    writeFileSync(file, `${secret}\n`, { flag: "w" })
    const args = ["runner", "--listen", listen, "--secret-file", file, "--json", ...more]
    return yield* Effect.acquireRelease(
      Effect.callback<RunnerProcess, Error>((resume) => {
        const child = spawn(process.execPath, [cli, ...args], { cwd, stdio: ["ignore", "pipe", "pipe"] })
        let stdout = ""
        let stderr = ""
        const ended = new Promise<Outcome>((resolve) => {
          child.on("close", (code) => resolve({ code, stdout, stderr }))
        })
        void ended.then(({ stderr }) => resume(Effect.fail(new Error(`the runner ended: ${stderr}`))))
        child.stderr.on("data", (chunk) => stderr += chunk)
        child.stdout.on("data", (chunk) => {
          stdout += chunk
          const address = /"listening":"([^"]+)"/.exec(stdout)?.[1]
          if (address === undefined) return
          const kill = (signal: NodeJS.Signals) => void child.kill(signal)
          resume(Effect.succeed({ address, kill, ended: Effect.promise(() => ended) }))
        })
      }).pipe(Effect.timeout("30 seconds")),
      ({ kill }) => Effect.sync(() => kill("SIGKILL"))
    )
  }
)
