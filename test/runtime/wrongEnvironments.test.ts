/** Runs of environments that are a little wrong, in every placement: one sentence with environment, step and reason. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit } from "effect"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { afterAll } from "vitest"
import { wrapped, wrongs } from "../envs/fixtures/wrong.ts"
import { train } from "./running.ts"

const source = fileURLToPath(new URL("../envs/fixtures/wrong.ts", import.meta.url))

/** Whoever is told a file takes its default export: each environment gets a file of its own, outside any project. */
const folder = mkdtempSync(join(tmpdir(), "troupe-wrong-"))
afterAll(() => rmSync(folder, { recursive: true }))

const fileOf = (id: string): string => {
  const file = join(folder, `${id}.ts`)
  writeFileSync(
    file,
    `import { wrapped, wrongs } from ${JSON.stringify(source)}
const [definition] = [...wrongs, ...wrapped].find(([{ id }]) => id === ${JSON.stringify(id)})!
export default { ...definition, module: import.meta.url }
`
  )
  return file
}

/** One of each kind, where each costs a thread or a process. */
const few = [
  "TerminatedOne-v0",
  "RewardHuge-v0",
  "StepPromise-v0",
  "ThrowsHostile-v0",
  "CreateNull-v0",
  "ResetThrows-v0"
]

describe("a run of an environment that is wrong", () => {
  for (const placement of ["fiber", "thread", "process"] as const) {
    for (const [definition, step, reason] of [...wrongs, ...wrapped]) {
      if (placement !== "fiber" && !few.includes(definition.id)) continue
      it.live(`ends with what ${definition.id} did, in a ${placement}`, () =>
        Effect.gen(function*() {
          const envId = fileOf(definition.id)
          const exit = yield* Effect.exit(train({ envId, placement, workers: 1, nEnvs: 2, totalTimesteps: 100 }))
          assert(Exit.isFailure(exit))
          const error = exit.cause.reasons.find((reason) => reason._tag === "Fail")?.error
          assert(error instanceof Error, String(exit.cause))
          const [, said = "", at] =
            /^Environment (.*) \(number 0\) cannot be used: at its step (\d) /.exec(error.message) ?? []
          assert.strictEqual(said, definition.id, error.message)
          assert.strictEqual(Number(at), step)
          assert.match(error.message.replace(/^.*? at its step \d /, "").replace(/\.$/, ""), reason)
          assert.notMatch(error.message, /\n/)
        }), 60_000)
    }
  }
})
