/** The verb `eval`: plays a saved policy greedily on fresh episodes, and shows one of them if asked. */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import { TerminalCapabilities } from "effect/cli/TerminalCapabilities"
import * as Clock from "effect/Clock"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import * as Schema from "effect/Schema"
import * as Terminal from "effect/Terminal"
import { joinReference, wrappersOf } from "../../envs/options.ts"
import { Arena } from "../../model/kernels/Arena.ts"
import { Kernels } from "../../model/kernels/Kernels.ts"
import { distributionOf } from "../../model/policy/DistributionSpec.ts"
import { encoderOf } from "../../model/policy/Encoder.ts"
import { plainLine } from "../../text/plainLine.ts"
import { confirmEnvironment } from "../config/confirmEnvironment.ts"
import { drawing } from "../evaluation/drawing.ts"
import { Evaluator } from "../evaluation/Evaluator.ts"
import { greedyStates } from "../evaluation/greedyStates.ts"
import { Policy } from "../evaluation/Policy.ts"
import { policyPath } from "../evaluation/policyPath.ts"
import * as readData from "../files/readData.ts"
import { explain } from "../files/reason.ts"
import * as wholeFile from "../files/wholeFile.ts"
import { plural, spread } from "../reporting/formatting.ts"
import * as RunFolder from "../reporting/RunFolder.ts"
import { formatOf, paceOf, writeVideo } from "../reporting/video.ts"
import { actionsOf } from "../workers/actions.ts"
import { triedEnvironment } from "../workers/firstLoading.ts"
import { environmentOptions, wrappers } from "./environmentOptions.ts"
import { loadDeadline } from "./loadDeadline.ts"

/** Something about the request that cannot be done. */
export class EvalError extends Schema.TaggedError<EvalError>()("EvalError", { message: Schema.String }) {}

const showOnTerminal = Effect.fnUntraced(function*(pictures: ReadonlyArray<string>, pace: number) {
  const terminal = yield* Terminal.Terminal
  const { canAnimate } = yield* TerminalCapabilities
  if (!canAnimate) return yield* Console.log(pictures.at(-1)!)
  let up = ""
  for (const picture of pictures) {
    yield* Effect.ignore(terminal.display(`${up}${picture.replaceAll("\n", "\x1b[K\n")}\x1b[K\n`))
    up = `\x1b[${picture.split("\n").length}A`
    yield* Effect.sleep(pace * 1000)
  }
})

/** The environment that a policy's file names, where it may be loaded. */
const environmentOf = Effect.fnUntraced(function*(file: string, { environment }: Policy) {
  const paths = yield* Path.Path
  const folder = yield* RunFolder.read(paths.dirname(file))
  yield* confirmEnvironment({
    file,
    reference: environment,
    ...(Option.isNone(folder)
      ? {}
      : { folder: folder.value.path, fingerprint: folder.value.environment?.module ?? undefined })
  })
  return environment
})

/** Another environment in the wrappers that the policy was trained with, unless it is named in some of its own. */
const wrappedAlike = (reference: string, { environment }: Policy): string =>
  wrappersOf(reference).length > 0 ? reference : joinReference(reference, {}, wrappersOf(environment))

/** After how many steps the policy's episodes were truncated in training; 0: as the environment says. */
const trainedLimit = Effect.fnUntraced(function*(file: string, { episodeLimit }: Policy) {
  if (episodeLimit !== undefined) return episodeLimit
  // Policies of 0.1 do not say; the settings of their run do, where they lie beside them.
  const paths = yield* Path.Path
  return yield* readData.readText(paths.join(paths.dirname(file), "config.json")).pipe(
    Effect.flatMap(Schema.decodeEffect(RunFolder.ConfigFileFromJson)),
    Effect.map(({ config }) => typeof config["episodeLimit"] === "number" ? config["episodeLimit"] : 0),
    Effect.orElseSucceed(() => 0)
  )
})

export const evalCommand = Command.make(
  "eval",
  {
    policy: Argument.String("policy").pipe(Argument.withDescription("a run's folder, or a policy.safetensors")),
    episodes: Flag.Int("episodes").pipe(
      Flag.withDescription("fresh episodes (default 100)"),
      Flag.withSchema(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 100_000 }))),
      Flag.withDefault(100)
    ),
    seed: Flag.Int("seed").pipe(
      Flag.withDescription("seed of the episodes (default 0)"),
      Flag.withSchema(Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))),
      Flag.withDefault(0)
    ),
    episodeLimit: Flag.Int("episode-limit").pipe(
      Flag.withDescription(
        "steps after which an episode is truncated; 0 leaves it to the environment (default: as in training)"
      ),
      Flag.withSchema(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 1_000_000_000 }))),
      Flag.optional
    ),
    environment: Flag.String("env-id").pipe(
      Flag.withDescription(
        "the environment: another than the policy was trained on, or a module, which a file alone does not run"
      ),
      Flag.optional
    ),
    envOptions: environmentOptions,
    wrappers,
    loadDeadline,
    render: Flag.Literals("render", ["none", "ansi", "svg"]).pipe(
      Flag.withDescription(
        "show an episode: ansi, on the terminal (what --render alone does), or svg, as an animation"
      ),
      Flag.withOptionalValue("ansi"),
      Flag.withDefault("none")
    ),
    video: Flag.String("video").pipe(
      Flag.withDescription(
        "write an episode to this file: .svg, .gif, .png (up to twelve states), .mp4 (needs ffmpeg)"
      ),
      Flag.withMetavar("path"),
      Flag.optional
    ),
    out: Flag.String("out").pipe(
      Flag.withDescription("file of the SVG (default episode.svg)"),
      Flag.withMetavar("path"),
      Flag.withDefault("episode.svg")
    ),
    json: Flag.Boolean("json").pipe(
      Flag.withDescription("print the result as one line of JSON"),
      Flag.withDefault(false)
    )
  },
  Effect.fnUntraced(
    function*(
      {
        envOptions,
        environment,
        episodeLimit,
        episodes,
        json,
        loadDeadline,
        out,
        policy: path,
        render,
        seed,
        video,
        wrappers
      }
    ) {
      const format = Option.isSome(video) ? yield* formatOf(video.value) : undefined
      const file = yield* policyPath(path)
      const policy = yield* Policy.load(file)
      const definition = yield* triedEnvironment(
        joinReference(
          Option.isSome(environment) ? wrappedAlike(environment.value, policy) : yield* environmentOf(file, policy),
          envOptions ?? {},
          wrappers
        ),
        Option.isSome(episodeLimit) ? episodeLimit.value : yield* trainedLimit(file, policy),
        loadDeadline
      )
      const { inputs } = encoderOf(policy.spec.encoder)
      const { outputs } = distributionOf(policy.spec.distribution)
      const drawn = actionsOf(definition.actionSpace)?.distribution
      if (
        inputs !== definition.observationSpace.size ||
        JSON.stringify(drawn) !== JSON.stringify(policy.spec.distribution)
      ) {
        return yield* new EvalError({
          message:
            `The policy was trained on ${policy.envId} (${inputs} inputs, ${outputs} actions) and does not fit ${definition.id}.`
        })
      }
      const started = yield* Clock.monotonicTimeNanos
      const arena = yield* Arena.make({ bytes: policy.weights.byteLength + Evaluator.bytes(policy.spec) })
      const kernels = yield* Kernels.instantiate(arena.memory)
      const weights = yield* arena.allocate(policy.weights.byteLength)
      arena.float32(weights, policy.weights.length).set(policy.weights)
      const evaluator = yield* Evaluator.make({
        arena,
        definition,
        kernels,
        policy: policy.spec,
        seed,
        masked: policy.actionMasks
      })
      const evaluation = yield* evaluator.evaluate({ weights, round: 0, episodes })
      const { max, mean, min, std } = evaluation
      const seconds = Number((yield* Clock.monotonicTimeNanos) - started) / 1e9

      const { rendering } = definition
      if (render === "ansi") {
        const draw = yield* drawing(definition, render, rendering?.ansi?.bind(rendering))
        const pictures = yield* Effect.forEach(yield* greedyStates(policy, definition, seed), draw)
        yield* showOnTerminal(pictures, paceOf(definition))
      } else if (render === "svg") {
        const draw = yield* drawing(definition, render, rendering?.svg?.bind(rendering))
        yield* wholeFile.write(out, yield* draw(yield* greedyStates(policy, definition, seed))).pipe(
          Effect.mapError((error) =>
            new EvalError({ message: `${out} cannot be written: ${explain(error)}. Name another file with --out.` })
          )
        )
      }
      if (Option.isSome(video) && format !== undefined) {
        const draw = yield* drawing(definition, "svg", rendering?.svg?.bind(rendering))
        const states = yield* greedyStates(policy, definition, seed)
        yield* writeVideo(video.value, format, states, { draw, pace: paceOf(definition) })
      }
      yield* Console.log(
        json
          ? JSON.stringify({ event: "evaluation", env_id: definition.id, episodes, seed, mean, std, min, max })
          : `${definition.id}: ${spread(evaluation)} over ${plural(episodes, "episode")}, seed ${seed}, ${
            seconds.toFixed(2)
          } s`
      )
      if (render === "svg") yield* Console.error(plainLine(`wrote ${out}`))
      if (Option.isSome(video)) yield* Console.error(plainLine(`wrote ${video.value}`))
    }
  )
).pipe(Command.withDescription("Play a saved policy greedily on fresh episodes"))
