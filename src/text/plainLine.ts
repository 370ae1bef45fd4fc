/**
 * Text that comes from outside (a flag, a file's name, what an environment threw) as a line for people. Nothing in it
 * moves the cursor, changes colors, turns the direction of writing or begins a line of its own, and it is never long:
 * what a terminal would obey is written as an escape, and of a long text the middle is left out.
 */

/** Control and format characters (bidirectional marks among them), line and paragraph separators, halves of pairs. */
const unsafe = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u

const everyUnsafe = new RegExp(unsafe.source, "gu")

const named: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" }

const escaped = (character: string): string => {
  if (!unsafe.test(character)) return character
  const code = character.codePointAt(0)!
  const hex = code.toString(16)
  return named[character] ??
    (code < 0x100 ? `\\x${hex.padStart(2, "0")}` : code < 0x10000 ? `\\u${hex.padStart(4, "0")}` : `\\u{${hex}}`)
}

/** As many of the characters, escaped, as fit into `room`. */
const fitting = (characters: Iterable<string>, room: number): ReadonlyArray<string> => {
  const taken: Array<string> = []
  let used = 0
  for (const character of characters) {
    const shown = escaped(character)
    used += shown.length
    if (used > room) break
    taken.push(shown)
  }
  return taken
}

const gap = " ... "

/** One line of at most `limit` characters (20 or more): two thirds of a longer text's beginning, and its end. */
export const plainLine = (text: string, limit = 1000): string => {
  if (text.length <= limit) {
    const whole = fitting(text, limit * 10).join("")
    if (whole.length <= limit) return whole
  }
  const room = limit - gap.length
  const head = fitting(text, Math.ceil(room * 2 / 3))
  const tail = fitting(Array.from(text.slice(-limit)).toReversed(), Math.floor(room / 3))
  return `${head.join("")}${gap}${tail.toReversed().join("")}`
}

/** JSON text as it is, but for characters that a terminal would obey: these become escapes of JSON's own. */
export const plainJson = (json: string): string =>
  json.replaceAll(
    everyUnsafe,
    (characters) => Array.from(characters, escapedUnits).join("")
  )

const escapedUnits = (character: string): string => {
  let text = ""
  for (let i = 0; i < character.length; i++) {
    text += `\\u${character.charCodeAt(i).toString(16).padStart(4, "0")}`
  }
  return text
}

/** What was thrown, as text; whatever it is, asking it does not throw again. */
export const thrownText = (thrown: unknown): string => {
  try {
    if (thrown instanceof Error) return String(thrown.message)
    return String(thrown)
  } catch {
    return "something that has no text"
  }
}
