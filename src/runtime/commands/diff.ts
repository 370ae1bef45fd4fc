/** The verb `diff`: two folders of a simulation, and the first event that happens in one and not, or otherwise, in the other. */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"

/** What compares simulations is loaded by those alone who compare them. */
const comparison = Effect.promise(() =>
  Promise.all([import("../simulations/comparison.ts"), import("../simulations/loadModel.ts")])
)

const folder = (name: string) =>
  Argument.String(name).pipe(Argument.withDescription("the folder of a simulation, as in runs/Bank__1__..."))

export const diffCommand = Command.make(
  "diff",
  {
    file: Argument.String("file").pipe(
      Argument.withDescription("the module whose default export is the simulation, such as examples/simulations/mmc.ts")
    ),
    first: folder("first"),
    second: folder("second"),
    json: Flag.Boolean("json").pipe(
      Flag.withDescription("print the result as one line of JSON"),
      Flag.withDefault(false)
    )
  },
  Effect.fnUntraced(function*({ file, first, json, second }) {
    const [{ compare }, { loadModel }] = yield* comparison
    yield* compare(yield* loadModel(file), first, second, json)
  })
).pipe(Command.withDescription("Compare two simulations: the first event that differs"))
