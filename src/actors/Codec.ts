/**
 * How a value crosses the border between two threads: its schema's JSON codec, compiled once per definition.
 *
 * What passes untouched (shared memory, typed arrays) says so in its own schema (`Shared`, Effect's `Transferable`).
 * Both directions check the value, so that a misfit is found on the side that made it, before it is sent.
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Schema from "effect/Schema"
import * as Transferable from "effect/workers/Transferable"

/** A failure is the reason, as text for people. */
export type Coded = Exit.Exit<unknown, Schema.SchemaError>

export interface Codec {
  readonly encode: (value: unknown) => Coded
  /** As `encode`, and notes in `moved` what may leave this thread for good (buffers marked `Transferable`). */
  readonly encodeMoving: (value: unknown, moved: Transferable.Collector["Service"]) => Coded
  readonly decode: (value: unknown) => Coded
}

/** A schema that needs no services, neither to encode nor to decode. */
export type Plain = Schema.Codec<unknown, unknown>

const finished = (coding: Effect.Effect<unknown, Schema.SchemaError>): coding is Coded => Exit.isExit(coding)

/** Compiles on first use: a thread pays only for the methods that it is asked. */
export const make = (schema: Plain): Codec => {
  let encoder: ((value: unknown) => Effect.Effect<unknown, Schema.SchemaError>) | undefined
  let decoder: ((value: unknown) => Coded) | undefined
  const encode = (value: unknown) => (encoder ??= Schema.encodeUnknownEffect(Schema.toCodecJson(schema)))(value)
  return {
    encode: (value) => {
      const encoding = encode(value)
      return finished(encoding) ? encoding : Effect.runSyncExit(encoding)
    },
    encodeMoving: (value, moved) => {
      const encoding = encode(value)
      return finished(encoding)
        ? encoding
        : Effect.runSyncExit(Effect.provideService(encoding, Transferable.Collector, moved))
    },
    decode: (value) => (decoder ??= Schema.decodeUnknownExit(Schema.toCodecJson(schema)))(value)
  }
}

/** Why a value was refused, on one line: what is wrong and where. */
export const reason = (coded: Exit.Failure<unknown, Schema.SchemaError>): string => {
  for (const failure of coded.cause.reasons) {
    if (failure._tag === "Fail") {
      return failure.error.message.replaceAll("\n  at ", " at ").replaceAll("\n", "; ")
    }
    if (failure._tag === "Die") return String(failure.defect)
  }
  return "interrupted"
}
