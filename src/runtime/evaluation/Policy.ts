/**
 * A trained policy on its own: the network, its weights, and which environment it was trained for. It answers what to
 * do with an observation in plain TypeScript, so it can be served, saved and loaded without a run, a thread or a device.
 */
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { Discrete } from "../../envs/spaces/Discrete.ts"
import { spaceFromJson } from "../../envs/spaces/index.ts"
import type { ActionSpace } from "../../envs/spaces/Space.ts"
import { fromTensors, toTensors } from "../../model/namedTensors.ts"
import * as categorical from "../../model/policy/categorical.ts"
import { distributionOf } from "../../model/policy/DistributionSpec.ts"
import { encoderOf } from "../../model/policy/Encoder.ts"
import { applyMask } from "../../model/policy/masks.ts"
import { ObservationScale } from "../../model/policy/normalization.ts"
import { ParameterLayout } from "../../model/policy/ParameterLayout.ts"
import { PolicySpec, PolicySpecOfNetwork } from "../../model/policy/PolicySpec.ts"
import { forward } from "../../model/reference/index.ts"
import * as safetensors from "../../model/safetensors.ts"
import { fromJson } from "../../text/json.ts"
import * as readData from "../files/readData.ts"
import { explain } from "../files/reason.ts"
import * as wholeFile from "../files/wholeFile.ts"
import { actionsOf } from "../workers/actions.ts"

/** A policy file that cannot be used: why, and what to do about it. */
export class PolicyFileError extends Schema.TaggedError<PolicyFileError>()("PolicyFileError", {
  path: Schema.String,
  message: Schema.String
}) {}

/** An observation, or a state, of the wrong size, or not finite. */
export class InvalidObservation extends Schema.TaggedError<InvalidObservation>()("InvalidObservation", {
  message: Schema.String
}) {}

/** What a policy says about one observation. */
export interface Decision {
  /**
   * The likeliest action, as the environment takes it: a number of a `Discrete` space, the lowest on a tie; else the numbers
   * of a vector.
   */
  readonly action: number | ReadonlyArray<number>
  /** Of a `Discrete` space one an action; they sum to 1. Of others none. */
  readonly probabilities: ReadonlyArray<number>
  /** V of the observation. */
  readonly value: number
  /** Of a policy that remembers what it does now: `decide` takes it with the next observation. Of others it is not there. */
  readonly state?: ReadonlyArray<number>
}

/** What a policy may be told beside the observation. */
export interface DecideOptions {
  readonly mask?: ArrayLike<number> | undefined
  readonly state?: ReadonlyArray<number> | undefined
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
  /** Of spaces other than `Discrete`. */
  action_space: Schema.optionalKey(fromJson(Schema.JsonObject)),
  episode_limit: Schema.optionalKey(WholeFromText),
  /** Whether it has learned under action masks. */
  action_masks: Schema.optionalKey(Schema.Literal("true"))
})

/** What a policy knows of its environment, beside the sizes that are in its spec. */
export interface PolicyTerms {
  /** The action that its first output stands for: where the `Discrete` action space starts. Default 0. */
  readonly firstAction?: number
  /** The action space. Default: a `Discrete` one from `firstAction` on, where the policy chooses one of some actions. */
  readonly actionSpace?: ActionSpace | undefined
  /** After how many steps an episode was truncated in training; 0: as the environment says. Undefined: not known. */
  readonly episodeLimit?: number | undefined
  /** Whether it has learned under action masks, and is to be held to them: `decide` does not know them by itself. */
  readonly actionMasks?: boolean | undefined
}

/** A trained policy: where it belongs, and its weights in the flat order of `layout`: parameters, then statistics. */
export class Policy {
  readonly envId: string
  /** How the environment was named to the run: its id, or the module that exports it. */
  readonly environment: string
  readonly spec: PolicySpec
  readonly weights: Float32Array
  readonly layout: ParameterLayout
  readonly firstAction: number
  /** Undefined where it is not known: actions are then as the distribution has them. */
  readonly actionSpace: ActionSpace | undefined
  readonly episodeLimit: number | undefined
  readonly actionMasks: boolean
  /** What the network sees of an observation; undefined: itself. */
  private readonly scale: ObservationScale | undefined

  constructor(
    envId: string,
    environment: string,
    spec: PolicySpec,
    weights: Float32Array,
    { actionMasks = false, actionSpace, episodeLimit, firstAction = 0 }: PolicyTerms = {}
  ) {
    this.envId = envId
    this.environment = environment
    this.spec = spec
    this.weights = weights
    this.layout = new ParameterLayout(spec)
    const { distribution } = spec
    this.actionSpace = actionSpace ??
      (distribution.kind === "categorical" ? new Discrete(distribution.n, { start: firstAction }) : undefined)
    this.firstAction = this.actionSpace?._tag === "Discrete" ? this.actionSpace.start : firstAction
    this.episodeLimit = episodeLimit
    this.actionMasks = actionMasks
    const observed = this.layout.statistics.find(({ name }) => name === "obs_rms")
    this.scale = observed === undefined ? undefined : new ObservationScale(observed)
    this.scale?.take(weights)
  }

  /** What goes into every file of it, whatever the format, beside the weights. */
  get about(): Readonly<Record<string, string>> {
    return {
      env_id: this.envId,
      environment: this.environment,
      ...(this.actionSpace === undefined || this.actionSpace._tag === "Discrete"
        ? { first_action: String(this.firstAction) }
        : { action_space: JSON.stringify(this.actionSpace) }),
      ...(this.episodeLimit === undefined ? {} : { episode_limit: String(this.episodeLimit) }),
      ...(this.actionMasks ? { action_masks: "true" } : {})
    }
  }

  /**
   * What to do with an observation. Computed in float64; ties and rounding may differ from the kernels' last bit.
   *
   * - `mask`: which actions are legal, 1 or 0 for each number that the policy's head gives: others are not decided for.
   * - `state`: of a policy that remembers, that of the decision before; left out, an episode begins.
   */
  decide(observation: ReadonlyArray<number>, given: DecideOptions = {}): Effect.Effect<Decision, InvalidObservation> {
    return Effect.suspend(() => {
      const problem = this.problemOf(observation, given)
      return problem === undefined
        ? Effect.succeed(this.decided(observation, given))
        : Effect.fail(new InvalidObservation({ message: problem }))
    })
  }

  /** The same at once, for those who cannot wait, such as an agent of a simulation. Throws an `InvalidObservation`. */
  decideSync(observation: ReadonlyArray<number>, given: DecideOptions = {}): Decision {
    const problem = this.problemOf(observation, given)
    if (problem !== undefined) throw new InvalidObservation({ message: problem })
    return this.decided(observation, given)
  }

  private problemOf(observation: ReadonlyArray<number>, { mask, state }: DecideOptions): string | undefined {
    const { inputs, stateWords } = encoderOf(this.spec.encoder)
    if (state !== undefined && (state.length !== stateWords || !state.every(Number.isFinite))) {
      const what = stateWords === 0
        ? "remembers nothing: leave its state out"
        : `has a state of ${stateWords} finite numbers`
      return `The policy of ${this.envId} ${what}.`
    }
    if (observation.length !== inputs || !observation.every(Number.isFinite)) {
      return `An observation of ${this.envId} is ${inputs} finite numbers.`
    }
    const { masks } = distributionOf(this.spec.distribution)
    if (mask !== undefined && (mask.length !== masks || masks === 0)) {
      return masks === 0
        ? `Actions of ${this.envId} are not masked.`
        : `A mask of ${this.envId} is ${masks} numbers, 1 where an action is legal and 0 elsewhere.`
    }
    return undefined
  }

  private decided(observation: ReadonlyArray<number>, { mask, state }: DecideOptions): Decision {
    const seen = Float64Array.from(observation)
    this.scale?.see(seen, seen)
    const { cell, outputs, values } = forward(
      this.layout,
      this.weights,
      seen,
      state === undefined ? undefined : { state: Float64Array.from(state), starts: [] }
    )
    if (mask !== undefined) applyMask(outputs, mask)
    const distribution = distributionOf(this.spec.distribution)
    const { at, length } = this.layout.free
    const numbers = new Float64Array(distribution.action.width)
    distribution.mode(Float64Array.of(...outputs, ...this.weights.subarray(at, at + length)), numbers)
    const action = this.actionSpace === undefined
      ? numbers
      : actionsOf(this.actionSpace)?.reader()(numbers, 0) ?? numbers
    const probabilities = new Float64Array(this.spec.distribution.kind === "categorical" ? outputs.length : 0)
    if (probabilities.length > 0) categorical.softmax(probabilities, outputs)
    return {
      action: typeof action === "number" ? action : Array.from(action),
      probabilities: Array.from(probabilities),
      value: values[0]!,
      ...(cell === null ? {} : { state: Array.from(cell.after) })
    }
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
    const bytes = yield* readData.read(path).pipe(
      Effect.mapError(() =>
        new PolicyFileError({ path, message: `There is no readable policy at ${path}. Check the path.` })
      )
    )
    return yield* Policy.fromBytes(bytes, path)
  })

  /** The policy that `toBytes` has written; `path` is what a sentence calls it. Needs no file system. */
  static readonly fromBytes = Effect.fnUntraced(function*(bytes: Uint8Array, path: string) {
    const refuse = (why: string) => new PolicyFileError({ path, message: `${path} cannot be used as a policy: ${why}` })
    const { metadata, tensors } = yield* Effect.mapError(safetensors.decode(bytes), (error) => refuse(error.message))
    const known = yield* Schema.decodeUnknownEffect(Metadata)(metadata).pipe(
      Effect.mapError(() => refuse("it was not written by this program."))
    )
    if (!["1", formatVersion].includes(known.version)) {
      return yield* refuse(`it has format version ${known.version}; this program reads those up to ${formatVersion}.`)
    }
    const spec = known.policy ?? known.network
    if (spec === undefined) return yield* refuse("it does not say what policy it is.")
    const actionSpace = known.action_space === undefined
      ? undefined
      : yield* Effect.try({
        try: () => spaceFromJson(known.action_space),
        catch: () => refuse("its action space is none of this program's.")
      })
    const drawn = actionSpace === undefined ? undefined : actionsOf(actionSpace)?.distribution
    if (
      actionSpace === undefined
        ? spec.distribution.kind !== "categorical"
        : JSON.stringify(drawn) !== JSON.stringify(spec.distribution)
    ) {
      return yield* refuse(
        `its actions (${
          actionSpace ?? "it does not say which"
        }) are not what its ${spec.distribution.kind} distribution draws.`
      )
    }
    const weights = fromTensors(new ParameterLayout(spec), tensors)
    if (Result.isFailure(weights)) return yield* refuse(`${weights.failure.message}.`)
    return new Policy(known.env_id, known.environment, spec, weights.success, {
      firstAction: known.first_action ?? 0,
      actionSpace,
      episodeLimit: known.episode_limit,
      actionMasks: known.action_masks === "true"
    })
  })
}
