/**
 * What the pages print is what a run prints: every command of a console block is run, and every line under it compared.
 * Only what the clock, the machine's cores or a folder's time decide is left out of the comparison.
 */
import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { spawn } from "node:child_process"
import { globSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import * as path from "node:path"
import { fileURLToPath } from "node:url"
import { afterAll } from "vitest"
import { decimal, score, whole } from "../../src/runtime/reporting/formatting.ts"
import { Run } from "../../src/runtime/Run.ts"

const root = fileURLToPath(new URL("../..", import.meta.url))
const start = path.join(root, "scripts", "start.ts")
const folder = mkdtempSync(path.join(tmpdir(), "troupe-console-"))
symlinkSync(path.join(root, "examples"), path.join(folder, "examples"))
// What the page on environments checks: a world that remembers something outside its state.
writeFileSync(
  path.join(folder, "maze.ts"),
  `import { Box, Discrete, Environment } from "troupe/envs"

export default Environment.define({
  id: "Maze-v0",
  module: import.meta.url,
  observationSpace: new Box({ low: 0, high: 9, shape: [2] }),
  actionSpace: new Discrete(4),
  maxEpisodeSteps: 100,
  stateSize: 1,
  create: (state) => {
    let visited = 0
    return {
      reset: (random) => {
        state[0] = random.integers(0, 3)
        visited = 0
      },
      step: (action) => {
        state[0] = Math.min(9, Math.max(0, state[0]! + (action % 2 === 0 ? 1 : -1)))
        visited++
        return { reward: 0, terminated: false }
      },
      observe: (observation) => {
        observation[0] = state[0]!
        observation[1] = Math.min(9, visited)
      }
    }
  }
})
`
)
afterAll(() => rmSync(folder, { recursive: true }))

interface Command {
  readonly page: string
  readonly line: string
  readonly printed: ReadonlyArray<string>
}

const pages = ["README.md", ...globSync("docs/**/*.md", { cwd: root }).toSorted()]

const commands = pages.flatMap((page) => {
  const text = readFileSync(path.join(root, page), "utf8")
  return [...text.matchAll(/^```(?:console)?\n(\$ [\s\S]*?)^```$/gm)].flatMap(([, block]) => {
    const found: Array<Command> = []
    for (const part of block!.split(/^\$ /m).slice(1)) {
      const [line = "", ...printed] = part.trimEnd().split("\n")
      found.push({ page, line, printed })
    }
    return found
  })
})
const printing = commands.filter(({ printed }) => printed.length > 0)

/** What is not the same in every run, or on every machine. */
const measured: ReadonlyArray<readonly [RegExp, string]> = [
  [/\b[\d.]+[kM]? steps\/s/g, "# steps/s"],
  [/\bin [\d.:]+ s\b/g, "in # s"],
  [/\b(start-up|median) [\d.]+ m?s/g, "$1 #"],
  [/, [\d.]+ s$/g, ", # s"],
  [/\S*runs\/(\w+-v\d)__(\w+)__(\d+)__\d{4}-\d\d-\d\dT[\d-]+/g, "runs/$1__$2__$3__#"],
  [/of \d+ EnvWorkers? in \d+ threads?/g, "of # EnvWorkers in # threads"],
  [/that of update \d+/g, "that of update #"]
]
const unmeasured = (line: string): string => measured.reduce((text, [what, by]) => text.replace(what, by), line)

const latest = (): string | undefined => {
  try {
    // Two runs may begin within the second that their names tell.
    const begun = (run: string) => statSync(path.join(folder, "runs", run, "config.json")).mtimeMs
    return readdirSync(path.join(folder, "runs")).toSorted((a, b) => begun(a) - begun(b)).at(-1)
  } catch {
    return undefined
  }
}

interface Outcome {
  readonly lines: ReadonlyArray<string>
}

/** Runs a command of a page in the folder; `npm start` without npm. A run's folder is the last one. */
const perform = (line: string, interrupted = false) =>
  Effect.callback<Outcome>((resume) => {
    const { env, rest } = /^(?<env>(?:[A-Z_]+=\S+ )*)(?<rest>.*)$/.exec(line)!.groups!
    const variables = Object.fromEntries(
      env!.trim().split(" ").filter((word) => word !== "").map((word) => word.split("="))
    )
    const words = rest!.split(" ").map((word) => /^runs\/./.test(word) ? `runs/${latest()}` : word)
    const byNpm = /^npm start --\w/.test(rest!)
    const [program, args] = byNpm
      ? ["npm", words.slice(1)] as const
      : words[0] === "node"
      ? [process.execPath, [path.join(root, words[1]!), ...words.slice(2)]] as const
      : [process.execPath, [start, ...words.slice(words[2] === "--" ? 3 : 2)]] as const
    const child = spawn(program, args, { cwd: byNpm ? root : folder, env: { ...process.env, ...variables } })
    let said = ""
    const hear = (chunk: Buffer) => {
      said += chunk
      if (interrupted && said.includes("evaluation at")) {
        interrupted = false
        child.kill("SIGINT")
      }
    }
    child.stdout.on("data", hear)
    child.stderr.on("data", hear)
    child.on("close", () => resume(Effect.succeed({ lines: said.trimEnd().split("\n") })))
    return Effect.sync(() => child.kill("SIGKILL"))
  }).pipe(Effect.timeout("80 seconds"))

const isRow = (line: string): boolean => /^ +[\d,]+( +[\d.,-]+[kM]?){6} +[\d.]+ s$/.test(line)

/** The rows of the table that the command could print, without rate and time. */
const rowsOf = Effect.fnUntraced(function*(line: string) {
  const { lines } = yield* perform(`${line} --json`)
  return lines.map((line) => JSON.parse(line)).filter(({ event }) => event === "progress").map((row) =>
    [
      whole(row.env_steps),
      whole(row.update),
      whole(row.episodes),
      score(row.ep_rew_mean),
      score(row.train20),
      decimal(row.entropy, 3)
    ].join(" ")
  )
})

const compare = Effect.fnUntraced(function*({ line, page, printed }: Command, { lines }: Outcome) {
  const actual = lines.map(unmeasured)
  let from = 0
  for (const expected of printed) {
    if (expected === "..." || expected === "^C") continue
    const where = `${page}: $ ${line}\nprints no line\n${expected}\nbut\n${lines.join("\n")}`
    if (isRow(expected)) {
      // Which rows come depends on the clock; what stands in one does not.
      assert.include(yield* rowsOf(line), expected.trim().split(/ +/).slice(0, 6).join(" "), where)
      continue
    }
    const at = actual.indexOf(unmeasured(expected), from)
    assert.isAtLeast(at, 0, where)
    from = at + 1
  }
})

/** Blocks of which something depends on the clock, or that go on until somebody stops them. */
const special: Readonly<Record<string, (all: ReadonlyArray<Command>) => Effect.Effect<void, unknown>>> = {
  // A run by the clock is another one each time; its replays are not.
  "docs/asynchronous.md": Effect.fnUntraced(function*(all) {
    assert.strictEqual(new Set(all.map(({ printed }) => unmeasured(printed.join("\n")))).size, 1)
    const ends: Array<string> = []
    for (const { line } of all) ends.push(unmeasured((yield* perform(line)).lines.at(-1)!))
    assert.deepStrictEqual(ends, all.map(() => ends[0]))
    assert.match(ends[0]!, /^solved after .* weights [0-9a-f]{64}$/)
  }),
  "docs/checkpoints.md": Effect.fnUntraced(function*(all) {
    for (const command of all) yield* compare(command, yield* perform(command.line, true))
  }),
  "docs/library.md": Effect.fnUntraced(function*(all) {
    const printed = all.find(({ line }) => line.startsWith("curl"))!.printed
    const [, asked] = /-d '([^']+)'/.exec(all.find(({ line }) => line.startsWith("curl"))!.line)!
    yield* Effect.gen(function*() {
      const run = yield* Run
      const { env_steps } = yield* run.train()
      const decision = yield* (yield* run.policy).decide(JSON.parse(asked!).observation)
      assert.deepStrictEqual(JSON.parse(printed[0]!), { ...decision, envSteps: env_steps })
    }).pipe(
      Effect.provide(Layer.provide(Run.layer({ envId: "CartPole-v1", nEnvs: 10, keepGoing: true }), NodeServices.layer))
    )
  })
}

describe("what the pages print", () => {
  it("is found", () => {
    assert.isAtLeast(printing.length, 18)
  })

  it("has no hash that no run is compared with", () => {
    for (const page of pages) {
      // Written by a program, and compared by `zoo.test.ts`.
      if (page === "docs/zoo.md") continue
      const printed = printing.filter((command) => command.page === page).flatMap(({ printed }) => printed).join("\n")
      for (const [hash] of readFileSync(path.join(root, page), "utf8").matchAll(/\b[0-9a-f]{64}\b/g)) {
        assert.include(printed, hash, `${page} prints a hash outside a console block that begins with its command`)
      }
    }
  })

  for (const page of new Set(printing.map(({ page }) => page))) {
    const all = printing.filter((command) => command.page === page)
    const whole = special[page]
    if (whole !== undefined) it.live(`is what runs do: ${page}`, () => whole(all), 300_000)
    else {
      for (const command of all) {
        it.live(`is what a run prints: ${page}: ${command.line}`, () =>
          Effect.gen(function*() {
            // What is evaluated was trained before.
            if (/ runs\//.test(command.line)) yield* perform("npm start -- --seed 1")
            yield* compare(command, yield* perform(command.line))
          }), 180_000)
      }
    }
  }
})
