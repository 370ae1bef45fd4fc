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
import * as plainCodec from "./plainCodec.ts"
import { type Convert, unsure } from "./plainCodec.ts"

/** A failure is the reason, as text for people. */
export type Coded = Exit.Exit<unknown, Schema.SchemaError>

export interface Codec {
  readonly encode: (value: unknown) => Coded
  /** As `encode`, and notes in `moved` what may leave this thread for good (buffers marked `Transferable`). */
  readonly encodeMoving: (value: unknown, moved: Transferable.Collector["Service"]) => Coded
  readonly decode: (value: unknown) => Coded
  /** Why `encode` would refuse a value, on one line; `undefined` where it would not. Nothing is copied where that can be. */
  readonly misfit: (value: unknown) => string | undefined
  /** Whether what is encoded, and what is decoded, shares nothing with what it was made from. */
  readonly copies: boolean
}

/** A schema that needs no services, neither to encode nor to decode. */
export type Plain = Schema.Codec<unknown, unknown>

const finished = (coding: Effect.Effect<unknown, Schema.SchemaError>): coding is Coded => Exit.isExit(coding)

/** Compiles on first use: a thread pays only for the methods that it is asked. */
export const make = (schema: Plain): Codec => {
  let ways: Ways | undefined
  return {
    encode: (value) => {
      ways ??= compile(schema)
      const quick = attempt(ways.quickEncode, value)
      if (quick !== unsure) return Exit.succeed(quick)
      const encoding = ways.encode(value)
      return finished(encoding) ? encoding : Effect.runSyncExit(encoding)
    },
    encodeMoving: (value, moved) => {
      ways ??= compile(schema)
      const quick = attempt(ways.quickEncode, value)
      if (quick !== unsure) return Exit.succeed(quick)
      const encoding = ways.encode(value)
      return finished(encoding)
        ? encoding
        : Effect.runSyncExit(Effect.provideService(encoding, Transferable.Collector, moved))
    },
    decode: (value) => {
      ways ??= compile(schema)
      const quick = attempt(ways.quickDecode, value)
      return quick === unsure ? ways.decode(value) : Exit.succeed(quick)
    },
    misfit: (value) => {
      ways ??= compile(schema)
      if (accepted(ways.accepts, value)) return undefined
      const encoding = ways.encode(value)
      const encoded = finished(encoding) ? encoding : Effect.runSyncExit(encoding)
      return Exit.isSuccess(encoded) ? undefined : reason(encoded)
    },
    get copies() {
      ways ??= compile(schema)
      return ways.quickEncode !== undefined
    }
  }
}

/** The schema's own ways, and the quick ones where there are some. */
interface Ways {
  readonly quickEncode: Convert | undefined
  readonly quickDecode: Convert | undefined
  /** Whether `quickEncode` would be sure. */
  readonly accepts: ((value: unknown) => boolean) | undefined
  readonly encode: (value: unknown) => Effect.Effect<unknown, Schema.SchemaError>
  readonly decode: (value: unknown) => Coded
}

const compile = (schema: Plain): Ways => {
  const json = Schema.toCodecJson(schema)
  const ways = { encode: Schema.encodeUnknownEffect(json), decode: Schema.decodeUnknownExit(json) }
  // What a method without payload or reply has.
  if (schema.ast === Schema.Void.ast) {
    return {
      ...ways,
      quickEncode: (value) => value === undefined ? null : unsure,
      quickDecode: (value) => value === null ? undefined : unsure,
      accepts: (value) => value === undefined
    }
  }
  const quick = plainCodec.compile(json.ast)
  return { ...ways, quickEncode: quick?.convert, quickDecode: quick?.convert, accepts: quick?.accepts }
}

const accepted = (accepts: ((value: unknown) => boolean) | undefined, value: unknown): boolean => {
  if (accepts === undefined) return false
  try {
    return accepts(value)
  } catch {
    // As below.
    return false
  }
}

const attempt = (convert: Convert | undefined, value: unknown): unknown => {
  if (convert === undefined) return unsure
  try {
    return convert(value)
  } catch {
    // A getter that throws: the schema says so in its own way.
    return unsure
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
