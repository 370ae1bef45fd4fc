/** Compares the folders of two simulations of one model: runs both again side by side, up to the first event that differs. */
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { attempt } from "../../simulation/attempt.ts"
import { decodeBytes } from "../../simulation/Checkpoint.ts"
import { comparing, type ToldEvent } from "../../simulation/Difference.ts"
import { plainJson, plainLine } from "../../text/plainLine.ts"
import { ConfigError } from "../config/configSources.ts"
import { jsonValue } from "./eventLog.ts"
import type { LoadedModel } from "./loadModel.ts"
import * as SimulationFolder from "./SimulationFolder.ts"

/** The two are not the same: no failure of the program, but what its exit code says. */
export class SimulationsDiffer extends Schema.TaggedError<SimulationsDiffer>()("SimulationsDiffer", {
  message: Schema.String
}) {}

const newest = Effect.fnUntraced(function*({ model }: LoadedModel, at: string) {
  const folder = yield* SimulationFolder.open(at)
  if (folder.config.model !== model.modelName) {
    return yield* new ConfigError({
      source: "diff",
      message: `${plainLine(at, 200)} is a simulation of ${
        plainLine(folder.config.model, 100)
      }, not of ${model.modelName}.`
    })
  }
  const time = (yield* SimulationFolder.checkpointTimes(folder)).at(-1)
  if (time === undefined) {
    return yield* new ConfigError({
      source: "diff",
      message: `${plainLine(at, 200)} has no checkpoint yet: let it run on first (simulate --resume).`
    })
  }
  const bytes = yield* SimulationFolder.readCheckpoint(folder, time)
  return yield* attempt(() => decodeBytes(bytes, plainLine(at, 200)))
})

const told = (event: ToldEvent | undefined): string =>
  event === undefined
    ? "nothing more happens"
    : `at time ${event.time}, from ${event.sender} (its ${event.count}): ${event.receiver} ${event.what}` +
      (event.payload === undefined ? "" : ` ${JSON.stringify(event.payload, jsonValue)}`)

export const compare = Effect.fnUntraced(
  function*(loaded: LoadedModel, first: string, second: string, json: boolean) {
    const one = yield* newest(loaded, first)
    const other = yield* newest(loaded, second)
    const search = yield* attempt(() => comparing(loaded.model, one, other))
    for (;;) {
      const { done, value: difference } = yield* attempt(() => search.next())
      if (done !== true) {
        yield* Effect.sleep(0)
        continue
      }
      const until = Math.min(one.now, other.now)
      if (json) {
        const fields = difference ?? { common: null, first: null, second: null }
        yield* Console.log(
          plainJson(
            JSON.stringify({ event: "compared", until, differ: difference !== undefined, ...fields }, jsonValue)
          )
        )
      } else if (difference === undefined) {
        yield* Console.log(`No event differs up to time ${until}.`)
      } else {
        yield* Console.log(`${difference.common} events are the same. Then`)
        yield* Console.log(plainLine(`in ${first}: ${told(difference.first)}`, 1000))
        yield* Console.log(plainLine(`in ${second}: ${told(difference.second)}`, 1000))
      }
      if (difference === undefined) return
      return yield* new SimulationsDiffer({ message: "The two simulations differ." })
    }
  }
)
