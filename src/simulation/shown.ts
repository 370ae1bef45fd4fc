/** Values as sentences show them. */
import { plainLine, thrownText } from "../text/plainLine.ts"

export const shown = (value: unknown): string =>
  plainLine(typeof value === "string" ? `"${value}"` : thrownText(value), 60)
