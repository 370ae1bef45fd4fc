/** Every link of the pages that leads into the project leads to a file that is there, and to a heading that is in it. */
import { assert, describe, it } from "@effect/vitest"
import { existsSync, globSync, readFileSync } from "node:fs"
import * as path from "node:path"
import { fileURLToPath } from "node:url"

const root = fileURLToPath(new URL("../..", import.meta.url))
const pages = ["README.md", "CHANGELOG.md", ...globSync("docs/**/*.md", { cwd: root })]

/** A page without what is code. */
const prose = (page: string): string =>
  readFileSync(path.join(root, page), "utf8").replaceAll(/^```[\s\S]*?^```/gm, "").replaceAll(
    /`[^`\n]*`/g,
    (code) => code.replaceAll(/[[\]()]/g, "_")
  )

/** What a heading is linked by, as GitHub has it. */
const anchorsOf = (page: string): ReadonlySet<string> => {
  const text = readFileSync(path.join(root, page), "utf8").replaceAll(/^```[\s\S]*?^```/gm, "")
  return new Set(
    [...text.matchAll(/^#+ +(.*)$/gm)].map(([, title]) =>
      title!.toLowerCase().replaceAll(/[^\p{L}\p{N}\s_-]/gu, "").trim().replaceAll(" ", "-")
    )
  )
}

const linksOf = (page: string): ReadonlyArray<string> =>
  [...prose(page).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link]) => link!).filter((link) => !/^[a-z]+:/.test(link))

describe("links of the pages", () => {
  it.each(pages)("%s", (page) => {
    for (const link of linksOf(page)) {
      const [file = "", anchor] = link.split("#")
      const target = file === "" ? page : path.join(path.dirname(page), file)
      assert.isTrue(existsSync(path.join(root, target)), `${page} links to ${link}, which is not there`)
      if (anchor === undefined || !target.endsWith(".md")) continue
      assert.isTrue(anchorsOf(target).has(anchor), `${page} links to ${link}: there is no such heading`)
    }
  })

  it("are found", () => {
    assert.isAbove(pages.flatMap(linksOf).length, 100)
  })
})
