/** How this program is called, for the commands that it tells people to type. */
import * as path from "node:path"

/** `npm start --` in a checkout, `troupe` where it is installed for all, `npx troupe` where it is part of a project. */
export const programName = (started: string = process.argv[1] ?? ""): string => {
  if (/^start\.[jt]s$/.test(path.basename(started))) return "npm start --"
  const everywhere = path.basename(started) === "troupe" && path.basename(path.dirname(started)) !== ".bin"
  return everywhere ? "troupe" : "npx troupe"
}
