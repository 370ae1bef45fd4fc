/**
 * What each quirk of the notebook costs: `node bench/notebook-quirks.ts [seeds] [steps]` runs the preset
 * `notebook-ray`, and each of its quirks alone put right, and prints the Markdown table of `docs/notebooks.md`.
 *
 * Every row is the median over seeds 1, 2, ... (10 by default) of runs that train on to the last step (300,000 by
 * default), so that the notebook's own stop can be told from where training ends. Action sampling is seeded, which the
 * notebook's was not, so that the table can be made again to the digit.
 */
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { ensureBuilt } from "../scripts/build.ts"
import type { PartialConfig } from "../src/runtime/configSources.ts"
import { Run } from "../src/runtime/Run.ts"

await ensureBuilt()

const [seeds = 10, steps = 300_000] = process.argv.slice(2).map(Number)

const variants: ReadonlyArray<readonly [name: string, given: PartialConfig]> = [
  ["as the notebook has it", {}],
  ["`--no-restart-same-seed`", { restartSameSeed: false }],
  ["`--no-normalize-returns`", { normalizeReturns: false }],
  ["`--no-normalize-returns --normalize-advantage`", { normalizeReturns: false, normalizeAdvantage: true }],
  ["`--bootstrap-truncated`", { bootstrapTruncated: true }],
  ["`--no-drop-last-step`", { dropLastStep: false }],
  ["`--returns gae`", { returns: "gae" }],
  ["`--n-epochs 4`", { nEpochs: 4 }],
  ["`--lr 0.003`", { lr: 0.003 }],
  [
    "the four quirks put right, `--normalize-advantage --lr 0.003`",
    {
      restartSameSeed: false,
      normalizeReturns: false,
      bootstrapTruncated: true,
      dropLastStep: false,
      normalizeAdvantage: true,
      lr: 0.003
    }
  ]
]

/** What is asked of one run. Infinity where it did not happen. */
interface Outcome {
  /** Steps at the first evaluation with a mean of 200. */
  readonly first: number
  /** Steps at the tenth: where the notebook stops. */
  readonly stop: number
  readonly train20: number
}

const measure = Effect.fnUntraced(function*(given: PartialConfig, seed: number) {
  let first = Infinity
  let stop = Infinity
  let train20 = -Infinity
  let reached = 0
  yield* Run.events({
    preset: "notebook-ray",
    placement: "fiber",
    samplingSeed: "seed",
    keepGoing: true,
    totalTimesteps: steps,
    seed,
    ...given
  }).pipe(Stream.runForEach((event) =>
    Effect.sync(() => {
      if (event.event === "evaluation" && event.mean !== null && event.mean >= 200) {
        reached++
        if (reached === 1) first = event.env_steps
        if (reached === 10) stop = event.env_steps
      }
      if (event.event === "finished" && event.train20 !== null) train20 = event.train20
    })
  ))
  const outcome: Outcome = { first, stop, train20 }
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

const program = Effect.gen(function*() {
  yield* Console.log(`Median of seeds 1 to ${seeds}, ${steps} steps each:\n`)
  yield* Console.log("| changed | first greedy 200 | the notebook's stop | train20 at the end |")
  yield* Console.log("| --- | --- | --- | --- |")
  for (const [name, given] of variants) {
    const outcomes: Array<Outcome> = []
    for (let seed = 1; seed <= seeds; seed++) outcomes.push(yield* measure(given, seed))
    const train20 = median(outcomes.map((outcome) => outcome.train20))
    yield* Console.log(
      `| ${name} | ${stepsOf(outcomes.map(({ first }) => first))} | ${stepsOf(outcomes.map(({ stop }) => stop))} | ` +
        `${train20.toFixed(0)} |`
    )
  }
})

await Effect.runPromise(Effect.provide(program, NodeServices.layer))
