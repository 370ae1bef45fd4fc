/**
 * What a user writes: the dynamics of a world in plain typed arrays, and beside them what the system must know of it
 * (spaces, limits, how much memory the state takes). The system chooses where the state lives, so a snapshot is a copy
 * of that memory and of the random stream, and recovery needs no code of the user's.
 */
import * as Schema from "effect/Schema"
import type { Pcg64 } from "../random/index.ts"
import { maskSize } from "./actionMask.ts"
import type { Configurable } from "./options.ts"
import { spaceProblem } from "./spaces/index.ts"
import type { ActionOf, ActionSpace, ObservationSpace } from "./spaces/Space.ts"
import { thrownReason } from "./thrown.ts"

/** JSON values by name: reset options and info. */
export type JsonRecord = Schema.JsonObject

/** What one step gives. The same object may be given at every step: read it before the next. */
export interface Transition {
  readonly reward: number
  /** The task itself ended: there is no future to value. */
  readonly terminated: boolean
  /** The episode was cut short: the state still has a value. Absent means false. */
  readonly truncated?: boolean
}

/**
 * One world. All that must survive a crash is in the `state` given to `create` and in the random stream; anything else
 * a closure holds must follow from them. Hot path: no allocation, no Effect.
 */
export interface Dynamics<Action = ActionOf<ActionSpace>> {
  /** Draws a start state into `state`, which is all zero before the first time. */
  reset(random: Pcg64, options?: JsonRecord): void
  step(action: Action, random: Pcg64): Transition
  /**
   * Hears which step is next, once for all worlds that are stepped together and before any of them is: one that takes its
   * steps elsewhere may send them there in one go. `step` follows with the same, unless something goes wrong with another.
   */
  ahead?(action: Action, random: Pcg64): void
  /**
   * Writes the observation of the current state as its space flattens it (`space.encode`): for a Box its numbers,
   * row-major; for a Discrete the one-hot vector. Every number must be written: the memory is not cleared.
   */
  observe(observation: Float32Array): void
  /**
   * Writes which actions are legal in the current state (`actionMask.ts`): 1, or 0 for what is not. Every number must be
   * written, and something left. The definition says `masksActions`; a policy then never gives it another action.
   */
  actionMask?(mask: Uint8Array): void
  /** Anything worth knowing beside the observation. Not called on the hot path. */
  info?(): JsonRecord
}

/** Pictures of a world for people. Each gets copies of `state`. */
export interface Rendering {
  /** Seconds a state is shown: the environment's own time. 0.02 by default. */
  readonly pace?: number
  /** One state as lines of text. */
  ansi?(state: Float64Array): string
  /** An episode as an SVG document: animated where there are several. */
  svg?(states: ReadonlyArray<Float64Array>): string
}

export interface EnvironmentDefinition<A extends ActionSpace = ActionSpace> {
  /** Name and version: "CartPole-v1". Anything that changes results gets a new version. */
  readonly id: string
  /**
   * `import.meta.url` of the file whose default export is this definition, so that other threads can load it. Without
   * it an environment that is not registered runs in the main thread only.
   */
  readonly module?: string
  readonly observationSpace: ObservationSpace
  readonly actionSpace: A
  /** After how many steps an episode is truncated. Never, by default. */
  readonly maxEpisodeSteps?: number
  /** The mean return from which the environment counts as solved. */
  readonly rewardThreshold?: number
  /** How many float64 numbers the whole state takes, beside the random stream. */
  readonly stateSize: number
  create(state: Float64Array): Dynamics<ActionOf<A>>
  /** Whether its dynamics say which actions are legal (`actionMask`). They do not, by default. */
  readonly masksActions?: boolean
  /** How it looks, where it can be drawn. */
  readonly rendering?: Rendering
  /** The options it was made with (`Environment.configure`). */
  readonly configured?: JsonRecord
  /** The wrappers that were named for it, in the words of `namedWrappers.ts`, the innermost first. */
  readonly wrapped?: ReadonlyArray<string>
  /** A reset leaves something of the episodes before, such as running statistics. */
  readonly outlivesEpisodes?: boolean
  /**
   * The options it takes, and how to have it with others (`withOptions`). Not enumerable: a changed copy, such as a wrapped
   * definition, is another environment and takes none.
   */
  readonly configurable?: Configurable<A>
}

/** Characters of an id that a sentence shows. */
const shownId = 60

/** A definition with a field that cannot be. */
export class InvalidDefinition extends Schema.TaggedError<InvalidDefinition>()("InvalidDefinition", {
  id: Schema.String,
  problem: Schema.String,
  /** The file it stands in, where it was loaded from one. */
  reference: Schema.optionalKey(Schema.String)
}) {
  override get message(): string {
    const id = this.id.length <= shownId ? this.id : `${this.id.slice(0, shownId)}...`
    const where = this.reference === undefined ? "" : ` (in ${this.reference})`
    return `The environment definition "${id}" cannot be used: ${this.problem}${where}.`
  }
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null

/** Letters of an id: it becomes part of the name of a folder, and file systems take 255. */
const longestId = 200

/** Gymnasium's form: an optional namespace, a name, an optional version. */
const idPattern = /^(?:[\w:-]+\/)?[\w:.-]+$/

const problemOf = (definition: Record<string, unknown>): string | undefined => {
  const {
    actionSpace,
    create,
    id,
    masksActions,
    maxEpisodeSteps,
    module,
    observationSpace,
    rewardThreshold,
    stateSize
  } = definition
  if (typeof id !== "string" || id === "") return "its id is empty: give a name with a version, such as \"Maze-v0\""
  if (id.length > longestId) return `its id has ${id.length} letters: give at most ${longestId}`
  if (!idPattern.test(id)) {
    return "its id holds other than letters, digits, \".\", \":\", \"-\", \"_\" and one \"/\": rename it"
  }
  if (module !== undefined && (typeof module !== "string" || module === "")) {
    return "its module is no URL: give import.meta.url, or leave it out"
  }
  const observationProblem = spaceProblem(observationSpace)
  if (observationProblem !== undefined) return `its observationSpace ${observationProblem}`
  const actionProblem = spaceProblem(actionSpace)
  if (actionProblem !== undefined) return `its actionSpace ${actionProblem}`
  if (typeof stateSize !== "number" || !Number.isSafeInteger(stateSize) || stateSize < 0) {
    return `its stateSize is ${String(stateSize)}: give how many numbers the state has, an integer from 0`
  }
  if (
    maxEpisodeSteps !== undefined &&
    !(typeof maxEpisodeSteps === "number" && Number.isSafeInteger(maxEpisodeSteps) && maxEpisodeSteps > 0)
  ) {
    return `its maxEpisodeSteps is ${String(maxEpisodeSteps)}: give a positive integer, or leave it out for no limit`
  }
  if (rewardThreshold !== undefined && !(typeof rewardThreshold === "number" && Number.isFinite(rewardThreshold))) {
    return `its rewardThreshold is ${String(rewardThreshold)}: give a finite number, or leave it out`
  }
  if (masksActions !== undefined && typeof masksActions !== "boolean") {
    return `its masksActions is ${
      String(masksActions)
    }: give true where its dynamics have an actionMask, or leave it out`
  }
  if (masksActions === true && maskSize(actionSpace as ActionSpace) === 0) {
    return `it says masksActions, and actions of ${String(actionSpace)} have no masks`
  }
  if (typeof create !== "function") return "it has no create: give a function from the state's memory to the dynamics"
  return undefined
}

/** Why `value` is no definition that can be used; undefined when it is one. */
export const definitionProblem = (value: unknown): InvalidDefinition | undefined => {
  if (!isRecord(value)) {
    return new InvalidDefinition({ id: "", problem: "it is no object: give what Environment.define returns" })
  }
  try {
    if ("then" in value && typeof value["then"] === "function") {
      return new InvalidDefinition({ id: "", problem: "it is a Promise: await it" })
    }
    const problem = problemOf(value)
    if (problem === undefined) return undefined
    return new InvalidDefinition({ id: typeof value["id"] === "string" ? value["id"] : "", problem })
  } catch (cause) {
    return new InvalidDefinition({ id: "", problem: thrownReason("reading its fields", cause) })
  }
}

/** Whether `value` is a definition that can be used. */
export const isDefinition = (value: unknown): value is EnvironmentDefinition => definitionProblem(value) === undefined
