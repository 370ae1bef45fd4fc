/** What reaches a terminal, or whoever reads standard output: one line for one mistake, and nothing that is not ours. */
import { assert, describe } from "@effect/vitest"
import { Effect, FileSystem, Schema } from "effect"
import { fileURLToPath } from "node:url"
import { RunEventFromJsonLine } from "../src/runtime/monitoring/RunEvent.ts"
import { live, temporary, troupe } from "./program.ts"

const fixture = (name: string) => fileURLToPath(new URL(`./runtime/fixtures/${name}`, import.meta.url))

/** What a terminal may obey, but for the ends of lines. */
const obeyed = /[^\P{Cc}\n]|[\p{Cf}\p{Zl}\p{Zp}]/u

const hostile = "\x1b]0;title\x07\x1b[31mred\r\nforged line\u202egnp\u2066\x9b2J"

describe("a sentence on standard error", () => {
  const wrong: ReadonlyArray<readonly [what: string, args: ReadonlyArray<string>, env?: Record<string, string>]> = [
    ["a flag's value", ["--n-envs", hostile]],
    ["a long value", ["--lr", "9".repeat(100_000)]],
    ["a flag", [`--${hostile}`]],
    ["a verb", [hostile]],
    ["an environment's id", ["--env-id", hostile]],
    ["a file's name", ["--config", hostile]],
    ["a choice", ["--device", hostile]],
    ["the value of a variable", [], { TROUPE_N_ENVS: hostile }],
    ["the name of a variable", [], { [`TROUPE_${hostile}`]: "1" }],
    ["a wrong choice of another verb", ["export", "x", "--format", hostile]]
  ]
  for (const [what, args, env] of wrong) {
    live(
      `is one bounded line where ${what} is not`,
      Effect.gen(function*() {
        const { code, stderr, stdout } = yield* troupe(yield* temporary, args, env === undefined ? {} : { env })
        assert.match(stderr, /^[^\n]{1,1000}\n$/)
        assert.notMatch(stderr, obeyed)
        assert.strictEqual(stdout, "")
        assert.strictEqual(code, 2)
      })
    )
  }

  for (
    const [what, args] of [
      ["plot", ["plot", hostile]],
      ["eval", ["eval", hostile]],
      ["export", ["export", hostile]],
      ["resume", ["--resume", hostile]],
      ["replay", ["--replay", hostile]],
      ["init-from", ["--init-from", hostile]]
    ] as const
  ) {
    live(
      `is one bounded line where ${what} names what is not there`,
      Effect.gen(function*() {
        const { code, stderr } = yield* troupe(yield* temporary, args)
        assert.match(stderr, /^[^\n]{1,1000}\n$/)
        assert.notMatch(stderr, obeyed)
        assert.strictEqual(code, 1)
      })
    )
  }

  live(
    "answers settings that are nested without end, with 2",
    Effect.gen(function*() {
      const fs = yield* FileSystem.FileSystem
      const cwd = yield* temporary
      for (
        const deep of [
          `${"[".repeat(50_000)}${"]".repeat(50_000)}`,
          `${"{\"a\":".repeat(50_000)}1${"}".repeat(50_000)}`
        ]
      ) {
        yield* fs.writeFileString(`${cwd}/deep.json`, `{"hidden":${deep}}`)
        const { code, stderr } = yield* troupe(cwd, ["--config", "deep.json"])
        assert.match(stderr, /^The configuration file deep\.json [^\n]{1,200}\n$/)
        assert.strictEqual(code, 2)
      }
    })
  )

  for (const placement of ["fiber", "thread", "process"]) {
    for (const how of ["step", "import", "timer", "object"]) {
      live(
        `says in one bounded line what an environment threw: ${how}, ${placement}`,
        Effect.gen(function*() {
          const { code, stderr, stdout } = yield* troupe(
            yield* temporary,
            [
              "--env-id",
              fixture("throws-anything.ts"),
              "--placement",
              placement,
              "--max-restarts",
              "1",
              "--no-run-folder"
            ],
            { env: { THROWS: how } }
          )
          assert.notMatch(stderr, obeyed)
          assert.notMatch(stdout, obeyed)
          assert.match(stderr.trimEnd(), /^[^\n]{1,1000}$/)
          assert.strictEqual(code, 1)
        })
      )
    }
  }
})

describe("--json", () => {
  for (const placement of ["fiber", "thread", "process"]) {
    live(
      `is events alone where an environment prints: ${placement}`,
      Effect.gen(function*() {
        const cwd = yield* temporary
        const args = [
          "--env-id",
          fixture("prints.ts"),
          "--placement",
          placement,
          "--workers",
          "2",
          "--total-timesteps",
          "500",
          "--json"
        ]
        const { code, stderr, stdout } = yield* troupe(cwd, args)
        assert.strictEqual(code, 0, stderr)
        for (const line of stdout.trimEnd().split("\n")) yield* Schema.decodeUnknownEffect(RunEventFromJsonLine)(line)
        for (const word of ["imported", "reset", "written", "table", "leaving"]) assert.include(stderr, word)
        const [run] = yield* (yield* FileSystem.FileSystem).readDirectory(`${cwd}/runs`)
        const evaluated = yield* troupe(cwd, [
          "eval",
          `runs/${run}`,
          "--env-id",
          fixture("prints.ts"),
          "--episodes",
          "1",
          "--json"
        ])
        assert.strictEqual(evaluated.stdout.trimEnd().split("\n").length, 1)
        assert.strictEqual(JSON.parse(evaluated.stdout).event, "evaluation")
      })
    )
  }
})
