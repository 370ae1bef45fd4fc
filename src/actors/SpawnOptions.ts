/** What an actor is spawned with, and what each of it may be. */
import type * as Duration from "effect/Duration"
import type { Any } from "./Actor.ts"
import type { InvalidOption } from "./errors.ts"
import * as Options from "./Options.ts"
import { type Placement, placements } from "./Placement.ts"
import * as Supervision from "./Supervision.ts"

export type SpawnOptions<D extends Any> =
  & {
    /** Unique among the living actors of the system. Default: the definition's name and a number. */
    readonly name?: string
    readonly supervision?: Supervision.Supervision
    /** Unanswered messages it takes before senders wait. */
    readonly mailbox?: number
    /** Which host of its placement, from 0. Default: the one with the fewest actors. */
    readonly host?: number
    /** In a system with several placements: where. Default: the system's own; for a child its parent's. */
    readonly placement?: Placement
    /**
     * For a child, which a handler or a start spawns: what its failing for good means for its parent. `"fail me"`: the parent's
     * incarnation ends with it, by a death of kind `ChildFailed`, and the parent's supervision says what then. Default:
     * `"ignore"`.
     */
    readonly onFailure?: "ignore" | "fail me"
    /** How long it may take to end when its scope closes. */
    readonly grace?: Duration.Input
  }
  & ([D["config"]["Type"]] extends [void] ? { readonly config?: undefined } : { readonly config: D["config"]["Type"] })

export const placement = Options.oneOf(...placements)

export const spawnRules = {
  name: Options.name,
  config: Options.anything,
  supervision: Supervision.check,
  mailbox: Options.whole(1),
  host: Options.whole(0),
  placement,
  onFailure: Options.oneOf("ignore", "fail me"),
  grace: Options.delay
} satisfies Record<keyof SpawnOptions<Any>, unknown>

/** What is given to a function of the system as a definition, and is none: such as a behavior. */
export const noDefinition = (function_: string, given: unknown): InvalidOption | undefined =>
  typeof given === "function" && "actorName" in given && "methods" in given
    ? undefined
    : Options.invalid(function_, "definition", "what Actor.make gives, or a class that extends it", given)
