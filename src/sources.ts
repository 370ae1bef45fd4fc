/**
 * What this program was made from, as one hash: two machines that have the same one run the same code, whatever else they
 * differ in. A bundle carries it from its build; from the sources it is computed when somebody asks.
 */
import { createHash } from "node:crypto"
import * as fs from "node:fs"
import * as path from "node:path"
import { fileURLToPath } from "node:url"

declare const __BUILD_ID__: string | undefined

/** The files of a folder and of those within, in their order. */
export const filesUnder = (folder: string): ReadonlyArray<string> =>
  fs.readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name))
    .toSorted()

/** A hash over files, their names relative to `root`, and texts. */
export const hashOf = (root: string, files: ReadonlyArray<string>, ...more: ReadonlyArray<string>): string => {
  const hash = createHash("sha256")
  for (const file of files) {
    const contents = fs.readFileSync(file)
    hash.update(`${path.relative(root, file).replaceAll(path.sep, "/")}\0${contents.length}\0`).update(contents)
  }
  for (const text of more) hash.update(`\0${text}`)
  return hash.digest("hex").slice(0, 32)
}

/** The hash of everything that a build of the sources in `root` is made from. A few milliseconds. */
export const fingerprint = (root: string): string =>
  hashOf(root, [
    ...filesUnder(path.join(root, "src")),
    path.join(root, "scripts", "build.ts"),
    path.join(root, "package-lock.json")
  ])

let own: string | undefined

/** The hash of what runs here. */
export const sourcesHash = (): string =>
  own ??= typeof __BUILD_ID__ === "undefined"
    ? fingerprint(fileURLToPath(new URL("..", import.meta.url)))
    : __BUILD_ID__
