/**
 * What each quirk of the notebooks costs: `node bench/notebook-quirks.ts [000|002] [seeds]` runs the presets
 * `notebook-ray` (000) and `notebook-a3c` (002) as they are, with each quirk alone put right, and with all of them. It
 * prints the Markdown tables of `docs/notebooks.md` and draws `docs/notebook-000.svg` and `docs/notebook-002.svg`.
 *
 * Every row is the median over seeds 1, 2, ... (10 by default) of whole runs, one after the other in this thread. Action
 * sampling is seeded, which the notebooks' was not, so that the tables can be made again to the digit.
 */
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { writeFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { ensureBuilt } from "../scripts/build.ts"
import type { PartialConfig } from "../src/runtime/config/configSources.ts"
import { Run } from "../src/runtime/Run.ts"
import { drawLines, type Line } from "./lines.ts"

await ensureBuilt()

const [which = "both", count = "10"] = process.argv.slice(2)
const seeds = Array.from({ length: Number(count) }, (_, i) => i + 1)

/** A preset with some settings changed; `drawn` names its line in the plot. */
interface Variant {
  readonly name: string
  readonly given: PartialConfig
  readonly drawn?: string
}

/** An evaluation: the training steps before it, and the mean of its episodes. */
interface Point {
  readonly steps: number
  readonly mean: number
}

interface Outcome {
  readonly evaluations: ReadonlyArray<Point>
  readonly train20: number
}

const train = Effect.fnUntraced(function*(given: PartialConfig) {
  const evaluations: Array<Point> = []
  let train20 = -Infinity
  yield* Run.events({ placement: "fiber", samplingSeed: "seed", keepGoing: true, ...given }).pipe(
    Stream.runForEach((event) =>
      Effect.sync(() => {
        if (event.event === "evaluation") evaluations.push({ steps: event.env_steps, mean: event.mean ?? NaN })
        if (event.event === "finished") train20 = event.train20 ?? -Infinity
      })
    )
  )
  const outcome: Outcome = { evaluations, train20 }
  return outcome
})

/** The middle one, the higher of two: the value that half of the runs, or more, do not exceed. */
const median = (values: ReadonlyArray<number>): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN

/** Steps in thousands, and how many runs came so far where not all did. */
const stepsOf = (values: ReadonlyArray<number>): string => {
  const middle = median(values)
  const came = values.filter(Number.isFinite).length
  const shown = Number.isFinite(middle) ? `${Math.round(middle / 1000)}k` : "not reached"
  return came === values.length ? shown : `${shown} (${came} of ${values.length})`
}

/** Steps at the `n`-th evaluation with a mean of 200; Infinity where there was none. */
const reaching200 = (n: number) => ({ evaluations }: Outcome): number =>
  evaluations.filter(({ mean }) => mean >= 200)[n - 1]?.steps ?? Infinity

/** Runs every variant on every seed, prints a row of each, and answers the medians of their evaluations. */
const table = Effect.fnUntraced(function*(
  head: ReadonlyArray<string>,
  base: PartialConfig,
  variants: ReadonlyArray<Variant>,
  row: (outcomes: ReadonlyArray<Outcome>) => ReadonlyArray<string>
) {
  yield* Console.log(`\n| changed | ${head.join(" | ")} |\n| --- |${" --- |".repeat(head.length)}`)
  const curves: Array<{ readonly name: string; readonly medians: ReadonlyArray<number> }> = []
  for (const { drawn, given, name } of variants) {
    const outcomes = yield* Effect.forEach(seeds, (seed) => train({ ...base, ...given, seed }))
    yield* Console.log(`| ${name} | ${row(outcomes).join(" | ")} |`)
    if (drawn === undefined) continue
    const most = Math.max(...outcomes.map(({ evaluations }) => evaluations.length))
    curves.push({
      name: drawn,
      medians: Array.from(
        { length: most },
        (_, k) => median(outcomes.flatMap(({ evaluations }) => evaluations[k]?.mean ?? []))
      )
    })
  }
  return curves
})

const draw = Effect.fnUntraced(function*(
  file: string,
  labels: { readonly title: string; readonly subtitle: string; readonly x: string },
  lines: ReadonlyArray<Line>
) {
  const svg = yield* drawLines({ ...labels, y: "mean of an evaluation", lines })
  const path = fileURLToPath(new URL(`../docs/${file}`, import.meta.url))
  yield* Effect.sync(() => writeFileSync(path, svg))
})

// ------------------------------------------------------------------------------------------------- notebook 000

const steps000 = 300_000
const everySteps = 4000

const ray: ReadonlyArray<Variant> = [
  { name: "as the notebook has it", given: {}, drawn: "as the notebook has it" },
  { name: "`--no-restart-same-seed`", given: { restartSameSeed: false } },
  { name: "`--no-normalize-returns`", given: { normalizeReturns: false } },
  {
    name: "`--no-normalize-returns --normalize-advantage`",
    given: { normalizeReturns: false, normalizeAdvantage: true },
    drawn: "advantages normalized"
  },
  { name: "`--bootstrap-truncated`", given: { bootstrapTruncated: true } },
  { name: "`--no-drop-last-step`", given: { dropLastStep: false } },
  { name: "`--returns gae`", given: { returns: "gae" } },
  { name: "`--n-epochs 4`", given: { nEpochs: 4 }, drawn: "4 epochs" },
  { name: "`--lr 0.003`", given: { lr: 0.003 }, drawn: "learning rate 0.003" },
  {
    name: "the four quirks put right, `--normalize-advantage --lr 0.003`",
    given: {
      restartSameSeed: false,
      normalizeReturns: false,
      bootstrapTruncated: true,
      dropLastStep: false,
      normalizeAdvantage: true,
      lr: 0.003
    },
    drawn: "all put right"
  }
]

const notebook000 = Effect.gen(function*() {
  yield* Console.log(`\nNotebook 000, median of seeds 1 to ${seeds.length}, ${steps000} steps each:`)
  const curves = yield* table(
    ["first greedy 200", "the notebook's stop", "train20 at the end"],
    { preset: "notebook-ray", totalTimesteps: steps000 },
    ray,
    (outcomes) => [
      stepsOf(outcomes.map(reaching200(1))),
      stepsOf(outcomes.map(reaching200(10))),
      median(outcomes.map(({ train20 }) => train20)).toFixed(0)
    ]
  )
  yield* draw(
    "notebook-000.svg",
    {
      title: "Notebook 000 and what its quirks cost",
      subtitle: `10 greedy episodes capped at 200; median of ${seeds.length} seeds`,
      x: "environment steps"
    },
    curves.map(({ medians, name }) => ({ name, points: medians.map((mean, k) => [k * everySteps, mean] as const) }))
  )
})

// ------------------------------------------------------------------------------------------------- notebook 002

const everyEpisodes = 100
const asked = [100, 1000, 2000, 2800, 5900]

/** What the notebook printed when it was run: evaluations at episodes 100, 200, ..., 2900. */
const recorded = `23.0 23.4 27.3 33.1 27.0 33.7 31.5 43.5 50.8 45.6 52.5 57.6 69.5 67.0 61.2 69.7 66.3 76.1 64.8 83.0
   81.0 104.3 79.9 97.3 98.2 91.9 115.5 124.6 97.9`.split(/\s+/).map(Number)

const wholeEpisodes: PartialConfig = { episodeLimit: 0, nSteps: 500 }
const tenPolicies: PartialConfig = { nEnvs: 10, schedule: "seeded" }
const putRight: PartialConfig = {
  syncCritic: true,
  detachBootstrap: true,
  rewards: "environment",
  ...wholeEpisodes
}

const a3c: ReadonlyArray<Variant> = [
  { name: "as the notebook has it", given: {}, drawn: "as the notebook has it" },
  { name: "`--sync-critic`", given: { syncCritic: true }, drawn: "critic synchronized" },
  { name: "`--detach-bootstrap`", given: { detachBootstrap: true }, drawn: "bootstrap detached" },
  { name: "`--rewards environment`", given: { rewards: "environment" }, drawn: "the environment's rewards" },
  { name: "`--episode-limit 0 --n-steps 500`", given: wholeEpisodes },
  { name: "`--n-envs 10 --async seeded`", given: tenPolicies },
  { name: "`--n-envs 10 --async seeded --sync-critic`", given: { ...tenPolicies, syncCritic: true } },
  { name: "`--sync-critic --detach-bootstrap`", given: { syncCritic: true, detachBootstrap: true } },
  { name: "the first four put right", given: putRight },
  {
    name: "all five put right",
    given: { ...putRight, ...tenPolicies },
    drawn: "all put right"
  },
  {
    name: "all five, `--gamma 0.98 --loss a2c`",
    given: { ...putRight, ...tenPolicies, gamma: 0.98, loss: "a2c" }
  },
  {
    name: "`--preset a3c --async seeded`, evaluated likewise",
    given: {
      preset: "a3c",
      schedule: "seeded",
      evaluation: "notebook-a3c",
      totalEpisodes: 6000,
      totalTimesteps: 10_000_000
    },
    drawn: "preset a3c"
  }
]

const notebook002 = Effect.gen(function*() {
  yield* Console.log(`\nNotebook 002, median of seeds 1 to ${seeds.length}, 6000 episodes each:`)
  const at = (episode: number) => ({ evaluations }: Outcome) => evaluations[episode / everyEpisodes - 1]?.mean ?? NaN
  const curves = yield* table(
    [...asked.map((episode) => `episode ${episode}`), "first 200, steps"],
    { preset: "notebook-a3c" },
    a3c,
    (outcomes) => [
      ...asked.map((episode) => {
        const means = outcomes.map(at(episode))
        return `${median(means).toFixed(0)} (${Math.min(...means).toFixed(0)}–${Math.max(...means).toFixed(0)})`
      }),
      stepsOf(outcomes.map(reaching200(1)))
    ]
  )
  const record = asked.map((episode) => recorded[episode / everyEpisodes - 1]?.toFixed(0) ?? "")
  yield* Console.log(`| the notebook's own record | ${record.join(" | ")} | |\n\nIn brackets: the least and the most.`)
  const against = (values: ReadonlyArray<number>) => values.map((mean, k) => [(k + 1) * everyEpisodes, mean] as const)
  yield* draw(
    "notebook-002.svg",
    {
      title: "Notebook 002 and what its quirks cost",
      subtitle: `10 sampled episodes cut at 300 steps; median of ${seeds.length} seeds`,
      x: "training episodes"
    },
    [
      ...curves.map(({ medians, name }) => ({ name, points: against(medians) })),
      { name: "the notebook's own record", points: against(recorded), dashed: true }
    ]
  )
})

const program = Effect.gen(function*() {
  if (which !== "002") yield* notebook000
  if (which !== "000") yield* notebook002
})

await Effect.runPromise(Effect.provide(program, NodeServices.layer))
