/**
 * Effect's `SqlClient` over the SQLite that comes with Node, for several programs of one machine.
 *
 * It is written here because there is none to be had: the clients on npm are of Effect 3, or need a native install, which
 * Troupe does without. It does what Effect Cluster's storage asks for, with one connection: statements one after another, and a
 * transaction alone.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Reactivity from "effect/reactivity/Reactivity"
import * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import * as SqlClient from "effect/sql/SqlClient"
import type { Connection } from "effect/sql/SqlConnection"
import { ConnectionError, SqlError, UnknownError } from "effect/sql/SqlError"
import * as Statement from "effect/sql/Statement"
import * as Stream from "effect/Stream"
import type { DatabaseSync, SQLInputValue } from "node:sqlite"

/** Milliseconds that a statement waits for another program's transaction, in this thread: they are short. */
const patience = 2000

const message = (cause: unknown): string => cause instanceof Error ? cause.message : String(cause)

const failed = (operation: string) => (cause: unknown) =>
  new SqlError({ reason: new UnknownError({ cause, message: message(cause), operation }) })

const isInput = (value: unknown): value is SQLInputValue =>
  value === null || ["string", "number", "bigint"].includes(typeof value) || value instanceof Uint8Array

const inputs = (params: ReadonlyArray<unknown>): ReadonlyArray<SQLInputValue> =>
  params.map((value) => {
    if (typeof value === "boolean") return Number(value)
    if (value instanceof Date) return value.toISOString()
    if (isInput(value)) return value
    throw new TypeError(`${typeof value} is nothing that SQLite stores`)
  })

const connectionTo = (database: DatabaseSync): Connection => {
  const run = (sql: string, params: ReadonlyArray<unknown>, asArrays: boolean) =>
    Effect.try({
      try: () => {
        const statement = database.prepare(sql)
        statement.setReturnArrays(asArrays)
        return statement.all(...inputs(params))
      },
      catch: failed("execute")
    })
  const execute: Connection["execute"] = (sql, params, transformRows) => {
    const rows = run(sql, params, false)
    return transformRows === undefined ? rows : Effect.map(rows, transformRows)
  }
  const values = (sql: string, params: ReadonlyArray<unknown>) =>
    // Also of an array these are its elements.
    Effect.map(run(sql, params, true), (rows) => rows.map((row): ReadonlyArray<unknown> => Object.values(row)))
  return {
    execute,
    executeRaw: (sql, params) => run(sql, params, false),
    executeStream: (sql, params, transformRows) =>
      Stream.unwrap(Effect.map(execute(sql, params, transformRows), Stream.fromIterable)),
    executeValues: values,
    executeValuesUnprepared: values,
    executeUnprepared: execute
  }
}

const open = (file: string) =>
  Effect.acquireRelease(
    Effect.try({
      try: () => {
        const { DatabaseSync } = process.getBuiltinModule("node:sqlite")
        const database = new DatabaseSync(file, { timeout: patience })
        database.exec("PRAGMA journal_mode = WAL")
        return database
      },
      catch: (cause) =>
        new SqlError({ reason: new ConnectionError({ cause, message: message(cause), operation: "open" }) })
    }),
    (database) => Effect.sync(() => database.close())
  )

/** The database in a file, which is made where there is none. */
export const layer = (file: string): Layer.Layer<SqlClient.SqlClient, SqlError> =>
  Layer.effect(
    SqlClient.SqlClient,
    Effect.gen(function*() {
      const connection = connectionTo(yield* open(file))
      const alone = yield* Semaphore.make(1)
      return yield* SqlClient.make({
        acquirer: alone.withPermits(1)(Effect.succeed(connection)),
        transactionAcquirer: Effect.uninterruptibleMask(Effect.fnUntraced(function*(restore) {
          const scope = yield* Effect.scope
          yield* restore(alone.take(1))
          yield* Scope.addFinalizer(scope, alone.release(1))
          return connection
        })),
        compiler: Statement.makeCompilerSqlite(),
        driver: "sqlite-node",
        spanAttributes: [["db.system.name", "sqlite"]],
        // What is written later in it must not find another's writing first.
        beginTransaction: "BEGIN IMMEDIATE"
      })
    })
  ).pipe(Layer.provide(Reactivity.layer))
