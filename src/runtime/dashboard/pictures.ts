/** Episodes as pictures: what a policy does, drawn by the environment itself. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { EnvironmentDefinition } from "../../envs/EnvironmentDefinition.ts"
import { drawing } from "../evaluation/drawing.ts"
import { greedyStates } from "../evaluation/greedyStates.ts"
import type { Policy } from "../evaluation/Policy.ts"

/** States of an episode that are drawn: of a longer one its beginning. */
const mostStates = 600

/** There is no picture. */
export class PictureFault extends Schema.TaggedError<PictureFault>()("PictureFault", { message: Schema.String }) {}

/** One greedy episode, as an SVG document. */
export const greedyEpisode = (
  policy: Policy,
  definition: EnvironmentDefinition,
  seed = 0
): Effect.Effect<string, PictureFault> =>
  Effect.gen(function*() {
    const draw = yield* drawing(definition, "svg", definition.rendering?.svg?.bind(definition.rendering))
    return yield* draw(yield* greedyStates(policy, definition, seed, mostStates))
  }).pipe(Effect.mapError(({ message }) => new PictureFault({ message })))
