/**
 * Now and then takes the last action again instead of the one that is given (Gymnasium's `StickyAction`). The draws come
 * from the world's own stream, as there.
 */
import type { EnvironmentDefinition } from "../EnvironmentDefinition.ts"
import type { ActionOf, ActionSpace } from "../spaces/Space.ts"
import { derive, refuse } from "./derive.ts"

export interface StickyActionOptions {
  /** How likely the last action is taken again, from 0 to below 1. */
  readonly repeat_action_probability: number
  /** How often then: one number, or the least and the greatest of those that are drawn from. 1 by default. */
  readonly repeat_action_duration?: number | ReadonlyArray<number>
}

/** Actions in memory of numbers. */
interface Kept<Action> {
  readonly width: number
  readonly write: (action: Action, memory: Float64Array) => void
  readonly read: (memory: Float64Array) => Action
}

const keptActions = (space: ActionSpace): Kept<ActionOf<ActionSpace>> | undefined => {
  const vector = <Numbers extends Float64Array | Int32Array | Int8Array>(numbers: Numbers) => ({
    width: numbers.length,
    write: (action: ActionOf<ActionSpace>, memory: Float64Array) => memory.set(action as ArrayLike<number>),
    read: (memory: Float64Array) => {
      numbers.set(memory)
      return numbers
    }
  })
  switch (space._tag) {
    case "Discrete":
      return {
        width: 1,
        write: (action, memory) => void (memory[0] = action as number),
        read: (memory) => memory[0]!
      }
    case "Box":
      return vector(new Float64Array(space.size))
    case "MultiDiscrete":
      return vector(new Int32Array(space.nvec.length))
    case "MultiBinary":
      return vector(new Int8Array(space.size))
    case "Text":
    case "Tuple":
    case "Dict":
      return undefined
  }
}

/** For actions that are numbers. Throws an InvalidWrapper for others, and for options that cannot be. */
function wrap<A extends ActionSpace>(
  definition: EnvironmentDefinition<A>,
  options: StickyActionOptions
): EnvironmentDefinition<A>
function wrap(
  definition: EnvironmentDefinition,
  { repeat_action_duration = 1, repeat_action_probability }: StickyActionOptions
): EnvironmentDefinition {
  const refused = (problem: string) => refuse(definition, "StickyAction", problem)
  if (!(repeat_action_probability >= 0 && repeat_action_probability < 1)) {
    refused(`repeat_action_probability is ${repeat_action_probability}: give a number from 0 to below 1`)
  }
  const range = typeof repeat_action_duration === "number"
    ? [repeat_action_duration, repeat_action_duration]
    : repeat_action_duration
  const [least, most] = range
  if (
    range.length !== 2 || !range.every(Number.isSafeInteger) || least === undefined || most === undefined ||
    least < 1 || most < least
  ) {
    return refused(
      `repeat_action_duration is ${JSON.stringify(range)}: give a whole number from 1, or a least and a most`
    )
  }
  const width = keptActions(definition.actionSpace)?.width ??
    refused(`its actions are those of ${definition.actionSpace}, which are no numbers`)
  return derive(definition, {
    actionSpace: definition.actionSpace,
    ownSize: width + 4,
    create: (inner, own) => {
      const actions = keptActions(definition.actionSpace)!
      const last = own.subarray(0, width)
      const [hasLast, sticky, repeats, taken] = [width, width + 1, width + 2, width + 3]
      return {
        ...inner,
        reset: (random, options) => {
          own.fill(0)
          inner.reset(random, options)
        },
        // Which action is taken is drawn in the step.
        ahead: () => {},
        step: (action, random) => {
          let chosen = action
          if (own[sticky] === 1 || (own[hasLast] === 1 && random.random() < repeat_action_probability)) {
            if (own[repeats] === 0) own[repeats] = random.integers(least, most + 1)
            chosen = actions.read(last)
            own[sticky] = 1
            own[taken] = own[taken]! + 1
          }
          if (own[sticky] === 1 && own[repeats] === own[taken]) own.fill(0, sticky)
          actions.write(chosen, last)
          own[hasLast] = 1
          return inner.step(chosen, random)
        }
      }
    }
  })
}

export const StickyAction = { wrap }
