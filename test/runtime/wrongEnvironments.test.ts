/** Runs of environments that are a little wrong, in every placement: one sentence with environment, step and reason. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Layer } from "effect"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { afterAll } from "vitest"
import { CartPoleV1, Registry, TransformReward } from "../../src/envs/index.ts"
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

/** One of each kind, where each costs threads or processes. */
const few = [
  "TerminatedOne-v0",
  "RewardHuge-v0",
  "StepPromise-v0",
  "ThrowsHostile-v0",
  "CreateNull-v0",
  "ResetThrows-v0"
]

/** Fails unless a run ends with what its environment did. */
const endsWith = Effect.fnUntraced(
  function*<E, R>(run: Effect.Effect<unknown, E, R>, id: string, step: number, reason: RegExp) {
    const exit = yield* Effect.exit(run)
    assert(Exit.isFailure(exit))
    const error: unknown = exit.cause.reasons.find((reason) => reason._tag === "Fail")?.error
    assert(error instanceof Error, String(exit.cause))
    const [, said = "", at] = /^Environment (.*) \(number 0\) cannot be used: at its step (\d) /.exec(error.message) ??
      []
    assert.strictEqual(said, id, error.message)
    assert.strictEqual(Number(at), step)
    assert.match(error.message.replace(/^.*? at its step \d /, "").replace(/\.$/, ""), reason)
    assert.notMatch(error.message, /\n/)
  }
)

const short = { workers: 1, nEnvs: 2, totalTimesteps: 100 }

describe("a run of an environment that is wrong", () => {
  for (const [definition, step, reason] of [...wrongs, ...wrapped]) {
    const { id } = definition
    it.live(`ends with what ${id} did`, () =>
      endsWith(train({ ...short, envId: id }), id, step, reason).pipe(
        Effect.provide(Layer.fresh(Registry.layer(definition)))
      ), 60_000)
    if (!few.includes(id)) continue
    for (const placement of ["fiber", "thread", "process"] as const) {
      it.live(
        `ends with what ${id} of a file did, in a ${placement}`,
        () => endsWith(train({ ...short, envId: fileOf(id), placement }), id, step, reason),
        60_000
      )
    }
  }
})

describe("an environment that a Layer registers", () => {
  const halved = TransformReward.wrap(CartPoleV1, (reward) => reward / 2)
  const registered = Registry.layer({ ...halved, id: "Halved-v0" }, { ...halved, id: "CartPole-v0" })
  const run = (envId: string, placement: "fiber" | "thread" | "process") =>
    Effect.exit(train({ envId, placement, workers: 1, nEnvs: 1, totalTimesteps: 100 })).pipe(
      Effect.provide(Layer.fresh(registered))
    )

  for (const placement of ["thread", "process"] as const) {
    for (const id of ["Halved-v0", "CartPole-v0"]) {
      it.live(`is refused in a ${placement}, where ${id} is unknown or another`, () =>
        Effect.gen(function*() {
          const exit = yield* run(id, placement)
          assert(Exit.isFailure(exit))
          assert.match(
            String(exit.cause),
            new RegExp(
              `${id} is registered in this thread alone, .*"${placement}".*placement "fiber".*import\\.meta\\.url`
            )
          )
        }), 60_000)
    }
  }

  it.live("is trained in fibers", () =>
    Effect.gen(function*() {
      for (const id of ["Halved-v0", "CartPole-v0"]) {
        const exit = yield* run(id, "fiber")
        assert(Exit.isSuccess(exit), String(exit))
      }
    }), 60_000)
})

describe("rewards that float32 holds, and their sums not", () => {
  it.live("are what is blamed, and not the learning rate", () =>
    Effect.gen(function*() {
      const file = join(folder, "immense.ts")
      writeFileSync(
        file,
        `import { TransformReward, CartPoleV1 } from "troupe/envs"
export default { ...TransformReward.wrap(CartPoleV1, () => 3e38), id: "Immense-v0", module: import.meta.url }
`
      )
      for (
        const given of [{}, { ship: "experience" }, { device: "reference" }, {
          preset: "a3c",
          schedule: "seeded"
        }] as const
      ) {
        const exit = yield* Effect.exit(train({ envId: file, totalTimesteps: 2000, ...given }))
        assert(Exit.isFailure(exit), JSON.stringify(given))
        assert.match(String(exit.cause), /the rewards of Immense-v0 are as large as 3\.00e\+38, .*; scale them/)
      }
    }), 60_000)
})

describe("a module that gives another environment in another thread", () => {
  it.live("is refused, and not stepped in memory of the wrong size", () =>
    Effect.gen(function*() {
      const file = join(folder, "shifty.ts")
      writeFileSync(
        file,
        `import { isMainThread } from "node:worker_threads"
import { wrongs } from ${JSON.stringify(source)}
const [[definition]] = wrongs
export default { ...definition, module: import.meta.url, stateSize: isMainThread ? 1 : 100_000 }
`
      )
      const exit = yield* Effect.exit(train({ envId: file, placement: "thread", workers: 1, nEnvs: 1 }))
      assert(Exit.isFailure(exit))
      assert.match(
        String(exit.cause),
        /Environment TerminatedOne-v0 .* another environment here than in the trainer's thread/
      )
    }), 60_000)
})
