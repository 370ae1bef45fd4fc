/**
 * The experience of a run for whoever wants it as data: copies of what the Learner is given, iteration by iteration, in its
 * order. Nothing is copied where nobody listens.
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import { copiesOf, type Views } from "./columns.ts"
import type { Fragment } from "./dataPlaneLayout.ts"
import type { DataPlaneSpec } from "./DataPlaneSpec.ts"

/** Steps of one environment next to each other, as `workers/columns.ts` describes them: `rows` of each column. */
export interface Experience extends Views<"experience"> {
  readonly environment: number
  readonly rows: number
  /** The version of the weights that it was collected with. */
  readonly version: number
}

/** What one iteration is learned from: in step a piece of every environment, otherwise one of whoever's turn it is. */
export type ExperienceBatch = ReadonlyArray<Experience>

/** Who is given each batch before it is learned from; what it does is awaited. By default nobody. */
export const ExperienceListener = Context.Reference<((batch: ExperienceBatch) => Effect.Effect<void>) | undefined>(
  "troupe/runtime/ExperienceListener",
  { defaultValue: () => undefined }
)

/** Copies of fragments. */
export const experienceOf = (fragments: ReadonlyArray<Fragment>, spec: DataPlaneSpec): ExperienceBatch =>
  fragments.map(({ environment, rows, slot, version }) => ({
    ...copiesOf("experience", spec, slot, rows),
    environment,
    rows,
    version
  }))
