/**
 * Standard output belongs to the program: a table for people, or with `--json` events for programs. Whatever else prints
 * there in this thread, an environment's `console.log` above all, is led to standard error, as the actor system does with
 * what threads and child processes print.
 */
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { badArgument, type PlatformError } from "effect/PlatformError"
import * as Terminal from "effect/Terminal"
import { format } from "node:util"

/** Takes standard output over, from now to the end of the process. Answers the one way that still leads there. */
const takeOver = () => {
  const { stderr, stdout } = process
  const write = stdout.write.bind(stdout)
  stdout.write = stderr.write.bind(stderr)
  return (text: string, written: (error: Error | null | undefined) => void) => write(text, written)
}

/** `Terminal` and `Console` that write to standard output, which is nobody else's from then on. */
export const layer: Layer.Layer<Terminal.Terminal, never, Terminal.Terminal> = Layer.unwrap(
  Effect.map(Terminal.Terminal, (terminal) => {
    const write = takeOver()
    const display = (text: string): Effect.Effect<void, PlatformError> =>
      Effect.callback<void, PlatformError>((resume) => {
        write(text, (error) =>
          resume(
            error === null || error === undefined ? Effect.void : Effect.fail(badArgument({
              module: "Terminal",
              method: "display",
              description: "standard output cannot be written",
              cause: error
            }))
          ))
      }).pipe(Effect.uninterruptible)
    const console: Console.Console = Object.assign(Object.create(globalThis.console), {
      log: (...words: ReadonlyArray<unknown>) => void write(`${format(...words)}\n`, () => {})
    })
    return Layer.mergeAll(
      Layer.succeed(Terminal.Terminal, Terminal.make({ ...terminal, display })),
      Layer.succeed(Console.Console, console)
    )
  })
)
