/**
 * Imports the module of an environment, wherever it lies, or says in one sentence why it cannot be.
 *
 * A file outside any project finds no package `troupe`: there it gets the one that is running. A mistake in a file is told
 * with its line, also where the engine keeps that to itself.
 */
import * as Effect from "effect/Effect"
import { execFile } from "node:child_process"
import * as module from "node:module"
import { dirname } from "node:path"
import { fileURLToPath, pathToFileURL } from "node:url"
import { fromHere, shown, thrownPlace, thrownWords } from "./thrown.ts"

/** Why a module could not be imported: what it threw, and that as the end of a sentence. */
export interface ImportFault {
  readonly cause: unknown
  readonly problem: string
}

/** Imports a module by its URL. */
export const importModule = (url: string): Effect.Effect<object, ImportFault> => {
  provide()
  return Effect.tryPromise({
    try: (): Promise<object> => import(url),
    catch: (cause) => cause
  }).pipe(
    Effect.catch((cause) =>
      Effect.flatMap(problemOf(cause, url), (problem) => Effect.fail<ImportFault>({ cause, problem }))
    )
  )
}

// ------------------------------------------------------------------------------------------- the package itself

let provided = false
/** The module whose text was read last: where an import fails by its syntax, it is that one. */
let read: string | undefined

/** From now on whoever imports `troupe` and has none of its own gets this one. */
const provide = (): void => {
  if (provided) return
  provided = true
  const own = module.createRequire(import.meta.url)
  module.registerHooks({
    resolve: (specifier, context, next) => {
      if (!/^troupe(?:\/|$)/.test(specifier)) return next(specifier, context)
      try {
        return next(specifier, context)
      } catch (cause) {
        if (!["ERR_MODULE_NOT_FOUND", "MODULE_NOT_FOUND"].includes(String(codeOf(cause)))) throw cause
        if (!context.conditions.includes("require")) return next(specifier, { ...context, parentURL: import.meta.url })
        return { url: pathToFileURL(own.resolve(specifier)).href, shortCircuit: true }
      }
    },
    load: (url, context, next) => {
      read = url
      return next(url, context)
    }
  })
}

// ------------------------------------------------------------------------------------------- why it failed

const codeOf = (cause: unknown): unknown => {
  try {
    return typeof cause === "object" && cause !== null && "code" in cause ? cause.code : undefined
  } catch {
    return undefined
  }
}

const problemOf = (cause: unknown, url: string): Effect.Effect<string> => {
  const code = codeOf(cause)
  const known = typeof code === "string" ? byCode[code]?.(messageOf(cause), url) : undefined
  if (known !== undefined) return Effect.succeed(known)
  if (isSyntaxError(cause)) return syntaxProblem(cause)
  const place = thrownPlace(cause)
  return Effect.succeed(`its module threw ${thrownWords(cause)}${place === undefined ? "" : ` (at ${place})`}`)
}

const messageOf = (cause: unknown): string => cause instanceof Error ? cause.message : ""

/** The path in a message of Node's, which writes some as URLs. */
const pathOf = (file: string): string => file.startsWith("file:") ? fileURLToPath(file) : file

const fileOf = (url: string): string => url.startsWith("file:") ? fromHere(fileURLToPath(url)) : url

const notInstalled = (name: string, importer: string): string =>
  /^[./]/.test(name)
    ? `${fromHere(importer)} imports ${name}, which is not there`
    : `${fromHere(importer)} imports the package ${shown(name)}, which is not installed there: ` +
      `run npm install ${name} in ${dirname(importer)}`

/** What Node says in many words, by its code. `undefined`: nothing better is known. */
const byCode: Readonly<Record<string, (message: string, url: string) => string | undefined>> = {
  ERR_MODULE_NOT_FOUND: (message, url) => {
    const [, name, importer] = /^Cannot find package '([^']+)' imported from (.+)$/.exec(message) ?? []
    if (name !== undefined && importer !== undefined) {
      return notInstalled(name, pathOf(importer))
    }
    const [, path, from] = /^Cannot find module '([^']+)' imported from (.+)$/.exec(message) ?? []
    if (path === undefined || from === undefined) return undefined
    const wanted = pathOf(path)
    if (pathToFileURL(wanted).href === url) return `there is no file ${fromHere(wanted)}`
    return `${fromHere(pathOf(from))} imports ${fromHere(wanted)}, which is not there`
  },
  MODULE_NOT_FOUND: (message) => {
    const [, name, importer] = /^Cannot find module '([^']+)'\nRequire stack:\n- (.+)/.exec(message) ?? []
    if (name === undefined || importer === undefined) return undefined
    return notInstalled(name, importer)
  },
  ERR_UNSUPPORTED_DIR_IMPORT: (_, url) => `${fileOf(url)} is a folder: name the file`,
  ERR_UNSUPPORTED_ESM_URL_SCHEME: () => "Node imports files alone: download it, and name the file",
  ERR_UNKNOWN_FILE_EXTENSION: (_, url) =>
    `Node runs no file of this kind (${fileOf(url)}): give it the extension .ts or .js`,
  ERR_UNSUPPORTED_NODE_MODULES_TYPE_STRIPPING: (_, url) =>
    `Node runs no TypeScript below node_modules (${fileOf(url)}): move the file, or compile it to JavaScript`
}

const isSyntaxError = (cause: unknown): cause is SyntaxError => {
  try {
    return cause instanceof SyntaxError
  } catch {
    return false
  }
}

/** What to write instead of what Node does not run as it is. */
const instead: ReadonlyArray<readonly [said: RegExp, advice: string]> = [
  [/TypeScript enum/, "write a const object instead"],
  [/TypeScript (?:namespace|module)/, "write a module or an object instead"],
  [/parameter propert/, "declare the field and assign it in the constructor"],
  [/import equals|import =/, "write import ... from"],
  [/export assignment|export =/, "write export default"],
  [/does not provide an export named/, "if it is a type, write import type"]
]

interface Located {
  readonly place: string
  /** The line of the file. */
  readonly line: string
}

/** The place of a syntax error is the head of its stack, where it is told at all; else the file is read once more. */
const syntaxProblem = Effect.fnUntraced(function*(cause: SyntaxError) {
  const told = locatedIn(cause.stack ?? "") ?? (read?.startsWith("file:") === true
    ? yield* locate(fileURLToPath(read))
    : undefined)
  const message = cause.message.trim()
  const decorator = told !== undefined && /^\s*@/.test(told.line)
  const advice = decorator
    ? "Node runs no decorators: write a function call"
    : instead.find(([said]) => said.test(message))?.[1]
  const where = told === undefined ? (read === undefined ? "" : `${fileOf(read)}: `) : `${told.place}: `
  return `${where}${thrownWords(new SyntaxError(message))}${advice === undefined ? "" : ` (${advice})`}`
})

const locatedIn = (text: string): Located | undefined => {
  const [, path, at, line = ""] = /^((?:file:\/\/)?(?:\/|[A-Za-z]:[\\/])[^\n]*?):(\d+)\n(?:([^\n]*))?/.exec(text) ?? []
  if (path === undefined || at === undefined) return undefined
  return { place: `${fileOf(path.startsWith("file:") ? path : pathToFileURL(path).href)}:${at}`, line }
}

/** Milliseconds that looking for the line may take. */
const checkMillis = 5000

/** Reads a module without running it, and dies of what is wrong with it, with the line on its last breath. */
const reader = `
  const { readFileSync } = require("node:fs")
  const { stripTypeScriptTypes } = require("node:module")
  const { SourceTextModule } = require("node:vm")
  const file = process.argv[1]
  const text = readFileSync(file, "utf8")
  new SourceTextModule(/ts$/.test(file) ? stripTypeScriptTypes(text) : text, { identifier: file })
`

/** Where the engine finds a file's mistake. It says so to nobody but standard error, so another process looks. */
const locate = (file: string): Effect.Effect<Located | undefined> =>
  Effect.callback((resume) => {
    const child = execFile(
      process.execPath,
      ["--no-warnings", "--experimental-vm-modules", "-e", reader, file],
      { timeout: checkMillis },
      (_, __, said) => resume(Effect.succeed(locatedIn(said)))
    )
    return Effect.sync(() => child.kill())
  })
