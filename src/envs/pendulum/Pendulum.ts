/**
 * Pendulum: Gymnasium's `Pendulum-v1`.
 *
 * ## Description
 * A pendulum is swung up by a torque at its pivot that is too weak to lift it at once, and kept upright.
 *
 * ## Action space
 * `Box(-2, 2, [1], float32)`: the torque, in N m. Actions are rounded to float32.
 *
 * ## Observation space
 * `Box` of 3 float32 numbers, rounded from a float64 state of angle and angular velocity:
 *
 * | Num | Observation                | Min | Max |
 * | --- | -------------------------- | --- | --- |
 * | 0   | Cosine of the angle        | -1  | 1   |
 * | 1   | Sine of the angle          | -1  | 1   |
 * | 2   | Angular velocity, in rad/s | -8  | 8   |
 *
 * An angle of 0 is upright.
 *
 * ## Rewards
 * `-(angle² + 0.1 * velocity² + 0.001 * torque²)` of the state before the step, the angle taken from -π to π: from -16.27 to 0.
 *
 * ## Starting state
 * The angle uniform in (-π, π), the velocity in (-1, 1).
 *
 * ## Episode end
 * Truncation: 200 steps.
 *
 * ## Arguments
 * - `g` (10): gravity, in m/s².
 *
 * Reset options `x_init` and `y_init` (numbers) replace the bounds π and 1 of the starting state.
 *
 * ## Version history
 * - v1: the equations simplified.
 */
import * as Schema from "effect/Schema"
import { cos, sin } from "../../math/index.ts"
import { Environment } from "../Environment.ts"
import type { EnvironmentDefinition } from "../EnvironmentDefinition.ts"
import { type FlatDynamics, fromFlat } from "../FlatDynamics.ts"
import { withOptions } from "../options.ts"
import { Box } from "../spaces/Box.ts"
import { resetNumber } from "../startBounds.ts"
import { pace } from "./pace.ts"
import { renderPendulumAnsi, renderPendulumSvg } from "./rendering.ts"

const float32 = Math.fround
const fullTurn = 2 * Math.PI
const maxSpeed = 8
const maxTorque = 2

/** The remainder with the sign of the divisor, as Python has it. */
const modulo = (a: number, b: number): number => {
  const rest = a % b
  return rest < 0 ? rest + b : rest
}

/** Angle and angular velocity. */
const stateSize = 2

const dynamics = (gravity: number): FlatDynamics<ArrayLike<number>> => {
  const pull = 3 * gravity / 2
  return {
    reset: (state, at, random, options) => {
      const angle = resetNumber(options, "x_init", Math.PI)
      const velocity = resetNumber(options, "y_init", 1)
      state[at] = random.uniform(-angle, angle)
      state[at + 1] = random.uniform(-velocity, velocity)
    },

    // The order of operations, and what is float32, is Gymnasium's: others would round differently.
    step: (state, at, action, _random, outcome) => {
      const angle = state[at]!
      const velocity = state[at + 1]!
      const torque = Math.max(-maxTorque, Math.min(maxTorque, float32(action[0]!)))
      const deviation = modulo(angle + Math.PI, fullTurn) - Math.PI
      const effort = float32(float32(0.001) * float32(torque * torque))
      outcome.reward = -(deviation * deviation + 0.1 * (velocity * velocity) + effort)
      outcome.terminated = false
      const next = velocity + (pull * sin(angle) + float32(3 * torque)) * pace
      const bounded = Math.max(-maxSpeed, Math.min(maxSpeed, next))
      state[at] = angle + bounded * pace
      state[at + 1] = bounded
    },

    observe: (state, at, into, to) => {
      const angle = state[at]!
      into[to] = cos(angle)
      into[to + 1] = sin(angle)
      into[to + 2] = state[at + 1]!
    }
  }
}

export const PendulumV1: EnvironmentDefinition<Box> = withOptions(
  "Pendulum-v1",
  { g: { schema: Schema.Finite, byDefault: 10, about: "gravity, in m/s²" } },
  ({ g }) =>
    Environment.define({
      id: "Pendulum-v1",
      observationSpace: new Box({ low: [-1, -1, -maxSpeed], high: [1, 1, maxSpeed] }),
      actionSpace: new Box({ low: -maxTorque, high: maxTorque, shape: [1] }),
      maxEpisodeSteps: 200,
      stateSize,
      create: fromFlat(dynamics(g)),
      rendering: { pace, ansi: renderPendulumAnsi, svg: renderPendulumSvg }
    })
)
