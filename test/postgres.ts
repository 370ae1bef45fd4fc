/**
 * A PostgreSQL for tests: one of its own from the binaries of this machine, or the server that `TROUPE_POSTGRES` names by its URL
 * (a role that may make databases).
 */
import { Context, Effect, FileSystem, Layer, Schedule } from "effect"
import { SqlClient } from "effect/sql"
import { spawn, spawnSync } from "node:child_process"
import { randomUUID } from "node:crypto"
import { chmodSync, chownSync, existsSync, globSync, writeFileSync } from "node:fs"
import * as net from "node:net"
import * as path from "node:path"
import * as postgresClient from "../src/runtime/cluster/postgresClient.ts"

const given = process.env["TROUPE_POSTGRES"]
// The program knows no such variable, and says so.
delete process.env["TROUPE_POSTGRES"]

const binaries = globSync("/usr/lib/postgresql/*/bin").toSorted().find((folder) => existsSync(`${folder}/initdb`))

/** Whether tests of it can be run here. */
export const isThere = given !== undefined || binaries !== undefined

const password = "se/cr@et"

/** It refuses to be run by root. */
const user = (): { readonly uid: number; readonly gid: number } | Record<never, never> => {
  if (process.getuid?.() !== 0) return {}
  const idOf = (which: string) => Number(spawnSync("id", [which, "postgres"], { encoding: "utf8" }).stdout)
  return { uid: idOf("-u"), gid: idOf("-g") }
}

const freePort = Effect.callback<number>((resume) => {
  const server = net.createServer()
  server.listen(0, "127.0.0.1", () => {
    const address = server.address()
    server.close(() => resume(Effect.succeed(typeof address === "object" && address !== null ? address.port : 0)))
  })
})

export interface Server {
  /** `postgres://user:password@host:port/database`. */
  readonly url: string
  readonly port: number
  readonly start: Effect.Effect<void>
  /** Ends it, as a machine does that loses its power. */
  readonly kill: Effect.Effect<void>
}

const connected = (url: string) =>
  Effect.map(Layer.build(Layer.fresh(postgresClient.layer(url))), Context.get(SqlClient.SqlClient))

/** A server of its own, for the scope. */
export const server = Effect.gen(function*() {
  const fs = yield* FileSystem.FileSystem
  const folder = yield* fs.makeTempDirectoryScoped()
  const data = path.join(folder, "data")
  const identity = user()
  if ("uid" in identity) {
    chmodSync(folder, 0o755)
    chownSync(folder, identity.uid, identity.gid)
  }
  writeFileSync(path.join(folder, "password"), password)
  const asked = ["-D", data, "-U", "tester", "--no-sync", "--auth=scram-sha-256", "--no-locale", "--encoding=UTF8"]
  const made = spawnSync(`${binaries}/initdb`, [...asked, `--pwfile=${path.join(folder, "password")}`], {
    ...identity,
    cwd: folder,
    encoding: "utf8"
  })
  if (made.status !== 0) return yield* Effect.die(new Error(made.stderr))
  const port = yield* freePort
  const url = `postgres://tester:${encodeURIComponent(password)}@127.0.0.1:${port}/postgres`
  const args = ["-D", data, "-h", "127.0.0.1", "-p", String(port), "-c", "fsync=off", "-k", folder]
  let child: ReturnType<typeof spawn> | undefined
  const start = Effect.sync(() => {
    child = spawn(`${binaries}/postgres`, args, { ...identity, cwd: folder, stdio: "ignore" })
  }).pipe(
    // It takes connections before it answers.
    Effect.andThen(
      Effect.retry(Effect.scoped(Effect.flatMap(connected(url), (sql) => sql`SELECT 1`)), Schedule.spaced(20))
    ),
    Effect.timeout("20 seconds"),
    Effect.orDie,
    Effect.asVoid
  )
  const kill = Effect.callback<void>((resume) => {
    const dying = child
    if (dying === undefined || dying.exitCode !== null || dying.signalCode !== null) return resume(Effect.void)
    dying.once("close", () => resume(Effect.void))
    // Its children end with it; the memory that they share is given back.
    dying.kill("SIGQUIT")
  })
  yield* Effect.addFinalizer(() => kill)
  yield* start
  return { url, port, start, kill }
})

/** The URL of a database server: the one that is named, or one of its own. */
export const anyServer = Effect.suspend(() =>
  given === undefined ? Effect.map(server, ({ url }) => url) : Effect.succeed(given)
)

/** An empty database there: its URL. */
export const database = (url: string) =>
  Effect.gen(function*() {
    const name = `t${randomUUID().replaceAll("-", "")}`
    const sql = yield* connected(url)
    yield* sql.unsafe(`CREATE DATABASE ${name}`)
    const own = new URL(url)
    own.pathname = `/${name}`
    return own.href
  }).pipe(Effect.scoped)
