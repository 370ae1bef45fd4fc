/**
 * What the weights of a run begin as: drawn from the seed, or read from a file of weights (`--init-from`), whoever made
 * it, as long as its tensors have the names and shapes of the run's network. Statistics for normalization may be missing
 * there: they then begin anew.
 */
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { initialParameters } from "../../model/initialize.ts"
import { fromTensors, statisticsTensors } from "../../model/namedTensors.ts"
import { beginMoments } from "../../model/policy/normalization.ts"
import * as safetensors from "../../model/safetensors.ts"
import { initialWeightsStream } from "../../random/streams.ts"
import { CurrentConfig } from "../config/RunConfig.ts"
import { Seed } from "../config/Seed.ts"
import { policyPath } from "../evaluation/policyPath.ts"
import * as readData from "../files/readData.ts"
import { DataPlane } from "../workers/DataPlane.ts"

/** Weights that a run cannot begin with: why, and what to do about it. */
export class InitialWeightsError extends Schema.TaggedError<InitialWeightsError>()("InitialWeightsError", {
  path: Schema.String,
  message: Schema.String
}) {}

/** The first weights, in flat order: parameters, and statistics where there are any. */
export const initialWeights: Effect.Effect<
  Float32Array,
  InitialWeightsError,
  CurrentConfig | DataPlane | Seed | FileSystem.FileSystem
> = Effect.gen(function*() {
  const { init, initFrom, logStdInit } = yield* CurrentConfig
  const { parameters, policy } = yield* DataPlane
  const { root } = yield* Seed
  const begun = new Float32Array(parameters.weights)
  beginMoments(begun, parameters.statistics)
  if (initFrom === "none") {
    begun.set(initialParameters(policy, init, initialWeightsStream(root), logStdInit))
    return begun
  }
  const path = yield* policyPath(initFrom)
  const refuse = (message: string) => new InitialWeightsError({ path, message })
  const bytes = yield* readData.read(path).pipe(
    Effect.mapError(() => refuse(`There are no readable weights at ${path}. Check --init-from.`))
  )
  const { tensors } = yield* safetensors.decode(bytes).pipe(
    Effect.mapError((error) => refuse(`${path} cannot be begun with: ${error.message}`))
  )
  const weights = fromTensors(parameters, { ...statisticsTensors(parameters, begun), ...tensors })
  if (Result.isSuccess(weights)) return weights.success
  return yield* refuse(
    `${path} does not fit the network of this run: ${weights.failure.message}. ` +
      "Say the same --network, --hidden, --normalize-observations and --normalize-rewards as it was made with."
  )
})
