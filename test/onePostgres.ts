/** A PostgreSQL for all tests of a file. */
import { NodeServices } from "@effect/platform-node"
import { Effect, Exit, Scope } from "effect"
import { afterAll, beforeAll } from "vitest"
import { anyServer, isThere } from "./postgres.ts"

export const onePostgres = (): { readonly url: () => string } => {
  const scope = Scope.makeUnsafe()
  let url = ""
  beforeAll(async () => {
    if (!isThere) return
    url = await Effect.runPromise(anyServer.pipe(Scope.provide(scope), Effect.provide(NodeServices.layer)))
  }, 60_000)
  afterAll(() => Effect.runPromise(Scope.close(scope, Exit.void)))
  return { url: () => url }
}
