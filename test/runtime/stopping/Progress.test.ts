import { assert, describe, it } from "@effect/vitest"
import { type Counted, Progress } from "../../../src/runtime/stopping/Progress.ts"
import { type EnvSlot, envSlot, layOut } from "../../../src/runtime/workers/dataPlaneLayout.ts"
import { smallestPlane } from "../workers/smallestPlane.ts"

const spec = { ...smallestPlane, slots: 2, steps: 3 }
const fragments = (slots: ReadonlyArray<EnvSlot>, rows: number): ReadonlyArray<Counted> =>
  slots.map((slot, environment) => ({ environment, rows, total: rows, slot }))

const slots = () => {
  const layout = layOut(spec, 0)
  const buffer = new SharedArrayBuffer(65_536)
  return [envSlot(buffer, layout, 0), envSlot(buffer, layout, 1)]
}

describe("Progress", () => {
  it("counts steps in order of time, then environment", () => {
    const progress = new Progress()
    const [first, second] = slots()
    second!.episodeLengths[0] = 4
    second!.episodeReturns[0] = 40
    first!.episodeLengths[0] = 3
    first!.episodeReturns[0] = 30
    first!.terminated[0] = 1
    first!.episodeLengths[2] = 2
    first!.episodeReturns[2] = 20
    assert.deepStrictEqual(progress.add(fragments([first!, second!], 3)), [
      { environment: 0, return: 30, length: 3, terminated: true, envSteps: 1 },
      { environment: 1, return: 40, length: 4, terminated: false, envSteps: 2 },
      { environment: 0, return: 20, length: 2, terminated: false, envSteps: 5 }
    ])
    assert.strictEqual(progress.envSteps, 6)
    assert.strictEqual(progress.episodes, 3)
    assert.deepStrictEqual(progress.rollout, { return: 30, length: 3 })
  })

  it("counts fragments of different lengths, whatever their environments", () => {
    const progress = new Progress()
    const [first, second] = slots()
    first!.episodeLengths[2] = 3
    first!.episodeReturns[2] = 30
    second!.episodeLengths[2] = 5
    const finished = progress.add([
      { environment: 7, rows: 3, total: 3, slot: first! },
      { environment: 2, rows: 2, total: 2, slot: second! }
    ])
    assert.deepStrictEqual(finished, [{ environment: 7, return: 30, length: 3, terminated: false, envSteps: 5 }])
    assert.strictEqual(progress.envSteps, 5)
  })

  it("knows train20 from the twentieth episode on, over the last twenty only", () => {
    const progress = new Progress()
    const [slot] = slots()
    for (let episode = 1; episode <= 25; episode++) {
      slot!.episodeLengths[0] = 1
      slot!.episodeReturns[0] = episode
      if (episode <= 20) assert.isUndefined(progress.train20)
      progress.add(fragments([slot!], 1))
    }
    assert.strictEqual(progress.train20, (6 + 25) / 2)
  })
})
