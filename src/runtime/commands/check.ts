/** The verb `check`: plays an environment with random actions, and says what would break a run and how to mend it. */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { check, type Finding } from "../../envs/check.ts"
import type { EnvironmentDefinition } from "../../envs/EnvironmentDefinition.ts"
import { loadEnvironment } from "../../envs/loadEnvironment.ts"
import { joinReference } from "../../envs/options.ts"
import { microsecondsAStep } from "../../envs/stepTime.ts"
import { plainLine } from "../../text/plainLine.ts"
import { firstLoading } from "../workers/firstLoading.ts"
import { environmentOptions } from "./environmentOptions.ts"
import { loadDeadline } from "./loadDeadline.ts"

/** An environment that cannot be used as it is. */
export class CheckFailed extends Schema.TaggedError<CheckFailed>()("CheckFailed", { message: Schema.String }) {}

const counted = (count: number, word: string): string => `${count} ${word}${count === 1 ? "" : "s"}`

/** What the environment is, as one line. */
const described = ({ actionSpace, id, maxEpisodeSteps, observationSpace, rewardThreshold }: EnvironmentDefinition) => {
  const limit = maxEpisodeSteps === undefined ? "no time limit" : `at most ${maxEpisodeSteps} steps an episode`
  const solved = rewardThreshold === undefined ? "" : `, solved at ${rewardThreshold}`
  return `${id}: observations ${observationSpace}, actions ${actionSpace}, ${limit}${solved}`
}

/** Digits of a time that count. */
const shownTime = (microseconds: number): string => {
  const digits = microseconds >= 100 ? 0 : microseconds >= 10 ? 1 : 2
  return `${microseconds.toFixed(digits)} µs a step, ${Math.round(1e6 / microseconds).toLocaleString("en-US")} steps/s`
}

export const checkCommand = Command.make(
  "check",
  {
    environment: Argument.String("environment").pipe(
      Argument.withDescription("an id, such as CartPole-v1, or a module that exports an environment, such as ./maze.ts")
    ),
    envOptions: environmentOptions,
    loadDeadline,
    steps: Flag.Int("steps").pipe(
      Flag.withDescription("steps to play with random actions (default 2000)"),
      Flag.withSchema(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 100_000_000 }))),
      Flag.withDefault(2000)
    ),
    seed: Flag.Int("seed").pipe(
      Flag.withDescription("seed of the world and of the actions (default 0)"),
      Flag.withSchema(Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))),
      Flag.withDefault(0)
    ),
    json: Flag.Boolean("json").pipe(
      Flag.withDescription("print the result as one line of JSON"),
      Flag.withDefault(false)
    )
  },
  Effect.fnUntraced(function*({ envOptions, environment, json, loadDeadline, seed, steps }) {
    const reference = joinReference(environment, envOptions ?? {})
    yield* firstLoading(reference, loadDeadline)
    const definition = yield* loadEnvironment(reference)
    const findings: ReadonlyArray<Finding> = yield* check(definition, { seed, steps })
    const errors = findings.filter(({ severity }) => severity === "error").length
    // What cannot be stepped has no time.
    const microseconds = errors === 0 ? yield* microsecondsAStep(definition) : undefined
    if (json) {
      yield* Console.log(JSON.stringify({ id: definition.id, findings, microseconds_a_step: microseconds ?? null }))
    } else {
      yield* Console.log(plainLine(described(definition), 400))
      for (const { message, rule, severity } of findings) {
        yield* Console.log(`${severity} (${rule}): ${plainLine(message, 1000)}`)
      }
      if (microseconds !== undefined) yield* Console.log(shownTime(microseconds))
      if (findings.length === 0) yield* Console.log(`Nothing found in ${counted(steps, "step")}.`)
    }
    if (errors === 0) return
    const others = findings.length - errors
    const warned = others === 0 ? "" : ` and ${counted(others, "warning")}`
    return yield* new CheckFailed({
      message: `${definition.id} has ${counted(errors, "error")}${warned}; a run would not be what it should be.`
    })
  })
).pipe(Command.withDescription("Check an environment: what would break a run, and how long a step takes"))
