/** A list of behaviors, as a host is given it: each serves the definition of its name. */
import type { Behavior, Services } from "../Actor.ts"
import { InvalidOption } from "../errors.ts"
import { invalid } from "../Options.ts"

/** The behaviors under the names of their definitions. */
export const behaviorsByName = <B extends ReadonlyArray<Behavior<unknown>>>(
  behaviors: B
): ReadonlyMap<string, Behavior<Services<B>>> =>
  // Each member needs no more than all need together; TypeScript does not see it through the conditional type.
  new Map((behaviors as ReadonlyArray<Behavior<unknown>> as ReadonlyArray<Behavior<Services<B>>>).map((behavior) => [
    behavior.definition.actorName,
    behavior
  ]))

/** What is wrong with the behaviors given to `function_`, if something is. Two of one name: either could be meant. */
export const ambiguous = (
  function_: string,
  option: string,
  behaviors: ReadonlyArray<Behavior<unknown>>
): InvalidOption | undefined => {
  const known = new Map<string, Behavior<unknown>>()
  const list = "a list of what the `behavior` of definitions gives"
  // Types say so, too; not all programs have them.
  if (!Array.isArray(behaviors)) return invalid(function_, option, list, behaviors)
  for (const behavior of behaviors) {
    if (!isBehavior(behavior)) return invalid(function_, option, list, behavior)
    const name = behavior.definition.actorName
    // The very same one twice is no question.
    if ((known.get(name) ?? behavior) !== behavior) {
      const expected = "one behavior for each name of a definition"
      return new InvalidOption({ function: function_, option, expected, given: `two of "${name}"` })
    }
    known.set(name, behavior)
  }
  return undefined
}

const isBehavior = (value: unknown): boolean =>
  typeof value === "object" && value !== null && "definition" in value && "start" in value &&
  typeof value.start === "function"
