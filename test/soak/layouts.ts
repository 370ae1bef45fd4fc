/**
 * Simulations on any number of hosts, as fibers and in threads, with hosts killed amid their work: one `state_sha256` each.
 *
 *     node test/soak/layouts.ts [--kills 50] [--only phold|network|epidemic|schelling]
 */
import { spawnSync } from "node:child_process"
import { fileURLToPath } from "node:url"
import { parseArgs } from "node:util"
import { ensureBuilt } from "../../scripts/build.ts"

const at = (file: string) => fileURLToPath(new URL(file, import.meta.url))

/** Each with as much to do as the kills take time. */
const models: Readonly<Record<string, ReadonlyArray<string>>> = {
  phold: [at("../../examples/simulations/phold.ts"), "--until", "150"],
  network: [at("../simulation/fixtures/network.ts"), "--until", "6000"],
  epidemic: [at("../simulation/fixtures/epidemic.ts"), "--set", "people=40000"],
  schelling: [
    at("../../examples/simulations/schelling-synchronous.ts"),
    ..."--set width=160 --set height=160 --set people=20000".split(" ")
  ]
}

const { values } = parseArgs({ options: { kills: { type: "string", default: "50" }, only: { type: "string" } } })

const simulate = (args: ReadonlyArray<string>): Readonly<Record<string, unknown>> => {
  const { status, stderr, stdout } = spawnSync(
    process.execPath,
    [at("../../dist/cli.js"), "simulate", ...args, "--seed", "3", "--no-run-folder", "--json"],
    { encoding: "utf8", maxBuffer: 1 << 28 }
  )
  if (status !== 0) throw new Error(`simulate ${args.join(" ")} ended with ${status}: ${stderr}`)
  return JSON.parse(stdout.trim().split("\n").at(-1)!)
}

await ensureBuilt()
for (const [name, args] of Object.entries(models)) {
  if (values.only !== undefined && values.only !== name) continue
  const alone = simulate([...args, "--every", "1e9"])
  console.log(
    `${name}: ${String(alone["events"])} events in ${String(alone["wall_seconds"])} s, ${String(alone["state_sha256"])}`
  )
  for (const placement of ["fiber", "thread"]) {
    for (const hosts of [1, 2, 4]) {
      const layout = ["--hosts", String(hosts), "--placement", placement]
      for (const chaos of [[], ["--chaos", values.kills]]) {
        const told = simulate([...args, "--every", "1e9", ...layout, ...chaos])
        const same = told["state_sha256"] === alone["state_sha256"]
        console.log(
          `  ${hosts} ${placement}${chaos.length === 0 ? "" : `, ${String(told["restarts"])} deaths`}: ${
            same ? "the same" : "ANOTHER"
          } in ${String(told["wall_seconds"])} s`
        )
        if (!same) process.exitCode = 1
      }
    }
  }
}
