import { assert, describe, it } from "@effect/vitest"
import { takenByNpm, toParse } from "../../../src/runtime/commands/commandLine.ts"
import { otherWords } from "../../../src/runtime/config/otherWords.ts"
import { flagName, optionNames } from "../../../src/runtime/config/RunConfig.ts"

describe("commandLine", () => {
  it("finds the verb", () => {
    assert.deepStrictEqual(toParse([]), ["train"])
    assert.deepStrictEqual(toParse(["--n-envs", "3"]), ["train", "--n-envs", "3"])
    assert.deepStrictEqual(toParse(["eval", "runs/x"]), ["eval", "runs/x"])
    assert.deepStrictEqual(toParse(["--version"]), ["--version"])
    assert.deepStrictEqual(toParse(["--async", "seeded", "--json"]), ["train", "--async=seeded", "--json"])
    for (const environment of ["CartPole-v1", "CartPole-v9", "./grid.ts", "maze.mjs:Maze-v0"]) {
      assert.deepStrictEqual(toParse([environment, "--json"]), ["train", environment, "--json"])
    }
    assert.deepStrictEqual(toParse(["evl"]), ["evl"])
  })

  it("has a verb for help", () => {
    assert.deepStrictEqual(toParse(["help"]), ["train", "--help"])
    assert.deepStrictEqual(toParse(["help", "--json"]), ["train", "--help"])
    assert.deepStrictEqual(toParse(["help", "eval"]), ["eval", "--help"])
    assert.deepStrictEqual(toParse(["help", "evl"]), ["evl"])
  })

  it("says what npm has taken", () => {
    const start = { npm_lifecycle_event: "start", npm_config_cache: "/x", npm_config_yes: "", npm_config_cpu: "x64" }
    const said = (args: ReadonlyArray<string>, taken: Readonly<Record<string, string>>) =>
      takenByNpm(args, { ...start, ...taken })?.split("as in ")[1]
    assert.isUndefined(takenByNpm(["--seed", "5"], start))
    assert.isUndefined(takenByNpm([], { npm_config_seed: "5" }), "npm has not started us")
    assert.strictEqual(
      takenByNpm([], { ...start, npm_config_seed: "5" }),
      "npm has taken --seed for itself: put -- before the flags, as in npm start -- --seed 5"
    )
    assert.strictEqual(said(["10"], { npm_config_n_envs: "true" }), "npm start -- --n-envs 10")
    // There is a password in it.
    const database = "postgres://u:geheim@h/d"
    assert.strictEqual(said([], { npm_config_cluster: database }), "npm start -- --cluster ...")
    assert.strictEqual(said([database], { npm_config_cluster: "true" }), "npm start -- --cluster ...")
    assert.strictEqual(said([], { npm_config_run_folder: "" }), "npm start -- --no-run-folder")
    assert.strictEqual(said(["--seed", "3"], { npm_config_keep_going: "true" }), "npm start -- --seed 3 --keep-going")
    assert.strictEqual(
      said(["0.1", "0.9"], { npm_config_lr: "true", npm_config_ent_coef: "true" }),
      "npm start -- --lr ... --ent-coef ..."
    )
    assert.strictEqual(said(["eval", "x"], { npm_config_episodes: "5" }), "npm start -- eval x --episodes 5")
    assert.strictEqual(said([], { npm_config_all: "true", npm_config_loglevel: "silent" }), "npm start -- --async")
    assert.strictEqual(said([], { npm_config_steps: "5" }), "npm start -- --steps 5")
    assert.strictEqual(said([], { npm_config_json: "true" }), "npm start -- --json")
    assert.match(
      takenByNpm([], { npm_lifecycle_event: "learn", npm_config_seed: "5" })!,
      /as in npm run learn -- --seed 5$/
    )
    assert.match(
      takenByNpm([], { npm_lifecycle_event: "npx", npm_config_seed: "5" })!,
      /behind the program's name, as in npx troupe --seed 5$/
    )
  })

  it("leads from the words of other programs to flags that there are", () => {
    const others = ["resume", "out", "quiet"]
    for (const flag of Object.values(otherWords)) {
      assert.include([...optionNames.map(flagName), ...others], flag.slice(2).split(" ")[0])
    }
    for (const word of Object.keys(otherWords)) assert.notInclude(optionNames.map(flagName), word)
  })
})
