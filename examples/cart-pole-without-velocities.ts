/**
 * CartPole that shows where cart and pole are, and not how fast they move: one observation does not say what to do, two do.
 * A policy that remembers learns it in some 80,000 steps, one that does not stays below 50 points:
 *
 *     npm start -- --env-id examples/cart-pole-without-velocities.ts --algo ppo --network gru
 */
import { Box, CartPoleV1, Environment } from "troupe/envs"

const shown = new Box({ low: [-4.8, -0.42], high: [4.8, 0.42] })

export default Environment.define({
  ...CartPoleV1,
  id: "CartPoleWithoutVelocities-v0",
  module: import.meta.url,
  observationSpace: shown,
  create: (state) => {
    const cartPole = CartPoleV1.create(state)
    return {
      reset: (random, options) => cartPole.reset(random, options),
      step: (action, random) => cartPole.step(action, random),
      observe: (observation) => {
        observation[0] = state[0]!
        observation[1] = state[2]!
      }
    }
  }
})
