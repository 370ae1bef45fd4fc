/**
 * Other systems, those that are installed: `node bench/peers.ts --python <path>` runs the scripts of `bench/peers/`, one
 * after the other. What is missing is one line, and left out.
 */
import { execFile, spawnSync } from "node:child_process"
import { fileURLToPath } from "node:url"
import { parseArgs, promisify } from "node:util"
import { type Figure, figure, isQuick, print, say } from "./report.ts"

const fromHere = (file: string) => fileURLToPath(new URL(file, import.meta.url))

const { values } = parseArgs({
  options: { python: { type: "string", default: fromHere("../.venv-peers/bin/python") } },
  strict: false
})
const python = String(values.python)

/** Scripts, and the modules that each needs; what pip calls them is in `bench/peers/README.md`. */
const scripts = {
  "ray_training": ["ray", "torch", "gymnasium"],
  "ray_actors": ["ray"],
  "stable_baselines3_training": ["stable_baselines3"],
  "gymnasium_stepping": ["gymnasium"],
  "envpool_stepping": ["envpool"],
  "pytorch_update": ["torch"],
  "simpy_mmc": ["simpy"],
  "mesa_schelling": ["mesa"],
  "mesa_wolf_sheep": ["mesa", "networkx"]
} as const

/** Found, not imported: that would take seconds. */
const missing = (modules: ReadonlyArray<string>): ReadonlyArray<string> => {
  const find = "import importlib.util as u,sys;print(*[m for m in sys.argv[1:] if u.find_spec(m) is None])"
  const { status, stdout } = spawnSync(python, ["-c", find, ...modules], { encoding: "utf8", timeout: 30_000 })
  return status === 0 ? stdout.split(/\s+/).filter((name) => name !== "") : modules
}

interface Row {
  readonly row: string
  readonly unit: Figure["unit"]
  readonly values: ReadonlyArray<number>
}

const figures: Array<Figure> = []
for (const [script, modules] of Object.entries(scripts)) {
  const absent = missing(modules)
  if (absent.length > 0) {
    say(`peers: ${script}: not installed: pip install ${absent.join(" ").replaceAll("_", "-")} (bench/peers/README.md)`)
    continue
  }
  say(`peers: ${script}`)
  const args = [fromHere(`./peers/${script}.py`), ...(isQuick ? ["--quick"] : [])]
  const output = await promisify(execFile)(python, args, { timeout: 120_000, maxBuffer: 2 ** 26 }).then(
    ({ stdout }) => stdout,
    (cause: unknown) => say(`peers: ${script} failed: ${cause instanceof Error ? cause.message : String(cause)}`)
  )
  if (output === undefined) continue
  // Libraries say what they like beside it.
  const rows: ReadonlyArray<Row> = JSON.parse(output.split("\n").findLast((line) => line.startsWith("[{")) ?? "[]")
  for (const { row, unit, values } of rows) figures.push(figure("Peers", row, "figure", unit, values))
}
print(figures)
