/**
 * Writes the tables of settings into `docs/configuration.md`, between their two markers, from the one table that the
 * command line, the environment variables, the JSON file and the library share (`src/runtime/config/RunConfig.ts`).
 *
 *     node scripts/document-options.ts            rewrites the page
 *     node scripts/document-options.ts --check    exits with 1 where the page is stale
 */
import * as fs from "node:fs"
import { fileURLToPath } from "node:url"
import { ownersOf } from "../src/runtime/config/algorithmSettings.ts"
import { presets } from "../src/runtime/config/presets.ts"
import { flagName, type OptionName, optionNames, options, variableName } from "../src/runtime/config/RunConfig.ts"

/** The page that holds the tables. */
export const page = new URL("../docs/configuration.md", import.meta.url)

const begin = "<!-- settings: written by scripts/document-options.ts -->"
const end = "<!-- end of settings -->"

const { a2c, ...others } = presets

const code = (text: string): string => `\`${text}\``

const row = (cells: ReadonlyArray<string>): string =>
  `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`

const table = (titles: ReadonlyArray<string>, rows: ReadonlyArray<ReadonlyArray<string>>): string =>
  [titles, titles.map(() => "---"), ...rows].map(row).join("\n")

const show = (value: unknown): string => code(Array.isArray(value) ? value.join(",") : String(value))

const flagsOf = (name: OptionName): string => {
  const option = options[name]
  const flags = [flagName(name), ...("alias" in option && option.alias !== undefined ? [option.alias] : [])]
  const negated = option.kind === "boolean" ? [`no-${flagName(name)}`] : []
  return [...flags, ...negated].map((flag) => code(`--${flag}`)).join(", ")
}

const settings = (): string =>
  table(
    ["setting", "flag", "variable", "default", "of", "takes", "meaning"],
    optionNames.map((name) => [
      code(name),
      flagsOf(name),
      code(variableName(name)),
      name === "workers" ? "the cores" : show(a2c[name]),
      ownersOf(name).length === 0 ? "all" : ownersOf(name).join(", "),
      options[name].expected,
      options[name].help
    ])
  )

/** What each preset changes of `a2c`: a column each, empty where it changes nothing. */
const differences = (): string =>
  table(
    ["setting", "a2c", ...Object.keys(others)].map((title, i) => i === 0 ? title : code(title)),
    optionNames.flatMap((name) => {
      if (name === "workers" || name === "preset") return []
      const ours = show(a2c[name])
      const theirs = Object.values(others).map((preset) => show(preset[name])).map((value) =>
        value === ours ? "" : value
      )
      return theirs.every((value) => value === "") ? [] : [[code(name), ours, ...theirs]]
    })
  )

/** The page with its tables as they should be. Fails where the markers are missing. */
export const documented = (text: string): string => {
  const from = text.indexOf(begin)
  const to = text.indexOf(end)
  if (from < 0 || to < from) throw new Error(`docs/configuration.md needs the markers ${begin} and ${end}`)
  const tables = `${settings()}\n\nWhat the other presets change; an empty field is as in \`a2c\`:\n\n${differences()}`
  return `${text.slice(0, from)}${begin}\n\n${tables}\n\n${text.slice(to)}`
}

// `import.meta.main` is too new for the oldest Node this runs on.
if (process.argv[1] !== undefined && fs.realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const text = fs.readFileSync(page, "utf8")
  const wanted = documented(text)
  if (!process.argv.includes("--check")) fs.writeFileSync(page, wanted)
  else if (text !== wanted) {
    process.stderr.write("docs/configuration.md is stale: run node scripts/document-options.ts\n")
    process.exitCode = 1
  }
}
