/** The runs of a grid: each with all its settings, checked before any of them is begun. */
import * as Effect from "effect/Effect"
import { createHash } from "node:crypto"
import type { JsonRecord } from "../../envs/EnvironmentDefinition.ts"
import * as configSources from "../config/configSources.ts"
import { flagName, optionNames } from "../config/RunConfig.ts"
import { gridOf, InvalidValues, type Texts } from "./grid.ts"
import type { Cell } from "./SweepFolder.ts"

/** Runs that a sweep may have. */
const mostCells = 100_000

/** Letters of a folder's name that say what is in it; more are cut, and told apart by a digest. */
const longestName = 120

/** The name of a run's folder: what differs, and its seed. */
const nameOf = (setting: Texts, seed: number): string => {
  const parts = Object.entries(setting).map(([name, value]) => `${flagName(name)}=${value}`)
  const text = [...parts, `seed=${seed}`].join(",")
  const plain = text.replaceAll(/[^\w.,=+-]+/g, "-").replace(/^[-.]+/, "")
  if (plain === text && plain.length <= longestName) return plain
  return `${plain.slice(0, longestName)}-${createHash("sha256").update(text).digest("hex").slice(0, 8)}`
}

/**
 * The runs that settings as text name together (`grid.ts`). Each has one thread to itself where nothing else is said: there
 * are as many runs at a time as cores.
 */
export const cellsOf = Effect.fnUntraced(function*(
  texts: Texts,
  sources: { readonly file: string | undefined; readonly envOptions: JsonRecord | undefined }
) {
  const points = yield* Effect.try({
    try: () => gridOf(texts),
    catch: (cause) => {
      if (!(cause instanceof InvalidValues)) throw cause
      const flag = `--${flagName(cause.option)}`
      return new configSources.ConfigError({ source: flag, message: `${flag} cannot be swept: ${cause.message}.` })
    }
  })
  if (points.length > mostCells) {
    return yield* new configSources.ConfigError({
      source: "sweep",
      message: `The sweep has ${points.length} runs: give fewer values, ${mostCells} runs at most.`
    })
  }
  return yield* Effect.forEach(
    points,
    Effect.fnUntraced(function*({ setting, texts }) {
      const given = yield* configSources.fromFlags(texts)
      const config = yield* configSources.resolve({ given: { workers: 1, ...given }, ...sources })
      return {
        name: nameOf(setting, config.seed),
        setting,
        seed: config.seed,
        config: Object.fromEntries(optionNames.map((name) => [name, config[name]]))
      } satisfies Cell
    })
  )
})
