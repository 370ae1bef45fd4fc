/** The database of a cluster, as `--cluster` names it; its password is for nobody to read. */
import type * as Layer from "effect/Layer"
import type { SqlClient } from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"

export interface Database {
  /** As people may see it: without a password. */
  readonly shown: string
  /** Few want it, and each takes a while to load. */
  readonly client: () => Promise<Layer.Layer<SqlClient, SqlError>>
}

/** How a database is named. */
export const forms = "sqlite:<file>, or postgres://user:password@host/database"

/** Undefined where the text names none. */
export const databaseOf = (text: string): Database | undefined => {
  if (text.startsWith("sqlite:")) {
    const file = text.slice("sqlite:".length)
    if (file === "") return undefined
    return { shown: text, client: async () => (await import("./sqliteClient.ts")).layer(file) }
  }
  if (!/^postgres(ql)?:\/\//.test(text) || !URL.canParse(text)) return undefined
  const { hash, host, pathname, search, username } = new URL(text)
  // A password that is not written as in a URL: what comes after its `/`, `?` or `#` would be taken for a name, and shown.
  if (!/^\/?[^/@]*$/.test(pathname) || `${search}${hash}`.includes("@")) return undefined
  return {
    shown: `postgres://${username === "" ? "" : `${username}@`}${host}${pathname}`,
    client: async () => (await import("./postgresClient.ts")).layer(text)
  }
}
