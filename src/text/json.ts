/**
 * JSON that comes from outside: a file's header, a file of settings. It is read by schemas that go as deep as the text
 * does, so text that is nested deeper than anything this program writes is refused before it is parsed.
 */
import * as Schema from "effect/Schema"

/** How deep objects and arrays may be nested. */
export const deepest = 64

/** How deep the text nests objects and arrays at its deepest. Stops counting where it is too deep. */
const depthOf = (text: string): number => {
  let depth = 0
  let most = 0
  let inString = false
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (inString) {
      if (code === 0x5c) i++
      else if (code === 0x22) inString = false
    } else if (code === 0x22) inString = true
    else if (code === 0x5b || code === 0x7b) {
      most = Math.max(most, ++depth)
      if (most > deepest) return most
    } else if (code === 0x5d || code === 0x7d) depth--
  }
  return most
}

const Shallow = Schema.String.check(
  Schema.makeFilter((text: string) => depthOf(text) <= deepest || `JSON nested at most ${deepest} deep`)
)

/** Text that is JSON of `schema`. */
export const fromJson = <S extends Schema.Constraint>(schema: S) =>
  Shallow.pipe(Schema.decodeTo(Schema.fromJsonString(schema)))
