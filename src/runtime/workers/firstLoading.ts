/**
 * How this thread comes by a run's environment: its module is loaded in a child process first, where it can be ended. A
 * module may wait for ever, loop, take all memory or end the program, and here not even Ctrl-C would be heard meanwhile.
 *
 * What comes to an end there is loaded here, and a mistake that can be told is told by that.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { ActorSystem } from "../../actors/ActorSystem.ts"
import type { Death } from "../../actors/Death.ts"
import * as Supervision from "../../actors/Supervision.ts"
import { EnvironmentNotLoaded, isModule } from "../../envs/loadEnvironment.ts"
import { memory } from "../config/hosts.ts"
import { EnvironmentTrial } from "./EnvironmentTrial.ts"
import { buildId, hostEntry, hostIsThere } from "./hostEntry.ts"
import { learnableEnvironment } from "./learnableEnvironment.ts"

const mebibyte = 1024 * 1024

/** MiB that a module may take while it loads: half of all memory, and not what others need now. */
const mostMemory = () => Math.floor(Math.min(memory() / 2, 0.8 * process.availableMemory() / mebibyte))

/** What has come to an end in this program: a module is run once. */
const tried = new Set<string>()

/** A process of its own to load in, for as long as the scope lasts; none where no child process can be had. */
export const trial = Effect.fnUntraced(function*({ mute }: { readonly mute: boolean }) {
  yield* hostIsThere()
  const system = ActorSystem.layerProcess({
    entry: hostEntry,
    buildId,
    heartbeat: "Infinity",
    memoryLimit: { resident: mostMemory() },
    mute,
    // SIGKILL comes from outside: it says nothing of the module.
    supervision: Supervision.oneForOne({
      maxRestarts: 2,
      decide: ({ message }) => message === "ended by SIGKILL" ? "restart" : "stop"
    })
  })
  return yield* Effect.provide(ActorSystem.spawn(EnvironmentTrial, {}), yield* Layer.build(system))
}, Effect.option)

const tooLong = (seconds: number): string =>
  `its module does not come to the end of its loading within ${seconds} s (if it only takes longer, raise --load-deadline)`

const endedBy = ({ message, tag }: Death): string =>
  tag === "MemoryLimitReached"
    ? `its module takes more memory while it loads than it may: ${message}`
    : `its module ends the process that loads it: ${message}`

/** Why an environment does not come to the end of its loading within so many seconds; undefined where it does. */
const problemOf = Effect.fnUntraced(function*(reference: string, seconds: number) {
  // It is loaded, and may print, here once more.
  const host = yield* trial({ mute: true })
  if (Option.isNone(host)) return undefined
  return yield* host.value.Load({ reference }, { deadline: Duration.seconds(seconds) }).pipe(
    Effect.match({
      onSuccess: () => undefined,
      onFailure: (failure) => {
        switch (failure._tag) {
          case "AskTimeout":
            return tooLong(seconds)
          case "RestartLimitReached":
          case "ActorDied":
            return endedBy(failure.death)
          case "ActorStopped":
          case "MessageRefused":
            return failure.message
        }
      }
    })
  )
}, Effect.scoped)

/** Loads the module of an environment where it can be ended, for so many seconds at most; a registered id has none. */
export const firstLoading = Effect.fnUntraced(function*(reference: string, seconds: number) {
  if (!isModule(reference) || tried.has(reference)) return
  const problem = yield* problemOf(reference, seconds)
  if (problem !== undefined) return yield* new EnvironmentNotLoaded({ reference, problem })
  tried.add(reference)
})

/** Loads an environment here, as `learnableEnvironment` does, once it has shown that its loading comes to an end. */
export const triedEnvironment = (reference: string, limit: number, seconds: number) =>
  Effect.andThen(firstLoading(reference, seconds), learnableEnvironment(reference, limit))
