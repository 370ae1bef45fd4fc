/**
 * `npm run bench`: measures all there is to measure, one thing at a time, prints Markdown tables and writes
 * `bench/results/<time>.json`. Some twenty minutes.
 *
 *     --only training,actors   some parts only: training, ppo, startup, environments, actors, handOvers, recovery, kernels, simulation, scaling, machines, dashboard, peers
 *     --peers                  other systems too, those that are installed (bench/peers/README.md), and ratios to them
 *     --python <path>          the Python that has them (default .venv-peers/bin/python)
 *     --from <file>            begins with an earlier run's figures: with --only, these parts alone are measured anew
 *     --write                  puts the tables into docs/performance.md, and the rows about Troupe into README.md
 *     --quick                  a smoke of everything in half a minute, whose figures mean nothing
 *     --json                   prints JSON instead of tables
 *     --out <file>             writes there
 */
import { spawn } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import { fileURLToPath } from "node:url"
import { parseArgs } from "node:util"
import { ensureBuilt } from "../scripts/build.ts"
import { comparison } from "./comparison.ts"
import { busyCores, disturbing, type Machine, machine } from "./machine.ts"
import { type Figure, say, tables } from "./report.ts"
import { documented, readmeRows } from "./writing.ts"

const fromHere = (file: string) => fileURLToPath(new URL(file, import.meta.url))

const { values: flags } = parseArgs({
  options: {
    only: { type: "string" },
    peers: { type: "boolean", default: false },
    python: { type: "string", default: fromHere("../.venv-peers/bin/python") },
    from: { type: "string" },
    write: { type: "boolean", default: false },
    quick: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
    out: { type: "string" }
  }
})

/** The figures of a part, when they were taken, and how many cores others kept busy just before and after. */
export interface Part {
  readonly part: string
  readonly at: string
  readonly seconds: number
  readonly busy_before: number
  readonly busy_after: number
  readonly figures: ReadonlyArray<Figure>
}

export interface Results {
  readonly machine: Machine
  readonly quick: boolean
  readonly parts: ReadonlyArray<Part>
}

const usual = ["training", "ppo", "startup", "environments", "actors", "handOvers", "recovery", "kernels", "simulation"]
const known = [...usual, "scaling", "machines", "dashboard", "peers"]

/** Longer than any part takes. */
const deadline = 1_200_000

const run = (part: string): Promise<ReadonlyArray<Figure>> =>
  new Promise((resolve, reject) => {
    const args = [fromHere(`./${part}.ts`), "--json", ...(flags.quick ? ["--quick"] : [])]
    if (part === "peers" || part === "machines") args.push("--python", flags.python)
    const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"], timeout: deadline })
    let output = ""
    child.stdout.on("data", (text) => output += text)
    child.on("error", reject)
    child.on("close", (code) => {
      if (code === 0) resolve(JSON.parse(output))
      else reject(new Error(`bench/${part}.ts ended with ${code}`))
    })
  })

const measure = async (part: string): Promise<Part> => {
  const busy = () => flags.quick ? 0 : busyCores()
  const busyBefore = await busy()
  const at = new Date().toISOString()
  const start = performance.now()
  const figures = await run(part)
  const seconds = Math.round((performance.now() - start) / 1000)
  return { part, at, seconds, busy_before: busyBefore, busy_after: await busy(), figures }
}

const { problems } = await ensureBuilt()
if (problems.length > 0) process.exit(1)

const earlier: ReadonlyArray<Part> = flags.from === undefined
  ? []
  : JSON.parse(fs.readFileSync(flags.from, "utf8")).parts
const wanted = flags.only?.split(",") ??
  (flags.from === undefined ? [...usual, ...(flags.peers ? ["peers"] : [])] : flags.peers ? ["peers"] : [])
const unknown = wanted.find((part) => !known.includes(part))
if (unknown !== undefined) {
  say(`There is no part "${unknown}"; there are ${known.join(", ")}.`)
  process.exit(2)
}

const measured: Array<Part> = []
const waiting = [...wanted]
/** Measures one part after another. */
const take = async (): Promise<void> => {
  for (let part = waiting.shift(); part !== undefined; part = waiting.shift()) measured.push(await measure(part))
}
// One thing at a time; a smoke is not disturbed by a second one.
await Promise.all(flags.quick ? [take(), take()] : [take()])
const parts = known.flatMap((name) => [...measured, ...earlier].find(({ part }) => part === name) ?? [])
const results: Results = { machine: machine(), quick: flags.quick, parts }

const out = flags.out ?? fromHere(`./results/${new Date().toISOString().replaceAll(":", "-").slice(0, 19)}.json`)
fs.mkdirSync(path.dirname(out), { recursive: true })
fs.writeFileSync(out, `${JSON.stringify(results, undefined, 1)}\n`)

if (flags.json) console.log(JSON.stringify(results))
else {
  const { cores, memory_gib: memory, model, node, platform } = results.machine
  console.log(`Node ${node}, ${cores} cores (${model}), ${memory} GiB, ${platform}\n`)
  for (const { busy_after: after, busy_before: before, figures, part } of parts) {
    if (Math.max(before, after) > disturbing) {
      console.log(
        `Warning: ${part} was measured while others kept ${before.toFixed(1)} to ${after.toFixed(1)} cores busy.\n`
      )
    }
    console.log(`${part === "peers" ? comparison(parts.flatMap((p) => p.figures)) : tables(figures)}\n`)
  }
}
say(`Figures: ${path.relative(process.cwd(), out)}`)

if (flags.write && flags.quick) say("Not written into the documentation: --quick measures nothing.")
else if (flags.write) {
  const pages: ReadonlyArray<readonly [string, (text: string) => string]> = [
    ["../docs/performance.md", (text) => documented(text, results)],
    ["../README.md", (text) => readmeRows(text, results)]
  ]
  for (const [page, change] of pages) {
    fs.writeFileSync(fromHere(page), change(fs.readFileSync(fromHere(page), "utf8")))
  }
}
