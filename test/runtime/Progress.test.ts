import { assert, describe, it } from "@effect/vitest"
import { envSlot, layOut } from "../../src/runtime/dataPlaneLayout.ts"
import { Progress } from "../../src/runtime/Progress.ts"

const spec = {
  slots: 2,
  steps: 3,
  inputs: 1,
  actions: 2,
  stateSize: 1,
  parameters: 1,
  descriptorBytes: 16,
  workspaceBytes: 16
}
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
    assert.deepStrictEqual(progress.add([first!, second!], 3), [
      { environment: 0, return: 30, length: 3, terminated: true, envSteps: 1 },
      { environment: 1, return: 40, length: 4, terminated: false, envSteps: 2 },
      { environment: 0, return: 20, length: 2, terminated: false, envSteps: 5 }
    ])
    assert.strictEqual(progress.envSteps, 6)
    assert.strictEqual(progress.episodes, 3)
    assert.deepStrictEqual(progress.rollout, { return: 30, length: 3 })
  })

  it("knows train20 from the twentieth episode on, over the last twenty only", () => {
    const progress = new Progress()
    const [slot] = slots()
    for (let episode = 1; episode <= 25; episode++) {
      slot!.episodeLengths[0] = 1
      slot!.episodeReturns[0] = episode
      if (episode <= 20) assert.isUndefined(progress.train20)
      progress.add([slot!], 1)
    }
    assert.strictEqual(progress.train20, (6 + 25) / 2)
  })
})
