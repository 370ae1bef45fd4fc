/** The verb `check`: plays an environment with random actions, and says what would break a run and how to mend it. */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Console from "effect/Console"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { isModule, loadEnvironment } from "../../envs/loadEnvironment.ts"
import { joinReference } from "../../envs/options.ts"
import { plainJson, plainLine } from "../../text/plainLine.ts"
import { type CheckRequest, report } from "../workers/EnvironmentTrial.ts"
import { firstLoading, trial } from "../workers/firstLoading.ts"
import { environmentOptions, wrappers } from "./environmentOptions.ts"
import { loadDeadline } from "./loadDeadline.ts"

/** An environment that cannot be used as it is. */
export class CheckFailed extends Schema.TaggedError<CheckFailed>()("CheckFailed", { message: Schema.String }) {}

const counted = (count: number, word: string): string => `${count} ${word}${count === 1 ? "" : "s"}`

/** Digits of a time that count. */
const shownTime = (microseconds: number): string => {
  const digits = microseconds >= 100 ? 0 : microseconds >= 10 ? 1 : 2
  return `${microseconds.toFixed(digits)} µs a step, ${Math.round(1e6 / microseconds).toLocaleString("en-US")} steps/s`
}

/** Steps of a registered environment that take no time to speak of. */
const quick = 100_000

/**
 * Checks a module's environment in a process of its own: its code may loop, take all memory or end the program, and Ctrl-C is
 * heard meanwhile.
 */
const elsewhere = Effect.fnUntraced(function*(request: typeof CheckRequest.Type, seconds: number) {
  const place = yield* trial({ mute: false })
  if (Option.isNone(place)) {
    return yield* Effect.flatMap(loadEnvironment(request.reference), (definition) => report(definition, request))
  }
  const { reference } = request
  const deadline = Duration.seconds(seconds)
  return yield* place.value.Check(request, { deadline }).pipe(Effect.mapError((failure) => {
    switch (failure._tag) {
      case "NotChecked":
        return new CheckFailed({ message: failure.message })
      case "AskTimeout":
        return new CheckFailed({
          message: `${plainLine(reference)} is not done within ${seconds} s: its reset or step does not return, or ` +
            "is slow: try fewer --steps, or raise --deadline."
        })
      case "RestartLimitReached":
      case "ActorDied":
        return new CheckFailed({
          message: `${plainLine(reference)} ends the process it is played in: ${failure.death.message}.`
        })
      case "ActorStopped":
      case "MessageRefused":
        return new CheckFailed({ message: failure.message })
    }
  }))
}, Effect.scoped)

export const checkCommand = Command.make(
  "check",
  {
    environment: Argument.String("environment").pipe(
      Argument.withDescription("an id, such as CartPole-v1, or a module that exports an environment, such as ./maze.ts")
    ),
    envOptions: environmentOptions,
    wrappers,
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
    deadline: Flag.Int("deadline").pipe(
      Flag.withDescription("seconds that a module may be played for (default 60)"),
      Flag.withSchema(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 1_000_000 }))),
      Flag.withDefault(60)
    ),
    json: Flag.Boolean("json").pipe(
      Flag.withDescription("print the result as one line of JSON"),
      Flag.withDefault(false)
    )
  },
  Effect.fnUntraced(function*({ deadline, envOptions, environment, json, loadDeadline, seed, steps, wrappers }) {
    const reference = joinReference(environment, envOptions ?? {}, wrappers)
    yield* firstLoading(reference, loadDeadline)
    const registered = isModule(reference) ? undefined : yield* loadEnvironment(reference)
    const { description, findings, id, microseconds } = registered === undefined || steps > quick
      ? yield* elsewhere({ reference, seed, steps }, deadline)
      : yield* report(registered, { seed, steps })
    if (json) {
      yield* Console.log(plainJson(JSON.stringify({ id, findings, microseconds_a_step: microseconds })))
    } else {
      yield* Console.log(plainLine(description, 400))
      for (const { message, rule, severity } of findings) {
        yield* Console.log(`${severity} (${rule}): ${plainLine(message, 1000)}`)
      }
      if (microseconds !== null) yield* Console.log(shownTime(microseconds))
      if (findings.length === 0) yield* Console.log(`Nothing found in ${counted(steps, "step")}.`)
    }
    const errors = findings.filter(({ severity }) => severity === "error").length
    if (errors === 0) return
    const others = findings.length - errors
    const warned = others === 0 ? "" : ` and ${counted(others, "warning")}`
    return yield* new CheckFailed({
      message: `${id} has ${counted(errors, "error")}${warned}; a run would not be what it should be.`
    })
  })
).pipe(Command.withDescription("Check an environment: what would break a run, and how long a step takes"))
