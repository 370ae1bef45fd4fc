/**
 * A file is data: a weights file, a checkpoint, a recording or a file of settings may name an environment, and nothing is
 * run because of that. What a file names is loaded only if it is
 *
 * - a registered id, or one of Gymnasium's, or
 * - a module that the person names too, with `--env-id` in the same call (or its variable), or
 * - a module whose fingerprint is the one recorded in a run's folder that lies in the project one works in.
 *
 * Everything that takes an environment's name from a file asks here, before anything is imported.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as fs from "node:fs"
import * as path from "node:path"
import { gymnasiumId, isGymnasium } from "../../envs/gymnasium/reference.ts"
import { isModule, moduleFile } from "../../envs/loadEnvironment.ts"
import { moduleSource } from "../../envs/moduleFingerprint.ts"
import { splitReference } from "../../envs/options.ts"
import { Registry } from "../../envs/Registry.ts"
import { plainLine } from "../../text/plainLine.ts"

/** An environment as a file names it. */
export interface NamedEnvironment {
  /** The file that names it. */
  readonly file: string
  /** A registered id, or a module. */
  readonly reference: string
  /** The fingerprint that the file has of the module. */
  readonly fingerprint?: string | undefined
  /** The run's folder that the file lies in, if it lies in one. */
  readonly folder?: string | undefined
  /** The person has said that it may have changed. */
  readonly changed?: boolean | undefined
}

/** A module that is not run, since a file alone names it. */
export class UnconfirmedEnvironment extends Schema.TaggedError<UnconfirmedEnvironment>()("UnconfirmedEnvironment", {
  file: Schema.String,
  reference: Schema.String,
  reason: Schema.String
}) {
  override get message(): string {
    const named = moduleFile(this.reference) === undefined ? "yourself" : shellWord(plainLine(this.reference, 200))
    return `${plainLine(this.file, 200)} names the environment "${plainLine(this.reference, 200)}", and a file runs ` +
      `nothing by itself: ${this.reason}. If you trust it, name it ${named === "yourself" ? named : "too"} with ` +
      `--env-id${named === "yourself" ? "" : ` ${named}`}.`
  }
}

/** A word as a shell takes it. */
export const shellWord = (word: string): string =>
  /^[\w./:@%+=,-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`

/** Whether `inner` lies in the folder `outer`, or is it. */
const within = (outer: string, inner: string): boolean => {
  const way = path.relative(outer, inner)
  return way === "" || (!path.isAbsolute(way) && way.split(path.sep)[0] !== "..")
}

const realPath = (place: string): string | undefined => {
  try {
    return fs.realpathSync(place)
  } catch {
    return undefined
  }
}

/**
 * The project of a folder: the nearest folder upwards with a package.json, unless that is another person's; the folder
 * itself where there is none.
 */
export const projectOf = (folder: string): string => {
  const user = process.getuid?.()
  for (let at = folder;; at = path.dirname(at)) {
    const manifest = fs.statSync(path.join(at, "package.json"), { throwIfNoEntry: false })
    if (manifest?.isFile() === true && (user === undefined || manifest.uid === user || manifest.uid === 0)) return at
    if (path.dirname(at) === at) return folder
  }
}

/** Why the person has not confirmed the module; undefined where they have. */
const doubt = ({ changed, fingerprint, folder, reference }: NamedEnvironment): string | undefined => {
  const file = moduleFile(reference)
  if (file === undefined) return "it is no file of this machine"
  if (folder === undefined) return "it is a module, and not one that a run of this project was trained with"
  const real = realPath(folder)
  const project = projectOf(realPath(process.cwd()) ?? process.cwd())
  if (real === undefined || !within(project, real)) {
    return `it is a module, and the run's folder is not in this project (${plainLine(project, 200)})`
  }
  if (fingerprint === undefined) return "it is a module, and there is no fingerprint of it"
  const source = moduleSource(file)
  if (source === undefined) return "it is a module that is not there, or cannot be read"
  if (within(real, source.file)) return "it is a module in the run's own folder, which holds data"
  if (source.fingerprint !== fingerprint && changed !== true) {
    return "it is a module that has changed since, or something it imports has"
  }
  return undefined
}

/** Lets an environment pass that a file names: a registered id, or a module that the person has confirmed. */
export const confirmEnvironment = Effect.fnUntraced(function*(named: NamedEnvironment) {
  const { file, reference } = named
  const { base } = splitReference(reference)
  if (isGymnasium(base)) {
    const { module } = gymnasiumId(base)
    if (module === undefined) return
    const reason = `it imports the Python module ${plainLine(module, 100)}`
    return yield* new UnconfirmedEnvironment({ file, reference, reason })
  }
  if (!isModule(reference)) return yield* Effect.asVoid(Registry.lookup(base))
  const reason = yield* Effect.sync(() => doubt(named))
  if (reason !== undefined) return yield* new UnconfirmedEnvironment({ file, reference, reason })
})
