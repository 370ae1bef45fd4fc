/**
 * Writes a page for each environment that comes with Troupe, `docs/environments/<name>.md`, from the comment at the head of
 * its file and from its definitions.
 *
 *     node scripts/document-environments.ts            rewrites the pages
 *     node scripts/document-environments.ts --check    exits with 1 where one is stale
 */
import * as Effect from "effect/Effect"
import * as fs from "node:fs"
import * as path from "node:path"
import { fileURLToPath } from "node:url"
import type { EnvironmentDefinition } from "../src/envs/EnvironmentDefinition.ts"
import { Registry } from "../src/envs/Registry.ts"

const at = (name: string): string => fileURLToPath(new URL(`../${name}`, import.meta.url))

/** The folder of the pages. */
export const folder: string = at("docs/environments")

/** The comment at the head of a file, without its stars; undefined where there is none of an environment. */
const headOf = (source: string): string | undefined => {
  const comment = /^\/\*\*\n([\s\S]*?)\n \*\//.exec(source)?.[1]
  const text = comment?.replaceAll(/^ \* ?/gm, "")
  return text?.includes("\n## Action space\n") === true ? text : undefined
}

const row = (cells: ReadonlyArray<string>): string => `| ${cells.join(" | ")} |`

const table = (titles: ReadonlyArray<string>, rows: ReadonlyArray<ReadonlyArray<string>>): string =>
  [titles, titles.map(() => "---"), ...rows].map(row).join("\n")

const code = (text: string): string => `\`${text}\``

const registered = (definitions: ReadonlyArray<EnvironmentDefinition>): string =>
  table(
    ["id", "action space", "observation space", "steps at most", "solved at"],
    definitions.map(({ actionSpace, id, maxEpisodeSteps, observationSpace, rewardThreshold }) => [
      code(id),
      code(`${actionSpace}`),
      code(`${observationSpace}`),
      String(maxEpisodeSteps ?? "no limit"),
      String(rewardThreshold ?? "")
    ])
  )

/** Every page by its name: what it should hold. */
export const pages = async (): Promise<ReadonlyMap<string, string>> => {
  const definitions = await Effect.runPromise(
    Effect.flatMap(Registry.ids, (ids) => Effect.forEach(ids, (id) => Registry.lookup(id)))
  )
  const result = new Map<string, string>()
  for (const file of fs.globSync("src/envs/*/*.ts", { cwd: at(".") }).toSorted()) {
    const head = headOf(fs.readFileSync(at(file), "utf8"))
    if (head === undefined) continue
    const name = path.basename(file, ".ts")
    const [first = "", ...rest] = head.split("\n\n")
    const own = definitions.filter(({ id }) => first.includes(code(id)))
    const made = `<!-- Written by scripts/document-environments.ts from ${file.replaceAll(path.sep, "/")}. -->`
    const page = [`# ${name}`, made, first, registered(own), ...rest, "[All environments](../environments.md)"]
    result.set(`${name}.md`, `${page.join("\n\n")}\n`)
  }
  return result
}

// `import.meta.main` is too new for the oldest Node this runs on.
if (process.argv[1] !== undefined && fs.realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  fs.mkdirSync(folder, { recursive: true })
  for (const [name, wanted] of await pages()) {
    const file = path.join(folder, name)
    if (!process.argv.includes("--check")) fs.writeFileSync(file, wanted)
    else if (!fs.existsSync(file) || fs.readFileSync(file, "utf8") !== wanted) {
      process.stderr.write(`docs/environments/${name} is stale: run node scripts/document-environments.ts\n`)
      process.exitCode = 1
    }
  }
}
