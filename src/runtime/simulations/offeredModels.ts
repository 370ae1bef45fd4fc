/**
 * Which simulations the hosts of a runner hold shares of: those that the runner was started with. Whoever asks names one by its
 * name; where its module lies there is the runner's own affair.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { fileURLToPath } from "node:url"
import { moduleSource } from "../../envs/moduleFingerprint.ts"
import { InvalidModel } from "../../simulation/errors.ts"
import { importModel } from "../../simulation/hosts/SimulationHost.ts"
import type { AnyModel } from "../../simulation/Model.ts"
import { fromJson } from "../../text/json.ts"
import { plainLine } from "../../text/plainLine.ts"
import { loadModel } from "./loadModel.ts"

const Fingerprint = Schema.NullOr(Schema.String)

/** A simulation that a runner was started with. */
export const ModelOffer = Schema.Struct({
  model: Schema.String,
  /** The address of its module here. */
  module: Schema.String,
  /** Of the module and what it imports. */
  fingerprint: Fingerprint
})
export type ModelOffer = typeof ModelOffer.Type

/** What whoever runs a simulation needs of a runner. */
const Need = Schema.Struct({ simulation: Schema.String, fingerprint: Fingerprint })

const decodeNeed = Schema.decodeUnknownOption(fromJson(Need))

/** Of a module's files as they are now, wherever they lie. */
const fingerprintOf = (module: string): string | null => moduleSource(fileURLToPath(module))?.fingerprint ?? null

/** A module's simulation as a runner offers it. It is loaded here once, to know that it can be, and what its name is. */
export const offerOf = Effect.fnUntraced(function*(file: string) {
  const { model: { modelName }, module } = yield* loadModel(file)
  const offer: ModelOffer = { model: modelName, module, fingerprint: fingerprintOf(module) }
  return offer
})

export const needOf = (model: string, module: string): string => {
  const need: typeof Need.Type = { simulation: model, fingerprint: fingerprintOf(module) }
  return JSON.stringify(need)
}

/** Why a runner with these offers is of no use to who needs that, after "it"; null where no simulation is needed. */
export const lacks = (offers: ReadonlyArray<ModelOffer>, need: string): string | undefined | null => {
  const decoded = decodeNeed(need)
  if (Option.isNone(decoded)) return null
  const { fingerprint, simulation } = decoded.value
  const offer = offers.find(({ model }) => model === simulation)
  const named = plainLine(simulation, 100)
  if (offer === undefined) {
    return `it has no simulation ${named}: start it with --simulation and the module that has it there`
  }
  return offer.fingerprint === fingerprint
    ? undefined
    : `its simulation ${named} is another than ours: the module, or something that it imports, differs`
}

/** A model by its name. */
export const offeredModel = (
  offers: ReadonlyArray<ModelOffer>,
  name: string
): Effect.Effect<AnyModel, InvalidModel> => {
  const offer = offers.find(({ model }) => model === name)
  return offer === undefined
    ? Effect.fail(new InvalidModel({ model: name, problem: "the runner does not have it" }))
    : importModel(offer.module, name)
}
