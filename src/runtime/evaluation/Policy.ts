/**
 * A trained policy on its own: the network, its weights, and which environment it was trained for. It answers what to
 * do with an observation in plain TypeScript, so it can be served, saved and loaded without a run, a thread or a device.
 */
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { fromTensors, toTensors } from "../../model/namedTensors.ts"
import * as categorical from "../../model/policy/categorical.ts"
import { encoderOf } from "../../model/policy/Encoder.ts"
import { ParameterLayout } from "../../model/policy/ParameterLayout.ts"
import { PolicySpec, PolicySpecOfNetwork } from "../../model/policy/PolicySpec.ts"
import { forward } from "../../model/reference/index.ts"
import * as safetensors from "../../model/safetensors.ts"
import { fromJson } from "../../text/json.ts"
import * as readData from "../files/readData.ts"
import { explain } from "../files/reason.ts"
import * as wholeFile from "../files/wholeFile.ts"

/** A policy file that cannot be used: why, and what to do about it. */
export class PolicyFileError extends Schema.TaggedError<PolicyFileError>()("PolicyFileError", {
  path: Schema.String,
  message: Schema.String
}) {}

/** An observation of the wrong size, or not finite. */
export class InvalidObservation extends Schema.TaggedError<InvalidObservation>()("InvalidObservation", {
  message: Schema.String
}) {}

/** What a policy says about one observation. */
export interface Decision {
  /** The likeliest action, as the environment takes it; the lowest on a tie. */
  readonly action: number
  /** One an action; they sum to 1. */
  readonly probabilities: ReadonlyArray<number>
  /** V of the observation. */
  readonly value: number
}

/** The version of the format that this program writes. It reads all up to it. */
const formatVersion = "2"

const WholeFromText = Schema.NumberFromString.check(Schema.isInt())

const Metadata = Schema.Struct({
  format: Schema.Literal("troupe-policy"),
  version: Schema.String,
  env_id: Schema.String,
  environment: Schema.String,
  policy: Schema.optionalKey(fromJson(PolicySpec)),
  /** The same in version 1. */
  network: Schema.optionalKey(fromJson(PolicySpecOfNetwork)),
  /** Files of 0.1 do not say these two. */
  first_action: Schema.optionalKey(WholeFromText),
  episode_limit: Schema.optionalKey(WholeFromText)
})

/** What a policy knows of its environment, beside the sizes that are in its spec. */
export interface PolicyTerms {
  /** The action that its first output stands for: where the `Discrete` action space starts. Default 0. */
  readonly firstAction?: number
  /** After how many steps an episode was truncated in training; 0: as the environment says. Undefined: not known. */
  readonly episodeLimit?: number | undefined
}

/** A trained policy: where it belongs, and its weights in the flat order of `layout`. */
export class Policy {
  readonly envId: string
  /** How the environment was named to the run: its id, or the module that exports it. */
  readonly environment: string
  readonly spec: PolicySpec
  readonly weights: Float32Array
  readonly layout: ParameterLayout
  readonly firstAction: number
  readonly episodeLimit: number | undefined

  constructor(
    envId: string,
    environment: string,
    spec: PolicySpec,
    weights: Float32Array,
    { episodeLimit, firstAction = 0 }: PolicyTerms = {}
  ) {
    this.envId = envId
    this.environment = environment
    this.spec = spec
    this.weights = weights
    this.layout = new ParameterLayout(spec)
    this.firstAction = firstAction
    this.episodeLimit = episodeLimit
  }

  /** What goes into every file of it, whatever the format, beside the weights. */
  get about(): Readonly<Record<string, string>> {
    return {
      env_id: this.envId,
      environment: this.environment,
      first_action: String(this.firstAction),
      ...(this.episodeLimit === undefined ? {} : { episode_limit: String(this.episodeLimit) })
    }
  }

  /** What to do with an observation. Computed in float64; ties and rounding may differ from the kernels' last bit. */
  decide(observation: ReadonlyArray<number>): Effect.Effect<Decision, InvalidObservation> {
    const { inputs } = encoderOf(this.spec.encoder)
    if (observation.length !== inputs || !observation.every(Number.isFinite)) {
      return Effect.fail(
        new InvalidObservation({ message: `An observation of ${this.envId} is ${inputs} finite numbers.` })
      )
    }
    return Effect.sync(() => {
      const { outputs: logits, values } = forward(this.layout, this.weights, Float64Array.from(observation))
      const probabilities = new Float64Array(logits.length)
      categorical.softmax(probabilities, logits)
      return {
        action: this.firstAction + categorical.greedyAction(logits),
        probabilities: Array.from(probabilities),
        value: values[0]!
      }
    })
  }

  /** The policy as a safetensors file: tensors by PyTorch's names, weights `[out][in]`. */
  toBytes(): Uint8Array {
    return safetensors.encode({
      metadata: {
        format: "troupe-policy",
        version: formatVersion,
        ...this.about,
        policy: JSON.stringify(this.spec)
      },
      tensors: toTensors(this.layout, this.weights)
    })
  }

  /** Writes the policy to a file. */
  save(path: string): Effect.Effect<void, PolicyFileError, FileSystem.FileSystem> {
    return wholeFile.write(path, this.toBytes()).pipe(
      Effect.mapError((error) =>
        new PolicyFileError({
          path,
          message: `The policy cannot be written to ${path}: ${explain(error)}.`
        })
      )
    )
  }

  /** Reads what `save` wrote. */
  static readonly load = Effect.fnUntraced(function*(path: string) {
    const refuse = (why: string) => new PolicyFileError({ path, message: `${path} cannot be used as a policy: ${why}` })
    const bytes = yield* readData.read(path).pipe(
      Effect.mapError(() =>
        new PolicyFileError({ path, message: `There is no readable policy at ${path}. Check the path.` })
      )
    )
    const { metadata, tensors } = yield* Effect.mapError(safetensors.decode(bytes), (error) => refuse(error.message))
    const known = yield* Schema.decodeUnknownEffect(Metadata)(metadata).pipe(
      Effect.mapError(() => refuse("it was not written by this program."))
    )
    if (!["1", formatVersion].includes(known.version)) {
      return yield* refuse(`it has format version ${known.version}; this program reads those up to ${formatVersion}.`)
    }
    const spec = known.policy ?? known.network
    if (spec === undefined) return yield* refuse("it does not say what policy it is.")
    const weights = fromTensors(new ParameterLayout(spec), tensors)
    if (Result.isFailure(weights)) return yield* refuse(`${weights.failure.message}.`)
    return new Policy(known.env_id, known.environment, spec, weights.success, {
      firstAction: known.first_action ?? 0,
      episodeLimit: known.episode_limit
    })
  })
}
