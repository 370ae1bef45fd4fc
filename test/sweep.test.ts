/** The verb `sweep`, and `plot` of several runs, as people use them: real processes, stopped in between. */
import { assert, describe } from "@effect/vitest"
import { Effect, FileSystem } from "effect"
import { live, temporary, troupe } from "./program.ts"

const short = ["--total-timesteps", "1500"]

const eventsOf = (stdout: string) =>
  stdout.trim().split("\n").filter((line) => line !== "").map((line) => JSON.parse(line))

describe("sweep", () => {
  live(
    "runs the grid, goes on after an interruption with what is missing, and gives what the runs alone give",
    Effect.gen(function*() {
      const cwd = yield* temporary
      const fs = yield* FileSystem.FileSystem
      let ended = false
      const grid = ["sweep", "--seed", "1..2", "--lr", "4e-3,8e-3", ...short, "--jobs", "1"]
      const stopped = yield* troupe(cwd, [...grid, "--json"], {
        onOutput: (stdout, kill) => {
          if (ended || !stdout.includes("\n")) return
          ended = true
          kill("SIGINT")
        }
      })
      assert.strictEqual(stopped.code, 130, stopped.stderr)
      const [folder] = (yield* fs.readDirectory(`${cwd}/runs`)).map((name) => `runs/${name}`)
      assert.match(stopped.stderr, new RegExp(`Interrupted\\. Go on with: .* sweep --resume ${folder}\n$`))
      const before = eventsOf(stopped.stdout).length
      const rest = yield* troupe(cwd, ["sweep", "--resume", folder!, "--json"])
      assert.strictEqual(rest.code, 0, rest.stderr)
      const events = [...eventsOf(stopped.stdout), ...eventsOf(rest.stdout)]
      const runs = events.filter(({ event }) => event === "run")
      assert.strictEqual(runs.length, 4)
      assert.isAtLeast(before, 1)
      const settings = events.filter(({ event }) => event === "setting")
      assert.deepStrictEqual(settings.map(({ setting }) => setting), ["lr 4e-3", "lr 8e-3"])
      const alone = yield* troupe(cwd, ["--seed", "2", "--lr", "4e-3", ...short, "--json", "--run-folder", "false"])
      const { weights_sha256 } = eventsOf(alone.stdout).at(-1)
      assert.strictEqual(runs.find(({ name }) => name === "lr=4e-3,seed=2").finished.weights_sha256, weights_sha256)

      // Nothing is left: the table alone.
      const again = yield* troupe(cwd, ["sweep", "--resume", folder!])
      assert.match(
        again.stdout,
        /^4 runs of 4 have come to their end before\nsetting +runs +solved +steps +train20.*\nlr 4e-3 +2 +0 +1,500 /
      )
      const plotted = yield* troupe(cwd, ["plot", folder!])
      assert.strictEqual(plotted.stdout, `${folder}/curves.svg\n`)
      const svg = yield* fs.readFileString(`${cwd}/${folder}/curves.svg`)
      for (const word of ["lr 0.004 (2)", "lr 0.008 (2)", "CartPole-v1"]) assert.include(svg, `>${word}<`)
      assert.notMatch(svg, /NaN|undefined/)
    })
  )

  live(
    "says what cannot be before anything is begun, and which runs failed",
    Effect.gen(function*() {
      const cwd = yield* temporary
      const fs = yield* FileSystem.FileSystem
      yield* fs.writeFileString(
        `${cwd}/sweep.json`,
        JSON.stringify({
          format: "troupe-sweep",
          version: 1,
          cells: [{ name: "a", setting: {}, seed: 1, config: { envId: "./evil.ts" } }]
        })
      )
      for (
        const [args, code, said] of [
          [["sweep", "--lr", "1e-3,much"], 2, /^--lr must be a finite number .*"much" is not\.\n$/],
          [["sweep", "--seed", "5..1"], 2, /^--seed cannot be swept: 5\.\.1 ends before it begins\.\n$/],
          [["sweep", "--batch-size", "50,7", "--algo", "ppo"], 2, /^--batch-size 7 does not divide/],
          [["sweep", "--resume", "nowhere"], 1, /^There is no sweep at nowhere/],
          [["sweep", "--resume", ".", "--lr", "1"], 2, /^A sweep goes on with the settings it was begun with/],
          [["sweep", "--resume", "."], 2, /^sweep\.json names the environment "\.\/evil\.ts", and a file runs nothing/]
        ] as const
      ) {
        const outcome = yield* troupe(cwd, args)
        assert.match(outcome.stderr, said)
        assert.strictEqual(outcome.code, code)
      }
      assert.isFalse(yield* fs.exists(`${cwd}/runs`))
      const failed = yield* troupe(cwd, ["sweep", "--env-id", "./nothing.ts,CartPole-v1", ...short])
      assert.strictEqual(failed.code, 1)
      assert.match(
        failed.stderr,
        /1 run of 2 failed, the first by .*nothing\.ts.* Try them again with: .* sweep --resume /
      )
    })
  )
})

describe("plot", () => {
  live(
    "reads what Stable-Baselines3's Monitor writes, an environment a file",
    Effect.gen(function*() {
      const cwd = yield* temporary
      const fs = yield* FileSystem.FileSystem
      for (const run of ["ppo_1", "ppo_2"]) {
        yield* fs.makeDirectory(`${cwd}/${run}`)
        for (const env of [0, 1]) {
          const rows = [1, 2, 3].map((t) => `${10 * t},${20 + env},${t}.${env}`).join("\n")
          yield* fs.writeFileString(
            `${cwd}/${run}/${env}.monitor.csv`,
            `#{"t_start": 1.5, "env_id": "CartPole-v1"}\nr,l,t\n${rows}\n`
          )
        }
      }
      const both = yield* troupe(cwd, ["plot", "ppo_1", "ppo_2", "--out", "both.svg"])
      assert.strictEqual(both.stdout, "both.svg\n", both.stderr)
      assert.include(yield* fs.readFileString(`${cwd}/both.svg`), ">ppo (2)<")
      const file = yield* troupe(cwd, ["plot", "ppo_1/0.monitor.csv"])
      assert.strictEqual(file.stdout, "curves.svg\n", file.stderr)
      const nothing = yield* troupe(cwd, ["plot", "ppo_1", "nowhere"])
      assert.strictEqual(nothing.stderr, `Cannot plot "nowhere": there is no such file or folder.\n`)
    })
  )
})
