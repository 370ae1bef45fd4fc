/**
 * Many schedules of faults, each from its seed, until the seeds or the minutes are used up:
 *
 *     node test/soak/faults.ts --seeds 0..199 [--what actors|runs] [--placement fiber|thread|process|runner] [--minutes 8]
 *
 * `actors` (`test/actors/faults/harness.ts`): actors that count, under faults of every kind. `runs`: short training runs of
 * settings drawn from the seed, once in peace and once with workers killed; the weights must be the same to the last bit and no step
 * lost. Without `--placement`, all in turn. The first failure is printed with its seed, and the exit code is then 1.
 */
import * as Effect from "effect/Effect"
import { parseArgs } from "node:util"
import type { Placement } from "../../src/actors/Placement.ts"
import * as actors from "../actors/faults/harness.ts"
import * as runs from "../runtime/faults/harness.ts"

const { values } = parseArgs({
  options: {
    seeds: { type: "string", default: "0..19" },
    what: { type: "string" },
    placement: { type: "string" },
    minutes: { type: "string", default: "8" }
  }
})
const [first, last = first] = values.seeds.split("..").map(Number)
const placements = (["fiber", "thread", "process", "runner"] as const).filter((placement) =>
  values.placement === undefined || placement === values.placement
)
if (!Number.isInteger(first) || !Number.isInteger(last) || placements.length === 0) {
  process.stderr.write("say --seeds 0..199, and --placement fiber, thread, process or runner\n")
  process.exit(2)
}

const kinds: Readonly<
  Record<string, (seed: number, placement: Placement) => Effect.Effect<{ restarts: number }, Error>>
> = {
  actors: (seed, placement) => actors.run(actors.plan(seed, placement)),
  runs: (seed, placement) => runs.run(runs.plan(seed, placement))
}

const deadline = performance.now() + Number(values.minutes) * 60_000
const program = Effect.gen(function*() {
  for (const [what, run] of Object.entries(kinds)) {
    if (values.what !== undefined && what !== values.what) continue
    let done = 0
    let restarts = 0
    for (let seed = first!; seed <= last! && performance.now() < deadline; seed++) {
      for (const placement of placements) {
        restarts += (yield* run(seed, placement)).restarts
        done++
      }
    }
    console.log(`${what}: ${done} schedules in ${placements.join(", ")}, ${restarts} restarts, nothing lost`)
  }
})

await Effect.runPromise(program).catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n`)
  process.exitCode = 1
})
