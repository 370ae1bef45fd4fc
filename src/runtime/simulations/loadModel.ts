/** Finds the simulation that a person names by its file: the module's default export. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { existsSync } from "node:fs"
import { resolve } from "node:path"
import { pathToFileURL } from "node:url"
import { importModule } from "../../envs/importModule.ts"
import { isModel } from "../../simulation/hosts/SimulationHost.ts"
import type { Model } from "../../simulation/Model.ts"
import { plainLine } from "../../text/plainLine.ts"
import { ConfigError } from "../config/configSources.ts"

/** A model whose configuration is what its own schema says. */
export type AnyConfigModel = Model<Readonly<Record<string, unknown>>>

/** A file that cannot be imported, or exports no simulation. */
export class ModelNotLoaded extends Schema.TaggedError<ModelNotLoaded>()("ModelNotLoaded", {
  file: Schema.String,
  problem: Schema.String
}) {
  override get message(): string {
    return `The simulation "${plainLine(this.file, 200)}" could not be loaded: ${this.problem}.`
  }
}

export interface LoadedModel {
  readonly model: AnyConfigModel
  /** The address of its module. */
  readonly module: string
}

export const loadModel = (file: string): Effect.Effect<LoadedModel, ModelNotLoaded | ConfigError> =>
  Effect.gen(function*() {
    const path = resolve(file)
    if (!existsSync(path)) {
      return yield* new ConfigError({
        source: "simulation",
        message: `There is no file ${plainLine(file, 200)}: name a module that exports a simulation, such as ` +
          "examples/simulations/mmc.ts."
      })
    }
    const module = pathToFileURL(path).href
    const loaded = yield* Effect.mapError(importModule(module), ({ problem }) => new ModelNotLoaded({ file, problem }))
    const model: unknown = Reflect.get(loaded, "default")
    if (!isModel(model)) {
      return yield* new ModelNotLoaded({
        file,
        problem: "it has no simulation as its default export; write export default Simulation.make(...)"
      })
    }
    // Its schema checks what is given.
    return { model, module }
  })
