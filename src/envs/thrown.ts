/**
 * What an environment's own code threw or gave, in words. It may be anything (null, an error whose message throws, a
 * Proxy that answers nothing), and the sentence about it must come all the same: nothing here throws.
 */
import { isAbsolute, relative } from "node:path"
import { fileURLToPath } from "node:url"
import { inspect, types } from "node:util"
import { plainLine } from "../text/plainLine.ts"

const longest = 300

/** One line, whatever the text holds. */
const oneLine = (text: string): string => plainLine(text.replaceAll(/\s+/g, " ").trim(), longest)

/** A value as a program would write it. */
export const shown = (value: unknown): string => {
  try {
    return oneLine(
      typeof value === "string"
        ? JSON.stringify(value)
        // Without the value's own code: neither getters nor a custom form.
        : inspect(value, {
          depth: 1,
          breakLength: Infinity,
          maxArrayLength: 8,
          maxStringLength: 100,
          customInspect: false
        })
    )
  } catch {
    return "something that cannot be shown"
  }
}

const isError = (value: unknown): value is Error => types.isNativeError(value) || value instanceof Error

/** The name and message of an error; anything else as it is shown. */
export const thrownWords = (cause: unknown): string => {
  try {
    if (!isError(cause)) return shown(cause)
    const name: unknown = cause.name
    const message: unknown = cause.message
    if (typeof name !== "string" || typeof message !== "string") return shown({ name, message })
    return oneLine(message === "" ? name : `${name}: ${message}`)
  } catch {
    return "an error that cannot be shown"
  }
}

/** `path` as the person would write it here. */
export const fromHere = (path: string): string => {
  const near = relative(process.cwd(), path)
  return near.startsWith("..") || isAbsolute(near) ? path : near
}

const ownFolder = new URL(".", import.meta.url).href
const frame = /(?:^|[\s(])((?:file:\/\/)?(?:\/|[A-Za-z]:[\\/])[^()\n]*?:\d+(?::\d+)?)\)?$/

/** Where it was thrown: the first file of a stack that is neither the engine's nor this room's. */
export const thrownPlace = (cause: unknown): string | undefined => {
  try {
    const stack: unknown = isError(cause) ? cause.stack : undefined
    if (typeof stack !== "string") return undefined
    for (const line of stack.split("\n")) {
      const found = frame.exec(line)?.[1]
      if (found === undefined) continue
      const [, file = "", at = ""] = /^(.*?)((?::\d+)+)$/.exec(found) ?? []
      const url = file.startsWith("file://") ? file : `file://${file}`
      if (url.startsWith(ownFolder)) continue
      return fromHere(file.startsWith("file://") ? fileURLToPath(file) : file) + at
    }
    return undefined
  } catch {
    return undefined
  }
}

/**
 * What a wrapper finds wrong with the environment within it. It is told as it is, as whoever steps an environment
 * without wrappers tells it.
 */
export class EnvironmentMistake extends Error {
  readonly _tag = "EnvironmentMistake"
}

/** The words of a mistake; undefined where it is none. By its tag: the wrapper may come from another copy of this module. */
export const mistakeOf = (cause: unknown): string | undefined => {
  try {
    if (!isError(cause) || !("_tag" in cause) || cause._tag !== "EnvironmentMistake") return undefined
    return cause.message
  } catch {
    return undefined
  }
}

/** What was thrown and where, as the end of a sentence that `during` begins. */
export const thrownReason = (during: string, cause: unknown): string => {
  const mistake = mistakeOf(cause)
  if (mistake !== undefined) return mistake
  const place = thrownPlace(cause)
  return `${during} threw ${thrownWords(cause)}${place === undefined ? "" : ` (at ${place})`}`
}
