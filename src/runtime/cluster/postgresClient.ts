/** Effect's client of PostgreSQL, as a cluster needs it. It speaks the server's protocol itself, and is loaded by none but those who ask for it. */
import * as PgClient from "@effect/sql-pg/PgClient"
import type * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import type * as SqlClient from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"

/**
 * Connections of one program: one asks for its lock, the others for all else. A server takes a hundred by default, and each
 * runner and trainer is a program.
 */
const mostConnections = 2

/** The database of a URL, `postgres://user:password@host:port/database`; a password that it lacks is `PGPASSWORD`. */
export const layer = (url: string): Layer.Layer<SqlClient.SqlClient, SqlError> => {
  const password = process.env["PGPASSWORD"]
  const isGiven = new URL(url).password !== "" || new URL(url).searchParams.has("password")
  return PgClient.layer({
    url: Redacted.make(url),
    ...(isGiven || password === undefined ? {} : { password: Redacted.make(password) }),
    applicationName: "troupe",
    maxConnections: mostConnections,
    // Effect Cluster's columns have no time zone: sessions of two would not agree on how old a lock is, and summer time would begin in them.
    startupParameters: { TimeZone: "UTC" },
    // Whoever holds the line and says nothing is noticed.
    keepAlive: "5 seconds"
  })
}
