/** Stopping rules on their own: which evaluation is due, and what its mean means. */
import { assert, describe, it } from "@effect/vitest"
import { initialState, type Standing, type StoppingRule } from "../../../src/runtime/stopping/StoppingRule.ts"
import { isOver, stoppingRule } from "../../../src/runtime/stopping/stoppingRules.ts"

const standing = (given: Partial<Standing>): Standing => ({ updates: 1, episodes: 30, train20: 480, ...given })

/** Plays evaluations with these means, one an update, where one is due; answers how often that was, and the last state. */
const play = (
  rule: StoppingRule,
  means: ReadonlyArray<number>,
  at: (update: number) => Partial<Standing> = () => ({})
) => {
  let state = initialState
  let played = 0
  const reached: Array<number> = []
  for (const [i, mean] of means.entries()) {
    const now = standing({ updates: i + 1, ...at(i + 1) })
    if (rule.due(now, state) === undefined) continue
    played++
    const verdict = rule.judge(mean, now, state)
    state = verdict.state
    if (verdict.reached) reached.push(i + 1)
  }
  return { played, reached, state }
}

describe("stopping rules", () => {
  const solved = stoppingRule({ evaluation: "solved", evalEpisodes: 7 }, 475)

  it("solved: training and a greedy evaluation must agree", () => {
    assert.isUndefined(solved.due(standing({ train20: undefined }), initialState))
    assert.isUndefined(solved.due(standing({ train20: 474.9 }), initialState))
    assert.deepStrictEqual(solved.due(standing({ train20: 475 }), initialState), { episodes: 7 })
    assert.deepInclude(play(solved, [475]), { played: 1, reached: [1] })
    // Nothing is evaluated any more once it is solved.
    assert.deepInclude(play(solved, [475, 500, 500]), { played: 1 })
  })

  it("solved: an evaluation that did not agree is made again five episodes later", () => {
    const { played, reached } = play(
      solved,
      [474, 500, 500, 500, 500, 500, 500],
      (update) => ({ episodes: 29 + update })
    )
    assert.deepStrictEqual([played, reached], [2, [6]])
  })

  it("solved: an environment without a threshold never is", () => {
    assert.isUndefined(
      stoppingRule({ evaluation: "solved", evalEpisodes: 7 }, undefined).due(standing({ train20: 1e9 }), initialState)
    )
  })

  it("notebook-ray: 200 ten times in total, looked at every 20 updates", () => {
    const rule = stoppingRule({ evaluation: "notebook-ray", evalEpisodes: 7 }, 475)
    const means = Array.from({ length: 400 }, (_, i) => i < 20 ? 150 : 200)
    const { played, reached, state } = play(rule, means)
    assert.deepStrictEqual([played, reached, state.thresholdCount], [20, [201], 19])
  })

  it("notebook-a3c: looks every 100 episodes and never stops", () => {
    const rule = stoppingRule({ evaluation: "notebook-a3c", evalEpisodes: 7 }, 475)
    const { played, reached } = play(rule, Array.from({ length: 1000 }, () => 500), (update) => ({ episodes: update }))
    assert.deepStrictEqual([played, reached], [10, []])
  })

  it("a run is over when its goal is reached and it does not keep going, or its totals are", () => {
    const config = {
      evaluation: "solved",
      evalEpisodes: 7,
      keepGoing: false,
      totalEpisodes: 0,
      totalTimesteps: 100
    } as const
    const begun = { envSteps: 99, episodes: 50 }
    const reached = { ...initialState, solved: true }
    assert.isFalse(isOver(config, begun, initialState))
    assert.isTrue(isOver(config, begun, reached))
    assert.isFalse(isOver({ ...config, keepGoing: true }, begun, reached))
    assert.isTrue(isOver({ ...config, keepGoing: true }, { ...begun, envSteps: 100 }, reached))
    assert.isTrue(isOver({ ...config, totalEpisodes: 50 }, begun, initialState))
  })
})
