/** The verb `dashboard`: a page on this machine that shows the runs and simulations in folders, over or under way. */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { dashboardPort, dashboards } from "./dashboardFlags.ts"

export const dashboardCommand = Command.make(
  "dashboard",
  {
    folders: Argument.String("folder").pipe(
      Argument.withDescription("folders of runs and simulations, or folders that hold such (default runs)"),
      Argument.atLeast(0)
    ),
    dashboardPort
  },
  Effect.fnUntraced(function*({ dashboardPort, folders }) {
    const { ofFolders } = yield* dashboards
    yield* ofFolders(Option.getOrElse(dashboardPort, () => 0), folders.length === 0 ? ["runs"] : folders)
  }, Effect.scoped)
).pipe(Command.withDescription("Look at runs and simulations in a browser, side by side"))
