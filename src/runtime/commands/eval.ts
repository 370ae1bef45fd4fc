/** The verb `eval`: plays a saved policy greedily on fresh episodes, and shows one of them if asked. */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import { TerminalCapabilities } from "effect/cli/TerminalCapabilities"
import * as Clock from "effect/Clock"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import * as Schema from "effect/Schema"
import * as Terminal from "effect/Terminal"
import type { EnvironmentDefinition } from "../../envs/EnvironmentDefinition.ts"
import { joinReference } from "../../envs/options.ts"
import type { Discrete } from "../../envs/spaces/Discrete.ts"
import { Arena } from "../../model/kernels/Arena.ts"
import { Kernels } from "../../model/kernels/Kernels.ts"
import { distributionOf } from "../../model/policy/DistributionSpec.ts"
import { encoderOf } from "../../model/policy/Encoder.ts"
import { evaluationStream } from "../../random/streams.ts"
import { plainLine } from "../../text/plainLine.ts"
import { confirmEnvironment } from "../config/confirmEnvironment.ts"
import { Evaluator } from "../evaluation/Evaluator.ts"
import { Policy } from "../evaluation/Policy.ts"
import { policyPath } from "../evaluation/policyPath.ts"
import * as RunFolder from "../reporting/RunFolder.ts"
import { learnableEnvironment } from "../workers/learnableEnvironment.ts"
import { environmentOptions } from "./environmentOptions.ts"

/** Something about the request that cannot be done. */
export class EvalError extends Schema.TaggedError<EvalError>()("EvalError", { message: Schema.String }) {}

/** Milliseconds between two pictures on a terminal: CartPole's own pace. */
const frameMillis = 20

/** The states of one greedy episode, the first included. */
const episode = Effect.fnUntraced(function*(policy: Policy, definition: EnvironmentDefinition<Discrete>, seed: number) {
  const state = new Float64Array(definition.stateSize)
  const observation = new Float32Array(definition.observationSpace.size)
  const dynamics = definition.create(state)
  const random = evaluationStream(seed, 0)
  dynamics.reset(random)
  const states = [state.slice()]
  for (let over = false; !over;) {
    dynamics.observe(observation)
    const { action } = yield* policy.decide(Array.from(observation))
    const { terminated, truncated } = dynamics.step(definition.actionSpace.start + action, random)
    states.push(state.slice())
    over = terminated || truncated === true
  }
  return states
})

const showOnTerminal = Effect.fnUntraced(function*(
  states: ReadonlyArray<Float64Array>,
  ansi: (state: Float64Array) => string
) {
  const terminal = yield* Terminal.Terminal
  const { canAnimate } = yield* TerminalCapabilities
  if (!canAnimate) return yield* Console.log(ansi(states.at(-1)!))
  let up = ""
  for (const state of states) {
    const picture = ansi(state)
    yield* Effect.ignore(terminal.display(`${up}${picture.replaceAll("\n", "\x1b[K\n")}\x1b[K\n`))
    up = `\x1b[${picture.split("\n").length}A`
    yield* Effect.sleep(frameMillis)
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

const cannotDraw = (id: string, render: string) =>
  new EvalError({ message: `${id} has no ${render} rendering; leave --render out.` })

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
    environment: Flag.String("env-id").pipe(
      Flag.withDescription(
        "the environment: another than the policy was trained on, or a module, which a file alone does not run"
      ),
      Flag.optional
    ),
    envOptions: environmentOptions,
    render: Flag.Literals("render", ["none", "ansi", "svg"]).pipe(
      Flag.withDescription("show an episode: on the terminal, or as an animated SVG (default none)"),
      Flag.withDefault("none")
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
  Effect.fnUntraced(function*({ envOptions, environment, episodes, json, out, policy: path, render, seed }) {
    const policy = yield* Effect.flatMap(policyPath(path), Policy.load)
    const definition = yield* learnableEnvironment(
      joinReference(
        Option.isSome(environment) ? environment.value : yield* environmentOf(yield* policyPath(path), policy),
        envOptions ?? {}
      )
    )
    const { inputs } = encoderOf(policy.spec.encoder)
    const { outputs } = distributionOf(policy.spec.distribution)
    if (inputs !== definition.observationSpace.size || outputs !== definition.actionSpace.n) {
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
    const evaluator = yield* Evaluator.make({ arena, definition, kernels, policy: policy.spec, seed })
    const { max, mean, min, std } = yield* evaluator.evaluate({ weights, round: 0, episodes })
    const seconds = Number((yield* Clock.monotonicTimeNanos) - started) / 1e9

    const { rendering } = definition
    if (render === "ansi") {
      const ansi = rendering?.ansi
      if (ansi === undefined) return yield* cannotDraw(definition.id, render)
      yield* showOnTerminal(yield* episode(policy, definition, seed), ansi)
    } else if (render === "svg") {
      const svg = rendering?.svg
      if (svg === undefined) return yield* cannotDraw(definition.id, render)
      const fs = yield* FileSystem.FileSystem
      yield* fs.writeFileString(out, svg(yield* episode(policy, definition, seed))).pipe(
        Effect.mapError(() => new EvalError({ message: `${out} cannot be written. Name another file with --out.` }))
      )
    }
    yield* Console.log(
      json
        ? JSON.stringify({ event: "evaluation", env_id: definition.id, episodes, seed, mean, std, min, max })
        : `${definition.id}: ${mean.toFixed(1)} ± ${std.toFixed(1)} over ${episodes} episodes ` +
          `(${min} to ${max}), seed ${seed}, ${seconds.toFixed(2)} s`
    )
    if (render === "svg") yield* Console.error(plainLine(`wrote ${out}`))
  })
).pipe(Command.withDescription("Play a saved policy greedily on fresh episodes"))
