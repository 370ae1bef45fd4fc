/**
 * Advantage actor-critic, with A held constant:
 *
 *     L = Σ −log π(a|s) A + c_v (R − V(s))² − c_e H(π(·|s))
 *
 *     ∂L/∂log π = −A,  ∂L/∂H = −c_e,  ∂L/∂V = −2 c_v (R − V)
 *
 * Mnih et al. 2016, *Asynchronous Methods for Deep Reinforcement Learning*, section 4, in the form of
 * Stable-Baselines3's `a2c.py`.
 */
import * as Schema from "effect/Schema"
import { addTo, type RowLoss, Statistic } from "./Loss.ts"

/** Weights of the value loss and of the entropy bonus. */
export const A2cSettings = Schema.Struct({
  name: Schema.Literal("a2c"),
  valueCoefficient: Schema.Finite,
  entropyCoefficient: Schema.Finite
})
/** The decoded value of the schema of the same name. */
export type A2cSettings = typeof A2cSettings.Type

export const a2c = ({ entropyCoefficient, valueCoefficient }: A2cSettings): RowLoss => ({
  scope: "row",
  row: ({ advantage, logProbability, return: target, value }, derivative, sums) => {
    const error = target - value
    derivative.logProbability = -advantage
    derivative.entropy = -entropyCoefficient
    derivative.value = -2 * valueCoefficient * error
    addTo(sums, Statistic.policyLoss, -logProbability * advantage)
    addTo(sums, Statistic.valueLoss, error * error)
  }
})
