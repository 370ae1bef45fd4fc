/**
 * `events.out.tfevents.<time>.<host>.<pid>.0`: the metrics of `metrics.ts` as TensorBoard scalars over environment
 * steps (`tensorboard --logdir runs`), and the settings under "HParams" and "Text". A number that is not finite is left out: TensorBoard draws a gap.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import type * as Scope from "effect/Scope"
import { createHash } from "node:crypto"
import * as os from "node:os"
import * as BlockFile from "./BlockFile.ts"
import { metricNames, metricsOf } from "./metrics.ts"
import type { FileReporter } from "./Reporter.ts"
import type { ReportFault } from "./ReportFault.ts"
import type { RunFolder } from "./RunFolder.ts"
import { endRecord, scalarRecord, settingsRecord, tag, textRecord, versionRecord } from "./tfevents.ts"

const tags = metricNames.map((name) => [name, tag(name)] as const)

/** How TensorBoard knows its files. */
export const prefix = "events.out.tfevents."

/** TensorBoard's own name pattern. */
const fileName = (millis: number): string => {
  const host = os.hostname().replace(/[^A-Za-z0-9.-]+/g, "-")
  return `${prefix}${String(Math.floor(millis / 1000)).padStart(10, "0")}.${host}.${process.pid}.0`
}

/** What runs have in common that differ by their seeds alone. */
const groupOf = ({ config, envId, preset }: RunFolder): string => {
  const settings = Object.entries(config).filter(([name]) => name !== "seed" && name !== "samplingSeed")
  const hash = createHash("sha256").update(JSON.stringify(settings)).digest("hex")
  return `${envId} ${preset} ${hash.slice(0, 8)}`
}

/** The settings as a table in Markdown. */
const settingsTable = ({ config }: RunFolder): string => {
  const cell = (text: string): string => text.replaceAll("|", "\\|").replaceAll(/\s+/g, " ")
  const rows = Object.entries(config).map(([name, value]) =>
    `| ${name} | ${cell(typeof value === "string" ? value : JSON.stringify(value))} |`
  )
  return ["| setting | value |", "| --- | --- |", ...rows].join("\n")
}

export const reporter = (
  folder: RunFolder
): Effect.Effect<FileReporter, ReportFault, FileSystem.FileSystem | Scope.Scope> =>
  Effect.gen(function*() {
    const now = yield* Clock.currentTimeMillis
    const fs = yield* FileSystem.FileSystem
    // A run that was resumed goes on in its file.
    const names = yield* Effect.orElseSucceed(fs.readDirectory(folder.path), () => [])
    const name = names.find((name) => name.startsWith(prefix)) ?? fileName(now)
    const file = yield* BlockFile.bytes(folder.file(name))
    if (file.fresh) {
      file.append(versionRecord(now / 1000))
      file.append(settingsRecord(now / 1000, folder.config, groupOf(folder)))
      file.append(textRecord(now / 1000, "settings", settingsTable(folder)))
    }
    return {
      name,
      flush: file.flush,
      length: file.length,
      sync: file.sync,
      on: (events) => {
        let finished = false
        for (const event of events) {
          if (event.event === "finished") {
            finished = true
            file.append(endRecord(folder.startedMillis / 1000 + event.wall_seconds))
          }
          const metrics = metricsOf(event)
          if (metrics === undefined) continue
          const scalars: Array<readonly [Uint8Array, number]> = []
          for (const [name, tag] of tags) {
            const value = metrics.values[name]
            if (value !== undefined && value !== null) scalars.push([tag, value])
          }
          file.append(scalarRecord(folder.startedMillis / 1000 + metrics.seconds, metrics.step, scalars))
        }
        return finished ? file.flush : file.settle
      }
    }
  })
