/** What programs know together in a database: who is there, who trains, and that nobody does twice. */
import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Context, Deferred, Effect, Exit, Fiber, FileSystem, Layer, References, Schedule, Scope } from "effect"
import { RunnerStorage } from "effect/cluster"
import { SqlClient } from "effect/sql"
import * as net from "node:net"
import { DatabaseSync } from "node:sqlite"
import { Cluster, storageLayer } from "../../../src/runtime/cluster/Cluster.ts"
import { databaseOf } from "../../../src/runtime/cluster/database.ts"
import * as sqliteClient from "../../../src/runtime/cluster/sqliteClient.ts"
import { onePostgres } from "../../onePostgres.ts"
import * as postgres from "../../postgres.ts"

const file = Effect.map(
  Effect.flatMap(FileSystem.FileSystem, (fs) => fs.makeTempDirectoryScoped()),
  (folder) => `${folder}/cluster.db`
)

const body = (test: Effect.Effect<unknown, unknown, FileSystem.FileSystem | Scope.Scope>) => () =>
  Effect.scoped(Effect.provide(test, NodeServices.layer)).pipe(
    Effect.provideService(References.MinimumLogLevel, "None")
  )

const live = (name: string, test: Effect.Effect<unknown, unknown, FileSystem.FileSystem | Scope.Scope>) =>
  it.live(name, body(test), 30_000)

/** Needs a PostgreSQL. */
const withPostgres = (name: string, test: Effect.Effect<unknown, unknown, FileSystem.FileSystem | Scope.Scope>) =>
  postgres.isThere
    ? live(name, test)
    : it.skip(`${name} (no PostgreSQL here: install Debian's postgresql, or set TROUPE_POSTGRES)`, () => {})

/** A program of the cluster. */
const program = (cluster: string, options: { readonly silenceSeconds?: number } = {}) =>
  Effect.map(Layer.build(Layer.fresh(Cluster.layer(cluster, options))), (context) => Context.get(context, Cluster))

/** Somebody who is stopped before what is asked of the database for the `stop`-th time, until it is let go on. */
const Stop = Context.Reference<{ readonly ask: Effect.Effect<void> }>("test/Stop", {
  defaultValue: () => ({ ask: Effect.void })
})

const stopAt = (stop: number) => {
  const stopped = Deferred.makeUnsafe<void>()
  const goOn = Deferred.makeUnsafe<void>()
  let asked = 0
  const ask = Effect.suspend(() =>
    ++asked === stop ? Effect.andThen(Deferred.succeed(stopped, undefined), Deferred.await(goOn)) : Effect.void
  )
  return { stopped: Deferred.await(stopped), goOn: Deferred.succeed(goOn, undefined), service: { ask } }
}

/** Asks `Stop` before it does what it is asked for. */
const asking = <A extends object>(target: A): A => {
  const asked = (result: unknown): unknown =>
    Effect.isEffect(result) ? Effect.andThen(Effect.flatMap(Stop, ({ ask }) => ask), result) : result
  return new Proxy(target, {
    apply: (target, self, args) => asked(Reflect.apply(target as (...args: Array<unknown>) => unknown, self, args)),
    get: (target, name) => {
      const value: unknown = Reflect.get(target, name)
      return typeof value === "function"
        ? (...args: ReadonlyArray<unknown>): unknown => asked(Reflect.apply(value, target, args))
        : asked(value)
    }
  })
}

/** A program of the cluster that can be stopped, and its client. */
const stoppable = Effect.fnUntraced(function*(cluster: string) {
  const database = databaseOf(cluster)!
  const client = yield* Effect.promise(database.client)
  const services = yield* Layer.build(Layer.fresh(Layer.provideMerge(storageLayer, client)))
  const sql = Context.get(services, SqlClient.SqlClient)
  const storage = Context.get(services, RunnerStorage.RunnerStorage)
  const context = yield* Layer.build(Layer.fresh(Cluster.layerStorage(database))).pipe(
    Effect.provideService(SqlClient.SqlClient, asking(sql)),
    Effect.provideService(RunnerStorage.RunnerStorage, asking(storage))
  )
  return { ...Context.get(context, Cluster), sql }
})

type Stoppable = Effect.Success<ReturnType<typeof stoppable>>

const server = onePostgres()

const databases = {
  SQLite: { test: live, cluster: Effect.map(file, (file) => `sqlite:${file}`) },
  PostgreSQL: { test: withPostgres, cluster: Effect.suspend(() => postgres.database(server.url())) }
}

describe("a client of SQLite", () => {
  live(
    "stores and finds, and takes back what a transaction did that failed",
    Effect.gen(function*() {
      const context = yield* Layer.build(sqliteClient.layer(yield* file))
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

for (const [name, { cluster, test }] of Object.entries(databases)) {
  describe(`a cluster in ${name}`, () => {
    test(
      "knows the runners that are there, while they are",
      Effect.gen(function*() {
        const database = yield* cluster
        // All that begin at once make its tables at once.
        const [one, two] = yield* Effect.all(Array.from({ length: 6 }, () => program(database)), {
          concurrency: "unbounded"
        })
        const scope = yield* Scope.make()
        yield* Scope.provide(one!.join({ host: "10.0.0.1", port: 4100 }), scope)
        assert.deepStrictEqual(yield* two!.runners, [{ host: "10.0.0.1", port: 4100 }])
        yield* Scope.close(scope, Exit.void)
        assert.deepStrictEqual(yield* two!.runners, [])
      })
    )

    test(
      "has one trainer of a run at a time, each with a higher term, who knows what the one before has left",
      Effect.gen(function*() {
        const database = yield* cluster
        const [one, two] = [yield* program(database), yield* program(database)]
        // Longer than what a database has room for in its row of a lock.
        const run = `a-${"long".repeat(19)}`
        const scope = yield* Scope.make()
        const first = yield* Scope.provide(one.elect(run, Effect.void), scope)
        assert.deepInclude(first, { term: 1, folder: null, outcome: null })
        const other = yield* two.elect(`${run}b`, Effect.void)
        assert.strictEqual(other.term, 1)
        yield* first.keep("/runs/1")
        const state = { waits: false }
        const waiting = yield* Effect.forkChild(two.elect(run, Effect.sync(() => void (state.waits = true))))
        yield* Effect.repeat(Effect.sync(() => state.waits), { until: (waits) => waits, schedule: Schedule.spaced(10) })
        yield* Scope.close(scope, Exit.void)
        const second = yield* Fiber.join(waiting)
        assert.deepInclude(second, { term: 2, folder: "/runs/1" })
        // Of a term that is over nothing is kept.
        assert.match((yield* Effect.flip(first.keep("/runs/elsewhere"))).message, /term 1 of the run a-long.* is over/)
        yield* second.end("a hash")
        const third = yield* Effect.scoped(Effect.flatMap(program(database), (three) => three.elect("b-", Effect.void)))
        assert.strictEqual(third.outcome, null)
        const lost = yield* Effect.flip(first.lost).pipe(Effect.timeout("10 seconds"))
        assert.match(lost.message, /term 1 of the run a-long.* is over/)
      })
    )

    test(
      "has one trainer where two that would be are stopped anywhere, for longer than the lock holds, and the other goes on waiting",
      Effect.gen(function*() {
        const database = yield* cluster
        const [one, two] = [yield* stoppable(database), yield* stoppable(database)]
        // Before each thing that they ask for; the second of them also not at all.
        const pairs = [1, 2, 3, 4].flatMap((i) =>
          [1, 2, 3, 4, 5].flatMap((j) => [[i, j, "new"], [i, j, "old"]] as const)
        )
        /** Answers when it is stopped, waits, or is elected. */
        const candidate = Effect.fnUntraced(function*({ elect }: Stoppable, run: string, at: number) {
          const scope = yield* Scope.make()
          const stop = stopAt(at)
          const waits = Deferred.makeUnsafe<void>()
          const electing = yield* elect(run, Deferred.succeed(waits, undefined)).pipe(
            Scope.provide(scope),
            Effect.provideService(Stop, stop.service),
            Effect.forkChild
          )
          const settled = Effect.raceFirst(Deferred.await(waits), Fiber.await(electing))
          yield* Effect.raceFirst(stop.stopped, settled)
          return { electing, goOn: Effect.andThen(stop.goOn, settled), scope }
        })
        const meet = Effect.fnUntraced(function*([i, j, age]: (typeof pairs)[number]) {
          const run = `${age}-${i}-${j}`
          if (age === "old") yield* Effect.scoped(one.elect(run, Effect.void))
          const a = yield* candidate(one, run, i)
          // As when the time of its lock is over.
          yield* one.sql`DELETE FROM troupe_locks WHERE shard_id LIKE ${`%${run}%`}`
          const b = yield* candidate(two, run, j)
          yield* a.goOn
          yield* b.goOn
          const [first, other] = yield* Effect.raceFirst(
            Effect.as(Fiber.await(a.electing), [a, b] as const),
            Effect.as(Fiber.await(b.electing), [b, a] as const)
          )
          const elected = yield* Fiber.join(first.electing)
          yield* elected.keep("/runs/1")
          yield* Scope.close(first.scope, Exit.void)
          const next = yield* Fiber.join(other.electing)
          assert.strictEqual(next.folder, "/runs/1", run)
          assert.isAbove(next.term, elected.term, run)
          yield* Scope.close(other.scope, Exit.void)
        })
        yield* Effect.forEach(pairs, meet, { concurrency: "unbounded", discard: true }).pipe(
          Effect.timeout("20 seconds")
        )
      })
    )
  })
}

/** A line to the server that can be cut, and on which nothing may come through any more. */
const proxyTo = (target: number) =>
  Effect.acquireRelease(
    Effect.callback<
      { readonly port: number; readonly cut: () => void; readonly mend: () => void; readonly freeze: () => void }
    >((resume) => {
      const sockets = new Set<net.Socket>()
      let isCut = false
      let isFrozen = false
      const listener = net.createServer((socket) => {
        if (isCut) return socket.destroy()
        if (isFrozen) return void sockets.add(socket)
        const far = net.connect(target, "127.0.0.1")
        for (const end of [socket, far]) {
          sockets.add(end)
          end.on("error", () => {})
          end.on("close", () => {
            sockets.delete(end)
            socket.destroy()
            far.destroy()
          })
        }
        socket.pipe(far)
        far.pipe(socket)
      })
      listener.listen(0, "127.0.0.1", () => {
        const address = listener.address()
        resume(Effect.succeed({
          port: typeof address === "object" && address !== null ? address.port : 0,
          cut: () => {
            isCut = true
            for (const socket of sockets) socket.destroy()
          },
          mend: () => void (isCut = false),
          freeze: () => {
            isFrozen = true
            for (const socket of sockets) socket.unpipe().pause()
          },
          close: () => listener.close()
        }))
      })
    }),
    ({ cut }) => Effect.sync(cut)
  )

/** Takes connections and says nothing. */
const silent = Effect.acquireRelease(
  Effect.callback<{ readonly port: number; readonly taken: Effect.Effect<void>; readonly close: () => void }>(
    (resume) => {
      const sockets: Array<net.Socket> = []
      const taken = Deferred.makeUnsafe<void>()
      const server = net.createServer((socket) => {
        sockets.push(socket.on("error", () => {}))
        Deferred.doneUnsafe(taken, Effect.void)
      })
      server.listen(0, "127.0.0.1", () => {
        const address = server.address()
        resume(Effect.succeed({
          port: typeof address === "object" && address !== null ? address.port : 0,
          taken: Deferred.await(taken),
          close: () => {
            for (const socket of sockets) socket.destroy()
            server.close()
          }
        }))
      })
    }
  ),
  ({ close }) => Effect.sync(close)
)

const through = (url: string, port: number): string => {
  const own = new URL(url)
  own.port = String(port)
  return own.href
}

describe("a database of a cluster that is not as it should be", () => {
  live(
    "is not asked again for longer than it is done without, though each time takes a while",
    Effect.gen(function*() {
      const database = yield* file
      const cluster = yield* program(`sqlite:${database}`, { silenceSeconds: 2 })
      const elected = yield* cluster.elect("a", Effect.void)
      const other = yield* Effect.acquireRelease(
        Effect.sync(() => new DatabaseSync(database)),
        (other) => Effect.sync(() => other.close())
      )
      other.exec("BEGIN IMMEDIATE")
      const began = performance.now()
      const { message } = yield* Effect.flip(elected.end("a hash"))
      // Each time takes two seconds.
      assert.isBelow(performance.now() - began, 8000)
      assert.match(message, /^The cluster sqlite:\S+ cannot be used: database is locked\.$/)
    })
  )

  live(
    "is told in one sentence: a file where there is no folder",
    Effect.gen(function*() {
      const fault = yield* Effect.flip(program("sqlite:/nowhere/at/all.db"))
      assert.match(fault.message, /^The cluster sqlite:\/nowhere\/at\/all\.db cannot be used: .*\.$/)
      assert.notInclude(fault.message, "\n")
    })
  )

  const none = [
    "",
    "sqlite:",
    "mysql://u:geheim@h/d",
    "postgres:/u:geheim@h/d",
    "postgres://u:ge/heim@h:x/d",
    "postgres://u:1/heim@h/d",
    "postgres://u:1?heim@h/d",
    "postgres://u:1#heim@h/d"
  ]
  for (const text of none) {
    live(
      `is told in one sentence: "${text}" is none, and is not repeated`,
      Effect.gen(function*() {
        const { message } = yield* Effect.flip(program(text))
        assert.match(message, /^--cluster must be sqlite:<file>, or postgres:[^\n]*\.$/)
        assert.notInclude(message, "heim")
      })
    )
  }

  const foreign = Effect.acquireRelease(
    Effect.callback<net.Server>((resume) => {
      const server = net.createServer((socket) => {
        socket.on("error", () => {})
        socket.on("data", () => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n"))
      })
      server.listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))
    }),
    (server) => Effect.sync(() => server.close())
  )

  live(
    "is told in one sentence: nobody listens, no such machine, or something else listens",
    Effect.gen(function*() {
      const server = yield* foreign
      const address = server.address()
      const port = typeof address === "object" && address !== null ? address.port : 0
      const cases = {
        [`127.0.0.1:${port}`]: /does not speak as PostgreSQL does/,
        "127.0.0.1:1": /nobody listens there/,
        "no-such-machine.invalid:5432": /no machine of that name|cannot be looked up/
      }
      for (const [host, reason] of Object.entries(cases)) {
        const { message } = yield* Effect.flip(program(`postgres://u:geheim@${host}/d`))
        assert.match(message, new RegExp(`^The cluster postgres://u@${host}/d cannot be used: [^\\n]*\\.$`))
        assert.match(message, reason)
        assert.notInclude(message, "geheim")
      }
    })
  )

  withPostgres(
    "is told in one sentence: another password, none, no such database",
    Effect.gen(function*() {
      const url = new URL(server.url())
      url.password = "geheim"
      const refused = yield* Effect.flip(program(url.href))
      assert.match(refused.message, /cannot be used: password authentication failed for user "[^"]+"\.$/)
      assert.notInclude(refused.message, "geheim")
      url.password = ""
      assert.match((yield* Effect.flip(program(url.href))).message, /asks for a password: [^\n]* PGPASSWORD\.$/)
      const nowhere = new URL(server.url())
      nowhere.pathname = "/nowhere"
      assert.match((yield* Effect.flip(program(nowhere.href))).message, /database "nowhere" does not exist\.$/)
    })
  )

  withPostgres(
    "is done without for a while, and no longer",
    Effect.gen(function*() {
      const database = yield* postgres.database(server.url())
      const line = yield* proxyTo(Number(new URL(database).port || 5432))
      const far = yield* program(through(database, line.port), { silenceSeconds: 5 })
      const near = yield* program(database)
      yield* far.join({ host: "10.0.0.1", port: 4100 })
      const elected = yield* far.elect("a", Effect.void)
      const lost = yield* Effect.forkChild(Effect.flip(elected.lost))
      // Longer than its lock holds: as long as nobody takes it, it has it.
      line.cut()
      yield* Effect.sleep(2200)
      line.mend()
      // What is kept meanwhile is kept as soon as it can be.
      yield* elected.keep("/runs/1")
      yield* Effect.repeat(near.runners, {
        until: (runners) => runners.length === 1,
        schedule: Schedule.spaced(50)
      }).pipe(Effect.timeout("10 seconds"))
      assert.isUndefined(lost.pollUnsafe())
      line.cut()
      const { message } = yield* Fiber.join(lost).pipe(Effect.timeout("15 seconds"))
      assert.match(message, /^The cluster postgres:\S+ has not answered for 5 s: [^\n]* the same command goes on/)
      // And whoever comes then goes on from there.
      const next = yield* near.elect("a", Effect.void).pipe(Effect.timeout("10 seconds"))
      assert.deepInclude(next, { term: 2, folder: "/runs/1" })
    })
  )

  /** What is interrupted is over within so many milliseconds, on a busy machine too. */
  const soon = 2000

  live(
    "is not waited for, where it takes a connection and says nothing",
    Effect.gen(function*() {
      const { port, taken } = yield* silent
      const joining = yield* Effect.forkChild(Effect.scoped(program(`postgres://u:geheim@127.0.0.1:${port}/d`)))
      yield* taken
      const began = performance.now()
      yield* Fiber.interrupt(joining)
      assert.isBelow(performance.now() - began, soon)
    })
  )

  withPostgres(
    "is not waited for, where it falls silent: whoever trains, waits to, or is a runner",
    Effect.gen(function*() {
      const database = yield* postgres.database(server.url())
      const line = yield* proxyTo(Number(new URL(database).port || 5432))
      const far = through(database, line.port)
      const begun = yield* Effect.forEach(["trains", "waits", "runs"] as const, (what) =>
        Effect.gen(function*() {
          const ready = Deferred.makeUnsafe<void>()
          const isReady = Deferred.succeed(ready, undefined)
          const fiber = yield* program(far).pipe(
            Effect.flatMap(({ elect, join }) =>
              what === "runs"
                ? Effect.andThen(Effect.andThen(join({ host: "10.0.0.1", port: 4100 }), isReady), Effect.never)
                : Effect.flatMap(elect("a", isReady), ({ lost }) => Effect.andThen(isReady, lost))
            ),
            Effect.scoped,
            Effect.forkChild
          )
          yield* Deferred.await(ready)
          return fiber
        }))
      line.freeze()
      // Each has asked for something by then.
      yield* Effect.sleep(600)
      const began = performance.now()
      yield* Fiber.interruptAll(begun)
      assert.isBelow(performance.now() - began, soon)
    })
  )

  withPostgres(
    "that others have meanwhile: who was away finds out that it has been replaced",
    Effect.gen(function*() {
      const database = yield* postgres.database(server.url())
      const line = yield* proxyTo(Number(new URL(database).port || 5432))
      const far = yield* program(through(database, line.port))
      const near = yield* program(database)
      const elected = yield* far.elect("a", Effect.void)
      const lost = yield* Effect.forkChild(Effect.flip(elected.lost))
      line.cut()
      const next = yield* near.elect("a", Effect.void).pipe(Effect.timeout("10 seconds"))
      assert.strictEqual(next.term, 2)
      assert.isUndefined(lost.pollUnsafe())
      line.mend()
      assert.match((yield* Fiber.join(lost).pipe(Effect.timeout("10 seconds"))).message, /term 1 of the run a is over/)
      assert.match((yield* Effect.flip(elected.end("a hash"))).message, /term 1 of the run a is over/)
    })
  )
})
