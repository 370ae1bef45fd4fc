/**
 * The recording of an asynchronous run, `arrivals.bin` in its run folder: in which order the pieces of work arrived, and
 * how old each was. With the settings it was recorded with, and those are in it, it is the run.
 *
 *     "troupe arrivals 1\n"    the format and its version
 *     JSON "\n"                the settings that decide the run, and what its environment was
 *     varint pairs             environment, staleness; one pair an arrival, in order
 *     32 bytes                 SHA-256 of everything before
 *
 * A varint has seven bits a byte, the lowest first, the top bit set where more follow: two bytes an arrival, usually.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { createHash } from "node:crypto"
import { fromJson } from "../../text/json.ts"
import { EnvironmentRecord } from "../config/EnvironmentRecord.ts"
import { readOlder } from "../config/olderSettings.ts"
import { type OptionName, optionNames, RunConfig } from "../config/RunConfig.ts"

/** A recording that cannot be replayed: why. */
export class RecordingError extends Schema.TaggedError<RecordingError>()("RecordingError", {
  message: Schema.String
}) {}

const head = "troupe arrivals 1\n"
const digestBytes = 32

/** Settings that say where and how a run runs, not what it computes. */
const circumstances: ReadonlySet<OptionName> = new Set([
  "envsPerWorker",
  "workers",
  "placement",
  "runners",
  "runnerSecretFile",
  "runnerCa",
  "runnerLease",
  "runnerDeadline",
  "workerMemory",
  "localWorker",
  "maxRestarts",
  "loadDeadline",
  "collectDeadline",
  "chaos",
  "logDir",
  "runFolder",
  "logInterval",
  "checkpointInterval",
  "keepCheckpoints"
])

/** The settings that decide what a run computes. */
export const decisive: ReadonlyArray<OptionName> = optionNames.filter((name) => !circumstances.has(name))

const headerOf = (config: RunConfig, environment: EnvironmentRecord | undefined): Uint8Array => {
  const settings = Object.fromEntries(decisive.map((name) => [name, config[name]]))
  return new TextEncoder().encode(`${head}${JSON.stringify({ ...settings, environment })}\n`)
}

/** What a recording holds. */
export interface Recording {
  /** The settings that decided the run; the others have the values of `config`. */
  readonly config: RunConfig
  /** What the environment was; undefined in one of 0.1.0. */
  readonly environment: EnvironmentRecord | undefined
  readonly environments: Uint32Array
  readonly staleness: Uint32Array
  /** What a person should know of it. */
  readonly notices: ReadonlyArray<string>
}

/** Writes arrivals down as they happen; a few bytes each, in memory until the run ends. */
export class Recorder {
  private bytes = new Uint8Array(4096)
  private used = 0

  /** `arrivals` are those before the run was resumed, as `arrivals` gave them. */
  constructor(arrivals?: Uint8Array) {
    if (arrivals === undefined || arrivals.length === 0) return
    this.bytes = arrivals.slice()
    this.used = arrivals.length
  }

  /** A copy of the arrivals so far, as the file holds them. */
  get arrivals(): Uint8Array {
    return this.bytes.slice(0, this.used)
  }

  write(environment: number, staleness: number): void {
    if (this.used + 10 > this.bytes.length) {
      const larger = new Uint8Array(this.bytes.length * 2 + 10)
      larger.set(this.bytes)
      this.bytes = larger
    }
    this.varint(environment)
    this.varint(staleness)
  }

  private varint(value: number): void {
    let rest = value
    while (rest >= 0x80) {
      this.bytes[this.used++] = (rest & 0x7f) | 0x80
      rest >>>= 7
    }
    this.bytes[this.used++] = rest
  }

  /** The whole file as it would be if the run ended now. */
  toBytes(config: RunConfig, environment?: EnvironmentRecord): Uint8Array {
    const body = Buffer.concat([headerOf(config, environment), this.bytes.subarray(0, this.used)])
    return Buffer.concat([body, createHash("sha256").update(body).digest()])
  }
}

const decodeConfig = Schema.decodeUnknownEffect(RunConfig)

/**
 * Reads a recording. `where` names it in messages; `config` gives the settings that a recording leaves open (workers,
 * placement, folders).
 */
export const read = Effect.fnUntraced(function*(bytes: Uint8Array, where: string, config: RunConfig) {
  const refuse = (why: string) => new RecordingError({ message: `${where} cannot be replayed: ${why}.` })
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (!text.subarray(0, head.length).equals(Buffer.from(head))) {
    return yield* refuse("it is not a recording of this program's version")
  }
  const end = bytes.length - digestBytes
  const line = text.indexOf("\n", head.length)
  const whole = end > line && line > 0 &&
    createHash("sha256").update(text.subarray(0, end)).digest().equals(text.subarray(end))
  if (!whole) return yield* refuse("it is cut off or was changed after it was written")
  const recorded = yield* Effect.mapError(
    Schema.decodeUnknownEffect(fromJson(Schema.Record(Schema.String, Schema.Unknown)))(
      text.subarray(head.length, line).toString()
    ),
    () => refuse("its settings are not readable")
  )
  const older = readOlder(recorded)
  const settings = yield* Effect.mapError(
    decodeConfig({ ...config, ...older.settings }),
    () => refuse("its settings are not those of this program's version")
  )
  const numbers: Array<number> = []
  let value = 0
  let weight = 1
  for (let at = line + 1; at < end; at++) {
    const byte = bytes[at]!
    value += (byte & 0x7f) * weight
    weight *= 128
    if (byte < 0x80) {
      numbers.push(value)
      value = 0
      weight = 1
    }
  }
  if (weight !== 1 || numbers.length % 2 !== 0) return yield* refuse("its last arrival is cut off")
  const recording: Recording = {
    config: settings,
    environment: Option.getOrUndefined(Schema.decodeUnknownOption(EnvironmentRecord)(recorded["environment"])),
    environments: Uint32Array.from(numbers.filter((_, i) => i % 2 === 0)),
    staleness: Uint32Array.from(numbers.filter((_, i) => i % 2 === 1)),
    notices: older.notices
  }
  return recording
})

/** The first setting in which a run differs from the recording it is to repeat. */
export const firstDifference = (recorded: RunConfig, wanted: RunConfig): OptionName | undefined =>
  decisive.find((name) => JSON.stringify(recorded[name]) !== JSON.stringify(wanted[name]))
