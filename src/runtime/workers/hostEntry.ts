/**
 * Where a host thread begins, and which build it belongs to. From the sources the entry is the TypeScript file beside
 * this one; a bundle finds the bundled entry beside itself. Both carry the build's id, and a host of another build is
 * refused: different kernels or algorithms would change the weights without a word.
 */

declare const __BUILD_ID__: string | undefined

/** The build these lines belong to; `source` when run from the sources. */
export const buildId = typeof __BUILD_ID__ === "undefined" ? "source" : __BUILD_ID__

/** The module that a host thread runs. */
export const hostEntry = new URL(import.meta.url.endsWith(".ts") ? "./host.ts" : "./host.js", import.meta.url)
