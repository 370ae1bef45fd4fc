/**
 * The spaces observations and actions come from. A space says what it contains, samples as Gymnasium samples, flattens
 * its elements for a network, and writes itself and them as JSON.
 *
 * Each space is one file: it adds its class to `Spaces`, so that every table by space has to have it, and registers how
 * to judge it and read it from JSON. Nothing else asks which space it has.
 */
import * as Schema from "effect/Schema"
import type { Entropy } from "../../random/index.ts"
import type { Sampler } from "./Sampler.ts"

/** Memory for an element as numbers: what a network is given. Float64 keeps what float32 would round. */
export type FlatArray = Float32Array | Float64Array

/** What all spaces can do. The parts of a `Tuple` or `Dict` are known by this alone. */
export interface AnySpace {
  readonly _tag: keyof Spaces
  /** How many numbers an element has, flattened (Gymnasium's `flatdim`). */
  readonly size: number
  /** How many random streams a sampler of it takes: one, or those of its parts. */
  readonly streams: number
  contains(value: unknown): boolean
  /**
   * Samples from streams of its own, as Gymnasium's space does after `seed(seed)`. They lie in `into` where given
   * (`streams * Pcg64.words` words).
   */
  sampler(seed: Entropy, into?: Uint32Array): Sampler<unknown, unknown>
  /** Writes an element as `size` numbers (Gymnasium's `flatten`). */
  encode(value: unknown, out: FlatArray): void
  /** The element those numbers stand for, in memory of its own (Gymnasium's `unflatten`). */
  decode(flat: FlatArray): unknown
  /** Why those numbers stand for no element, as the end of a sentence, whatever the bounds; undefined when they do. */
  decodeProblem(flat: FlatArray): string | undefined
  /** What float32, which observations are, loses of its elements, as the end of a sentence; undefined where it has them all. */
  float32Loss(): string | undefined
  /** An element as JSON; what has a shape becomes nested lists. */
  encodeJson(value: unknown): Schema.Json
  /** The element such JSON stands for; undefined when it is none of this space. */
  decodeJson(json: unknown): unknown
  /** The space itself as JSON, for `spaceFromJson`. */
  toJSON(): Schema.JsonObject
  /** As Gymnasium writes it. */
  toString(): string
}

/** Every space by its tag; each file adds its own. */
// oxlint-disable-next-line typescript/no-empty-interface -- filled by the spaces' files
export interface Spaces {}

export type Space = Spaces[keyof Spaces]
export type ObservationSpace = Space
export type ActionSpace = Space

/** What `step` is given: what the space's sampler gives. An integer for a Discrete space, a vector for a Box. */
export type ActionOf<A extends AnySpace> = ReturnType<ReturnType<A["sampler"]>["sample"]>

/** What people are given: what the space decodes. An integer for a Discrete space, a vector for a Box. */
export type ObservationOf<S extends AnySpace> = ReturnType<S["decode"]>
export type Observation = ObservationOf<ObservationSpace>

/** The fields of something that may be a space. */
export type SpaceFields = Readonly<Record<string, unknown>>

/** How a space is judged and read: what its file registers. */
export interface SpaceKind {
  readonly tag: keyof Spaces
  /** What is wrong with a value of this tag, as the end of a sentence; undefined when nothing is. */
  readonly problem: (fields: SpaceFields) => string | undefined
  /** The space its `toJSON` was made of. Throws a SchemaError for anything else. */
  readonly fromJson: (json: unknown) => Space
}

const kinds = new Map<unknown, SpaceKind>()

/** The kinds by name, in an order that does not depend on which were loaded first. */
const names = (): string => [...kinds.keys()].map(String).toSorted().join(", ")

/** Makes a space known. */
export const registerSpace = (kind: SpaceKind): void => {
  kinds.set(kind.tag, kind)
}

export const isFields = (value: unknown): value is SpaceFields => typeof value === "object" && value !== null

export const isPositiveInteger = (value: unknown): value is number =>
  typeof value === "number" && Number.isSafeInteger(value) && value > 0

/** What is wrong with a space, as the end of a sentence; undefined when nothing is. */
export const spaceProblem = (space: unknown): string | undefined => {
  // By structure and not by class: a definition may come from another copy of this module.
  const known = `a Box or a Discrete (or one of ${names()})`
  if (!isFields(space)) return `is missing: give ${known}`
  const kind = kinds.get(space["_tag"])
  if (kind === undefined) return `is no space: give ${known}`
  const lacks = methods.find((name) => typeof space[name] !== "function")
  return lacks === undefined ? kind.problem(space) : `has no ${lacks}: make it with new ${kind.tag}(...)`
}

/** What a space must be able to do, or it is none, whatever its fields say. */
const methods = ["contains", "sampler", "encode", "decode", "decodeProblem"] as const

/** JSON that is no space. */
export class InvalidSpace extends Schema.TaggedError<InvalidSpace>()("InvalidSpace", { problem: Schema.String }) {
  override get message(): string {
    return `The JSON is no space: it ${this.problem}.`
  }
}

/** The space that was written with `JSON.stringify(space)`. Throws an InvalidSpace. */
export const spaceFromJson = (json: unknown): Space => {
  const kind = isFields(json) ? kinds.get(json["type"]) : undefined
  if (kind === undefined) {
    throw new InvalidSpace({ problem: `has no known type: give one of ${names()}` })
  }
  let space: Space
  try {
    space = kind.fromJson(json)
  } catch (cause) {
    if (cause instanceof InvalidSpace) throw cause
    const reason = cause instanceof Error ? cause.message.replaceAll(/\s*\n\s*/g, " ") : String(cause)
    throw new InvalidSpace({ problem: `is no ${kind.tag}: ${reason}` })
  }
  const problem = spaceProblem(space)
  if (problem !== undefined) throw new InvalidSpace({ problem })
  return space
}
