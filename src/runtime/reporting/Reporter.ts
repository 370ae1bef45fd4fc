/**
 * A reporter reads a run's events and tells somebody: a file, a terminal, TensorBoard. It is made inside a scope that
 * owns what it opened; closing the scope, for whatever reason, writes out what it still holds. Several reporters read
 * one stream, in order and a chunk at a time, so that a reporter costs a function call and a few pushes per event.
 */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { RunEvent } from "../monitoring/RunEvent.ts"
import type { ReportFault } from "./ReportFault.ts"

export interface Reporter {
  /** Takes the next events of the run, in order. Fails when they, or earlier ones still held, could not be written. */
  readonly on: (events: ReadonlyArray<RunEvent>) => Effect.Effect<void, ReportFault>
}

/** A reporter that appends to one file of the run's folder: how far it has come is part of a checkpoint. */
export interface FileReporter extends Reporter {
  /** The file's name in the folder. */
  readonly name: string
  /** Writes what is held. */
  readonly flush: Effect.Effect<void, ReportFault>
  /** Bytes written. */
  readonly length: () => number
  /** Forces them to the disk. */
  readonly sync: Effect.Effect<void, ReportFault>
}

/** Several reporters as one; each chunk goes to each in the order given. */
export const all = (reporters: ReadonlyArray<Reporter>): Reporter => ({
  on: (events) => Effect.forEach(reporters, (reporter) => reporter.on(events), { discard: true })
})

/** Lets the reporters read a run to its end. What they hold after an interruption is written when their scope closes. */
export const consume = <E, R>(
  events: Stream.Stream<RunEvent, E, R>,
  reporters: ReadonlyArray<Reporter>
): Effect.Effect<void, E | ReportFault, R> => Stream.runForEachArray(events, all(reporters).on)
