/**
 * How fast PPO trains: `node bench/ppo.ts`. Environment steps a second of warm runs in processes of their own, beside the
 * same kernels in a loop without actors that goes over the experience as often (`bare-loop.ts`); all take their turns, round
 * after round. Settings are those of others, so that their rates can stand beside ours:
 *
 * - the RL Zoo's for CartPole, which `peers/stable_baselines3_training.py` measures in Stable-Baselines3;
 * - purejaxrl's, whose author reports no rate for one environment; on two cores it was seen to make 230k to 280k a second.
 *
 * Schedules are left out: they change numbers, not how many there are to compute.
 */
import { execFile } from "node:child_process"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { ensureBuilt } from "../scripts/build.ts"
import { type Figure, figure, isQuick, print, say } from "./report.ts"
import { flagsOf, measuring, settling, throughput } from "./throughput.ts"

const { problems } = await ensureBuilt()
if (problems.length > 0) process.exit(1)

const zoo = {
  algo: "ppo",
  nEnvs: 8,
  nSteps: 32,
  batchSize: 256,
  nEpochs: 20,
  hidden: [64, 64],
  lr: 0.001,
  gamma: 0.98,
  gaeLambda: 0.8,
  vfCoef: 0.5
} as const

const purejaxrl = {
  algo: "ppo",
  nEnvs: 4,
  nSteps: 128,
  batchSize: 128,
  nEpochs: 4,
  hidden: [64, 64],
  lr: 0.000_25,
  gamma: 0.99,
  gaeLambda: 0.95,
  entCoef: 0.01,
  vfCoef: 0.5
} as const

const settings = {
  "RL Zoo: 8 × 32 steps, 20 epochs, one minibatch": zoo,
  "purejaxrl: 4 × 128 steps, 4 epochs of 4 minibatches": purejaxrl,
  "Troupe's own: 10 × 20 steps, 8 epochs of 4 minibatches": { algo: "ppo", nEnvs: 10, nSteps: 20 }
} as const

const placements = {
  "fiber": ["--placement", "fiber"],
  "2 threads": ["--placement", "thread", "--workers", "2"]
} as const

const bare = fileURLToPath(new URL("./bare-loop.ts", import.meta.url))

const bareRate = async (given: object, threads: 1 | 2): Promise<number> => {
  const args = [bare, JSON.stringify(given), String(threads), String(measuring)]
  const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: 60_000 })
  return Number(stdout)
}

/** A smoke takes one row. */
const measured = Object.entries(settings).slice(0, isQuick ? 1 : undefined)

const works = measured.flatMap(([row, given]) => [
  ...Object.entries(placements).map(([column, flags]) =>
    [row, column, () => throughput([...flagsOf(given), ...flags], given.nEnvs * given.nSteps, settling)] as const
  ),
  [row, "bare loop, 1 thread", () => bareRate(given, 1)] as const,
  [row, "bare loop, 2 threads", () => bareRate(given, 2)] as const
])

const rounds = isQuick ? 1 : 3
const rates = works.map((): Array<number> => [])
for (let round = 0; round < rounds; round++) {
  say(`ppo: round ${round + 1} of ${rounds}`)
  for (const [i, [, , measure]] of works.entries()) rates[i]!.push(await measure())
}

const of = (row: string, column: string) => rates[works.findIndex(([r, c]) => r === row && c === column)]!
const figures: ReadonlyArray<Figure> = [
  ...works.map(([row, column], i) => figure("Training with PPO", row, column, "/s", rates[i]!)),
  ...measured.flatMap(([row]) =>
    ([["fiber", "bare loop, 1 thread"], ["2 threads", "bare loop, 2 threads"]] as const).map(([column, loop]) =>
      figure(
        "PPO: the run's rate by the bare loop's, within a round",
        row,
        column,
        "x",
        of(row, column).map((rate, round) => rate / of(row, loop)[round]!)
      )
    )
  )
]
print(figures)
