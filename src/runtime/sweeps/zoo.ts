/**
 * The zoo: environments with the settings that come with Troupe, trained for as many steps as others took, and what they come to
 * over several seeds beside what those publish. Which runs there are, and the page that is written of them. Pure.
 */
import { type AlgorithmName, algorithmNames } from "../config/algorithmNames.ts"
import { tunedFor, zoo } from "../config/zoo.ts"
import { decimal, whole } from "../reporting/formatting.ts"
import { algorithmOf, type PeerFigure, peerFigures } from "./peers.ts"
import { deviation, interquartileInterval, interquartileMean, mean } from "./statistics.ts"
import type { Cell, Result } from "./SweepFolder.ts"

/** An environment that is trained with one algorithm for so many steps. */
export interface ZooEntry {
  readonly envId: string
  readonly algo: AlgorithmName
  readonly steps: number
}

/** What is trained where nothing is named, in this order; those that Python steps only when they are. */
export const usualIds: ReadonlyArray<string> = [
  ...new Set([...Object.keys(peerFigures), ...Object.keys(zoo)])
].filter((id) => !id.startsWith("gymnasium:"))

/** Steps where nobody else says how many. */
const usualSteps = 500_000

/** The algorithms that settings were found for; CartPole is what all presets are tuned for. */
const algorithmsFor = (envId: string): ReadonlyArray<AlgorithmName> => {
  if (envId === "CartPole-v1") return ["a2c", "ppo"]
  const found = algorithmNames.filter((name) => tunedFor(envId, name) !== undefined)
  return found.length === 0 ? ["ppo"] : found
}

/**
 * What to train of an environment: for every row of others its own number of steps, by its own algorithm where settings were
 * found for that, and by the one that has some otherwise.
 */
export const entriesOf = (envId: string): ReadonlyArray<ZooEntry> => {
  const algorithms = algorithmsFor(envId)
  const rows = peerFigures[envId] ?? []
  const entries = rows.length === 0
    ? algorithms.map((algo) => ({ envId, algo, steps: usualSteps }))
    : rows.map((row) => ({ envId, algo: ours(row, algorithms), steps: row.steps }))
  return entries.filter((entry, i) =>
    entries.findIndex(({ algo, steps }) => algo === entry.algo && steps === entry.steps) === i
  )
}

const ours = (row: PeerFigure, algorithms: ReadonlyArray<AlgorithmName>): AlgorithmName =>
  algorithms.includes(algorithmOf(row)) ? algorithmOf(row) : algorithms[0]!

/** The runs of an entry, and what they come to. */
export interface ZooRow extends ZooEntry {
  readonly runs: ReadonlyArray<Result>
}

/** The results of a zoo by its entries, in their order. */
export const rowsOf = (
  results: ReadonlyArray<{ readonly cell: Cell; readonly result: Result }>
): ReadonlyArray<ZooRow> => {
  const rows = new Map<string, { readonly entry: ZooEntry; readonly runs: Array<Result> }>()
  for (const { cell: { config }, result } of results) {
    const algo = algorithmNames.find((name) => name === config["algo"]) ?? "ppo"
    const entry = { envId: String(config["envId"]), algo, steps: Number(config["totalTimesteps"]) }
    const key = JSON.stringify(entry)
    const row = rows.get(key) ?? { entry, runs: [] }
    row.runs.push(result)
    rows.set(key, row)
  }
  return [...rows.values()].map(({ entry, runs }) => ({ ...entry, runs }))
}

const returnsOf = ({ runs }: ZooRow): ReadonlyArray<number> =>
  runs.map(({ evaluation, finished }) => evaluation?.mean ?? finished.eval_mean ?? Number.NaN)

const digits = (value: number): string => decimal(value, Math.abs(value) < 10 ? 2 : 1)

export const titles = ["environment", "algorithm", "steps", "seeds", "mean", "IQM", "95 % of it", "seconds"] as const

/** A row as text. */
export const cellsOfRow = (row: ZooRow): ReadonlyArray<string> => {
  const returns = returnsOf(row)
  const [low, high] = interquartileInterval(returns)
  return [
    row.envId,
    row.algo,
    whole(row.steps),
    String(row.runs.length),
    `${digits(mean(returns))} ± ${digits(deviation(returns))}`,
    digits(interquartileMean(returns)),
    `${digits(low)} to ${digits(high)}`,
    decimal(mean(row.runs.map(({ finished }) => finished.wall_seconds)), 1)
  ]
}

/** A row of others beside the best of ours that took no more steps. */
export const comparison = (
  envId: string,
  peer: PeerFigure,
  rows: ReadonlyArray<ZooRow>
): { readonly ours: ZooRow; readonly mean: number; readonly met: boolean } | undefined => {
  const able = rows.filter((row) => row.envId === envId && row.steps <= peer.steps)
  const best = able.toSorted((a, b) => interquartileMean(returnsOf(b)) - interquartileMean(returnsOf(a)))[0]
  if (best === undefined) return undefined
  const reached = interquartileMean(returnsOf(best))
  return { ours: best, mean: reached, met: reached >= peer.mean }
}

/** The rows of others for the environments that were trained, each with what is said of it. */
export const verdicts = (rows: ReadonlyArray<ZooRow>): ReadonlyArray<ReadonlyArray<string>> =>
  [...new Set(rows.map(({ envId }) => envId))].flatMap((envId) =>
    (peerFigures[envId] ?? []).map((peer) => {
      const found = comparison(envId, peer, rows)
      const theirs = [envId, peer.who, digits(peer.mean), whole(peer.steps)]
      return found === undefined
        ? [...theirs, "-", "-", "not trained with so few steps"]
        : [
          ...theirs,
          digits(found.mean),
          `${found.ours.algo}, ${whole(found.ours.steps)}`,
          found.met ? "met" : `not met, by ${digits(peer.mean - found.mean)}`
        ]
    })
  )

const markdown = (titles: ReadonlyArray<string>, rows: ReadonlyArray<ReadonlyArray<string>>): string =>
  [titles, titles.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n")

const remarksTitle = "## Remarks"

/** What somebody has written below that title of an earlier page, title and all; nothing where there is none. */
export const remarksOf = (earlier: string): string => {
  const from = earlier.indexOf(`\n${remarksTitle}\n`)
  if (from < 0) return ""
  const next = earlier.indexOf("\n## ", from + remarksTitle.length)
  return earlier.slice(from, next < 0 ? undefined : next).trim()
}

/** The page that a zoo comes to, with the remarks of the one before it. */
export const page = (rows: ReadonlyArray<ZooRow>, episodes: number, remarks: string): string =>
  [
    "# Zoo",
    `What the settings that come with Troupe reach: written by \`npm start -- zoo\`, which trains every row on its seeds and plays
${episodes} fresh episodes with each of the last policies, the likeliest action each time. *Mean* is over the seeds, with the
deviation of the sample; *IQM* the interquartile mean, with the interval in which 95 of 100 resampled ones lie
([Agarwal et al. 2021](https://arxiv.org/abs/2108.13264)). Every return and every hash can be made again to the digit; the seconds
are those of one core of the machine that wrote this page.`,
    markdown(titles, rows.map(cellsOfRow)),
    "## Beside others",
    `RL Zoo's figures are of one run each with deterministic evaluation, CleanRL's means of the last 100 training episodes. A row is
met where the interquartile mean of ours is no worse, in no more steps.`,
    markdown(["environment", "who", "theirs", "steps", "ours (IQM)", "with", "said of it"], verdicts(rows)),
    ...(remarks === "" ? [] : [remarks]),
    "## Every run",
    `A hash is the SHA-256 of the weights. \`npm start -- --env-id <environment> --algo <algorithm> --total-timesteps <steps>
--keep-going --seed <seed>\` makes it again.`,
    markdown(
      ["environment", "algorithm", "steps", "seed", "return", "weights"],
      rows.flatMap((row) =>
        row.runs.map((run, i) => [
          row.envId,
          row.algo,
          whole(row.steps),
          String(run.finished.seed),
          digits(returnsOf(row)[i]!),
          `\`${run.finished.weights_sha256}\``
        ])
      )
    )
  ].join("\n\n") + "\n"
