/** Settings from anywhere: a file, flags, variables. What comes of them is a whole configuration or one sentence. */
import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Effect, FileSystem, Schema } from "effect"
import * as configSources from "../../src/runtime/config/configSources.ts"
import { presets } from "../../src/runtime/config/presets.ts"
import { optionNames, RunConfig, variableName } from "../../src/runtime/config/RunConfig.ts"
import { anyJson, Chance, changedText, hostileText, lawful, rounds, seed } from "./fuzzing.ts"

const variables = (texts: Readonly<Record<string, string>>) =>
  Effect.provide(ConfigProvider.layer(ConfigProvider.fromUnknown(texts)))

/** A value as somebody might give it to a setting: near what it takes, or far from it. */
const anyText = (chance: Chance, name: string): string => {
  const usual: unknown = { ...presets.a2c }[name as "seed"]
  return chance.of([
    String(usual),
    `${String(usual)}0`,
    `-${String(usual)}`,
    hostileText(chance),
    String(anyJson(chance)).slice(0, 1000),
    "true",
    "Infinity",
    "0x10",
    "1,2,,3",
    " 7 ",
    "٣"
  ])
}

const resolved = (sources: configSources.Sources, texts: Readonly<Record<string, string>> = {}) =>
  configSources.resolve(sources).pipe(
    Effect.tap((config) => Effect.sync(() => assert.isTrue(Schema.is(RunConfig)(config), JSON.stringify(config)))),
    variables(texts)
  )

describe("settings from anywhere", () => {
  it.live("a file", () =>
    Effect.gen(function*() {
      const fs = yield* FileSystem.FileSystem
      const file = `${yield* fs.makeTempDirectoryScoped()}/settings.json`
      const chance = new Chance(seed)
      const whole = [{ ...presets.a2c }, { ...presets.a3c }, { env_id: "CartPole-v1", config: { ...presets.a2c } }]
      for (let round = 0; round < rounds; round++) {
        const text = changedText(chance, chance.of(whole))
        yield* fs.writeFileString(file, text)
        yield* lawful(() => `seed ${seed}, round ${round}: ${text.slice(0, 300)}`, resolved({ file }))
      }
    }).pipe(Effect.scoped, Effect.provide(NodeServices.layer)), 120_000)

  it.live("flags", () =>
    Effect.gen(function*() {
      const chance = new Chance(seed)
      for (let round = 0; round < 2 * rounds; round++) {
        const texts = Object.fromEntries(Array.from({ length: 1 + chance.below(3) }, () => {
          const name = chance.below(20) === 0 ? hostileText(chance) : chance.of(optionNames)
          return [name, anyText(chance, name)]
        }))
        yield* lawful(
          () => `seed ${seed}, round ${round}: ${JSON.stringify(texts).slice(0, 300)}`,
          Effect.flatMap(configSources.fromFlags(texts), (given) => resolved({ given }))
        )
      }
    }).pipe(Effect.provide(NodeServices.layer)), 120_000)

  it.live("variables", () =>
    Effect.gen(function*() {
      const chance = new Chance(seed)
      for (let round = 0; round < 2 * rounds; round++) {
        const texts = Object.fromEntries(Array.from({ length: 1 + chance.below(3) }, () => {
          const name = chance.of(optionNames)
          const text = anyText(chance, name)
          return [chance.below(20) === 0 ? `TROUPE_${hostileText(chance)}` : variableName(name), text]
        }))
        const what = () => `seed ${seed}, round ${round}: ${JSON.stringify(texts).slice(0, 300)}`
        yield* lawful(what, Effect.andThen(configSources.checkVariables(Object.keys(texts)), resolved({}, texts)))
      }
    }).pipe(Effect.provide(NodeServices.layer)), 120_000)
})
