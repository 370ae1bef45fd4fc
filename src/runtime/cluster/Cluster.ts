/**
 * What programs of several machines know together, in a database: which runners there are, who trains a run, and the term of
 * that.
 *
 * Effect Cluster keeps it: its `RunnerStorage` has a row for each runner, which counts as long as it is written anew (by the
 * database's own clock), and locks that a program holds for as long as it asks for them again. That is what Effect Cluster's
 * `Singleton` stands on; it is asked for directly, since the rest of that, messages between runners over a socket that knows
 * no secret, is not wanted here. Programs meet in the database alone.
 *
 * Who trains is whoever has the lock. But a program that was stopped for a while may believe that it has it still. So each
 * trainer takes a term, a number that only grows, and whoever obeys a trainer looks at that: runners, and the run's folder.
 */
import * as Cause from "effect/Cause"
import * as Runner from "effect/cluster/Runner"
import * as RunnerAddress from "effect/cluster/RunnerAddress"
import { RunnerStorage } from "effect/cluster/RunnerStorage"
import * as ShardId from "effect/cluster/ShardId"
import * as ShardingConfig from "effect/cluster/ShardingConfig"
import * as SqlRunnerStorage from "effect/cluster/SqlRunnerStorage"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import { SqlClient } from "effect/sql/SqlClient"
import { randomUUID } from "node:crypto"
import { hostname } from "node:os"
import type { RunnerAddress as Address } from "../../actors/links/RunnerDirectory.ts"
import { plainLine, thrownText } from "../../text/plainLine.ts"
import * as sqliteClient from "./sqliteClient.ts"

/** The database cannot be used. */
export class ClusterFault extends Schema.TaggedError<ClusterFault>()("ClusterFault", {
  cluster: Schema.String,
  reason: Schema.String
}) {
  override get message(): string {
    return `The cluster ${plainLine(this.cluster, 200)} cannot be used: ${plainLine(this.reason, 300)}.`
  }
}

/** This program trains no longer. */
export class TrainerReplaced extends Schema.TaggedError<TrainerReplaced>()("TrainerReplaced", {
  run: Schema.String,
  term: Schema.Int
}) {
  override get message(): string {
    return `This trainer's term ${this.term} of the run ${
      plainLine(this.run, 80)
    } is over: it was not heard of in time, and another ` +
      "may have taken its place."
  }
}

/** Seconds without a sign of life after which a runner or a trainer is taken for gone; whole ones, as the database counts. */
const expiration = 2
/** Milliseconds between two signs of life, and two looks. */
const beat = 500

/** A program that trains a run. */
export interface Elected {
  readonly term: number
  /** Where a trainer before has put the run; null where there was none. */
  readonly folder: string | null
  /** What the run came to, where it is over. */
  readonly outcome: string | null
  /** Fails when this is the trainer no longer. */
  readonly lost: Effect.Effect<never, TrainerReplaced>
  /** Where the run is, for whoever comes after. */
  readonly keep: (folder: string) => Effect.Effect<void, ClusterFault>
  /** The run is over. */
  readonly end: (outcome: string) => Effect.Effect<void, ClusterFault>
}

const Row = Schema.Struct({
  term: Schema.Int,
  folder: Schema.NullOr(Schema.String),
  outcome: Schema.NullOr(Schema.String)
})
const decodeRows = Schema.decodeUnknownEffect(Schema.NonEmptyArray(Row))

/** Such rows are of runners. */
const ofRunners = "runners"

export class Cluster extends Context.Service<Cluster, {
  /** Makes a runner known for the scope. */
  readonly join: (address: Address) => Effect.Effect<void, ClusterFault, Scope.Scope>
  /** The runners that there are. */
  readonly runners: Effect.Effect<ReadonlyArray<Address>, ClusterFault>
  /** Waits until nobody else trains the run, and does from then on, for the scope. `waits` is told that somebody does. */
  readonly elect: (run: string, waits: Effect.Effect<void>) => Effect.Effect<Elected, ClusterFault, Scope.Scope>
}>()("troupe/runtime/Cluster") {
  /** The cluster of a database: `sqlite:<file>`, for the programs of one machine. */
  static readonly layer = (cluster: string): Layer.Layer<Cluster, ClusterFault> =>
    Layer.effect(Cluster, make(cluster)).pipe(
      Layer.provide(SqlRunnerStorage.layerWith({ prefix: "troupe" })),
      Layer.provide(ShardingConfig.layer({
        shardLockExpiration: `${expiration} seconds`,
        shardLockRefreshInterval: beat,
        // A session that hangs would keep its locks for as long as it hangs; a row is free when its time is over.
        shardLockDisableAdvisory: true
      })),
      Layer.provide(sqliteClient.layer(fileOf(cluster))),
      Layer.catchCause((cause) => Layer.effect(Cluster, Effect.fail(faultOf(cluster)(cause))))
    )
}

const fileOf = (cluster: string): string => cluster.slice("sqlite:".length)

const faultOf = (cluster: string) => (cause: unknown): ClusterFault => {
  const squashed = Cause.isCause(cause) ? Cause.squash(cause) : cause
  return new ClusterFault({ cluster, reason: thrownText(squashed).replace(/\.$/, "") })
}

const make = Effect.fnUntraced(function*(cluster: string) {
  const storage = yield* RunnerStorage
  const sql = yield* SqlClient
  const fault = faultOf(cluster)
  yield* Effect.mapError(
    sql`CREATE TABLE IF NOT EXISTS troupe_runs (run TEXT PRIMARY KEY, term INTEGER NOT NULL, folder TEXT, outcome TEXT)`,
    fault
  )

  const join = Effect.fnUntraced(function*({ host, port }: Address) {
    const address = RunnerAddress.make(host, port)
    const register = storage.register(Runner.Runner.make({ address, groups: [ofRunners], weight: 1 }), true)
    yield* Effect.acquireRelease(Effect.mapError(register, fault), () => Effect.ignore(storage.unregister(address)))
    // Anew, and not only refreshed: whoever was away for long may have been taken out.
    yield* Effect.ignore(register).pipe(Effect.repeat(Schedule.spaced(beat)), Effect.forkScoped)
  })

  const runners = storage.getRunners.pipe(
    Effect.map((found) =>
      found.flatMap(([{ address: { host, port }, groups }]) => groups.includes(ofRunners) ? [{ host, port }] : [])
    ),
    Effect.mapError(fault)
  )

  const elect = Effect.fnUntraced(function*(run: string, waits: Effect.Effect<void>) {
    // Whoever has the lock is this very program, and none that comes later on this machine.
    const address = RunnerAddress.make(`${hostname()}-${randomUUID()}`, process.pid)
    const shard = ShardId.make(`run-${run}`, 1)
    const attempt = Effect.map(storage.acquire(address, [shard]), (got) => got.length > 0)
    if (!(yield* Effect.mapError(attempt, fault))) {
      yield* waits
      yield* Effect.orElseSucceed(attempt, () => false).pipe(
        Effect.repeat({ until: (got) => got, schedule: Schedule.spaced(beat) })
      )
    }
    yield* Effect.addFinalizer(() => Effect.ignore(storage.release(address, shard)))
    const [{ folder, outcome, term }] = yield* sql`
      INSERT INTO troupe_runs (run, term) VALUES (${run}, 1)
      ON CONFLICT (run) DO UPDATE SET term = troupe_runs.term + 1
      RETURNING term, folder, outcome
    `.pipe(Effect.flatMap(decodeRows), Effect.mapError(fault))
    /** Only of the term that is the newest. */
    const write = (values: { readonly folder?: string; readonly outcome?: string }) =>
      Effect.asVoid(Effect.mapError(
        sql`UPDATE troupe_runs SET ${sql.update(values)} WHERE run = ${run} AND term = ${term}`,
        fault
      ))
    let good = performance.now()
    const look = Effect.gen(function*() {
      const kept = yield* Effect.option(storage.refresh(address, [shard]))
      const now = performance.now()
      if (Option.isSome(kept) && kept.value.length > 0) good = now
      // A database that does not answer says nothing, and for as long as the lock holds nobody else has it.
      const over = Option.isSome(kept) ? kept.value.length === 0 : now - good > expiration * 1000
      if (over) return yield* new TrainerReplaced({ run, term })
    })
    const elected: Elected = {
      term,
      folder,
      outcome,
      lost: Effect.forever(Effect.andThen(Effect.sleep(beat), look)),
      keep: (folder) => write({ folder }),
      end: (outcome) => write({ outcome })
    }
    return elected
  })
  return Cluster.of({ join, runners, elect })
})
