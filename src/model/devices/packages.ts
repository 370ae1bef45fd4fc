/**
 * Packages that are not part of the installation: where they are looked for, how they are imported, and how it is told
 * that a device cannot be had without them. No types of theirs are named here, so that what imports this module does not
 * need them either.
 */
import * as Context from "effect/Context"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import { createRequire } from "node:module"
import * as path from "node:path"
import { pathToFileURL } from "node:url"

/**
 * Where packages are looked for: files or URLs that they would be imported from. By default this program's own place,
 * then the current folder, so that a package installed beside one's own program is found too.
 */
export const PackageFolders = Context.Reference<ReadonlyArray<string>>("troupe/model/PackageFolders", {
  defaultValue: () => [import.meta.url, path.join(process.cwd(), "package.json")]
})

/** The file of a package, seen from the first of the places that has it. */
export const locate = (id: string, from: ReadonlyArray<string>): string | undefined => {
  for (const place of from) {
    try {
      return createRequire(place).resolve(id)
    } catch {
      // Not there; the next may have it.
    }
  }
  return undefined
}

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
