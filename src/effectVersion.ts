/**
 * Which Effect this package stands on, and whether it is there. A program and its libraries share one copy, the program's
 * own; with another major version beside it values of the one would wait for ever in the other. So the package's entries
 * ask here before they load a line of Effect: a version that lacks a module would fail with that module's name.
 */
import { readFileSync } from "node:fs"
import { createRequire } from "node:module"

/** The versions this package works with; `package.json` says the same of its peers. */
export const effectRange = "^4.1.0"

/** Whether a version lies in the range. What comes before a release is none. */
export const fits = (version: string): boolean => {
  const [, major, minor] = /^(\d+)\.(\d+)\.\d+(?:\+.*)?$/.exec(version) ?? []
  return Number(major) === 4 && Number(minor) >= 1
}

const refuse = (found: string): Error => {
  const { stackTraceLimit } = Error
  // Where this was found out is of no use to whoever reads it.
  Error.stackTraceLimit = 0
  const error = new Error(
    `Troupe needs effect ${effectRange} and ${found}: npm install effect@${effectRange} @effect/platform-node@${effectRange}`
  )
  Error.stackTraceLimit = stackTraceLimit
  return error
}

/** Throws one sentence where the Effect that a module of this package would import is not one it works with. */
export const requireEffect = (from: string = import.meta.url): void => {
  let file: string
  try {
    file = createRequire(from).resolve("effect/package.json")
  } catch {
    throw refuse("finds none")
  }
  const manifest: unknown = JSON.parse(readFileSync(file, "utf8"))
  const version = typeof manifest === "object" && manifest !== null && "version" in manifest
    ? String(manifest.version)
    : "unknown"
  if (!fits(version)) throw refuse(`finds ${version} (${file})`)
}
