/** Asks again and again until the answer is as it should be, for some seconds at most. */
import { Effect } from "effect"

export const until = <A, E, R>(ask: Effect.Effect<A, E, R>, so: (answer: A) => boolean) =>
  Effect.gen(function*() {
    for (;;) {
      const answer = yield* ask
      if (so(answer)) return answer
      yield* Effect.sleep(2)
    }
  }).pipe(Effect.timeout("20 seconds"))
