/** The verb `plot`: draws `curve.svg` anew from the files of a run folder, or several runs together by setting. */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import { plainLine } from "../../text/plainLine.ts"
import { plot } from "../reporting/plot.ts"
import { holdsSeveral, plotTogether } from "../reporting/plotTogether.ts"

export const plotCommand = Command.make(
  "plot",
  {
    folders: Argument.String("folder").pipe(
      Argument.withDescription(
        "a run's folder; or several, or folders of such (a sweep's), or monitor.csv files of Stable-Baselines3: their means with bands"
      ),
      Argument.atLeast(1)
    ),
    out: Flag.String("out").pipe(
      Flag.withDescription(
        "file of the SVG where several runs are drawn (default curves.svg, in the one folder that is given)"
      ),
      Flag.withMetavar("path"),
      Flag.optional
    )
  },
  Effect.fnUntraced(function*({ folders, out }) {
    const paths = yield* Path.Path
    const [only = "."] = folders
    const one = folders.length === 1 && Option.isNone(out) && !(yield* holdsSeveral(only))
    const path = yield* one
      ? plot(only)
      : plotTogether(
        folders,
        Option.getOrElse(
          out,
          () => paths.join(folders.length === 1 && !only.endsWith(".csv") ? only : ".", "curves.svg")
        )
      )
    yield* Console.log(plainLine(path))
  })
).pipe(
  Command.withDescription("Draw curve.svg from a run's folder, or several runs together")
)
