/** A list of behaviors, as a host is given it: each serves the definition of its name. */
import * as Predicate from "effect/Predicate"
import type { Any, Behavior, Services } from "../Actor.ts"
import { InvalidOption } from "../errors.ts"
import { invalid, shown } from "../Options.ts"

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

/** What is wrong with what a behavior's start has given, if something is: types let more handlers pass than there are methods. */
export const unservable = ({ actorName, methods, stateCodec }: Any, serving: unknown): string | undefined => {
  const given: { readonly [member: PropertyKey]: unknown } = Predicate.isObject(serving) ? serving : {}
  const handlers = given["handlers"]
  if (!Predicate.isObject(handlers)) return `the behavior of ${actorName} must give handlers, not ${shown(serving)}`
  for (const name of methods.keys()) {
    if (typeof handlers[name] !== "function") return `the behavior of ${actorName} has no handler for "${name}"`
  }
  for (const [name, handler] of Object.entries(handlers)) {
    if (typeof handler !== "function" || methods.has(name)) continue
    const known = [...methods.keys()].join(", ")
    return `the behavior of ${actorName} has a handler for "${name}", which is none of its methods: ${known}`
  }
  if (stateCodec === undefined || typeof given["snapshot"] === "function") return undefined
  return `the behavior of ${actorName}, which has a state, must give a snapshot`
}

const isBehavior = (value: unknown): boolean =>
  typeof value === "object" && value !== null && "definition" in value && "start" in value &&
  typeof value.start === "function"
