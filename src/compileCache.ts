/**
 * What was compiled once is kept for the next start, and for the threads and processes of this one. Compiled code is code:
 * it is kept in a folder of the person's own that nobody else can write to, and not where Node keeps it by default, under a
 * name that everybody knows in the folder for temporary files.
 */
import * as fs from "node:fs"
import * as module from "node:module"
import * as os from "node:os"
import * as path from "node:path"

/** Where programs keep such things on this system. */
const cacheFolder = (): string => {
  const { LOCALAPPDATA, XDG_CACHE_HOME } = process.env
  const home = os.homedir()
  if (process.platform === "win32") return LOCALAPPDATA ?? path.join(home, "AppData", "Local")
  if (process.platform === "darwin") return path.join(home, "Library", "Caches")
  return XDG_CACHE_HOME !== undefined && path.isAbsolute(XDG_CACHE_HOME) ? XDG_CACHE_HOME : path.join(home, ".cache")
}

/** Whether nobody but the person and the administrator can put something into a folder. */
const isOwn = (folder: string): boolean => {
  const { getgid, getuid } = process
  // Windows keeps what is a person's own by itself.
  if (getuid === undefined || getgid === undefined) return true
  const { gid, mode, uid } = fs.statSync(folder)
  return (uid === getuid() || uid === 0) && (mode & 0o002) === 0 && ((mode & 0o020) === 0 || gid === getgid())
}

/** The folder, made where it is missing; undefined where there can be none that is one's own. */
const ownFolder = (): string | undefined => {
  try {
    const base = cacheFolder()
    const folder = path.join(base, "troupe", "compiled")
    fs.mkdirSync(folder, { recursive: true, mode: 0o700 })
    return [path.dirname(base), base, path.dirname(folder), folder].every(isOwn) ? folder : undefined
  } catch {
    return undefined
  }
}

/** Keeps what is compiled from now on; where `NODE_COMPILE_CACHE` says otherwise, as it says. */
export const keepCompiled = (): void => {
  const folder = process.env["NODE_COMPILE_CACHE"] ?? ownFolder()
  if (folder === undefined) return
  module.enableCompileCache(folder)
  process.env["NODE_COMPILE_CACHE"] = folder
}
