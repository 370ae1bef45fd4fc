/**
 * Plants each mistake of the list in a copy of the sources, and looks in how many seeds it is found. The working tree is not
 * touched.
 */
import * as Schema from "effect/Schema"
import { spawn } from "node:child_process"
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import * as path from "node:path"
import { fileURLToPath } from "node:url"
import { type Mutant, mutants } from "./mutants.ts"

const root = fileURLToPath(new URL("../..", import.meta.url))

/** How long one may be looked for, and how many seeds where it need not be found. */
const patience = 60_000
const idle = 1000

/** What `find.ts` prints. */
export const Found = Schema.Struct({
  /** The seed; `null` when it was not found. */
  seed: Schema.NullOr(Schema.Int),
  schedules: Schema.Int,
  why: Schema.String,
  /** Decisions before and after the failure was made small. */
  before: Schema.Int,
  after: Schema.Int,
  /** Until it was found, and until it was small. */
  millis: Schema.Finite,
  shrunkMillis: Schema.Finite
})
export type Found = typeof Found.Type

const readFound = Schema.decodeUnknownSync(Schema.fromJsonString(Found))

/** A copy of what the box needs, with a mistake in it. */
const plant = (mutant: Mutant): string => {
  const folder = mkdtempSync(path.join(tmpdir(), "troupe-mutant-"))
  for (const part of ["src/actors", "src/time", "src/text", "src/testing", "test/box", "package.json"]) {
    cpSync(path.join(root, part), path.join(folder, part), { recursive: true })
  }
  symlinkSync(path.join(root, "node_modules"), path.join(folder, "node_modules"))
  const file = path.join(folder, "src", "actors", mutant.file)
  const text = readFileSync(file, "utf8")
  const parts = text.split(mutant.from)
  if (parts.length !== 2) {
    throw new Error(
      `"${mutant.name}": what it replaces stands ${parts.length - 1} times in ${mutant.file}: the list is stale`
    )
  }
  writeFileSync(file, parts.join(mutant.to))
  return folder
}

const look = (mutant: Mutant, folder: string): Promise<Found | string> =>
  new Promise((resolve) => {
    const child = spawn(
      process.execPath,
      [path.join(folder, "test/box/find.ts"), mutant.workload, String(mutant.seeds ?? idle)],
      { stdio: ["ignore", "pipe", "pipe"] }
    )
    let said = ""
    let errors = ""
    child.stdout.on("data", (text) => said += text)
    child.stderr.on("data", (text) => errors += text)
    const late = setTimeout(() => child.kill("SIGKILL"), 2 * patience)
    child.on("close", () => {
      clearTimeout(late)
      try {
        resolve(readFound(said))
      } catch {
        resolve(errors.trim().split("\n").at(0) || "it took too long")
      }
    })
  })

/** Hunts those whose names hold one of the words, or all; the exit code. */
export const hunt = async (words: ReadonlyArray<string>): Promise<number> => {
  const chosen = mutants.filter(({ name }) => words.length === 0 || words.some((word) => name.includes(word)))
  const sizes: Array<number> = []
  let found = 0
  let wanted = 0
  for (const mutant of chosen) {
    const folder = plant(mutant)
    try {
      const result = await look(mutant, folder)
      if (mutant.seeds !== null) wanted++
      if (typeof result === "string") {
        process.stdout.write(`FAILED     ${mutant.name}: ${result}\n`)
        continue
      }
      const { after, before, millis, schedules, seed, shrunkMillis, why } = result
      if (seed === null) {
        const expected = mutant.seeds === null ? `as expected: ${mutant.why}` : `must be found in ${mutant.seeds} seeds`
        process.stdout.write(`not found  ${mutant.name} (${schedules} seeds of ${mutant.workload}; ${expected})\n`)
        continue
      }
      if (mutant.seeds !== null) {
        found++
        sizes.push(after)
      }
      const seconds = (time: number) => `${(time / 1000).toFixed(1)} s`
      process.stdout.write(
        `found      ${mutant.name}\n` +
          `           seed ${seed} of ${mutant.workload}, ${seconds(millis)}; ${before} decisions made ${after} in ${
            seconds(shrunkMillis)
          }: ${why}\n`
      )
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  }
  const median = sizes.toSorted((a, b) => a - b)[sizes.length >> 1]
  process.stdout.write(`${found} of ${wanted} mutants found, ${median ?? 0} decisions in the median\n`)
  return found === wanted ? 0 : 1
}
