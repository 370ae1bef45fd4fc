/**
 * A long life in miniature: actors, threads and processes are spawned and stopped a thousand times, and killed now and then;
 * afterwards memory, handles and listeners are where they were.
 *
 *     node --expose-gc test/soak/cycles.ts [--cycles 1000] [--placement fiber|thread|process]
 *
 * In every cycle an actor is spawned, asked and stopped; in every tenth the whole system goes down and comes up again (its
 * threads or processes with it). The first tenth of the cycles warms up. Prints what was left, and exits with 1 when it is
 * more than noise.
 */
import * as Effect from "effect/Effect"
import { parseArgs } from "node:util"
import type { Placement } from "../../src/actors/Placement.ts"
import { cycles, excess } from "../actors/faults/cycles.ts"

const { values } = parseArgs({
  options: { cycles: { type: "string", default: "1000" }, placement: { type: "string" } }
})

for (const placement of ["fiber", "thread", "process"] as const satisfies ReadonlyArray<Placement>) {
  if (values.placement !== undefined && values.placement !== placement) continue
  const { after, before } = await Effect.runPromise(cycles(placement, Number(values.cycles)))
  console.log(placement, JSON.stringify({ before, after }))
  const left = excess(before, after)
  if (left.length === 0) continue
  console.log(`left behind in ${placement}: ${left.join("; ")}`)
  process.exitCode = 1
}
