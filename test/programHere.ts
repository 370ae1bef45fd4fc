/** The command line in this process: as good as a process of its own where nothing is run, and in no time. */
import { NodeServices } from "@effect/platform-node"
import { Console, Effect, Logger } from "effect"
import { format } from "node:util"
import { codeOf, program } from "../src/program.ts"
import type { Outcome } from "./program.ts"

/** Runs the program to its end in a folder. One after another: a process has one working directory. */
export const troupeHere = Effect.fnUntraced(function*(cwd: string, args: ReadonlyArray<string>) {
  const said = { stdout: "", stderr: "" }
  const into = (stream: keyof typeof said) => (...words: ReadonlyArray<unknown>) => {
    said[stream] += `${format(...words)}\n`
  }
  const console: Console.Console = Object.assign(Object.create(globalThis.console), {
    log: into("stdout"),
    error: into("stderr")
  })
  const exit = yield* Effect.acquireUseRelease(
    Effect.sync(() => {
      const before = process.cwd()
      process.chdir(cwd)
      return before
    }),
    () =>
      Effect.exit(program(args)).pipe(
        Effect.provideService(Console.Console, console),
        Effect.provide(Logger.layer([])),
        Effect.provide(NodeServices.layer)
      ),
    (before) => Effect.sync(() => process.chdir(before))
  )
  const outcome: Outcome = { code: codeOf(exit, 130), ...said }
  return outcome
})
