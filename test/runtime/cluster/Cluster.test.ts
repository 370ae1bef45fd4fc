/** What programs know together in a database: who is there, who trains, and that nobody does twice. */
import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Exit, Fiber, FileSystem, Layer, Schedule, Scope } from "effect"
import { SqlClient } from "effect/sql"
import { Cluster } from "../../../src/runtime/cluster/Cluster.ts"
import * as sqliteClient from "../../../src/runtime/cluster/sqliteClient.ts"

const database = Effect.map(
  Effect.flatMap(FileSystem.FileSystem, (fs) => fs.makeTempDirectoryScoped()),
  (folder) => `${folder}/cluster.db`
)

const live = (name: string, test: Effect.Effect<unknown, unknown, FileSystem.FileSystem | Scope.Scope>) =>
  it.live(name, () => Effect.scoped(Effect.provide(test, NodeServices.layer)), 30_000)

/** A program of the cluster. */
const program = (file: string) =>
  Effect.map(Layer.build(Layer.fresh(Cluster.layer(`sqlite:${file}`))), (context) => Context.get(context, Cluster))

describe("a client of SQLite", () => {
  live(
    "stores and finds, and takes back what a transaction did that failed",
    Effect.gen(function*() {
      const context = yield* Layer.build(sqliteClient.layer(yield* database))
      const sql = Context.get(context, SqlClient.SqlClient)
      yield* sql`CREATE TABLE t (n INTEGER, text TEXT)`
      yield* sql`INSERT INTO t ${sql.insert([{ n: 1, text: "one" }, { n: 2, text: "it's" }])}`
      assert.deepStrictEqual(yield* sql`SELECT n, text FROM t ORDER BY n`.values, [[1, "one"], [2, "it's"]])
      const failed = sql.withTransaction(Effect.andThen(sql`DELETE FROM t`, Effect.fail("no")))
      assert.strictEqual(yield* Effect.flip(failed), "no")
      assert.strictEqual((yield* sql`SELECT * FROM t WHERE n = ${2}`).length, 1)
      const wrong = yield* Effect.flip(sql`SELECT * FROM nowhere`)
      assert.match(String(wrong.message) + String(wrong.reason.message), /nowhere/)
    })
  )
})

describe("Cluster", () => {
  live(
    "knows the runners that are there, while they are",
    Effect.gen(function*() {
      const file = yield* database
      const [one, two] = [yield* program(file), yield* program(file)]
      const scope = yield* Scope.make()
      yield* Scope.provide(one.join({ host: "10.0.0.1", port: 4100 }), scope)
      assert.deepStrictEqual(yield* two.runners, [{ host: "10.0.0.1", port: 4100 }])
      yield* Scope.close(scope, Exit.void)
      assert.deepStrictEqual(yield* two.runners, [])
    })
  )

  live(
    "has one trainer of a run at a time, each with a higher term, who knows what the one before has left",
    Effect.gen(function*() {
      const file = yield* database
      const [one, two] = [yield* program(file), yield* program(file)]
      const scope = yield* Scope.make()
      const first = yield* Scope.provide(one.elect("a", Effect.void), scope)
      assert.deepInclude(first, { term: 1, folder: null, outcome: null })
      const other = yield* two.elect("b", Effect.void)
      assert.strictEqual(other.term, 1)
      yield* first.keep("/runs/1")
      const state = { waits: false }
      const waiting = yield* Effect.forkChild(two.elect("a", Effect.sync(() => void (state.waits = true))))
      yield* Effect.repeat(Effect.sync(() => state.waits), { until: (waits) => waits, schedule: Schedule.spaced(10) })
      yield* Scope.close(scope, Exit.void)
      const second = yield* Fiber.join(waiting)
      assert.deepInclude(second, { term: 2, folder: "/runs/1" })
      // Of a term that is over nothing is kept.
      yield* first.keep("/runs/elsewhere")
      yield* second.end("a hash")
      const third = yield* Effect.scoped(Effect.flatMap(program(file), (three) => three.elect("b-", Effect.void)))
      assert.strictEqual(third.outcome, null)
      const lost = yield* Effect.flip(first.lost).pipe(Effect.timeout("10 seconds"))
      assert.match(lost.message, /term 1 of the run a is over/)
    })
  )

  live(
    "says in one sentence that its database cannot be used",
    Effect.gen(function*() {
      const fault = yield* Effect.flip(program("/nowhere/at/all.db"))
      assert.match(fault.message, /^The cluster sqlite:\/nowhere\/at\/all\.db cannot be used: .*\.$/)
      assert.notInclude(fault.message, "\n")
    })
  )
})
