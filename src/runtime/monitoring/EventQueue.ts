/**
 * The events of a run on their way to those who read them. What is said is theirs at once; a run that is ahead of its
 * readers waits, and only that wait can be interrupted: no event is lost or told twice by an interruption.
 */
import type * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Latch from "effect/Latch"
import * as Queue from "effect/Queue"
import * as Stream from "effect/Stream"
import type { RunEvent } from "./RunEvent.ts"

export interface EventQueue {
  readonly emit: (event: RunEvent) => Effect.Effect<void>
  /** No more events will come. */
  readonly end: Effect.Effect<void>
  /** For one reader, which gets all that is there at a time. */
  readonly stream: Stream.Stream<RunEvent>
}

/** A run may be this many events ahead before it waits. */
const capacity = 1024

export const make: Effect.Effect<EventQueue> = Effect.gen(function*() {
  const queue = yield* Queue.unbounded<RunEvent, Cause.Done>()
  const room = yield* Latch.make(true)
  return {
    emit: (event) =>
      Effect.suspend(() => {
        Queue.offerUnsafe(queue, event)
        if (Queue.sizeUnsafe(queue) < capacity) return Effect.void
        room.closeUnsafe()
        return Effect.interruptible(room.await)
      }),
    end: Effect.asVoid(Queue.end(queue)),
    stream: Stream.fromPull(
      Effect.succeed(Effect.tap(Queue.takeAll(queue), () => Effect.sync(() => room.openUnsafe())))
    )
  }
})
