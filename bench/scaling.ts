/**
 * What more threads give a run: `node bench/scaling.ts`. Environment steps a second of warm runs in processes of their own, for
 * few environments with long iterations, for more, and for many, by the number of worker threads, as far as the machine has cores.
 */
import { availableParallelism } from "node:os"
import { ensureBuilt } from "../scripts/build.ts"
import { type Figure, figure, isQuick, print, say } from "./report.ts"
import { throughput } from "./throughput.ts"

const { problems } = await ensureBuilt()
if (problems.length > 0) process.exit(1)

const rounds = isQuick ? 1 : 3
const cores = availableParallelism()

/** The trainer's own thread is one of them, where there are two or more. */
const threads = [1, 2, 4, 8, 16, 32].filter((count) => count <= cores)

const columns = [
  ["fiber", 1, ["--placement", "fiber"]],
  ...threads.map((count) => [count === 1 ? "1 thread" : `${count} threads`, count, ["--workers", `${count}`]] as const)
] as const

const figures: Array<Figure> = []
for (const [nEnvs, nSteps] of [[10, 20], [128, 5], [2048, 5]] as const) {
  const row = `${nEnvs} × ${nSteps}`
  say(`scaling: ${row} steps`)
  // A policy that does not learn: long episodes cost fewer resets.
  const flags = ["--n-envs", `${nEnvs}`, "--n-steps", `${nSteps}`, "--hidden", "64,64", "--lr", "0.0000000001"]
  const rates = columns.map((): Array<number> => [])
  for (let round = 0; round < rounds; round++) {
    for (const [i, [, count, more]] of columns.entries()) {
      // No more threads than environments.
      if (count > nEnvs) continue
      rates[i]!.push(await throughput([...flags, ...more], nEnvs * nSteps))
    }
  }
  for (const [i, [column]] of columns.entries()) {
    const values = rates[i]!
    if (values.length > 0) {
      figures.push(
        figure("Training with two layers of 64, by environments × steps and threads", row, column, "/s", values)
      )
    }
  }
}
print(figures)
