/**
 * Who wants to know what the actors of a running program do asks it: `npm start -- ps`, or a program of one's own. The
 * program listens at a socket that only its owner may open; whoever connects gets one snapshot, and nothing that he says is
 * read. While nobody asks it costs nothing.
 *
 * ```ts
 * program.pipe(Effect.provide(Inspection.layer({ what: "counters" })), Effect.provide(ActorSystem.layerThread({ entry })))
 * ```
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as net from "node:net"
import { plainLine } from "../../text/plainLine.ts"
import { withDeadline } from "../../time/deadline.ts"
import { ActorSystem } from "../ActorSystem.ts"
import type { ActorInfo } from "../owner/System.ts"
import * as meetingPlace from "./meetingPlace.ts"
import { type Program, type Snapshot, SnapshotFromJson, snapshotOf } from "./Snapshot.ts"

export type { ActorLine, Program, Snapshot } from "./Snapshot.ts"

/** So many may ask at a time; a millisecond later there is room again. */
const mostConnections = 16
/** Milliseconds until who does not read, or does not answer, is given up. */
const patience = 2_000
/** Bytes of a snapshot that are read: some 100,000 actors. */
const mostBytes = 64 * 1024 * 1024

let serial = 0

/**
 * Answers whoever asks, until the scope closes. A program that cannot listen runs on all the same: a sentence in the log at
 * level `Debug` says why.
 */
export const serve = (
  program: Program,
  actors: Effect.Effect<ReadonlyArray<ActorInfo>>
): Effect.Effect<void, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.callback<{ readonly server: net.Server; readonly at: string } | undefined>((resume) => {
      const cannot = (error: unknown): void =>
        resume(Effect.as(
          Effect.logDebug(`Nobody can ask for the actors of this program: ${plainLine(String(error))}`),
          undefined
        ))
      const server = net.createServer((socket) => {
        socket.unref()
        socket.on("error", () => {})
        socket.setTimeout(patience, () => socket.destroy())
        // Whatever is said to us is not listened to.
        socket.resume()
        socket.end(JSON.stringify(snapshotOf(program, Effect.runSync(actors))))
      })
      server.maxConnections = mostConnections
      const listen = (tries: number): void => {
        try {
          // A number of its own for each try: somebody who had ours may have died here.
          const at = meetingPlace.address(serial++)
          server.once("error", (error) => tries > 1 ? listen(tries - 1) : cannot(error))
          server.listen(at, () => {
            // It keeps nobody running.
            server.unref()
            resume(Effect.succeed({ server, at }))
          })
        } catch (error) {
          cannot(error)
        }
      }
      // The last program that ended may have taken the folder with it just now.
      listen(5)
    }),
    (listening) =>
      Effect.sync(() => {
        if (listening === undefined) return
        listening.server.close()
        meetingPlace.remove(listening.at)
      })
  ).pipe(Effect.asVoid)

/** As `serve`, for the actors of the system in context. */
export const layer = (
  { folder = null, what }: { readonly what: string; readonly folder?: string | null }
): Layer.Layer<never, never, ActorSystem> =>
  Layer.effectDiscard(Effect.flatMap(ActorSystem, ({ actors }) => serve({ what, folder }, actors)))

/** A program that does not answer, or the folder of sockets, which is not to be trusted. */
export class InspectionFault extends Schema.TaggedError<InspectionFault>()("InspectionFault", {
  message: Schema.String
}) {}

const faultOf = (message: string): InspectionFault => new InspectionFault({ message: plainLine(message) })

/** What the program at an address says; none where nobody is there any more. */
const ask = (at: string): Effect.Effect<Option.Option<Snapshot>, InspectionFault> =>
  Effect.callback<Option.Option<string>, InspectionFault>((resume) => {
    const socket = net.connect(at)
    const parts: Array<Buffer> = []
    let bytes = 0
    socket.on("data", (part) => {
      parts.push(part)
      bytes += part.length
      if (bytes > mostBytes) {
        resume(
          Effect.fail(faultOf(`What listens at ${at} says more than ${mostBytes} bytes: it is no program of ours.`))
        )
        socket.destroy()
      }
    })
    socket.on("end", () => resume(Effect.succeed(Option.some(Buffer.concat(parts).toString("utf8")))))
    socket.on("error", (error) => {
      if (meetingPlace.isDead(at)) {
        meetingPlace.remove(at)
        return resume(Effect.succeed(Option.none()))
      }
      const gone = "code" in error && (error.code === "ENOENT" || error.code === "ECONNREFUSED")
      resume(gone ? Effect.succeed(Option.none()) : Effect.fail(faultOf(`${at} cannot be asked: ${error.message}.`)))
    })
    return Effect.sync(() => socket.destroy())
  }).pipe(
    withDeadline(
      patience,
      () => Effect.fail(faultOf(`The program at ${at} does not answer: it is stopped, or computes without a pause.`))
    ),
    Effect.flatMap(Option.match({
      onNone: () => Effect.succeedNone,
      onSome: (text) =>
        Schema.decodeUnknownEffect(SnapshotFromJson)(text).pipe(
          Effect.mapBoth({
            onFailure: () => faultOf(`What listens at ${at} is of another version: ask with that version's ps.`),
            onSuccess: Option.some
          })
        )
    }))
  )

/** A program that was asked: what it said, or why it said nothing. */
export type Answer = Snapshot | InspectionFault

/** Asks every program of this user that runs now, in the order of their process ids. */
export const programs: Effect.Effect<ReadonlyArray<Answer>, InspectionFault> = Effect.gen(function*() {
  const addresses = yield* Effect.try({
    try: () => meetingPlace.addresses(),
    catch: (error) => faultOf(`The programs cannot be found: ${error instanceof Error ? error.message : error}.`)
  })
  const answers = yield* Effect.forEach(
    addresses,
    (at) =>
      Effect.catch(
        Effect.map(ask(at), (found): Option.Option<Answer> => found),
        (fault) => Effect.succeedSome<Answer>(fault)
      ),
    { concurrency: mostConnections }
  )
  return answers.flatMap((answer) => Option.isSome(answer) ? [answer.value] : [])
})
