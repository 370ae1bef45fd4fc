/** Where a host of a runner begins, and what it is told. */
import * as Schema from "effect/Schema"
import { companion } from "../../companions.ts"
import { fromJson } from "../../text/json.ts"
import { Offer } from "../workers/offers.ts"
import { ModelOffer } from "./offeredModels.ts"

/** The module that a host of a runner runs. */
export const runnerEntry = companion("runnerHost.js", "runtime/simulations/runnerHost.ts")

/** What the runner offers. */
const Told = Schema.Struct({ environments: Schema.Array(Offer), simulations: Schema.Array(ModelOffer) })

export const encodeTold = (told: typeof Told.Type): string => JSON.stringify(told)

export const decodeTold = (told: string | undefined): typeof Told.Type => Schema.decodeUnknownSync(fromJson(Told))(told)
