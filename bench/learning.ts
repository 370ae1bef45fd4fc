/**
 * What is learned in which environment, by the settings that come with Troupe: `node bench/learning.ts` trains every row of
 * the table below on seeds 1 to 5, one run after the other in this thread, plays 1000 fresh episodes with each of the last
 * policies, once with the likeliest action each time and once with sampled ones, and prints the Markdown table of
 * `docs/learning.md`. Every number in it can be made again to the digit.
 *
 *     --only <id>,<id>     these environments alone
 *     --seeds <n>          seeds 1 to n (5), or those of a list: 4,5
 *     --episodes <n>       episodes of an evaluation (1000)
 *     --algo <name>        another algorithm than the row's
 *     --steps <n>          another number of steps than the row's
 *     --with <json>        settings that are changed, as in config.json; of a list, each by itself
 */
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import { parseArgs } from "node:util"
import { ensureBuilt } from "../scripts/build.ts"
import { Arena } from "../src/model/kernels/Arena.ts"
import { Kernels } from "../src/model/kernels/Kernels.ts"
import type { PartialConfig } from "../src/runtime/config/configSources.ts"
import { Evaluator } from "../src/runtime/evaluation/Evaluator.ts"
import { Run } from "../src/runtime/Run.ts"

/** What is to be learned: the mean return of the greedy policy, after so many steps of training. */
interface Task {
  readonly envId: string
  readonly algo: "a2c" | "ppo"
  readonly steps: number
  readonly goal: number
}

const tasks: ReadonlyArray<Task> = [
  { envId: "MountainCarContinuous-v0", algo: "ppo", steps: 50_000, goal: 90 },
  { envId: "Pendulum-v1", algo: "ppo", steps: 200_000, goal: -200 },
  { envId: "Acrobot-v1", algo: "ppo", steps: 300_000, goal: -85 },
  { envId: "MountainCar-v0", algo: "ppo", steps: 500_000, goal: -115 },
  { envId: "FrozenLake-v1", algo: "ppo", steps: 500_000, goal: 0.7 },
  { envId: "Taxi-v4", algo: "ppo", steps: 2_000_000, goal: 7 },
  { envId: "CliffWalking-v1", algo: "ppo", steps: 300_000, goal: -13 }
]

const { values: flags } = parseArgs({
  options: {
    only: { type: "string" },
    seeds: { type: "string", default: "5" },
    episodes: { type: "string", default: "1000" },
    algo: { type: "string" },
    steps: { type: "string" },
    with: { type: "string", default: "{}" }
  }
})
const seeds = flags.seeds.includes(",")
  ? flags.seeds.split(",").map(Number)
  : Array.from({ length: Number(flags.seeds) }, (_, k) => k + 1)
const episodes = Number(flags.episodes)
const changes: unknown = JSON.parse(flags.with)
const variants = (Array.isArray(changes) ? changes : [changes]) as ReadonlyArray<PartialConfig>
const only = flags.only?.split(",")

await ensureBuilt()

/** A policy that does not come to an end is stopped here. */
const cap = 1000

/** Trains to the last step, and plays with the policy of that time. */
const learned = Effect.fnUntraced(function*(given: PartialConfig) {
  const { policy, definition } = yield* Effect.gen(function*() {
    const run = yield* Run
    yield* run.train()
    return { policy: yield* run.policy, definition: run.environment }
  }).pipe(Effect.provide(Run.layer({ placement: "fiber", runFolder: false, keepGoing: true, ...given })))
  const arena = yield* Arena.make({ bytes: policy.weights.byteLength + Evaluator.bytes(policy.spec) + 1024 })
  const kernels = yield* Kernels.instantiate(arena.memory)
  const weights = yield* arena.allocate(policy.weights.byteLength)
  arena.float32(weights, policy.weights.length).set(policy.weights)
  const evaluator = yield* Evaluator.make({
    arena,
    definition,
    kernels,
    policy: policy.spec,
    seed: 0,
    masked: policy.actionMasks
  })
  const greedy = yield* evaluator.evaluate({ weights, round: 0, episodes, cap })
  const sampled = yield* evaluator.evaluate({ weights, round: 1, episodes, cap, sampled: true })
  return { greedy: greedy.mean, sampled: sampled.mean }
})

const digits = (value: number): string => value.toFixed(Math.abs(value) < 10 ? 2 : 1)

const program = Effect.gen(function*() {
  const named = (list: ReadonlyArray<number>) => list.map((seed) => `seed ${seed}`).join(" | ")
  yield* Console.log(`| environment | with | steps | goal | ${named(seeds)} | reached |`)
  yield* Console.log(`| --- | --- | --- | --- |${" --- |".repeat(seeds.length)} --- |`)
  for (const task of tasks.filter(({ envId }) => only === undefined || only.includes(envId))) {
    for (const variant of variants) {
      const steps = Number(flags.steps ?? task.steps)
      const algo = (flags.algo ?? task.algo) as Task["algo"]
      const began = performance.now()
      const outcomes = yield* Effect.forEach(
        seeds,
        (seed) => learned({ envId: task.envId, algo, totalTimesteps: steps, ...variant, seed })
      )
      const reached = outcomes.filter(({ greedy }) => greedy >= task.goal).length
      const cells = outcomes.map(({ greedy, sampled }) => `${digits(greedy)} (${digits(sampled)})`)
      const what = variants.length > 1 ? ` ${JSON.stringify(variant)}` : ""
      yield* Console.log(
        `| ${task.envId} | ${algo}${what} | ${steps.toLocaleString("en")} | ${task.goal} | ${cells.join(" | ")} | ` +
          `${reached} of ${seeds.length} |`
      )
      yield* Console.error(`${((performance.now() - began) / 1000 / seeds.length).toFixed(1)} s a run`)
    }
  }
})

await Effect.runPromise(Effect.scoped(Effect.provide(program, NodeServices.layer)))
