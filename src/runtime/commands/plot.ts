/** The verb `plot`: draws `curve.svg` anew from the files of a run folder. */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import { plainLine } from "../../text/plainLine.ts"
import { plot } from "../reporting/plot.ts"

export const plotCommand = Command.make("plot", {
  folder: Argument.String("folder").pipe(
    Argument.withDescription("a run's folder, such as runs/CartPole-v1__a2c__1__...")
  )
}, ({ folder }) => Effect.flatMap(plot(folder), (path) => Console.log(plainLine(path)))).pipe(
  Command.withDescription("Draw curve.svg from a run's folder")
)
