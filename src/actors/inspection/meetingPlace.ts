/**
 * Where running programs can be asked: a folder of sockets that only its owner may open. The path of a socket is limited to
 * 108 bytes on Linux (104 on macOS), so it is kept short. On Windows there are named pipes instead.
 */
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"

const isWindows = process.platform === "win32"
const pipes = "\\\\.\\pipe\\"
const prefix = "troupe-ps-"

/** Bytes that a socket's path may have everywhere. */
const longest = 100

/** The folder: in the user's own runtime folder where there is one, else among the temporary files. */
const folder = (): string => {
  const own = process.getuid?.() ?? os.userInfo().username
  const candidates = [process.env["XDG_RUNTIME_DIR"], os.tmpdir(), "/tmp"]
    .filter((base) => base !== undefined && path.isAbsolute(base) && fs.existsSync(base))
    .map((base) => path.join(base!, `troupe-${own}`))
  return candidates.find((place) => Buffer.byteLength(place) + 32 < longest) ?? `/tmp/troupe-${own}`
}

/** Why the folder is not to be trusted, as the end of a sentence; undefined where all is well. */
const problemOf = (place: string): string | undefined => {
  const found = fs.lstatSync(place)
  if (!found.isDirectory()) return "is no folder"
  if (found.uid !== process.getuid?.()) return "belongs to somebody else"
  return (found.mode & 0o077) === 0 ? undefined : "can be opened by others"
}

/** An address that this process can listen at. Makes the folder. Throws where that cannot be, or is not to be trusted. */
export const address = (serial: number): string => {
  const name = `${process.pid}-${serial}`
  if (isWindows) return `${pipes}${prefix}${name}`
  const place = folder()
  fs.mkdirSync(place, { recursive: true, mode: 0o700 })
  const problem = problemOf(place)
  if (problem !== undefined) throw new Error(`${place} ${problem}`)
  return path.join(place, name)
}

/** Every address that somebody may be listening at. Throws where the folder is not to be trusted. */
export const addresses = (): ReadonlyArray<string> => {
  if (isWindows) return fs.readdirSync(pipes).filter((name) => name.startsWith(prefix)).map((name) => pipes + name)
  const place = folder()
  if (!fs.existsSync(place)) return []
  const problem = problemOf(place)
  if (problem !== undefined) throw new Error(`${place} ${problem}`)
  return fs.readdirSync(place).filter((name) => /^\d+-\d+$/.test(name)).map((name) => path.join(place, name))
}

/** Whether the process that listened there is gone. */
export const isDead = (at: string): boolean => {
  const pid = Number(/(\d+)-\d+$/.exec(at)?.[1])
  try {
    process.kill(pid, 0)
    return false
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "ESRCH"
  }
}

/** Removes what a process has left that is gone, or is about to go, and the folder with the last. */
export const remove = (at: string): void => {
  if (isWindows) return
  fs.rmSync(at, { force: true })
  try {
    fs.rmdirSync(path.dirname(at))
  } catch {
    // Others are there, or somebody was quicker.
  }
}
