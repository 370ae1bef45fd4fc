/** Figures as they go into the documentation: tables between markers, and the README's rows about Troupe. */
import { comparison } from "./comparison.ts"
import type { Results } from "./index.ts"
import { type Figure, show, tables } from "./report.ts"

/**
 * `docs/performance.md` with each part's tables between its markers, `<!-- bench: training -->` and `<!-- end -->`, below the
 * machine and the day that they are of. What was not measured stays as it was.
 */
export const documented = (text: string, { machine, parts }: Results): string => {
  const put = (page: string, name: string, content: string): string => {
    const begin = `<!-- bench: ${name} -->`
    const from = page.indexOf(begin)
    const to = page.indexOf("<!-- end -->", from)
    if (from < 0 || to < 0) throw new Error(`docs/performance.md has no place for ${name}: ${begin} and <!-- end -->`)
    return `${page.slice(0, from)}${begin}\n\n${content}\n\n${page.slice(to)}`
  }
  const { cores, memory_gib: memory, model, node, platform } = machine
  const where = `${cores} cores (${model}), ${memory} GiB, ${platform}, Node ${node}`
  const all = parts.flatMap(({ figures }) => figures)
  return parts.reduce(
    (page, { at, figures, part }) =>
      put(page, part, `*${where}, ${at.slice(0, 10)}*\n\n${part === "peers" ? comparison(all) : tables(figures)}`),
    text
  )
}

/** The README with the two rows about Troupe as they were measured. */
export const readmeRows = (text: string, { parts }: Results): string => {
  const figures = parts.flatMap(({ figures }) => figures)
  const find = (table: RegExp, row: string, column: string): Figure | undefined =>
    figures.find((figure) => table.test(figure.table) && figure.row === row && figure.column === column)
  const cell = (figure: Figure | undefined): string => figure === undefined ? "" : show(figure).replace("/s", "")
  const rates = (table: RegExp, row: string): string =>
    `${cell(find(table, row, "2 threads"))} (2 threads), ${cell(find(table, row, "fiber"))} (fibers)`
  const solved = /solved by/
  const rows: ReadonlyArray<readonly [string, ReadonlyArray<string>]> = [
    ["**Troupe, `--n-envs 10`**", [
      rates(/each preset/, "a2c"),
      cell(find(solved, "node's start to the first training step", "median")),
      `**${cell(find(solved, "node's start to solved", "median"))}**`,
      cell(find(solved, "environment steps to solved", "median"))
    ]],
    ["Troupe, the notebook's work (10 × 20 steps, hidden 256)", [
      rates(/notebook's work/, "one update an iteration"),
      "",
      "",
      ""
    ]]
  ]
  return rows.reduce((page, [name, cells]) => {
    const at = page.indexOf(`| ${name} |`)
    if (at < 0) throw new Error(`README.md has no row "${name}"`)
    if (cells.some((text) => text === "****" || text.startsWith(" ("))) return page
    return `${page.slice(0, at)}| ${[name, ...cells].join(" | ")} |${page.slice(page.indexOf("\n", at))}`
  }, text)
}
