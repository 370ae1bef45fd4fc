/**
 * Asks that are given up (queued, waiting for room or in hand), time out or find no room; tells; actors that are stopped, killed and watched; names taken again;
 * all at once. Nobody may get two outcomes or none, what was answered is in the state, and nothing is there twice.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as Actor from "../../../src/actors/Actor.ts"
import { Rpc } from "../../../src/actors/Actor.ts"
import { ActorSystem } from "../../../src/actors/ActorSystem.ts"
import * as Supervision from "../../../src/actors/Supervision.ts"
import { Simulation } from "../../../src/testing/Simulation.ts"
import { one } from "../one.ts"

class Log extends Actor.make("Log", {
  config: Schema.Struct({ life: Schema.Int }),
  state: Schema.Struct({ seen: Schema.Array(Schema.Int) }),
  protocol: [
    Rpc.make("Write", { payload: { id: Schema.Int, millis: Schema.Int }, success: Schema.Array(Schema.Int) }),
    // The same, and must not run twice.
    Rpc.make("Stamp", { payload: { id: Schema.Int, millis: Schema.Int }, success: Schema.Array(Schema.Int) }).annotate(
      Actor.NonReplayable,
      true
    ),
    // The same, and is not brought to its end where nobody waits for it.
    Rpc.make("Try", { payload: { id: Schema.Int, millis: Schema.Int }, success: Schema.Array(Schema.Int) }).annotate(
      Actor.Cancellable,
      true
    )
  ]
}) {}

/** Messages that nobody waited for, over which an incarnation was ended; and those of them that were begun again. */
const cancelled = new Set<number>()
const again: Array<number> = []

/** Lives that are at work, by name: never two of one name. */
const LogBehavior = Log.behavior(({ restored }) =>
  Effect.sync(() => {
    const seen: Array<number> = Option.match(restored, { onNone: () => [], onSome: (state) => [...state.seen] })
    const write = ({ id, millis }: { readonly id: number; readonly millis: number }) =>
      Effect.gen(function*() {
        if (cancelled.has(id)) again.push(id)
        seen.push(id)
        if (millis > 0) yield* Effect.sleep(millis)
        return [...seen]
      })
    return {
      handlers: { Write: write, Stamp: write, Try: write },
      snapshot: () => ({ seen })
    }
  })
)

const eager = Supervision.oneForOne({ maxRestarts: Number.POSITIVE_INFINITY, maxConsecutive: 50 })
const patient = Supervision.oneForOne({ maxRestarts: Number.POSITIVE_INFINITY, maxConsecutive: 50, backoff: () => 15 })

export const endings = Effect.gen(function*() {
  const { choose, struck, violated } = yield* Simulation
  const system = yield* ActorSystem
  let id = 0
  /** By actor: what it was ended over since nobody waited for it any more. */
  const tried = new Map<string, number>()
  cancelled.clear()
  again.length = 0
  yield* Effect.forkChild(
    Stream.runForEach(system.events, (event) =>
      Effect.sync(() => {
        if (event._tag === "Died" && event.death.kind === "Cancelled") cancelled.add(tried.get(event.actor) ?? 0)
      })),
    { startImmediately: true }
  )
  /** One life of an actor: what it was asked, in order, and what it answered. */
  const life = (name: string, number: number) =>
    Effect.gen(function*() {
      const mailbox = one([1024, 2, 1], choose, "mailbox")
      const log = yield* system.spawn(Log, {
        name,
        config: { life: number },
        supervision: one([eager, patient], choose, "supervision"),
        mailbox,
        grace: one([100, 0, 5], choose, "grace")
      })
      const watching = yield* Effect.forkChild(system.watch(log), { startImmediately: true })
      const asked: Array<Fiber.Fiber<void>> = []
      let longest: ReadonlyArray<number> = []
      const sent = new Set<number>()
      const outside = new Set<number>()
      tried.delete(name)
      for (let message = choose(12, "messages"); message >= 0; message--) {
        const it = ++id
        sent.add(it)
        const millis = one([0, 0, 1, 30, 400], choose, "how long")
        const drawn = one(["ask", "ask", "tell", "give up", "soon", "if room", "once", "try"] as const, choose, "way")
        // One in a life, so that it is known which one an incarnation was ended over.
        const way = drawn === "try" && tried.has(name) ? "ask" : drawn
        if (way === "try") tried.set(name, it)
        const write = way === "tell"
          ? Effect.as(log.tell.Write({ id: it, millis }), [])
          : way === "once"
          ? log.Stamp({ id: it, millis })
          : way === "try"
          ? log.Try({ id: it, millis })
          : way === "soon"
          ? log.Write({ id: it, millis }, { deadline: "20 millis" })
          : way === "if room"
          ? log.Write({ id: it, millis }, { whenFull: "fail" })
          : log.Write({ id: it, millis })
        const began = yield* Clock.currentTimeMillis
        const judged = Effect.flatMap(Effect.exit(write), (exit) =>
          Effect.map(Clock.currentTimeMillis, (now) => {
            // A deadline comes when it comes, a pause apart.
            if (way === "soon" && now - began > 25 && struck("pause") === 0) {
              violated(`${name}: a deadline of 20 ms took ${now - began}`)
            }
            if (Exit.isSuccess(exit)) {
              const seen: ReadonlyArray<number> = exit.value
              if (way === "tell") return
              if (seen.at(-1) !== it) violated(`${name}: the answer to ${it} is of ${seen.at(-1)}`)
              if (new Set(seen).size !== seen.length) violated(`${name} has seen something twice: ${seen}`)
              if (seen.some((one) => !sent.has(one))) violated(`${name} has seen what it was not sent: ${seen}`)
              if (seen.some((one) => outside.has(one))) violated(`${name} has seen what was not let in: ${seen}`)
              const [shorter, longer] = seen.length < longest.length ? [seen, longest] : [longest, seen]
              if (shorter.some((one, index) => longer[index] !== one)) {
                violated(`${name} forgot: ${shorter}, then ${longer}`)
              }
              longest = longer
              return
            }
            const reason = exit.cause.reasons[0]
            const tag = reason?._tag === "Fail" ? reason.error._tag : reason?._tag ?? "nothing"
            const allowed = [
              "ActorStopped",
              ...(way === "soon"
                ? ["AskTimeout"]
                : way === "if room"
                ? ["MailboxFull"]
                : way === "once"
                ? ["ActorDied"]
                : [])
            ]
            if (tag !== "Interrupt" && !allowed.includes(tag)) violated(`${name}: ${way} ends with ${tag}`)
          }))
        const fiber = yield* Effect.forkChild(judged, { startImmediately: true })
        if (way === "give up" || way === "try") {
          if (choose(2, "give up later") === 1) yield* Effect.sleep(choose(5, "how long"))
          // In one step: it is the last of those that wait, and where they are too many it waits outside.
          yield* Effect.sync(() => {
            const unanswered = Effect.runSync(system.actors).find((actor) => actor.name === name)?.unanswered ?? 0
            if (unanswered > mailbox) outside.add(it)
            fiber.interruptUnsafe()
          })
          yield* Fiber.await(fiber)
        } else asked.push(fiber)
        if (choose(6, "kill") === 5) {
          yield* Effect.ignore(system.kill(name, one(["terminate", "exit", "throw"] as const, choose, "how")))
        }
        if (choose(3, "rest") === 2) yield* Effect.sleep(choose(20, "how long"))
      }
      if (choose(2, "end") === 1) yield* Effect.ignore(system.stop(name))
      else yield* Effect.forEach(asked, (fiber) => Fiber.await(fiber))
      if (longest.some((one) => cancelled.has(one))) violated(`${name} has seen what it gave up: ${longest}`)
      return { asked, watching }
    }).pipe(
      Effect.scoped,
      // After its scope, everybody has been told something.
      Effect.flatMap(({ asked, watching }) =>
        Effect.andThen(Effect.forEach(asked, (fiber) => Fiber.await(fiber)), Fiber.join(watching))
      ),
      Effect.flatMap((ended) =>
        Effect.sync(() => ended._tag === "Stopped" ? undefined : violated(`${name} has failed: ${ended.death.message}`))
      )
    )
  const lives = yield* Effect.forEach(
    [0, 1, 2],
    (index) => Effect.forkChild(Effect.forEach([0, 1, 2], (number) => life(`log/${index}`, number)))
  )
  yield* Effect.forEach(lives, (fiber) => Fiber.join(fiber))
  if (again.length > 0) violated(`what was given up in hand was begun again: ${again}`)
}).pipe(
  Effect.scoped,
  Effect.provide(
    Simulation.layer([LogBehavior], {
      hosts: 2,
      heartbeat: "900 millis",
      startDeadline: "2 seconds",
      askDeadline: "10 minutes"
    })
  )
)
