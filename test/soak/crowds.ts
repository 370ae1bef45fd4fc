/**
 * Ten thousand actors in a ring over fibers, four threads and two processes, a hundred kills: each token must count once. And a bank
 * of a thousand accounts, twenty thousand transfers from within handlers, fifty kills: money must be conserved.
 *
 *     node test/soak/crowds.ts [--only ring|bank] [--seed 1] [--scale 1]
 *
 * Prints what it did, and exits with 1 where something was wrong. `--scale 0.1` is a tenth of it.
 */
import * as Effect from "effect/Effect"
import { parseArgs } from "node:util"
import { bank, ring } from "../actors/faults/crowds.ts"

const { values } = parseArgs({
  options: {
    only: { type: "string" },
    seed: { type: "string", default: "1" },
    scale: { type: "string", default: "1" }
  }
})

const crowd = { threads: 4, processes: 2, seed: Number(values.seed) }
const scaled = (count: number): number => Math.ceil(count * Number(values.scale))

const say = (what: string, { kills, wrong, ...rest }: { wrong: ReadonlyArray<string>; kills: number }): void => {
  console.log(what, JSON.stringify({ ...rest, kills, seconds: Math.round(performance.now() / 1000) }))
  for (const line of wrong.slice(0, 20)) console.log(`  ${line}`)
  if (wrong.length > 0) process.exitCode = 1
}

if (values.only !== "bank") {
  const options = { ...crowd, actors: scaled(10_000), tokens: 20, kills: scaled(100) }
  say("ring", await Effect.runPromise(ring(options)))
}
if (values.only !== "ring") {
  const options = { ...crowd, purses: scaled(1000), clerks: 21, transfers: scaled(20_000), kills: scaled(50) }
  say("bank", await Effect.runPromise(bank(options)))
}
