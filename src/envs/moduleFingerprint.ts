/**
 * What a module is, before any of it is run: the file, and a fingerprint over it and over every file of one's own that it
 * imports. Packages of `node_modules` are not followed.
 *
 * Files are found by reading, not by running: every text in quotes that is a path of an existing module counts, a comment's
 * too. So it may cover more than what is loaded, and misses only what is put together while it runs.
 */
import { createHash } from "node:crypto"
import * as fs from "node:fs"
import { createRequire } from "node:module"
import * as path from "node:path"
import { fileURLToPath, pathToFileURL } from "node:url"

/** A module that lies in a file. */
export interface ModuleSource {
  /** Where it really lies, whatever links lead there. */
  readonly file: string
  /** SHA-256 over its files, their names relative to it. */
  readonly fingerprint: string
}

/** A text in quotes that begins as a path does. */
const pathPattern = /(?<=["'`])(?:\.{1,2}(?=["'`])|(?:\.{1,2}\/|\/|file:|#)[^"'`\n]{1,1000}(?=["'`]))/g
/** What is imported by another name: a package, which may lie among one's own files. */
const namePattern = /\b(?:from|import|require)\s*\(?\s*["'`]([^"'`\n]{1,300})["'`]/g
const modulePattern = /\.(?:[cm]?[jt]sx?|json|wasm|node)$/i

const isFile = (file: string): boolean => fs.statSync(file, { throwIfNoEntry: false })?.isFile() === true

const attempt = (find: () => string): string | undefined => {
  try {
    return find()
  } catch {
    return undefined
  }
}

/** The file that a specifier in `importer` names, where there is one. */
const resolve = (specifier: string, importer: string): string | undefined => {
  const isPath = /^(?:\.|\/|file:)/.test(specifier)
  const direct = isPath ? attempt(() => fileURLToPath(new URL(specifier, pathToFileURL(importer)))) : undefined
  const file = direct !== undefined && isFile(direct)
    ? direct
    : attempt(() => createRequire(importer).resolve(specifier))
  if (file === undefined || !path.isAbsolute(file) || !modulePattern.test(file)) return undefined
  const real = attempt(() => fs.realpathSync(file))
  return real === undefined || real.split(path.sep).includes("node_modules") || !isFile(real) ? undefined : real
}

const imports = (text: string, importer: string): ReadonlyArray<string> =>
  [...text.matchAll(pathPattern)].map(([specifier]) => specifier).concat(
    [...text.matchAll(namePattern)].map(([, specifier]) => specifier!)
  ).flatMap((specifier) => resolve(specifier, importer) ?? [])

/** The module in a file; undefined where there is no such file, or it cannot be read. */
export const moduleSource = (file: string): ModuleSource | undefined =>
  attemptSource(() => {
    const main = fs.realpathSync(file)
    const contents = new Map<string, Buffer>()
    const waiting = [main]
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      if (contents.has(next)) continue
      const bytes = fs.readFileSync(next)
      contents.set(next, bytes)
      if (/\.[cm]?[jt]sx?$/i.test(next)) waiting.push(...imports(bytes.toString(), next))
    }
    const named = [...contents].map(([file, bytes]) =>
      [path.relative(path.dirname(main), file).replaceAll(path.sep, "/"), bytes] as const
    )
    const hash = createHash("sha256")
    for (const [name, bytes] of named.toSorted(([a], [b]) => a < b ? -1 : 1)) {
      hash.update(`${name}\0${bytes.length}\0`).update(bytes)
    }
    return { file: main, fingerprint: hash.digest("hex") }
  })

const attemptSource = (read: () => ModuleSource): ModuleSource | undefined => {
  try {
    return read()
  } catch {
    return undefined
  }
}
