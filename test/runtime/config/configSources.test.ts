import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Effect, FileSystem } from "effect"
import { Schema } from "effect"
import { fromFlags, type PartialConfig, resolve } from "../../../src/runtime/config/configSources.ts"
import { presets } from "../../../src/runtime/config/presets.ts"
import { flagName, optionNames, options, RunConfig, variableName } from "../../../src/runtime/config/RunConfig.ts"

const env = (variables: Record<string, string>) =>
  Effect.provide(ConfigProvider.layer(ConfigProvider.fromUnknown(variables)))

const message = <A, E extends { readonly message: string }, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.map(Effect.flip(effect), (error) => error.message)

describe("configSources", () => {
  it.effect("gives the default preset when nothing is said", () =>
    Effect.gen(function*() {
      const config = yield* resolve({})
      assert.strictEqual(config.preset, "a2c")
      assert.strictEqual(config.nEnvs, 10)
      assert.isAtLeast(config.workers, 1)
    }).pipe(env({}), Effect.provide(NodeServices.layer)))

  it.effect("lets the caller win over variables, variables over the file, the file over the preset", () =>
    Effect.gen(function*() {
      const fs = yield* FileSystem.FileSystem
      const folder = yield* fs.makeTempDirectoryScoped()
      const file = `${folder}/settings.json`
      yield* fs.writeFileString(file, JSON.stringify({ nEnvs: 2, seed: 2, gamma: 0.5, preset: "notebook-ray" }))
      const config = yield* resolve({ given: { nEnvs: 4 }, file })
      assert.strictEqual(config.nEnvs, 4)
      assert.strictEqual(config.seed, 3)
      assert.strictEqual(config.gamma, 0.5)
      assert.deepStrictEqual(config.hidden, presets["notebook-ray"].hidden)
    }).pipe(env({ TROUPE_N_ENVS: "3", TROUPE_SEED: "3" }), Effect.provide(NodeServices.layer)))

  it.effect("reads back the config.json of a run folder", () =>
    Effect.gen(function*() {
      const fs = yield* FileSystem.FileSystem
      const folder = yield* fs.makeTempDirectoryScoped()
      const wanted = yield* resolve({ given: { nEnvs: 7, hidden: [3, 5] } })
      yield* fs.writeFileString(`${folder}/config.json`, JSON.stringify({ env_id: "x", config: wanted }))
      assert.deepStrictEqual(yield* resolve({ file: `${folder}/config.json` }), wanted)
    }).pipe(env({}), Effect.provide(NodeServices.layer)))

  it.effect("draws a random sampling seed once and keeps it", () =>
    Effect.gen(function*() {
      const { samplingSeed } = yield* resolve({ given: { preset: "notebook-ray" } })
      assert.isTrue(typeof samplingSeed === "number")
    }).pipe(env({}), Effect.provide(NodeServices.layer)))

  it.effect("answers what is wrong in one sentence that names it", () =>
    Effect.gen(function*() {
      assert.strictEqual(
        yield* message(fromFlags({ nEnvs: "0" })),
        `--n-envs must be a whole number from 1 to 65536; 0 is not.`
      )
      assert.strictEqual(
        yield* message(fromFlags({ nEnvs: "ten" })),
        `--n-envs must be a whole number from 1 to 65536; "ten" is not.`
      )
      assert.strictEqual(
        yield* message(fromFlags({ lr: "nan" })),
        `--lr must be a finite number above 0 and at most 1; "nan" is not.`
      )
      assert.match(yield* message(fromFlags({ lr: "Infinity" })), /^--lr must be a finite number/)
      assert.match(
        yield* message(fromFlags({ hidden: "64,x" })),
        /^--hidden must be up to 16 layer widths .* "64,x" is not\.$/
      )
      assert.match(yield* message(resolve({ given: { device: "tpu" } as never })), /^device must be one of cpu/)
    }).pipe(env({}), Effect.provide(NodeServices.layer)))

  it.effect("names the variable that is wrong", () =>
    Effect.gen(function*() {
      assert.match(yield* message(resolve({})), /^TROUPE_N_STEPS must be a whole number/)
    }).pipe(env({ TROUPE_N_STEPS: "-1" }), Effect.provide(NodeServices.layer)))

  it.effect("refuses a file with an unknown key and names the near one", () =>
    Effect.gen(function*() {
      const fs = yield* FileSystem.FileSystem
      const folder = yield* fs.makeTempDirectoryScoped()
      const refused = (content: string) =>
        Effect.andThen(fs.writeFileString(`${folder}/a.json`, content), message(resolve({ file: `${folder}/a.json` })))
      assert.match(yield* refused(`{"nEnv": 3}`), /^There is no setting "nEnv" in .*a\.json\. Did you mean "nEnvs"\?$/)
      assert.match(yield* refused(`{"nEnvs": "3"}`), /^"nEnvs" in .*a\.json must be a whole number .* "3" is not\.$/)
      assert.match(yield* refused(`[1]`), /must hold one JSON object\.$/)
      assert.match(yield* refused(`{`), /must hold one JSON object\.$/)
      assert.match(yield* message(resolve({ file: `${folder}/none.json` })), /none\.json cannot be read/)
    }).pipe(env({}), Effect.provide(NodeServices.layer)))

  it.effect("names the algorithm by what it does, and refuses what it does not", () =>
    Effect.gen(function*() {
      const named = (given: PartialConfig) =>
        Effect.map(resolve({ given }), ({ algo, preset, schedule }) => [algo, schedule, preset])
      assert.deepStrictEqual(yield* named({}), ["a2c", "sync", "a2c"])
      assert.deepStrictEqual(yield* named({ schedule: "async" }), ["a3c", "async", "a3c"])
      assert.deepStrictEqual(yield* named({ algo: "a3c" }), ["a3c", "async", "a3c"])
      assert.deepStrictEqual(yield* named({ algo: "a3c", schedule: "seeded" }), ["a3c", "seeded", "a3c"])
      // The corners stay: a preset's settings under the other schedule are the other algorithm's.
      assert.deepStrictEqual(yield* named({ preset: "a3c", schedule: "sync" }), ["a2c", "sync", "a3c"])
      assert.deepStrictEqual(yield* named({ preset: "notebook-ray", algo: "a3c" }), ["a3c", "async", "notebook-ray"])
      const notices: Array<string> = []
      const { algo } = yield* resolve({
        given: { algo: "a2c", schedule: "async" },
        notice: (message) => notices.push(message)
      })
      assert.strictEqual(algo, "a3c")
      assert.match(notices.join(), /^--algo a2c with --async is a3c, and is called so/)
      assert.deepStrictEqual(yield* named({ algo: "a3c", schedule: "sync" }), ["a2c", "sync", "a3c"])
      assert.strictEqual(
        yield* message(resolve({ given: { maxStaleness: 3 } })),
        "--max-staleness is for a3c and impala, and this run is a2c. Leave it out, or say --algo a3c."
      )
      assert.match(yield* message(resolve({ given: { syncCritic: false } })), /^--sync-critic false is for a3c/)
      assert.match(yield* message(resolve({ given: { loss: "td" } })), /^--loss td is computed along one episode/)
      // What it would be anyway may be said.
      assert.deepStrictEqual(yield* named({ maxStaleness: "none", loss: "a2c" }), ["a2c", "sync", "a2c"])
    }).pipe(env({}), Effect.provide(NodeServices.layer)))

  it.effect("refuses minibatches that do not divide the rows, and names one that does", () =>
    Effect.gen(function*() {
      const refused = (given: PartialConfig) => message(resolve({ given: { algo: "ppo", ...given } }))
      assert.strictEqual(
        yield* refused({ batchSize: 64 }),
        "--batch-size 64 does not divide the 10 x 20 = 200 rows of --n-envs and --n-steps; 50 does."
      )
      assert.match(yield* refused({ batchSize: 100_000 }), /; 200 does\.$/)
      assert.match(yield* refused({ schedule: "async" }), /^--algo ppo goes with --sync, not with --async\.$/)
      assert.match(
        yield* message(resolve({ given: { clipRange: 0.1 } })),
        /^--clip-range is for ppo, and this run is a2c/
      )
      assert.strictEqual((yield* resolve({ given: { algo: "ppo", batchSize: 200 } })).batchSize, 200)
    }).pipe(env({}), Effect.provide(NodeServices.layer)))

  it.effect("reads files from when the schedule alone chose the algorithm", () =>
    Effect.gen(function*() {
      const fs = yield* FileSystem.FileSystem
      const folder = yield* fs.makeTempDirectoryScoped()
      const notices: Array<string> = []
      yield* fs.writeFileString(`${folder}/old.json`, JSON.stringify({ config: { algo: "a2c", schedule: "async" } }))
      const { algo } = yield* resolve({ file: `${folder}/old.json`, notice: (message) => notices.push(message) })
      assert.strictEqual(algo, "a3c")
      assert.deepStrictEqual(notices, [
        "This run was called a2c with the schedule async: that is a3c, and is called so now."
      ])
    }).pipe(env({}), Effect.provide(NodeServices.layer)))

  it("spells names the same everywhere", () => {
    assert.strictEqual(flagName("totalTimesteps"), "total-timesteps")
    assert.strictEqual(variableName("totalTimesteps"), "TROUPE_TOTAL_TIMESTEPS")
  })

  it("has presets that satisfy the schema", () => {
    for (const preset of Object.values(presets)) assert.isTrue(Schema.is(RunConfig)({ workers: 1, ...preset }))
    for (const name of optionNames) assert.isNotEmpty(options[name].help)
  })
})
