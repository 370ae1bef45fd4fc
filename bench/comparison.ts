/** Troupe's figures beside its peers', and how many times better they are. */
import { type Figure, figure, markdown, show } from "./report.ts"

/** A peer's row, and ours: table, row and column; several are added up. */
const pairs: ReadonlyArray<readonly [string, ...ReadonlyArray<readonly [RegExp, string, string]>]> = [
  ["Ray with PyTorch: the notebook's work, 10 workers", [
    /the notebook's work/,
    "one update an iteration",
    "2 threads"
  ]],
  ["Ray: calls, one after another", [/^Actors$/, "asks, one after another", "2 threads"]],
  ["Ray: calls, one after another, with 1 KiB of text", [
    /^Actors$/,
    "one after another, with 1 KiB of text",
    "2 threads"
  ]],
  ["Ray: calls, one after another, with 1 MiB of text", [
    /^Actors$/,
    "one after another, with 1 MiB of text",
    "2 threads"
  ]],
  ["Ray: calls, 100 in flight", [/^Actors$/, "asks, 100 in flight", "2 threads"]],
  ["Ray: actor created until it answers", [/^Actors$/, "spawn to first answer", "2 threads"]],
  ["Ray: kill -9 until the restarted actor answers", [/^Actors$/, "kill to next answer", "2 processes"]],
  ["Ray: put of 100 MB", [/what else/, "put of 100 MB", "median"]],
  ["Ray: get of 100 MB in another process, asked and answered", [
    /what else/,
    "get of 100 MB in another thread, asked and answered",
    "median"
  ]],
  ["Stable-Baselines3 A2C: training, 8 environments", [/each preset/, "a2c", "2 threads"]],
  ["Stable-Baselines3 PPO, RL Zoo settings: training, 8 environments", [
    /^Training with PPO$/,
    "RL Zoo: 8 × 32 steps, 20 epochs, one minibatch",
    "2 threads"
  ]],
  ["Stable-Baselines3 PPO: process start to solved, seed 1", [/solved by/, "node's start to solved", "median"]],
  ["Gymnasium: one CartPole-v1", [
    /without a learner/,
    "environment, through Gymnasium's contract",
    "environment steps"
  ]],
  ["Gymnasium: 10 in its NumPy vector", [/without a learner/, "dynamics", "environment steps"]],
  ["Gymnasium: 1000 in its NumPy vector", [/without a learner/, "dynamics", "environment steps"]],
  ["EnvPool: 10, one thread", [/without a learner/, "dynamics", "environment steps"]],
  ["EnvPool: 1000, one thread", [/without a learner/, "dynamics", "environment steps"]],
  ["PyTorch: update of 200 rows, hidden 256", [/microseconds/, "4→256→2 relu", "gradient 200"], [
    /microseconds/,
    "4→256→2 relu",
    "norm"
  ], [/microseconds/, "4→256→2 relu", "Adam"]]
]

/** A table of the pairs of which both sides were measured. */
export const comparison = (figures: ReadonlyArray<Figure>): string => {
  const rows = pairs.flatMap(([row, ...keys]) => {
    const theirs = figures.find((figure) => figure.table === "Peers" && figure.row === row)
    const ours = keys.map(([table, row, column]) =>
      figures.find((figure) => table.test(figure.table) && figure.row === row && figure.column === column)
    )
    const value = ours.reduce((sum, figure) => sum + (figure?.value ?? Number.NaN), 0)
    if (theirs === undefined || Number.isNaN(value)) return []
    const better = theirs.unit === "/s" ? value / theirs.value : theirs.value / value
    const what = keys.map(([, row, column]) =>
      theirs.unit === "us" ? column : `${row}${/threads|processes/.test(column) ? `, ${column}` : ""}`
    )
    return [[
      row,
      show(theirs),
      what.join(" + "),
      show({ unit: theirs.unit, value }),
      show(figure("", "", "", "x", better))
    ]]
  })
  return `**Beside its peers**\n\n${markdown(["peer", "theirs", "Troupe", "ours", "times better"], rows)}`
}
