/**
 * An environment of one's own, in one file: a walker on a 5 x 5 grid looks for the corner opposite to its start.
 * Train on it with `npm start -- --env-id examples/grid-world.ts`.
 *
 * Everything that changes lies in `state`, so workers can restart it anywhere; `module` tells them where to load it.
 */
import { Box, Discrete, Environment } from "troupe/envs"

const size = 5
const moves = [[0, -1], [1, 0], [0, 1], [-1, 0]] as const

export default Environment.define({
  id: "GridWorld-v0",
  module: import.meta.url,
  observationSpace: new Box({ low: 0, high: 1, shape: [2] }),
  actionSpace: new Discrete(moves.length),
  maxEpisodeSteps: 50,
  rewardThreshold: 0.9,
  stateSize: 2,
  create: (state) => ({
    reset: (random) => {
      state[0] = random.integers(0, 2)
      state[1] = random.integers(0, 2)
    },
    step: (action) => {
      const [dx, dy] = moves[action]!
      state[0] = Math.min(size - 1, Math.max(0, state[0]! + dx))
      state[1] = Math.min(size - 1, Math.max(0, state[1]! + dy))
      const arrived = state[0] === size - 1 && state[1] === size - 1
      return { reward: arrived ? 1 : -0.01, terminated: arrived }
    },
    observe: (observation) => {
      observation[0] = state[0]! / (size - 1)
      observation[1] = state[1]! / (size - 1)
    }
  })
})
