/** Deadlines by the time in which a program ran: who was kept from being punctual by a pause gets a fresh period. */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { runningTime, type Time } from "./runningTime.ts"

/** Calls `late` after so many milliseconds, and after a fresh period where the program did not run meanwhile. */
export const deadline = (time: Time, millis: number, late: () => void): () => void => {
  let callOff = (): void => {}
  const wait = (): void => {
    callOff = time.after(millis, (paused) => paused ? wait() : late())
  }
  wait()
  return () => callOff()
}

/** The clock of this thread, as Effect has it where nobody has put another in its place. */
const real = Context.get(Context.empty(), Clock.Clock)

/** Completes when the deadline has come; by the program's own clock where it has put one in place (`TestClock`). */
export const untilDeadline = (millis: number): Effect.Effect<void> =>
  Effect.clockWith((clock) =>
    clock === real
      ? Effect.callback<void>((resume) => Effect.sync(deadline(runningTime, millis, () => resume(Effect.void))))
      : Effect.sleep(millis)
  )

/** What takes longer than so many milliseconds is interrupted, and `orElse` takes its place. */
export const withDeadline = <A2, E2, R2>(millis: number, orElse: () => Effect.Effect<A2, E2, R2>) =>
<A, E, R>(
  effect: Effect.Effect<A, E, R>
): Effect.Effect<A | A2, E | E2, R | R2> => Effect.raceFirst(effect, Effect.flatMap(untilDeadline(millis), orElse))
