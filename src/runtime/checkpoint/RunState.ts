/**
 * Everything that decides the future of a run, as it is between two iterations, and how it becomes the bytes of a
 * checkpoint. Each part belongs to the concept that gives and takes it; here they are only put together.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { optimizerOf } from "../../model/optimizers.ts"
import { version as program } from "../../version.ts"
import { type ArrivalsState, ArrivalsStateHead } from "../arrivals/Arrivals.ts"
import { EnvironmentRecord } from "../config/EnvironmentRecord.ts"
import { readOlder } from "../config/olderSettings.ts"
import { presets } from "../config/presets.ts"
import { RunConfig } from "../config/RunConfig.ts"
import { type LearnerState, LearnerStateHead } from "../learning/Learner.ts"
import { MonitorState } from "../monitoring/RunMonitor.ts"
import { optimizerSpecOf } from "../plan/optimizerSpecOf.ts"
import { type ColumnName, isLater, viewsBy } from "../workers/columns.ts"
import { type EnvironmentStates, EnvironmentStatesHead, kept as keptColumns } from "../workers/EnvironmentStates.ts"
import { buildId } from "../workers/hostEntry.ts"
import * as container from "./container.ts"
import { UnreadableCheckpoint } from "./container.ts"

/** The state of a run between two iterations. */
export interface RunState {
  readonly learner: LearnerState
  /** Running statistics for normalization; empty where nothing is normalized. */
  readonly statistics: Float64Array
  readonly environments: EnvironmentStates
  readonly monitor: MonitorState
  /** Whose turn it is; null where all work in step. */
  readonly arrivals: ArrivalsState | null
}

/** What a checkpoint holds. */
export interface Checkpoint {
  readonly state: RunState
  /** All settings; those that came into being after it was written have the values of its preset. */
  readonly config: RunConfig
  /** The build that wrote it. */
  readonly build: string
  /** What the environment was; undefined in one of 0.1.0. */
  readonly environment: EnvironmentRecord | undefined
  /** Lengths of the run folder's files at that point, in bytes. */
  readonly files: Readonly<Record<string, number>>
  /** The arrivals recorded so far, where the clock decides; otherwise empty. */
  readonly recorded: Uint8Array
  /** What a person should know of its settings. */
  readonly notices: ReadonlyArray<string>
}

const Count = Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))

const Head = Schema.Struct({
  build: Schema.String,
  program: Schema.String,
  environment: Schema.optionalKey(EnvironmentRecord),
  config: Schema.Record(Schema.String, Schema.Unknown),
  files: Schema.Record(Schema.String, Count),
  learner: LearnerStateHead,
  environments: EnvironmentStatesHead,
  monitor: MonitorState,
  arrivals: Schema.NullOr(ArrivalsStateHead)
})

/** The file's bytes. */
export const encode = (
  { config, environment, files, recorded, state }: Omit<Checkpoint, "build" | "environment" | "notices"> & {
    readonly environment?: EnvironmentRecord
  }
): Effect.Effect<Uint8Array> => {
  const { arrivals, environments, learner, monitor, statistics } = state
  const { optimizer, parameters } = learner.model
  const head: typeof Head.Type = {
    program,
    build: buildId,
    ...(environment === undefined ? {} : { environment }),
    config,
    files,
    learner: { version: learner.version, consumed: learner.consumed },
    environments: { begun: environments.begun },
    monitor,
    arrivals: arrivals === null ? null : { out: arrivals.out, waiting: arrivals.waiting, position: arrivals.position }
  }
  return container.encode({
    header: head,
    sections: {
      parameters,
      ...Object.fromEntries(Object.entries(optimizer.arrays).map(([name, array]) => [`optimizer.${name}`, array])),
      "optimizer.scalars": Float64Array.from(Object.values(optimizer.scalars)),
      ...(statistics.length > 0 ? { statistics } : {}),
      ...Object.fromEntries(keptColumns.map((name) => [`environments.${name}`, environments[name]])),
      ...(arrivals === null ? {} : { "arrivals.times": arrivals.times, "arrivals.random": arrivals.random }),
      recorded
    }
  })
}

/** Sections that had another name before. */
const namesBefore: Readonly<Record<string, string>> = { "optimizer.scalars": "optimizer.products" }

const decodeHead = Schema.decodeUnknownEffect(Head)
const decodeConfig = Schema.decodeUnknownEffect(RunConfig)

const isPreset = (name: unknown): name is keyof typeof presets =>
  typeof name === "string" && Object.hasOwn(presets, name)

/** Settings as a file holds them: whole, or from before some of them came into being. */
export const settingsOf = (saved: Readonly<Record<string, unknown>>) => {
  const { notices, settings } = readOlder(saved)
  const preset = settings["preset"]
  return Effect.map(
    decodeConfig({ ...presets[isPreset(preset) ? preset : "a2c"], workers: 1, ...settings }),
    (config) => ({ config, notices })
  )
}

/** Reads a checkpoint. */
export const decode = Effect.fnUntraced(function*(bytes: Uint8Array) {
  const refuse = (reason: string) => new UnreadableCheckpoint({ reason })
  const { header, sections } = yield* container.decode(bytes)
  const head = yield* Effect.mapError(decodeHead(header), () => refuse("its header is not one of this program's"))
  const { config, notices } = yield* Effect.mapError(
    settingsOf(head.config),
    () => refuse("its settings are not those of this program's version")
  )
  let missing: string | undefined
  const section = <N extends container.Numbers>(name: string, kind: new(length: number) => N): N => {
    const numbers = sections[name] ?? sections[namesBefore[name] ?? ""] ??
      // Up to 0.1.0 the optimizer's sections were spelled otherwise.
      sections[(namesBefore[name] ?? name).replace("optimizer.", "optimiser.")]
    if (numbers instanceof kind) return numbers
    missing ??= name
    return new kind(0)
  }
  /** As `section`; empty where it may be missing. */
  const column = <N extends container.Numbers>(name: ColumnName, kind: new(length: number) => N): N =>
    isLater(name) && sections[`environments.${name}`] === undefined
      ? new kind(0)
      : section(`environments.${name}`, kind)
  const optimizer = optimizerOf(optimizerSpecOf(config))
  const scalars = section("optimizer.scalars", Float64Array)
  const checkpoint: Checkpoint = {
    build: head.build,
    environment: head.environment,
    config,
    notices,
    files: head.files,
    recorded: section("recorded", Uint8Array),
    state: {
      learner: {
        ...head.learner,
        model: {
          parameters: section("parameters", Float32Array),
          optimizer: {
            arrays: Object.fromEntries(
              optimizer.arrays.map((name) => [name, section(`optimizer.${name}`, Float32Array)])
            ),
            scalars: Object.fromEntries(
              Object.keys(optimizer.scalars).map((name, k) => [name, scalars[k] ?? Number.NaN])
            )
          }
        }
      },
      statistics: sections["statistics"] === undefined ? new Float64Array(0) : section("statistics", Float64Array),
      environments: {
        ...head.environments,
        ...viewsBy("state", column),
        ...viewsBy("pulled", column)
      },
      monitor: head.monitor,
      arrivals: head.arrivals === null ? null : {
        ...head.arrivals,
        times: section("arrivals.times", Float64Array),
        random: section("arrivals.random", Uint32Array)
      }
    }
  }
  if (missing !== undefined) return yield* refuse(`it has no section "${missing}"`)
  if (Object.values(checkpoint.state.learner.model.optimizer.scalars).some(Number.isNaN)) {
    return yield* refuse("its optimizer is not readable")
  }
  return checkpoint
})
