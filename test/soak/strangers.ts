/**
 * Strangers call at a runner, and an owner at what is no runner: malformed words and bytes, each of which must come to a
 * sentence at once, and leave nothing behind.
 *
 *     node test/soak/strangers.ts --count 100000 --seed 0
 */
import { parseArgs } from "node:util"
import { Pcg64 } from "../../src/random/Pcg64.ts"
import { callAtRunner, callFromOwner, judgeWords } from "../actors/links/strangers.ts"

const { values } = parseArgs({
  options: { count: { type: "string", default: "100000" }, seed: { type: "string", default: "0" } }
})
const count = Number(values.count)
const random = Pcg64.fromSeed(Number(values.seed))

const taken = (): number => {
  const { arrayBuffers, heapUsed } = process.memoryUsage()
  return (arrayBuffers + heapUsed) / 1e6
}

const timed = async (what: string, work: () => Promise<unknown> | void): Promise<void> => {
  const began = performance.now()
  await work()
  const seconds = (performance.now() - began) / 1000
  console.log(`${count} ${what}: ${seconds.toFixed(1)} s, ${taken().toFixed(0)} MB`)
}

// What everything needs once is there before it is looked at.
await callAtRunner(500, random)
await callFromOwner(500, random)
const before = taken()
await timed("garbled words judged by both sides", () => judgeWords(count, random))
await timed(
  "strangers at a runner",
  async () => console.log((await callAtRunner(count, random)).refused, "refused by name")
)
await timed("owners at what is no runner", () => callFromOwner(count, random))
if (taken() - before > 150) throw new Error(`memory has grown from ${before.toFixed(0)} to ${taken().toFixed(0)} MB`)
