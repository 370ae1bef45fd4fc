/**
 * Before the first test: builds what the sources alone do not give (kernels, bundles), when it is missing or stale, and
 * refuses a `REFERENCE_DIR` that holds no recordings, for a mistyped one would switch the conformance tests off.
 */
import { existsSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { ensureBuilt } from "../scripts/build.ts"

const recordings = [
  "gymnasium",
  "numpy-pcg64.json",
  "returns.json",
  "learner.json",
  "distributions.json",
  "ppo.json",
  "wrappers.json"
]

export default async function setup(): Promise<void> {
  const folder = process.env["REFERENCE_DIR"]
  if (folder !== undefined && !recordings.some((name) => existsSync(join(folder, name)))) {
    throw new Error(`REFERENCE_DIR is ${folder}, which holds none of ${recordings.join(", ")}.`)
  }
  // Many threads and processes are started from sources here: each would compile the same anew, which takes most of its start.
  process.env["NODE_COMPILE_CACHE"] ??= fileURLToPath(new URL("../node_modules/.cache/compiled", import.meta.url))
  await ensureBuilt()
}
