/**
 * The files that lie beside this code wherever it is bundled: the kernels, and the entries of threads and processes.
 * In `dist/` they do. In a bundle of somebody's program they have to be copied there, and that is said in one sentence.
 */
import { existsSync } from "node:fs"
import * as path from "node:path"
import { fileURLToPath, pathToFileURL } from "node:url"

declare const __BUILD_ID__: string | undefined

const names = ["kernels.wasm", "host.js"] as const
/** What lies there too, for whoever runs environments of Gymnasium's, simulations in threads, is a runner, or looks at a dashboard. */
type Other = "bridge.py" | "simulationHost.js" | "runnerHost.js" | "dashboard.html" | "dashboard.css" | "dashboard.js"

const bundled = typeof __BUILD_ID__ !== "undefined"

/** Empty in bundles that are CommonJS, where some bundlers leave nothing in `import.meta`. */
const address: string | undefined = import.meta.url
const here = address === undefined ? pathToFileURL(__filename).href : address

/** Where one of the files is; `source` is its place seen from `src/`, where these lines run from there. */
export const companion = (name: typeof names[number] | Other, source: string): URL =>
  new URL(bundled ? name : source, here)

/** What to do where a file is not; undefined where it is there. */
export const missing = (file: URL): string | undefined => {
  const at = fileURLToPath(file)
  if (existsSync(at)) return undefined
  const folder = path.dirname(at)
  return bundled
    ? `There is no ${path.basename(at)} in ${folder}: a bundle needs ${
      [...new Set([...names, path.basename(at)])].join(" and ")
    } beside it; copy both there from node_modules/troupe/dist.`
    : `There is no ${at}: make it with \`npm run build\`.`
}
