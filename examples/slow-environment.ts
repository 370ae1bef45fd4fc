/**
 * CartPole in which one environment in ten is slow: each of its steps takes 5 ms, as if it waited for a simulator, a
 * browser or a robot. In step, all the others wait with it; at their own pace they do not:
 *
 *     npm start -- --env-id examples/slow-environment.ts --algo a3c --workers 10 --sync
 *     npm start -- --env-id examples/slow-environment.ts --algo a3c --workers 10 --async
 *
 * Slow for life is whose very first episode starts with the cart in the leftmost tenth of where it may. That is decided
 * by the environment's random stream and kept in its state, so a restarted worker's environment is as slow as before,
 * and a run has the same slow ones on every machine. With `--seed 1` it is one of ten, the third. It sleeps where it has a thread
 * to itself: the evaluation, which belongs to the main thread, is spared. Apart from the time it takes, it is CartPole.
 */
import { isMainThread } from "node:worker_threads"
import { CartPoleV1, Environment } from "troupe/envs"

const millis = 5

/** Index in the state, after CartPole's own: 0 before the first episode, then 1 (as fast as ever) or 2 (slow). */
const pace = CartPoleV1.stateSize

/** Nobody ever wakes it: waiting on it is sleeping. */
const clock = new Int32Array(new SharedArrayBuffer(4))

export default Environment.define({
  ...CartPoleV1,
  id: "SlowCartPole-v0",
  module: import.meta.url,
  stateSize: CartPoleV1.stateSize + 1,
  create: (state) => {
    const cartPole = CartPoleV1.create(state)
    return {
      reset: (random, options) => {
        cartPole.reset(random, options)
        if (state[pace] === 0) state[pace] = state[0]! < -0.04 ? 2 : 1
      },
      step: (action, random) => {
        if (state[pace] === 2 && !isMainThread) Atomics.wait(clock, 0, 0, millis)
        return cartPole.step(action, random)
      },
      observe: (observation) => cartPole.observe(observation)
    }
  }
})
