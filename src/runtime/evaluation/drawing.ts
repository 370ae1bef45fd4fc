/** Pictures of states by the environment's own code, which may fail like any other. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { EnvironmentDefinition } from "../../envs/EnvironmentDefinition.ts"
import { EnvironmentMistake, shown, thrownReason } from "../../envs/thrown.ts"

/** An environment that cannot be drawn, or fails to draw itself. */
export class DrawingError extends Schema.TaggedError<DrawingError>()("DrawingError", { message: Schema.String }) {}

/** The picture of that kind; what draws it is the environment's own code. */
export const drawing = <Picture>(
  { id }: EnvironmentDefinition,
  render: "ansi" | "svg",
  draw: ((picture: Picture) => string) | undefined
): Effect.Effect<(picture: Picture) => Effect.Effect<string, DrawingError>, DrawingError> =>
  draw === undefined
    ? Effect.fail(new DrawingError({ message: `${id} has no ${render} rendering; leave --render and --video out.` }))
    : Effect.succeed((picture) =>
      Effect.try({
        try: () => {
          const drawn: unknown = draw(picture)
          if (typeof drawn === "string") return drawn
          throw new EnvironmentMistake(`its ${render} rendering gave ${shown(drawn)}, where text belongs`)
        },
        catch: (cause) =>
          new DrawingError({ message: `${id} cannot be drawn: ${thrownReason(`its ${render} rendering`, cause)}.` })
      })
    )
