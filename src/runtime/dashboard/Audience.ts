/**
 * Those who look at a board: each has a page that is told everything once, and then what is new, a frame at a time, as
 * server-sent events. Nobody is waited for: whoever does not read what is sent is dropped, and may come again.
 */
import type * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { untilDeadline } from "../../time/deadline.ts"
import type { Board } from "./Board.ts"
import type { Message } from "./Message.ts"

/** Frames that may lie unread for somebody: some seconds of them, and so many bytes beside the first. */
const mostFrames = 64
const mostBytes = 4 * 1024 * 1024

/** Milliseconds that the last words may take. */
const lastWords = 300

/** Frames without a word, so that a connection whose other end is gone is noticed. Ticks between two of them. */
const silence = 40

interface Listener {
  readonly frames: Queue.Queue<Uint8Array, Cause.Done>
  waiting: number
  readonly drop: () => void
}

export interface Audience {
  /**
   * The frames for one more who looks. `drop` ends the connection at once, whatever lies in it.
   */
  readonly join: (drop: () => void) => Stream.Stream<Uint8Array>
  /** How many look. */
  readonly size: () => number
  /** Tells all what is left, and that it is over: to be run before the server goes. */
  readonly end: Effect.Effect<void>
}

const encoder = new TextEncoder()
const frame = (messages: ReadonlyArray<Message>): Uint8Array => encoder.encode(`data: ${JSON.stringify(messages)}\n\n`)
const nothing = encoder.encode(":\n\n")

/**
 * Tells what is new every so many milliseconds, and `refresh` is run before that, while somebody looks. `notice` hears of
 * whoever was dropped.
 */
export const make = Effect.fnUntraced(function*(
  board: Board,
  { millis, notice, refresh }: {
    readonly millis: number
    readonly refresh: Effect.Effect<void>
    readonly notice: (message: string) => Effect.Effect<void>
  }
): Effect.fn.Return<Audience, never, Scope.Scope> {
  const listeners = new Set<Listener>()
  let dropped = 0

  const send = (bytes: Uint8Array): void => {
    for (const listener of listeners) {
      const fits = listener.waiting + bytes.length <= mostBytes && Queue.offerUnsafe(listener.frames, bytes)
      if (fits) {
        listener.waiting += bytes.length
        continue
      }
      leave(listener)
      dropped++
      listener.drop()
    }
  }
  const leave = (listener: Listener): void => {
    listeners.delete(listener)
    board.watched = listeners.size > 0
  }
  const tellNews = (): boolean => {
    const news = board.drain()
    if (news.length > 0) send(frame(news))
    return news.length > 0
  }

  let told = 0
  let ticks = 0
  const tick = Effect.gen(function*() {
    if (listeners.size > 0) {
      yield* refresh
      if (!tellNews() && ++ticks % silence === 0) send(nothing)
    }
    // Once is enough: who does not read would fill the log.
    if (dropped > told) {
      if (told === 0) yield* notice("A page of the dashboard did not read what it was sent, and was dropped.")
      told = dropped
    }
  })
  yield* Effect.forkScoped(Effect.forever(Effect.andThen(Effect.sleep(millis), tick)))

  const end = Effect.gen(function*() {
    if (listeners.size === 0) return
    yield* refresh
    board.tell({ is: "bye" })
    tellNews()
    for (const { frames } of listeners) Queue.endUnsafe(frames)
    const all = Effect.gen(function*() {
      while (listeners.size > 0) yield* Effect.sleep(5)
    })
    yield* Effect.raceFirst(all, untilDeadline(lastWords))
  })

  return {
    size: () => listeners.size,
    end,
    join: (drop) =>
      Stream.unwrap(Effect.gen(function*() {
        const frames = yield* Queue.dropping<Uint8Array, Cause.Done>(mostFrames)
        // The others are told first what is new: for this one it is part of everything.
        tellNews()
        const listener: Listener = { frames, waiting: 0, drop }
        listeners.add(listener)
        board.watched = true
        const everything = frame(board.everything)
        Queue.offerUnsafe(frames, everything)
        return Stream.fromQueue(frames).pipe(
          Stream.tap((bytes) =>
            Effect.sync(() => {
              if (bytes !== everything) listener.waiting -= bytes.length
            })
          ),
          Stream.ensuring(Effect.sync(() => leave(listener)))
        )
      }))
  }
})
