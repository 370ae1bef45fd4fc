/**
 * Real numbers spread over a range, its ends more often than the rest. A schema's own numbers are drawn by their bits,
 * so that nearly all of them are 0 to any tolerance: good for the edge cases of a codec, useless for checking a sum.
 */
import * as Arbitrary from "effect/Arbitrary"
import * as Schema from "effect/Schema"

const grains = 1_000_000
const Grain = Arbitrary.schema(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: grains })))

/** A number from `minimum` to `maximum`, both included. */
export const spread = (minimum: number, maximum: number): Arbitrary.Arbitrary<number> =>
  Arbitrary.map(Grain, (grain) => minimum + (maximum - minimum) * grain / grains)
