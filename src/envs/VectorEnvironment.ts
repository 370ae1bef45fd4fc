/**
 * Many worlds of one environment on flat arrays, each reset in the step that ends its episode (Gymnasium's vector
 * environments with `AutoresetMode.SAME_STEP`): `observations` then has the start of the next episode, and
 * `finalObservations` how the ended one was left, so that a truncated episode can still be valued.
 */
import * as Effect from "effect/Effect"
import { isEntropy, Pcg64 } from "../random/index.ts"
import { InvalidSeed } from "./Environment.ts"
import { definitionProblem, type EnvironmentDefinition, type InvalidDefinition } from "./EnvironmentDefinition.ts"
import { EnvironmentFault } from "./EnvironmentFault.ts"
import type { ActionOf, ActionSpace } from "./spaces/Space.ts"
import { shown } from "./thrown.ts"
import { type WorldFault, Worlds } from "./Worlds.ts"
import { TimeLimit } from "./wrappers/TimeLimit.ts"

export interface VectorEnvironment<A extends ActionSpace = ActionSpace> {
  /** How many worlds. */
  readonly count: number
  /** Of each world `observationSpace.size` numbers: the present observation. */
  readonly observations: Float32Array
  /** Of each world as many: its last observation, where its episode ended in the last step; otherwise an older one. */
  readonly finalObservations: Float32Array
  /** Of each world the reward of its last step. */
  readonly rewards: Float64Array
  /** Of each world 1 where its last step ended the task, or cut its episode short; otherwise 0. Both may be 1. */
  readonly terminated: Uint8Array
  readonly truncated: Uint8Array
  /** The state of each world, and the words of its random stream: copies of these and of `observations` are a snapshot. */
  readonly states: Float64Array
  readonly randoms: Uint32Array
  /** Starts an episode of every world; world i is seeded `seed + i`, or its stream goes on. */
  reset(seed?: number): Effect.Effect<void, InvalidSeed | EnvironmentFault>
  /**
   * Takes a step of every world, and resets those whose episode it ends. For a Discrete space an Int32Array of actions will
   * do; for a Box a vector each, which may be views of one array. The actions are not checked. Hot path: no Effect;
   * answers what went wrong, if anything.
   */
  step(actions: ArrayLike<ActionOf<A>>): EnvironmentFault | undefined
}

/** `count` worlds of a definition. `step` may be called after the first `reset`. */
const make = Effect.fnUntraced(function*<A extends ActionSpace>(
  definition: EnvironmentDefinition<A>,
  count: number
): Effect.fn.Return<VectorEnvironment<A>, InvalidDefinition | EnvironmentFault> {
  const problem = definitionProblem(definition)
  if (problem !== undefined) return yield* problem
  const limited = TimeLimit.wrap(definition)
  const { id, observationSpace: { size }, stateSize } = limited
  const states = new Float64Array(count * stateSize)
  const randoms = new Uint32Array(count * Pcg64.words)
  const observations = new Float32Array(count * size)
  const finalObservations = new Float32Array(count * size)
  const memory = Array.from({ length: count }, (_, i) => ({
    state: states.subarray(i * stateSize, (i + 1) * stateSize),
    random: randoms.subarray(i * Pcg64.words, (i + 1) * Pcg64.words),
    observation: observations.subarray(i * size, (i + 1) * size)
  }))
  const lengths = new Uint32Array(count)
  const fault = ({ reason, world }: WorldFault, step: number) =>
    new EnvironmentFault({ id, step, reason: `${reason} (world ${world} of ${count})` })

  const worlds = Worlds.make(limited, memory)
  if (!(worlds instanceof Worlds)) return yield* fault(worlds, 0)
  const { rewards, terminated, truncated } = worlds

  const reset = Effect.fnUntraced(function*(seed?: number) {
    if (seed !== undefined && !isEntropy(seed)) return yield* new InvalidSeed({ id, seed: shown(seed) })
    for (let i = 0; i < count; i++) {
      if (seed !== undefined) Pcg64.fromSeed(seed + i, memory[i]!.random)
      lengths[i] = 0
      const wrong = worlds.reset(i)
      if (wrong !== undefined) return yield* fault(wrong, 0)
    }
  })

  const step = (actions: ArrayLike<ActionOf<A>>): EnvironmentFault | undefined => {
    const wrong = worlds.step(actions)
    if (wrong !== undefined) return fault(wrong, lengths[wrong.world]! + 1)
    for (let i = 0; i < count; i++) {
      lengths[i]! += 1
      if (terminated[i] === 0 && truncated[i] === 0) continue
      finalObservations.set(memory[i]!.observation, i * size)
      lengths[i] = 0
      const wrong = worlds.reset(i)
      if (wrong !== undefined) return fault(wrong, 0)
    }
    return undefined
  }

  return { count, observations, finalObservations, rewards, terminated, truncated, states, randoms, reset, step }
})

export const VectorEnvironment = { make }
