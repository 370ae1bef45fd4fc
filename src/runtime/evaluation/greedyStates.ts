/** An episode that a policy plays greedily, state by state, for whoever wants to see it. */
import * as Effect from "effect/Effect"
import { maskJudge, masksOf } from "../../envs/actionMask.ts"
import type { EnvironmentDefinition } from "../../envs/EnvironmentDefinition.ts"
import { Stepper } from "../../envs/Stepper.ts"
import { evaluationStream } from "../../random/streams.ts"
import { endless, endlessReason, EvaluationFault } from "./Evaluator.ts"
import { type Decision, Policy } from "./Policy.ts"

/** Steps of an episode that is shown between two looks at the rest of the program. */
const stepsBetweenYields = 1024

/** The states of one greedy episode, the first included; `most` of them at most. */
export const greedyStates = Effect.fnUntraced(function*(
  policy: Policy,
  definition: EnvironmentDefinition,
  seed: number,
  most = Infinity
) {
  const { id } = definition
  const fault = (step: number, reason: string) => new EvaluationFault({ environment: id, episode: 0, step, reason })
  // Its outputs stand for the actions of this environment, which need not be the one of the training.
  const player = new Policy(policy.envId, policy.environment, policy.spec, policy.weights, {
    actionSpace: definition.actionSpace
  })
  const mask = new Uint8Array(policy.actionMasks ? masksOf(definition) : 0)
  const judge = maskJudge(definition.actionSpace)
  const state = new Float64Array(definition.stateSize)
  const observation = new Float32Array(definition.observationSpace.size)
  const stepper = Stepper.create(definition, state)
  if (!(stepper instanceof Stepper)) return yield* fault(0, stepper.reason)
  const random = evaluationStream(seed, 0)
  const misstep = stepper.reset(random) ?? stepper.observe(observation)
  if (misstep !== undefined) return yield* fault(0, misstep.reason)
  const states = [state.slice()]
  let remembered: Decision["state"]
  for (let step = 1; step <= endless; step++) {
    const unmasked = mask.length > 0 ? stepper.mask(mask, judge) : undefined
    if (unmasked !== undefined) return yield* fault(step, unmasked.reason)
    const { action, state: now } = yield* player.decide(Array.from(observation), {
      mask: mask.length > 0 ? mask : undefined,
      state: remembered
    })
    remembered = now
    const misstep = stepper.step(action, random) ?? stepper.observe(observation)
    if (misstep !== undefined) return yield* fault(step, misstep.reason)
    states.push(state.slice())
    if (stepper.terminated || stepper.truncated || states.length >= most) return states
    if (step % stepsBetweenYields === 0) yield* Effect.yieldNow
  }
  return yield* fault(endless, endlessReason)
})
