/**
 * Packages that are not part of the installation: where they are looked for, how they are imported, and how it is told
 * that a device cannot be had without them. No types of theirs are named here, so that what imports this module does not
 * need them either.
 */
import * as Context from "effect/Context"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import { existsSync, readFileSync, realpathSync } from "node:fs"
import { createRequire } from "node:module"
import * as path from "node:path"
import { fileURLToPath, pathToFileURL } from "node:url"
import { fromJson } from "../../text/json.ts"

/**
 * Files beside whose `node_modules` packages are looked for: that of this program's package, that of the folder in which it
 * is itself installed among others, and that of the current folder. No others: a folder further up may be anybody's.
 */
export const PackageFolders = Context.Reference<ReadonlyArray<string>>("troupe/model/PackageFolders", {
  defaultValue: () => [...installation(fileURLToPath(import.meta.url)), path.join(process.cwd(), "package.json")]
})

/** In the folder of the package that a file belongs to, and in the one in whose `node_modules` that lies. */
const installation = (file: string): ReadonlyArray<string> => {
  let root = path.dirname(file)
  while (!existsSync(path.join(root, "package.json"))) {
    if (path.dirname(root) === root) return []
    root = path.dirname(root)
  }
  const parts = root.split(path.sep)
  const at = parts.lastIndexOf("node_modules")
  const folders = at < 0 ? [root] : [root, parts.slice(0, at).join(path.sep) || path.sep]
  return folders.map((folder) => path.join(folder, "package.json"))
}

const Manifest = fromJson(Schema.Struct({ version: Schema.String }))

/** A package that was found, before anything of it was run. */
export interface FoundPackage {
  /** The file that is imported. */
  readonly file: string
  readonly version: string
}

const beside = (id: string, place: string): FoundPackage | undefined => {
  const own = path.join(path.dirname(place), "node_modules", id)
  try {
    const { version } = Schema.decodeUnknownSync(Manifest)(readFileSync(path.join(own, "package.json"), "utf8"))
    const file = createRequire(place).resolve(id)
    // Node goes further up where a package is there but has no such file.
    return realpathSync(file).startsWith(realpathSync(own) + path.sep) ? { file, version } : undefined
  } catch {
    return undefined
  }
}

/** A package beside the first of the places that has it. */
export const locate = (id: string, places: ReadonlyArray<string>): FoundPackage | undefined => {
  for (const place of places) {
    const found = beside(id, place)
    if (found !== undefined) return found
  }
  return undefined
}

/** Where a package finds others: within it, and where it is installed. */
export const placesOf = (file: string): ReadonlyArray<string> => installation(realpathSync(file))

/** The module in a file; that of CommonJS is its default export. */
export const importFile = async (file: string): Promise<object> => {
  const module: unknown = await import(pathToFileURL(file).href)
  const inner = Predicate.hasProperty(module, "default") ? module.default : module
  if (!Predicate.isObject(inner)) throw new Error(`${file} is not a module`)
  return inner
}

/**
 * The library that finds Vulkan drivers, which WebGPU needs on Linux; undefined where it needs none. Tests name one that
 * is not there.
 */
export const VulkanLibrary = Context.Reference<string | undefined>("troupe/model/VulkanLibrary", {
  defaultValue: () => process.platform === "linux" ? "libvulkan.so.1" : undefined
})

/** Why a device cannot be had, and the command that installs what is missing, where something is. */
export class NotLoaded extends Schema.TaggedError<NotLoaded>()("NotLoaded", {
  device: Schema.String,
  /** Completes the sentence "… is not available: …". */
  reason: Schema.String,
  command: Schema.optionalKey(Schema.String)
}) {
  override get message(): string {
    return `Device "${this.device}" is not available: ${this.reason}.`
  }
}
