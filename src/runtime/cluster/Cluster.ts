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
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import { SqlClient } from "effect/sql/SqlClient"
import { createHash, randomUUID } from "node:crypto"
import { hostname } from "node:os"
import type { RunnerAddress as Address } from "../../actors/links/RunnerDirectory.ts"
import { plainLine } from "../../text/plainLine.ts"
import { runningTime } from "../../time/runningTime.ts"
import { type Database, databaseOf, forms } from "./database.ts"
import { reasonOf } from "./reasonOf.ts"

/** The database cannot be used. */
export class ClusterFault extends Schema.TaggedError<ClusterFault>()("ClusterFault", {
  /** As people may see it. */
  cluster: Schema.String,
  reason: Schema.String
}) {
  override get message(): string {
    return `The cluster ${plainLine(this.cluster, 200)} cannot be used: ${plainLine(this.reason, 300)}.`
  }
}

/** `--cluster` names no database. What it says is not repeated, since there may be a password in it. */
export class NoDatabase extends Schema.TaggedError<NoDatabase>()("NoDatabase", {}) {
  override get message(): string {
    return `--cluster must be ${forms}, and what was given is neither. ` +
      "Other characters than letters and digits of a password are written as in any URL, such as %40 for @."
  }
}

/** The database has not answered for long, while this program trained. */
export class ClusterSilent extends Schema.TaggedError<ClusterSilent>()("ClusterSilent", {
  cluster: Schema.String,
  seconds: Schema.Number,
  reason: Schema.String
}) {
  override get message(): string {
    return `The cluster ${plainLine(this.cluster, 200)} has not answered for ${this.seconds} s: ` +
      `${plainLine(this.reason, 300)}. Once it does, the same command goes on from the newest checkpoint.`
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
/** Seconds that a statement may take; then its connection has a few to come to its senses. */
const statementSeconds = 5
/** Milliseconds that a farewell to the database may take: what it does not hear, it finds out when the time of a row is over. */
const farewell = 400
/** Seconds that a trainer goes on while the database says nothing. */
const usualSilence = 30

export interface ClusterOptions {
  /**
   * Seconds that a trainer goes on while the database says nothing. Default 30. Who trains may be another by then, but the lock
   * decides only who begins: what an old trainer does is refused by runners and by the run's folder.
   */
  readonly silenceSeconds?: number
}

/** A program that trains a run. */
export interface Elected {
  readonly term: number
  /** Where a trainer before has put the run; null where there was none. */
  readonly folder: string | null
  /** What the run came to, where it is over. */
  readonly outcome: string | null
  /** Fails when this is the trainer no longer, or nobody says whether it is. */
  readonly lost: Effect.Effect<never, TrainerReplaced | ClusterSilent>
  /** Where the run is, for whoever comes after. */
  readonly keep: (folder: string) => Effect.Effect<void, ClusterFault | TrainerReplaced>
  /** The run is over. */
  readonly end: (outcome: string) => Effect.Effect<void, ClusterFault | TrainerReplaced>
}

const Row = Schema.Struct({
  term: Schema.Int,
  folder: Schema.NullOr(Schema.String),
  outcome: Schema.NullOr(Schema.String)
})
const decodeRows = Schema.decodeUnknownEffect(Schema.Array(Row))
const decodeTerms = Schema.decodeUnknownEffect(Schema.Array(Schema.Struct({ term: Schema.Int })))

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
  /** The cluster of a database: `sqlite:<file>`, for the programs of one machine, or `postgres://...`. */
  static readonly layer = (
    cluster: string,
    options: ClusterOptions = {}
  ): Layer.Layer<Cluster, ClusterFault | NoDatabase> =>
    Layer.effect(
      Cluster,
      Effect.gen(function*() {
        const database = databaseOf(cluster)
        if (database === undefined) return yield* new NoDatabase()
        const client = yield* Effect.promise(database.client)
        const storage = Layer.provideMerge(storageLayer, client)
        const services = yield* unwaited(Layer.buildWithScope(storage, yield* scopeLeft)).pipe(
          // Effect Cluster's own tables are made by it, and a failure of that is a defect.
          Effect.catchCause((cause) => Effect.fail(faultOf(database)(cause)))
        )
        return yield* Effect.provide(make(database, options), services)
      })
    )

  /** The cluster of a database that is open. */
  static readonly layerStorage = (
    database: Database,
    options: ClusterOptions = {}
  ): Layer.Layer<Cluster, ClusterFault, RunnerStorage | SqlClient> => Layer.effect(Cluster, make(database, options))
}

/** Effect Cluster's storage in a database. */
export const storageLayer = SqlRunnerStorage.layerWith({ prefix: "troupe" }).pipe(
  Layer.provide(ShardingConfig.layer({
    shardLockExpiration: `${expiration} seconds`,
    shardLockRefreshInterval: beat,
    // A session that hangs would keep its locks for as long as it hangs; a row is free when its time is over.
    shardLockDisableAdvisory: true
  }))
)

/**
 * Where it is interrupted, it is not waited for: a client to whom the database says nothing takes some ten seconds to hang up, and
 * does so by itself.
 */
const unwaited = <A, E, R>(work: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.flatMap(
      Effect.forkDetach(work, { startImmediately: true }),
      (fiber) => Effect.onInterrupt(restore(Fiber.join(fiber)), () => Effect.sync(() => fiber.interruptUnsafe()))
    )
  )

/** A scope whose end is waited for only for a while. */
const scopeLeft = Effect.acquireRelease(
  Scope.make(),
  (scope, exit) =>
    Effect.flatMap(
      Effect.forkDetach(Scope.close(scope, exit), { startImmediately: true }),
      (closing) => Effect.timeoutOption(Fiber.await(closing), farewell)
    )
)

const faultOf = ({ shown }: Database) => (cause: unknown): ClusterFault =>
  new ClusterFault({ cluster: shown, reason: reasonOf(Cause.isCause(cause) ? Cause.squash(cause) : cause) })

/** The lock of a run. Databases have room for 50 characters of its name. */
const lockOf = (run: string): ShardId.ShardId =>
  ShardId.make(run.length <= 40 ? `run-${run}` : createHash("sha256").update(run).digest("hex").slice(0, 40), 1)

const make = Effect.fnUntraced(function*(database: Database, { silenceSeconds = usualSilence }: ClusterOptions) {
  const storage = yield* RunnerStorage
  const sql = yield* SqlClient
  const fault = faultOf(database)

  /** What is asked of the database, within its time. A session that was lost is a failure, and the next gets another. */
  const asked = <A, E, R>(statement: Effect.Effect<A, E, R>): Effect.Effect<A, ClusterFault, R> =>
    unwaited(statement).pipe(
      Effect.timeout(`${statementSeconds} seconds`),
      Effect.catchCause((cause) => Effect.fail(fault(cause)))
    )
  /** What is said at the end, whether or not it is heard. */
  const said = <A, E, R>(statement: Effect.Effect<A, E, R>): Effect.Effect<void, never, R> =>
    Effect.ignore(Effect.timeout(asked(statement), farewell))
  /** Again, for as long as a trainer goes on without the database. */
  const insisted = <A, R>(statement: Effect.Effect<A, ClusterFault, R>): Effect.Effect<A, ClusterFault, R> =>
    Effect.suspend(() => {
      const began = runningTime.now()
      const mayGoOn = () => runningTime.now() - began < silenceSeconds * 1000
      return Effect.retry(statement, { schedule: Schedule.spaced(beat), while: mayGoOn })
    })

  yield* asked(
    sql`CREATE TABLE IF NOT EXISTS troupe_runs (run TEXT PRIMARY KEY, term INTEGER NOT NULL, folder TEXT, outcome TEXT)`
  ).pipe(
    // Two that make it at once may both find that it is not there.
    Effect.retry({ schedule: Schedule.spaced(100), times: 2 })
  )

  /** Says once that the database does not answer, and once that it does again. */
  const told = (goesOn: string) => {
    let silent = false
    return <A, R>(statement: Effect.Effect<A, ClusterFault, R>): Effect.Effect<A, ClusterFault, R> =>
      statement.pipe(
        Effect.tapError(({ message }) => {
          if (silent) return Effect.void
          silent = true
          return Effect.logWarning(`${message} ${goesOn}`)
        }),
        Effect.tap(() => {
          if (!silent) return Effect.void
          silent = false
          return Effect.logInfo(`The cluster ${database.shown} answers again.`)
        })
      )
  }

  const join = Effect.fnUntraced(function*({ host, port }: Address) {
    const address = RunnerAddress.make(host, port)
    const register = asked(
      storage.register(Runner.Runner.make({ address, groups: [ofRunners], weight: 1 }), true)
    )
    yield* Effect.acquireRelease(register, () => said(storage.unregister(address)))
    // Anew, and not only refreshed: whoever was away for long may have been taken out.
    yield* Effect.ignore(told("Who knows of this runner goes on with it.")(register)).pipe(
      Effect.repeat(Schedule.spaced(beat)),
      Effect.forkScoped
    )
  })

  const runners = asked(storage.getRunners).pipe(
    Effect.map((found) =>
      found.flatMap(([{ address: { host, port }, groups }]) => groups.includes(ofRunners) ? [{ host, port }] : [])
    )
  )

  const elect = Effect.fnUntraced(function*(run: string, waits: Effect.Effect<void>) {
    // Whoever has the lock is this very program, and none that comes later on this machine.
    const address = RunnerAddress.make(`${hostname()}-${randomUUID()}`, process.pid)
    const shard = lockOf(run)
    /**
     * Takes the lock and then a term; null where another has the lock. Between the two it may have been stopped, and another may
     * have become the trainer. So it takes the term that follows the one before the lock, if nobody has taken one since, and looks
     * at the lock once more. Where it comes too late, it has taken nothing from anybody, and tries again.
     */
    const attempt = Effect.gen(function*() {
      while (true) {
        const [before] = yield* asked(Effect.flatMap(sql`SELECT term FROM troupe_runs WHERE run = ${run}`, decodeTerms))
        if ((yield* asked(storage.acquire(address, [shard]))).length === 0) return null
        const [row] = yield* asked(Effect.flatMap(
          before === undefined
            ? sql`
              INSERT INTO troupe_runs (run, term) VALUES (${run}, 1) ON CONFLICT (run) DO NOTHING
              RETURNING term, folder, outcome
            `
            : sql`
              UPDATE troupe_runs SET term = term + 1 WHERE run = ${run} AND term = ${before.term}
              RETURNING term, folder, outcome
            `,
          decodeRows
        ))
        if (row !== undefined && (yield* asked(storage.refresh(address, [shard]))).length > 0) return row
      }
    })
    // Before the lock is taken: who is interrupted then may have it.
    yield* Effect.addFinalizer(() => said(storage.release(address, shard)))
    const again = Effect.orElseSucceed(told("Waiting for it.")(attempt), () => null)
    let row = yield* attempt
    if (row === null) yield* waits
    while (row === null) {
      yield* Effect.sleep(beat)
      row = yield* again
    }
    const { folder, outcome, term } = row
    const replaced = new TrainerReplaced({ run, term })
    /** Only of the term that is the newest. */
    const write = (values: { readonly folder?: string; readonly outcome?: string }) =>
      insisted(asked(
        sql`UPDATE troupe_runs SET ${sql.update(values)} WHERE run = ${run} AND term = ${term} RETURNING term`
      )).pipe(Effect.flatMap((rows) => rows.length === 0 ? Effect.fail(replaced) : Effect.void))
    const refresh = told(`Training goes on for ${silenceSeconds} s without it.`)(
      asked(storage.refresh(address, [shard]))
    )
    let good = runningTime.now()
    const look = Effect.matchEffect(refresh, {
      onFailure: ({ reason }) =>
        runningTime.now() - good <= silenceSeconds * 1000
          ? Effect.void
          : Effect.fail(new ClusterSilent({ cluster: database.shown, seconds: silenceSeconds, reason })),
      onSuccess: (kept) => {
        good = runningTime.now()
        return kept.length === 0 ? Effect.fail(replaced) : Effect.void
      }
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
