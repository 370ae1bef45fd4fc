/**
 * Where supervision comes to its end: few restarts allowed in a window, back-offs by function and by schedule, deaths
 * without progress, `stop`, `escalate` and `resume`. What is answered must be right; what fails must fail with the right error, and no
 * earlier than its limit; and a failed actor leaves its name.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as Actor from "../../../src/actors/Actor.ts"
import { Rpc } from "../../../src/actors/Actor.ts"
import { ActorSystem } from "../../../src/actors/ActorSystem.ts"
import * as Supervision from "../../../src/actors/Supervision.ts"
import { Simulation } from "../../../src/testing/Simulation.ts"
import { one } from "../one.ts"

class Refused extends Schema.TaggedError<Refused>()("Refused", { n: Schema.Int }) {}

class Counter extends Actor.make("Counter", {
  state: Schema.Struct({ count: Schema.Int }),
  protocol: [
    Rpc.make("Next", { payload: { id: Schema.Int, deaths: Schema.Int }, success: Schema.Int, error: Refused }),
    Rpc.make("Refuse", { success: Schema.Int, error: Refused }),
    // Must not run twice: it says how often it has.
    Rpc.make("Once", { payload: { id: Schema.Int, dies: Schema.Boolean }, success: Schema.Int }).annotate(
      Actor.NonReplayable,
      true
    )
  ]
}) {}

/** How often each `Once` has run, and how often each `Next` has killed. */
const ran = new Map<number, number>()
const killed = new Map<number, number>()

const CounterBehavior = Counter.behavior(({ incarnation, restored }) =>
  Effect.sync(() => {
    let count = Option.match(restored, { onNone: () => 0, onSome: (state) => state.count })
    return {
      handlers: {
        Next: ({ deaths, id }) =>
          Effect.gen(function*() {
            const next = ++count
            yield* Effect.yieldNow
            if (incarnation <= deaths) {
              killed.set(id, (killed.get(id) ?? 0) + 1)
              return yield* Effect.die(new RangeError("mishap"))
            }
            return next
          }),
        Refuse: () => Effect.suspend(() => Effect.fail(new Refused({ n: ++count }))),
        Once: ({ dies, id }) =>
          Effect.suspend(() => {
            ran.set(id, (ran.get(id) ?? 0) + 1)
            return dies ? Effect.die(new RangeError("mishap")) : Effect.succeed(++count)
          })
      },
      snapshot: () => ({ count })
    }
  })
)

const backoffs: Readonly<Record<string, Supervision.Backoff | undefined>> = {
  none: undefined,
  function: (restart) => restart * 5,
  schedule: Schedule.exponential("2 millis"),
  "a schedule that ends": Schedule.recurs(3)
}

export const limits = Effect.gen(function*() {
  ran.clear()
  killed.clear()
  const { choose, group, struck, violated } = yield* Simulation
  const lossy = () => struck("drop") + struck("late") + struck("corrupt") + struck("double") > 0
  const system = yield* ActorSystem
  const maxRestarts = one([Number.POSITIVE_INFINITY, 5, 1, 0], choose, "max restarts")
  const within = one([60_000, 10], choose, "within")
  const maxConsecutive = one([10, 2], choose, "max consecutive")
  const directive = one(["restart", "restart", "restart", "resume", "stop", "escalate"] as const, choose, "directive")
  const backoff = backoffs[one(["none", "function", "schedule", "a schedule that ends"], choose, "back-off")]
  const strategy = one(["one-for-one", "one-for-all", "rest-for-one"] as const, choose, "strategy")
  const make = {
    "one-for-one": Supervision.oneForOne,
    "one-for-all": Supervision.oneForAll,
    "rest-for-one": Supervision.restForOne
  }[strategy]
  const supervision = make({
    maxRestarts,
    within,
    maxConsecutive,
    ...(backoff === undefined ? {} : { backoff }),
    decide: (death) => death.kind === "Defect" ? directive : "restart"
  })
  // Who dies of its own doing, and when, by the system's own word.
  const deaths: Array<{ readonly actor: string; readonly time: number }> = []
  const failed = new Set<string>()
  yield* Effect.forkChild(
    Stream.runForEach(system.events, (event) =>
      Effect.clockWith((clock) =>
        Effect.sync(() => {
          if (event._tag === "Died" && event.death.kind === "Defect") {
            deaths.push({ actor: event.actor, time: clock.currentTimeMillisUnsafe() })
          }
          if (event._tag === "Failed") {
            failed.add(event.actor)
          }
        })
      )),
    { startImmediately: true }
  )
  const names = ["c/0", "c/1"]
  const spawned = yield* Effect.exit(
    Effect.forEach(
      names,
      (name, host) => system.spawn(Counter, { name, supervision, host, mailbox: one([1024, 2], choose, "mailbox") })
    )
  )
  if (Exit.isFailure(spawned)) return
  // Who resumes does so alone.
  if (strategy !== "one-for-one" && directive !== "resume") group({ strategy, names })
  let mishaps = 0
  const clients = yield* Effect.forEach(spawned.value, (counter, index) =>
    Effect.forkChild(Effect.gen(function*() {
      let next = 0
      for (let message = 0; message < 12; message++) {
        const what = one(
          ["next", "next", "next", "die", "refuse", "once", "once that dies", "rest"] as const,
          choose,
          "what"
        )
        if (what === "rest") yield* Effect.sleep(choose(30, "how long"))
        const id = index * 100 + message
        const deaths = what === "die" ? choose(4, "deaths") : 0
        if ((what === "die" || what === "once that dies") && directive !== "resume") mishaps++
        const answer: Exit.Exit<number, { readonly _tag: string }> = yield* Effect.exit(
          what === "refuse"
            ? Effect.catchTag(counter.Refuse(), "Refused", ({ n }) => Effect.succeed(n))
            : what === "once" || what === "once that dies"
            ? counter.Once({ id, dies: what === "once that dies" })
            : counter.Next({ id, deaths })
        )
        // Whose reply was lost on the way, and who died afterwards by another's doing, is not known to have run it.
        if ((ran.get(id) ?? 0) > 1 && !lossy()) {
          violated(`${counter.name}: a message that must not run twice has run ${ran.get(id)} times`)
        }
        // A death that the owner never heard of leaves nothing out.
        const sudden = struck("kill") + struck("exit") + struck("wedge") > 0
        if (directive === "resume" && (killed.get(id) ?? 0) > 1 && !sudden && !lossy()) {
          violated(`${counter.name}: a message that is left out has killed ${killed.get(id)} times`)
        }
        if (Exit.isSuccess(answer)) {
          if (answer.value !== ++next) violated(`${counter.name} answers ${answer.value} instead of ${next}`)
          if (what === "once that dies") violated(`${counter.name}: a message that dies was answered`)
          continue
        }
        const reason = answer.cause.reasons[0]
        const tag = reason?._tag === "Fail" ? reason.error._tag : `${reason?._tag}`
        if (tag === "ActorDied" && what.startsWith("once")) continue
        if (tag === "ActorDied" && what === "die" && directive === "resume") continue
        if (tag !== "RestartLimitReached") violated(`${counter.name}: an ask ends with ${tag}`)
        if (mishaps + struck() === 0) violated(`${counter.name} has failed, and nothing befell it`)
        return
      }
    })))
  yield* Effect.forEach(clients, (fiber) => Fiber.join(fiber))
  yield* Effect.yieldNow
  // Where each is alone, its own deaths count, whatever else befalls it; the last one fails it.
  for (const name of strategy === "one-for-one" && directive !== "resume" ? names : []) {
    const times = deaths.filter(({ actor }) => actor === name).map(({ time }) => time)
    for (let at = 0; at + maxRestarts + 1 < times.length; at++) {
      const span = times[at + maxRestarts + 1]! - times[at]!
      if (span < within) {
        violated(`${name} dies ${maxRestarts + 2} times within ${Duration.format(Duration.millis(span))}`)
      }
    }
  }
  for (const name of failed) {
    const again = yield* Effect.exit(system.lookup(Counter, name))
    if (Exit.isSuccess(again)) violated(`${name} has failed, and is still there`)
  }
}).pipe(
  Effect.scoped,
  Effect.provide(
    Simulation.layer([CounterBehavior], {
      hosts: 2,
      heartbeat: "900 millis",
      startDeadline: "2 seconds",
      askDeadline: "10 minutes"
    })
  )
)
