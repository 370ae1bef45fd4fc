/** The entry of threads and processes as it ships: a benchmark's own file, bundled, as long as the scope is open. */
import * as Effect from "effect/Effect"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { pathToFileURL } from "node:url"

export const bundled = (input: string) =>
  Effect.acquireRelease(
    Effect.promise(() => mkdtemp(join(tmpdir(), "troupe-bench-"))),
    (folder) => Effect.promise(() => rm(folder, { recursive: true }))
  ).pipe(Effect.flatMap((folder) =>
    Effect.promise(async () => {
      const { build } = await import("rolldown")
      const file = join(folder, "host.mjs")
      await build({
        input,
        platform: "node",
        external: ["rolldown"],
        output: { file, format: "esm", minify: { compress: true, mangle: false, codegen: true } }
      })
      return pathToFileURL(file)
    })
  ))
